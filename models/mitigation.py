"""fairlearn's reduction, deployed as one deterministic model; group thresholds as a comparison that cannot be deployed.

A reduction (Agarwal et al. 2018, "A Reductions Approach to Fair Classification", arXiv:1803.02453) gives a *lottery*
over many models: the same person could be offered help today and not tomorrow. What is deployed here is one logistic
regression whose log-odds are the weighted mean of its members' log-odds; for linear members this is exact, since a mean
of linear functions is linear. It is a model of its own, so it is audited like any other: the reduction's guarantees are
the lottery's, not this model's.

Sensitive features enter in training only. Neither the fairlearn object (which holds the training rows) nor a group
threshold ever reaches an artifact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ErrorRate, ExponentiatedGradient, TruePositiveRateParity
from sklearn.linear_model import LogisticRegression

from models import estimators
from models.errors import MitigationFailedError
from models.scoring import capacity_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from models.service import Recipe, Service

DIFFERENCE_BOUND = 0.005
"""Largest difference between a group's rate and everyone's that the reduction aims at, as a share. fairlearn's default is
.01; tighter costs no time here and brings equal selection nearer (benchmarks/models_rand.py)."""

ROUNDS = 30
"""Most rounds of the reduction; it ends sooner when its gap closes. fairlearn's default is 50."""

MINIMUM_GROUP_EVENTS = 20
"""A group with fewer people who have the target is too small to constrain: it is trained on, pooled with the largest."""

_MINIMUM_WEIGHT = 1e-6


def fit(
    estimator: Pipeline,
    service: Service,
    recipe: Recipe,
    rows: pd.DataFrame,
    outcome: npt.NDArray[np.int64],
    *,
    capacity: float,
    seed: int,
) -> tuple[Pipeline, tuple[str, ...]]:
    """Fit the pipeline's preparation, run the reduction on its matrix, and put the one model it comes to at its end.

    Args:
        estimator: Unfitted linear pipeline of :func:`models.estimators.build`.
        service: Whose features.
        recipe: With a mitigation and its features.
        rows: Rows with a known target, all columns of the contract.
        outcome: int64[n], 0 or 1.
        capacity: Share the service reaches, 0..1: where the rates are to be equal.
        seed: The reduction itself has no chance in it; kept so that a change in fairlearn cannot bring any in unseen.

    Returns:
        The fitted pipeline, whose last step is a plain LogisticRegression, and what a reader must know.

    Raises:
        MitigationFailedError: The recipe is not linear, or no linear member was found.
    """
    if recipe.family != "linear" or recipe.mitigation is None:
        raise MitigationFailedError(
            f"Recipe '{recipe.name}' cannot be reduced to one model: only linear recipes can.",
            "Use a linear recipe, whose members' log-odds have an exact mean.",
        )
    features = rows[list(service.features)]
    estimator[:-1].fit(features, outcome)
    prepared = estimators.matrix(estimator, features)
    groups, pooled = constraint_groups(rows, recipe.mitigation_features, outcome)
    members, weights = reduction(prepared, outcome, groups, recipe.mitigation, capacity=capacity, seed=seed)
    model, constants = one_model(members, weights)
    estimator.steps[-1] = ("model", model)
    notes = [
        f"One model from {len(members)} members of fairlearn's reduction over {' x '.join(recipe.mitigation_features)}."
    ]
    if pooled:
        notes.append(
            f"Too few to constrain (under {MINIMUM_GROUP_EVENTS} people with the target), pooled with the largest group: "
            f"{', '.join(pooled)}."
        )
    if constants:
        notes.append(
            f"{constants:.1%} of the reduction's weight lay on members that say the same of everyone; they order nobody and "
            "are not in the mean."
        )
    return estimator, tuple(notes)


def constraint_groups(
    rows: pd.DataFrame, names: Sequence[str], outcome: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.str_], tuple[str, ...]]:
    """Each row's group, and the names of the groups that were too small and joined the largest.

    Args:
        rows: Rows with the sensitive columns.
        names: The columns whose combinations are the groups.
        outcome: int64[n], 0 or 1.
    """
    first, *others = (rows[name].to_numpy(dtype=str) for name in names)
    labels = first
    for other in others:
        labels = np.char.add(np.char.add(labels, " x "), other)
    present, counts = np.unique(labels, return_counts=True)
    events = {str(name): int(outcome[labels == name].sum()) for name in present}
    largest = str(present[np.argmax(counts)])
    pooled = tuple(name for name in events if events[name] < MINIMUM_GROUP_EVENTS and name != largest)
    return np.where(np.isin(labels, pooled), largest, labels), pooled


def reduction(
    prepared: npt.NDArray[np.float64],
    outcome: npt.NDArray[np.int64],
    groups: npt.NDArray[np.str_],
    mitigation: Literal["equal-tpr", "equal-selection"],
    *,
    capacity: float,
    seed: int,
) -> tuple[list[Any], npt.NDArray[np.float64]]:
    """The members of fairlearn's reduction and their weights (which sum to 1).

    The reduction makes rates equal where its classifiers decide. Left alone that is a probability of one half, which in
    these services selects far fewer than the capacity; so its two errors are priced such that the plain model's decision
    falls exactly at its capacity.

    Args:
        prepared: float64[n, columns].
        outcome: int64[n], 0 or 1.
        groups: str[n].
        mitigation: Which rate is to be equal.
        capacity: Share selected, 0..1.
        seed: Sets numpy's legacy generator for the call, and puts it back.
    """
    constraint = {"equal-tpr": TruePositiveRateParity, "equal-selection": DemographicParity}[mitigation]
    plain = estimators.logistic_member().fit(prepared, outcome)
    edge = capacity_threshold(plain.predict_proba(prepared)[:, 1], capacity)
    before = np.random.get_state()  # noqa: NPY002 - fairlearn knows no other generator
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the same
    try:
        found = ExponentiatedGradient(
            estimators.logistic_member(),
            constraint(difference_bound=DIFFERENCE_BOUND),
            objective=ErrorRate(costs={"fp": edge, "fn": 1.0 - edge}),
            eps=DIFFERENCE_BOUND,
            max_iter=ROUNDS,
        ).fit(prepared, outcome, sensitive_features=groups)
    finally:
        np.random.set_state(before)  # noqa: NPY002 - the same
    weights = np.asarray(found.weights_, dtype=np.float64)
    used = np.flatnonzero(weights > _MINIMUM_WEIGHT)
    return [found.predictors_.iloc[int(k)] for k in used], weights[used] / weights[used].sum()


def one_model(members: Sequence[Any], weights: npt.NDArray[np.float64]) -> tuple[LogisticRegression, float]:
    """One LogisticRegression whose log-odds are the weighted mean of the members' log-odds.

    Members that say the same of everyone have no finite log-odds: they are left out, the other weights are scaled to sum
    to 1, and their share is returned for the reader.

    Returns:
        The model, and the weight (0..1) that lay on constant members.

    Raises:
        MitigationFailedError: Every member is constant.
    """
    linear = [(m, w) for m, w in zip(members, weights, strict=True) if isinstance(m, LogisticRegression)]
    total = float(sum(weight for _, weight in linear))
    if not linear or total <= 0:
        raise MitigationFailedError(
            "Every member of the reduction says the same of everyone, a linear member was expected.",
            "Train on more rows, or without a mitigation.",
        )
    first = linear[0][0]
    model = LogisticRegression(**first.get_params())
    model.classes_ = first.classes_.copy()
    model.n_features_in_ = first.n_features_in_
    model.n_iter_ = np.array([len(linear)], dtype=np.int32)
    model.coef_ = sum(weight / total * member.coef_ for member, weight in linear)
    model.intercept_ = sum(weight / total * member.intercept_ for member, weight in linear)
    return model, max(0.0, 1.0 - total)


@dataclass(frozen=True)
class GroupThresholds:
    """What fairlearn's ThresholdOptimizer would select: a comparison, never a version.

    It treats two people with the same facts differently by group, needs the sensitive feature of everyone at scoring,
    and decides by lot near its thresholds. There is no estimator in here, so nothing can be registered from it.

    Args:
        selected: bool[n], cross-fitted; one draw of its lottery, by the seed.
        attribute: The sensitive feature it sets thresholds by.
        selection_rate: Share selected, 0..1: it does not keep to the capacity.
        deployable: Always False.
    """

    selected: npt.NDArray[np.bool_]
    attribute: str
    selection_rate: float
    deployable: Literal[False] = False


def group_thresholds(
    service: Service,
    recipe: Recipe,
    frame: pd.DataFrame,
    *,
    attribute: str,
    fold: npt.NDArray[np.int64],
    seed: int,
) -> GroupThresholds:
    """Cross-fitted selections of a ThresholdOptimizer on top of the recipe's plain estimator.

    Args:
        service: Whose features.
        recipe: Its target and family (its mitigation is not used).
        frame: Valid rows, all columns of the contract.
        attribute: One sensitive column.
        fold: int64[n] of :class:`models.training.CrossFit`.
        seed: Of its lottery.
    """
    selected = np.zeros(len(frame), dtype=bool)
    target = frame[recipe.target].to_numpy(dtype=np.float64)
    names = list(service.features)
    for k in np.unique(fold):
        train = (fold != k) & ~np.isnan(target)
        inside = fold == k
        optimizer = ThresholdOptimizer(
            estimator=estimators.build(service, recipe.family, seed=seed),
            constraints="true_positive_rate_parity",
            objective="balanced_accuracy_score",
            predict_method="predict_proba",
        )
        optimizer.fit(
            frame.loc[train, names],
            target[train].astype(np.int64),
            sensitive_features=frame.loc[train, attribute].to_numpy(dtype=str),
        )
        selected[inside] = np.asarray(
            optimizer.predict(
                frame.loc[inside, names],
                sensitive_features=frame.loc[inside, attribute].to_numpy(dtype=str),
                random_state=seed,
            )
        ).astype(bool)
    return GroupThresholds(selected, attribute, float(selected.mean()))
