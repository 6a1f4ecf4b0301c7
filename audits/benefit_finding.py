"""The benefit audit as a check: is a gain shown, shown to be too small, or not shown? All else is described."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits import benefit, benefit_folds, benefit_trial, rule
from audits.benefit_facts import BenefitFacts, BenefitFold, BenefitGroup, BenefitStratum
from audits.check import AuditInput, CheckResult
from audits.counts import MIN_CLUSTERS
from audits.finding import Direction, Finding, Leaning, Outcome, Role, Scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from audits.benefit import Estimate
    from audits.benefit_folds import ScoredFold
    from audits.benefit_trial import Trial, TrialArrays

DESCRIBED_LEVEL = 0.95
"""Of the intervals that decide nothing."""
MISMATCH = 0.001
"""Under this p-value more (or fewer) people were treated than the design says, and its shares are not believed. Source: Fabijan
and others 2019, Diagnosing sample ratio mismatch, KDD, doi:10.1145/3292500.3330722, who alarm at .0005."""


@dataclass(frozen=True)
class BenefitCheck:
    """Gain at the deployed capacity decides; average effects, Qini, calibration slope and gain per head are described."""

    name: str = "benefit"

    def run(self, given: AuditInput) -> CheckResult:
        """Audits the gain.

        Args:
            given: What there is to look at.

        Returns:
            Findings and the report's section; nothing where no trial was given.

        Raises:
            AuditsInputError: The trial's columns do not fit together.
        """
        trial = given.benefit
        if trial is None:
            return CheckResult(findings=())
        arrays = benefit_trial.check(trial)
        scored = benefit_folds.sequential(arrays, trial.learners or benefit_folds.LEARNERS, seed=given.seed)
        return _result(trial, arrays, scored, given.seed)


def judge(
    found: Estimate | None, least_gain: float | None, *, too_few: bool, mismatched: bool
) -> tuple[Outcome, Leaning | None]:
    """Decides on the gain, each bound one-sided at 5 %.

    Args:
        found: The combined gain; None where nothing could be estimated.
        least_gain: Smallest gain worth having; None: none was declared.
        too_few: Whether there were too few people to judge.
        mismatched: Whether the assignment contradicts the design.

    Returns:
        Failed: no gain above `least_gain` (the upper bound is under it). Passed: gain shown (the lower bound is above 0). Else not
        enough evidence: not shown. Too few people or a mismatch: not enough evidence, leaning nowhere.
    """
    if found is None or too_few or mismatched:
        return Outcome.NOT_ENOUGH_EVIDENCE, None
    low, high = found.interval(rule.LEVEL)
    if least_gain is not None and high < least_gain:
        return Outcome.FAILED, None
    if low > 0:
        return Outcome.PASSED, None
    return Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR if found.value > 0 else Leaning.AGAINST


def _result(trial: Trial, arrays: TrialArrays, scored: Sequence[ScoredFold], seed: int) -> CheckResult:
    choices = [benefit.chosen(s.prediction, trial.capacity) for s in scored]
    gains = [
        benefit.gain(s.score, c, _clusters(arrays, s.rows)) for s, c in zip(scored, choices, strict=True)
    ]
    total = benefit.combine([g for g in gains if g is not None])
    facts = _facts(trial, arrays, scored, choices, gains, total, seed)
    gap = benefit.mismatch(arrays.w, arrays.e, arrays.clusters)
    few = _too_few(arrays, scored, choices, yes_or_no=facts.yes_or_no)
    findings = (
        _gain_finding(facts, total, few=few, mismatched=gap < MISMATCH),
        _assignment_finding(arrays, gap),
        *_described(arrays, scored, facts),
    )
    return CheckResult(findings=findings, benefit=facts, unknowns=_unknowns(trial, facts))


def _gain_finding(facts: BenefitFacts, total: Estimate | None, *, few: bool, mismatched: bool) -> Finding:
    outcome, leaning = judge(total, facts.least_gain, too_few=few, mismatched=mismatched)
    return replace(
        _finding("gain", "", facts, total, rule.LEVEL),
        role=Role.DECIDES,
        outcome=outcome,
        leaning=leaning,
        message=_say_gain(facts, total, outcome, few=few, mismatched=mismatched),
        limit=0.0,
        direction=Direction.AT_LEAST,
        too_few=few,
        n=facts.scored,
        source="issue 4, point 14: one-sided 5 %",
        why="A model that estimates gain must choose people who gain more than others do.",
    )


def _say_gain(
    facts: BenefitFacts, total: Estimate | None, outcome: Outcome, *, few: bool, mismatched: bool
) -> str:
    if total is None or facts.smallest_detectable is None:
        return "Gain not shown: the models told nobody apart, or an arm had nobody to learn from."
    low, high = total.interval(rule.LEVEL)
    start = (
        f"The {facts.capacity:.0%} with the largest predicted gain gain {_amount(total.value, facts)} more per person than everybody "
        f"on average (90% interval {_amount(low, facts)} to {_amount(high, facts)})."
    )
    small = f"A trial of this size shows a gain of {_amount(facts.smallest_detectable, facts)} four times out of five, a smaller one less often."
    if mismatched:
        return f"{start} Nothing is decided on it: more or fewer people were treated than the design says."
    if few:
        return f"{start} Too few people to judge in at least one part of the trial. {small}"
    if outcome is Outcome.PASSED:
        return f"Gain shown. {start} Chance alone would show one in at most 1 of 20 trials."
    if outcome is Outcome.FAILED and facts.least_gain is not None:
        return f"No gain above {_amount(facts.least_gain, facts)}. {start} The smallest gain declared to be worth having lies above the whole interval."
    return f"Gain not shown, nor shown to be absent. {start} {small}"


def _assignment_finding(arrays: TrialArrays, p: float) -> Finding:
    expected, treated = float(arrays.e.sum()), int(arrays.w.sum())
    held = p >= MISMATCH
    return Finding(
        code="benefit.assignment",
        check="benefit",
        metric="assignment",
        role=Role.SCREENS,
        outcome=Outcome.PASSED if held else Outcome.NOT_ENOUGH_EVIDENCE,
        message=(
            f"The design treats {expected:.0f} of {len(arrays.w)} people, and {treated} were treated: "
            + ("as many as chance allows." if held else f"further off than chance allows (p {p:.1g}).")
        ),
        tool="luvalla",
        version=version("luvalla"),
        n=len(arrays.w),
    )


def _described(arrays: TrialArrays, scored: Sequence[ScoredFold], facts: BenefitFacts) -> Iterator[Finding]:
    yield replace(
        _numbers("effect", "", facts, facts.average, facts.average_low, facts.average_high),
        message=f"On average, {facts.treatment} changes the outcome by {_with_interval(facts, facts.average, facts.average_low, facts.average_high)}.",
        n=facts.people,
    )
    for s in facts.strata:
        yield replace(
            _numbers("effect", f"stratum={s.stratum}", facts, s.effect, s.low, s.high),
            message=f"In stratum {s.stratum}, {_with_interval(facts, s.effect, s.low, s.high)}.",
            n=s.people,
        )
    for name, estimator, words in (
        (
            "qini",
            benefit.qini,
            "The Qini coefficient (gain summed over all capacities; 0: a blind choice) is",
        ),
        ("calibration_slope", benefit.calibration_slope, "Where predicted gain rises by 1, gain rises by"),
    ):
        parts = [estimator(s.score, s.prediction, _clusters(arrays, s.rows)) for s in scored]
        total = benefit.combine([p for p in parts if p is not None])
        found = _finding(name, "", facts, total, DESCRIBED_LEVEL)
        if name == "calibration_slope":
            found = replace(found, scale=Scale.VALUE)
        said = (
            "not to be estimated"
            if found.estimate is None or found.low is None or found.high is None
            else f"{found.estimate:.3g} (95% interval {found.low:.3g} to {found.high:.3g})"
        )
        yield replace(found, message=f"{words} {said}.", n=facts.scored)
    for g in facts.groups:
        got = (
            "too few were chosen to say what it receives"
            if g.per_head is None
            else f"it receives {_amount(g.per_head, facts)} per person of the group"
        )
        yield replace(
            _numbers("per_head", f"{g.attribute}={g.group}", facts, g.per_head, g.low, g.high),
            message=f"{g.group} ({g.attribute.replace('_', ' ')}): {g.chosen:.0f} of {g.people} people would be chosen; {got}.",
            attribute=g.attribute,
            group=g.group,
            n=g.people,
        )


def _facts(
    trial: Trial,
    arrays: TrialArrays,
    scored: Sequence[ScoredFold],
    choices: Sequence[NDArray[np.float64]],
    gains: Sequence[Estimate | None],
    total: Estimate | None,
    seed: int,
) -> BenefitFacts:
    everyone = benefit_folds.cross_fitted_scores(arrays, seed=seed)
    average = _ends(benefit.average(everyone, arrays.clusters))
    low, high = (None, None) if total is None else total.interval(rule.LEVEL)
    return BenefitFacts(
        treatment=trial.treatment,
        outcome=trial.outcome,
        yes_or_no=bool(np.isin(np.abs(arrays.y), (0.0, 1.0)).all()),
        people=len(arrays.y),
        treated=int(arrays.w.sum()),
        clusters=None if arrays.clusters is None else len(arrays.names),
        scored=sum(len(s.rows) for s in scored),
        capacity=trial.capacity,
        gain=None if total is None else total.value,
        low=low,
        high=high,
        smallest_detectable=None if total is None else benefit.smallest_detectable(total.error),
        least_gain=trial.least_gain,
        average=average[0],
        average_low=average[1],
        average_high=average[2],
        folds=tuple(
            BenefitFold(
                len(s.rows),
                s.taught,
                s.learner,
                None if g is None else g.value,
                None if g is None else g.error,
            )
            for s, g in zip(scored, gains, strict=True)
        ),
        strata=tuple(_stratum(arrays, everyone, k) for k in range(len(arrays.strata))),
        groups=tuple(_groups(arrays, scored, choices)),
    )


def _stratum(arrays: TrialArrays, score: NDArray[np.float64], k: int) -> BenefitStratum:
    rows = arrays.stratum == k
    people, treated = int(rows.sum()), int(arrays.w[rows].sum())
    enough = min(treated, people - treated) >= rule.FEW
    found = benefit.average(score[rows], _clusters(arrays, np.flatnonzero(rows))) if enough else None
    return BenefitStratum(arrays.strata[k], people, treated, *_ends(found))


def _groups(
    arrays: TrialArrays, scored: Sequence[ScoredFold], choices: Sequence[NDArray[np.float64]]
) -> Iterator[BenefitGroup]:
    if not scored:
        return
    rows, choice = np.concatenate([s.rows for s in scored]), np.concatenate(choices)
    received = choice * np.concatenate([s.score for s in scored])
    for attribute, (names, codes) in arrays.groups.items():
        for k, group in enumerate(names):
            members = codes[rows] == k
            taken = float(choice[members].sum())
            found = (
                benefit.average(received[members], _clusters(arrays, rows[members]))
                if taken >= rule.FEW
                else None
            )
            yield BenefitGroup(attribute, group, int(members.sum()), taken, *_ends(found))


def _too_few(
    arrays: TrialArrays,
    scored: Sequence[ScoredFold],
    choices: Sequence[NDArray[np.float64]],
    *,
    yes_or_no: bool,
) -> bool:
    """Under 20 people chosen or 30 families in a fold; for a yes-or-no outcome under 20 of the rarer answer among the chosen."""
    rarer = [0.0, 0.0]
    for s, choice in zip(scored, choices, strict=True):
        families = len(s.rows) if arrays.clusters is None else len(np.unique(arrays.clusters[s.rows]))
        if choice.sum() < rule.FEW or families < MIN_CLUSTERS:
            return True
        yes = arrays.y[s.rows] != 0
        rarer = [rarer[0] + float(choice[yes].sum()), rarer[1] + float(choice[~yes].sum())]
    return not scored or (yes_or_no and min(rarer) < rule.FEW)


def _unknowns(trial: Trial, facts: BenefitFacts) -> tuple[str, ...]:
    out = [
        (
            "The benefit audit judges a way of making models, on models that learnt from a part of the trial each; the model that "
            "is deployed learnt from more, and its gain may be larger or smaller."
        ),
        "It tells what is gained among people like those of the trial, by the outcome the trial measured.",
    ]
    if facts.clusters is None:
        out.append("The trial's people were taken as independent: families were not accounted for.")
    if trial.least_gain is None:
        out.append("No smallest gain worth having was declared, so a gain could not be found too small.")
    return tuple(out)


def _clusters(arrays: TrialArrays, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return None if arrays.clusters is None else arrays.clusters[rows]


def _ends(found: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if found is None else (found.value, *found.interval(DESCRIBED_LEVEL))


def _finding(metric: str, what: str, facts: BenefitFacts, found: Estimate | None, level: float) -> Finding:
    value = None if found is None else found.value
    low, high = (None, None) if found is None else found.interval(level)
    return replace(_numbers(metric, what, facts, value, low, high), level=level)


def _numbers(
    metric: str, what: str, facts: BenefitFacts, value: float | None, low: float | None, high: float | None
) -> Finding:
    return Finding(
        code=f"benefit.{metric}:{what}" if what else f"benefit.{metric}",
        check="benefit",
        metric=metric,
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message="",
        tool="luvalla",
        version=version("luvalla"),
        scale=Scale.DIFFERENCE if facts.yes_or_no else Scale.VALUE,
        estimate=value,
        low=low,
        high=high,
        level=DESCRIBED_LEVEL,
    )


def _amount(value: float, facts: BenefitFacts) -> str:
    return f"{100 * value:+.1f} points" if facts.yes_or_no else f"{value:+.3g}"


def _with_interval(facts: BenefitFacts, value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "too few people to say"
    return (
        f"{_amount(value, facts)} per person (95% interval {_amount(low, facts)} to {_amount(high, facts)})"
    )
