"""Who consented, as counts by group: what an audit is given, and what a report says of it. Never a row of anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConsentCount:
    """The people of one group by what they answered. They add up to the people of the group who may be counted.

    Args:
        attribute: Sensitive feature.
        group: Group; ``unknown`` where the value is missing.
        given: A consent stands that covers the audit.
        refused: Said no.
        withdrawn: Withdrew, or the consent was revoked.
        other: Not asked, not answered, expired, or for something else.
    """

    attribute: str
    group: str
    given: int
    refused: int
    withdrawn: int
    other: int

    @property
    def people(self) -> int:
        """Everyone counted in the group."""
        return self.given + self.refused + self.withdrawn + self.other


@dataclass(frozen=True)
class ConsentCounts:
    """The counts of one population.

    Args:
        groups: Every group of each attribute.
        basis: By what law they were counted; never empty.
        uncounted: People left out of the counts: they objected, or had the processing of their data restricted.
        simulated: Whether the consents are invented.
    """

    groups: tuple[ConsentCount, ...]
    basis: str
    uncounted: int = 0
    simulated: bool = False


@dataclass(frozen=True)
class ConsentShare:
    """How many of one group consented.

    Args:
        attribute: Sensitive feature.
        group: Group.
        people: People counted.
        given: Of them, with a consent.
        refused: Said no.
        withdrawn: Withdrew.
        other: The rest.
        share: Given over people; None: nobody.
        low: Lower end of its 95 % Wilson interval.
        high: Upper end.
    """

    attribute: str
    group: str
    people: int
    given: int
    refused: int
    withdrawn: int
    other: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ConsentLine:
    """What the people who did not consent can do to a deciding line.

    Args:
        line: The line's id.
        seen: Its estimate among those who consented, unadjusted.
        weighted: The same with every group weighted to its size, if those who consented are within each group like those who did
            not; None: nobody of some group consented.
        low: The least it can be, whatever those who did not consent are like (Manski 1989).
        high: The most.
        verdict: ``inside``: inside the limit whatever they are like; ``outside``: outside; ``open``: it depends on them.
    """

    line: str
    seen: float | None
    weighted: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True)
class ConsentFacts:
    """Consent by group and what it does to the deciding lines.

    Args:
        basis: By what law the counts were made.
        simulated: Whether the consents are invented.
        people: People counted.
        given: Of them, with a consent.
        uncounted: People left out of the counts.
        shares: By group.
        lines: Deciding lines that compare rates of the audited table.
    """

    basis: str
    simulated: bool
    people: int
    given: int
    uncounted: int
    shares: tuple[ConsentShare, ...]
    lines: tuple[ConsentLine, ...]
