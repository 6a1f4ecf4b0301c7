"""What people who did not consent can do to a line: bounds without an assumption, and weights with one. Pure.

Bounds: each of them may have been in the rate's denominator with or without the outcome (worst case; Manski 1989, Anatomy of the
selection problem, Journal of Human Resources 24:343). Weights: each group counts for its size, not for how many of it consented
(inverse probability of consent, missing at random within group; Little and Rubin 2019, Statistical Analysis with Missing Data, 3.3).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from audits import counts
from audits.consent_facts import ConsentLine
from audits.finding import Role, Scale
from audits.lines import METRICS, limit_on, region

if TYPE_CHECKING:
    from audits.check import AuditInput
    from audits.consent_facts import ConsentCounts
    from audits.lines import Line

_OTHER_TABLES = frozenset({"other_need_tpr_gap"})


def bounded(given: AuditInput, consents: ConsentCounts) -> tuple[ConsentLine, ...]:
    """Bounds and weights every deciding line that compares two rates of the audited table.

    Args:
        given: The audit's input.
        consents: Counts that cover its groups.

    Returns:
        A row per line, in the policy's order.
    """
    return tuple(
        _line(line, given, consents)
        for line in given.lines
        if line.role is Role.DECIDES and METRICS[line.metric].rate and line.metric not in _OTHER_TABLES
    )


def worst_case(hits: int, of: int, missing: int) -> tuple[float, float]:
    """Least and most that a rate can be when `missing` people are unknown.

    Args:
        hits: With the outcome, of those known.
        of: The rate's denominator, of those known.
        missing: People of whom nothing is known, not even whether they are in the denominator.

    Returns:
        Least and most: all of them in the denominator without, or with, the outcome. (0, 1) where nobody is known.

    Example:
        >>> worst_case(30, 40, 10)
        (0.6, 0.8)
    """
    if not of + missing:
        return 0.0, 1.0
    return hits / (of + missing), (hits + missing) / (of + missing)


def _line(line: Line, given: AuditInput, consents: ConsentCounts) -> ConsentLine:
    attribute = given.attributes[line.attribute]
    of, hit = counts.rate_rows(METRICS[line.metric].rate, given.y_true, given.y_pred)
    codes = attribute.codes
    if METRICS[line.metric].rate == "selection_rate" and given.unknown is not None:
        # Whom a model selects is known of everybody, their outcome need not be.
        codes = np.concatenate([codes, attribute.unknown_codes])
        hit = np.concatenate([hit, given.unknown.y_pred == 1])
        of = np.ones(len(codes), dtype=np.bool_)
    told = {c.group: c for c in consents.groups if c.attribute == line.attribute}
    hits, people, weighted_hits, weighted_people, missing = ([0.0, 0.0] for _ in range(5))
    possible = True
    for code, group in enumerate(attribute.groups):
        side = 0 if group == line.group else 1
        here = codes == code
        h, n = int((hit & here).sum()), int((of & here).sum())
        hits[side] += h
        people[side] += n
        times = told[group].people / told[group].given if told[group].given else 0.0
        weighted_hits[side] += h * times
        weighted_people[side] += n * times
    for group, count in told.items():
        side = 0 if group == line.group else 1
        missing[side] += count.people - count.given
        possible = possible and (count.given > 0 or count.people == 0)
    scale = Scale.RATIO if line.metric == "selection_ratio" else Scale.DIFFERENCE
    ends = [worst_case(int(h), int(n), int(m)) for h, n, m in zip(hits, people, missing, strict=True)]
    low, high = _gap(ends[0][0], ends[1][1], scale), _gap(ends[0][1], ends[1][0], scale)
    allowed = region(line.direction, limit_on(line, scale), scale)
    inside = allowed[0] <= low and high <= allowed[1]
    outside = high < allowed[0] or low > allowed[1]
    seen = _gap(_over(hits[0], people[0]), _over(hits[1], people[1]), scale)
    weighted = _gap(
        _over(weighted_hits[0], weighted_people[0]), _over(weighted_hits[1], weighted_people[1]), scale
    )
    return ConsentLine(
        line=line.id,
        seen=_finite(seen),
        weighted=_finite(weighted) if possible else None,
        low=_finite(low),
        high=_finite(high),
        verdict="inside" if inside else "outside" if outside else "open",
    )


def _over(hits: float, of: float) -> float:
    return hits / of if of else math.nan


def _gap(one: float, other: float, scale: Scale) -> float:
    if scale is Scale.DIFFERENCE:
        return one - other
    if not other:
        return math.inf if one else math.nan
    return one / other


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
