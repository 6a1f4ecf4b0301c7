"""The bootstrap shown for comparison: fairlearn's numbers, from counts, and nothing of the verdict."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn import metrics as fairlearn_metrics

from audits import bootstrap, runner
from audits.finding import Outcome, Role

NAMES = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)


def people(n, seed=4):
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    need = rng.random(n) < 0.3
    return (
        need.astype(int),
        (rng.random(n) < np.where(need, 0.6, 0.1 + 0.1 * (group == "b"))).astype(int),
        group,
    )


def test_the_metrics_in_a_report_are_fairlearns():
    y, p, g = people(600)
    report = runner.audit(y, p, sensitive_features={"group": g})
    for name in NAMES:
        found = report.finding(f"bootstrap.{name}:group")
        theirs = getattr(fairlearn_metrics, name)(y, p, sensitive_features=g)
        assert found.estimate == pytest.approx(theirs, rel=1e-9)
        assert (found.role, found.outcome) == (Role.DESCRIBED, Outcome.NOT_APPLICABLE)
        assert "decides nothing" in found.message


def test_the_metrics_are_fairlearns_to_the_last_digit():
    y, p, g = people(600)
    cells = np.array(
        [[[((y == t) & (p == s) & (g == k)).sum() for s in (0, 1)] for t in (0, 1)] for k in "abc"]
    )
    seen = bootstrap.between(bootstrap.by_group(cells[None].astype(float)))
    for name in NAMES:
        assert seen[name][0] == getattr(fairlearn_metrics, name)(y, p, sensitive_features=g)


def test_the_intervals_are_those_of_resampled_rows():
    # fairlearn resamples rows; ours draws the table of counts. The same distribution, so the same ends but for chance.
    y, p, g = people(3000)
    frame = fairlearn_metrics.MetricFrame(
        metrics=fairlearn_metrics.selection_rate, y_true=y, y_pred=p, sensitive_features=g,
        n_boot=300, ci_quantiles=[0.025, 0.975], random_state=1,
    )  # fmt: skip
    theirs = [float(v) for v in frame.difference_ci()]
    found = runner.audit(y, p, sensitive_features={"group": g}).finding(
        "bootstrap.demographic_parity_difference:group"
    )
    assert (found.low, found.high) == (
        pytest.approx(theirs[0], abs=0.015),
        pytest.approx(theirs[1], abs=0.015),
    )


def test_resampled_tables_keep_the_number_of_people():
    cells = np.array([[[50, 5], [10, 20]], [[30, 3], [1, 2]]])
    drawn = bootstrap.resample(cells, 500, np.random.default_rng(0))
    assert (drawn.sum(axis=(1, 2, 3)) == cells.sum()).all()
    assert drawn.mean(axis=0) == pytest.approx(cells, abs=2)


def test_a_group_without_a_rate_is_left_out_and_not_nought():
    cells = np.array([[[50, 5], [10, 20]], [[30, 3], [0, 0]], [[30, 3], [5, 5]]])
    seen = bootstrap.between(bootstrap.by_group(cells[None].astype(float)))
    assert seen["equal_opportunity_difference"][0] == pytest.approx(20 / 30 - 0.5)


def test_rows_in_clusters_and_a_single_group_show_none():
    y, p, g = people(600)
    clustered = runner.audit(y, p, sensitive_features={"group": g}, clusters=np.arange(600) // 2)
    assert not [f for f in clustered.findings if f.check == "bootstrap"]
    single = runner.audit(y, p, sensitive_features={"group": np.repeat("a", 600)})
    assert not [f for f in single.findings if f.check == "bootstrap"]
