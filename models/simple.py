"""The simple models that a version is held against: what the office did before, a scorecard of whole points, logistic regression.

Cross-fitted in the version's own folds, at its capacity, on its target: so that they differ from it in nothing but themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from models import estimators
from models.errors import TrainingRefusedError
from models.estimators import logistic_member
from models.scoring import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from models.service import Recipe, Service

FEATURES = 5
"""Features on a scorecard at most: what fits on a sheet of paper."""
POINTS = 10
"""Points of its strongest feature, per standard deviation; all others are whole numbers beside it."""


@dataclass(frozen=True)
class Simple:
    """Everyone's score by a simple model that did not learn from them.

    Args:
        name: ``prior``, ``scorecard`` or ``logistic``.
        label: In plain words, English.
        scores: float64[n]: points, log-odds or the feature; higher comes first.
        selected: bool[n], in each fold the top of these, up to capacity.
    """

    name: Literal["prior", "scorecard", "logistic"]
    label: str
    scores: npt.NDArray[np.float64]
    selected: npt.NDArray[np.bool_]


def prior(
    service: Service, frame: pd.DataFrame, fold: npt.NDArray[np.int64], capacity: float
) -> Simple | None:
    """What the office did before, at the version's capacity in each of its folds; None where the service declares nothing.

    Args:
        service: Declares `prior_rule`.
        frame: n rows.
        fold: int64[n].
        capacity: Share selected, 0 to 1.
    """
    rule = service.prior_rule
    if rule is None:
        return None
    values = frame[rule.feature].to_numpy(dtype=np.float64)
    order = values if rule.first == "highest" else -values
    # Unknown comes last; one step under the least known, so that the order stays finite.
    scores = np.where(np.isnan(order), np.nanmin(order) - 1 if not np.isnan(order).all() else 0.0, order)
    return Simple("prior", rule.description, scores, _selected(scores, fold, capacity))


def cross_fitted(
    service: Service,
    recipe: Recipe,
    frame: pd.DataFrame,
    fold: npt.NDArray[np.int64],
    *,
    capacity: float,
    seed: int,
    plain: Sequence[Any] = (),
) -> tuple[Simple, Simple]:
    """A scorecard and a plain logistic regression on the recipe's target.

    The scorecard takes the `FEATURES` columns with the largest coefficients of the logistic regression on standardised columns,
    is fitted on them alone, and its coefficients become whole points, `POINTS` for the largest (the unit-weight family: Ustun and
    Rudin 2016 have the optimal ones; rounding is the simple way).

    Args:
        service: What may be used.
        recipe: Whose target.
        frame: n valid rows.
        fold: int64[n]; each is scored by a model of the others.
        capacity: Share selected in each fold, 0 to 1.
        seed: Of the pipeline; the linear one has no chance in it.
        plain: The folds' models in order, where the version itself is the plain logistic regression: then they are not fitted
            again. Empty: they are fitted here.

    Raises:
        TrainingRefusedError: A fold leaves only one outcome to learn from.
    """
    target = frame[recipe.target].to_numpy(dtype=np.float64)
    known, names = ~np.isnan(target), list(service.features)
    points, odds = np.zeros(len(frame)), np.zeros(len(frame))
    for k in np.unique(fold):
        inside = fold == k
        rows, outcome = frame.loc[~inside & known, names], target[~inside & known].astype(np.int64)
        if not 0 < outcome.sum() < len(outcome):
            raise TrainingRefusedError(
                f"Outside fold {k + 1} '{recipe.target}' has one value only.", "Use more rows or fewer folds."
            )
        fitted = plain[int(k)] if plain else estimators.build(service, "linear", seed=seed).fit(rows, outcome)
        learnt, here = estimators.matrix(fitted, rows), estimators.matrix(fitted, frame.loc[inside, names])
        coefficients = fitted.named_steps["model"].coef_[0]
        odds[inside] = fitted.named_steps["model"].decision_function(here)
        chosen = np.sort(np.argsort(-np.abs(coefficients), kind="stable")[:FEATURES])
        few = logistic_member().fit(learnt[:, chosen], outcome).coef_[0]
        weights = np.round(POINTS * few / (np.abs(few).max() or 1.0))
        points[inside] = here[:, chosen] @ weights
    return (
        Simple(
            "scorecard",
            f"a scorecard of at most {FEATURES} features with whole points",
            points,
            _selected(points, fold, capacity),
        ),
        Simple("logistic", "plain logistic regression", odds, _selected(odds, fold, capacity)),
    )


def _selected(
    scores: npt.NDArray[np.float64], fold: npt.NDArray[np.int64], capacity: float
) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(len(scores), dtype=bool)
    for k in np.unique(fold):
        chosen[fold == k] = select(scores[fold == k], capacity=capacity)
    return chosen
