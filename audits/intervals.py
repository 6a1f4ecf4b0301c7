"""Confidence intervals for rates, their differences and ratios. Pure: numbers in, numbers out.

Everything takes scalars or arrays that broadcast, and counts need not be whole: an effective number of people after a design
effect is a fraction. Where statsmodels or scipy have the interval it is theirs; the rest is held against theirs in the tests.

Which interval is used where (issue 2's first form): the 90 % interval by which a line passes is Miettinen and Nurminen's
score interval; the interval at the Bonferroni level, by which a line fails, is Newcombe's square-and-add on Clopper-Pearson
limits (for ratios on the log scale), which is wider and holds its joint level at the far tails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_STEPS = 60
"""Halvings of a bisection: 2 / 2**60 is under the last bit of a difference."""
_SMALL = 50
"""Up to so many people 2 hits are beside 0 for Wilson's interval, above 3 (Brown, Cai and DasGupta 2001)."""
_MANY = 100
"""Above so many counts equal ones are sought before their limits."""
_LOG_RATIO = 30.0
"""Ratios are sought between exp(-30) and exp(30); beyond, a bound is 0 or infinite."""


class Interval(NamedTuple):
    """Lower and upper end. ``nan`` where the quantity does not exist, infinite where it is not bounded."""

    low: Floats
    high: Floats


def wilson(hits: ArrayLike, of: ArrayLike, level: float) -> Interval:
    """Wilson's score interval for one proportion (1927), as Brown, Cai and DasGupta modified it (2001, section 4.1.1).

    Beside 0 and 1 the score interval's coverage falls under 90 % at a level of 95 % (one hit of 50 to 100 people); there the
    limit of a Poisson count takes its place, and it stays above 91 % (benchmarks/audits_coverage.py).

    Args:
        hits: Number with the outcome.
        of: Number of people, above 0.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, within 0 and 1. With 4 or more people on either side it is Wilson's own.
    """
    x, n = np.broadcast_arrays(_floats(hits), _floats(of))
    low, high = _one_proportion(x, n, level, "wilson")
    rare = np.where(n <= _SMALL, 2, 3)

    def beside(count: Floats) -> tuple[NDArray[np.bool_], Floats]:
        limit = stats.chi2.ppf(1 - level, 2 * np.maximum(count, 1)) / 2 / n
        return (count >= 1) & (count <= rare), _floats(limit)

    (few, least), (many, most) = beside(x), beside(n - x)
    return Interval(_floats(np.where(few, least, low)), _floats(np.where(many, 1 - most, high)))


def clopper_pearson(hits: ArrayLike, of: ArrayLike, level: float) -> Interval:
    """Clopper and Pearson's interval for one proportion (1934): never under its level.

    Args:
        hits: Number with the outcome.
        of: Number of people, above 0.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, within 0 and 1.
    """
    return _one_proportion(hits, of, level, "beta")


def poisson_ratio(observed: ArrayLike, expected: ArrayLike, level: float) -> Interval:
    """Exact interval for observed / expected events (Garwood 1936).

    Args:
        observed: Events seen.
        expected: Sum of the probabilities given, above 0.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, from 0.
    """
    o, e, alpha = _floats(observed), _floats(expected), 1 - level
    low = np.where(o > 0, stats.chi2.ppf(alpha / 2, 2 * np.maximum(o, 1e-12)) / 2, 0.0)
    high = stats.chi2.ppf(1 - alpha / 2, 2 * (o + 1)) / 2
    return Interval(_floats(low / e), _floats(high / e))


def newcombe_difference(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, level: float) -> Interval:
    """Square-and-add interval for p1 - p2 on Clopper-Pearson limits.

    Newcombe 1998 (Statistics in Medicine 17:873), method 10's construction with exact limits in place of Wilson's, as
    Donner and Zou 2012 (MOVER) generalise it.

    Args:
        x1: Hits in the group.
        n1: Of this many.
        x2: Hits among everyone else.
        n2: Of this many.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, within -1 and 1.
    """
    p1, p2 = _floats(x1) / _floats(n1), _floats(x2) / _floats(n2)
    (l1, u1), (l2, u2) = clopper_pearson(x1, n1, level), clopper_pearson(x2, n2, level)
    d = p1 - p2
    return Interval(_floats(d - np.hypot(p1 - l1, u2 - p2)), _floats(d + np.hypot(u1 - p1, p2 - l2)))


def newcombe_ratio(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, level: float) -> Interval:
    """Square-and-add interval for p1 / p2 on the log scale, on Clopper-Pearson limits (Donner and Zou 2012).

    Where a count is 0 the log does not exist: that end is then the quotient of the two proportions' own limits, which is wider.

    Args:
        x1: Hits in the group.
        n1: Of this many.
        x2: Hits among everyone else.
        n2: Of this many.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, from 0 to infinity.
    """
    p1, p2 = _floats(x1) / _floats(n1), _floats(x2) / _floats(n2)
    (l1, u1), (l2, u2) = clopper_pearson(x1, n1, level), clopper_pearson(x2, n2, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.log(p1) - np.log(p2)
        low = np.exp(r - np.hypot(np.log(p1) - np.log(l1), np.log(u2) - np.log(p2)))
        high = np.exp(r + np.hypot(np.log(u1) - np.log(p1), np.log(p2) - np.log(l2)))
        low = np.where(p1 == 0, 0.0, np.where(p2 == 0, l1 / u2, low))
        high = np.where(p2 == 0, np.inf, np.where(p1 == 0, u1 / l2, high))
    return Interval(_floats(low), _floats(high))


def newcombe_paired(
    both: ArrayLike, first: ArrayLike, second: ArrayLike, neither: ArrayLike, level: float
) -> Interval:
    """Interval for the difference of two proportions of the same people, on Clopper-Pearson limits.

    Newcombe 1998 (Statistics in Medicine 17:2635), method 10: square-and-add with the correlation of the two outcomes.

    Args:
        both: People with the outcome both times.
        first: People with it the first time only.
        second: People with it the second time only.
        neither: People with it neither time.
        level: Two-sided, in (0, 1).

    Returns:
        The interval for (both + first) / n - (both + second) / n.
    """
    a, b, c, d = (_floats(v) for v in (both, first, second, neither))
    n = a + b + c + d
    p1, p2 = (a + b) / n, (a + c) / n
    (l1, u1), (l2, u2) = clopper_pearson(a + b, n, level), clopper_pearson(a + c, n, level)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    product = a * d - b * c
    corrected = np.where(product > n / 2, product - n / 2, np.where(product >= 0, 0.0, product))
    phi = np.where(margins > 0, corrected / np.sqrt(np.where(margins > 0, margins, 1.0)), 0.0)
    low = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    high = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    d12 = p1 - p2
    return Interval(_floats(d12 - np.sqrt(np.maximum(low, 0))), _floats(d12 + np.sqrt(np.maximum(high, 0))))


def difference_score(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, delta: ArrayLike) -> Floats:
    """Miettinen and Nurminen's score statistic for p1 - p2 = delta (1985; roots after Farrington and Manning 1990).

    statsmodels inverts the same statistic but stops at a count of 0, hence ours; equal elsewhere (tests).

    Args:
        x1: Hits in the group.
        n1: Of this many.
        x2: Hits among everyone else.
        n2: Of this many.
        delta: Difference under test, in (-1, 1).

    Returns:
        z, positive where the estimate is above `delta`.
    """
    a1, m1, a2, m2, dl = np.broadcast_arrays(*(_floats(v) for v in (x1, n1, x2, n2, delta)))
    n, x = m1 + m2, a1 + a2
    c3, c2 = n, (m1 + 2 * m2) * dl - n - x
    c1 = (m2 * dl - n - 2 * a2) * dl + x
    c0 = a2 * dl * (1 - dl)
    q = c2**3 / (3 * c3) ** 3 - c1 * c2 / (6 * c3**2) + c0 / (2 * c3)
    p = np.copysign(np.sqrt(np.maximum((c2 / (3 * c3)) ** 2 - c1 / (3 * c3), 0)), q)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = (np.pi + np.arccos(np.clip(np.where(p == 0, 0.0, q / p**3), -1, 1))) / 3
    p2 = np.clip(2 * p * np.cos(angle) - c2 / (3 * c3), np.maximum(0, -dl), np.minimum(1, 1 - dl))
    p1 = np.clip(p2 + dl, 0, 1)
    variance = (p1 * (1 - p1) / m1 + p2 * (1 - p2) / m2) * n / np.maximum(n - 1, 1e-12)
    return _statistic(a1 / m1 - a2 / m2 - dl, variance)


def ratio_score(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, ratio: ArrayLike) -> Floats:
    """Miettinen and Nurminen's score statistic for p1 / p2 = ratio (1985).

    Args:
        x1: Hits in the group.
        n1: Of this many.
        x2: Hits among everyone else.
        n2: Of this many.
        ratio: Ratio under test, above 0.

    Returns:
        z, positive where the estimate is above `ratio`.
    """
    a1, m1, a2, m2, r = np.broadcast_arrays(*(_floats(v) for v in (x1, n1, x2, n2, ratio)))
    n = m1 + m2
    a, b, c = n * r, -(m1 * r + a1 + m2 + a2 * r), a1 + a2
    p2 = np.clip((-b - np.sqrt(np.maximum(b * b - 4 * a * c, 0))) / (2 * a), 0, np.minimum(1, 1 / r))
    p1 = np.clip(p2 * r, 0, 1)
    variance = (p1 * (1 - p1) / m1 + r**2 * p2 * (1 - p2) / m2) * n / np.maximum(n - 1, 1e-12)
    return _statistic(a1 / m1 - r * a2 / m2, variance)


def miettinen_nurminen_difference(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, level: float
) -> Interval:
    """Miettinen and Nurminen's score interval for p1 - p2 (1985).

    Args:
        x1: Hits in the group.
        n1: Of this many.
        x2: Hits among everyone else.
        n2: Of this many.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, within -1 and 1.
    """
    d = _floats(x1) / _floats(n1) - _floats(x2) / _floats(n2)
    return _invert(
        lambda v: difference_score(x1, n1, x2, n2, v), d, np.full(d.shape, -1.0), np.full(d.shape, 1.0), level
    )


def miettinen_nurminen_ratio(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, level: float
) -> Interval:
    """Miettinen and Nurminen's score interval for p1 / p2 (1985).

    Args:
        x1: Hits in the group.
        n1: Of this many.
        x2: Hits among everyone else.
        n2: Of this many.
        level: Two-sided, in (0, 1).

    Returns:
        The interval, from 0 to infinity; all of it where nobody has the outcome.
    """
    p1, p2 = np.broadcast_arrays(_floats(x1) / _floats(n1), _floats(x2) / _floats(n2))
    with np.errstate(divide="ignore", invalid="ignore"):
        start = np.clip(np.log(p1) - np.log(p2), -_LOG_RATIO, _LOG_RATIO)
    start = np.where(np.isnan(start), 0.0, start)
    wide = np.full(start.shape, _LOG_RATIO)
    found = _invert(lambda v: ratio_score(x1, n1, x2, n2, np.exp(v)), start, -wide, wide, level)
    low = np.where(p1 == 0, 0.0, np.exp(found.low))
    high = np.where(p2 == 0, np.inf, np.exp(found.high))
    return Interval(_floats(low), _floats(high))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _one_proportion(hits: ArrayLike, of: ArrayLike, level: float, method: str) -> Interval:
    x, n = (v.copy() for v in np.broadcast_arrays(_floats(hits), _floats(of)))
    if x.size > _MANY:  # equal counts have equal limits, and exact ones are slow to find
        # A complex number holds both counts, so that NumPy finds equal pairs by one sort.
        pairs, place = np.unique(x.ravel() + 1j * n.ravel(), return_inverse=True)
        low, high = proportion_confint(pairs.real, pairs.imag, alpha=1 - level, method=method)
        low, high = (v[place].reshape(x.shape) for v in (low, high))
    else:
        low, high = proportion_confint(x, n, alpha=1 - level, method=method)
    return Interval(np.where(x <= 0, 0.0, np.clip(low, 0, 1)), np.where(x >= n, 1.0, np.clip(high, 0, 1)))


def _statistic(distance: Floats, variance: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = distance / np.sqrt(variance)
    return _floats(np.where(np.abs(distance) < 1e-14, 0.0, z))  # noqa: PLR2004  0/0 on the estimate itself


def _invert(
    score: Callable[[Floats], Floats], middle: Floats, low: Floats, high: Floats, level: float
) -> Interval:
    """Bisects for where the score statistic leaves the two critical values, on either side of the estimate."""
    z = float(stats.norm.ppf((1 + level) / 2))
    outer, inner = low, middle
    for _ in range(_STEPS):
        half = (outer + inner) / 2
        inside = score(half) < z
        outer, inner = np.where(inside, outer, half), np.where(inside, half, inner)
    lower = (outer + inner) / 2
    outer, inner = high, middle
    for _ in range(_STEPS):
        half = (outer + inner) / 2
        inside = score(half) > -z
        outer, inner = np.where(inside, outer, half), np.where(inside, half, inner)
    return Interval(_floats(lower), _floats((outer + inner) / 2))
