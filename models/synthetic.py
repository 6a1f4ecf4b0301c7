"""Invented residents that satisfy a service's contract: for scale, for examples, for tests. Nobody's data is in them.

Each column is drawn on its own from its declared kind and range, never from real rows. So figures of *time* measured on
them hold; figures of *accuracy or fairness* mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.invented import person_ids

if TYPE_CHECKING:
    import numpy.typing as npt

    from models.service import Column, Service

_OPEN_RANGE = 100.0
"""Where a column declares no limit: numbers are drawn around 0 within this, amounts up to it."""
_TYPICAL_AMOUNT = 30.0
"""Mean of a drawn amount above zero, in the column's unit, where its range allows."""
_SPENDING_SHARE = 0.5
_UNKNOWN_SHARE = 0.02
_TARGET_SHARE = 0.2


def residents(service: Service, n: int, *, seed: int, outcome: bool = True) -> pd.DataFrame:
    """`n` invented people with valid values in every column.

    Args:
        service: Whose contract.
        n: How many, up to 2,922,000 (see :func:`models.invented.person_ids`).
        seed: The same seed gives the same people.
        outcome: With the columns of training and audit, or only what scoring reads.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, object] = {}
    for column in service.columns(outcome=outcome):
        if column.role == "person":
            values[column.name] = person_ids(n, seed=seed)
        elif column.role == "family":
            values[column.name] = [f"h{number}" for number in rng.integers(0, max(1, n // 2), n)]
        else:
            values[column.name] = _draw(column, n, rng)
    return pd.DataFrame(values)


def _draw(column: Column, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64] | npt.NDArray[np.str_]:
    if column.kind == "category":
        return rng.choice(np.array(column.categories), n)
    if column.kind == "identifier":
        return rng.integers(0, n, n).astype(str)
    low = column.low if column.low is not None else (0.0 if column.kind == "amount" else -_OPEN_RANGE)
    high = column.high if column.high is not None else _OPEN_RANGE
    if column.kind == "flag":
        drawn = (rng.random(n) < (_TARGET_SHARE if column.role == "outcome" else 0.5)).astype(np.float64)
    elif column.kind == "amount":
        spent = rng.exponential(min(_TYPICAL_AMOUNT, high), n).clip(low, high)
        drawn = np.where(rng.random(n) < _SPENDING_SHARE, spent, low)
    else:
        drawn = rng.normal((low + high) / 2, (high - low) / 6, n).clip(low, high)
    drawn = np.round(drawn, 2)
    if column.nullable:
        drawn[rng.random(n) < _UNKNOWN_SHARE] = np.nan
    return drawn
