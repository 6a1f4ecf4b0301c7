"""A line judged on counts that were withheld or rounded: its intervals are unions over every whole table that fits.

The rule is the same: the union of the 90 % intervals inside the limit passes, the union of the adjusted ones wholly outside
fails. Where some tables would be decided on the ratio and others on the difference, nothing is decided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audits import completions, intervals, rule, wording
from audits.finding import Finding, Leaning, Outcome, Ranges, Role, Scale
from audits.lines import METRICS, RARE, Line, limit_on, region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.completions import Row

    Floats = NDArray[np.float64]

_MIXED = "Whether a rate is under 20% depends on counts that were withheld or rounded, so it is not known on which scale the line is decided."
_NEED_UNKNOWN = "The table holds no outcomes, so whether need is lower in this group is not known."


@dataclass(frozen=True)
class _Corners:
    """Hits and denominators of group and rest, one pair of fillings each: float[k]."""

    hits: Floats
    of: Floats
    rest_hits: Floats
    rest_of: Floats


def widen(found: Finding, line: Line, group: Row, rest: Row, missing: float) -> Finding:
    """Widens a finding that was made on the middle of what the counts can be.

    Args:
        found: As judged on the middle filling.
        line: Its line, about a comparison of two groups' rates.
        group: The group's counts.
        rest: Everyone else's.
        missing: Largest possible share of missing sensitive values.

    Returns:
        The same finding if all counts of the line are exact. Else its intervals hold those of every table that fits, and its
        outcome is one that every such table shares.
    """
    rate = METRICS[line.metric].rate
    need = line.unless_need_is_lower
    known = all(completions.published(row, "need") for row in (group, rest))
    spans = [s for row in (group, rest) for s in completions.parts(row, rate)]
    if need and known:
        spans += [s for row in (group, rest) for s in completions.parts(row, "need")]
    if all(s.exact for s in spans):
        return found if known or not need else _without_need(found)
    few = min(completions.parts(row, rate)[2].low for row in (group, rest)) < rule.FEW
    c = _pairs(group, rest, rate)
    p, q = _divide(c.hits, c.of), _divide(c.rest_hits, c.rest_of)
    rare = np.fmin(p, q) < RARE
    comparable = line.role is not Role.DESCRIBED and line.scale is not Scale.RATIO
    mixed = comparable and bool(rare.any()) and not bool(rare.all())
    scale = Scale.RATIO if line.role is not Role.DESCRIBED and bool(rare.any()) else line.scale
    estimates = _estimates(c, scale)
    low, high = _union(c, scale, rule.LEVEL, deciding=True)
    adjusted_low, adjusted_high = _union(c, scale, found.adjusted_level or rule.LEVEL, deciding=False)
    limit = _limit(found, line, scale)
    wide = replace(
        found,
        scale=scale,
        limit=limit,
        estimate=_finite(_middle(found, scale)),
        low=_finite(low),
        high=_finite(high),
        adjusted_low=_finite(adjusted_low),
        adjusted_high=_finite(adjusted_high),
        too_few=few,
        further=None,
        ranges=Ranges(
            _ends(c.hits), _ends(c.of), _ends(c.rest_hits), _ends(c.rest_of),
            (_finite(float(np.min(estimates))), _finite(float(np.max(estimates)))),
        ),
    )  # fmt: skip
    note = _MIXED if mixed else ""
    outcome, leaning = _decide(
        wide, line, (low, high), (adjusted_low, adjusted_high), estimates, undecidable=few or mixed
    )
    if outcome is Outcome.PASSED and missing > rule.MISSING:
        outcome, leaning = Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR
        note = f"{line.attribute} may be missing for over {rule.MISSING:.0%} of people, so this line cannot pass."
    if need and known and limit is not None:
        lower = _need(group, rest)
        if lower == "shown":
            outcome, leaning = Outcome.NOT_APPLICABLE, None
        elif lower == "possible" and outcome is Outcome.FAILED:
            outcome, leaning = Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST
    wide = replace(wide, outcome=outcome, leaning=leaning)
    wide = replace(wide, message=wording.say(wide, note))
    return wide if known or not need else _without_need(wide)


def _without_need(found: Finding) -> Finding:
    if found.outcome is not Outcome.FAILED:
        return found
    doubtful = replace(found, outcome=Outcome.NOT_ENOUGH_EVIDENCE, leaning=Leaning.AGAINST)
    return replace(doubtful, message=wording.say(doubtful, _NEED_UNKNOWN))


def _decide(
    found: Finding,
    line: Line,
    inner: tuple[float, float],
    outer: tuple[float, float],
    estimates: Floats,
    *,
    undecidable: bool,
) -> tuple[Outcome, Leaning | None]:
    if found.limit is None:
        return Outcome.NOT_APPLICABLE, None
    if undecidable or bool(np.isnan(estimates).any()):
        return Outcome.NOT_ENOUGH_EVIDENCE, None
    lowest, highest = region(line.direction, found.limit, found.scale)
    if lowest <= inner[0] and inner[1] <= highest:
        return Outcome.PASSED, None
    if outer[1] < lowest or outer[0] > highest:
        return Outcome.FAILED, None
    inside = bool(((estimates >= lowest) & (estimates <= highest)).all())
    return Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR if inside else Leaning.AGAINST


def _pairs(group: Row, rest: Row, rate: str) -> _Corners:
    mine, theirs = (np.array(completions.corners(row, rate), dtype=np.float64) for row in (group, rest))
    i, j = (v.ravel() for v in np.indices((len(mine), len(theirs))))
    return _Corners(mine[i, 0], mine[i].sum(axis=1), theirs[j, 0], theirs[j].sum(axis=1))


def _union(c: _Corners, scale: Scale, level: float, *, deciding: bool) -> tuple[float, float]:
    """Lowest and highest end over all pairs; all of the scale where a denominator can be empty."""
    if bool((c.of == 0).any() or (c.rest_of == 0).any()):
        return (0.0, math.inf) if scale is Scale.RATIO else (-1.0, 1.0)
    ratio = scale is Scale.RATIO
    if deciding:
        of = intervals.miettinen_nurminen_ratio if ratio else intervals.miettinen_nurminen_difference
    else:
        of = intervals.newcombe_ratio if ratio else intervals.newcombe_difference
    found = of(c.hits, c.of, c.rest_hits, c.rest_of, level)
    return float(np.min(found.low)), float(np.max(found.high))


def _need(group: Row, rest: Row) -> str:
    """``shown`` to be lower in every table, ``possible`` in some, ``no``."""
    c = _pairs(group, rest, "need")
    if bool((c.of == 0).any() or (c.rest_of == 0).any()):
        return "possible"
    high = intervals.miettinen_nurminen_difference(c.hits, c.of, c.rest_hits, c.rest_of, rule.LEVEL).high
    if bool((high < 0).all()):
        return "shown"
    return "possible" if bool((c.hits / c.of < c.rest_hits / c.rest_of).any()) else "no"


def _middle(found: Finding, scale: Scale) -> float:
    n = found.counts
    if n is None:
        return math.nan
    c = _Corners(*(np.array([float(v)]) for v in (n.group_hits, n.group_of, n.rest_hits, n.rest_of)))
    return float(_estimates(c, scale)[0])


def _estimates(c: _Corners, scale: Scale) -> Floats:
    p, q = _divide(c.hits, c.of), _divide(c.rest_hits, c.rest_of)
    if scale is Scale.DIFFERENCE:
        return p - q
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(p / q)


def _divide(a: Floats, b: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a / b)


def _limit(found: Finding, line: Line, scale: Scale) -> float | None:
    if line.role is Role.DESCRIBED or found.limit is None:
        return None
    return limit_on(line, scale)


def _ends(values: Floats) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
