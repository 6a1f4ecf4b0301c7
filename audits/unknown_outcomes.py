"""People whose outcome is unknown: what is decided on the others must hold whatever, within reason, theirs was.

Selection needs no outcome: those lines count everybody. All others are judged on the known rows, and once more with the
unknown people let in, each in need with a probability: their odds at half, at once and at twice what the score says. Where no
score is a probability, the two worst cases stand in: everybody selected not in need and everybody else in need, and the
reverse. A line that comes to something else is not enough evidence (issue 4, rule 6). What is let in is no evidence: it moves
the rates, and the number of people behind them stays that of the known rows.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np

from audits import calibration, rule, wording
from audits.counts import Rate, design_effect, rate, rate_rows
from audits.finding import Finding, Leaning, Outcome, Role, Scale
from audits.lines import METRICS, Line
from audits.unknown_facts import UnknownFacts, UnknownLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from audits.check import Attribute, AuditInput

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

ODDS: Final = (0.5, 1.0, 2.0)
"""Times the predicted odds at which a verdict must hold. Source: issue 4, rule 6."""
_WORST = (False, True)
"""Whether it is the selected, of the people whose outcome is unknown, who are in need."""


def counts_everybody(line: Line) -> bool:
    """Whether a line is about selection alone, and so counts people whose outcome is unknown too.

    Args:
        line: The line.
    """
    return METRICS[line.metric].rate == "selection_rate"


def rows(
    line: Line, attribute: Attribute, given: AuditInput
) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64] | None]:
    """Gives the selections, group codes and clusters of the people whom a line counts.

    Args:
        line: The line.
        attribute: The sensitive feature that it is about.
        given: The audit's input.

    Returns:
        y_pred, codes and clusters, [n] each; [n + u] for a line that counts everybody.
    """
    u = given.unknown
    if u is None or attribute.unknown_codes is None or not counts_everybody(line):
        return given.y_pred, attribute.codes, given.clusters
    clusters = None
    if given.clusters is not None and u.clusters is not None:
        clusters = np.concatenate([given.clusters, u.clusters])
    return (
        np.concatenate([given.y_pred, u.y_pred]),
        np.concatenate([attribute.codes, attribute.unknown_codes]),
        clusters,
    )


def bears_on(line: Line) -> bool:
    """Whether the declared outcome bears on a line: not on selection alone, nor on another measure of need.

    Args:
        line: The line.
    """
    return line.measure is None and (not counts_everybody(line) or line.unless_need_is_lower)


def held(
    line: Line, attribute: Attribute, given: AuditInput, family: int, judged: rule.Judgement
) -> tuple[rule.Judgement, str]:
    """Takes a judgement back to not enough evidence where it does not hold with the unknown outcomes let in.

    Args:
        line: The line, which could run.
        attribute: The sensitive feature that it is about.
        given: The audit's input.
        family: Lines of the same role.
        judged: On the known rows.

    Returns:
        The judgement that stands, and what to say of it.
    """
    if given.unknown is None or judged.limit is None or judged.too_few or not bears_on(line):
        return judged, ""
    if judged.outcome is Outcome.NOT_APPLICABLE and not line.unless_need_is_lower:
        return judged, ""
    others = [_judge(line, attribute, given, family, need) for need in cases(given)]
    if all((o.outcome, o.leaning) == (judged.outcome, judged.leaning) for o in others):
        return judged, ""
    against = any(Outcome.FAILED is o.outcome or o.leaning is Leaning.AGAINST for o in (judged, *others))
    further = judged.further if judged.outcome is Outcome.NOT_ENOUGH_EVIDENCE else 0
    doubtful = replace(
        judged,
        outcome=Outcome.NOT_ENOUGH_EVIDENCE,
        leaning=Leaning.AGAINST if against else Leaning.FOR,
        further=None if against else further,
    )
    return doubtful, (
        f"The outcome of {len(given.unknown.y_pred):,} people is unknown, and what the line comes to depends on it."
    )


def cases(given: AuditInput) -> list[Floats]:
    """Gives the unknown people's probabilities of need, case by case.

    Args:
        given: The audit's input.

    Returns:
        float64[u] each: by the score's odds, times `ODDS`; where it is no probability, the two worst cases. None at all where
        every outcome is known.
    """
    u = given.unknown
    if u is None:
        return []
    if u.y_score is not None and _predicted(given):
        return [times * u.y_score / (1 - u.y_score + times * u.y_score) for times in ODDS]
    return [((u.y_pred == 1) == selected).astype(np.float64) for selected in _WORST]


def tell(
    given: AuditInput, judged: Sequence[tuple[Line, Attribute, Finding]], families: Mapping[Role, int]
) -> tuple[UnknownFacts | None, tuple[Finding, ...]]:
    """Writes the section on unknown outcomes, and a finding for each line that changes.

    Args:
        given: The audit's input.
        judged: Lines, pooled ones among them, with what came of them.
        families: Number of lines of each role.

    Returns:
        The facts, None where every outcome is known; and the findings, which describe.
    """
    u = given.unknown
    if u is None:
        return None, ()
    told, findings = [], []
    for line, attribute, found in judged:
        nothing = line.metric == "levelling_down" and found.outcome is Outcome.NOT_APPLICABLE
        if not bears_on(line) or found.outcome is Outcome.COULD_NOT_RUN or nothing:
            continue
        one = _line(line, attribute, given, families[line.role])
        told.append(one)
        if one.changes:
            findings.append(_finding(one, found, len(u.y_pred)))
    facts = UnknownFacts(
        people=len(given.y_true) + len(u.y_pred),
        unknown=len(u.y_pred),
        selected_unknown=int(u.y_pred.sum()),
        selected_known=int(given.y_pred.sum()),
        by_probability=_predicted(given),
        lines=tuple(told),
    )
    return facts, tuple(findings)


def unknowns(facts: UnknownFacts | None) -> tuple[str, ...]:
    """Says how many outcomes are unknown, and what was done about it.

    Args:
        facts: As `tell` gives them.

    Returns:
        A sentence, or nothing.
    """
    if facts is None:
        return ()
    known = facts.people - facts.unknown
    how = (
        "with their odds of need at half, at once and at twice what the score says"
        if facts.by_probability
        else "in the two worst cases, since the score is no probability of need"
    )
    told = (
        f"Whether {facts.unknown:,} of {facts.people:,} people are in need is unknown, and hardly at random: "
        f"{facts.selected_unknown / facts.unknown:.0%} of them are selected, against {facts.selected_known / known:.0%} of the "
        f"others. Lines on selection count them; every other line must hold {how}."
    )
    return (told,)


def _line(line: Line, attribute: Attribute, given: AuditInput, family: int) -> UnknownLine:
    known = _judge(line, attribute, given, family, None)
    after, _ = held(line, attribute, given, family, known)

    def estimate(need: Floats) -> float | None:
        if METRICS[line.metric].rate:
            group, rest = _rates(METRICS[line.metric].rate, attribute, line, given, need)
            value = group.value - rest.value if known.scale is Scale.DIFFERENCE else _ratio(group, rest)
        else:
            value = _judge(line, attribute, given, family, need).estimate
        return value if math.isfinite(value) else None

    by_odds = [estimate(need) for need in cases(given)] if _predicted(given) else [None] * len(ODDS)
    ends = [e for need in _extremes(line, attribute, given) if (e := estimate(need)) is not None]
    return UnknownLine(
        line.id,
        known.scale,
        known.estimate if math.isfinite(known.estimate) else None,
        half=by_odds[0],
        equal=by_odds[1],
        twice=by_odds[2],
        low=min(ends, default=None),
        high=max(ends, default=None),
        before=known.outcome,
        changes=(after.outcome, after.leaning) != (known.outcome, known.leaning),
    )


def _finding(one: UnknownLine, found: Finding, people: int) -> Finding:
    was = one.before.value.replace("_", " ")
    return Finding(
        code=f"fairness.unknown_outcomes:{one.line}",
        check="fairness",
        metric="unknown_outcomes",
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=(
            f"{wording.METRIC_TITLE[found.metric]}, {wording.who(found)}: {was} on the people whose outcome is known; with the "
            f"{people:,} whose outcome is unknown let in it need not be, so it is not enough evidence. In the worst cases the "
            f"estimate lies between {wording.short(one.low, one.scale)} and {wording.short(one.high, one.scale)}."
        ),
        tool="luvalla",
        version=version("luvalla"),
        attribute=found.attribute,
        group=found.group,
        scale=one.scale,
        estimate=one.known,
        low=one.low,
        high=one.high,
    )


def _predicted(given: AuditInput) -> bool:
    """Whether the score is a probability of need, for those with an unknown outcome too."""
    scores = [given.y_score, None if given.unknown is None else given.unknown.y_score]
    return all(s is not None and bool((s >= 0).all() and (s <= 1).all()) for s in scores)


def _ratio(group: Rate, rest: Rate) -> float:
    return group.value / rest.value if rest.value else math.nan


def _extremes(line: Line, attribute: Attribute, given: AuditInput) -> list[Floats]:
    """The unknown people's outcomes, worst case by worst case."""
    u = given.unknown
    if u is None or line.metric == "calibration_slope":
        return []
    if line.metric == "observed_expected":
        return [np.zeros(len(u.y_pred)), np.ones(len(u.y_pred))]
    members, selected = _members(line, attribute)[1], u.y_pred == 1
    return [
        np.where(members, selected == here, selected == there).astype(np.float64)
        for here, there in itertools.product(_WORST, _WORST)
    ]


def _members(line: Line, attribute: Attribute) -> tuple[Bools, Bools]:
    """The line's group, among the known and among those with an unknown outcome."""
    place = attribute.groups.index(str(line.group)) if line.group in attribute.groups else -1
    codes = attribute.unknown_codes
    return attribute.codes == place, np.zeros(0, np.bool_) if codes is None else codes == place


def _judge(
    line: Line, attribute: Attribute, given: AuditInput, family: int, need: Floats | None
) -> rule.Judgement:
    """Judges a line with the unknown people in need with these probabilities; None: without them."""
    if line.metric == "observed_expected":
        return _expected(line, attribute, given, family, need)
    if line.metric == "calibration_slope":
        return _sloped(line, attribute, given, family, need)
    if line.metric == "levelling_down":
        return _levelled(line, attribute, given, family, need)
    judged = rule.judge_rates(line, *_rates(METRICS[line.metric].rate, attribute, line, given, need), family)
    if line.unless_need_is_lower:
        judged = rule.condition(line, judged, *_rates("need", attribute, line, given, need))
    return judged


def _rates(
    name: str, attribute: Attribute, line: Line, given: AuditInput, need: Floats | None
) -> tuple[Rate, Rate]:
    if name == "selection_rate":
        y_pred, codes, clusters = rows(line, attribute, given)
        of, hit = rate_rows(name, y_pred, y_pred)
        members = (
            codes == attribute.groups.index(str(line.group)) if line.group in attribute.groups else codes < 0
        )
        return rate(of, hit, members, clusters), rate(of, hit, ~members, clusters)
    of, hit = rate_rows(name, given.y_true, given.y_pred)
    here, there = _members(line, attribute)
    group, rest = (rate(of, hit, who, given.clusters) for who in (here, ~here))
    if need is None or given.unknown is None:
        return group, rest
    selected = given.unknown.y_pred
    return (
        _let_in(group, name, need[there], selected[there]),
        _let_in(rest, name, need[~there], selected[~there]),
    )


def _let_in(known: Rate, name: str, need: Floats, selected: NDArray[np.int8]) -> Rate:
    """Moves a rate to where it would be with these people in it; as many people stand behind it as before.

    Among the people let in, a row in need counts `need`, the same row not in need the rest.
    """
    of, hits = float(known.of), float(known.hits)
    for outcome, weight in ((1, need), (0, 1 - need)):
        inside, hit = rate_rows(name, np.full(len(need), outcome, np.int8), selected)
        of, hits = of + float(weight[inside].sum()), hits + float(weight[hit].sum())
    if known.of == 0 or of == 0:
        return known
    # An expected number of people is a fraction, which intervals take.
    return replace(known, hits=hits / of * known.of)  # type: ignore[arg-type]


def _expected(
    line: Line, attribute: Attribute, given: AuditInput, family: int, need: Floats | None
) -> rule.Judgement:
    here, there = _members(line, attribute)
    score = np.asarray(given.y_score)[here]
    seen, due = float(given.y_true[here].sum()), float(score.sum())
    effect, clusters = 1.0, None
    if given.clusters is not None and here.any():
        effect, clusters = design_effect(given.y_true[here] - score, given.clusters[here])
    if need is not None and given.unknown is not None and given.unknown.y_score is not None and due:
        seen = (seen + float(need[there].sum())) * due / (due + float(given.unknown.y_score[there].sum()))
    return rule.judge_expected(line, seen, due, effect, family, clusters)


def _sloped(
    line: Line, attribute: Attribute, given: AuditInput, family: int, need: Floats | None
) -> rule.Judgement:
    here, there = _members(line, attribute)
    u, score, truth = given.unknown, np.asarray(given.y_score)[here], given.y_true[here]
    clusters = None if given.clusters is None else given.clusters[here]
    events = min(int(truth.sum()), len(truth) - int(truth.sum()))
    if need is None or u is None or u.y_score is None or not there.any():
        return rule.judge_slope(line, calibration.slope(truth, score, clusters), events, family)
    every = None if clusters is None or u.clusters is None else np.concatenate([clusters, u.clusters[there]])
    fitted = calibration.slope(
        np.concatenate([truth.astype(np.float64), need[there]]),
        np.concatenate([score, u.y_score[there]]),
        every,
    )
    wider = math.sqrt((len(truth) + int(there.sum())) / max(1, len(truth)))
    number = None if clusters is None else len(np.unique(clusters))
    return rule.judge_slope(
        line, replace(fitted, error=fitted.error * wider, clusters=number), events, family
    )


def _levelled(
    line: Line, attribute: Attribute, given: AuditInput, family: int, need: Floats | None
) -> rule.Judgement:
    here, there = _members(line, attribute)
    first, u = given.baseline, given.unknown
    before = given.y_pred if first is None or first.y_pred is None else first.y_pred
    rows_in_need = here & (given.y_true == 1)
    cells = _cells(given.y_pred[rows_in_need], before[rows_in_need], np.ones(int(rows_in_need.sum())))
    effect, clusters = 1.0, None
    if given.clusters is not None and rows_in_need.any():
        clusters = len(np.unique(given.clusters[rows_in_need]))
        moved = before[rows_in_need].astype(np.float64) - given.y_pred[rows_in_need]
        effect = design_effect(moved, given.clusters[rows_in_need])[0] if moved.any() else 1.0
    if need is not None and u is not None and u.baseline is not None and cells.sum():
        more = cells + _cells(u.y_pred[there], u.baseline[there], need[there])
        cells = more / more.sum() * cells.sum()
    both, now, before_only, neither = cells.tolist()
    judged = rule.judge_levelling(line, (both, now, before_only, neither), effect, family, clusters)
    if first is not None and first.y_pred is None:
        return replace(judged, outcome=Outcome.NOT_APPLICABLE, leaning=None)
    return judged


def _cells(now: NDArray[np.int8], before: NDArray[np.int8], weight: Floats) -> Floats:
    """People in need missed by both versions, by this one only, by the first only, by neither."""
    found = np.bincount((2 * now + before).astype(np.int64), weights=weight, minlength=4)
    return np.asarray(found, dtype=np.float64)
