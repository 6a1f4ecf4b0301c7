"""Reasons that another sample would have replaced are named; declared directions are asked of the model."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from audits import html, report, runner
from audits.explainability import ExplainabilityCheck
from audits.finding import Outcome
from audits.probes import Deletion, Moved, Refits

FAMILIES = ("school", "school", "home")


@pytest.fixture
def refits(everything):
    own = everything["explain"].contributions[:400]
    return Refits(np.arange(400), np.stack([own, own, own]), FAMILIES, {"school": "School results"})


def audit_with(everything, **change):
    everything["explain"] = replace(everything["explain"], **change)
    return runner.audit(**everything, checks=[ExplainabilityCheck()])


def test_reasons_of_refits_that_agree_are_all_stable(everything, refits):
    made = audit_with(everything, refits=refits)
    facts = made.explanation.refits
    assert facts.leading_kept == facts.leading > 0
    assert facts.rank_correlation == pytest.approx(1)
    assert set(facts.stable("for")) == set(facts.stable("against")) == {"school", "home"}
    assert made.finding("explainability.top_reason").estimate == 1


def test_a_reason_that_one_refit_turns_round_is_not_told(everything, refits):
    turned = refits.contributions.copy()
    turned[1, :, 2] *= -1
    facts = audit_with(everything, refits=replace(refits, contributions=turned)).explanation.refits
    assert facts.stable("for") == facts.stable("against") == ("school",)
    home = next(r for r in facts.reasons_told if r.reason == "home")
    assert home.kept == 0
    assert home.told >= 20
    # Whoever had nothing but the home speak their way is told that no single reason stands out.
    assert facts.none_stable > 0


def test_features_that_trade_places_leave_their_family_stable(everything, refits):
    """Two features of one family share a circumstance: each is an accident of training, together they are not."""
    own = 1 + 0.05 * np.abs(everything["explain"].contributions)
    others = np.stack([own * [-1.0, 4.0, 0.2], own * [4.0, -1.0, 0.2]])
    version = own * [2.0, 2.0, 0.2]
    output = version.sum(axis=1) - 1.6
    facts = audit_with(
        everything,
        contributions=version,
        output=output,
        refits=replace(refits, contributions=others[:, :400]),
    ).explanation.refits
    assert "school" in facts.stable("for")
    assert [f.kept for f in facts.features[:2]] == [0, 0]


def test_a_reason_told_to_few_is_not_shown_to_be_stable(everything, refits):
    few = replace(refits, rows=refits.rows[:15], contributions=refits.contributions[:, :15])
    facts = audit_with(everything, refits=few).explanation.refits
    assert facts.stable("for") == facts.stable("against") == ()
    assert facts.none_stable == 15


@pytest.mark.parametrize(
    "change",
    [
        {"contributions": np.zeros((1, 400, 3))},
        {"contributions": np.zeros((3, 399, 3))},
        {"families": ("school",)},
        {"rows": np.arange(400) + 10**6},
        {"contributions": np.full((3, 400, 3), np.nan)},
    ],
)
def test_refits_that_do_not_fit_could_not_run(everything, refits, change):
    made = audit_with(everything, refits=replace(refits, **change))
    assert made.finding("explainability.could_not_run").outcome is Outcome.COULD_NOT_RUN
    assert made.verdict.outcome is not Outcome.PASSED


def moved(slopes, direction="increasing"):
    grid = np.array([0.0, 1.0, 2.0])
    return Moved("reading", direction, grid, np.outer(slopes, grid))


def test_a_declared_direction_is_kept_or_fails_the_version(everything):
    kept = audit_with(everything, monotone=(moved([0.5, 0.0, 1.0]),))
    assert kept.finding("explainability.monotone:reading").outcome is Outcome.PASSED
    broken = audit_with(everything, monotone=(moved([0.5, -0.25, 1.0]),))
    found = broken.finding("explainability.monotone:reading")
    assert (found.outcome, found.events, found.estimate) == (Outcome.FAILED, 1, pytest.approx(0.25))
    assert broken.verdict.outcome is Outcome.FAILED
    down = audit_with(everything, monotone=(moved([-0.5, -0.25], "decreasing"),))
    assert down.explanation.monotone[0].violated == 0


def test_a_direction_that_cannot_be_asked_is_no_pass(everything):
    one = Moved("reading", "increasing", np.array([1.0]), np.zeros((5, 1)))
    found = audit_with(everything, monotone=(one,)).finding("explainability.monotone:reading")
    assert found.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    wrong = Moved("reading", "increasing", np.array([1.0, 0.0]), np.zeros((5, 2)))
    made = audit_with(everything, monotone=(wrong,))
    assert made.finding("explainability.could_not_run").outcome is Outcome.COULD_NOT_RUN


def test_taking_reasons_away_is_held_against_chance(everything):
    rng = np.random.default_rng(1)
    before = rng.normal(size=50)
    given = Deletion("the median", before, before - [[1.0], [1.5]], before - rng.normal(size=(5, 2, 50)))
    made = audit_with(everything, deletion=given)
    last = made.explanation.deletion.steps[-1]
    assert last.strongest == pytest.approx(1.5)
    assert last.low < last.gain < last.high
    assert last.low > 1
    found = made.finding("explainability.deletion")
    assert (found.outcome, found.estimate) == (Outcome.NOT_APPLICABLE, pytest.approx(last.gain))


def test_the_page_tells_it_and_the_facts_come_back(everything, refits):
    rng = np.random.default_rng(1)
    given = Deletion("the median", np.zeros(9), -np.ones((2, 9)), rng.normal(size=(5, 2, 9)))
    made = audit_with(everything, refits=refits, monotone=(moved([1.0]),), deletion=given)
    assert report.from_json(made.to_json()) == made
    section = html.page(made).split('<section id="reasons"')[1].split("</section>")[0]
    for part in ("Do the reasons hold?", "School results", "yes, stable", "Passes", "The median"):
        assert part in section
    assert not re.search(r"\{\w*\}|None|nan", section)
