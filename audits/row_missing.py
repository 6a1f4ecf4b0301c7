"""Who is missing: empty columns by group, groups against their declared shares, and rows that stand there twice. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from audits import intervals
from audits.errors import AuditsInputError
from audits.row_facts import MissingRow, ShareRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.row_facts import Rows

LEVEL = 0.95
ERROR = 0.05
_WHOLE = 0.01
"""Declared shares may miss 1 by so much: published tables are rounded to a percent."""


def holm(values: list[float]) -> list[float]:
    """Adjusts p values (Holm 1979). statsmodels' own gives the same, and takes .2 s for a garbage collection of its own.

    Args:
        values: Of one family; may be empty.

    Returns:
        Adjusted, in the same order.
    """
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(np.asarray(values)[order] * np.arange(len(values), 0, -1))
    out = np.empty(len(values))
    out[order] = np.minimum(stepped, 1.0)
    return [float(p) for p in out]


def missing(rows: Rows) -> tuple[MissingRow, ...]:
    """Compares how often each feature and the label are empty, in each group and among everyone else.

    Args:
        rows: What there is.

    Returns:
        A row per group for each column that is empty for somebody; largest difference first.
    """
    found: list[MissingRow] = []
    tests: list[float] = []
    empty = {c: rows.frame[c].isna().to_numpy() for c in dict.fromkeys((*rows.features, rows.label))}
    for column, gone in empty.items():
        if not gone.any():
            continue
        for attribute in rows.sensitive:
            labels = rows.frame[attribute].astype(object)
            groups = labels.where(labels.notna(), "unknown").to_numpy()
            for group in sorted({str(g) for g in groups} if column != attribute else ()):
                here = groups == group
                n, hits = int(here.sum()), int(gone[here].sum())
                m, others = len(gone) - n, int(gone[~here].sum())
                if not n or not m:
                    continue
                mixed = 0 < hits + others < len(gone)
                table = np.array([[hits, n - hits], [others, m - others]])
                tests.append(float(stats.chi2_contingency(table).pvalue) if mixed else 1.0)
                found.append(MissingRow(column, attribute, group, n, hits / n, others / m, None))
    adjusted = [
        MissingRow(r.column, r.attribute, r.group, r.n, r.missing, r.rest, p)
        for r, p in zip(found, holm(tests), strict=True)
    ]
    return tuple(sorted(adjusted, key=lambda r: (-abs(r.missing - r.rest), r.column, r.attribute, r.group)))


def shares(rows: Rows) -> tuple[ShareRow, ...]:
    """Holds each group's share of the rows against its declared share of the population.

    Args:
        rows: With `Rows.shares`.

    Returns:
        A row per declared group, in the order declared.

    Raises:
        AuditsInputError: Shares of an attribute that is none of the sensitive ones, that do not add up to 1, or that leave out
            a group of the rows.
    """
    out: list[ShareRow] = []
    for attribute, declared in rows.shares.items():
        counts = _counted(rows, attribute, declared)
        total = sum(counts.values())
        for group, share in declared.items():
            n = counts.get(group, 0)
            low, high = (float(v) for v in intervals.wilson(n, total, LEVEL)) if total else (0.0, 1.0)
            out.append(ShareRow(attribute, group, n, n / total if total else 0.0, low, high, float(share)))
    return tuple(out)


def share_tests(found: tuple[ShareRow, ...]) -> dict[str, float]:
    """Tests whether the rows could be a random sample of the declared population (chi-square, scipy), Holm over attributes.

    Args:
        found: From `shares`.

    Returns:
        Adjusted p by attribute.
    """
    names = list(dict.fromkeys(r.attribute for r in found))
    values = []
    for name in names:
        told = [r for r in found if r.attribute == name]
        expected = np.array([r.declared for r in told])
        observed = np.array([r.n for r in told], dtype=np.float64)
        expected = expected / expected.sum() * observed.sum()
        possible = expected > 0
        if observed[~possible].any():
            values.append(0.0)
        elif possible.sum() == 1 or not observed.sum():
            values.append(1.0)
        else:
            values.append(float(stats.chisquare(observed[possible], expected[possible]).pvalue))
    return dict(zip(names, holm(values), strict=True))


def _counted(rows: Rows, attribute: str, declared: Mapping[str, float]) -> dict[str, int]:
    if attribute not in rows.sensitive:
        raise AuditsInputError(
            f"population shares of {attribute!r}; expected one of {', '.join(rows.sensitive)}",
            "declare shares of sensitive features only",
        )
    if min(declared.values(), default=-1) < 0 or abs(sum(declared.values()) - 1) > _WHOLE:
        raise AuditsInputError(
            f"population shares of {attribute} add up to {sum(declared.values()):.3f}; expected 1, none negative",
            "declare the share of every group",
        )
    known = rows.frame[attribute].dropna().astype(str)
    counts = {str(g): int(n) for g, n in known[~known.isin(["", "unknown"])].value_counts().items()}
    undeclared = sorted(set(counts) - set(declared))
    if undeclared:
        raise AuditsInputError(
            f"no population share of {attribute} for {', '.join(undeclared)}",
            "declare the share of every group that occurs in the rows",
        )
    return counts


def people(rows: Rows) -> int | None:
    """Counts different people.

    Args:
        rows: What there is.

    Returns:
        The number; None: no column tells them apart.
    """
    return int(rows.frame[rows.person].nunique()) if rows.person else None


def alike(rows: Rows) -> int:
    """Counts rows that equal another in features and label.

    Args:
        rows: What there is.

    Returns:
        Rows, each of the equal ones counted.
    """
    told = list(dict.fromkeys((*rows.features, rows.label)))
    hashes = pd.util.hash_pandas_object(rows.frame[told], index=False)
    return int(hashes.duplicated(keep=False).sum())
