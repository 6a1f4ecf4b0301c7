"""What a treatment gains, and what choosing whom to treat adds: estimators on a randomised trial, with standard errors by family.

Everything here is a mean or a slope of the doubly robust scores of Robins, Rotnitzky and Zhao (1994,
doi:10.1080/01621459.1994.10476818), taken with the assignment shares of the trial's own design. With those shares known each
score has the person's own gain as its expectation whatever the outcome models say; the models only narrow it.

Notation: y outcome, w treatment, e assignment share, tau the gain of a person, q the capacity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats
from statsmodels.regression.linear_model import OLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

ERROR: Final = 0.05
"""One-sided error by which a gain is shown, or shown to be under a limit. Source: issue 4, point 14."""
POWER: Final = 0.80
"""Power at which the smallest detectable gain is told. Source: Cohen 1988, Statistical Power Analysis, 2nd ed., section 2.4."""


@dataclass(frozen=True)
class Estimate:
    """A number and how far it may be off.

    Args:
        value: The estimate.
        error: Its standard error, positive.
    """

    value: float
    error: float

    def interval(self, level: float) -> tuple[float, float]:
        """Gives the normal interval.

        Args:
            level: Two-sided, 0 to 1: .90 has a one-sided 5 % bound at each end.

        Returns:
            Lower and upper end.
        """
        half = float(stats.norm.ppf((1 + level) / 2)) * self.error
        return self.value - half, self.value + half


def aipw_scores(y: Floats, w: NDArray[np.int8], e: Floats, mu0: Floats, mu1: Floats) -> Floats:
    """Gives everyone a score whose expectation is their own gain.

    ``mu1 - mu0 + w (y - mu1) / e - (1 - w) (y - mu0) / (1 - e)``

    Args:
        y: Outcome, [n].
        w: 1 = treated, 0 = not, [n].
        e: Share of people like this whom the design treats, [n], strictly between 0 and 1.
        mu0: Outcome expected without treatment, [n], by models that saw neither this person nor their family.
        mu1: Outcome expected with it, [n], the same.

    Returns:
        float64[n], in units of `y`.
    """
    return mu1 - mu0 + w * (y - mu1) / e - (1 - w) * (y - mu0) / (1 - e)


def chosen(prediction: Floats, capacity: float) -> Floats:
    """Chooses the people with the largest predicted gain, up to capacity.

    Args:
        prediction: Predicted gain, [n].
        capacity: Share that can be chosen, strictly between 0 and 1.

    Returns:
        float64[n], 0 to 1: 1 chosen; people who tie for the last places share them evenly. Sums to ``capacity * n``.
    """
    places = capacity * len(prediction)
    _, tied, sizes = np.unique(-prediction, return_inverse=True, return_counts=True)
    before = np.append(0, np.cumsum(sizes)[:-1])
    return np.clip((places - before) / sizes, 0.0, 1.0)[tied]


def average(score: Floats, clusters: Codes | None) -> Estimate | None:
    """Estimates the average treatment effect: the mean of the scores.

    Args:
        score: Scores, [n].
        clusters: Family of each person, [n]; None: independent people.

    Returns:
        The mean; None with under two families.
    """
    return _regress(score, np.ones((len(score), 1)), clusters, 0)


def gain(score: Floats, choice: Floats, clusters: Codes | None) -> Estimate | None:
    """Estimates what choosing by the prediction gains over choosing blindly: ``G = E[tau | chosen] - E[tau]``.

    The slope of the scores on being chosen, times the share not chosen. The choice is taken as given: G is about these people,
    ranked as they are.

    Args:
        score: Scores, [n].
        choice: 0 to 1, [n], as `chosen` gives it.
        clusters: Family of each person, [n]; None: independent people.

    Returns:
        G in units of the outcome per person chosen; None where the choice tells nobody apart.
    """
    share = float(choice.mean())
    if not 0 < share < 1:
        return None
    return _slope(score, choice, clusters, float(choice.var()) / share)


def qini(score: Floats, prediction: Floats, clusters: Codes | None) -> Estimate | None:
    """Estimates the Qini coefficient: the rank-weighted average treatment effect with weight u.

    ``integral of u (E[tau | top u] - E[tau]) du = Cov(tau, F)``, F the rank in 0 to 1. Yadlowsky, Fleming, Shah, Brunskill and
    Wager 2025, doi:10.1080/01621459.2024.2393466 (arXiv 2111.07966).

    Args:
        score: Scores, [n].
        prediction: Predicted gain, [n]; ties share their middle rank.
        clusters: Family of each person, [n]; None: independent people.

    Returns:
        The coefficient in units of the outcome; None where all predictions are equal.
    """
    rank = (stats.rankdata(prediction) - 0.5) / len(prediction)
    return _slope(score, rank, clusters, float(rank.var()))


def calibration_slope(score: Floats, prediction: Floats, clusters: Codes | None) -> Estimate | None:
    """Estimates by how much gain rises where the prediction rises by one: the best linear predictor's slope.

    1: the predicted differences are as large as the real ones; 0: they say nothing. Chernozhukov, Demirer, Duflo and
    Fernandez-Val 2025, doi:10.3982/ECTA19303 (arXiv 1712.04802).

    Args:
        score: Scores, [n].
        prediction: Predicted gain, [n].
        clusters: Family of each person, [n]; None: independent people.

    Returns:
        The slope, without unit; None where all predictions are equal.
    """
    return _slope(score, prediction, clusters, 1.0)


def combine(parts: Sequence[Estimate]) -> Estimate | None:
    """Combines folds that were each ranked by a model of earlier folds only.

    The test is the sum of the folds' z-scores over the root of their number (Wager 2024, arXiv 2405.05534): each is standard
    normal whatever the earlier folds taught, so the sum is too. Turned around, that test is an interval around the folds' mean
    with weights 1/error: ``value = sum(v/s) / sum(1/s)``, ``error = sqrt(m) / sum(1/s)``.

    Args:
        parts: One estimate a fold.

    Returns:
        The combined estimate, with ``value / error`` the combined z-score; None without a fold.
    """
    if not parts:
        return None
    weight = np.array([1 / p.error for p in parts])
    value = float(weight @ np.array([p.value for p in parts]) / weight.sum())
    return Estimate(value, math.sqrt(len(parts)) / float(weight.sum()))


def smallest_detectable(error: float) -> float:
    """Tells how large a gain must be for a trial of this size to show it four times out of five.

    Args:
        error: Standard error of the gain.

    Returns:
        ``(z(.95) + z(.80)) * error``, in the error's unit.
    """
    return float(stats.norm.ppf(1 - ERROR) + stats.norm.ppf(POWER)) * error


def mismatch(w: NDArray[np.int8], e: Floats, clusters: Codes | None) -> float:
    """Asks whether the people treated are as many as the design says (a sample ratio mismatch).

    Args:
        w: 1 = treated, [n].
        e: The design's share, [n].
        clusters: Family of each person, [n]; None: independent people.

    Returns:
        Two-sided p-value, 0 to 1. A design that fixes how many are treated makes it larger, never smaller.
    """
    gap = w - e
    sums = gap if clusters is None else np.bincount(clusters, weights=gap)
    spread = math.sqrt(float((sums**2).sum()))
    return 1.0 if spread == 0 else float(2 * stats.norm.sf(abs(float(sums.sum())) / spread))


def _slope(score: Floats, x: Floats, clusters: Codes | None, scale: float) -> Estimate | None:
    if len(x) == 0 or float(np.ptp(x)) == 0:
        return None
    centred = x - x.mean()
    size = float(np.abs(centred).max())
    if size <= 1e-9 * max(1.0, float(np.abs(x).max())):
        return None
    # In units of its largest value, so that predictions of 1e-6 are no worse conditioned than predictions of 1.
    found = _regress(score, np.column_stack((np.ones(len(x)), centred / size)), clusters, 1)
    return None if found is None else Estimate(found.value * scale / size, found.error * scale / size)


def _regress(score: Floats, design: Floats, clusters: Codes | None, column: int) -> Estimate | None:
    """Least squares with sandwich errors: by family (Liang and Zeger 1986, CR1), or HC1 for independent people."""
    groups = np.arange(len(score)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    if len(score) == 0 or groups.max() < design.shape[1]:
        return None
    model = OLS(score, design)
    fit = (
        model.fit(cov_type="HC1")
        if clusters is None
        else model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    )
    value, error = float(fit.params[column]), float(fit.bse[column])
    return Estimate(value, error) if math.isfinite(error) and error > 0 else None
