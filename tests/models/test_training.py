from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import folds, synthetic, training
from models.errors import TrainingRefusedError, UnknownRecipeError
from models.fitted_digest import fitted_digest
from models.health_benefit import SERVICE as HEALTH
from models.scoring import capacity_threshold, score, select
from models.youth_exclusion import SERVICE as YOUTH

if TYPE_CHECKING:
    from models.service import Service
    from models.training import FittedModel


@pytest.mark.parametrize("recipe", ["need", "need-boosted"])
def test_the_same_seed_gives_the_same_model(health: pd.DataFrame, recipe: str) -> None:
    first, again = (training.fit(HEALTH, recipe, health, seed=3) for _ in range(2))
    assert np.array_equal(score(first.estimator, HEALTH, health), score(again.estimator, HEALTH, health))
    assert (first.threshold, first.data_digest, first.notes) == (
        again.threshold,
        again.data_digest,
        again.notes,
    )


def test_the_threshold_selects_the_capacity_of_the_training_rows(
    health: pd.DataFrame, fitted: FittedModel
) -> None:
    selected = select(score(fitted.estimator, HEALTH, health), threshold=fitted.threshold)
    assert selected.mean() == pytest.approx(0.20, abs=0.002)
    assert fitted.metrics["training_selected"] == selected.mean()
    assert fitted.metrics["rows"] == fitted.metrics["trained_rows"] == len(health)


def test_another_capacity_selects_more_with_the_same_scores(
    health: pd.DataFrame, fitted: FittedModel
) -> None:
    wider = training.fit(HEALTH, "need", health, seed=1, capacity=0.3)
    assert wider.threshold < fitted.threshold
    assert wider.metrics["training_selected"] == pytest.approx(0.30, abs=0.002)


def test_unknown_outcomes_are_left_out_of_the_fit_and_counted(youth: pd.DataFrame) -> None:
    known = youth[youth["left_school"].notna()]
    whole, part = (training.fit(YOUTH, "leaving", rows, seed=1) for rows in (youth, known))
    assert whole.metrics["unknown_outcome"] == 1_460
    assert whole.metrics["trained_rows"] == len(known)
    assert np.array_equal(score(whole.estimator, YOUTH, known), score(part.estimator, YOUTH, known))


def test_sensitive_columns_are_not_needed_to_score(health: pd.DataFrame, fitted: FittedModel) -> None:
    assert np.array_equal(
        score(fitted.estimator, HEALTH, health[list(HEALTH.features)]),
        score(fitted.estimator, HEALTH, health),
    )


def test_cross_fitting_keeps_families_whole_and_selects_the_capacity(
    health: pd.DataFrame, fitted: FittedModel
) -> None:
    crossed = training.cross_fit(HEALTH, "need", health, folds=5, seed=1, refit=fitted.estimator)
    assert (
        len(health.assign(fold=crossed.fold)[["family", "fold"]].drop_duplicates())
        == health["family"].nunique()
    )
    assert set(crossed.fold) == set(range(5))
    assert crossed.selected.mean() == pytest.approx(0.20, abs=0.005)
    assert crossed.correlation > 0.97
    # By hand, for one person: the share of the fold's model's own training scores that are lower, equal ones by half.
    one = int(np.flatnonzero(crossed.fold == 3)[0])
    taught = score(crossed.refits[3], HEALTH, health[crossed.fold != 3])
    mine = crossed.scores[one]
    assert crossed.quantiles[one] == pytest.approx(((taught < mine).mean() + (taught <= mine).mean()) / 2)
    assert crossed.trained_on == tuple(int((crossed.fold != k).sum()) for k in range(5))
    assert np.array_equal(crossed.refit_scores, score(fitted.estimator, HEALTH, health))
    assert len({fitted_digest(each) for each in (*crossed.refits, fitted.estimator)}) == 6
    assert 0 < crossed.threshold < 1
    whole = score(fitted.estimator, HEALTH, health)
    assert not np.array_equal(crossed.scores, whole)


def test_nobody_is_scored_by_a_model_that_saw_their_outcome(health: pd.DataFrame) -> None:
    crossed = training.cross_fit(HEALTH, "need", health, seed=1)
    changed = health.copy()
    inside = crossed.fold == 2
    changed.loc[inside, "need"] = 1 - changed.loc[inside, "need"]
    again = training.cross_fit(HEALTH, "need", changed, seed=1)
    assert np.array_equal(crossed.scores[inside], again.scores[inside])
    assert not np.array_equal(crossed.scores[~inside], again.scores[~inside])


def test_held_out_families_are_whole_and_about_the_share(health: pd.DataFrame) -> None:
    out = training.held_out(HEALTH, health, share=0.25, seed=7)
    assert len(health.assign(out=out)[["family", "out"]].drop_duplicates()) == health["family"].nunique()
    assert out.mean() == pytest.approx(0.25, abs=0.04)


def test_a_familys_place_does_not_depend_on_who_else_is_there(health: pd.DataFrame) -> None:
    some = health.sample(500, random_state=1)
    whole = pd.Series(training.held_out(HEALTH, health, seed=7), index=health.index)
    assert np.array_equal(training.held_out(HEALTH, some, seed=7), whole[some.index])


@settings(deadline=None)
@given(seed=st.integers(0, 2**40), n=st.integers(2, 12))
def test_folds_are_spread_evenly(seed: int, n: int) -> None:
    families = [f"f{k}" for k in range(600)]
    counts = np.bincount(folds.folds(families, n=n, seed=seed), minlength=n)
    assert counts.min() > 600 / n * 0.4
    assert len(counts) == n


def test_folds_and_the_held_out_part_are_independent_uses_of_one_seed() -> None:
    families = [f"f{k}" for k in range(2_000)]
    one, two = (folds.positions(families, seed=1, use=use) for use in ("fold", "held-out"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.08


def test_too_few_to_learn_from_is_refused(health: pd.DataFrame) -> None:
    with pytest.raises(
        TrainingRefusedError, match="known for 0 people with it and 50 without, at least 20"
    ) as caught:
        training.fit(HEALTH, "need", health[health["need"] == 0].head(50), seed=1)
    assert caught.value.exit_code == 2


def test_no_rows_at_all_are_refused(health: pd.DataFrame) -> None:
    with pytest.raises(TrainingRefusedError, match="known for 0 people with it and 0 without"):
        training.fit(HEALTH, "need", health.head(0), seed=1)


def test_an_unknown_recipe_is_refused_by_name(health: pd.DataFrame) -> None:
    with pytest.raises(UnknownRecipeError, match="has no recipe 'neeed'") as caught:
        training.fit(HEALTH, "neeed", health, seed=1)
    assert "need-equal-tpr" in caught.value.hint


@pytest.mark.parametrize("recipe", ["linear", "boosted"])
def test_unknown_values_and_categories_train_and_score(bus_service: Service, recipe: str) -> None:
    frame = synthetic.residents(bus_service, 400, seed=2)
    fitted = training.fit(bus_service, recipe, frame, seed=1)
    new = frame.head(3).assign(
        zone=["A", "C", "never seen"], distance=[np.nan, 1.0, 2.0], age=[np.nan, np.nan, 9.0]
    )
    assert np.isfinite(score(fitted.estimator, bus_service, new)).all()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 1))
def test_selection_by_capacity_reaches_the_highest_scores(values: list[float], capacity: float) -> None:
    scores = np.array(values)
    selected = select(scores, capacity=capacity)
    k = max(1, int(capacity * len(scores)))
    assert selected.sum() >= k
    assert scores[selected].min() > scores[~selected].max(initial=-1.0)
    assert (scores > capacity_threshold(scores, capacity)).sum() < k
