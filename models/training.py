"""Fitting a recipe: deterministic given the seed, families whole in one fold, the threshold set by capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from models.service import Recipe, Service


@dataclass(frozen=True)
class FittedModel:
    """A trained version, not yet registered.

    Args:
        estimator: scikit-learn Pipeline on the service's raw feature columns (a data frame).
        threshold: Score (0..1) at or above which a person is offered the service: the capacity's quantile of the
            training rows' scores.
        recipe: How it was trained.
        capacity: Share of people the threshold was set for.
        features: The columns the estimator takes, in order.
        metrics: Figures of the training itself (rows, unknown outcomes, AUC on the training rows, ...).
        seed: Everything random came from it.
        notes: What happened in training that a reader must know (constant members, pooled groups).
    """

    estimator: Any
    threshold: float
    recipe: Recipe
    capacity: float
    features: tuple[str, ...]
    metrics: Mapping[str, float]
    seed: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CrossFit:
    """Every person scored by a model that saw neither them nor anyone of their family.

    Args:
        scores: float[n], probabilities 0..1.
        selected: bool[n], the top `capacity` of all cross-fitted scores.
        fold: int[n], 0..folds-1.
        threshold: The score at which `selected` begins.
        correlation: Pearson correlation (-1..1) of `scores` with those of the model refitted on everyone: how well the
            cross-fitted figures speak for the version that is deployed.
    """

    scores: npt.NDArray[np.float64]
    selected: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.int64]
    threshold: float
    correlation: float


def fit(
    service: Service, recipe: Recipe | str, frame: pd.DataFrame, *, seed: int, capacity: float | None = None
) -> FittedModel:
    """Train one version. Rows whose target is unknown are left out of the fit and counted in `metrics`."""
    raise NotImplementedError


def cross_fit(
    service: Service,
    recipe: Recipe | str,
    frame: pd.DataFrame,
    *,
    folds: int = 5,
    seed: int,
    capacity: float | None = None,
    refit: FittedModel | None = None,
) -> CrossFit:
    """Score everyone out of fold; rows with an unknown target are scored too, by a model of the other folds."""
    raise NotImplementedError


def held_out(service: Service, frame: pd.DataFrame, *, share: float = 0.25, seed: int) -> npt.NDArray[np.bool_]:
    """bool[n]: True for the families kept out of training and audit, chosen by a keyed hash of the family."""
    raise NotImplementedError
