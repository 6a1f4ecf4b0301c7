"""What a version gains over what is simpler: chance, what the office did before, a scorecard. Paired, on the same people.

A model that nobody can work out by hand costs something in every explanation and every appeal. It has to earn that: where it
is not shown to be better than each of the simple models, in the order of all people or in who is found at the deployed capacity,
the report says that the simple one does as well, and the screening leans against the version.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits import areas, intervals, rule
from audits.baseline_facts import BaselineFacts, BaselineRow
from audits.check import AuditInput, CheckResult, Comparator
from audits.counts import design_effect
from audits.finding import Counts, Finding, Leaning, Outcome, Role, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.areas import Area

LEVEL = 0.95
"""Two-sided level of every interval. A gain is shown by either of two measures: each gets one half of a one-sided 5 %."""
CHANCE = "chance"
_CHANCE_LABEL = "choosing by lot"
_Gain = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class BaselinesCheck:
    """Area and need found at the deployed capacity against each baseline, and whether complexity is earned."""

    name: str = "baselines"

    def run(self, given: AuditInput) -> CheckResult:
        """Compares the version with what is simpler.

        Args:
            given: What there is to look at.

        Returns:
            Described findings, and a screening one where complexity has to be earned; nothing without baselines or where only one
            class of outcomes occurs.
        """
        simpler, need = given.simpler, given.y_true
        if simpler is None or need.min() == need.max():
            return CheckResult(findings=())
        own = None if given.y_score is None else areas.area(need, given.y_score)
        rows = (_chance(given, own), *(_row(given, own, c) for c in simpler.models))
        findings = [f for row in rows for f in _described(given, row)]
        plain = [r for r, c in zip(rows[1:], simpler.models, strict=True) if c.simple]
        few = min(int(need.sum()), int((1 - need).sum())) < rule.FEW
        earned: bool | None = None
        if simpler.complexity and plain:
            earned = None if few else all(map(_better, plain))
            findings.append(_complexity(simpler.complexity, plain, given, earned=earned))
        facts = BaselineFacts(
            level=LEVEL,
            in_need=int(need.sum()),
            area=None if own is None else own.value,
            found=float(given.y_pred[need == 1].mean()),
            complexity=simpler.complexity,
            earned=earned,
            rows=rows,
        )
        return CheckResult(findings=tuple(findings), baselines=facts)


def _chance(given: AuditInput, own: Area | None) -> BaselineRow:
    """By lot, as many people: everybody is as likely to be found as to be selected."""
    need = given.y_true == 1
    share, found = float(given.y_pred.mean()), given.y_pred[need].astype(np.float64)
    effect = _effect(found, given, need)
    low, high = intervals.wilson(found.sum() / effect, len(found) / effect, LEVEL)
    gain: _Gain = (None, None, None)
    if own is not None:
        gain = areas.difference(own, areas.Area(0.5, np.zeros(len(need))), LEVEL, given.clusters)
    return BaselineRow(
        CHANCE,
        _CHANCE_LABEL,
        0.5,
        *gain,
        share,
        float(found.mean()) - share,
        float(low) - share,
        float(high) - share,
        None,
        None,
    )


def _row(given: AuditInput, own: Area | None, other: Comparator) -> BaselineRow:
    need = given.y_true == 1
    theirs = None if other.y_score is None else areas.area(given.y_true, other.y_score)
    gain: _Gain = (None, None, None)
    if own is not None and theirs is not None:
        gain = areas.difference(own, theirs, LEVEL, given.clusters)
    here, there = given.y_pred[need] == 1, other.y_pred[need] == 1
    both, only, other_only, neither = (
        int(c.sum()) for c in (here & there, here & ~there, ~here & there, ~here & ~there)
    )
    effect = _effect(here.astype(np.float64) - there, given, need)
    found = intervals.newcombe_paired(
        both / effect, only / effect, other_only / effect, neither / effect, LEVEL
    )
    return BaselineRow(
        other.name,
        other.label or other.name,
        None if theirs is None else theirs.value,
        *gain,
        float(there.mean()),
        float(here.mean() - there.mean()),
        float(found.low),
        float(found.high),
        only,
        other_only,
    )


def _effect(values: NDArray[np.float64], given: AuditInput, need: NDArray[np.bool_]) -> float:
    """Design effect of families, among those in need; 1 where nobody differs: then families say nothing either."""
    if given.clusters is None or not values.any():
        return 1.0
    codes = np.unique(given.clusters[need], return_inverse=True)[1]
    return design_effect(values, codes)[0]


def _better(row: BaselineRow) -> bool:
    return row.found_low > 0 or (row.area_low is not None and row.area_low > 0)


def _worse(row: BaselineRow) -> bool:
    return row.found_high < 0 or (row.area_high is not None and row.area_high < 0)


def _described(given: AuditInput, row: BaselineRow) -> list[Finding]:
    found = []
    if row.area_gain is not None:
        text = (
            f"Against {row.label}: the version ranks a person in need above one not in need in {_more(row.area_gain)} of a hundred "
            f"pairs ({LEVEL:.0%} interval {_points(row.area_low)} to {_points(row.area_high)}; paired, DeLong)."
        )
        found.append(_finding("area", row, text, given, (row.area_gain, row.area_low, row.area_high)))
    people = "" if row.only_version is None else (
        f" {row.only_version} are selected by the version only, {row.only_baseline} by the other only."
    )  # fmt: skip
    text = (
        f"Against {row.label}, as many people selected: of a hundred in need the version finds {_more(row.found_gain)} "
        f"({LEVEL:.0%} interval {_points(row.found_low)} to {_points(row.found_high)}).{people}"
    )
    found.append(_finding("found", row, text, given, (row.found_gain, row.found_low, row.found_high)))
    return found


def _more(value: float) -> str:
    return f"{100 * abs(value):.1f} {'fewer' if value < 0 else 'more'}"


def _points(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:+.1f}"


def _finding(
    metric: str,
    row: BaselineRow,
    text: str,
    given: AuditInput,
    numbers: tuple[float | None, float | None, float | None],
) -> Finding:
    need = int(given.y_true.sum())
    counts = None
    if metric == "found" and row.only_version is not None:
        counts = Counts(int(given.y_pred[given.y_true == 1].sum()), need, round(row.found * need), need)
    return Finding(
        code=f"baselines.{metric}:{row.name}",
        check="baselines",
        metric=f"{metric}_gain",
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=text,
        tool="luvalla",
        version=version("luvalla"),
        scale=Scale.DIFFERENCE,
        estimate=numbers[0],
        low=numbers[1],
        high=numbers[2],
        level=LEVEL,
        counts=counts,
        n=len(given.y_true),
        events=need,
    )


def _complexity(what: str, plain: list[BaselineRow], given: AuditInput, *, earned: bool | None) -> Finding:
    doing_as_well = [row for row in plain if not _better(row)]
    if earned is None:
        text = f"Whether {what} gain anything over a simple model cannot be told: fewer than {rule.FEW} people are in need, or not in need."
    elif earned:
        labels = " and ".join(row.label for row in plain)
        text = f"The version's complexity ({what}) is earned: its gain over {labels} is shown."
    else:
        labels = " and ".join(f"{row.label} ({_told(row)})" for row in doing_as_well)
        what_else = "scorecard" if any(row.name == "scorecard" for row in doing_as_well) else "simple model"
        text = (
            f"The {what_else} does {'better' if any(map(_worse, plain)) else 'as well'}: that the version ({what}) gains anything over {labels} is not shown, and the simple one can be "
            "worked out by hand. Ask for the simple one, or for what makes this one worth its complexity."
        )
    return Finding(
        code="baselines.complexity",
        check="baselines",
        metric="complexity",
        role=Role.SCREENS,
        outcome=Outcome.PASSED if earned else Outcome.NOT_ENOUGH_EVIDENCE,
        leaning=Leaning.AGAINST if earned is False else None,
        message=text,
        tool="luvalla",
        version=version("luvalla"),
        level=LEVEL,
        n=len(given.y_true),
        events=int(given.y_true.sum()),
        too_few=earned is None,
        why="A model that nobody can work out by hand has to earn it.",
    )


def _told(row: BaselineRow) -> str:
    pairs = (
        ""
        if row.area_gain is None
        else f"{100 * row.area_gain:+.1f} of a hundred pairs, {_points(row.area_low)} to {_points(row.area_high)}; "
    )
    return f"{pairs}{100 * row.found_gain:+.1f} of a hundred in need found, {_points(row.found_low)} to {_points(row.found_high)}"
