"""What a report shows of a group beside its counts, as plain data. No row of any person is ever among it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupScores:
    """How the score works in one group. Described.

    Args:
        attribute: Sensitive feature.
        group: Group; ``unknown`` where the value is missing.
        n: People.
        in_need: Of them, in need.
        observed_expected: Need seen over need expected; None: the score is no probability.
        slope: Of the log-odds of need on the score's log-odds, 1 where it keeps its word; None: it does not exist.
        ece: Expected calibration error over tenths by score; None: the score is no probability.
        ece_by_chance: What it would be on average, were every probability true.
        auc_within: Chance that a person of the group in need has a higher score than one of the group who is not.
        auc_need_here: The same of a person in need of the group and one not in need elsewhere.
        auc_need_elsewhere: The same of a person in need elsewhere and one not in need of the group.
    """

    attribute: str
    group: str
    n: int
    in_need: int
    observed_expected: float | None
    slope: float | None
    ece: float | None
    ece_by_chance: float | None
    auc_within: float | None
    auc_need_here: float | None
    auc_need_elsewhere: float | None


@dataclass(frozen=True)
class GroupCapacity:
    """Whom of one group the score's own order would reach at one capacity. Described.

    Args:
        attribute: Sensitive feature.
        group: Group.
        capacity: Share of everybody selected, 0 to 1.
        selected: Share of the group selected.
        found: Of the group's people in need, the share selected; None: nobody is.
        precision: Of the group's people selected, the share in need; None: nobody is.
        false_alarms: Of the group's people not in need, the share selected; None: everybody is.
    """

    attribute: str
    group: str
    capacity: float
    selected: float
    found: float | None
    precision: float | None
    false_alarms: float | None


@dataclass(frozen=True)
class TradeRow:
    """Criteria that cannot all hold where need differs, for one group against everyone else.

    Args:
        attribute: Sensitive feature.
        group: Group.
        need: Share of it in need.
        rest_need: Share of everyone else in need.
        need_low: Lower end of the 90 % interval of their difference.
        need_high: Upper end.
        gaps: The group's rate less everyone else's: ``selection``, ``found``, ``false_alarms``, ``precision``, ``left_out``
            (need among those not selected); None where a rate does not exist.
        decided: Criteria on which the attribute's deciding lines are drawn; ``calibration`` may be among them.
        rest_false_alarms: Everyone else's rate of false alarms; None: it does not exist.
        tied_false_alarms: The rate that the group's would have to be, were it found as often and selected as precisely as
            everyone else: above 1 where no selection does both. None: a rate does not exist.
    """

    attribute: str
    group: str
    need: float
    rest_need: float
    need_low: float
    need_high: float
    gaps: dict[str, float | None]
    decided: tuple[str, ...]
    rest_false_alarms: float | None
    tied_false_alarms: float | None
