"""From a policy's line and these people to a finding: which counts, which judgement, which note. No line is left out."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from audits import calibration, rule, unknown_outcomes, wording
from audits.counts import Rate, design_effect, rate, rate_rows
from audits.finding import Counts, Finding, Leaning, Outcome, Role
from audits.lines import METRICS, Line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.check import Attribute, AuditInput

    Bools = NDArray[np.bool_]

EQUAL_CAPACITY = 0.01
"""Two versions whose selected shares differ by more than this were not compared at equal capacity. Source: luvalla 2026."""


def judge(line: Line, attribute: Attribute, given: AuditInput, family: int) -> Finding:
    """Judges one line on these people.

    Args:
        line: The line, with its group.
        attribute: The sensitive feature it is about.
        given: The audit's input.
        family: Lines of the same role, this one included.

    Returns:
        The finding; ``could_not_run`` where the line's input is missing.
    """
    missing_input = _missing(line, given)
    if missing_input is not None:
        return draft(line, *missing_input)
    members = (
        attribute.codes == attribute.groups.index(line.group)
        if line.group in attribute.groups
        else attribute.codes < 0
    )
    if line.metric == "observed_expected":
        judged, numbers = _expected(line, members, given, family)
    elif line.metric == "calibration_slope":
        judged, numbers = _sloped(line, members, given, family)
    elif line.metric == "levelling_down":
        judged, numbers = _levelled(line, members, given, family)
    else:
        judged, numbers, members = _compared(line, attribute, given, family)
    judged, in_doubt = unknown_outcomes.held(line, attribute, given, family, judged)
    judged, note = with_missing(line, judged, attribute.missing)
    note = " ".join(part for part in (in_doubt, note) if part)
    if line.metric == "levelling_down" and not _equal_capacity(given) and judged.limit is not None:
        judged = replace(judged, outcome=Outcome.NOT_ENOUGH_EVIDENCE, leaning=judged.leaning)
        note = "The two versions do not select equally many people, so they cannot be compared at equal capacity."
    found = conclude(line, judged, int(members.sum()), numbers, note)
    if line.metric == "levelling_down" and given.baseline is not None and given.baseline.y_pred is None:
        return replace(
            found,
            message=f"{wording.who(found)}: this is the first version, there is nothing to level down from.",
        )
    return found


def draft(line: Line, outcome: Outcome, message: str) -> Finding:
    """Writes down a line of which nothing was counted.

    Args:
        line: The line.
        outcome: What came of it.
        message: Why.

    Returns:
        The finding.
    """
    return Finding(
        code=f"fairness.{line.id}",
        check="fairness",
        metric=line.metric,
        role=line.role,
        outcome=outcome,
        message=message,
        tool="luvalla",
        version=version("luvalla"),
        line=line.id,
        attribute=line.attribute,
        group=line.group,
        measure=line.measure,
        direction=line.direction,
        limit=line.limit if line.role is not Role.DESCRIBED else None,
        scale=line.scale,
        source=line.source,
        why=line.why,
    )


def conclude(line: Line, judged: rule.Judgement, n: int, numbers: dict[str, Any], note: str) -> Finding:
    """Writes down a judgement.

    Args:
        line: The line.
        judged: Its judgement.
        n: People of the group.
        numbers: Rates, counts, events and design effect, as `compare` gives them.
        note: One more sentence; "" if there is none.

    Returns:
        The finding, with its message.
    """
    found = replace(
        draft(line, judged.outcome, ""),
        leaning=judged.leaning if judged.outcome is Outcome.NOT_ENOUGH_EVIDENCE else None,
        scale=judged.scale,
        limit=judged.limit,
        estimate=_finite(judged.estimate),
        low=_finite(judged.interval[0]),
        high=_finite(judged.interval[1]),
        level=rule.LEVEL,
        adjusted_low=_finite(judged.adjusted[0]),
        adjusted_high=_finite(judged.adjusted[1]),
        adjusted_level=judged.adjusted_level,
        too_few=judged.too_few,
        further=judged.further if judged.leaning is Leaning.FOR else None,
        n=n,
        **numbers,
    )
    return replace(found, message=wording.say(found, note))


def with_missing(line: Line, judged: rule.Judgement, missing: float) -> tuple[rule.Judgement, str]:
    """Takes back a pass where too many sensitive values are missing.

    Args:
        line: The line.
        judged: Its judgement.
        missing: Share of people without a value, 0 to 1.

    Returns:
        The judgement that stands, and what to say of it.
    """
    if missing <= rule.MISSING or line.role is Role.DESCRIBED:
        return judged, ""
    note = f"{line.attribute} is missing for over {rule.MISSING:.0%} of people, so this line cannot pass."
    return rule.not_a_pass(judged), note


def compare(
    line: Line, rates: tuple[Rate, Rate], need: tuple[Rate, Rate] | None, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    """Judges a line on two groups' rates.

    Args:
        line: The line.
        rates: The group's, and everyone else's.
        need: Their rates of need, where the line asks for them; None: not known.
        family: Lines of the same role, this one included.

    Returns:
        The judgement, and the numbers behind it for `conclude`.
    """
    judged = rule.judge_rates(line, *rates, family)
    if line.unless_need_is_lower and need is not None:
        judged = rule.condition(line, judged, *need)
    clustered = [r.design_effect for r in rates if r.clusters is not None]
    return judged, _numbers(*rates, max(clustered) if clustered else None)


def _missing(line: Line, given: AuditInput) -> tuple[Outcome, str] | None:
    """Names the input without which a line cannot be judged; the line is never left out.

    What nobody said could not run; what the caller said there is none of does not apply, and the gate knows whether it may.
    """
    if line.metric == "levelling_down" and given.baseline is None:
        return Outcome.COULD_NOT_RUN, f"Line {line.id} compares with the first version, and none was given."
    if line.metric == "other_need_tpr_gap":
        if given.other_needs is None or (line.measure is not None and line.measure not in given.other_needs):
            what = line.measure or "any"
            return (
                Outcome.COULD_NOT_RUN,
                f"Line {line.id} is about another measure of need ({what}), and it was not given.",
            )
        if not given.other_needs:
            return (
                Outcome.NOT_APPLICABLE,
                "No other measure of need is held, so the declared one stands alone.",
            )
    if line.metric in {"observed_expected", "calibration_slope"}:
        s = given.y_score
        if s is None:
            return Outcome.COULD_NOT_RUN, f"Line {line.id} needs each person's score, and none was given."
        if bool((s < 0).any()) or bool((s > 1).any()):
            return (
                Outcome.NOT_APPLICABLE,
                "The score is no probability of need, so there is nothing to compare need with.",
            )
    return None


def events_share(line: Line, given: AuditInput) -> float:
    """Gives the share of people who are in a line's own denominator.

    Args:
        line: The line.
        given: The audit's input.

    Returns:
        0 to 1; 0 where the line has nothing to judge. For observed / expected: the mean probability.
    """
    first = given.baseline is not None and given.baseline.y_pred is None
    if _missing(line, given) is not None or (line.metric == "levelling_down" and first):
        return 0.0
    if line.metric == "observed_expected":
        return float(np.mean(np.asarray(given.y_score)))
    if line.metric == "levelling_down":
        return float(given.y_true.mean())
    if line.metric == "calibration_slope":
        return float(min(given.y_true.mean(), 1 - given.y_true.mean()))
    return float(rate_of(line, given)[0].mean())


def rate_of(line: Line, given: AuditInput) -> tuple[Bools, Bools]:
    """Marks the denominator and the hits of a line that compares two groups' rates.

    Args:
        line: The line.
        given: The audit's input.

    Returns:
        bool[n] each; bool[n + u] for a line on selection, which counts people whose outcome is unknown too.
    """
    need = (
        given.y_true if line.measure is None or given.other_needs is None else given.other_needs[line.measure]
    )
    if unknown_outcomes.counts_everybody(line) and given.unknown is not None:
        selected = np.concatenate([given.y_pred, given.unknown.y_pred])
        return rate_rows(METRICS[line.metric].rate, selected, selected)
    return rate_rows(METRICS[line.metric].rate, need, given.y_pred)


def _compared(
    line: Line, attribute: Attribute, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any], Bools]:
    of, hit = rate_of(line, given)
    rows = rate_rows("need", given.y_true, given.y_pred)
    _, codes, clusters = unknown_outcomes.rows(line, attribute, given)
    place = attribute.groups.index(line.group) if line.group in attribute.groups else -1
    counted, members = codes == place, attribute.codes == place
    group, rest = (rate(of, hit, who, clusters) for who in (counted, ~counted))
    need = (
        (rate(*rows, members, given.clusters), rate(*rows, ~members, given.clusters))
        if line.unless_need_is_lower
        else None
    )
    judged, numbers = compare(line, (group, rest), need, family)
    effect = None if given.clusters is None else max(group.design_effect, rest.design_effect)
    return judged, numbers | {"design_effect": effect}, counted


def _expected(
    line: Line, members: Bools, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    score = np.asarray(given.y_score)
    observed, due, n = int(given.y_true[members].sum()), float(score[members].sum()), int(members.sum())
    effect, clusters = 1.0, None
    if given.clusters is not None and n:
        effect, clusters = design_effect(given.y_true[members] - score[members], given.clusters[members])
    judged = rule.judge_expected(line, observed, due, effect, family, clusters)
    rest = ~members
    numbers = _numbers(Rate(observed, n), Rate(int(given.y_true[rest].sum()), int(rest.sum())), None)
    return judged, numbers | {"events": int(due), "design_effect": None if given.clusters is None else effect}


def _sloped(
    line: Line, members: Bools, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    score, rest = np.asarray(given.y_score), ~members
    clusters = None if given.clusters is None else given.clusters[members]
    slope = calibration.slope(given.y_true[members], score[members], clusters)
    observed, n = int(given.y_true[members].sum()), int(members.sum())
    events = min(observed, n - observed)
    judged = rule.judge_slope(line, slope, events, family)
    numbers = _numbers(Rate(observed, n), Rate(int(given.y_true[rest].sum()), int(rest.sum())), None)
    return judged, numbers | {"events": events}


def _changed(given: AuditInput, members: Bools) -> tuple[tuple[int, int, int, int], Bools]:
    need = members & (given.y_true == 1)
    before = (
        given.y_pred if given.baseline is None or given.baseline.y_pred is None else given.baseline.y_pred
    )
    missed, missed_before = given.y_pred[need] == 0, before[need] == 0
    cells = (
        missed & missed_before,
        missed & ~missed_before,
        ~missed & missed_before,
        ~missed & ~missed_before,
    )
    both, now, first, neither = (int(c.sum()) for c in cells)
    return (both, now, first, neither), need


def _levelled(
    line: Line, members: Bools, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    people, need = _changed(given, members)
    both, now, first, _ = people
    effect, clusters = 1.0, None
    if given.clusters is not None and need.any():
        clusters = len(np.unique(given.clusters[need]))
        before = (
            given.y_pred if given.baseline is None or given.baseline.y_pred is None else given.baseline.y_pred
        )
        moved = before[need].astype(np.float64) - given.y_pred[need]
        effect = design_effect(moved, given.clusters[need])[0] if moved.any() else 1.0
    judged = rule.judge_levelling(line, people, effect, family, clusters)
    if given.baseline is not None and given.baseline.y_pred is None:
        judged = replace(judged, outcome=Outcome.NOT_APPLICABLE, leaning=None)
    n = sum(people)
    numbers = _numbers(Rate(both + now, n), Rate(both + first, n), None if given.clusters is None else effect)
    return judged, numbers


def _numbers(group: Rate, rest: Rate, effect: float | None) -> dict[str, Any]:
    return {
        "rate": _finite(group.value),
        "rest_rate": _finite(rest.value),
        "counts": Counts(group.hits, group.of, rest.hits, rest.of),
        "events": min(group.of, rest.of),
        "design_effect": effect,
    }


def _equal_capacity(given: AuditInput) -> bool:
    if given.baseline is None or given.baseline.y_pred is None:
        return True
    return abs(float(given.y_pred.mean()) - float(given.baseline.y_pred.mean())) <= EQUAL_CAPACITY


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
