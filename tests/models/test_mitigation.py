from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from models import estimators, mitigation, training
from models.errors import MitigationFailedError
from models.health_benefit import SERVICE as HEALTH
from models.scoring import score
from models.service import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from models.training import FittedModel


@pytest.fixture(scope="module")
def prepared(health: pd.DataFrame) -> tuple[Any, np.ndarray, np.ndarray]:
    estimator = estimators.build(HEALTH, "linear", seed=1)
    outcome = health["need"].to_numpy(dtype=np.int64)
    estimator[:-1].fit(health[list(HEALTH.features)], outcome)
    return estimator, estimators.matrix(estimator, health), outcome


def gap(frame: pd.DataFrame, selected: np.ndarray, group: np.ndarray) -> float:
    need = frame["need"].to_numpy() == 1
    return float(selected[need & group].mean() - selected[need & ~group].mean())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 6))
def test_one_models_log_odds_are_the_weighted_mean_of_its_members(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 4))
    members = [LogisticRegression().fit(X, rng.permutation(np.repeat([0, 1], 60))) for _ in range(n)]
    weights = rng.dirichlet(np.ones(n))
    model, constant = mitigation.one_model(members, weights)
    mean = sum(weight * member.decision_function(X) for member, weight in zip(members, weights, strict=True))
    assert np.allclose(model.decision_function(X), mean, rtol=0, atol=1e-12)
    assert constant == pytest.approx(0, abs=1e-12)
    assert type(model) is LogisticRegression


def test_the_deployed_model_is_the_mean_of_the_reductions_own_members(
    health: pd.DataFrame, prepared: tuple[Any, np.ndarray, np.ndarray], reduced: FittedModel
) -> None:
    _, matrix, outcome = prepared
    groups, _ = mitigation.constraint_groups(health, ("race", "sex"), outcome)
    members, weights = mitigation.reduction(matrix, outcome, groups, "equal-tpr", capacity=0.2, seed=1)
    mean = sum(
        weight * member.decision_function(matrix) for member, weight in zip(members, weights, strict=True)
    )
    deployed = reduced.estimator.decision_function(health[list(HEALTH.features)])
    assert np.allclose(deployed, mean, rtol=0, atol=1e-10)
    assert len(members) > 1


def test_members_that_say_the_same_of_everyone_are_told_and_left_out() -> None:
    X = np.random.default_rng(1).normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    linear = LogisticRegression().fit(X, y)
    constant = DummyClassifier(strategy="constant", constant=1).fit(X, y)
    model, share = mitigation.one_model([linear, constant], np.array([0.75, 0.25]))
    assert share == pytest.approx(0.25)
    assert np.allclose(model.decision_function(X), linear.decision_function(X))
    with pytest.raises(MitigationFailedError, match="Every member"):
        mitigation.one_model([constant], np.array([1.0]))


def test_the_reduction_brings_those_in_need_nearer_together(
    health: pd.DataFrame, fitted: FittedModel, reduced: FittedModel
) -> None:
    male = (health["sex"] == "male").to_numpy()
    before, after = (
        training.cross_fit(HEALTH, each.recipe, health, folds=2, seed=1, refit=each.estimator).selected
        for each in (fitted, reduced)
    )
    assert gap(health, before, male) < -0.10
    assert abs(gap(health, after, male)) < 0.08
    assert before.sum() == pytest.approx(after.sum(), abs=3)  # at the same capacity


def test_sensitive_features_play_no_part_at_scoring(health: pd.DataFrame, reduced: FittedModel) -> None:
    shuffled = health.assign(race=health["race"].to_numpy()[::-1], sex=health["sex"].to_numpy()[::-1])
    assert np.array_equal(
        score(reduced.estimator, HEALTH, health), score(reduced.estimator, HEALTH, shuffled)
    )
    assert any("race x sex" in note for note in reduced.notes)


def test_groups_too_small_to_constrain_are_pooled_and_named(health: pd.DataFrame) -> None:
    outcome = health["need"].to_numpy(dtype=np.int64)
    groups, pooled = mitigation.constraint_groups(health, ("race", "sex"), outcome)
    assert pooled == ("unknown x female", "unknown x male")
    assert sorted(set(groups)) == ["Black x female", "Black x male", "other x female", "other x male"]
    assert (groups == "other x female").sum() == (
        (health["race"] != "Black") & (health["sex"] == "female")
    ).sum() + ((health["race"] == "unknown") & (health["sex"] == "male")).sum()


def test_the_reduction_repeats_itself_and_puts_numpys_own_generator_back(
    health: pd.DataFrame, reduced: FittedModel
) -> None:
    np.random.seed(5)  # noqa: NPY002 - the generator this test is about
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    again = training.fit(HEALTH, "need-equal-tpr", health, seed=1)
    assert np.array_equal(score(again.estimator, HEALTH, health), score(reduced.estimator, HEALTH, health))
    assert np.random.random() == expected  # noqa: NPY002


def test_boosted_recipes_cannot_be_reduced_to_one_model(health: pd.DataFrame) -> None:
    recipe = Recipe(
        "x", "need", "", family="boosted", mitigation="equal-tpr", mitigation_features=("race", "sex")
    )
    with pytest.raises(MitigationFailedError, match="only linear recipes can"):
        training.fit(HEALTH, recipe, health, seed=1)


def test_group_thresholds_can_only_be_compared(health: pd.DataFrame) -> None:
    recipe = HEALTH.recipes["need"]
    fold = training.cross_fit(HEALTH, recipe, health, seed=1).fold
    fold = fold % 2
    compared, again = (
        mitigation.group_thresholds(HEALTH, recipe, health, attribute="race", fold=fold, seed=1)
        for _ in range(2)
    )
    assert compared.deployable is False
    assert {field.name for field in fields(compared)} == {
        "selected",
        "attribute",
        "selection_rate",
        "deployable",
    }
    assert np.array_equal(compared.selected, again.selected)
    assert compared.selection_rate == compared.selected.mean() > 0.2  # it keeps to no capacity
