"""Check of the projections: rebuilt from the log's own bytes and compared, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_limits, store_log, store_raw
from consent.canonical import decode, digest
from consent.consenting import event_row
from consent.errors import ConsentError
from consent.store_consents import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People

_Categories = dict[tuple["str | None", "int | None"], tuple[str, ...]]


def check(connection: Connection, content: LogContent, people: People, findings: Findings) -> None:
    """Compare `institutional`, `consent_event`, `limitation`, `purpose` and `notice`."""
    acts = ((index, {"idx": index, "kind": act.kind}) for index, act in content.acts.items())
    _compare(connection, findings, "institutional", acts)
    needed = _categories(connection)
    _compare(connection, findings, "consent_event", _events(content, people, needed))
    _compare(connection, findings, "limitation", _limitations(content, people))
    _check_purposes(connection, content, findings)
    _check_notices(connection, content, findings)


def _events(content: LogContent, people: People, needed: _Categories) -> Iterator[tuple[int, store_log.Row]]:
    for index, payload in people.payloads.items():
        if payload.kind == "consent":
            categories = needed.get((payload.purpose, payload.purpose_version), ())
            row = event_row(payload, people.number_of[index], index, categories)
            yield index, {**row, "at": content.times.get(index)}


def _limitations(content: LogContent, people: People) -> Iterator[tuple[int, store_log.Row]]:
    for index, payload in people.payloads.items():
        if payload.kind == "right":
            row = store_limits.row_of(payload.body, people.number_of[index], index)
            if row is not None:
                yield index, {**row, "at": content.times.get(index)}


def _categories(connection: Connection) -> _Categories:
    """The categories of data of every purpose's version; a document that cannot be read is a fault of its own."""
    found: _Categories = {}
    for row in store_raw.rows(connection, "purpose"):
        try:
            document = decode(row["document"] or b"", limit=MAX_DOCUMENT_BYTES)
            found[store_raw.text(row["id"]), store_raw.integer(row["version"])] = tuple(
                document["categories"]
            )
        except (ConsentError, KeyError, TypeError):
            continue
    return found


def _compare(
    connection: Connection,
    findings: Findings,
    table: str,
    rows: Iterable[tuple[int, store_log.Row]],
) -> None:
    """Compare a table whose key is the entry's index with the rows that it should have."""
    names = store_raw.names_of(table)
    expected = {b"%d" % index: tuple(_bytes(row[name]) for name in names) for index, row in rows}
    for batch in store_raw.batches(connection, table):
        for found in batch:
            want = expected.pop(found[0] or b"", None)
            if want == found:
                continue
            row = dict(zip(names, found, strict=True))
            key, index = store_raw.key_of(table, row), store_raw.integer(row["idx"])
            if want is None:
                findings.add(table, key, "the log has no entry for this row", index)
                continue
            wrong = [name for name, raw, right in zip(names, found, want, strict=True) if raw != right]
            findings.add(table, key, f"not what the log says: {', '.join(wrong)}", index)
    for missing in sorted(map(int, expected)):
        findings.add(table, str(missing), "the row is missing", missing)


def _check_purposes(connection: Connection, content: LogContent, findings: Findings) -> None:
    expected = {
        (act.body["id"], act.body["version"]): (index, act.body["digest"])
        for index, act in content.acts.items()
        if act.kind == "purpose"
    }
    for row in store_raw.rows(connection, "purpose"):
        key = store_raw.key_of("purpose", row)
        place = (store_raw.text(row["id"]) or "", store_raw.integer(row["version"]) or 0)
        index, committed = expected.pop(place, (None, ""))
        if index is None or store_raw.integer(row["idx"]) != index:
            findings.add(
                "purpose", key, "the log has no such purpose at this index", store_raw.integer(row["idx"])
            )
        elif digest(row["document"] or b"") != committed:
            findings.add("purpose", key, "the document is not the one that the entry binds", index)
    for (purpose_id, version), (index, _) in sorted(expected.items()):
        findings.add("purpose", f"{purpose_id}/{version}", "the row is missing", index)


def _check_notices(connection: Connection, content: LogContent, findings: Findings) -> None:
    # A notice that serves several purposes has an entry for each; its row names the first.
    expected: dict[tuple[str, int], tuple[int, dict[str, str]]] = {}
    for index, act in sorted(content.acts.items()):
        if act.kind == "notice":
            expected.setdefault((act.body["id"], act.body["version"]), (index, dict(act.body["languages"])))
    for row in store_raw.rows(connection, "notice"):
        key = store_raw.key_of("notice", row)
        place = (store_raw.text(row["id"]) or "", store_raw.integer(row["version"]) or 0)
        known = expected.pop(place, None)
        if known is None or store_raw.integer(row["idx"]) != known[0]:
            findings.add(
                "notice", key, "the log has no such notice at this index", store_raw.integer(row["idx"])
            )
            continue
        try:
            texts = decode(row["texts"] or b"", limit=MAX_DOCUMENT_BYTES)
            found = {language: digest(text.encode()) for language, text in texts.items()}
        except (ConsentError, AttributeError):
            found = {}
        if found != known[1]:
            findings.add("notice", key, "the texts are not those that the entry binds", known[0])
    for (notice_id, version), (index, _) in sorted(expected.items()):
        findings.add("notice", f"{notice_id}/{version}", "the row is missing", index)


def _bytes(value: object) -> bytes | None:
    return None if value is None else b"%d" % value if isinstance(value, int) else str(value).encode()
