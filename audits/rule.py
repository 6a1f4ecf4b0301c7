"""The decision rule: an interval against a limit, and lines to a verdict. Pure.

A line **passes** if its 90 % interval lies inside the limit (two one-sided tests at 5 %; one 5 % bound for a one-sided line).
It **fails** if its interval at the Bonferroni level over its family (one-sided 5 %/m) lies wholly outside. Otherwise there is
**not enough evidence**, leaning for (estimate inside) or against. All deciding lines must pass (intersection-union, Berger
1982, so passing needs no correction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from audits import intervals
from audits.counts import MIN_CLUSTERS, Rate
from audits.finding import Direction, Finding, Leaning, Outcome, Role, Scale
from audits.lines import RARE, Line, limit_on, region
from audits.sections import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audits.calibration import Slope

LEVEL = 0.90
"""Two-sided level of the deciding interval: one-sided 5 % (TOST, Schuirmann 1987)."""
ERROR = 0.05
"""One-sided error that a family of lines shares when it fails."""
FEW = 20
"""A denominator under this is too few to judge. Source: issue 2 and 4; luvalla 2026."""
MISSING = 0.05
"""Above this share of missing sensitive values an attribute is at best not enough evidence. Source: issue 4, rule 2."""


@dataclass(frozen=True)
class Judgement:
    """A line, judged.

    Args:
        outcome: What it came to.
        leaning: With ``not_enough_evidence``, unless too few to judge.
        scale: Scale on which it was decided.
        limit: Limit on that scale; None if only described.
        estimate: nan if it does not exist.
        interval: At `LEVEL`.
        adjusted: At the Bonferroni level.
        adjusted_level: That level, two-sided.
        too_few: A denominator under `FEW`, or fewer than `MIN_CLUSTERS` clusters.
        further: Where it leans for: further events in the group's own denominator, everyone else growing alike, after which
            the line passes if the rates stay as they are (0: it is not events that are missing); None elsewhere.
    """

    outcome: Outcome
    leaning: Leaning | None
    scale: Scale
    limit: float | None
    estimate: float
    interval: tuple[float, float]
    adjusted: tuple[float, float]
    adjusted_level: float
    too_few: bool
    further: int | None = None


def adjusted_level(line: Line, family: int) -> float:
    """Two-sided level of the interval by which a line fails (Bonferroni).

    A true value inside the limits can be taken for one outside by one bound only, the one that faces the nearer limit, so a
    deciding line gets 5 %/m on that side. Two-sided screening lines are read as simultaneous intervals: 5 %/m on both.

    Args:
        line: Its role and direction.
        family: Lines of its role, at least 1.

    Returns:
        The level: .90 for a single deciding line, .95 for a single two-sided one that screens.
    """
    both = line.role is Role.SCREENS and line.direction is Direction.WITHIN
    return 1 - (1 if both else 2) * ERROR / max(1, family)


def judge_rates(line: Line, group: Rate, rest: Rate, family: int) -> Judgement:
    """Judges a line that compares two groups' rates.

    Args:
        line: The line.
        group: The group's rate.
        rest: Everyone else's.
        family: Lines of the same role, this one included.

    Returns:
        The judgement, before any condition of the line (`unless_need_is_lower`) and before missing values.
    """
    rare = line.role is not Role.DESCRIBED and min(group.value, rest.value) < RARE
    scale = Scale.RATIO if rare else line.scale
    level = adjusted_level(line, family)
    few = _few(group, rest)
    if not group.of or not rest.of:
        return _judge(line, _Measured(scale, math.nan, _NOTHING, _NOTHING, level, few=True))
    deciding = (
        intervals.miettinen_nurminen_ratio
        if scale is Scale.RATIO
        else intervals.miettinen_nurminen_difference
    )
    failing = intervals.newcombe_ratio if scale is Scale.RATIO else intervals.newcombe_difference
    (x1, n1), (x2, n2) = group.effective(LEVEL), rest.effective(LEVEL)
    inner = deciding(x1, n1, x2, n2, LEVEL)
    outer = failing(*group.effective(level), *rest.effective(level), level)
    if scale is Scale.DIFFERENCE:
        estimate = group.value - rest.value
    elif rest.hits:
        estimate = group.value / rest.value
    else:
        estimate = math.inf if group.hits else math.nan
    judged = _judge(line, _Measured(scale, estimate, _pair(inner), _pair(outer), level, few))
    return _with_further(
        line, judged, lambda k: _pair(deciding(k * x1, k * n1, k * x2, k * n2, LEVEL)), group.of
    )


def judge_expected(
    line: Line, observed: float, expected: float, effect: float, family: int, clusters: int | None = None
) -> Judgement:
    """Judges observed over expected events of one group.

    Args:
        line: The line.
        observed: Events seen.
        expected: Sum of the probabilities given.
        effect: Design effect of clusters, 1 for independent rows.
        family: Lines of the same role, this one included.
        clusters: Clusters among the group's people; None: rows independent.

    Returns:
        The judgement; the events that must not be too few are the expected ones, its denominator.
    """
    level = adjusted_level(line, family)
    if expected <= 0:
        return _judge(line, _Measured(Scale.RATIO, math.nan, _NOTHING, _NOTHING, level, few=True))
    seen, due = observed / effect, expected / effect
    inner = intervals.poisson_ratio(seen, due, LEVEL)
    outer = intervals.poisson_ratio(seen, due, level)
    few = expected < FEW or _few_clusters(clusters)
    judged = _judge(line, _Measured(Scale.RATIO, observed / expected, _pair(inner), _pair(outer), level, few))
    return _with_further(
        line, judged, lambda k: _pair(intervals.poisson_ratio(k * seen, k * due, LEVEL)), expected
    )


def judge_slope(line: Line, slope: Slope, events: int, family: int) -> Judgement:
    """Judges the slope of need on the score within one group.

    Args:
        line: The line.
        slope: As fitted.
        events: The fewer of people in need and not in need: its denominators.
        family: Lines of the same role, this one included.

    Returns:
        The judgement, by Wald's intervals.
    """
    level = adjusted_level(line, family)
    few = events < FEW or _few_clusters(slope.clusters)
    judged = _judge(
        line,
        _Measured(Scale.RATIO, slope.estimate, slope.interval(LEVEL), slope.interval(level), level, few),
    )
    return _with_further(
        line, judged, lambda k: replace(slope, error=slope.error / math.sqrt(k)).interval(LEVEL), events
    )


def judge_levelling(
    line: Line,
    people: tuple[float, float, float, float],
    effect: float,
    family: int,
    clusters: int | None = None,
) -> Judgement:
    """Judges missed need now against the first version, among the same people in need.

    Args:
        line: The line.
        people: Missed by both, by this version only, by the first only, by neither.
        effect: Design effect of clusters, 1 for independent rows.
        family: Lines of the same role, this one included.
        clusters: Clusters among these people; None: rows independent.

    Returns:
        The judgement of missed need now less missed need before: paired, since they are the same people.
    """
    level, n = adjusted_level(line, family), sum(people)
    if n == 0:
        return _judge(line, _Measured(Scale.DIFFERENCE, math.nan, _NOTHING, _NOTHING, level, few=True))
    a, b, c, d = (v / effect for v in people)
    inner = intervals.newcombe_paired(a, b, c, d, LEVEL)
    outer = intervals.newcombe_paired(a, b, c, d, level)
    estimate = (people[1] - people[2]) / n
    few = n < FEW or _few_clusters(clusters)
    judged = _judge(line, _Measured(Scale.DIFFERENCE, estimate, _pair(inner), _pair(outer), level, few))
    return _with_further(
        line, judged, lambda k: _pair(intervals.newcombe_paired(k * a, k * b, k * c, k * d, LEVEL)), n
    )


def condition(line: Line, judged: Judgement, group: Rate, rest: Rate) -> Judgement:
    """Applies ``unless_need_is_lower``: a group in less need may be selected less.

    Args:
        line: The line.
        judged: Its judgement so far.
        group: The group's rate of measured need.
        rest: Everyone else's.

    Returns:
        ``not_applicable`` where need is shown to be lower (one-sided 5 %); not worse than ``not_enough_evidence`` where it
        is lower by the estimate only; else unchanged.
    """
    if not line.unless_need_is_lower or judged.limit is None or not group.of or not rest.of:
        return judged
    need = intervals.miettinen_nurminen_difference(*group.effective(LEVEL), *rest.effective(LEVEL), LEVEL)
    if float(need.high) < 0:
        return replace(judged, outcome=Outcome.NOT_APPLICABLE, leaning=None)
    if judged.outcome is Outcome.FAILED and group.value < rest.value:
        return replace(judged, outcome=Outcome.NOT_ENOUGH_EVIDENCE, leaning=Leaning.AGAINST)
    return judged


def not_a_pass(judged: Judgement) -> Judgement:
    """Takes a pass back to not enough evidence, leaning for: too many sensitive values are missing.

    Args:
        judged: Any judgement.

    Returns:
        The same unless it passed.
    """
    if judged.outcome is not Outcome.PASSED:
        return judged
    return replace(judged, outcome=Outcome.NOT_ENOUGH_EVIDENCE, leaning=Leaning.FOR, further=0)


def verdict(findings: Sequence[Finding]) -> Verdict:
    """Brings the findings together.

    Args:
        findings: All of an audit. A finding that points to its pool is decided there.

    Returns:
        Passed only if every deciding finding that applies passed, at least one line among them did, and every check that
        decides or screens ran. Failed if a deciding or screening finding failed. Else not enough evidence.
    """
    count = [f for f in findings if f.role is not Role.DESCRIBED]
    failed = [f for f in count if f.outcome is Outcome.FAILED]
    if failed:
        return Verdict(Outcome.FAILED, None, tuple(f.code for f in failed))
    broken = [f for f in count if f.outcome is Outcome.COULD_NOT_RUN]
    decides = [f for f in count if f.role is Role.DECIDES and f.pool is None]
    deciding = [f for f in decides if f.outcome is not Outcome.NOT_APPLICABLE]
    short = [f for f in deciding if f.outcome is not Outcome.PASSED]
    lines = [f for f in deciding if f.line is not None]
    if lines and not short and not broken:
        return Verdict(Outcome.PASSED, None, tuple(f.code for f in deciding))
    leaning = None
    if any(f.leaning is Leaning.AGAINST for f in deciding):
        leaning = Leaning.AGAINST
    elif not broken and any(f.outcome is Outcome.PASSED or f.leaning is Leaning.FOR for f in lines):
        leaning = Leaning.FOR
    because = dict.fromkeys(f.code for f in (*broken, *short))
    return Verdict(Outcome.NOT_ENOUGH_EVIDENCE, leaning, tuple(because))


_MOST_TIMES = 2.0**24
"""No audit grows by more than this: the estimate then lies on the limit itself."""


def _with_further(
    line: Line, judged: Judgement, grown: Callable[[float], tuple[float, float]], of: float
) -> Judgement:
    """Adds how many further events would decide a line that leans for: the least growth whose interval is inside."""
    if judged.leaning is not Leaning.FOR or judged.limit is None:
        return judged
    lowest, highest = region(line.direction, judged.limit, judged.scale)

    def inside(times: float) -> bool:
        low, high = grown(times)
        return lowest <= low and high <= highest

    short, enough = 1.0, 2.0
    while not inside(enough):
        short, enough = enough, 2 * enough
        if enough > _MOST_TIMES:
            return judged
    while enough - short > 1e-4 * enough:
        middle = (short + enough) / 2
        short, enough = (short, middle) if inside(middle) else (middle, enough)
    return replace(judged, further=max(1, math.ceil((enough - 1) * of)))


def _few(*rates: Rate) -> bool:
    return any(r.of < FEW or _few_clusters(r.clusters) for r in rates)


def _few_clusters(clusters: int | None) -> bool:
    return clusters is not None and clusters < MIN_CLUSTERS


def _pair(interval: intervals.Interval) -> tuple[float, float]:
    return float(interval.low), float(interval.high)


class _Measured(NamedTuple):
    """What `_judge` holds against the limit: everything there is on one scale."""

    scale: Scale
    estimate: float
    interval: tuple[float, float]
    adjusted: tuple[float, float]
    adjusted_level: float
    few: bool


_NOTHING = (math.nan, math.nan)


def _judge(line: Line, m: _Measured) -> Judgement:
    limit = None if line.role is Role.DESCRIBED else limit_on(line, m.scale)
    leaning: Leaning | None = None
    if limit is None:
        outcome = Outcome.NOT_APPLICABLE
    elif m.few or math.isnan(m.estimate):
        outcome = Outcome.NOT_ENOUGH_EVIDENCE
    else:
        lowest, highest = region(line.direction, limit, m.scale)
        if lowest <= m.interval[0] and m.interval[1] <= highest:
            outcome = Outcome.PASSED
        elif m.adjusted[1] < lowest or m.adjusted[0] > highest:
            outcome = Outcome.FAILED
        else:
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
            leaning = Leaning.FOR if lowest <= m.estimate <= highest else Leaning.AGAINST
    return Judgement(
        outcome, leaning, m.scale, limit, m.estimate, m.interval, m.adjusted, m.adjusted_level, m.few
    )
