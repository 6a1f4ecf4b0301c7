"""How often the audits' intervals hold the truth: `python -P benchmarks/audits_coverage.py [replicates]`.

What issue 4 asks (rule 3). A nominal rate stands for a neighbourhood: the true odds lie between half and one and a half times
the nominal odds, evenly, for each group on its own; coverage is the average over them, and "pointwise" is at one truth.

* one proportion (Wilson), by enumeration: no chance in it;
* two groups, 95 % (Miettinen and Nurminen, differences and ratios), by simulation;
* joint: each of 2 to 24 groups against everyone else, square-and-add at the Bonferroni level over these lines
  (`audits.rule.adjusted_level`), by the bounds that can fail a line: the one that faces the limit of a deciding line, both of
  a two-sided screening line.

Exits with 1 if a figure breaks what the issue asks.
"""

from __future__ import annotations

import itertools
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from audits import intervals, rule
from audits.finding import Direction, Role
from audits.lines import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Interval = Callable[[Floats, Floats, float], intervals.Interval]

SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
RATES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50, 0.70, 0.80, 0.90, 0.95, 0.98, 0.99)
GROUPS = (2, 3, 4, 6, 8, 12, 16, 24)
LEVEL = 0.95
AVERAGE, POINTWISE, LARGE = 0.935, 0.90, 0.97
"""Least coverage averaged over odds, least at one truth, and most where both groups expect `EXPECTED` of each outcome."""
EXPECTED = 5
REPLICATES = 10_000
SEED = 20261124
_ONE_SIDED = Line("tpr_gap", "group", None, Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")
_BOTH = Line("fpr_gap", "group", None, Direction.WITHIN, 0.10, Role.SCREENS, "", "")


class Covered(NamedTuple):
    """Coverage of one cell of the grid.

    Args:
        where: Sizes and nominal rates.
        average: Over the odds.
        pointwise: The least at one truth.
        enough: Whether each group expects `EXPECTED` of each outcome.
    """

    where: str
    average: float
    pointwise: float
    enough: bool


class Joint(NamedTuple):
    """Joint coverage of a family of lines.

    Args:
        where: Groups, their sizes and nominal rate.
        covered: Share of replicates in which every line's lower, upper or both bounds hold its truth, by scale.
    """

    where: str
    covered: dict[str, float]


@dataclass(frozen=True)
class Family:
    """Groups of one attribute.

    Args:
        name: What they are.
        people: Per group, int[G].
        rate: Nominal.
    """

    name: str
    people: NDArray[np.int64]
    rate: float


def true_rates(rate: float, odds: Floats) -> Floats:
    """Gives the rates whose odds are so many times the nominal rate's."""
    scaled = odds * rate / (1 - rate)
    return np.asarray(scaled / (1 + scaled))


def one_proportion(interval: Interval, n: int, rate: float, points: int = 200) -> Covered:
    """Enumerates coverage of one proportion's interval.

    Args:
        interval: `intervals.wilson` or another.
        n: People.
        rate: Nominal.
        points: Odds to average over.
    """
    hits = np.arange(n + 1, dtype=np.float64)
    low, high = interval(hits, np.full(n + 1, float(n)), LEVEL)
    truths = true_rates(rate, 0.5 + (np.arange(points) + 0.5) / points)
    # The ends grow with the hits, so the covered counts are a run of them.
    first, last = np.searchsorted(high, truths, "left"), np.searchsorted(low, truths, "right") - 1
    covered = stats.binom.cdf(last, n, truths) - stats.binom.cdf(first - 1, n, truths)
    enough = min(n * rate, n * (1 - rate)) >= EXPECTED
    return Covered(f"n {n}, rate {rate:g}", float(covered.mean()), float(covered.min()), enough)


def two_groups(
    scale: str, people: tuple[int, int], rates: tuple[float, float], replicates: int, rng: np.random.Generator
) -> Covered:
    """Simulates coverage of Miettinen and Nurminen's interval, by its own statistic at the truth.

    Args:
        scale: `difference` or `ratio`.
        people: Of the group, and of everyone else.
        rates: Nominal, of both.
        replicates: For the average, and again at the nominal rates for the pointwise figure.
        rng: Chance.
    """
    odds = rng.uniform(0.5, 1.5, (2, replicates))
    spread = tuple(true_rates(p, odds[i]) for i, p in enumerate(rates))
    fixed = tuple(np.full(replicates, p) for p in rates)
    average, pointwise = (_held(scale, people, truths, rng) for truths in (spread, fixed))
    least = min(min(n * p, n * (1 - p)) for n, p in zip(people, rates, strict=True))
    where = f"{scale}, n {people[0]} v {people[1]}, rates {rates[0]:g} v {rates[1]:g}"
    return Covered(where, average, pointwise, least >= EXPECTED)


def _held(scale: str, people: tuple[int, int], truths: tuple[Floats, ...], rng: np.random.Generator) -> float:
    (n1, n2), (p1, p2) = people, truths
    x1, x2 = rng.binomial(n1, p1), rng.binomial(n2, p2)
    if scale == "difference":
        score = intervals.difference_score(x1, n1, x2, n2, p1 - p2)
    else:
        score = intervals.ratio_score(x1, n1, x2, n2, p1 / p2)
    return float((np.abs(score) <= stats.norm.ppf((1 + LEVEL) / 2)).mean())


def joint(family: Family, replicates: int, rng: np.random.Generator) -> Joint:
    """Simulates joint coverage: each group against everyone else, a line each, at the level by which lines fail.

    Args:
        family: The groups.
        replicates: Audits drawn.
        rng: Chance.
    """
    people, number = family.people, len(family.people)
    truths = true_rates(family.rate, rng.uniform(0.5, 1.5, (replicates, number)))
    hits = rng.binomial(people, truths)
    everyone, due = hits.sum(axis=1), (truths * people).sum(axis=1)
    held = {
        f"{scale} {bounds}": np.ones(replicates, dtype=np.bool_)
        for scale in ("difference", "ratio")
        for bounds in ("lower", "upper", "both")
    }
    for g in range(number):
        n1, n2 = int(people[g]), int(people.sum() - people[g])
        x1, p1, p2 = hits[:, g], truths[:, g], (due - truths[:, g] * people[g]) / n2
        for scale, method, truth in (
            ("difference", intervals.newcombe_difference, p1 - p2),
            ("ratio", intervals.newcombe_ratio, p1 / p2),
        ):
            low, high = method(x1, n1, everyone - x1, n2, rule.adjusted_level(_ONE_SIDED, number))
            held[f"{scale} lower"] &= low <= truth
            held[f"{scale} upper"] &= truth <= high
            low, high = method(x1, n1, everyone - x1, n2, rule.adjusted_level(_BOTH, number))
            held[f"{scale} both"] &= (low <= truth) & (truth <= high)
    where = f"{number} groups, {family.name}, rate {family.rate:g}"
    return Joint(where, {name: float(rows.mean()) for name, rows in held.items()})


def families(groups: Sequence[int], rates: Sequence[float]) -> Iterator[Family]:
    """Families of groups of 50, of 500, of 5,000, and of sizes from 50 to 5,000."""
    for number, rate in itertools.product(groups, rates):
        for size in (50, 500, 5000):
            yield Family(f"{size} people each", np.full(number, size), rate)
        yield Family("50 to 5,000 people", np.geomspace(50, 5000, number).round().astype(np.int64), rate)


def broken(cells: Sequence[Covered]) -> list[str]:
    """Names the cells that break what the issue asks."""
    out = [f"{c.where}: {c.average:.4f} averaged" for c in cells if c.average < AVERAGE]
    out += [f"{c.where}: {c.pointwise:.4f} at one truth" for c in cells if c.pointwise < POINTWISE]
    return out + [f"{c.where}: {c.average:.4f}, too wide" for c in cells if c.enough and c.average > LARGE]


def broken_joint(cells: Sequence[Joint], replicates: int) -> list[str]:
    """Names the families whose joint coverage is under 95 % less three Monte-Carlo standard errors."""
    least = LEVEL - 3 * float(np.sqrt(LEVEL * (1 - LEVEL) / replicates))
    return [
        f"{c.where}, {kind}: {share:.4f}" for c in cells for kind, share in c.covered.items() if share < least
    ]


def _say(name: str, cells: Sequence[Covered], started: float) -> list[str]:
    least, point = min(cells, key=lambda c: c.average), min(cells, key=lambda c: c.pointwise)
    enough = [c for c in cells if c.enough]
    most = max(enough, key=lambda c: c.average)
    print(f"\n{name}: {len(cells)} cells, {time.perf_counter() - started:.0f} s")
    print(f"  least averaged {least.average:.4f} ({least.where}); asked: at least {AVERAGE}")
    print(f"  least at one truth {point.pointwise:.4f} ({point.where}); asked: at least {POINTWISE}")
    print(f"  most where both expect 5 and 5 {most.average:.4f} ({most.where}); asked: at most {LARGE}")
    print(f"  mean of all {np.mean([c.average for c in cells]):.4f}")
    return broken(cells)


def main() -> int:
    """Prints the figures; 1 if one of them breaks what is asked."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATES
    rng = np.random.default_rng(SEED)
    error = float(np.sqrt(LEVEL * (1 - LEVEL) / replicates))
    print(f"{replicates} replicates a cell; one Monte-Carlo standard error at 95 % is {error:.4f}")
    started = time.perf_counter()
    wrong = _say(
        "One proportion, Wilson, by enumeration",
        [one_proportion(intervals.wilson, n, p) for n in SIZES for p in RATES],
        started,
    )
    for scale in ("difference", "ratio"):
        started = time.perf_counter()
        pairs = itertools.combinations_with_replacement(SIZES, 2)
        cells = [
            two_groups(scale, sizes, rates, replicates, rng)
            for sizes, rates in itertools.product(pairs, itertools.product(RATES, repeat=2))
        ]
        wrong += _say(f"Two groups, Miettinen-Nurminen, {scale}", cells, started)
    started = time.perf_counter()
    found = [joint(f, replicates, rng) for f in families(GROUPS, RATES[::2])]
    print(
        f"\nJoint, {len(found)} families, {time.perf_counter() - started:.0f} s; asked: at least {LEVEL - 3 * error:.4f}"
    )
    for kind in found[0].covered:
        by_groups = {
            g: min(c.covered[kind] for c in found if c.where.startswith(f"{g} groups")) for g in GROUPS
        }
        print(f"  least, {kind:<17} " + "  ".join(f"{g}: {v:.4f}" for g, v in by_groups.items()))
    wrong += broken_joint(found, replicates)
    for line in wrong:
        print(f"BROKEN  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
