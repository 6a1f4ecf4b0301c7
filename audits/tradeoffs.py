"""Which criteria cannot hold at once where need differs, which of them the lines decide on, and what the others became.

A group's rates are tied: FPR = p / (1 - p) * (1 - PPV) / PPV * TPR, with p its share in need (Chouldechova 2017; Kleinberg,
Mullainathan and Raghavan 2016). Two groups in unequal need that are found equally often and equally precisely are falsely
alarmed unequally often, unless nobody is ever wrong.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from audits import intervals, rule
from audits.finding import Role
from audits.group_facts import TradeRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from audits.lines import Line
    from audits.sections import GroupRow

CRITERIA: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "selection": ("selection_gap", "selection_ratio"),
        "found": ("tpr_gap", "fnr_gap", "other_need_tpr_gap"),
        "false_alarms": ("fpr_gap",),
        "precision": ("ppv_gap", "fdr_gap"),
        "left_out": ("for_gap",),
        "calibration": ("observed_expected", "calibration_slope"),
    }
)
"""A criterion, and the metrics of lines that decide on it."""


def rows(groups: Sequence[GroupRow], lines: Iterable[Line]) -> tuple[TradeRow, ...]:
    """Holds each group's rates beside everyone else's.

    Args:
        groups: Counts per group, as a report has them.
        lines: Written out.

    Returns:
        A row for each group with exact counts of all four cells and somebody to compare it with.
    """
    deciding: dict[str, set[str]] = {}
    for line in lines:
        if line.role is Role.DECIDES:
            deciding.setdefault(line.attribute, set()).add(line.metric)
    cells = {(g.attribute, g.group): c for g in groups if (c := _cells(g)) is not None}
    whole = {
        a
        for a in {g.attribute for g in groups}
        if all((g.attribute, g.group) in cells for g in groups if g.attribute == a)
    }
    out = []
    for (attribute, group), mine in cells.items():
        others = [c for (a, g), c in cells.items() if a == attribute and g != group]
        rest = tuple(sum(v) for v in zip(*others, strict=True)) if others else (0, 0, 0, 0)
        if attribute not in whole or not sum(mine) or not sum(rest):
            continue
        metrics = deciding.get(attribute, set())
        out.append(_row(attribute, group, mine, (rest[0], rest[1], rest[2], rest[3]), metrics))
    return tuple(out)


_Cells = tuple[int, int, int, int]


def _cells(g: GroupRow) -> _Cells | None:
    tp, fn, fp, tn = g.true_positives, g.false_negatives, g.false_positives, g.true_negatives
    if tp is None or fn is None or fp is None or tn is None or g.ranges:
        return None
    return tp, fn, fp, tn


def _row(attribute: str, group: str, mine: _Cells, rest: _Cells, metrics: set[str]) -> TradeRow:
    (tp, fn, _, _), (rtp, rfn, rfp, rtn) = mine, rest
    low, high = intervals.miettinen_nurminen_difference(tp + fn, sum(mine), rtp + rfn, sum(rest), rule.LEVEL)
    here, there = _rates(mine), _rates(rest)
    need = (tp + fn) / sum(mine)
    return TradeRow(
        attribute=attribute,
        group=group,
        need=need,
        rest_need=(rtp + rfn) / sum(rest),
        need_low=float(low),
        need_high=float(high),
        gaps={name: _less(here[name], there[name]) for name in here},
        decided=tuple(name for name, of in CRITERIA.items() if metrics & set(of)),
        rest_false_alarms=there["false_alarms"],
        tied_false_alarms=tied(need, there["found"], there["precision"]) if rfp + rtn else None,
    )


def tied(need: float, found: float | None, precision: float | None) -> float | None:
    """The rate of false alarms that goes with these rates.

    Args:
        need: Share in need, 0 to 1.
        found: True positive rate, 0 to 1.
        precision: Share of the selected in need, 0 to 1.

    Returns:
        The rate; above 1 where no selection has all three. None where a rate does not exist.
    """
    if found is None or not precision or need >= 1:
        return None
    return need / (1 - need) * (1 - precision) / precision * found


def _rates(cells: _Cells) -> dict[str, float | None]:
    tp, fn, fp, tn = cells
    return {
        "selection": _share(tp + fp, tp + fp + fn + tn),
        "found": _share(tp, tp + fn),
        "false_alarms": _share(fp, fp + tn),
        "precision": _share(tp, tp + fp),
        "left_out": _share(fn, fn + tn),
    }


def _share(hits: int, of: int) -> float | None:
    return hits / of if of else None


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
