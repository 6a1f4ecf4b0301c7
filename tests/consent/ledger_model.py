"""What the ledger must say, as a naive mind keeps it: per person a list of what happened, folded anew for every answer."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from consent.vocabulary import ConsentStatus, Right, RightAnswer, UseStatus
from tests.consent.ledger_world import OFFER

S = ConsentStatus
CATEGORIES = ["dpv-pd:Age", "dpv-pd:Education"]
PROCESSING = ["scoring", "human-review"]
ASKING = {S.REQUESTED, S.GIVEN, S.RENEWED}
REASONS = {
    S.UNKNOWN: UseStatus.NO_CONSENT, S.REFUSED: UseStatus.REFUSED, S.WITHDRAWN: UseStatus.WITHDRAWN,
    S.EXPIRED: UseStatus.EXPIRED, S.REQUESTED: UseStatus.ONLY_REQUESTED, S.REVOKED: UseStatus.REVOKED,
    S.INVALIDATED: UseStatus.REVOKED,
}  # fmt: skip
BEGINS = {Right.RESTRICTION: UseStatus.RESTRICTED, Right.OBJECTION: UseStatus.OBJECTED}
ENDS = {Right.RESTRICTION_LIFTED: UseStatus.RESTRICTED, Right.OBJECTION_WITHDRAWN: UseStatus.OBJECTED}
ALWAYS = 2**62


class Event(NamedTuple):
    """One answer to the offer."""

    index: int
    status: S
    at: datetime


class Asked(NamedTuple):
    """One right exercised; an empty scope is everything."""

    index: int
    right: Right
    answer: RightAnswer
    purposes: list[str]
    processing: list[str]
    categories: list[str]


class Kept(NamedTuple):
    """A receipt that a person took home."""

    person: str
    number: int
    enrolment: int
    event: Event | None
    text: str


@dataclass
class Model:
    """One person, about one purpose."""

    number: int | None = None
    events: list[Event] = field(default_factory=list)
    rights: list[Asked] = field(default_factory=list)
    runs: list[tuple[int, bytes, UseStatus]] = field(default_factory=list)
    values: dict[bytes, tuple[bytes, datetime]] = field(default_factory=dict)

    def status(self, now: datetime, as_of: int = ALWAYS) -> S:
        known = [event for event in self.events if event.index < as_of]
        if not known:
            return S.UNKNOWN
        _, status, at = known[-1]
        return S.EXPIRED if status.permits and at + timedelta(days=365) <= now else status

    def blocked(self, processing: str, as_of: int = ALWAYS) -> UseStatus | None:
        """Every category of the offer is a cell that rights switch on and off in their order."""
        cells: dict[tuple[UseStatus, str], bool] = {}
        for asked in self.rights:
            touched = (
                asked.index < as_of
                and asked.answer is not RightAnswer.REFUSED
                and (not asked.purposes or OFFER in asked.purposes)
                and (not asked.processing or processing in asked.processing)
            )
            for category in CATEGORIES if touched else []:
                if not asked.categories or category in asked.categories:
                    for switch, on in ((BEGINS, True), (ENDS, False)):
                        if asked.right in switch:
                            cells[switch[asked.right], category] = on
        standing = {status for (status, _), on in cells.items() if on}
        return next((each for each in (UseStatus.RESTRICTED, UseStatus.OBJECTED) if each in standing), None)

    def reason(self, now: datetime, lost: set[int], processing: str = "scoring", as_of: int = ALWAYS) -> int:
        """Why the person may not be used; 0 when they may."""
        status = self.status(now, as_of)
        if not status.permits:
            return REASONS[status]
        if blocked := self.blocked(processing, as_of):
            return blocked
        newest = max(event.index for event in self.events if event.index < as_of)
        return UseStatus.RECORD_LOST if any(newest < index < as_of for index in lost) else 0


@dataclass
class Memory:
    """What would be forgotten with the database: a backup holds a copy of it."""

    people: dict[str, Model]
    lost: set[int] = field(default_factory=set)
    """Entries about people whose openings are lost."""

    def copy(self) -> Memory:
        return deepcopy(self)
