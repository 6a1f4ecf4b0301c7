"""What an audit is given of the rows behind it, and what a report says of them: counts and shares, never a value of a row."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  pydantic reads the facts below; the input stands beside them
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

LEAK = 0.95
"""Area under the curve of one feature alone above which it is suspected of knowing the label. Source: luvalla 2026: the
services' own strongest features reach .80 (benchmarks/audits_rows.py)."""


@dataclass(frozen=True)
class Rows:
    """The rows behind an audit and what is declared of them.

    Args:
        frame: The rows, [r]; they may be more than those whose outcome is known. Nothing of them is kept.
        features: Columns that the model uses.
        sensitive: Columns that tell the groups.
        label: Column of the outcome, 0 or 1, empty where unknown.
        person: Column that tells people apart; "": there is none.
        fold: int64[r], fold in which each row was scored; None: scores are not cross-fitted.
        units: What has to be whole in one fold (families, or people), [r]; None: `person`.
        trained: Rows that the audited scores' model learnt from, with the same columns; None: not given, or cross-fitted.
        period: Column that tells when a row is of, in a form whose sorted order is the order of time; "": none.
        known_after: Features that the contract declares to be known only after the decision.
        timed: Features of which the contract declares when they are known; empty: of none.
        shares: For a sensitive feature, each group's share of the population that the service is for.
        leak: Area above which one feature alone is suspected, in (.5, 1).
    """

    frame: pd.DataFrame
    features: tuple[str, ...]
    sensitive: tuple[str, ...]
    label: str
    person: str = ""
    fold: NDArray[np.int64] | None = None
    units: NDArray[np.object_] | None = None
    trained: pd.DataFrame | None = None
    period: str = ""
    known_after: tuple[str, ...] = ()
    timed: tuple[str, ...] = ()
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    leak: float = LEAK


@dataclass(frozen=True)
class MissingRow:
    """How often one column is empty in one group, and among everyone else.

    Args:
        column: The column.
        attribute: Sensitive feature.
        group: Group.
        n: People of the group.
        missing: Share of them without a value, 0 to 1.
        rest: The same among everyone else.
        p: Chi-square test, Holm-adjusted over all columns and groups; None: everyone is in this group.
    """

    column: str
    attribute: str
    group: str
    n: int
    missing: float
    rest: float
    p: float | None


@dataclass(frozen=True)
class ShareRow:
    """A group's share of the rows against its declared share of the population.

    Args:
        attribute: Sensitive feature.
        group: Group.
        n: Rows of the group.
        here: Share of the rows whose group is known.
        low: Lower end of its 95 % Wilson interval.
        high: Upper end.
        declared: Share of the population.
    """

    attribute: str
    group: str
    n: int
    here: float
    low: float
    high: float
    declared: float


@dataclass(frozen=True)
class LeakRow:
    """How well one feature alone tells the label.

    Args:
        feature: Its name; with ``(empty)``: whether it is filled in at all.
        area: Area under the curve, turned so that it is at least .5.
        low: Lower end of its interval, simultaneous over all features (95 %).
        high: Upper end.
    """

    feature: str
    area: float
    low: float
    high: float


@dataclass(frozen=True)
class DriftRow:
    """How far one column is from where it was.

    Args:
        column: The column; the label is one of them.
        test: ``ks`` (two samples, numbers) or ``chi2`` (categories).
        psi: Population stability index.
        p: The test's p, Holm-adjusted over all columns.
    """

    column: str
    test: str
    psi: float
    p: float


@dataclass(frozen=True)
class RowFacts:
    """The rows, described.

    Args:
        rows: Rows.
        people: Different people; None: no column tells them apart.
        alike: Rows that equal another in everything but who they are of.
        missing: Columns that are empty for somebody, by group.
        shares: Groups against their declared shares; empty: none were declared.
        leaks: Features by how well they alone tell the label, strongest first.
        drift: Columns by population stability index, largest first; empty: there was nothing to compare with.
        drift_from: What was compared with what, in words.
    """

    rows: int
    people: int | None
    alike: int
    missing: tuple[MissingRow, ...]
    shares: tuple[ShareRow, ...]
    leaks: tuple[LeakRow, ...]
    drift: tuple[DriftRow, ...]
    drift_from: str
