"""Features cut at round limits, so that nothing learnt from them holds a person's value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BINS: Final = 10
FEW: Final = 20
"""People under which a bin or a category is joined with others. Source: `audits.rule.FEW`."""
_MOST: Final = 8
"""Categories told apart; rarer ones stand together."""


@dataclass(frozen=True)
class Binned:
    """One feature in few steps.

    Args:
        name: Its name.
        label: In the service's words.
        steps: float64[n]: a number's bin from 0, or 0 and 1 for one category; nan where unknown.
        edges: Of a number: the round limits between bins.
        category: The category that 1 stands for; "" for a number.
    """

    name: str
    label: str
    steps: NDArray[np.float64]
    edges: tuple[float, ...] = ()
    category: str = ""

    def above(self, step: float) -> str:
        """Says who lies above a step."""
        if self.category:
            return f"{self.label}: {self.category}"
        return f"{self.label}: at least {self.edges[int(step)]:g}"

    def below(self, step: float) -> str:
        """Says who does not."""
        if self.category:
            return f"{self.label}: not {self.category}"
        return f"{self.label}: under {self.edges[int(step)]:g}"


def binned(frame: pd.DataFrame, labels: Mapping[str, str]) -> tuple[Binned, ...]:
    """Cuts features.

    Args:
        frame: Features, [n] rows.
        labels: Features in the service's words; a name that is not there stands for itself.

    Returns:
        One per number, at tenths, rounded to one digit of their mean distance; one per category of at least 20 people, at most 8 a feature.
    """
    out: list[Binned] = []
    for column in frame.columns:
        name = str(column)
        values, label = frame[column], labels.get(name, name.replace("_", " "))
        numbers = pd.to_numeric(values, errors="coerce") if values.dtype != object else None
        if numbers is not None and numbers.notna().any() and numbers.nunique() > 2:  # noqa: PLR2004
            out.append(_number(name, label, numbers.to_numpy(dtype=np.float64)))
        else:
            out += _categories(name, label, values)
    return tuple(b for b in out if len(np.unique(b.steps[~np.isnan(b.steps)])) > 1)


def _number(name: str, label: str, numbers: NDArray[np.float64]) -> Binned:
    known = numbers[np.isfinite(numbers)]
    cuts = np.quantile(known, np.arange(1, BINS) / BINS)
    # One digit of the mean distance of two limits: round, and fine enough wherever the numbers lie.
    spread = float(cuts[-1] - cuts[0]) / (BINS - 2)
    digits = -int(np.floor(np.log10(spread))) if spread > 0 else 0
    edges = tuple(float(v) for v in np.unique([round(float(c), digits) for c in cuts]))
    steps = np.searchsorted(np.array(edges), numbers, side="right").astype(np.float64)
    steps[~np.isfinite(numbers)] = np.nan
    return Binned(name, label, steps, edges)


def _categories(name: str, label: str, values: pd.Series) -> list[Binned]:
    counts = values.astype("object").value_counts()
    kept = [v for v, n in counts.items() if n >= FEW][:_MOST]
    if len(counts) == 2:  # noqa: PLR2004  the other one is "not" this one
        kept = sorted(kept, key=str)[-1:]
    unknown = values.isna().to_numpy()
    return [
        Binned(name, label, np.where(unknown, np.nan, (values == v).to_numpy(dtype=np.float64)), (), _word(v))
        for v in kept
    ]


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
