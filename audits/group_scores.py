"""How a score orders people within and between groups, and whom it would reach at other capacities. Described, never decided.

Estimates only. DeLong's intervals of the areas within groups are `audits.performance.within_groups`; areas between groups have
none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from audits import calibration
from audits.group_facts import GroupCapacity, GroupScores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from audits.check import Attribute

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]


def area(positive: Floats, negative: Floats) -> float | None:
    """Chance that the first of a random pair has the higher score, ties by half (Hanley and McNeil 1982).

    Args:
        positive: Scores, [m].
        negative: Scores, [n].

    Returns:
        0 to 1; None where either is empty.
    """
    m, n = len(positive), len(negative)
    if not m or not n:
        return None
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def scores(
    attributes: Mapping[str, Attribute], y_true: NDArray[np.int8], y_score: Floats, *, probability: bool
) -> tuple[GroupScores, ...]:
    """Describes the score in each group.

    Args:
        attributes: Sensitive features.
        y_true: 0 or 1, [n].
        y_score: Score, [n].
        probability: It is a probability of need: calibration applies.

    Returns:
        A row for each group that has people.
    """
    need = y_true == 1
    rows = []
    for a in attributes.values():
        for g, group in enumerate(a.groups):
            here = a.codes == g
            n = int(here.sum())
            if not n:
                continue
            error, steep = None, None
            due = float(y_score[here].sum())
            if probability:
                error = calibration.calibration_error(y_true[here], y_score[here])
                steep = calibration.slope(y_true[here], y_score[here]).estimate
            rows.append(
                GroupScores(
                    attribute=a.name,
                    group=group,
                    n=n,
                    in_need=int(need[here].sum()),
                    observed_expected=float(need[here].sum() / due) if probability and due > 0 else None,
                    slope=None if steep is None or not np.isfinite(steep) else steep,
                    ece=None if error is None else error.observed,
                    ece_by_chance=None if error is None else error.by_chance,
                    auc_within=area(y_score[here & need], y_score[here & ~need]),
                    auc_need_here=area(y_score[here & need], y_score[~here & ~need]),
                    auc_need_elsewhere=area(y_score[~here & need], y_score[here & ~need]),
                )
            )
    return tuple(rows)


def capacities(
    attributes: Mapping[str, Attribute], y_true: NDArray[np.int8], y_score: Floats, shares: tuple[float, ...]
) -> tuple[GroupCapacity, ...]:
    """Tells whom the score's own order would reach at other capacities.

    Args:
        attributes: Sensitive features.
        y_true: 0 or 1, [n].
        y_score: Score, [n].
        shares: Capacities, 0 to 1.

    Returns:
        A row for each group that has people and each capacity that selects somebody; people with equal scores share the last
        places evenly.
    """
    n, need = len(y_true), y_true == 1
    values, inverse = np.unique(-y_score, return_inverse=True)
    people = np.bincount(inverse, minlength=len(values))
    before = np.concatenate([[0], people.cumsum()[:-1]])
    rows = []
    for a in attributes.values():
        size = np.bincount(a.codes, minlength=len(a.groups))
        needy = np.bincount(a.codes[need], minlength=len(a.groups))
        for share in shares:
            places = round(share * n)
            if places < 1:
                continue
            chance = np.clip((places - before) / people, 0, 1)[inverse]
            selected = np.bincount(a.codes, weights=chance, minlength=len(a.groups))
            found = np.bincount(a.codes[need], weights=chance[need], minlength=len(a.groups))
            rows += [
                GroupCapacity(
                    attribute=a.name,
                    group=group,
                    capacity=share,
                    selected=float(selected[g] / size[g]),
                    found=float(found[g] / needy[g]) if needy[g] else None,
                    precision=float(found[g] / selected[g]) if selected[g] > 0 else None,
                    false_alarms=(
                        float((selected[g] - found[g]) / (size[g] - needy[g])) if size[g] > needy[g] else None
                    ),
                )
                for g, group in enumerate(a.groups)
                if size[g]
            ]
    return tuple(rows)
