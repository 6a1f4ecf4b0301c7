"""What should not be known: features that alone tell the label, and people on both sides of the split. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from audits import areas
from audits.row_facts import LeakRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.row_facts import Rows

LEVEL = 0.95
_SMOOTH = 1.0
"""Pseudo-rows of the overall rate that each category's rate is drawn to, so that a category of one person is not its label."""


def leaks(rows: Rows, seed: int) -> tuple[LeakRow, ...]:
    """Gives each feature's own area under the curve against the label.

    Numbers are ranked as they are. Categories are ranked by their rate of the label in the other half of the rows, so that many
    categories of few people do not look like knowledge. That a value is empty can tell as well: it is ranked by itself.

    Args:
        rows: What there is.
        seed: Of the halves.

    Returns:
        A row per feature, strongest first; none where the label has one value only.
    """
    label = pd.to_numeric(rows.frame[rows.label], errors="coerce").to_numpy(dtype=np.float64)
    known = ~np.isnan(label)
    need = (label[known] == 1).astype(np.int8)
    if not len(need) or need.min() == need.max():
        return ()
    half = np.random.default_rng(seed).random(len(need)) < 0.5  # noqa: PLR2004  one half and the other
    scored: list[tuple[str, NDArray[np.bool_], NDArray[np.float64]]] = []
    for name in rows.features:
        column = rows.frame[name][known]
        gone = column.isna().to_numpy()
        if 0 < gone.sum() < len(gone):
            scored.append((f"{name} (empty)", np.ones(len(gone), dtype=bool), gone.astype(np.float64)))
        if gone.all():
            continue
        ranked = (
            column.to_numpy(dtype=np.float64)
            if pd.api.types.is_numeric_dtype(column)
            else _by_rate(column, need, half)
        )
        scored.append((name, ~gone, ranked))
    level = 1 - (1 - LEVEL) / max(1, len(scored))
    found = [_row(name, need[who], ranked[who], level) for name, who, ranked in scored]
    return tuple(sorted((f for f in found if f is not None), key=lambda f: (-f.area, f.feature)))


def _by_rate(column: pd.Series, need: NDArray[np.int8], half: NDArray[np.bool_]) -> NDArray[np.float64]:
    codes = pd.factorize(column)[0] + 1  # 0: empty
    out = np.zeros(len(need))
    for inside in (half, ~half):
        learnt = ~inside
        rate = need[learnt].mean() if learnt.any() else 0.0
        hits = np.bincount(codes[learnt], weights=need[learnt], minlength=codes.max() + 1)
        n = np.bincount(codes[learnt], minlength=codes.max() + 1)
        out[inside] = ((hits + _SMOOTH * rate) / (n + _SMOOTH))[codes[inside]]
    return out


def _row(name: str, need: NDArray[np.int8], ranked: NDArray[np.float64], level: float) -> LeakRow | None:
    if not len(need) or need.min() == need.max():
        return None
    value, low, high = areas.interval(areas.area(need, ranked), level)
    return LeakRow(name, value, low, high) if value >= 0.5 else LeakRow(name, 1 - value, 1 - high, 1 - low)  # noqa: PLR2004  chance


def overlap(rows: Rows) -> int | None:
    """Counts people (or families) on both sides of the split between learning and auditing.

    Args:
        rows: With folds, or with the rows learnt from.

    Returns:
        The number: in more than one fold, or among the rows learnt from as well. None: nothing says who was learnt from, or
        nothing tells people apart.
    """
    if rows.fold is not None and (rows.units is not None or rows.person):
        units = rows.frame[rows.person].to_numpy() if rows.units is None else rows.units
        codes = pd.factorize(pd.Series(units))[0].astype(np.int64)
        width = int(rows.fold.max()) + 1
        pairs = np.unique(codes * width + rows.fold) // width
        return int((np.bincount(pairs) > 1).sum())
    if rows.trained is not None and rows.person:
        return int(rows.frame[rows.person].drop_duplicates().isin(rows.trained[rows.person]).sum())
    return None
