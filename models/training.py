"""Fitting a recipe: deterministic given the seed, families whole in one fold, the threshold set by capacity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_auc_score

from models import estimators
from models.artifact import Facts
from models.errors import TrainingRefusedError, UnknownRecipeError
from models.folds import folds as assign_folds
from models.folds import positions
from models.population import frame_digest
from models.scoring import capacity_threshold, score, select

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from models.service import Recipe, Service

MINIMUM_EVENTS = 20
"""Fewer people with (or without) the target than this are too few to learn from; the policy's own limit for judging."""


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
        metrics: Figures of the training itself: `rows`, `trained_rows`, `unknown_outcome`, `target_rate`,
            `training_auc`, `training_selected`, `threshold`.
        seed: Everything random came from it.
        data_digest: ``sha256:`` digest of the rows it was trained on, in their order.
        notes: What happened in training that a reader must know (constant members, pooled groups).
    """

    estimator: Any
    threshold: float
    recipe: Recipe
    capacity: float
    features: tuple[str, ...]
    metrics: Mapping[str, float]
    seed: int
    data_digest: str
    notes: tuple[str, ...] = ()

    def parameters(self) -> dict[str, str]:
        """How it was trained, as text for a tracking server."""
        return {
            "recipe": self.recipe.name,
            "target": self.recipe.target,
            "family": self.recipe.family,
            "mitigation": str(self.recipe.mitigation),
            "capacity": repr(self.capacity),
            "seed": str(self.seed),
        }

    def facts(self, service: Service) -> Facts:
        """What its artifact must say of it beside the estimator."""
        return Facts(
            service=service.id,
            recipe=self.recipe.name,
            threshold=self.threshold,
            capacity=self.capacity,
            features=self.features,
            contract_digest=service.contract_digest(),
            data_digest=self.data_digest,
            seed=self.seed,
            notes=self.notes,
        )


@dataclass(frozen=True)
class CrossFit:
    """Every person scored by a model that saw neither them nor anyone of their family.

    Args:
        scores: float64[n], probabilities 0..1.
        selected: bool[n], in each fold the top `capacity` of that fold's scores: what a threshold would select from
            people it has not seen, at the same capacity in every fold.
        fold: int64[n], 0..folds-1.
        threshold: Lowest score selected in any fold (a reader's orientation; `selected` decides).
        correlation: Spearman's rank correlation (-1..1) of `quantiles` with `refit_scores`: how well cross-fitted figures
            speak for the version that is deployed.
        refits: The folds' models, in the order of the folds: the same procedure on other people, by which
            :mod:`models.probing` tells whether its reasons hold.
        quantiles: float64[n], 0..1: each score's place among its own model's scores of the rows it was trained on, ties in the
            middle. Scores of different models are compared as these.
        refit_scores: float64[n], the scores of the model fitted on everyone.
        trained_on: Rows given to each of `refits`.
    """

    scores: npt.NDArray[np.float64]
    selected: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.int64]
    threshold: float
    correlation: float
    refits: tuple[Any, ...] = ()
    quantiles: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    refit_scores: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    trained_on: tuple[int, ...] = ()


def find_recipe(service: Service, recipe: Recipe | str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownRecipeError: The service has no such recipe; the message names those it has.
    """
    if not isinstance(recipe, str):
        return recipe
    if recipe not in service.recipes:
        raise UnknownRecipeError(
            f"'{service.id}' has no recipe '{recipe}'.", f"It has {', '.join(service.recipes)}."
        )
    return service.recipes[recipe]


def fit(
    service: Service, recipe: Recipe | str, frame: pd.DataFrame, *, seed: int, capacity: float | None = None
) -> FittedModel:
    """Train one version. Rows whose target is unknown are left out of the fit and counted in `metrics`.

    Args:
        service: What may be used.
        recipe: A recipe or its name.
        frame: Valid rows (:mod:`models.population`), all columns of the contract.
        seed: Decides everything random.
        capacity: Another share than the service's own, to show what it would cost whom.

    Raises:
        UnknownRecipeError: No such recipe.
        TrainingRefusedError: Fewer than `MINIMUM_EVENTS` known rows with or without the target.
        MitigationFailedError: The reduction found no usable member.
    """
    recipe = find_recipe(service, recipe)
    share = service.capacity if capacity is None else capacity
    estimator, notes = _estimator(service, recipe, frame, capacity=share, seed=seed)
    known, target = _target(recipe, frame)
    scores = score(estimator, service, frame)
    threshold = capacity_threshold(scores, share)
    metrics = {
        "rows": float(len(frame)),
        "trained_rows": float(known.sum()),
        "unknown_outcome": float((~known).sum()),
        "target_rate": float(target[known].mean()),
        "training_auc": float(roc_auc_score(target[known], scores[known])),
        "training_selected": float((scores >= threshold).mean()),
        "threshold": threshold,
    }
    return FittedModel(
        estimator=estimator,
        threshold=threshold,
        recipe=recipe,
        capacity=share,
        features=service.features,
        metrics=metrics,
        seed=seed,
        data_digest=frame_digest(frame),
        notes=notes,
    )


def cross_fit(
    service: Service,
    recipe: Recipe | str,
    frame: pd.DataFrame,
    *,
    folds: int = 5,
    seed: int,
    capacity: float | None = None,
    refit: Any = None,
) -> CrossFit:
    """Score everyone out of fold; rows with an unknown target are scored too, by a model of the other folds.

    Args:
        service: What may be used.
        recipe: A recipe or its name.
        frame: Valid rows, all columns of the contract.
        folds: How many, at least 2.
        seed: Decides everything random.
        capacity: Another share than the service's own.
        refit: The estimator fitted on all of `frame`, if it is there already; else it is fitted for the correlation.

    Raises:
        TrainingRefusedError: A fold is empty, or too little is known outside one.
        UnknownRecipeError: No such recipe.
        MitigationFailedError: The reduction found no usable member.
    """
    recipe = find_recipe(service, recipe)
    share = service.capacity if capacity is None else capacity
    fold = fold_of(service, frame, n=folds, seed=seed)
    scores, selected = np.zeros(len(frame)), np.zeros(len(frame), dtype=bool)
    quantiles, refits = np.zeros(len(frame)), []
    for k in range(folds):
        inside = fold == k
        if not inside.any():
            raise TrainingRefusedError(f"Fold {k + 1} of {folds} is empty.", "Use more rows or fewer folds.")
        estimator, _ = _estimator(service, recipe, frame[~inside], capacity=share, seed=seed)
        scores[inside] = score(estimator, service, frame[inside])
        selected[inside] = select(scores[inside], capacity=share)
        quantiles[inside] = _places(scores[inside], score(estimator, service, frame[~inside]))
        refits.append(estimator)
    if refit is None:
        refit = fit(service, recipe, frame, seed=seed, capacity=share).estimator
    whole = score(refit, service, frame)
    return CrossFit(
        scores=scores,
        selected=selected,
        fold=fold,
        threshold=float(scores[selected].min()),
        correlation=float(np.corrcoef(_ranks(quantiles), _ranks(whole))[0, 1]),
        refits=tuple(refits),
        quantiles=quantiles,
        refit_scores=whole,
        trained_on=tuple(int((fold != k).sum()) for k in range(folds)),
    )


def held_out(
    service: Service, frame: pd.DataFrame, *, share: float = 0.25, seed: int
) -> npt.NDArray[np.bool_]:
    """bool[n]: True for the families kept out of training and audit, chosen by a keyed hash of the family.

    About `share` of the families, never a part of one.
    """
    return positions(_families(service, frame), seed=seed, use="held-out") < share


def fold_of(service: Service, frame: pd.DataFrame, *, n: int, seed: int) -> npt.NDArray[np.int64]:
    """int64[rows], 0..n-1: the fold of each row in :func:`cross_fit`, families whole."""
    return assign_folds(_families(service, frame), n=n, seed=seed)


def _families(service: Service, frame: pd.DataFrame) -> list[str]:
    return [str(value) for value in frame[service.family_column or service.person_column]]


def _target(recipe: Recipe, frame: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Which rows' target is known, and the target (0.0, 1.0, NaN)."""
    target = frame[recipe.target].to_numpy(dtype=np.float64)
    return ~np.isnan(target), target


def _estimator(
    service: Service, recipe: Recipe, frame: pd.DataFrame, *, capacity: float, seed: int
) -> tuple[Any, tuple[str, ...]]:
    known, target = _target(recipe, frame)
    events, others = int((target[known] == 1).sum()), int((target[known] == 0).sum())
    if min(events, others) < MINIMUM_EVENTS:
        raise TrainingRefusedError(
            f"'{recipe.target}' is known for {events} people with it and {others} without, at least {MINIMUM_EVENTS} of "
            "each were expected.",
            "Train on more rows, or check that enough people consented.",
        )
    rows, outcome = frame[known], target[known].astype(np.int64)
    estimator = estimators.build(service, recipe.family, seed=seed)
    if recipe.mitigation is None:
        estimator.fit(rows[list(service.features)], outcome)
        return estimator, ()
    # fairlearn costs 2 s to import: only a recipe that asks for it pays.
    from models import mitigation  # noqa: PLC0415 - see above

    return mitigation.fit(estimator, service, recipe, rows, outcome, capacity=capacity, seed=seed)


def _places(scores: npt.NDArray[np.float64], among: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of other scores below each of these, equal ones by half."""
    ordered = np.sort(among)
    below, upto = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return (below + upto) / (2 * len(ordered))


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Average ranks, so that ties count alike."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
