"""How well the score orders people and keeps its word: described, for everybody together and by group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits import areas, group_scores, intervals, rule, wording
from audits import calibration as tenths
from audits.check import AuditInput, CheckResult
from audits.finding import Finding, Outcome, Role, Scale
from audits.lines import UNKNOWN
from audits.sections import CalibrationBin, CapacityPoint, PerformanceFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.95
CAPACITIES = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)


@dataclass(frozen=True)
class PerformanceCheck:
    """Area under the curve with DeLong's interval, calibration in tenths, precision and reach at capacities."""

    name: str = "performance"

    def run(self, given: AuditInput) -> CheckResult:
        """Describes performance.

        Args:
            given: What there is to look at.

        Returns:
            Described findings; nothing where there is no score or only one class of outcomes.
        """
        score, need = given.y_score, given.y_true
        if score is None or need.min() == need.max():
            return CheckResult(findings=())
        area = areas.interval(areas.area(need, score), LEVEL, given.clusters)
        probability = bool(score.min() >= 0 and score.max() <= 1)
        findings = [
            _described(
                "auc",
                f"Of a person in need and one not in need the score ranks the one in need higher in {area[0]:.1%} of pairs "
                f"({LEVEL:.0%} interval {area[1]:.1%} to {area[2]:.1%}; 50% would be chance).",
                area,
                Scale.VALUE,
            )
        ]
        if probability and score.sum() > 0:
            ratio, due = float(need.sum() / score.sum()), float(score.sum())
            low, high = (float(v) for v in intervals.poisson_ratio(need.sum(), due, LEVEL))
            text = f"{int(need.sum())} people were in need where the model expected {due:.1f}: {ratio:.2f} times ({LEVEL:.0%} interval {low:.2f} to {high:.2f})."
            findings.append(_described("observed_expected", text, (ratio, low, high), Scale.RATIO))
        selected = given.y_pred == 1
        if selected.any():
            share = float(need[selected].mean())
            low, high = (float(v) for v in intervals.wilson(need[selected].sum(), selected.sum(), LEVEL))
            text = f"Of {int(selected.sum())} people selected {int(need[selected].sum())} were in need ({share:.1%}; {LEVEL:.0%} interval {low:.1%} to {high:.1%}); among everybody {need.mean():.1%}."
            findings.append(_described("precision", text, (share, low, high), Scale.VALUE))
        findings += within_groups(given)
        facts = PerformanceFacts(
            *area,
            calibration=calibration(need, score) if probability else (),
            capacities=capacities(need, score),
            by_group=group_scores.scores(given.attributes, need, score, probability=probability),
            by_capacity=group_scores.capacities(given.attributes, need, score, CAPACITIES),
        )
        return CheckResult(findings=tuple(findings), performance=facts)


def within_groups(given: AuditInput) -> list[Finding]:
    """Describes how well the score orders people within each group, against everyone else: areas are a family of their own.

    Args:
        given: With a score and both outcomes.

    Returns:
        A finding for each known group of each attribute in which both outcomes occur, and among everyone else: the difference
        of the areas, with simultaneous intervals over all of them. Under 20 people of either outcome: too few to judge.
    """
    found = []
    for attribute in given.attributes.values():
        for g, group in enumerate(attribute.groups):
            rows = attribute.codes == g
            both = [given.y_true[who] for who in (rows, ~rows)]
            if group == UNKNOWN or any(not len(y) or y.min() == y.max() for y in both):
                continue
            few = min(int((y == v).sum()) for y in both for v in (0, 1))
            found.append((attribute.name, group, rows, few))
    simultaneous = 1 - (1 - LEVEL) / max(1, len(found))
    return [_area_of(given, *one, simultaneous) for one in found]


def _area_of(
    given: AuditInput, attribute: str, group: str, rows: NDArray[np.bool_], few: int, level: float
) -> Finding:
    score = np.asarray(given.y_score)
    here, there = (areas.among(who, given.y_true, score) for who in (rows, ~rows))
    gap, low, high = areas.difference(here, there, LEVEL, given.clusters)
    _, widest_low, widest_high = areas.difference(here, there, level, given.clusters)
    own = areas.interval(here, LEVEL, given.clusters)
    text = (
        f"Among {wording.group_name(group, attribute)} the score ranks a person in need above one not in need in {own[0]:.1%} of pairs "
        f"({LEVEL:.0%} interval {own[1]:.1%} to {own[2]:.1%}), among everyone else in {there.value:.1%}: {100 * gap:+.1f} points "
        f"({100 * widest_low:+.1f} to {100 * widest_high:+.1f}, all groups' areas together)."
    )
    if few < rule.FEW:
        text += f" Too few to judge: fewer than {rule.FEW} people in need, or not in need, in one of the two."
    finding = _described(f"auc_gap:{attribute}={group}", text, (gap, low, high), Scale.DIFFERENCE)
    return replace(
        finding,
        metric="auc_gap",
        attribute=attribute,
        group=group,
        n=int(rows.sum()),
        events=few,
        rate=here.value,
        rest_rate=there.value,
        adjusted_low=widest_low,
        adjusted_high=widest_high,
        adjusted_level=level,
        too_few=few < rule.FEW,
    )


def calibration(y_true: NDArray[np.int8], y_score: NDArray[np.float64]) -> tuple[CalibrationBin, ...]:
    """Compares expected and observed need in tenths of the people, ordered by score.

    Args:
        y_true: 0 or 1, [n].
        y_score: Probability, [n].

    Returns:
        At most ten bins; equal scores stay together.
    """
    out = []
    for rows in tenths.bins(y_score):
        n, hits = int(rows.sum()), int(y_true[rows].sum())
        low, high = (float(v) for v in intervals.wilson(hits, n, LEVEL))
        out.append(CalibrationBin(n, float(y_score[rows].mean()), hits / n, low, high))
    return tuple(out)


def capacities(y_true: NDArray[np.int8], y_score: NDArray[np.float64]) -> tuple[CapacityPoint, ...]:
    """Tells what would be found at other capacities, by the score's own order.

    Args:
        y_true: 0 or 1, [n], at least one 1.
        y_score: Score, [n].

    Returns:
        A point for each of `CAPACITIES` that selects somebody; people with equal scores share the last places evenly.
    """
    values, inverse = np.unique(-y_score, return_inverse=True)
    people = np.bincount(inverse, minlength=len(values)).cumsum()
    hits = np.bincount(inverse, weights=y_true, minlength=len(values)).cumsum()
    n, total = len(y_true), float(y_true.sum())
    out = []
    for share in CAPACITIES:
        places = round(share * n)
        if places >= 1:
            found = float(np.interp(places, np.append(0, people), np.append(0, hits)))
            out.append(CapacityPoint(share, found / places, found / total))
    return tuple(out)


def _described(metric: str, message: str, numbers: tuple[float, float, float], scale: Scale) -> Finding:
    estimate, low, high = numbers
    return Finding(
        code=f"performance.{metric}",
        check="performance",
        metric=metric,
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=message,
        tool="luvalla",
        version=version("luvalla"),
        scale=scale,
        estimate=estimate,
        low=low,
        high=high,
        level=LEVEL,
    )
