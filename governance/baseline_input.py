"""From a service and a version's folds to the simpler ways that an audit holds it against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.check import Comparator, Simpler
from models import simple

if TYPE_CHECKING:
    import pandas as pd

    from models.artifact import Facts
    from models.service import Recipe, Service
    from models.simple import Simple
    from models.training import CrossFit

_COMPLEXITY = {"linear": "", "boosted": "gradient boosted trees"}
"""What about a family cannot be worked out by hand."""


def simpler(
    service: Service,
    recipe: Recipe,
    rows: pd.DataFrame,
    crossed: CrossFit,
    facts: Facts,
) -> Simpler:
    """What the office did before, a scorecard, and for a boosted version plain logistic regression; in the version's own folds.

    Args:
        service: Declares what was done before.
        recipe: The version's.
        rows: Everybody who was cross-fitted.
        crossed: Its folds and their models.
        facts: Capacity and seed.
    """
    scorecard, logistic = simple.cross_fitted(
        service,
        recipe,
        rows,
        crossed.fold,
        capacity=facts.capacity,
        seed=facts.seed,
        plain=crossed.refits if recipe.family == "linear" and recipe.mitigation is None else (),
    )
    before = simple.prior(service, rows, crossed.fold, facts.capacity)
    held = [] if before is None else [_comparator(before, simple=False)]
    held.append(_comparator(scorecard, simple=True))
    if recipe.family == "boosted":
        held.append(_comparator(logistic, simple=True))
    return Simpler(tuple(held), _COMPLEXITY[recipe.family])


def _comparator(one: Simple, *, simple: bool) -> Comparator:
    return Comparator(one.name, one.label, one.selected.astype(np.int8), one.scores, simple)
