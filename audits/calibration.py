"""Does a probability keep its word within a group: the slope of need on the score, and ECE beside what chance alone makes it.

Observed over expected need is `audits.rule.judge_expected`. Pure.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import statsmodels.api as sm
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
_NEAR = 1e-6
"""A probability of 0 or 1 has no log-odds; it is taken as this far inside."""
_EXACT = 400
"""Up to so many people in a bin the mean deviation is computed exactly, above by the normal curve (error under 1e-3 of it)."""


@dataclass(frozen=True)
class Slope:
    """Slope of the log-odds of need on the log-odds given, 1 where the score keeps its word (Cox 1958).

    Args:
        estimate: Under 1: scores too far apart. Over 1: too close together. nan where it does not exist.
        error: Standard error; over clusters where there are any.
        clusters: Number of clusters; None: independent rows.
    """

    estimate: float
    error: float
    clusters: int | None

    def interval(self, level: float) -> tuple[float, float]:
        """Wald's interval, with t on clusters less one where there are clusters.

        Args:
            level: Two-sided, in (0, 1).

        Returns:
            Lower and upper end; nan where the slope does not exist.
        """
        tail = (1 + level) / 2
        z = float(
            stats.norm.ppf(tail) if self.clusters is None else stats.t.ppf(tail, max(1, self.clusters - 1))
        )
        return self.estimate - z * self.error, self.estimate + z * self.error


_NONE = Slope(math.nan, math.nan, None)


def slope(y_true: NDArray[np.int8], y_score: Floats, clusters: NDArray[np.int64] | None = None) -> Slope:
    """Fits need on the score by logistic regression (Cox 1958; Van Calster et al. 2016).

    Args:
        y_true: 0 or 1, [n].
        y_score: Probability, [n].
        clusters: Cluster of each row, int[n], or None.

    Returns:
        The slope; one that does not exist where everybody has one outcome or one score, or the score separates the two.
    """
    inside = np.clip(y_score, _NEAR, 1 - _NEAR)
    x = np.log(inside / (1 - inside))
    if len(x) == 0 or y_true.min() == y_true.max() or float(np.ptp(x)) == 0:
        return _NONE
    here = x[y_true == 1], x[y_true == 0]
    if here[0].min() >= here[1].max() or here[1].min() >= here[0].max():
        return _NONE  # separated: the likelihood has no maximum
    model = sm.GLM(y_true.astype(np.float64), sm.add_constant(x), family=sm.families.Binomial())
    number = None if clusters is None else len(np.unique(clusters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if clusters is None:
            fitted = model.fit()
        elif number is not None and number > 1:
            fitted = model.fit(cov_type="cluster", cov_kwds={"groups": clusters})
        else:
            return _NONE
    if not fitted.converged or not np.isfinite(fitted.bse).all():
        return _NONE
    return Slope(float(fitted.params[1]), float(fitted.bse[1]), number)


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error, and what it would be of a score that keeps its word.

    Args:
        observed: Mean over people of |need seen less need expected| in their bin.
        by_chance: Its mean, were every probability true: never 0, and the larger the fewer people.
    """

    observed: float
    by_chance: float


def calibration_error(y_true: NDArray[np.int8], y_score: Floats) -> CalibrationError:
    """Computes ECE over tenths of the people by score (Guo et al. 2017, with bins of equally many people).

    Args:
        y_true: 0 or 1, [n], n above 0.
        y_score: Probability, [n].

    Returns:
        Both numbers; the second follows from the scores alone (Bröcker and Smith 2007).
    """
    observed = by_chance = 0.0
    for rows in bins(y_score):
        observed += abs(float(y_true[rows].sum()) - float(y_score[rows].sum()))
        by_chance += _mean_deviation(y_score[rows])
    return CalibrationError(observed / len(y_true), by_chance / len(y_true))


def bins(y_score: Floats) -> list[NDArray[np.bool_]]:
    """Cuts people into tenths by score; equal scores stay together.

    Args:
        y_score: Score, [n].

    Returns:
        At most `BINS` masks, bool[n], none empty, lowest scores first.
    """
    edges = np.unique(np.quantile(y_score, np.linspace(0, 1, BINS + 1)[1:-1]))
    tenth = np.searchsorted(edges, y_score, side="left")
    masks = [tenth == b for b in range(len(edges) + 1)]
    return [m for m in masks if m.any()]


def _mean_deviation(p: Floats) -> float:
    """Mean of |number of events less its mean| for independent events of these probabilities."""
    if len(p) > _EXACT:
        return math.sqrt(2 / math.pi * float((p * (1 - p)).sum()))
    events = np.arange(len(p) + 1)
    return float((stats.poisson_binom(p).pmf(events) * np.abs(events - p.sum())).sum())
