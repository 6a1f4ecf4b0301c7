"""Check of what a restore lost: where a missing opening, run or erasure is known to be lost, and where it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import store_raw
from consent.canonical import decode
from consent.errors import ConsentError
from consent.store_lost import Refill

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People
    from consent.log import Log


@dataclass
class Lost:
    """What is known to be lost.

    Attributes:
        refills: The stretches of the log that were filled again.
        openings: Entries whose openings are lost.
    """

    refills: list[Refill] = field(default_factory=list)
    openings: set[int] = field(default_factory=set)

    def holds(self, index: int | None) -> bool:
        """Whether an entry's content was lost."""
        return index is not None and any(each.holds(index) for each in self.refills)


def read(log: Log, connection: Connection, content: LogContent, findings: Findings) -> Lost:
    """Read `refill` and `lost_opening`."""
    lost = Lost()
    for row in store_raw.rows(connection, "refill"):
        findings.check_mac(log.pseudonym_key, "refill", row)
        first, until, numbers = (store_raw.integer(row[name]) for name in ("first", "until", "numbers"))
        if first is None or until is None or numbers is None or not first < until <= len(content.leaves):
            findings.add("refill", store_raw.key_of("refill", row), "it names no stretch of the log", first)
        else:
            lost.refills.append(Refill(first, until, numbers, row["journal"], row["erased"] or b""))
    before = -1
    for refilled in content.refilled:
        if not lost.holds(refilled) and refilled != before + 1:
            findings.add("refill", str(refilled), "the row of the refill is missing", refilled)
        before = refilled
    known = {each.first: each for each in lost.refills}
    for row in store_raw.rows(connection, "lost_opening"):
        findings.check_mac(log.pseudonym_key, "lost_opening", row)
        index, of = store_raw.integer(row["idx"]), store_raw.integer(row["first"])
        if index is None or of not in known or index not in content.personal or not known[of].holds(index):
            key = store_raw.key_of("lost_opening", row)
            findings.add("lost_opening", key, "it names no personal entry that was filled again", index)
        else:
            lost.openings.add(index)
    return lost


def check(people: People, lost: Lost, findings: Findings) -> None:
    """What is said to be lost must not be there."""
    for index in sorted(lost.openings & people.payloads.keys()):
        findings.add("lost_opening", str(index), "the opening is there", index)
    for each in lost.refills:
        try:
            erased = set(decode(each.erased))
        except (ConsentError, TypeError):
            continue  # Its check value says so.
        for number in sorted(erased - people.erased_in_loss.keys()):
            findings.add(
                "subject", str(number), "the row of a person erased before a loss is missing", each.first
            )
