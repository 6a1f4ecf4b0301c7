"""How far the rows are from those that were learnt from, or one period from those before it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from audits.row_facts import DriftRow
from audits.row_missing import holm

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from audits.row_facts import Rows

BINS = 10
"""Tenths of the earlier rows, as the population stability index is usually cut (Siddiqi 2006)."""
LARGE = 0.25
"""Index above which a population is called shifted (Siddiqi 2006, Credit Risk Scorecards, ch. 6). A convention, no test."""
_EXACT = 100_000
"""Above so many rows scipy's Kolmogorov-Smirnov test is asked for its asymptotic p value."""


def drift(rows: Rows) -> tuple[tuple[DriftRow, ...], str]:
    """Compares features and label with the rows learnt from, or the last period with those before.

    Args:
        rows: With `Rows.trained` or `Rows.period`.

    Returns:
        A row per column, largest index first, and what was compared, in words; none where there is nothing to compare.
    """
    before, now, words = _sides(rows)
    if before is None or now is None or before.empty or now.empty:
        return (), ""
    told: list[tuple[str, str, float, float]] = []
    for name in dict.fromkeys((*rows.features, rows.label)):
        if name not in before.columns:
            continue
        one, other = before[name], now[name]
        if pd.api.types.is_numeric_dtype(one) and one.nunique() > BINS:
            old, new = (v.dropna().to_numpy(dtype=np.float64) for v in (one, other))
            if not len(old) or not len(new):
                continue
            told.append((name, "ks", _psi_of_numbers(one, other), _ks(old, new)))
        else:
            table = _table(one, other)
            p = float(stats.chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0
            told.append((name, "chi2", psi(table[0], table[1]), p))
    adjusted = holm([t[3] for t in told])
    found = [DriftRow(name, test, index, p) for (name, test, index, _), p in zip(told, adjusted, strict=True)]
    return tuple(sorted(found, key=lambda d: (-d.psi, d.column))), words


def psi(before: ArrayLike, now: ArrayLike) -> float:
    """Population stability index: sum of (q - p) ln(q / p) over bins (Siddiqi 2006; the symmetrised Kullback-Leibler divergence).

    Args:
        before: Counts per bin.
        now: Counts per bin, the same bins.

    Returns:
        The index, 0 or more. Half a row is added to every bin, so that an empty one has a finite share.
    """
    p, q = ((c + 0.5) / (c.sum() + 0.5 * len(c)) for c in (np.asarray(before, float), np.asarray(now, float)))
    return float(((q - p) * np.log(q / p)).sum())


def _ks(old: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    if max(len(old), len(new)) > _EXACT:
        return float(stats.ks_2samp(old, new, method="asymp").pvalue)
    return float(stats.ks_2samp(old, new).pvalue)


def _psi_of_numbers(before: pd.Series, now: pd.Series) -> float:
    edges = np.unique(np.nanquantile(before.to_numpy(dtype=np.float64), np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = []
    for side in (before, now):
        values = side.to_numpy(dtype=np.float64)
        place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
        counts.append(np.bincount(place, minlength=len(edges) + 2))
    used = (counts[0] + counts[1]) > 0
    return psi(counts[0][used], counts[1][used])


def _table(before: pd.Series, now: pd.Series) -> NDArray[np.float64]:
    both = pd.concat([before, now], ignore_index=True).astype(object)
    codes = pd.factorize(both)[0] + 1  # 0: empty, a category of its own
    width = int(codes.max()) + 1
    table = np.array(
        [np.bincount(part, minlength=width) for part in (codes[: len(before)], codes[len(before) :])],
        dtype=np.float64,
    )
    return table[:, table.sum(axis=0) > 0]


def _sides(rows: Rows) -> tuple[pd.DataFrame | None, pd.DataFrame | None, str]:
    if rows.trained is not None:
        return rows.trained, rows.frame, "the rows audited, against the rows the model learnt from"
    if rows.period:
        period = rows.frame[rows.period]
        last = period.dropna().max()
        if (period.dropna() < last).any():
            now = (period == last).to_numpy()
            earlier = (period < last).fillna(value=False).to_numpy(dtype=bool)
            return rows.frame[earlier], rows.frame[now], "the last period, against those before it"
    return None, None, ""
