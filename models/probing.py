"""What an audit asks of a model and of its refits: contributions of the folds' models, a feature moved over a grid, reasons taken away.

Arrays out, from the models themselves; what they mean is for an audit to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models import reasons
from models.folds import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from models.service import Service

SAMPLE = 500
"""People whose reasons are computed once more by every refit: linear models take some 10 ms, boosted ones about a second."""
PROBED = 100
"""People who are moved over a grid and have their reasons taken away."""
GRID = 15
"""Values of the grid at most: quantiles of what real people have, the least and the most among them."""
DELETED = 3
"""Reasons that are taken away at most: as many as a person is told."""
DRAWS = 5
"""Random choices of as many features, to hold the reasons against."""


@dataclass(frozen=True)
class Taken:
    """The model's output for people whose features were set to a reference.

    Args:
        before: float64[m], log-odds as people are.
        strongest: float64[k, m]: with the 1..k features that raised the person's score most at the reference.
        random: float64[draws, k, m]: with as many features drawn at random.
    """

    before: npt.NDArray[np.float64]
    strongest: npt.NDArray[np.float64]
    random: npt.NDArray[np.float64]


def sample(service: Service, frame: pd.DataFrame, *, n: int, seed: int) -> npt.NDArray[np.int64]:
    """int64[at most n], sorted row numbers: those of the keyed hash's first people, whoever else is in the table."""
    places = positions([str(p) for p in frame[service.person_column]], seed=seed, use="probe")
    return np.sort(np.argsort(places, kind="stable")[:n]).astype(np.int64)


def refit_contributions(
    service: Service, refits: Sequence[Any], frame: pd.DataFrame
) -> npt.NDArray[np.float64]:
    """float64[refits, n, features] in log-odds: every refit's own contributions for the same people.

    Raises:
        ExplanationRefusedError: One of them does not add up to its model's output.
    """
    return np.stack([reasons.explain(refit, service, frame).contributions for refit in refits])


def over_grid(
    estimator: Any, service: Service, frame: pd.DataFrame, feature: str, values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A feature of real people moved over a grid, all else as it is.

    Args:
        estimator: A pipeline of :mod:`models.estimators`.
        service: Whose features.
        frame: m rows of real people.
        feature: A number, amount or flag.
        values: What people have of it, float64[n]; unknown values are left out.

    Returns:
        The grid, float64[g] rising, g at most `GRID`; and the model's log-odds, float64[m, g]. Both empty where nothing is known.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(0), np.zeros((len(frame), 0))
    # Values that people have, not ones between them: a flag has no half.
    grid = np.unique(np.quantile(known, np.linspace(0, 1, GRID), method="nearest"))
    moved = frame.iloc[np.repeat(np.arange(len(frame)), len(grid))].assign(
        **{feature: np.tile(grid, len(frame))}
    )
    return grid, reasons.output(estimator, service, moved).reshape(len(frame), len(grid))


def taken_away(
    estimator: Any,
    service: Service,
    frame: pd.DataFrame,
    contributions: npt.NDArray[np.float64],
    everyone: pd.DataFrame,
    *,
    seed: int,
) -> Taken:
    """Sets the features that raised people's scores to a reference, and as many features drawn at random.

    The reference is what is usual among everyone: the median of a number, the commonest category.

    Args:
        estimator: A pipeline of :mod:`models.estimators`.
        service: Whose features.
        frame: m rows of real people.
        contributions: float64[m, features] of these, in log-odds.
        everyone: Rows that the reference is taken of.
        seed: Of the random choices.
    """
    names = list(service.features)
    k = min(DELETED, len(names))
    usual = [_usual(everyone[name]) for name in names]
    rng = np.random.default_rng(seed)
    random = rng.permuted(np.tile(np.arange(len(names)), (DRAWS, len(frame), 1)), axis=2)
    orders = np.concatenate([np.argsort(-contributions, axis=1, kind="stable")[None], random])
    ranks = np.argsort(orders, axis=2)
    gone = np.concatenate([np.zeros((1, *ranks.shape[1:]), dtype=bool)] + [
        rank[None] < taken for rank in ranks for taken in range(1, k + 1)
    ])  # fmt: skip
    changed = frame[names].iloc[np.tile(np.arange(len(frame)), len(gone))].reset_index(drop=True)
    where = gone.reshape(len(changed), len(names))
    out = reasons.output(estimator, service, changed.assign(**{
        name: _set(changed[name], where[:, j], value) for j, (name, value) in enumerate(zip(names, usual, strict=True))
    }))  # fmt: skip
    before, after = out[: len(frame)], out[len(frame) :].reshape(1 + DRAWS, k, len(frame))
    return Taken(before, after[0], after[1:])


def _usual(column: pd.Series) -> Any:
    known = column.dropna()
    if known.empty:
        return np.nan
    return known.median() if pd.api.types.is_numeric_dtype(known) else known.mode().iloc[0]


def _set(column: pd.Series, where: npt.NDArray[np.bool_], usual: Any) -> pd.Series:
    return column.astype("float64" if isinstance(usual, float) else object).mask(where, usual)
