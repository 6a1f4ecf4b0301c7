"""A randomised trial as an audit takes it: checked, aligned, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from audits.errors import AuditsInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FOLDS = 5
"""Folds; the first is only learnt from. Source: issue 4, point 14."""


class Regressor(Protocol):
    """What a learner has to do: scikit-learn's regressors do it."""

    def fit(self, X: NDArray[np.float64], y: NDArray[np.float64]) -> object:
        """Learns.

        Args:
            X: Features, [n, f].
            y: What to predict, [n].

        Returns:
            Anything.
        """
        ...

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predicts.

        Args:
            X: Features, [m, f].

        Returns:
            float64[m].
        """
        ...


Learner = Callable[[int], Regressor]
"""Makes a regressor that has learnt nothing yet, from a seed."""


@dataclass(frozen=True)
class Trial:
    """A randomised trial, and the way of choosing that is to be audited on it.

    Args:
        y: Outcome, [n], numbers.
        w: 1 = treated, 0 = not, [n].
        e: Share of people like this whom the design treats, [n], strictly between 0 and 1. The design's own number, never one
            estimated from the features.
        features: float[n, f], what a model may choose by, known before the treatment. May hold NaN only if every learner takes it.
        capacity: Share of people who can be chosen when the model is deployed, strictly between 0 and 1.
        stratum: Stratum within which people were randomised (site, wave), [n]; None: one.
        clusters: Family of each person, [n]; None: independent people.
        groups: Sensitive features, by name, [n] each: who gets the benefit.
        learners: Name and maker of the ways of predicting gain that may be chosen; None: `audits.benefit_folds.LEARNERS`.
        least_gain: The smallest gain that would be worth having, declared before the trial's outcomes are looked at, in units of
            `y`. None: nothing can be called too small.
        higher_is_better: False where a low outcome is the good one: gains are then counted the other way.
        treatment: The treatment in plain words.
        outcome: The outcome in plain words.
    """

    y: ArrayLike
    w: ArrayLike
    e: ArrayLike
    features: ArrayLike
    capacity: float
    stratum: ArrayLike | None = None
    clusters: ArrayLike | None = None
    groups: Mapping[str, ArrayLike] = field(default_factory=dict)
    learners: Mapping[str, Learner] | None = None
    least_gain: float | None = None
    higher_is_better: bool = True
    treatment: str = "treatment"
    outcome: str = "outcome"


@dataclass(frozen=True)
class TrialArrays:
    """The trial's columns, of one length and type.

    Args:
        y: float64[n]; higher is better.
        w: int8[n], 0 or 1.
        e: float64[n], strictly between 0 and 1.
        x: float64[n, f].
        strata: Names, sorted.
        stratum: int64[n], index into `strata`.
        clusters: int64[n], 0 to the number of families less 1; None: independent people.
        names: Name of each cluster as given (of each row without clusters): what folds are drawn by.
        groups: By sensitive feature: groups, sorted, and int64[n], index into them; ``unknown`` where a value is missing.
    """

    y: NDArray[np.float64]
    w: NDArray[np.int8]
    e: NDArray[np.float64]
    x: NDArray[np.float64]
    strata: tuple[str, ...]
    stratum: NDArray[np.int64]
    clusters: NDArray[np.int64] | None
    names: tuple[str, ...]
    groups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int64]]]


def check(trial: Trial) -> TrialArrays:
    """Checks a trial. No message holds a value of anybody.

    Args:
        trial: As given.

    Returns:
        Its columns.

    Raises:
        AuditsInputError: Columns that do not fit together, a third arm, a share of 0 or 1, a missing value where none may be.
    """
    y = _numbers("y", trial.y)
    n = len(y)
    w = _numbers("w", trial.w, n)
    if not np.isin(w, (0.0, 1.0)).all():
        raise AuditsInputError(
            f"w has {len(np.unique(w))} different values; expected 0 and 1",
            "audit two arms at a time, and leave out the rows of the others",
        )
    e = _numbers("e", trial.e, n)
    if n == 0 or e.min() <= 0 or e.max() >= 1:
        raise AuditsInputError(
            "e has a share of 0 or 1 (or the trial has no rows); expected shares strictly between",
            "leave out strata in which everybody, or nobody, is treated: nothing was randomised there",
        )
    if not 0 < trial.capacity < 1:
        raise AuditsInputError(
            f"capacity is {trial.capacity}; expected a share strictly between 0 and 1",
            "with room for everybody there is nobody to choose",
        )
    x = np.asarray(trial.features, dtype=np.float64)
    if x.ndim != 2 or len(x) != n or x.shape[1] == 0:  # noqa: PLR2004  rows and columns
        raise AuditsInputError(
            f"features have shape {x.shape}; expected ({n}, number of features)", "code categories as numbers"
        )
    strata, stratum = _labels("stratum", np.zeros(n) if trial.stratum is None else trial.stratum, n)
    clusters, names = None, tuple(str(i) for i in range(n))
    if trial.clusters is not None:
        names, clusters = _labels("clusters", trial.clusters, n)
    return TrialArrays(
        y=y if trial.higher_is_better else -y,
        w=w.astype(np.int8),
        e=e,
        x=x,
        strata=strata,
        stratum=stratum,
        clusters=clusters,
        names=names,
        groups={str(k): _labels(str(k), v, n, unknown=True) for k, v in trial.groups.items()},
    )


def _numbers(name: str, values: Any, n: int | None = None) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AuditsInputError(
            f"{name} holds something that is not a number", "code it as numbers"
        ) from error
    if array.ndim != 1 or not np.isfinite(array).all() or (n is not None and len(array) != n):
        expected = "one finite number per person" if n is None else f"{n} finite numbers"
        raise AuditsInputError(
            f"{name} has shape {array.shape} or values that are missing; expected {expected}",
            "leave out people whose outcome is unknown, by a rule that does not look at the treatment, and say so",
        )
    return array


def _labels(
    name: str, values: Any, n: int, *, unknown: bool = False
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    column = pd.Series(np.asarray(values, dtype=object))
    if len(column) != n:
        raise AuditsInputError(
            f"{name} has {len(column)} rows, y has {n}", "pass one value per person, in one order"
        )
    if not unknown and column.isna().any():
        raise AuditsInputError(
            f"{name} has missing values", "give such a person a family or stratum of their own"
        )
    texts = np.array(
        ["unknown" if missing else str(v) for v, missing in zip(column, column.isna(), strict=True)]
    )
    distinct, codes = np.unique(texts, return_inverse=True)
    return tuple(str(d) for d in distinct), codes.astype(np.int64)
