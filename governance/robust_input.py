"""From a version and its folds' models to what an audit takes of its robustness: moved features, and who was learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.robust_facts import Membership, Perturbation, Robustness
from models import scoring, training

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from models.artifact import Facts
    from models.service import Service
    from models.training import CrossFit

DRAWS = 2
MOST = 20_000
"""People looked at, at most: an interval of half a point needs no more."""
_DECIMALS = 4
"""A number written with so many decimals or more has no step that the rows would tell."""


def robustness(
    service: Service, estimator: Any, rows: pd.DataFrame, crossed: CrossFit, facts: Facts
) -> Robustness:
    """Ask the version again with features moved, and the folds' models about people they learnt from and people they did not.

    Args:
        service: Declares features and their limits.
        estimator: The deployed model.
        rows: The people audited.
        crossed: Folds, and their models.
        facts: Threshold, seed and recipe of the version.

    Returns:
        Its input. At most 20,000 people, evenly spaced in the rows' order.
    """
    taken = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(np.int64))
    some = rows.iloc[taken]
    return Robustness(
        perturbation=_moved(service, estimator, some, facts),
        membership=_learnt(service, some, crossed, crossed.fold[taken], facts),
    )


def step(values: npt.NDArray[np.float64]) -> float | None:
    """The step in which a number is written: 1, .1, .01 or .001.

    Args:
        values: As in the rows; nan where unknown.

    Returns:
        The largest of which all are multiples; None: none is, or there are two values at most.
    """
    known = values[~np.isnan(values)]
    if len(np.unique(known)) <= 2:  # noqa: PLR2004  a flag has no step
        return None
    for decimals in range(_DECIMALS):
        if np.allclose(known, np.round(known, decimals), rtol=0, atol=1e-9):
            return float(10.0**-decimals)
    return None


def _moved(service: Service, estimator: Any, rows: pd.DataFrame, facts: Facts) -> Perturbation | None:
    numbers = [n for n in service.features if service.column(n).kind in {"number", "amount"}]
    found = {n: step(rows[n].to_numpy(dtype=np.float64)) for n in numbers}
    steps = {name: size for name, size in found.items() if size is not None}
    if not steps:
        return None
    rng = np.random.default_rng(facts.seed)
    before = scoring.score(estimator, service, rows) >= facts.threshold
    after = []
    for _ in range(DRAWS):
        moved = rows[list(service.features)].copy()
        for name, size in steps.items():
            column = service.column(name)
            low = 0.0 if column.kind == "amount" and column.low is None else column.low
            away = rows[name].to_numpy(dtype=np.float64) + size * rng.integers(-1, 2, len(rows))
            moved[name] = (
                np.clip(away, low, column.high) if low is not None or column.high is not None else away
            )
        after.append(scoring.score(estimator, service, moved) >= facts.threshold)
    return Perturbation(
        before,
        np.array(after),
        {name: rows[name].to_numpy(dtype=object) for name in service.sensitive_features},
        steps,
        tuple(n for n in service.features if n not in steps),
    )


def _learnt(
    service: Service, rows: pd.DataFrame, crossed: CrossFit, fold: npt.NDArray[np.int64], facts: Facts
) -> Membership | None:
    target = rows[training.find_recipe(service, facts.recipe).target].to_numpy(dtype=np.float64)
    known = np.flatnonzero(~np.isnan(target))
    if not crossed.refits or not len(known):
        return None
    scores = [scoring.score(model, service, rows.iloc[known]) for model in crossed.refits]
    member = np.concatenate([fold[known] != k for k in range(len(scores))])
    if member.all() or not member.any():
        return None
    return Membership(
        y_true=np.tile(target[known].astype(np.int8), len(scores)),
        y_score=np.concatenate(scores),
        member=member,
        people=np.tile(known, len(scores)),
    )
