"""Small changes of features, people by period, and an attack on who was learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from audits import runner
from audits.finding import Leaning, Outcome, Role
from audits.html import page
from audits.robust_facts import Membership, Periods, Perturbation, Robustness
from audits.robustness import RobustnessCheck, by_period, flipped, remembered

N = 200


def report(given):
    need = np.tile([0, 1], N // 2)
    return runner.audit(need, need, sensitive_features={"sex": np.repeat(["f", "m"], N // 2)}, robustness=given, checks=(RobustnessCheck(),))  # fmt: skip


@pytest.fixture
def moved():
    """Four women of a hundred and two men flip in one of two draws."""
    before = np.zeros(N, dtype=bool)
    after = np.zeros((2, N), dtype=bool)
    after[0, [0, 1, 100]] = True
    after[1, [1, 2, 3, 101]] = True
    return Perturbation(
        before, after, {"sex": np.repeat(["f", "m"], N // 2).astype(object)}, {"age": 1.0}, ("school",)
    )


def scored(model, n=600, seed=1):
    """A model's probabilities of people it learnt from and of as many others, among people nobody is."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 * n, 5))
    y = (rng.random(2 * n) < 1 / (1 + np.exp(-x[:, 0]))).astype(np.int8)
    model.fit(x[:n], y[:n])
    return Membership(y, model.predict_proba(x)[:, 1], np.arange(2 * n) < n)


def test_people_whose_selection_hangs_on_a_step_are_counted_by_group(moved):
    every, women, men = flipped(moved)
    assert (every.flipped, women.flipped, men.flipped) == (6, 4, 2)
    assert women.low < women.share == 0.04 < women.high
    found = report(Robustness(moved)).finding("robustness.flips")
    assert "6 of 200 people (3.0%" in found.message
    assert "Most often: f (sex), 4.0%" in found.message
    assert found.role is Role.DESCRIBED


def test_the_section_names_the_steps_and_what_was_not_moved(moved):
    shown = page(report(Robustness(moved, scored(LogisticRegression()))))
    assert "age 1." in shown
    assert "Not moved: school." in shown


def test_a_model_that_remembers_people_is_found_and_only_warns():
    tree = report(Robustness(membership=scored(DecisionTreeClassifier(random_state=1))))
    found = tree.finding("robustness.membership")
    assert (found.outcome, found.leaning, found.role) == (
        Outcome.NOT_ENOUGH_EVIDENCE,
        Leaning.AGAINST,
        Role.SCREENS,
    )
    assert "remembers people" in found.message
    assert tree.robustness.membership.auc > 0.6


def test_a_model_that_does_not_passes_and_the_interval_holds_guessing():
    facts = remembered(scored(LogisticRegression(), n=3000))
    assert facts.low < 0.5 < facts.high < 0.6
    assert facts.at_one_percent < 0.03
    plain = report(Robustness(membership=scored(LogisticRegression(), n=3000)))
    assert plain.finding("robustness.membership").outcome is Outcome.PASSED


def test_the_attack_s_area_is_scikit_learns():
    given = scored(DecisionTreeClassifier(max_depth=6, random_state=1))
    right = np.where(given.y_true == 1, given.y_score, 1 - given.y_score)
    assert remembered(given).auc == pytest.approx(roc_auc_score(given.member, right))


def test_the_interval_covers_guessing_where_nothing_is_remembered():
    # 200 draws of a nominal 95 %: fewer than 180 have a chance under .003 (binomial).
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        given = Membership(rng.integers(0, 2, 300).astype(np.int8), rng.random(300), rng.random(300) < 0.5)
        facts = remembered(given)
        inside += facts.low <= 0.5 <= facts.high
    assert inside >= 180


def test_a_person_scored_by_several_models_counts_once():
    given = scored(LogisticRegression())
    twice = Membership(
        np.tile(given.y_true, 2),
        np.tile(given.y_score, 2),
        np.tile(given.member, 2),
        np.tile(np.arange(1200), 2),
    )
    once, both = remembered(given), remembered(twice)
    assert both.high - both.low == pytest.approx(once.high - once.low, rel=0.02)
    assert remembered(replace(twice, people=None)).high - remembered(
        replace(twice, people=None)
    ).low < 0.8 * (both.high - both.low)


def test_periods_are_told_in_order_with_their_areas():
    rng = np.random.default_rng(2)
    score = rng.random(3000)
    year = np.repeat([2023, 2024, 2025], 1000).astype(object)
    need = (rng.random(3000) < np.where(year == 2025, 0.3, score)).astype(np.int8)
    given = Periods(year, need, (score > 0.8).astype(np.int8), score)
    rows = by_period(given)
    assert [r.period for r in rows] == ["2023", "2024", "2025"]
    assert sum(r.in_need for r in rows) == need.sum()
    found = report(Robustness(periods=given)).finding("robustness.periods")
    assert "(2025)" in found.message
    assert "do not meet" in found.message


def test_a_period_with_one_outcome_has_no_area():
    given = Periods(np.array([1, 1, 2, 2], dtype=object), np.array([0, 1, 1, 1], dtype=np.int8), np.zeros(4, dtype=np.int8), np.arange(4.0))  # fmt: skip
    assert [r.auc is None for r in by_period(given)] == [False, True]
    assert "no two periods" in report(Robustness(periods=given)).finding("robustness.periods").message


def test_nothing_given_says_nothing(moved):
    for given in (None, Robustness()):
        assert report(given).robustness is None
        assert not report(given).findings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (lambda m: Robustness(replace(m, moved=m.moved[:0])), "after a change"),
        (lambda m: Robustness(replace(m, groups={"sex": np.array(["f"], dtype=object)})), "1 groups of sex for 200"),
        (lambda _: Robustness(membership=replace(scored(LogisticRegression()), member=np.ones(1200, dtype=bool))), "and of others"),
        (lambda _: Robustness(membership=replace(scored(LogisticRegression()), y_score=np.full(1200, 2.0))), "outside 0 to 1"),
        (lambda _: Robustness(periods=Periods(np.array([None, 1], dtype=object), *(np.zeros(2, dtype=np.int8),) * 2, np.zeros(2))), "periods do not fit"),
    ],
)  # fmt: skip
def test_what_does_not_fit_could_not_run(given, says, moved):
    found = report(given(moved)).finding("robustness.could_not_run")
    assert found.outcome is Outcome.COULD_NOT_RUN
    assert says in found.message
