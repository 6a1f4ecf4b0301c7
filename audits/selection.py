"""From scores to whom a model selects, at a threshold or within a capacity. Pure."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from audits.errors import AuditsInputError
from audits.report import SIGNIFICANT

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Selection(NamedTuple):
    """Whom a model selects.

    Args:
        y_pred: 0 or 1, [n].
        threshold: Scores from this one on are selected.
        note: What the choice left open, in plain words; "" where nothing.
    """

    y_pred: NDArray[np.int8]
    threshold: float
    note: str


def select(scores: ArrayLike, *, threshold: float | None, capacity: float | None) -> Selection:
    """Selects by exactly one of the two.

    Args:
        scores: float[n].
        threshold: Scores of at least this are selected.
        capacity: Share of people that can be selected, above 0 and up to 1: the k-th highest score becomes the threshold,
            k = floor(capacity * n), at least 1, rounded down to the `audits.report.SIGNIFICANT` digits that a report keeps, so
            that the number in the report selects exactly these people again. Who ties with it is selected too.

    Returns:
        Predictions, and the threshold by which they were made.

    Raises:
        AuditsInputError: Both or neither were given; a capacity out of range; scores that are not finite numbers.
    """
    if (threshold is None) == (capacity is None):
        raise AuditsInputError(
            "a score selects nobody by itself: expected a threshold or a capacity, and not both",
            "give the threshold that is deployed, or the share of people that can be selected",
        )
    try:
        given = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AuditsInputError(
            "a score is no number; expected one number for each person", "correct it, or leave the person out"
        ) from error
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all():
        raise AuditsInputError(
            f"scores have shape {given.shape}, and some may be missing or infinite; expected one finite number for each person",
            "correct them, or leave these people out and say so",
        )
    if capacity is None:
        assert threshold is not None  # noqa: S101  one of the two is given
        return Selection((given >= threshold).astype(np.int8), float(threshold), "")
    if not 0 < capacity <= 1:
        raise AuditsInputError(
            f"capacity {capacity:g}; expected a share above 0 and up to 1", "0.2 for one person in five"
        )
    k = max(1, int(capacity * len(given)))
    edge = _kept(float(np.partition(given, len(given) - k)[len(given) - k]))
    chosen = (given >= edge).astype(np.int8)
    over = int(chosen.sum()) - k
    note = (
        f"At a capacity of {capacity:g}, {k} people could be selected; {over} more have the same score as the last of them "
        "and were selected too."
    )
    return Selection(chosen, edge, note if over else "")


def _kept(value: float) -> float:
    """The greatest number of a report's digits that is not above the value."""
    with decimal.localcontext(prec=SIGNIFICANT, rounding=decimal.ROUND_FLOOR) as context:
        return float(context.create_decimal(repr(value)))
