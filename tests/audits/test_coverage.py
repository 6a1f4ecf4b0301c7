"""Coverage as issue 4 asks for it, at a size that fits here; all of it in benchmarks/audits_coverage.py."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audits import intervals
from benchmarks import audits_coverage as coverage


def test_one_proportion_covers_by_enumeration():
    cells = [coverage.one_proportion(intervals.wilson, n, p) for n in coverage.SIZES for p in coverage.RATES]
    assert coverage.broken(cells) == []


def test_the_enumeration_would_see_the_score_interval_s_gap():
    def plain(hits, of, level):
        return intervals._one_proportion(hits, of, level, "wilson")

    assert "at one truth" in coverage.broken([coverage.one_proportion(plain, 50, 0.01)])[0]


@pytest.mark.parametrize("scale", ["difference", "ratio"])
def test_two_groups_cover(scale):
    rng = np.random.default_rng(coverage.SEED)
    sizes, rates = ((50, 50), (50, 500), (500, 5000)), (0.01, 0.05, 0.2, 0.5, 0.99)
    cells = [
        coverage.two_groups(scale, people, pair, coverage.REPLICATES, rng)
        for people, pair in itertools.product(sizes, itertools.product(rates, repeat=2))
    ]
    assert coverage.broken(cells) == []


def test_groups_cover_jointly_at_the_level_by_which_lines_fail():
    rng = np.random.default_rng(coverage.SEED)
    families = coverage.families((2, 24), (0.2,))
    found = [coverage.joint(f, coverage.REPLICATES, rng) for f in families]
    assert coverage.broken_joint(found, coverage.REPLICATES) == []
    assert all(
        share < 0.995 for f in found if "5000 people each" in f.where for share in f.covered.values()
    ), "wide enough to cover anything: too wide to ever fail a line"
