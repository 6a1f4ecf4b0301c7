"""Check of what a restore lost: where a missing opening, run or erasure is known to be lost, and where it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import store_raw
from consent.canonical import decode
from consent.errors import ConsentError
from consent.store_lost import Refill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People
    from consent.fsck_ranges import Range
    from consent.log import Log


@dataclass
class Lost:
    """What is known to be lost.

    Attributes:
        refills: The stretches of the log that were filled again.
    """

    refills: list[Refill] = field(default_factory=list)

    def holds(self, index: int | None) -> bool:
        """Whether an entry's content was lost."""
        return index is not None and any(each.holds(index) for each in self.refills)


def read(log: Log, connection: Connection, content: LogContent, findings: Findings) -> Lost:
    """Read `refill`."""
    lost = Lost()
    for row in store_raw.rows(connection, "refill"):
        findings.check_mac(log.pseudonym_key, "refill", row)
        first, until, numbers = (store_raw.integer(row[name]) for name in ("first", "until", "numbers"))
        if first is None or until is None or numbers is None or not first < until <= content.size:
            findings.add("refill", store_raw.key_of("refill", row), "it names no stretch of the log", first)
        else:
            lost.refills.append(Refill(first, until, numbers, row["journal"], row["erased"] or b""))
    for refilled in content.refilled:
        if not lost.holds(refilled):
            findings.add("refill", str(refilled), "the row of the refill is missing", refilled)
    return lost


def openings(
    log: Log, rows: Sequence[store_raw.RawTuple], part: Range, lost: Lost, findings: Findings
) -> set[int]:
    """Entries of a range whose openings are lost, from its rows of `lost_opening`; none of those may be there."""
    found: set[int] = set()
    known = {each.first: each for each in lost.refills}
    for values in rows:
        row = dict(zip(store_raw.names_of("lost_opening"), values, strict=True))
        findings.check_mac(log.pseudonym_key, "lost_opening", row)
        index, of = store_raw.integer(row["idx"]), store_raw.integer(row["first"])
        if index is None or of not in known or index not in part.personal or not known[of].holds(index):
            key = store_raw.key_of("lost_opening", row)
            findings.add("lost_opening", key, "it names no personal entry that was filled again", index)
        else:
            found.add(index)
            if index in part.payloads:
                findings.add("lost_opening", str(index), "the opening is there", index)
    return found


def check(people: People, lost: Lost, findings: Findings) -> None:
    """Who was erased before a loss is known."""
    for each in lost.refills:
        try:
            erased = set(decode(each.erased))
        except (ConsentError, TypeError):
            continue  # Its check value says so.
        for number in sorted(erased - people.erased_in_loss.keys()):
            findings.add(
                "subject", str(number), "the row of a person erased before a loss is missing", each.first
            )
