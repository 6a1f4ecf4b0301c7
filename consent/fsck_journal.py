"""Check of the erasure journal outside the database: every erasure is in it, and no line of it was made by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_erasure, store_raw
from consent.erasure_journal import read_lines
from consent.errors import ConsentError
from consent.return_rule import readmission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from consent.erasure_journal import JournalLine
    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.log import Log

TABLE = "erasures.journal"
_NO_RETURN = b'"no_return":true'
_LINE_MAC = b'"line_mac":true'


def requests(path: Path) -> frozenset[bytes]:
    """The request ids of the lines that are there before the database is read; none where they cannot be read."""
    try:
        return frozenset(line.request for line in read_lines(path))
    except ConsentError:
        return frozenset()  # `check` reports it.


def check(log: Log, path: Path, connection: Connection, content: LogContent, findings: Findings) -> None:
    """Every erasure of the journal outside is in the log, or a refill applied it; every one of the log is in it.

    Where the receipt says that the person asked not to be asked again, their tombstone is there, or its readmission; and
    nowhere else.
    """
    try:
        lines = read_lines(path)
    except ConsentError as error:
        findings.add(TABLE, "file", error.message)
        return
    applied = {each.journal for each in content.lost.refills}
    done = max((position for position, line in enumerate(lines, 1) if line.request in applied), default=0)
    missing = content.wanted - content.requests
    for position, line in enumerate(lines, 1):
        # A line that was written meanwhile has its entry in a later state of the database than this one.
        if position > done and line.request in missing:
            findings.add(TABLE, str(position), "the erasure is not in the log: it waits to be replayed")
    _check_values(log.pseudonym_key, lines, findings)
    known = {line.request: line for line in lines}
    receipts = {
        store_raw.integer(row["idx"]): row["receipt"] or b""
        for row in store_raw.rows(connection, "erasure")
        if _NO_RETURN in (row["receipt"] or b"")
    }
    for index, request in store_erasure.erasure_requests(connection):
        noted = known.get(request)
        if noted is None:
            findings.add(
                TABLE,
                str(index),
                "the journal lacks the erasure: a restored backup would bring the person back",
                index,
            )
        elif index in receipts:
            _check_wish(log.pseudonym_key, noted, receipts[index], index, findings)
        elif noted.no_return is not None:
            findings.add(
                TABLE,
                str(index),
                "nobody asked not to be asked again, and the line says that they did",
                index,
            )


def _check_values(key: bytes, lines: Sequence[JournalLine], findings: Findings) -> None:
    """Each line has its check value; only those before the first one that has any, of an older luvalla, have none."""
    begun = False
    for position, line in enumerate(lines, 1):
        begun = begun or line.mac is not None
        if begun and line != line.sealed(key):
            findings.add(
                TABLE,
                str(position),
                "the line does not have its check value: it was changed or added by hand",
            )


def _check_wish(key: bytes, noted: JournalLine, receipt: bytes, index: int, findings: Findings) -> None:
    if noted.no_return is None and noted.readmitted != readmission(key, noted.request):
        findings.add(
            TABLE,
            str(index),
            "the person asked not to be asked again, and their tombstone was taken out by hand: they would be asked",
            index,
        )
    elif noted.mac is None and _LINE_MAC in receipt:
        findings.add(TABLE, str(index), "the line of a tombstone had a check value, and has none", index)
