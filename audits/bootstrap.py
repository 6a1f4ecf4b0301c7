"""The percentile bootstrap that other toolkits report, beside our intervals: for comparison, deciding nothing.

Resampling independent rows with replacement is drawing the table of counts from a multinomial distribution, so a million people
cost what a handful of counts cost. It decides nothing, since an interval of a largest-less-smallest difference never holds 0,
and the joint coverage of percentile intervals over small groups is poor (issue 4, rule 3). With clusters rows are not
independent, and there is nothing to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits.check import AuditInput, CheckResult
from audits.finding import Finding, Outcome, Role, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

RESAMPLES = 2000
LEVEL = 0.95
_SAID = {
    "demographic_parity_difference": "the largest selection rate less the smallest",
    "demographic_parity_ratio": "the smallest selection rate over the largest",
    "equal_opportunity_difference": "the largest share found of those in need less the smallest",
    "equalized_odds_difference": "the larger of the differences in shares found and in false alarms",
}


@dataclass(frozen=True)
class BootstrapCheck:
    """fairlearn's metrics between groups with percentile bootstrap intervals."""

    name: str = "bootstrap"

    def run(self, given: AuditInput) -> CheckResult:
        """Describes each attribute.

        Args:
            given: What there is to look at.

        Returns:
            Described findings; none where rows come in clusters, or for an attribute with one group.
        """
        if given.clusters is not None:
            return CheckResult(findings=())
        findings = []
        rng = np.random.default_rng(given.seed)
        for attribute in given.attributes.values():
            cells = np.bincount(
                attribute.codes * 4 + given.y_true * 2 + given.y_pred, minlength=len(attribute.groups) * 4
            ).reshape(-1, 2, 2)
            findings += of_cells(attribute.name, cells[cells.sum(axis=(1, 2)) > 0], rng)
        return CheckResult(findings=tuple(findings))


def of_cells(attribute: str, cells: Counts, rng: np.random.Generator) -> list[Finding]:
    """Describes one attribute from its counts.

    Args:
        attribute: Its name.
        cells: People by group, y_true and y_pred, int64[G, 2, 2]; each group has people.
        rng: Chance.

    Returns:
        A finding for each metric that exists; none with fewer than two groups.
    """
    if len(cells) < 2:  # noqa: PLR2004  a comparison takes two
        return []
    seen = between(by_group(cells[None].astype(np.float64)))
    drawn = between(by_group(resample(cells, RESAMPLES, rng)))
    out = []
    for name, said in _SAID.items():
        estimate = float(seen[name][0])
        low, high = interval(drawn[name], LEVEL)
        if not np.isfinite([estimate, low, high]).all():
            continue
        scale = Scale.RATIO if name.endswith("ratio") else Scale.DIFFERENCE
        out.append(
            Finding(
                code=f"bootstrap.{name}:{attribute}",
                check="bootstrap",
                metric=name,
                role=Role.DESCRIBED,
                outcome=Outcome.NOT_APPLICABLE,
                message=(
                    f"{attribute}: {said} is {estimate:.3f} ({LEVEL:.0%} percentile bootstrap {low:.3f} to {high:.3f}, {RESAMPLES:,} "
                    "resamples). For comparison with other toolkits; it decides nothing, and its interval never says that there "
                    "is no difference."
                ),
                tool="luvalla",
                version=version("luvalla"),
                attribute=attribute,
                scale=scale,
                estimate=estimate,
                low=low,
                high=high,
                level=LEVEL,
            )
        )
    return out


def resample(cells: Counts, resamples: int, rng: np.random.Generator) -> Floats:
    """Draws tables as resampling the people with replacement would give them.

    Args:
        cells: Counts, int64[G, 2, 2].
        resamples: Tables to draw.
        rng: Chance.

    Returns:
        float64[resamples, G, 2, 2].
    """
    n = int(cells.sum())
    drawn = rng.multinomial(n, cells.ravel() / n, size=resamples)
    return drawn.reshape(resamples, *cells.shape).astype(np.float64)


def by_group(tables: Floats) -> dict[str, Floats]:
    """Gives each group's rates in each table.

    Args:
        tables: People by table, group, y_true and y_pred, float64[B, G, 2, 2].

    Returns:
        Metric -> float64[B, G]; nan where its denominator is empty.
    """
    tn, fp, fn, tp = (tables[..., t, p] for t, p in ((0, 0), (0, 1), (1, 0), (1, 1)))
    with np.errstate(invalid="ignore"):
        return {
            "selection_rate": (tp + fp) / (tn + fp + fn + tp),
            "true_positive_rate": tp / (tp + fn),
            "false_positive_rate": fp / (fp + tn),
            "precision": tp / (tp + fp),
            "accuracy": (tp + tn) / (tn + fp + fn + tp),
        }


def between(rates: dict[str, Floats]) -> dict[str, Floats]:
    """Gives fairlearn's metrics between groups in each table.

    Args:
        rates: As `by_group` gives them.

    Returns:
        Metric -> float64[B]; groups without a rate are left out, nan if none has one.
    """

    def spread(name: str) -> Floats:
        high = np.fmax.reduce(rates[name], axis=1)
        return np.asarray(high - np.fmin.reduce(rates[name], axis=1))

    selection = rates["selection_rate"]
    found, alarms = spread("true_positive_rate"), spread("false_positive_rate")
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.fmin.reduce(selection, axis=1) / np.fmax.reduce(selection, axis=1)
    return {
        "demographic_parity_difference": spread("selection_rate"),
        "demographic_parity_ratio": ratio,
        "equal_opportunity_difference": found,
        "equalized_odds_difference": np.maximum(found, alarms),
    }


def interval(drawn: Floats, level: float) -> tuple[float, float]:
    """Gives the percentile interval.

    Args:
        drawn: A metric in each table, [B].
        level: Two-sided, in (0, 1).

    Returns:
        Lower and upper end; nan if no table has the metric.
    """
    there = drawn[np.isfinite(drawn)]
    if not len(there):
        return float("nan"), float("nan")
    low, high = np.quantile(there, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
