"""Check of the projections: rebuilt from the log's own bytes and compared, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_limits, store_log, store_raw
from consent.canonical import decode, digest
from consent.consenting import event_row
from consent.errors import ConsentError
from consent.store_consents import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_ranges import Range

_Categories = dict[tuple["str | None", "int | None"], tuple[str, ...]]


TABLES = ("institutional", "consent_event", "limitation")
"""Projections with a row for an entry."""


class Projections:
    """Compares the projections that have a row for an entry, a range of the log at a time.

    Args:
        connection: A transaction.
        findings: Where faults are noted.
    """

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._needed = _categories(connection)
        self._findings = findings

    def check(self, rows: Mapping[str, Sequence[store_raw.RawTuple]], part: Range) -> None:
        """Compare the rows of `TABLES` of a range, whose payloads are opened."""
        acts = ((index, {"idx": index, "kind": act.kind}) for index, act in part.acts.items())
        _compare(self._findings, "institutional", rows["institutional"], acts)
        _compare(self._findings, "consent_event", rows["consent_event"], _events(part, self._needed))
        _compare(self._findings, "limitation", rows["limitation"], _limitations(part))


def check(connection: Connection, content: LogContent, findings: Findings) -> None:
    """Compare `purpose` and `notice`."""
    _check_purposes(connection, content, findings)
    _check_notices(connection, content, findings)


def _events(part: Range, needed: _Categories) -> Iterator[tuple[int, store_log.Row]]:
    for index, payload in part.payloads.items():
        if payload.kind == "consent":
            categories = needed.get((payload.purpose, payload.purpose_version), ())
            row = event_row(payload, part.number_of[index], index, categories)
            yield index, {**row, "at": part.times.get(index)}


def _limitations(part: Range) -> Iterator[tuple[int, store_log.Row]]:
    for index, payload in part.payloads.items():
        if payload.kind == "right":
            row = store_limits.row_of(payload.body, part.number_of[index], index)
            if row is not None:
                yield index, {**row, "at": part.times.get(index)}


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
    findings: Findings,
    table: str,
    rows: Sequence[store_raw.RawTuple],
    should: Iterable[tuple[int, store_log.Row]],
) -> None:
    """Compare rows of a table whose key is the entry's index with those that it should have."""
    names = store_raw.names_of(table)
    expected = {b"%d" % index: tuple(_bytes(row[name]) for name in names) for index, row in should}
    for found in rows:
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
