"""Gain on randomised data: the estimators against sums done by hand, and who may have taught whom."""

from __future__ import annotations

import math
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audits import benefit, benefit_folds, benefit_trial
from audits.benefit import Estimate
from audits.benefit_trial import Trial
from audits.errors import AuditsInputError

ROOT = Path(__file__).parents[2]


def made_up(seed=0, n=1500, tau=None, **changes):
    """A trial of people nobody is, in families of up to three: gain follows the first feature unless told otherwise."""
    rng = np.random.default_rng(seed)
    family = np.sort(rng.integers(0, n // 2, n))
    treated = (rng.random(n // 2) < 0.4).astype(int)[family]
    x = rng.normal(size=(n, 3))
    gains = x[:, 0] if tau is None else tau
    y = x[:, 1] + treated * gains + rng.normal(size=n)
    return Trial(**{
        "y": y, "w": treated, "e": np.full(n, 0.4), "features": x, "capacity": 0.2, "clusters": family,
        "stratum": np.where(np.arange(n) % 3, "north", "south"), **changes,
    })  # fmt: skip


def gains_of(trial, seed=0):
    arrays = benefit_trial.check(trial)
    return [
        benefit.gain(s.score, benefit.chosen(s.prediction, 0.2), arrays.clusters[s.rows])
        for s in benefit_folds.sequential(arrays, seed=seed)
    ]


def test_a_score_is_the_models_difference_and_the_weighted_residual_of_the_arm_that_was_seen():
    scores = benefit.aipw_scores(
        np.array([3.0, 1.0]), np.array([1, 0], dtype=np.int8), np.array([0.25, 0.25]), np.array([1.0, 2.0]), np.array([2.0, 2.5])
    )  # fmt: skip
    assert scores.tolist() == [2 - 1 + (3 - 2) / 0.25, 2.5 - 2 - (1 - 2) / 0.75]


def test_scores_average_to_the_gain_whatever_the_outcome_models_say():
    rng = np.random.default_rng(1)
    n = 200_000
    e = np.where(np.arange(n) % 2, 0.2, 0.6)
    w = (rng.random(n) < e).astype(np.int8)
    y = 5 * e + 0.7 * w + rng.normal(size=n)
    wrong = rng.normal(size=n)
    found = benefit.average(benefit.aipw_scores(y, w, e, wrong, -wrong), None)
    assert abs(found.value - 0.7) < 4 * found.error


def test_the_chosen_are_the_capacitys_share_and_ties_divide_the_last_places():
    assert benefit.chosen(np.array([1.0, 3.0, 2.0, 0.0]), 0.25).tolist() == [0, 1, 0, 0]
    assert benefit.chosen(np.array([1.0, 1.0, 2.0, 1.0]), 0.5).tolist() == pytest.approx(
        [1 / 3, 1 / 3, 1, 1 / 3]
    )
    assert benefit.chosen(np.zeros(7), 0.3).sum() == pytest.approx(2.1)


def test_the_gain_is_the_mean_of_the_chosen_less_the_mean_of_all():
    rng = np.random.default_rng(2)
    score, choice = rng.normal(size=500), (rng.random(500) < 0.2).astype(float)
    found = benefit.gain(score, choice, None)
    inside, outside = score[choice == 1], score[choice == 0]
    assert found.value == pytest.approx(inside.mean() - score.mean())
    # (1 - q) times the difference of two means: their variances add.
    spread = math.sqrt(inside.var() / len(inside) + outside.var() / len(outside)) * (1 - choice.mean())
    assert found.error == pytest.approx(spread, rel=0.01)


def test_the_qini_is_the_covariance_of_gain_and_rank_and_the_area_under_the_curve():
    rng = np.random.default_rng(3)
    score, prediction = rng.normal(size=400), rng.normal(size=400)
    found = benefit.qini(score, prediction, None)
    best_first = score[np.argsort(-prediction)]
    u = np.arange(1, 401) / 400
    area = (u * (best_first.cumsum() / np.arange(1, 401) - score.mean())).mean()
    assert found.value == pytest.approx(area, abs=2 * np.abs(score).max() / 400)
    rank = prediction.argsort().argsort() / 400
    assert found.value == pytest.approx(np.cov(score, rank, bias=True)[0, 1])


def test_the_calibration_slope_is_one_where_predictions_are_the_gains_and_a_half_where_they_are_twice_them():
    rng = np.random.default_rng(4)
    tau = rng.normal(size=50_000) * 1e-6
    score = tau + rng.normal(size=50_000) * 1e-6
    assert benefit.calibration_slope(score, tau, None).value == pytest.approx(1, abs=0.03)
    assert benefit.calibration_slope(score, 2 * tau, None).value == pytest.approx(0.5, abs=0.02)


def test_a_row_repeated_within_its_family_adds_nothing():
    rng = np.random.default_rng(5)
    score, choice = rng.normal(size=300), (rng.random(300) < 0.3).astype(float)
    once = benefit.gain(score, choice, None)
    thrice = benefit.gain(np.repeat(score, 3), np.repeat(choice, 3), np.repeat(np.arange(300), 3))
    assert thrice.value == pytest.approx(once.value)
    assert thrice.error == pytest.approx(once.error, rel=0.01)


@pytest.mark.parametrize("estimator", [benefit.gain, benefit.qini, benefit.calibration_slope])
def test_a_prediction_that_tells_nobody_apart_has_no_estimate(estimator):
    assert estimator(np.random.default_rng(6).normal(size=50), np.full(50, 0.2), None) is None


def test_folds_combine_as_the_sum_of_their_z_scores_over_the_root_of_their_number():
    parts = [Estimate(0.10, 0.05), Estimate(-0.02, 0.08), Estimate(0.06, 0.04)]
    found = benefit.combine(parts)
    assert found.value / found.error == pytest.approx(sum(p.value / p.error for p in parts) / math.sqrt(3))
    same = benefit.combine([Estimate(0.1, 0.2)] * 4)
    assert (same.value, same.error) == (pytest.approx(0.1), pytest.approx(0.1))
    assert benefit.combine([]) is None


def test_the_smallest_detectable_gain_is_found_four_times_out_of_five():
    rng = np.random.default_rng(7)
    draws = rng.normal(benefit.smallest_detectable(0.03), 0.03, 100_000)
    assert (draws - 1.6449 * 0.03 > 0).mean() == pytest.approx(0.80, abs=0.005)


def test_people_treated_out_of_proportion_are_noticed():
    rng = np.random.default_rng(8)
    e = np.full(4000, 0.4)
    assert benefit.mismatch((rng.random(4000) < e).astype(np.int8), e, None) > 0.01
    assert benefit.mismatch((rng.random(4000) < 0.5).astype(np.int8), e, None) < 1e-6
    # The same people as four families: nothing can be said of four.
    assert benefit.mismatch((rng.random(4000) < 0.5).astype(np.int8), e, np.arange(4000) % 4) > 0.01


def test_a_family_is_whole_in_one_fold_and_keeps_it_when_others_leave():
    trial = made_up()
    arrays = benefit_trial.check(trial)
    fold = benefit_folds.fold_of(arrays, 5, seed=1)
    assert all(len(set(fold[arrays.clusters == f])) == 1 for f in set(arrays.clusters.tolist()))
    kept = np.asarray(trial.clusters) % 7 != 0
    fewer = benefit_trial.check(
        replace(
            trial,
            **{
                k: np.asarray(getattr(trial, k))[kept]
                for k in ("y", "w", "e", "features", "clusters", "stratum")
            },
        )
    )
    assert benefit_folds.fold_of(fewer, 5, seed=1).tolist() == fold[kept].tolist()
    assert benefit_folds.fold_of(arrays, 5, seed=2).tolist() != fold.tolist()


def test_no_fold_is_scored_by_what_its_own_people_or_later_ones_taught():
    trial = made_up()
    fold = benefit_folds.fold_of(benefit_trial.check(trial), 5, seed=0)
    before = benefit_folds.sequential(benefit_trial.check(trial))
    changed = benefit_trial.check(replace(trial, y=np.where(fold >= 3, -9 * trial.y, trial.y)))
    after = benefit_folds.sequential(changed)
    assert len(before) == len(after) == 4
    for k, (one, two) in enumerate(zip(before, after, strict=True), start=1):
        assert (fold[one.rows] == k).all()
        assert one.taught == (fold < k).sum()
        assert (one.prediction.tolist() == two.prediction.tolist()) == (k <= 3)
        assert (one.score.tolist() == two.score.tolist()) == (k < 3)


def test_the_learner_is_chosen_inside_the_training_folds():
    # Gain is a step in a product of features: trees see it, a line does not; and the reverse.
    rng = np.random.default_rng(9)
    x = rng.normal(size=(4000, 3))
    step = made_up(9, n=4000, tau=np.where(x[:, 0] * x[:, 2] > 0, 3.0, -3.0), features=x)
    assert benefit_folds.sequential(benefit_trial.check(step))[-1].learner == "boosted trees"
    assert benefit_folds.sequential(benefit_trial.check(made_up(10, n=4000)))[-1].learner == "linear"


def test_a_planted_gain_is_found_and_measured():
    best = (
        1.3998  # of a standard normal, the mean of its top fifth: what choosing by the gain itself would gain
    )
    found = benefit.combine(gains_of(made_up(11, n=4000)))
    assert found.value / found.error > 5
    assert found.interval(0.99)[0] < best < found.interval(0.99)[1] + 0.1


def test_missing_features_are_no_obstacle():
    trial = made_up()
    x = np.array(trial.features)
    x[::5, 1] = np.nan
    assert all(np.isfinite(g.value) for g in gains_of(replace(trial, features=x)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"w": np.arange(1500) % 3}, "w has 3 different values; expected 0 and 1"),
        ({"e": np.ones(1500)}, "share of 0 or 1"),
        ({"e": np.full(20, 0.4)}, r"e has shape \(20,\)"),
        ({"capacity": 1.0}, "capacity is 1.0"),
        ({"y": np.full(1500, np.nan)}, "y has shape .* missing"),
        (
            {"features": np.zeros(1500)},
            r"features have shape \(1500,\); expected \(1500, number of features\)",
        ),
        ({"clusters": [None] * 1500}, "clusters has missing values"),
        ({"groups": {"sex": ["a"]}}, "sex has 1 rows, y has 1500"),
    ],
)
def test_a_trial_that_does_not_fit_is_refused_by_name(change, says):
    with pytest.raises(AuditsInputError, match=says):
        benefit_trial.check(replace(made_up(), **change))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_found_where_there_is_nothing(python):
    """A size for CI of what benchmarks/audits_benefit.py runs in full: it exits with 1 if a share is above its limit."""
    done = subprocess.run(
        [python, str(ROOT / "benchmarks" / "audits_benefit.py"), "60", "30", "judged"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall("at most .* kept", done.stdout)) == 3
