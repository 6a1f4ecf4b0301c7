"""Check of the openings, a range of the log at a time: what an entry has, or which erasure or loss took it.

What only the end of the log decides (an erasure comes after what it takes) is kept until then: some bytes for each opening
that is gone, nothing for those that are there.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from consent import fsck_lost, fsck_projections, fsck_ranges, store_raw
from consent.canonical import b64u_decode, detail_digest
from consent.errors import ConsentError
from consent.fsck_payloads import Opener
from consent.fsck_ranges import Cursor, Range
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People
    from consent.log import Log

_TABLES = ("payload", "erased_opening", "lost_opening", "detail", *fsck_projections.TABLES)


class Openings:
    """Compares `payload`, `detail`, `erased_opening`, `lost_opening` and the projections that have a row for an entry.

    Args:
        log: The log.
        connection: A transaction.
        content: What the log's own bytes say.
        people: Whose keys open everything; what the openings say of people is noted there.
        findings: Where faults are noted.
    """

    def __init__(
        self, log: Log, connection: Connection, content: LogContent, people: People, findings: Findings
    ) -> None:
        self._log, self._connection, self._content = log, connection, content
        self._people, self._findings = people, findings
        self._opener = Opener(log, people, findings)
        self._projections = fsck_projections.Projections(connection, findings)
        # Index, erasure, and whether nothing else explains that the opening is gone.
        self._taken = array("q")
        self._no_detail: list[tuple[int, str, int]] = []

    def walk(self) -> None:
        """Go through the log, and then through rows that are of no entry of it."""
        cursors = {name: Cursor(store_raw.batches(self._connection, name)) for name in _TABLES}
        for part in fsck_ranges.ranges(self._connection, self._content):
            self._check({name: cursor.until(part.end) for name, cursor in cursors.items()}, part)
        while any((rest := {name: cursor.until(None) for name, cursor in cursors.items()}).values()):
            self._check(rest, Range())

    def _check(self, rows: dict[str, list[store_raw.RawTuple]], part: Range) -> None:
        before = len(self._findings.faults)
        self._opener.open(rows["payload"], part)
        broken = {fault.index for fault in self._findings.faults[before:]}
        lost = fsck_lost.openings(self._log, rows["lost_opening"], part, self._content.lost, self._findings)
        self._check_missing(rows["erased_opening"], part, broken | lost)
        self._check_details(rows["detail"], part)
        self._projections.check(rows, part)

    def _check_missing(
        self, rows: Sequence[store_raw.RawTuple], part: Range, explained: set[int | None]
    ) -> None:
        """An entry without an opening has a note of the erasure that took it, or that it was lost."""
        missing = part.personal.keys() - part.payloads.keys() - explained
        for values in rows:
            row = dict(zip(store_raw.names_of("erased_opening"), values, strict=True))
            key = store_raw.key_of("erased_opening", row)
            index, erasure = store_raw.integer(row["idx"]), store_raw.integer(row["erasure"])
            self._findings.check_mac(self._log.pseudonym_key, "erased_opening", row)
            if index is None or index not in part.personal or erasure is None or erasure <= index:
                self._findings.add(
                    "erased_opening", key, "it does not name a personal entry and a later erasure", index
                )
            elif index in part.payloads:
                self._findings.add("erased_opening", key, "the opening is still there", index)
            else:
                self._taken.extend((index, erasure, index in missing))
                missing.discard(index)
        for index in sorted(missing):
            self._findings.add("payload", str(index), "the opening is missing, and no erasure took it", index)

    def _check_details(self, rows: Sequence[store_raw.RawTuple], part: Range) -> None:
        expected = {
            (index, name): b64u_decode(value)
            for index, payload in part.payloads.items()
            for name, value in payload.details.items()
        }
        findings, keys = self._findings, self._people.keys[RetentionClass.DETAIL]
        for values in rows:
            row = dict(zip(store_raw.names_of("detail"), values, strict=True))
            key = store_raw.key_of("detail", row)
            index, name, number = (
                store_raw.integer(row["idx"]),
                store_raw.text(row["name"]),
                store_raw.integer(row["number"]),
            )
            committed = expected.pop((-1 if index is None else index, name or ""), None)
            if index is None or name is None or committed is None:
                findings.add("detail", key, "no payload has this detail", index)
                continue
            person_key = keys.get(-1 if number is None else number)
            if number is None or number != part.number_of.get(index) or person_key is None:
                findings.add("detail", key, "the detail is of another person, or its key is not there", index)
                continue
            try:
                salt, value = self._log.vault.open_detail(person_key, index, name, row["ciphertext"] or b"")
                if b64u_decode(detail_digest(self._log.origin, name, salt, value)) != committed:
                    findings.add("detail", key, "what opens is not what the payload names", index)
            except ConsentError as error:
                findings.add("detail", key, error.message, index)
        self._no_detail += [(index, name, part.number_of[index]) for index, name in sorted(expected)]

    def check_taken(self) -> None:
        """Every opening that is gone was taken by an erasure of the log, or by one whose own opening is lost."""
        erasures, lost = set(self._people.erased.values()), self._content.lost
        for place in range(0, len(self._taken), 3):
            index, erasure, alone = self._taken[place : place + 3]
            if erasure in erasures or lost.holds(erasure):
                continue
            what = "the erasure that it names is none"
            self._findings.add("erased_opening", str(index), what, index)
            if alone:
                what = "the opening is missing, and no erasure took it"
                self._findings.add("payload", str(index), what, index)

    def check_details_gone(self) -> None:
        """Every detail that is gone was taken by an erasure; after those whose openings are lost are known."""
        people = self._people
        for index, name, number in self._no_detail:
            if number not in people.erased_in_loss and "detail" not in people.erased_classes.get(number, ()):
                what = "the detail is missing, and no erasure took it"
                self._findings.add("detail", f"{index}/{name}", what, index)
