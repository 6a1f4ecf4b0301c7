"""A finding in plain words, from its numbers alone. English; the one place where another language's sentences would go.

Words follow fairlearn's guide on how to talk about fairness: a line is met or not met; nothing is called fair.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from audits.finding import Direction, Leaning, Outcome, Role, Scale
from audits.lines import METRICS, RARE, region

if TYPE_CHECKING:
    from audits.finding import Finding, Ranges

NOTHING = "-"
"""Where there is no number."""

_OF_100 = 100
"""Fewer people than this are counted, not told as so many of 100, which would claim more than was seen."""

RATE_OF = {
    "tpr": ("people in need", "were found"),
    "ppv": ("people selected", "were in need"),
    "fpr": ("people not in need", "were selected all the same"),
    "fnr": ("people in need", "were missed"),
    "fdr": ("people selected", "were not in need"),
    "for": ("people not selected", "were in need"),
    "accuracy": ("people", "were rightly selected or rightly not"),
    "selection_rate": ("people", "were selected"),
}
"""Per rate: who is its denominator, and what makes a hit."""

METRIC_TITLE = {
    "tpr_gap": "Missed need",
    "ppv_gap": "Wasted contact",
    "fpr_gap": "False alarms",
    "fdr_gap": "Wrongly selected",
    "fnr_gap": "Share of need missed",
    "for_gap": "Wrongly left out",
    "accuracy_gap": "Right either way",
    "selection_gap": "Difference in selection",
    "selection_ratio": "Selected less often",
    "other_need_tpr_gap": "Missed need, by another measure",
    "observed_expected": "Need under-predicted",
    "calibration_slope": "What the score means",
    "levelling_down": "Missed need against the first version",
}
METRIC_QUESTION = {
    "tpr_gap": "Of the people in need, are as many found in this group as among everyone else?",
    "ppv_gap": "Of the people selected, are as many in need in this group as among everyone else?",
    "fpr_gap": "Of the people not in need, are as many selected in this group as among everyone else?",
    "fdr_gap": "Of the people selected, are as many selected without need in this group as among everyone else?",
    "fnr_gap": "Of the people in need, are as many missed in this group as among everyone else?",
    "for_gap": "Of the people not selected, are as many in need in this group as among everyone else?",
    "accuracy_gap": "Are decisions about this group right as often as about everyone else?",
    "selection_gap": "Is this group selected as often as everyone else?",
    "selection_ratio": "Is this group selected as often as everyone else, where its need is not lower?",
    "other_need_tpr_gap": "If need were measured differently, would as many be found in this group as among everyone else?",
    "observed_expected": "Is there more need in this group than the model expects?",
    "calibration_slope": "Within this group, does a higher score mean as much more need as it says?",
    "levelling_down": "Does this version miss more people in need of this group than the first version did?",
}


def percent(value: float | None, digits: int = 1) -> str:
    """Writes a share as a percentage.

    Args:
        value: 0 to 1, or None.
        digits: After the point.

    Returns:
        ``12.3%``, or `NOTHING` for None.
    """
    return NOTHING if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}%"


def amount(value: float | None, scale: Scale) -> str:
    """Writes an estimate or a bound: percentage points for a difference, times for a ratio.

    Args:
        value: On `scale`; None or infinite: not bounded.
        scale: Difference, ratio or value.

    Returns:
        ``-10.3 points``, ``0.81 times``, ``no bound``.
    """
    if value is None or not math.isfinite(value):
        return "no bound"
    if scale is Scale.DIFFERENCE:
        return f"{100 * value:+.1f} points"
    if scale is Scale.RATIO:
        return f"{value:.2f} times"
    return f"{value:.4g}"


def short(value: float | None, scale: Scale) -> str:
    """Writes an estimate or a bound for a table's cell.

    Args:
        value: On `scale`; None or infinite: not bounded.
        scale: Difference, ratio or value.

    Returns:
        ``-10.3 pp`` (percentage points), ``0.81 x`` (times).
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return (
        f"{100 * value:+.1f} pp"
        if scale is Scale.DIFFERENCE
        else f"{value:.2f} x"
        if scale is Scale.RATIO
        else f"{value:.4g}"
    )


def short_interval(low: float | None, high: float | None, scale: Scale) -> str:
    """Writes an interval for a table's cell.

    Args:
        low: Lower end.
        high: Upper end.
        scale: Of both.

    Returns:
        ``-15.0 to -3.1 pp``.
    """
    ends = short(low, scale), short(high, scale)
    return f"{ends[0] if NOTHING in ends else ends[0].split(' ')[0]} to {ends[1]}"


def interval(low: float | None, high: float | None, scale: Scale) -> str:
    """Writes an interval.

    Args:
        low: Lower end.
        high: Upper end.
        scale: Of both.

    Returns:
        ``-15.0 to -3.1 points``.
    """
    ends = amount(low, scale), amount(high, scale)
    if scale is not Scale.VALUE and "no bound" not in ends:
        return f"{ends[0].rsplit(' ', 1)[0]} to {ends[1]}"
    return f"{ends[0]} to {ends[1]}"


def chance(value: float) -> str:
    """Writes a chance as a percentage without decimals, and never as none at all.

    Args:
        value: In [0, 1].

    Returns:
        ``53%`` or ``under 1%``.
    """
    return "under 1%" if value < 0.01 else percent(value, 0)  # noqa: PLR2004  the least that is written


def allowed(finding: Finding) -> str:
    """Writes what the limit allows.

    Args:
        finding: A line's finding.

    Returns:
        ``at least -10.0 points``; "" if nothing is decided.
    """
    if finding.limit is None or finding.direction is None:
        return ""
    if finding.direction is Direction.AT_LEAST:
        return f"at least {amount(finding.limit, finding.scale)}"
    if finding.direction is Direction.AT_MOST:
        return f"at most {amount(finding.limit, finding.scale)}"
    ends = interval(*region(finding.direction, finding.limit, finding.scale), finding.scale)
    return f"between {ends.replace(' to ', ' and ')}"


def plain(f: Finding) -> str:
    """Says a line's finding in people out of a hundred, and how many people it is about.

    Args:
        f: A line's finding.

    Returns:
        One or two sentences; the message where there is nothing to count.
    """
    if f.counts is None or f.n == 0 or f.estimate is None or f.rate is None:
        return f.message
    if f.ranges is not None:
        return _possible(f, f.ranges)
    c = f.counts
    if f.metric == "observed_expected":
        if c.group_hits >= _OF_100:
            return f"For every 100 people of {who(f)} whom the model expects to be in need, {100 * f.estimate:.0f} are."
        expected = c.group_hits / f.estimate if f.estimate else 0.0
        return (
            f"In the group {who(f)}, {_people(c.group_hits)} were in need; the model expected {expected:.1f}."
        )
    if f.metric == "calibration_slope":
        how = "too far apart" if f.estimate < 1 else "too close together"
        apart = "" if f.outcome is Outcome.PASSED else f" Its scores lie {how}."
        return f"In the group {who(f)}, need grows {f.estimate:.2f} times as fast as the score says.{apart}"
    if f.rest_rate is None or (f.metric == "levelling_down" and f.outcome is Outcome.NOT_APPLICABLE):
        return f.message
    whole = min(c.group_of, c.rest_of) >= _OF_100
    base = 1000 if 0 < min(f.rate, f.rest_rate) < 0.02 else 100  # noqa: PLR2004  under 2 of 100 nothing is left to compare
    here = f"{base * f.rate:.0f} of every {base}" if whole else f"{c.group_hits} of {c.group_of}"
    there = f"{base * f.rest_rate:.0f}" if whole else percent(f.rest_rate, 0)
    share = "" if whole else f" ({percent(f.rate, 0)})"
    if f.metric == "levelling_down":
        more = c.group_hits - c.rest_hits
        change = f"{_people(abs(more))} {'more' if more > 0 else 'fewer'} missed" if more else "as many"
        return (
            f"In the group {who(f)}, this version misses {here} people in need{share}; "
            f"the first version missed {there}. That is {change}."
        )
    whose, verb = RATE_OF[METRICS[f.metric].rate]
    by = f" by {f.measure.replace('_', ' ')}" if f.measure else ""
    start = f"In the group {who(f)}, {here} {whose}{by} {verb}{share}; among everyone else, {there}."
    if f.outcome is Outcome.NOT_APPLICABLE and f.role is not Role.DESCRIBED:
        return f"{start} {_outcome(f)}"
    people = round((f.rest_rate - f.rate) * c.group_of)
    if people > 0 and METRICS[f.metric].rate == "tpr":
        return f"{start} At everyone else's rate, {_people(people)} more in need would have been found here."
    return start


def between(low: int, high: int) -> str:
    """Writes a count that may have been withheld or rounded.

    Args:
        low: Least it can be.
        high: Most it can be.

    Returns:
        ``805``, or ``0 to 4``.
    """
    return str(low) if low == high else f"{low} to {high}"


def group_name(group: str | None, attribute: str | None) -> str:
    """Names a group.

    Args:
        group: Group.
        attribute: Sensitive feature.

    Returns:
        ``lowest third (income group)``.
    """
    return f"{group} ({(attribute or '').replace('_', ' ')})"


def who(finding: Finding) -> str:
    """Names a finding's group.

    Args:
        finding: A line's finding.

    Returns:
        ``Black (race)``.
    """
    return group_name(finding.group, finding.attribute)


def title(finding: Finding) -> str:
    """Says what a line's finding is about, and whom.

    Args:
        finding: A line's finding.

    Returns:
        ``Missed need: Black (race)``.
    """
    by = f" ({finding.measure.replace('_', ' ')})" if finding.measure else ""
    return f"{METRIC_TITLE[finding.metric]}{by}: {who(finding)}"


def say(finding: Finding, note: str = "") -> str:
    """Says what a line's finding found.

    Args:
        finding: Its numbers; the message is not read.
        note: One more sentence.

    Returns:
        Two or three sentences.
    """
    return " ".join(part for part in (_numbers(finding), _outcome(finding), note) if part)


def _possible(f: Finding, r: Ranges) -> str:
    whose, verb = RATE_OF[METRICS[f.metric].rate]
    low, high = r.estimate
    what = "that" if f.scale is Scale.RATIO else "the difference"
    if low is None and high is None:
        can_be = "nothing can be said of how they compare"
    elif low == high:
        can_be = f"{what} is {amount(low, f.scale)} whatever they were"
    else:
        can_be = f"{what} can be anything from {interval(low, high, f.scale)}"
    return (
        f"In the group {who(f)}, {between(*r.group_hits)} of {between(*r.group_of)} {whose} {verb}; among everyone else, "
        f"{between(*r.rest_hits)} of {between(*r.rest_of)}. Some counts were withheld or rounded: {can_be}."
    )


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"


def _numbers(f: Finding) -> str:
    if f.counts is None or f.n == 0:
        return f"{who(f)}: nobody in these rows."
    c = f.counts
    if f.metric == "observed_expected":
        expected = c.group_hits / f.estimate if f.estimate else 0.0
        start = f"{who(f)}: {c.group_hits} people were in need where the model expected {expected:.1f}"
    elif f.metric == "calibration_slope":
        start = f"{who(f)}: among {c.group_of} people, {c.group_hits} in need, the slope of need on the score"
        if f.estimate is None:
            return f"{start} does not exist: one outcome, one score, or a score that separates the two."
    elif f.metric == "levelling_down":
        start = (
            f"{who(f)}: of {c.group_of} people in need, this version misses {c.group_hits} ({percent(f.rate)}) "
            f"and the first version missed {c.rest_hits} ({percent(f.rest_rate)})"
        )
    else:
        whose, verb = RATE_OF[METRICS[f.metric].rate]
        by = f", measured by {f.measure.replace('_', ' ')}" if f.measure else ""
        start = (
            f"{who(f)}{by}: of {c.group_of} {whose}, {c.group_hits} {verb} ({percent(f.rate)}); "
            f"of {c.rest_of} among everyone else, {c.rest_hits} ({percent(f.rest_rate)})"
        )
        if (r := f.ranges) is not None:
            start = (
                f"{who(f)}: of {between(*r.group_of)} {whose}, {between(*r.group_hits)} {verb}; of {between(*r.rest_of)} among "
                f"everyone else, {between(*r.rest_hits)}; in the middle of what is possible"
            )
    if f.estimate is None:
        return start + "."
    limit = f"; allowed: {allowed(f)}" if f.limit is not None else ""
    rare = ""
    if f.scale is Scale.RATIO and METRICS[f.metric].scale is Scale.DIFFERENCE:
        rare = f" A rate is under {RARE:.0%}, so the ratio decides, not the difference."
    return f"{start}: {amount(f.estimate, f.scale)} (90% interval {interval(f.low, f.high, f.scale)}{limit}).{rare}"


def _further(f: Finding) -> str:
    if not f.further:
        return ""
    rate = METRICS[f.metric].rate
    whose = (
        RATE_OF[rate][0]
        if rate
        else "expected events"
        if f.metric == "observed_expected"
        else "people in need"
    )
    return f" If the rates stay as they are, it would pass with {f.further:,} further {whose} of this group (everyone else growing alike)."


def _outcome(f: Finding) -> str:
    if f.role is Role.DESCRIBED:
        return "Described only: no limit is set."
    if f.too_few:
        return "Too few to judge: fewer than 20 people (or 30 families) in one of the two."
    if f.outcome is Outcome.PASSED:
        return "The whole interval is inside the limit."
    if f.outcome is Outcome.FAILED:
        return f"Outside the limit by the wider interval as well ({interval(f.adjusted_low, f.adjusted_high, f.scale)})."
    if f.outcome is Outcome.NOT_APPLICABLE:
        return "Does not apply: measured need is lower in this group."
    if f.leaning is Leaning.FOR:
        return "Not enough evidence; the estimate is inside the limit." + _further(f)
    if f.leaning is Leaning.AGAINST:
        return "Not enough evidence; the estimate is outside the limit."
    return "Not enough evidence."
