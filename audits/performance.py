"""How well the score orders people and keeps its word: described, for everybody together and by group."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits import calibration as tenths
from audits import group_scores, intervals
from audits.check import AuditInput, CheckResult
from audits.finding import Finding, Outcome, Role, Scale
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
        area = intervals.delong(need, score, LEVEL)
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
        facts = PerformanceFacts(
            *area,
            calibration=calibration(need, score) if probability else (),
            capacities=capacities(need, score),
            by_group=group_scores.scores(given.attributes, need, score, probability=probability),
            by_capacity=group_scores.capacities(given.attributes, need, score, CAPACITIES),
        )
        return CheckResult(findings=tuple(findings), performance=facts)


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
