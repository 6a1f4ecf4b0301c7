"""Could this audit have said yes? The chance that a model alike in every group would have passed with these many people.

Lines that compare two versions have no such chance: they are not about groups being alike, and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from audits import intervals
from audits.finding import Scale
from audits.lines import RARE, Line, limit_on, region
from audits.rule import ERROR, LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.finding import Finding

    Bools = NDArray[np.bool_]

DRAWS = 2000
"""A chance of one half is then known to within .02."""


@dataclass(frozen=True)
class Family:
    """Lines that share a metric and an attribute, and so the same draws.

    Args:
        denominators: Effective people per group of the attribute, float[G].
        rate: Rate of everybody together.
        lines: Line and its group's index.
    """

    denominators: NDArray[np.float64]
    rate: float
    lines: tuple[tuple[Line, int], ...]


def rates(family: Family, rng: np.random.Generator) -> Bools:
    """Draws audits of an equal model: every group has the rate of everybody.

    Args:
        family: Its lines and people.
        rng: Chance.

    Returns:
        bool[DRAWS, lines]: would the line have passed.
    """
    people = np.rint(family.denominators).astype(np.int64)
    hits = rng.binomial(people, family.rate, size=(DRAWS, len(people)))
    return np.stack([_passes(line, hits, people, g) for line, g in family.lines], axis=1)


def expected(line: Line, due: float, rng: np.random.Generator) -> Bools:
    """Draws observed events where the model expects exactly as many.

    Args:
        line: A line on observed / expected.
        due: Effective expected events.
        rng: Chance.

    Returns:
        bool[DRAWS].
    """
    seen = rng.poisson(due, size=DRAWS)
    low, high = intervals.poisson_ratio(seen, due, LEVEL)
    return _inside(line, Scale.RATIO, low, high)


def slope(line: Line, found: Finding, rng: np.random.Generator) -> Bools:
    """Draws slopes where the score keeps its word in the group.

    Args:
        line: A line on the slope.
        found: Its finding: the width of its interval is the draws'.
        rng: Chance.

    Returns:
        bool[DRAWS]; never where the slope does not exist.
    """
    if found.low is None or found.high is None:
        return np.zeros(DRAWS, dtype=np.bool_)
    half = (found.high - found.low) / 2
    seen = rng.normal(1.0, half / float(stats.norm.ppf((1 + LEVEL) / 2)), size=DRAWS)
    return _inside(line, Scale.RATIO, seen - half, seen + half)


def _inside(line: Line, scale: Scale, low: NDArray[np.float64], high: NDArray[np.float64]) -> Bools:
    lowest, highest = region(line.direction, limit_on(line, scale), scale)
    return np.asarray((low >= lowest) & (high <= highest))


def _passes(line: Line, hits: NDArray[np.int64], people: NDArray[np.int64], g: int) -> Bools:
    """Passing by the score test at the limit: the same as the interval inside the limit, without looking for its ends."""
    x1, n1 = hits[:, g].astype(np.float64), float(people[g])
    x2, n2 = hits.sum(axis=1) - x1, float(people.sum() - people[g])
    if n1 < 1 or n2 < 1:
        return np.zeros(len(hits), dtype=np.bool_)
    z = float(stats.norm.ppf(1 - ERROR))

    def inside(scale: Scale) -> Bools:
        score = intervals.ratio_score if scale is Scale.RATIO else intervals.difference_score
        lowest, highest = region(line.direction, limit_on(line, scale), scale)
        ok = x2 > 0 if scale is Scale.RATIO else np.ones(len(hits), dtype=np.bool_)
        if np.isfinite(lowest):
            ok = ok & (score(x1, n1, x2, n2, lowest) >= z)
        if np.isfinite(highest):
            ok = ok & (score(x1, n1, x2, n2, highest) <= -z)
        return np.asarray(ok)

    if line.scale is Scale.RATIO:
        return inside(Scale.RATIO)
    rare = np.minimum(x1 / n1, x2 / n2) < RARE
    return np.where(rare, inside(Scale.RATIO), inside(Scale.DIFFERENCE))
