"""What a report says of the measures of need, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MeasureFacts:
    """One measure of need.

    Args:
        name: Its name.
        description: In plain words; "" where none was given.
        declared: Whether it is the declared one.
        known: People for whom it is known.
        in_need: Of them, in need by it.
    """

    name: str
    description: str
    declared: bool
    known: int
    in_need: int


@dataclass(frozen=True)
class Gap:
    """The group less everyone else, in shares of people: above 0, the group is worse off.

    Args:
        estimate: None where there are too few people to say.
        low: Lower end of the 90 % interval.
        high: Upper end.
        wide_low: Lower end of the interval that holds for all gaps of the section together.
        wide_high: Upper end.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    wide_low: float | None = None
    wide_high: float | None = None


@dataclass(frozen=True)
class LabelRow:
    """One group by one measure.

    Args:
        measure: The measure's name.
        attribute: Sensitive feature.
        group: Group, compared with everyone else.
        n: People of the group for whom the measure is known.
        in_need: Of them, in need by it.
        missed: Of those in need, not selected.
        need: Share in need, against everyone else's.
        missed_need: Share of those in need who are missed, against everyone else's.
        equal_score: Share in need among people of the same score, against everyone else's.
    """

    measure: str
    attribute: str
    group: str
    n: int
    in_need: int
    missed: int
    need: Gap
    missed_need: Gap
    equal_score: Gap


@dataclass(frozen=True)
class LabelFacts:
    """The measures of need, and what each says of each group.

    Args:
        declared: Name of the declared measure.
        reason: Why that one was declared; "" where no reason was given.
        measures: All that are held, the declared one first.
        rows: By attribute, group and measure.
        level: Of the intervals shown, .90.
        wide_level: Of those that hold for all gaps together.
    """

    declared: str
    reason: str
    measures: tuple[MeasureFacts, ...]
    rows: tuple[LabelRow, ...]
    level: float
    wide_level: float
