"""Areas under the ROC curve with DeLong's variance, for dependent rows as well, and their differences between groups. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class Area(NamedTuple):
    """An area and what each row adds to its error.

    Args:
        value: Share of pairs in which the person in need has the higher score; ties count half. nan without both outcomes.
        influence: float[n]: each row's part of the error, by DeLong's placement values; they sum to 0.
    """

    value: float
    influence: Floats


def area(y_true: ArrayLike, y_score: ArrayLike) -> Area:
    """Gives the area (DeLong, DeLong and Clarke-Pearson 1988).

    Args:
        y_true: 0 or 1, [n].
        y_score: float[n].

    Returns:
        The area and the rows' influence.
    """
    y, s = np.asarray(y_true) == 1, np.asarray(y_score, dtype=np.float64)
    m, n = int(y.sum()), int((~y).sum())
    influence = np.zeros(len(y))
    if not m or not n:
        return Area(float("nan"), influence)
    everyone = stats.rankdata(s)
    v10 = (everyone[y] - stats.rankdata(s[y])) / n
    v01 = 1 - (everyone[~y] - stats.rankdata(s[~y])) / m
    value = float(v10.mean())
    # One degree of freedom of each class goes to its mean, as in DeLong's own variance.
    influence[y] = (v10 - value) / np.sqrt(m * max(1, m - 1))
    influence[~y] = (v01 - value) / np.sqrt(n * max(1, n - 1))
    return Area(value, influence)


def error(influence: Floats, clusters: NDArray[np.int64] | None) -> float:
    """Gives the standard error of a sum of influences.

    Args:
        influence: float[n].
        clusters: Cluster of each row (a family), int[n]; None: rows are independent, and the error is DeLong's.

    Returns:
        The error: linearised, with clusters as the units (as Obuchowski 1997 has it for areas).
    """
    if clusters is None:
        return float(np.sqrt((influence**2).sum()))
    codes = np.unique(clusters, return_inverse=True)[1]
    sums = np.bincount(codes, weights=influence)
    return float(np.sqrt((sums**2).sum() * len(sums) / max(1, len(sums) - 1)))


def interval(
    found: Area, level: float, clusters: NDArray[np.int64] | None = None
) -> tuple[float, float, float]:
    """Gives an area and its interval, on the logit scale so that it stays within 0 and 1.

    Args:
        found: Area.
        level: Two-sided, in (0, 1).
        clusters: As in `error`.

    Returns:
        Area, lower and upper end. At an area of 0 or 1 the interval is the point: there is nothing to estimate it from.
    """
    value, spread = found.value, error(found.influence, clusters)
    if not 0 < value < 1 or spread == 0:
        return value, value, value
    centre, half = (
        np.log(value / (1 - value)),
        stats.norm.ppf((1 + level) / 2) * spread / (value * (1 - value)),
    )
    low, high = (float(1 / (1 + np.exp(-(centre + sign * half)))) for sign in (-1, 1))
    return value, low, high


def difference(
    one: Area, other: Area, level: float, clusters: NDArray[np.int64] | None = None
) -> tuple[float, float, float]:
    """Gives the difference of two areas of different people among the same rows.

    Args:
        one: Area with influence on all rows, 0 for people who are not in it.
        other: The same.
        level: Two-sided, in (0, 1).
        clusters: As in `error`; a family on both sides counts once.

    Returns:
        Difference, lower and upper end, within -1 and 1.
    """
    d = one.value - other.value
    half = float(stats.norm.ppf((1 + level) / 2)) * error(one.influence - other.influence, clusters)
    return d, max(-1.0, d - half), min(1.0, d + half)


def among(rows: NDArray[np.bool_], y_true: NDArray[np.int8], y_score: Floats) -> Area:
    """Gives the area among some people, with influence on all rows.

    Args:
        rows: Whom to take, bool[n].
        y_true: 0 or 1, [n].
        y_score: float[n].

    Returns:
        The area; influence 0 for everybody else.
    """
    found = area(y_true[rows], y_score[rows])
    influence = np.zeros(len(rows))
    influence[rows] = found.influence
    return Area(found.value, influence)
