"""What was asked of a model and its refits about its reasons, as arrays: how an audit gets them, whoever computed them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Refits:
    """The same people explained by refits of the same procedure (the folds' models of a cross-fit).

    Args:
        rows: int64[m], whom of the audit.
        contributions: float64[r, m, f], of each refit, in `Explanation.unit`.
        families: Family of reasons of each feature, [f]: what people are told.
        labels: Families in plain words; one that is missing shows its name.
    """

    rows: NDArray[np.int64]
    contributions: NDArray[np.float64]
    families: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Moved:
    """A feature of real people moved over a grid, and what the model itself gives for each value.

    Args:
        feature: Name.
        direction: What the service declares of it.
        grid: float64[g], rising.
        output: float64[m, g], the model's own output.
    """

    feature: str
    direction: Literal["increasing", "decreasing"]
    grid: NDArray[np.float64]
    output: NDArray[np.float64]


@dataclass(frozen=True)
class Deletion:
    """The model's own output for people whose reasons were set to a reference.

    Args:
        reference: What they were set to, in plain words.
        before: float64[m], as they are.
        strongest: float64[k, m], without the 1..k features that raised their score most.
        random: float64[d, k, m], without as many features drawn at random, d times.
    """

    reference: str
    before: NDArray[np.float64]
    strongest: NDArray[np.float64]
    random: NDArray[np.float64]
