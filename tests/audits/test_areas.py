"""Areas under the curve: scikit-learn's value, DeLong's variance, families as units, and a family of intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from audits import areas, runner
from audits.finding import Outcome, Role


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_area_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    y = np.r_[0, 0, 1, 1, rng.integers(0, 2, 60)]
    s = np.round(rng.normal(size=64) + y, 1)
    value, low, high = areas.interval(areas.area(y, s), 0.95)
    assert value == pytest.approx(roc_auc_score(y, s))
    assert 0 <= low <= value <= high <= 1


def test_the_error_is_delongs():
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1], [40, 25])
    s = np.round(rng.normal(size=65) + y, 1)
    wins = (s[y == 1][:, None] > s[y == 0]) + 0.5 * (s[y == 1][:, None] == s[y == 0])
    variance = wins.mean(axis=1).var(ddof=1) / 25 + wins.mean(axis=0).var(ddof=1) / 40
    assert areas.error(areas.area(y, s).influence, None) == pytest.approx(np.sqrt(variance))


def test_rows_of_one_family_count_as_one():
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, 400)
    s = rng.normal(size=400) + y
    alone, thrice = areas.area(y, s), areas.area(np.repeat(y, 3), np.repeat(s, 3))
    families = np.repeat(np.arange(400), 3)
    assert areas.error(thrice.influence, None) == pytest.approx(
        areas.error(alone.influence, None) / np.sqrt(3), rel=0.01
    )
    assert areas.error(thrice.influence, families) == pytest.approx(
        areas.error(alone.influence, None), rel=0.01
    )


def test_equal_groups_differ_by_chance_only_as_often_as_promised():
    rng, misses, rounds = np.random.default_rng(7), 0, 400
    for _ in range(rounds):
        y, rows = (rng.random(300) < 0.4).astype(np.int8), rng.random(300) < 0.3
        s = rng.normal(size=300) + y
        _, low, high = areas.difference(areas.among(rows, y, s), areas.among(~rows, y, s), 0.9)
        misses += not low <= 0 <= high
    assert 0.05 < misses / rounds < 0.16


def test_each_group_s_area_is_described_in_a_family_of_its_own():
    rng = np.random.default_rng(9)
    n = 3000
    origin = np.where(np.arange(n) < 25, "few", rng.choice(["a", "b"], n))
    y = (rng.random(n) < 0.3).astype(int)
    s = rng.normal(size=n) + y * np.where(origin == "a", 0.0, 1.5)
    report = runner.audit(y, s > 1, sensitive_features={"origin": origin}, y_score=s)
    gap = report.finding("performance.auc_gap:origin=a")
    assert (gap.role, gap.outcome) == (Role.DESCRIBED, Outcome.NOT_APPLICABLE)
    assert gap.rate == pytest.approx(0.5, abs=0.05)
    assert gap.adjusted_low < gap.low < gap.estimate < gap.high < gap.adjusted_high < -0.2
    assert gap.adjusted_level == pytest.approx(1 - 0.05 / 3)
    assert report.finding("performance.auc_gap:origin=few").too_few
    assert "Too few to judge" in report.finding("performance.auc_gap:origin=few").message
