"""The check `robustness`: selections that hang on less than a step of measurement, performance by period, and who was learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from audits import areas, intervals
from audits.check import AuditInput, CheckResult
from audits.errors import AuditsInputError
from audits.finding import Direction, Finding, Leaning, Outcome, Role, Scale
from audits.robust_facts import FlipRow, MembershipFacts, PeriodRow, RobustnessFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.robust_facts import Membership, Periods, Perturbation

LEVEL = 0.95
LEAKY = 0.60
"""Area of a membership attack above which a version is said to remember people. Source: luvalla 2026: ten points over guessing."""
_FALSE_ALARMS = 0.01
_LEAST = 1e-12
"""Probabilities are kept so far from 0 and 1, where a logarithm ends."""


@dataclass(frozen=True)
class RobustnessCheck:
    """Describes flips and periods; screens memory of people, which can warn and never fails a version."""

    name: str = "robustness"

    def run(self, given: AuditInput) -> CheckResult:
        """Looks at what is given.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without input; else findings and their section.

        Raises:
            AuditsInputError: Arrays that do not fit together, or nobody on one side of a comparison.
        """
        robust = given.robustness
        if robust is None or not (robust.perturbation or robust.membership or robust.periods):
            return CheckResult(findings=())
        findings: list[Finding] = []
        flips: tuple[FlipRow, ...] = ()
        periods: tuple[PeriodRow, ...] = ()
        memory = None
        if (moved := robust.perturbation) is not None:
            flips = flipped(moved)
            findings.append(_flips(flips, moved))
        if robust.periods is not None:
            periods = by_period(robust.periods)
            findings.append(_periods(periods))
        if robust.membership is not None:
            memory = remembered(robust.membership)
            findings.append(_memory(memory))
        return CheckResult(
            findings=tuple(findings),
            robustness=RobustnessFacts(
                draws=0 if moved is None else len(moved.moved),
                steps={} if moved is None else {str(k): float(v) for k, v in moved.steps.items()},
                unmoved=() if moved is None else moved.unmoved,
                flips=flips,
                periods=periods,
                membership=memory,
            ),
        )


def flipped(given: Perturbation) -> tuple[FlipRow, ...]:
    """Counts people who are selected otherwise in at least one draw.

    Args:
        given: Selections before and after.

    Returns:
        Everybody first, then each group.

    Raises:
        AuditsInputError: Arrays that do not fit, nobody, or no draw.
    """
    n = len(given.selected)
    if not n or given.moved.ndim != 2 or given.moved.shape[1] != n or not len(given.moved):  # noqa: PLR2004  draws, people
        raise AuditsInputError(
            f"selections of shape {given.moved.shape} after a change, of {n} people before it",
            "give one row per draw and one column per person",
        )
    hangs = (given.moved != given.selected).any(axis=0)
    rows = [_flip("", "", hangs)]
    for name, labels in given.groups.items():
        if len(labels) != n:
            raise AuditsInputError(f"{len(labels)} groups of {name} for {n} people", "give one per person")
        column = pd.Series(labels, dtype=object)
        told = column.where(column.notna() & (column != ""), "unknown").astype(str).to_numpy()
        rows += [_flip(name, group, hangs[told == group]) for group in sorted(set(told))]
    return tuple(rows)


def _flip(attribute: str, group: str, hangs: NDArray[np.bool_]) -> FlipRow:
    n, count = len(hangs), int(hangs.sum())
    low, high = (float(v) for v in intervals.wilson(count, n, LEVEL))
    return FlipRow(attribute, group, n, count, count / n, low, high)


def by_period(given: Periods) -> tuple[PeriodRow, ...]:
    """Counts and areas of each period.

    Args:
        given: People by period.

    Returns:
        A row per period, in order of time.

    Raises:
        AuditsInputError: Arrays of different lengths, nobody, or a person without a period.
    """
    sizes = {len(v) for v in (given.period, given.y_true, given.y_pred, given.y_score)}
    if len(sizes) > 1 or sizes == {0} or pd.isna(given.period).any():
        raise AuditsInputError(
            "periods do not fit the people", "give a period, an outcome and a score for each"
        )
    names = sorted(set(given.period.tolist()))
    level = 1 - (1 - LEVEL) / len(names)
    out = []
    for name in names:
        here = given.period == name
        need, chosen = given.y_true[here] == 1, given.y_pred[here] == 1
        numbers = (int(here.sum()), int(need.sum()), int(chosen.sum()), int((need & chosen).sum()))
        if need.all() or not need.any():
            out.append(PeriodRow(str(name), *numbers, None, None, None))
            continue
        area = areas.interval(areas.area(need, given.y_score[here]), level)
        out.append(PeriodRow(str(name), *numbers, *area))
    return tuple(out)


def remembered(given: Membership) -> MembershipFacts:
    """Attacks by the size of the error: who has a small loss was perhaps learnt from (Yeom et al. 2018, arXiv 1709.01604).

    Args:
        given: Scores of both kinds of people.

    Returns:
        The attack's area with DeLong's interval, its advantage, and what it tells at 1 % false alarms.

    Raises:
        AuditsInputError: Arrays of different lengths, scores that are no probabilities, or nobody on one side.
    """
    n = len(given.member)
    if {len(given.y_true), len(given.y_score)} != {n} or not given.member.any() or given.member.all():
        raise AuditsInputError(
            "membership needs scores of people learnt from and of others",
            "give both, one outcome and score each",
        )
    if given.y_score.min() < 0 or given.y_score.max() > 1:
        raise AuditsInputError(
            "membership needs probabilities; got scores outside 0 to 1", "give probabilities"
        )
    of_truth = np.where(given.y_true == 1, given.y_score, 1 - given.y_score)
    small = np.log(np.clip(of_truth, _LEAST, 1))
    auc, low, high = areas.interval(areas.area(given.member, small), LEVEL, given.people)
    false, true, _ = roc_curve(given.member, small, drop_intermediate=False)
    return MembershipFacts(
        members=int(given.member.sum()),
        others=int((~given.member).sum()),
        auc=auc,
        low=low,
        high=high,
        advantage=float((true - false).max()),
        at_one_percent=float(np.interp(_FALSE_ALARMS, false, true)),
    )


def _flips(rows: tuple[FlipRow, ...], given: Perturbation) -> Finding:
    every, groups = rows[0], rows[1:]
    text = (
        f"{every.flipped:,} of {every.n:,} people ({every.share:.1%}; {every.low:.1%} to {every.high:.1%}) would be selected otherwise if "
        f"their features were off by at most one step of measurement ({len(given.moved)} draws, {len(given.steps)} features moved"
        + (f", {len(given.unmoved)} not)." if given.unmoved else ").")
    )
    if groups:
        most = max(groups, key=lambda g: g.share)
        text += f" Most often: {most.group} ({most.attribute.replace('_', ' ')}), {most.share:.1%}."
    return _finding("flips", text, every.share, every.low, every.high)


def _periods(rows: tuple[PeriodRow, ...]) -> Finding:
    told = [r for r in rows if r.auc is not None]
    if len(told) < 2:  # noqa: PLR2004  one period is no comparison
        return _finding("periods", "There are no two periods with both outcomes to compare.")
    worst, best = (pick(told, key=lambda r: r.auc or 0.0) for pick in (min, max))
    apart = (worst.high or 0.0) < (best.low or 0.0)
    text = (
        f"Over {len(told)} periods the score ranks between {worst.auc:.1%} ({worst.period}) and {best.auc:.1%} ({best.period}) of pairs right; "
        + ("their intervals do not meet." if apart else "their intervals meet.")
    )
    return _finding("periods", text, (best.auc or 0.0) - (worst.auc or 0.0), tool="luvalla")


def _memory(facts: MembershipFacts) -> Finding:
    text = (
        f"From the size of the error alone, {facts.auc:.1%} of pairs of a person learnt from and one not are told apart ({facts.low:.1%} to {facts.high:.1%}; "
        f"50% is guessing). At 1% false alarms {facts.at_one_percent:.1%} of those learnt from are told."
    )
    outcome, leaning = Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR if facts.auc <= LEAKY else Leaning.AGAINST
    if facts.high <= LEAKY:
        outcome = Outcome.PASSED
    elif facts.low > LEAKY:
        text += (
            " The version remembers people: whoever gets its scores can learn who was in the training rows."
        )
    return _finding(
        "membership", text, facts.auc, facts.low, facts.high,
        role=Role.SCREENS, outcome=outcome, leaning=None if outcome is Outcome.PASSED else leaning, limit=LEAKY,
    )  # fmt: skip


def _finding(
    what: str,
    message: str,
    estimate: float | None = None,
    low: float | None = None,
    high: float | None = None,
    *,
    role: Role = Role.DESCRIBED,
    outcome: Outcome = Outcome.NOT_APPLICABLE,
    leaning: Leaning | None = None,
    limit: float | None = None,
    tool: str = "luvalla",
) -> Finding:
    return Finding(
        code=f"robustness.{what}",
        check="robustness",
        metric=what,
        role=role,
        outcome=outcome,
        message=message,
        tool=tool,
        version=version(tool),
        leaning=leaning,
        scale=Scale.VALUE,
        estimate=estimate,
        low=low,
        high=high,
        limit=limit,
        direction=None if limit is None else Direction.AT_MOST,
    )
