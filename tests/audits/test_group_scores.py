"""Calibration, order and reach by group; and what gave way where criteria cannot all hold."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from audits import calibration, group_scores, html, runner, tradeoffs
from audits.check import Attribute
from audits.finding import Direction, Outcome, Role
from audits.from_counts import audit_counts
from audits.lines import Line

RNG = np.random.default_rng(11)


def people(n, slope=1.0, shift=0.0, seed=1):
    """Scores, and need that follows them with this slope and shift on the log-odds."""
    rng = np.random.default_rng(seed)
    score = expit(rng.normal(-1.0, 1.0, n))
    return (rng.random(n) < expit(shift + slope * logit(score))).astype(np.int8), score


def line(metric="calibration_slope", limit=0.80, role=Role.DECIDES):
    return Line(metric, "group", None, Direction.WITHIN, limit, role, "", "")


# ------------------------------------------------------------------ slope


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.6])
def test_the_slope_finds_the_slope_that_was_planted(slope):
    y, s = people(40_000, slope, 0.2)
    found = calibration.slope(y, s)
    low, high = found.interval(0.99)
    assert low < slope < high
    assert high - low < 0.2


def test_the_slope_s_interval_covers_as_often_as_it_says():
    inside = 0
    for seed in range(300):
        y, s = people(600, seed=seed)
        low, high = calibration.slope(y, s).interval(0.90)
        inside += low <= 1.0 <= high
    assert 0.85 <= inside / 300 <= 0.95


def test_families_that_agree_widen_the_slope_s_interval():
    y, s = people(2000)
    alone = calibration.slope(np.repeat(y, 4), np.repeat(s, 4))
    whole = calibration.slope(np.repeat(y, 4), np.repeat(s, 4), np.repeat(np.arange(2000), 4))
    once = calibration.slope(y, s)
    assert whole.estimate == pytest.approx(once.estimate, rel=1e-6)
    assert whole.error == pytest.approx(once.error, rel=0.1)
    assert alone.error == pytest.approx(once.error / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("y", "s"),
    [([0, 0, 0], [0.1, 0.2, 0.3]), ([0, 1, 1], [0.5, 0.5, 0.5]), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), ([], []), ([1, 0], [0.0, 1.0])],
)  # fmt: skip
def test_a_slope_that_does_not_exist_is_none(y, s):
    found = calibration.slope(np.array(y, dtype=np.int8), np.array(s))
    assert np.isnan(found.estimate)
    assert np.isnan(found.interval(0.9)).all()


def test_a_line_on_the_slope_decides():
    y, s = people(12_000)
    steep, t = people(12_000, slope=0.4, seed=2)
    need, score, g = np.concatenate([y, steep]), np.concatenate([s, t]), np.repeat(["a", "b"], 12_000)
    report = runner.audit(
        need, (score > 0.5).astype(int), sensitive_features=g, y_score=score, lines=[line()]
    )
    good, bad = (
        report.finding("fairness.calibration_slope:group=a"),
        report.finding("fairness.calibration_slope:group=b"),
    )
    assert (good.outcome, bad.outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert bad.adjusted_high < 0.80
    assert good.chance > 0.9
    assert (
        f"need grows {bad.estimate:.2f} times as fast as the score says. Its scores lie too far apart."
        in html.page(report)
    )


def test_a_slope_on_few_events_is_too_few_to_judge():
    y, s = people(4000)
    g = np.where(np.arange(4000) < 40, "few", "many")
    report = runner.audit(y, (s > 0.5).astype(int), sensitive_features=g, y_score=s, lines=[line()])
    found = report.finding("fairness.calibration_slope:group=few")
    assert (found.outcome, found.too_few) == (Outcome.NOT_ENOUGH_EVIDENCE, True)
    without = runner.audit(y, (s > 0.5).astype(int), sensitive_features=g, lines=[line()])
    assert {f.outcome for f in without.findings if f.line} == {Outcome.COULD_NOT_RUN}


# ------------------------------------------------------------------ calibration error


@pytest.mark.parametrize("n", [60, 900, 9000])
def test_calibration_error_by_chance_is_the_mean_of_a_score_that_keeps_its_word(n):
    _, s = people(n, seed=5)
    drawn = [
        calibration.calibration_error((RNG.random(n) < s).astype(np.int8), s).observed for _ in range(200)
    ]
    expected = calibration.calibration_error(np.zeros(n, dtype=np.int8), s).by_chance
    assert expected == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 14)
    assert expected > 0


def test_calibration_error_by_chance_of_a_few_people_is_the_mean_over_all_that_could_happen():
    s = np.array([0.1, 0.1, 0.1, 0.7, 0.7])  # equal scores share a bin: one of three people, one of two
    each = [
        (math.prod(p if y else 1 - p for y, p in zip(ys, s, strict=True)), np.array(ys))
        for ys in itertools.product((0, 1), repeat=5)
    ]
    mean = sum(w * (abs(y[:3].sum() - 0.3) + abs(y[3:].sum() - 1.4)) / 5 for w, y in each)
    assert calibration.calibration_error(np.zeros(5, dtype=np.int8), s).by_chance == pytest.approx(
        mean, rel=1e-12
    )


# ------------------------------------------------------------------ order


SCORED = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.sampled_from("ab")), min_size=4, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(SCORED)
def test_areas_within_and_between_groups_are_scikit_learns(rows):
    y, s, g = (np.array(v) for v in zip(*rows, strict=True))
    s = s.astype(float)
    names = tuple(sorted(set(g.tolist())))
    attribute = Attribute("group", names, np.searchsorted(names, g), 0.0)
    for row in group_scores.scores({"group": attribute}, y.astype(np.int8), s, probability=False):
        here = g == row.group
        for mine, keep in (
            (row.auc_within, here),
            (row.auc_need_here, (here & (y == 1)) | (~here & (y == 0))),
            (row.auc_need_elsewhere, (~here & (y == 1)) | (here & (y == 0))),
        ):
            if len(set(y[keep].tolist())) == 2:
                assert mine == pytest.approx(roc_auc_score(y[keep], s[keep]), abs=1e-12)
            else:
                assert mine is None
        assert row.ece is None


# ------------------------------------------------------------------ capacities


@settings(max_examples=40, deadline=None)
@given(SCORED)
def test_reach_by_group_adds_up_to_the_places(rows):
    y, s, g = (np.array(v) for v in zip(*rows, strict=True))
    names = tuple(sorted(set(g.tolist())))
    attribute = Attribute("group", names, np.searchsorted(names, g), 0.0)
    points = group_scores.capacities(
        {"group": attribute}, y.astype(np.int8), s.astype(float), (0.1, 0.5, 1.0)
    )
    size = {name: int((g == name).sum()) for name in names}
    for share in {p.capacity for p in points}:
        here = [p for p in points if p.capacity == share]
        assert sum(p.selected * size[p.group] for p in here) == pytest.approx(round(share * len(y)))
    full = [p for p in points if p.capacity == 1.0]
    assert all(p.found is None or p.found == pytest.approx(1.0) for p in full)
    assert all(p.false_alarms is None or p.false_alarms == pytest.approx(1.0) for p in full)


def test_at_the_deployed_capacity_reach_by_group_is_the_deployed_rates():
    y, s = people(1000)
    g = np.repeat(["a", "b"], 500)
    top = np.zeros(1000, dtype=int)
    top[np.argsort(-s)[:200]] = 1
    report = runner.audit(y, top, sensitive_features=g, y_score=s)
    row = next(r for r in report.groups if r.group == "a")
    point = next(p for p in report.performance.by_capacity if p.group == "a" and p.capacity == 0.2)
    assert point.found == pytest.approx(row.metrics["true_positive_rate"])
    assert point.precision == pytest.approx(row.metrics["precision"])
    assert point.false_alarms == pytest.approx(row.metrics["false_positive_rate"])


# ------------------------------------------------------------------ what was traded

ALIKE = {"a": {"tp": 300, "fn": 200, "fp": 100, "tn": 400}, "b": {"tp": 60, "fn": 40, "fp": 20, "tn": 880}}
"""Found alike (60 %) and as precisely (75 %), where need is 50 % and 10 %: false alarms are 20 % and 2.2 %."""


def test_rates_are_tied_and_the_report_says_which_gave_way():
    drawn = [Line("tpr_gap", "group", None, Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")]
    report = audit_counts(ALIKE, lines=drawn)
    a = next(t for t in report.trades if t.group == "a")
    assert (a.need, a.rest_need) == (0.5, 0.1)
    assert a.gaps["found"] == pytest.approx(0)
    assert a.gaps["precision"] == pytest.approx(0)
    assert a.tied_false_alarms == pytest.approx(0.2)
    assert a.tied_false_alarms - a.rest_false_alarms == pytest.approx(a.gaps["false_alarms"], abs=1e-9)
    assert a.decided == ("found",)
    page = html.page(report)
    assert (
        "The lines decide on the share of need that is found. What gave way, against everyone else:" in page
    )
    assert "false alarms (+17.8 pp)" in page


@settings(max_examples=60, deadline=None)
@given(*[st.integers(1, 200)] * 4)
def test_the_tie_holds_for_every_table(tp, fn, fp, tn):
    need, found, precision = (tp + fn) / (tp + fn + fp + tn), tp / (tp + fn), tp / (tp + fp)
    assert tradeoffs.tied(need, found, precision) == pytest.approx(fp / (fp + tn))


def test_where_need_may_be_equal_nothing_had_to_be_traded():
    report = audit_counts(
        {"a": {"tp": 30, "fn": 20, "fp": 10, "tn": 40}, "b": {"tp": 28, "fn": 21, "fp": 9, "tn": 41}}
    )
    assert "Need may be equal, so nothing had to be traded." in html.page(report)


def test_where_counts_are_withheld_or_alone_nothing_is_held_beside_anything():
    assert audit_counts({"a": {"tp": "<5", "fn": 20, "fp": 10, "tn": 40}, "b": ALIKE["b"]}).trades == ()
    assert audit_counts({"a": ALIKE["a"]}).trades == ()
    assert "no groups whose rates could be held" in html.page(audit_counts({"a": ALIKE["a"]}))
