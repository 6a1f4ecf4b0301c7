"""Check of the projections: rebuilt from the log's own bytes and compared, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_limits, store_raw
from consent.canonical import decode, digest
from consent.consenting import event_row
from consent.errors import ConsentError
from consent.store_consents import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People


def check(connection: Connection, content: LogContent, people: People, findings: Findings) -> None:
    """Compare `institutional`, `consent_event`, `limitation`, `purpose` and `notice`."""
    _compare(
        connection,
        findings,
        "institutional",
        {str(i): {"idx": i, "kind": act.kind} for i, act in content.acts.items()},
    )
    needed = _categories(connection)
    events = {
        str(index): {
            **event_row(
                payload,
                people.number_of[index],
                index,
                needed.get((payload.purpose, payload.purpose_version), ()),
            ),
            "at": content.times.get(index),
        }
        for index, payload in people.payloads.items()
        if payload.kind == "consent"
    }
    _compare(connection, findings, "consent_event", events)
    limitations = {}
    for index, payload in people.payloads.items():
        row = (
            store_limits.row_of(payload.body, people.number_of[index], index)
            if payload.kind == "right"
            else None
        )
        if row is not None:
            limitations[str(index)] = {**row, "at": content.times.get(index)}
    _compare(connection, findings, "limitation", limitations)
    _check_purposes(connection, content, findings)
    _check_notices(connection, content, findings)


def _categories(connection: Connection) -> dict[tuple[str | None, int | None], tuple[str, ...]]:
    """The categories of data of every purpose's version; a document that cannot be read is a fault of its own."""
    found: dict[tuple[str | None, int | None], tuple[str, ...]] = {}
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
    connection: Connection, findings: Findings, table: str, expected: dict[str, dict[str, object]]
) -> None:
    for row in store_raw.rows(connection, table):
        key = store_raw.key_of(table, row)
        want = expected.pop(key, None)
        if want is None:
            findings.add(table, key, "the log has no entry for this row", store_raw.integer(row.get("idx")))
            continue
        wrong = [name for name, raw in row.items() if raw != _bytes(want[name])]
        if wrong:
            index = store_raw.integer(row.get("idx"))
            findings.add(table, key, f"not what the log says: {', '.join(wrong)}", index)
    for key in sorted(expected):
        findings.add(table, key, "the row is missing", int(key))


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
    return None if value is None else str(value).encode()
