from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from models import estimators, reasons, synthetic, training
from models.errors import ExplanationRefusedError, ModelsInputError
from models.health_benefit import SERVICE as HEALTH

if TYPE_CHECKING:
    import pandas as pd

    from models.service import Service
    from models.training import FittedModel


@pytest.mark.parametrize("recipe", ["linear", "boosted"])
def test_one_hot_and_missing_value_columns_count_for_the_column_they_came_from(
    bus_service: Service, recipe: str
) -> None:
    frame = synthetic.residents(bus_service, 400, seed=2)
    model = training.fit(bus_service, recipe, frame, seed=1)
    explained = reasons.explain(model.estimator, bus_service, frame)
    assert explained.contributions.shape == (400, 3)
    decision = model.estimator.decision_function(frame[list(bus_service.features)])
    assert np.allclose(explained.contributions.sum(axis=1) + explained.expected, decision, rtol=0, atol=1e-9)

    # A feature alone decides its own column: change the zone only, and only the zone's contribution moves (linear).
    if recipe == "linear":
        moved = reasons.explain(model.estimator, bus_service, frame.assign(zone="A_B"))
        difference = np.abs(moved.contributions - explained.contributions).max(axis=0)
        assert difference[0] > 0
        assert difference[1:].max() < 1e-12
        unknown = reasons.explain(model.estimator, bus_service, frame.assign(age=np.nan))
        difference = np.abs(unknown.contributions - explained.contributions).max(axis=0)
        assert difference[2] > 0
        assert difference[:2].max() < 1e-12


@pytest.mark.parametrize("recipe", ["need", "need-boosted"])
def test_explanations_of_real_rows_add_up_to_the_models_output(health: pd.DataFrame, recipe: str) -> None:
    model = training.fit(HEALTH, recipe, health, seed=1)
    explained = reasons.explain(model.estimator, HEALTH, health.head(300))
    decision = model.estimator.decision_function(health.head(300)[list(HEALTH.features)])
    assert np.abs(explained.contributions.sum(axis=1) + explained.expected - decision).max() < 1e-9


def test_the_linear_explanation_is_the_closed_form(health: pd.DataFrame, fitted: FittedModel) -> None:
    background = health.head(50)
    explained = reasons.explain(fitted.estimator, HEALTH, health.head(20), background)
    matrix, mean = (estimators.matrix(fitted.estimator, rows) for rows in (health.head(20), background))
    closed = (matrix - mean.mean(axis=0)) * fitted.estimator.named_steps["model"].coef_[0]
    by_name = dict(zip(estimators.source_columns(fitted.estimator), closed.T, strict=True))
    assert np.allclose(
        explained.contributions, np.column_stack([by_name[name] for name in HEALTH.features]), atol=1e-9
    )


def test_an_explanation_that_misses_the_model_is_refused(health: pd.DataFrame) -> None:
    """Native categories are where shap is silently wrong: it walks them as numbers, and its own check passes."""
    names = list(HEALTH.features)
    codes = health[names].round(0).clip(0, 12).fillna(0)
    columns = ColumnTransformer([("number", "passthrough", names)])
    boosted = HistGradientBoostingClassifier(
        max_iter=10, categorical_features=list(range(len(names))), random_state=1
    )
    wrong = Pipeline([("columns", columns), ("model", boosted)]).fit(codes, health["need"])
    with pytest.raises(ExplanationRefusedError, match="misses the model's own output by") as caught:
        reasons.explain(wrong, HEALTH, codes.head(200))
    assert caught.value.exit_code == 3


def test_a_model_of_another_family_is_refused(health: pd.DataFrame, fitted: FittedModel) -> None:
    other = Pipeline([*fitted.estimator.steps[:-1], ("model", DummyClassifier())])
    other.named_steps["model"].fit(np.zeros((2, 1)), [0, 1])
    with pytest.raises(ExplanationRefusedError, match="DummyClassifier"):
        reasons.explain(other, HEALTH, health.head(3))


def test_nobody_has_no_reasons(health: pd.DataFrame, fitted: FittedModel) -> None:
    assert reasons.explain(fitted.estimator, HEALTH, health.head(0)).contributions.shape == (
        0,
        len(HEALTH.features),
    )


def test_texts_name_the_families_that_spoke_most(bus_service: Service) -> None:
    assert reasons.text(bus_service, np.array([0.5, -0.2, 0.4]), "en") == ["Your age", "Your way to school"]
    assert reasons.text(bus_service, np.array([0.5, -0.2, 0.4]), "en", k=1) == ["Your age"]
    assert reasons.text(bus_service, np.array([0.5, -0.2, 0.4]), "en", direction="against") == []
    assert reasons.text(bus_service, np.array([-0.5, 0.2, 0.4]), "fi", direction="against") == [
        "Your way to school"
    ]


@pytest.mark.parametrize("direction", ["for", "against"])
def test_many_people_at_once_are_told_the_same_as_one_by_one(
    health: pd.DataFrame, fitted: FittedModel, direction: str
) -> None:
    rows = reasons.explain(fitted.estimator, HEALTH, health.head(50)).contributions
    together = reasons.leading(HEALTH, rows, 3, direction=direction)
    for row, families in zip(rows, together, strict=True):
        assert reasons.text(HEALTH, row, "en", direction=direction) == [
            HEALTH.family_texts[family]["en"] for family in families
        ]
    assert reasons.leading(HEALTH, rows[:0], 3) == []


def test_another_language_is_refused(bus_service: Service) -> None:
    with pytest.raises(ModelsInputError, match="no texts in 'de'"):
        reasons.text(bus_service, np.zeros(3), "de")


def test_each_language_has_its_own_words(health: pd.DataFrame, fitted: FittedModel) -> None:
    row = reasons.explain(fitted.estimator, HEALTH, health.head(1)).contributions[0]
    said = [tuple(reasons.text(HEALTH, row, language)) for language in ("fi", "sv", "en")]
    assert len(set(said)) == 3
    assert len({len(each) for each in said}) == 1
