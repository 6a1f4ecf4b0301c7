"""Pure: which objections (GDPR 21) and restrictions (GDPR 18) stand against a use, from a person's own records.

A record has a scope: purposes, kinds of processing and categories of data, each empty for all. A use touches every
category of its purpose. For each of them the last record of a pair (objection and its withdrawal, restriction and its
lifting) whose scope covers purpose, processing and category decides; the use is blocked while one category is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.records import Permitted, Refused
from consent.vocabulary import Right, UseStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from consent.records import Purpose
    from consent.vocabulary import Processing

_PAIRS = (
    (Right.RESTRICTION, Right.RESTRICTION_LIFTED, UseStatus.RESTRICTED),
    (Right.OBJECTION, Right.OBJECTION_WITHDRAWN, UseStatus.OBJECTED),
)
LIMITING = frozenset(right for begins, ends, _ in _PAIRS for right in (begins, ends))
"""The rights whose records begin or end a limitation."""


@dataclass(frozen=True)
class Limitation:
    """One record that begins or ends an objection or a restriction.

    Attributes:
        index: Index of the entry: the order of records, also within one second.
        at: When it was recorded, UTC.
        right: Which of `LIMITING`.
        purposes: Ids of purposes; empty: all.
        processing: Words of `Processing`; empty: all.
        categories: DPV terms of personal data; empty: all.
    """

    index: int
    at: datetime
    right: Right
    purposes: tuple[str, ...]
    processing: tuple[str, ...]
    categories: tuple[str, ...]

    def covers(self, purpose_id: str, processing: str, category: str) -> bool:
        """Whether its scope holds one category of data in one processing for one purpose."""
        return (
            (not self.purposes or purpose_id in self.purposes)
            and (not self.processing or processing in self.processing)
            and (not self.categories or category in self.categories)
        )


def limited(
    records: Iterable[Limitation],
    purpose: Purpose,
    processing: Processing,
    *,
    at: datetime,
    as_of: int | None = None,
) -> UseStatus | None:
    """What stands against one use of one person's data; None when nothing does.

    Args:
        records: The person's limitations, in any order.
        purpose: The purpose in the version that would be processed for.
        processing: What would be done.
        at: The instant; records after it do not count.
        as_of: Only records with a smaller index count; all when None.

    Returns:
        `RESTRICTED`, `OBJECTED`, or None; a restriction is told before an objection.
    """
    counted = sorted(
        (each for each in records if each.at <= at and (as_of is None or each.index < as_of)),
        key=lambda each: each.index,
        reverse=True,
    )
    for begins, ends, status in _PAIRS:
        of_pair = [each for each in counted if each.right in (begins, ends)]
        for category in purpose.categories:
            last = next(
                (each for each in of_pair if each.covers(purpose.id, processing.value, category)), None
            )
            if last is not None and last.right is begins:
                return status
    return None


def limited_people(
    records: Mapping[int, Sequence[Limitation]], purpose: Purpose, processing: Processing, *, at: datetime
) -> dict[int, UseStatus]:
    """The same for many people: number to what stands against the use, for those against whose use something stands."""
    found = {number: limited(of_person, purpose, processing, at=at) for number, of_person in records.items()}
    return {number: status for number, status in found.items() if status is not None}


def with_limits(decision: Permitted | Refused, standing: UseStatus | None) -> Permitted | Refused:
    """A permit, unless an objection or a restriction stands; what the consent refuses stays refused for its own reason."""
    if standing is None or isinstance(decision, Refused):
        return decision
    return Refused(standing, standing.reason)
