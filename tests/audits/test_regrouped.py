"""Small groups decide together, crossed groups screen: neither is dropped, and neither dilutes a deciding line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audits import lines, regrouped, runner
from audits.check import Attribute
from audits.errors import AuditsInputError
from audits.finding import Direction, Leaning, Outcome, Role
from audits.lines import Line

FEW = ("few a", "few b")


def tpr(attribute, group=None, role=Role.DECIDES):
    return Line("tpr_gap", attribute, group, Direction.AT_LEAST, -0.10, role, "", "")


def small_groups(make_rows, cells, found=0.6, each=15):
    """Two groups of 15 people in need each, found as often as told; two large ones alike."""
    hits = round(found * each)
    some = cells(hits, each - hits, 5, 60)
    return make_rows(
        {"a": cells(600, 400, 200, 3800), "b": cells(605, 395, 200, 3800), "few a": some, "few b": some}
    )


def test_groups_too_small_by_themselves_decide_together(make_rows, cells):
    y, p, g = small_groups(make_rows, cells, each=19)
    report = runner.audit(y, p, sensitive_features={"origin": g}, lines=[tpr("origin")])
    pool = report.finding("fairness.tpr_gap:origin=few a + few b")
    assert (pool.role, pool.pooled, pool.too_few) == (Role.DECIDES, FEW, False)
    assert (pool.counts.group_of, pool.n) == (38, 168)
    for group in FEW:
        alone = report.finding(f"fairness.tpr_gap:origin={group}")
        assert (alone.too_few, alone.pool) == (True, pool.code)
        assert alone.low < alone.estimate < alone.high, "its bound is shown"
        assert "few a + few b" in alone.message
    # The pool takes the place of its groups: nothing is diluted, and they are not counted against the version twice.
    assert (report.rule.deciding, pool.adjusted_level) == (4, 1 - 2 * 0.05 / 4)
    assert report.verdict.because == (pool.code,)
    assert any("few a (origin): too few people to judge" in u for u in report.unknowns)


def test_small_groups_that_are_missed_together_fail_a_version(make_rows, cells):
    y, p, g = small_groups(make_rows, cells, found=0.1, each=19)
    report = runner.audit(y, p, sensitive_features={"origin": g}, lines=[tpr("origin")])
    assert report.finding("fairness.tpr_gap:origin=few a + few b").outcome is Outcome.FAILED
    assert report.verdict.outcome is Outcome.FAILED


def test_many_small_groups_alike_let_a_version_pass(make_rows, cells):
    some = cells(12, 7, 5, 60)
    groups = {"a": cells(600, 400, 200, 3800)} | {f"few {k}": some for k in range(16)}
    y, p, g = make_rows(groups)
    report = runner.audit(y, p, sensitive_features={"origin": g}, lines=[tpr("origin")])
    assert report.verdict.outcome is Outcome.PASSED
    assert report.rule.chance > 0.5


def test_a_single_small_group_has_nobody_to_be_pooled_with(make_rows, cells):
    y, p, g = make_rows(
        {"a": cells(600, 400, 200, 3800), "b": cells(605, 395, 200, 3800), "few": cells(9, 6, 5, 60)}
    )
    report = runner.audit(y, p, sensitive_features={"origin": g}, lines=[tpr("origin")])
    assert report.finding("fairness.tpr_gap:origin=few").pool is None
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert report.rule.chance == 0


def test_a_pool_that_is_too_small_itself_is_no_pass(make_rows, cells):
    y, p, g = small_groups(make_rows, cells, each=8)
    report = runner.audit(y, p, sensitive_features={"origin": g}, lines=[tpr("origin")])
    assert report.finding("fairness.tpr_gap:origin=few a + few b").too_few
    assert (report.verdict.outcome, report.verdict.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR)


def people(n=6000, missed=None):
    """Sex and origin independent; two of three in need found, but for the crossed group told: one of five."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"sex": rng.choice(["man", "woman"], n), "origin": rng.choice(["a", "b"], n)})
    need = rng.random(n) < 0.3
    rate = np.full(n, 2 / 3)
    if missed is not None:
        rate[(frame["sex"] == missed[0]) & (frame["origin"] == missed[1])] = 0.2
    return need, np.where(need, rng.random(n) < rate, rng.random(n) < 0.1), frame


def test_a_crossed_group_that_is_missed_fails_a_version_whose_coarse_lines_all_pass():
    need, selected, frame = people(missed=("man", "b"))
    report = runner.audit(
        need, selected, sensitive_features=frame, lines=[tpr("sex", "woman"), tpr("origin", "a")]
    )
    assert all(f.outcome is Outcome.PASSED for f in report.findings if f.role is Role.DECIDES)
    found = report.finding("fairness.tpr_gap:sex x origin=man x b")
    assert (found.role, found.crossed, found.outcome) == (Role.SCREENS, ("sex", "origin"), Outcome.FAILED)
    assert report.verdict.outcome is Outcome.FAILED


def test_crossed_groups_never_dilute_a_deciding_line():
    need, selected, frame = people()
    report = runner.audit(need, selected, sensitive_features=frame, lines=[tpr("sex"), tpr("origin")])
    assert (report.rule.deciding, report.rule.screening) == (4, 4)
    levels = {f.role: f.adjusted_level for f in report.findings if f.line is not None}
    assert levels == {Role.DECIDES: 1 - 0.1 / 4, Role.SCREENS: 1 - 0.1 / 4}
    assert report.verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(("n", "screened"), [(6000, 4), (200, 0)])
def test_crossing_stops_where_half_the_cells_expect_fewer_than_twenty_events(n, screened):
    need, selected, frame = people(n)
    report = runner.audit(need, selected, sensitive_features=frame, lines=[tpr("sex"), tpr("origin")])
    assert sum(bool(f.crossed) for f in report.findings) == screened


def test_crossing_leaves_out_whose_value_is_unknown():
    sex = Attribute("sex", ("m", "w", "unknown"), np.array([0, 1, 2, 0]), 0.25)
    origin = Attribute("origin", ("a", "b"), np.array([0, 1, 1, 1]), 0.0)
    both = regrouped.crossed([sex, origin])
    assert both.groups == ("m x a", "m x b", "w x b", "unknown")
    assert both.codes.tolist() == [0, 2, 3, 1]
    assert both.missing == 0.25


def test_more_than_24_deciding_lines_are_refused_and_the_defaults_stay_under(make_rows, cells):
    groups = {f"g{k:02d}": cells(30, 20, 5, 100) for k in range(13)}
    y, p, g = make_rows(groups)
    ppv = Line("ppv_gap", "origin", None, Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")
    with pytest.raises(AuditsInputError, match="26 deciding lines; at most 24") as caught:
        runner.audit(y, p, sensitive_features={"origin": g}, lines=[tpr("origin"), ppv])
    assert "coarser groups" in caught.value.hint
    report = runner.audit(y, p, sensitive_features={"origin": g})
    assert {f.metric for f in report.findings if f.role is Role.DECIDES and f.line} == {"tpr_gap"}
    assert lines.MOST_DECIDING == 24
