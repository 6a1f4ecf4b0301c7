"""From rows to the counts behind a line, and what clustering does to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

MIN_CLUSTERS = 30
"""Under this, a variance between clusters is too poorly known to decide on. Source: issue 4, rule 4; the common floor
for linearised variances (Korn and Graubard 1999, ch. 5)."""


@dataclass(frozen=True)
class Rate:
    """A rate, its people, and how much less they tell because they come in clusters.

    Args:
        hits: With the outcome.
        of: The rate's own denominator.
        design_effect: Variance over that of independent rows, at least 1.
        clusters: Clusters in the denominator; None: rows independent.
    """

    hits: int
    of: int
    design_effect: float = 1.0
    clusters: int | None = None

    @property
    def value(self) -> float:
        """Hits / of; nan for an empty denominator (fairlearn says 0 there)."""
        return self.hits / self.of if self.of else float("nan")

    def effective(self, level: float) -> tuple[float, float]:
        """Hits and people after the design effect (Korn and Graubard 1998, Survey Methodology 24:193).

        Args:
            level: Two-sided level of the interval they go into: few clusters cost a t quantile.

        Returns:
            Effective hits and effective people; the rows themselves where they are independent.
        """
        if self.clusters is None or self.clusters < 2 or self.of < 2:  # noqa: PLR2004  a variance takes two
            return float(self.hits), float(self.of)
        tail = (1 + level) / 2
        t = float(stats.t.ppf(tail, self.of - 1) / stats.t.ppf(tail, self.clusters - 1))
        people = min(self.of / self.design_effect * t * t, float(self.of))
        return self.hits * people / self.of, people


def rate_rows(rate: str, y_true: NDArray[np.int8], y_pred: NDArray[np.int8]) -> tuple[Bools, Bools]:
    """Marks a rate's denominator and, in it, its hits.

    Args:
        rate: ``tpr``, ``fnr``, ``fpr``, ``ppv``, ``fdr``, ``for`` (false omission), ``accuracy``, ``selection_rate`` or
            ``need``.
        y_true: 0 or 1, [n].
        y_pred: 0 or 1, [n].

    Returns:
        Denominator and hits, bool[n] each.
    """
    need, selected = y_true == 1, y_pred == 1
    everyone = np.ones(len(y_true), dtype=np.bool_)
    of, hit = {
        "tpr": (need, selected),
        "fnr": (need, ~selected),
        "fpr": (~need, selected),
        "ppv": (selected, need),
        "fdr": (selected, ~need),
        "for": (~selected, need),
        "accuracy": (everyone, need == selected),
        "selection_rate": (everyone, selected),
        "need": (everyone, need),
    }[rate]
    return of, of & hit


def rate(of: Bools, hit: Bools, members: Bools, clusters: NDArray[np.int64] | None) -> Rate:
    """Counts a rate among some people.

    Args:
        of: Denominator, bool[n].
        hit: Hits, bool[n].
        members: Whom to count, bool[n].
        clusters: Cluster of each row, int[n], or None.

    Returns:
        The rate.
    """
    rows = of & members
    people, hits = int(rows.sum()), int((hit & rows).sum())
    if clusters is None or people == 0:
        return Rate(hits, people)
    effect, number = design_effect(hit[rows].astype(np.float64), clusters[rows])
    return Rate(hits, people, effect, number)


def design_effect(values: NDArray[np.float64], clusters: NDArray[np.int64]) -> tuple[float, int]:
    """Variance of a mean over clusters against that of independent rows, by linearisation, at least 1.

    Args:
        values: float[k], one a row.
        clusters: int[k], codes from 0.

    Returns:
        Design effect, and the number of clusters. Where all values are equal the variance says nothing: then the effect
        is that of clusters which agree completely, sum of squared sizes over rows.
    """
    sizes = np.bincount(clusters)
    number, n = int((sizes > 0).sum()), len(values)
    spread = float(values.var())
    if spread == 0 or number < 2:  # noqa: PLR2004  a variance takes two
        return max(1.0, float((sizes**2).sum() / n)), number
    sums = np.bincount(clusters, weights=values - values.mean())
    variance = number / (number - 1) * float((sums**2).sum()) / n**2
    return max(1.0, variance / (spread / n)), number
