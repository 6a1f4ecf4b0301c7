"""Scores and who is selected. Deterministic: nobody's offer hangs on a random number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import ModelsInputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from models.service import Service


def score(estimator: Any, service: Service, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """float64[n] in 0..1, one score a row. Columns other than the service's features are not read.

    Raises:
        ModelsInputError: A feature column is missing.
    """
    missing = [name for name in service.features if name not in frame.columns]
    if missing:
        raise ModelsInputError(
            f"Feature column missing: {', '.join(missing)}.", "Load the file with models.population.load."
        )
    if frame.empty:
        return np.zeros(0)
    return np.asarray(estimator.predict_proba(frame[list(service.features)])[:, 1], dtype=np.float64)


def capacity_threshold(scores: npt.NDArray[np.float64], capacity: float) -> float:
    """The score of the last person within capacity: the k-th highest, k = floor(capacity * n), at least 1.

    Args:
        scores: float64[n], n >= 1.
        capacity: Share of people that can be reached, 0 < capacity <= 1.

    Raises:
        ModelsInputError: No scores, or a capacity outside 0..1.
    """
    if not 0 < capacity <= 1:
        raise ModelsInputError(
            f"Capacity {capacity} was given, a share above 0 and up to 1 was expected.", ""
        )
    if len(scores) == 0:
        raise ModelsInputError("There are no scores to set a threshold on.", "Check the population.")
    k = max(1, int(capacity * len(scores)))
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def select(
    scores: npt.NDArray[np.float64], *, threshold: float | None = None, capacity: float | None = None
) -> npt.NDArray[np.bool_]:
    """bool[n]: who is selected, by a fixed threshold or the highest share. Equal scores are treated equally.

    People who tie at the capacity's edge are all selected, so slightly more than the capacity may be.

    Raises:
        ModelsInputError: Both or neither of threshold and capacity.
    """
    if (threshold is None) == (capacity is None):
        raise ModelsInputError("Give a threshold or a capacity, one of the two.", "")
    if len(scores) == 0:
        return np.zeros(0, dtype=bool)
    if capacity is not None:
        threshold = capacity_threshold(scores, capacity)
    return np.asarray(scores >= np.float64(threshold if threshold is not None else np.inf), dtype=bool)
