"""The comparison bootstrap against fairlearn's own: `python -P benchmarks/audits_bootstrap.py [rows [resamples]]`.

Five metrics by group and their differences over 6 groups, at equal resamples: fairlearn's `MetricFrame` resamples rows, ours draws
tables of counts (counting the rows is in our time). Beyond the size that was run fairlearn's time is extrapolated in
proportion to resamples, and marked so. Exits with 1 if ours is not at least 1,000 times faster.
"""

from __future__ import annotations

import sys
import time
from functools import partial

import numpy as np
from fairlearn import metrics as fairlearn_metrics
from sklearn.metrics import accuracy_score, precision_score

from audits import bootstrap

BUDGET = 1000
MANY = 10_000
GROUPS = 6
METRICS = {
    "selection_rate": fairlearn_metrics.selection_rate,
    "true_positive_rate": fairlearn_metrics.true_positive_rate,
    "false_positive_rate": fairlearn_metrics.false_positive_rate,
    "precision": partial(precision_score, zero_division=0.0),
    "accuracy": accuracy_score,
}


def ours(y_true: np.ndarray, y_pred: np.ndarray, group: np.ndarray, resamples: int) -> dict[str, tuple]:
    """Intervals of each metric by group and of its difference, from rows."""
    cells = np.bincount(group * 4 + y_true * 2 + y_pred, minlength=GROUPS * 4).reshape(GROUPS, 2, 2)
    rates = bootstrap.by_group(bootstrap.resample(cells, resamples, np.random.default_rng(1)))
    return {
        name: (
            np.nanquantile(v, [0.025, 0.975], axis=0),
            bootstrap.interval(v.max(axis=1) - v.min(axis=1), 0.95),
        )
        for name, v in rates.items()
    }


def main() -> int:
    """Prints the times."""
    rows, resamples = (int(a) for a in (*sys.argv[1:], "100000", "100")[:2])
    rng = np.random.default_rng(20261124)
    group = rng.choice(GROUPS, rows, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
    y_true = (rng.random(rows) < 0.2).astype(np.int64)
    y_pred = (rng.random(rows) < np.where(y_true == 1, 0.6, 0.1 + 0.02 * group)).astype(np.int64)
    ours(y_true, y_pred, group, 10)  # warm
    times = []
    for number in (resamples, MANY):
        laps = []
        for _ in range(5):
            started = time.perf_counter()
            found = ours(y_true, y_pred, group, number)
            laps.append(time.perf_counter() - started)
        times.append(sorted(laps)[2])
    print(f"{rows:,} rows, {GROUPS} groups, {len(METRICS)} metrics by group and their differences")
    print(
        f"ours, {resamples:,} resamples: {times[0] * 1000:.1f} ms; {MANY:,} resamples: {times[1] * 1000:.1f} ms (medians of 5)"
    )
    started = time.perf_counter()
    frame = fairlearn_metrics.MetricFrame(
        metrics=METRICS,
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=group,
        n_boot=resamples,
        ci_quantiles=[0.025, 0.975],
        random_state=1,
    )
    theirs = [frame.difference_ci()[k]["selection_rate"] for k in (0, 1)]
    took = time.perf_counter() - started
    print(f"fairlearn's MetricFrame, {resamples:,} resamples: {took:.1f} s")
    print(f"  extrapolated, not run: {MANY:,} resamples {took * MANY / resamples:,.0f} s")
    low, high = ours(y_true, y_pred, group, resamples)["selection_rate"][1]
    print(
        f"selection difference: fairlearn {theirs[0]:.4f} to {theirs[1]:.4f}, ours {low:.4f} to {high:.4f}; {len(found)} metrics"
    )
    print(f"ratio at equal resamples: {took / times[0]:,.0f} times (budget {BUDGET:,})")
    return 0 if took / times[0] >= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
