"""The check `subgroups`: for whom does the version err more often, where no sensitive feature says where to look?

Found on one half of the people, tested on the other (an honest split; Athey and Imbens 2016, doi:10.1073/pnas.1510489113),
corrected over all cells tested (Holm 1979). Families are whole in one half.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats
from sklearn.tree import DecisionTreeRegressor
from statsmodels.stats.multitest import multipletests

from audits import feature_bins, intervals, rule
from audits.check import AuditInput, CheckResult
from audits.counts import MIN_CLUSTERS, rate
from audits.finding import Counts, Finding, Outcome, Role, Scale
from audits.subgroup_facts import Subgroup, SubgroupFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audits.check import Explanation
    from audits.feature_bins import Binned

    Bools = NDArray[np.bool_]
    Steps = NDArray[np.float64]

DEPTH: Final = 3
"""Features a cell is told by, at most."""
SHARE: Final = 0.05
"""Least share of the searched half in one cell: smaller ones could not be shown on the other half. Source: luvalla 2026."""
MOST: Final = 4
"""Cells tested, the worst of the searched half: each further one costs the others their power. Source: luvalla 2026."""
ERROR: Final = 0.025
"""One-sided error that the cells share. At 5 % something was found in 9 of 120 audits without anything to find, at 2.5 % in 4 of the
same 120 (benchmarks/audits_subgroups.py); issue 4, point 12, allows 5 %."""
_LEAST: Final = 200
_SEARCHED: Final = 100_000
"""People in the searched half at most; who is left over is tested on."""


@dataclass(frozen=True)
class Cell:
    """A cell of the tree.

    Args:
        rule: Feature, step, and whether its people lie above it.
    """

    rule: tuple[tuple[int, float, bool], ...]

    def members(self, bins: Sequence[Binned]) -> Bools:
        """Marks its people, bool[n]; who is unknown in one of its features is not among them."""
        inside = np.ones(len(bins[0].steps), dtype=np.bool_)
        for j, step, above in self.rule:
            inside &= bins[j].steps > step if above else bins[j].steps <= step
        return inside

    def says(self, bins: Sequence[Binned]) -> str:
        """Says who they are, each feature's narrowest limits only."""
        told: dict[tuple[int, bool], float] = {}
        for j, step, above in self.rule:
            old = told.get((j, above))
            told[j, above] = step if old is None else max(old, step) if above else min(old, step)
        return "; ".join(bins[j].above(s) if above else bins[j].below(s) for (j, above), s in told.items())


@dataclass(frozen=True)
class SubgroupsCheck:
    """Looks for people alike in features for whom the version errs more often. It screens, and neither fails nor passes."""

    name: str = "subgroups"

    def run(self, given: AuditInput) -> CheckResult:
        """Searches one half and tests on the other.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without features, or with under 200 people; else a finding per cell found, or that none was.
        """
        if given.features is None or len(given.y_true) < _LEAST:
            return CheckResult(findings=())
        bins = feature_bins.binned(given.features, words(given.explain))
        facts = search(given.y_true != given.y_pred, bins, given.clusters, given.seed)
        if facts is None:
            return CheckResult(findings=())
        findings = [_found(number, s) for number, s in enumerate(facts.found, start=1)] or [_nothing(facts)]
        return CheckResult(findings=tuple(findings), subgroups=facts)


def words(explain: Explanation | None) -> dict[str, str]:
    """Gives features in the service's words.

    Args:
        explain: Says them, or None.

    Returns:
        Words by feature.
    """
    if explain is None or len(explain.labels) != len(explain.features):
        return {}
    return dict(zip(explain.features, explain.labels, strict=True))


def halves(n: int, clusters: NDArray[np.int64] | None, seed: int) -> Bools:
    """Splits people in two, families whole.

    Args:
        n: People.
        clusters: Family of each, int64[n]; None: each alone.
        seed: Of the split.

    Returns:
        bool[n]: True for the half that is searched.
    """
    units = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    count = int(units.max()) + 1
    first = np.zeros(count, dtype=np.bool_)
    first[np.random.default_rng(seed).permutation(count)[: min(count // 2, _SEARCHED)]] = True
    return np.asarray(first[units])


def search(
    wrong: Bools, bins: Sequence[Binned], clusters: NDArray[np.int64] | None, seed: int
) -> SubgroupFacts | None:
    """Searches for cells and tests them.

    Args:
        wrong: Whom the version was wrong about, bool[n].
        bins: Features.
        clusters: Family of each, int64[n], or None.
        seed: Of the split.

    Returns:
        What was found; None where there are no features that differ, or one half has too few people or families.
    """
    half = halves(len(wrong), clusters, seed)
    families = MIN_CLUSTERS if clusters is None else min(len(np.unique(clusters[h])) for h in (half, ~half))
    if not bins or min(half.sum(), (~half).sum()) < 2 * rule.FEW or families < MIN_CLUSTERS:
        return None
    tested = []
    for cell in cells(wrong[half], [b.steps[half] for b in bins]):
        members = cell.members(bins)
        inside, outside = members & ~half, ~members & ~half
        if min(inside.sum(), outside.sum()) >= rule.FEW and (members & half).sum() >= rule.FEW:
            tested.append((cell, inside, outside))
    found = [_tested(cell, bins, wrong, inside, outside, clusters) for cell, inside, outside in tested]
    if not found:
        return SubgroupFacts(int(half.sum()), int((~half).sum()), 0, ())
    shown, corrected, _, _ = multipletests([s.p for s in found], alpha=ERROR, method="holm")
    kept = [
        Subgroup(s.says, s.n, s.wrong, s.rest, s.rest_wrong, s.low, s.high, float(p))
        for s, p, yes in zip(found, corrected, shown, strict=True)
        if yes
    ]
    kept.sort(key=lambda s: s.rest_wrong / s.rest - s.wrong / s.n)
    return SubgroupFacts(int(half.sum()), int((~half).sum()), len(found), tuple(kept))


def cells(wrong: Bools, steps: Sequence[Steps]) -> tuple[Cell, ...]:
    """Finds the cells of a shallow tree in which a version errs most.

    Args:
        wrong: Whom it was wrong about, bool[m].
        steps: Features in steps, float64[m] each; nan where unknown.

    Returns:
        At most four, the worst first; none that errs as seldom as everybody together.
    """
    size = max(rule.FEW, round(SHARE * len(wrong)))
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=size, random_state=0)
    # Unknown values lie below every step, so that a cell's limits say who is in it.
    tree.fit(np.column_stack([np.nan_to_num(s, nan=-1.0) for s in steps]), wrong.astype(np.float64))
    t = tree.tree_
    out: list[tuple[float, Cell]] = []

    def walk(node: int, path: tuple[tuple[int, float, bool], ...]) -> None:
        if t.children_left[node] < 0:
            error = float(t.value[node].ravel()[0])
            if path and error > wrong.mean():
                out.append((error, Cell(path)))
            return
        j, step = int(t.feature[node]), float(np.floor(t.threshold[node]))
        walk(t.children_left[node], (*path, (j, step, False)))
        walk(t.children_right[node], (*path, (j, step, True)))

    walk(0, ())
    out.sort(key=lambda pair: -pair[0])
    return tuple(cell for _, cell in out[:MOST])


def _tested(
    cell: Cell, bins: Sequence[Binned], wrong: Bools, inside: Bools, outside: Bools, clusters: NDArray[np.int64] | None
) -> Subgroup:  # fmt: skip
    everyone = np.ones(len(wrong), dtype=np.bool_)
    one, rest = (rate(everyone, wrong, side, clusters) for side in (inside, outside))
    (x1, n1), (x2, n2) = one.effective(rule.LEVEL), rest.effective(rule.LEVEL)
    ends = intervals.miettinen_nurminen_difference(x1, n1, x2, n2, rule.LEVEL)
    p = float(stats.norm.sf(float(intervals.difference_score(x1, n1, x2, n2, 0.0))))
    return Subgroup(
        cell.says(bins), one.of, one.hits, rest.of, rest.hits, float(ends.low), float(ends.high), p
    )


def _found(number: int, s: Subgroup) -> Finding:
    return Finding(
        code=f"subgroups.cell_{number}",
        check="subgroups",
        metric="error",
        role=Role.SCREENS,
        outcome=Outcome.NOT_ENOUGH_EVIDENCE,
        message=(
            f"Wrong more often among people with {s.says}: {s.wrong} of {s.n} ({s.wrong / s.n:.0%}), against {s.rest_wrong} of "
            f"{s.rest} ({s.rest_wrong / s.rest:.0%}) of everyone else; difference {100 * (s.wrong / s.n - s.rest_wrong / s.rest):.1f} "
            f"points (90% interval {100 * s.low:.1f} to {100 * s.high:.1f})."
        ),
        tool="scikit-learn",
        version=version("scikit-learn"),
        scale=Scale.DIFFERENCE,
        estimate=s.wrong / s.n - s.rest_wrong / s.rest,
        low=s.low,
        high=s.high,
        level=rule.LEVEL,
        rate=s.wrong / s.n,
        rest_rate=s.rest_wrong / s.rest,
        counts=Counts(s.wrong, s.n, s.rest_wrong, s.rest),
        n=s.n,
        source="honest split, Holm 1979 at one-sided 2.5 %",
        why="A group that nobody named can be served worse too.",
    )


def _nothing(facts: SubgroupFacts) -> Finding:
    return Finding(
        code="subgroups.none",
        check="subgroups",
        metric="error",
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=(
            f"No group of people alike in up to {DEPTH} features was shown to meet more wrong decisions than everyone else "
            f"({facts.cells} sought among {facts.searched:,} people and tested on {facts.tested:,} others). A small group, or a small "
            "difference, can have gone unseen."
        ),
        tool="scikit-learn",
        version=version("scikit-learn"),
    )
