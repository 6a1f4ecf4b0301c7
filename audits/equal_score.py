"""Need at equal score: do people of one group with the same score have more need than others? Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from audits.counts import MIN_CLUSTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Bools = NDArray[np.bool_]

TENTHS: Final = 10
FEW: Final = 20
"""People of the group, and of everyone else, under which nothing is estimated. Source: `audits.rule.FEW`."""
RARE: Final = 5
"""People in need and not in need, on each side, under which a normal interval says too little (Cochran 1954's rule of five)."""

_LINE: Final = 1e-18
"""A tenth in which all scores are equal to the last bits has no line."""


class Scored(NamedTuple):
    """People who share a score, up to a straight line.

    Args:
        tenth: int64[n], tenth of the score; equal scores share one.
        within: float64[n], the score less its tenth's mean, in units of its largest distance.
    """

    tenth: Codes
    within: Floats


def tenths(score: Floats) -> Scored:
    """Cuts the scores into tenths.

    Args:
        score: float64[n].

    Returns:
        Each person's tenth and place in it.
    """
    edges = np.unique(np.quantile(score, np.arange(1, TENTHS) / TENTHS))
    tenth = np.searchsorted(edges, score, side="right").astype(np.int64)
    count = np.bincount(tenth)
    mean = np.bincount(tenth, weights=score) / np.maximum(count, 1)
    within = score - mean[tenth]
    return Scored(tenth, within / max(float(np.abs(within).max()), 1e-300))


def difference(
    need: Bools, members: Bools, known: Bools, scored: Scored, clusters: Codes | None
) -> tuple[float, float] | None:
    """Estimates the share in need of the group less everyone else's, among people of the same score.

    Least squares of need on the group, with a mean and a straight line in the score for each tenth. Without the lines it is the
    Mantel-Haenszel risk difference over tenths (Greenland and Robins 1985, Biometrics 41:55), whose weights are the least
    squares' own; the lines take away what score differences are left within a tenth.

    Args:
        need: In need by the measure, bool[n].
        members: Of the group, bool[n].
        known: For whom the measure is known, bool[n].
        scored: Tenths of everybody.
        clusters: Family of each person, int64[n]; None: independent people.

    Returns:
        The difference and its standard error (HC1, or by family: CR1, Liang and Zeger 1986); None where there are too few
        people or families to say.
    """
    sides = [known & members, known & ~members]
    if any(
        s.sum() < FEW or min((need & s).sum(), (~need & s).sum()) < RARE or _families(clusters, s) < MIN_CLUSTERS
        for s in sides
    ):  # fmt: skip
        return None
    tenth, x = scored.tenth[known], scored.within[known]
    g = _rest(members[known].astype(np.float64), tenth, x)
    y = _rest(need[known].astype(np.float64), tenth, x)
    size = float(g @ g)
    if size <= 1e-9 * len(g):
        return None
    slope = float(g @ y) / size
    pull: Floats = g * (y - slope * g)
    if clusters is not None:
        family = np.unique(clusters[known], return_inverse=True)[1]
        pull = np.asarray(np.bincount(family, weights=pull), dtype=np.float64)
    n, units, used = len(g), len(pull), 2 * len(np.unique(tenth)) + 1
    spare = (n - 1) / max(1, n - used) if clusters is not None else n / max(1, n - used)
    correction = spare * (units / max(1, units - 1) if clusters is not None else 1.0)
    error = math.sqrt(float((pull**2).sum()) * correction) / size
    return (slope, error) if error > 0 else None


def _families(clusters: Codes | None, rows: Bools) -> float:
    return math.inf if clusters is None else len(np.unique(clusters[rows]))


def _rest(v: Floats, tenth: Codes, x: Floats) -> Floats:
    """What each tenth's own straight line leaves of v."""
    count = np.maximum(np.bincount(tenth), 1)
    v = v - (np.bincount(tenth, weights=v) / count)[tenth]
    u = x - (np.bincount(tenth, weights=x) / count)[tenth]
    square = np.bincount(tenth, weights=u * u)
    line = np.divide(
        np.bincount(tenth, weights=u * v), square, out=np.zeros_like(square), where=square > _LINE
    )
    return v - line[tenth] * u
