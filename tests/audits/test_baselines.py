"""What a version gains over something simpler, on the same people: shown, not shown, or not to be told."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from audits import baseline_texts, html, reason_texts, report, runner
from audits.baselines import BaselinesCheck
from audits.check import Comparator, Simpler
from audits.finding import Leaning, Outcome, Role

N = 3000


def people(signal, n=N, seed=5):
    """Need, the version's score with that much more signal than the simple model's, and the simple one's."""
    rng = np.random.default_rng(seed)
    known, extra = rng.normal(size=n), rng.normal(size=n)
    need = (rng.random(n) < 1 / (1 + np.exp(1.5 - known - signal * extra))).astype(int)
    return need, known + signal * extra, known


def top(score, share=0.2):
    return (score >= np.quantile(score, 1 - share)).astype(int)


def audited(need, score, simple, complexity="gradient boosted trees", **change):
    comparator = Comparator("scorecard", "a scorecard", top(simple), simple)
    return runner.audit(
        need,
        top(score),
        sensitive_features={"sex": np.resize(["woman", "man"], len(need))},
        y_score=score,
        simpler=Simpler((comparator,), complexity),
        checks=[BaselinesCheck()],
        **change,
    )


def test_a_gain_that_is_there_is_shown_and_complexity_is_earned():
    need, score, simple = people(1.0)
    made = audited(need, score, simple)
    earned = made.finding("baselines.complexity")
    assert (earned.outcome, earned.role) == (Outcome.PASSED, Role.SCREENS)
    gain = made.finding("baselines.area:scorecard")
    assert gain.estimate == pytest.approx(roc_auc_score(need, score) - roc_auc_score(need, simple))
    assert 0 < gain.low < gain.estimate < gain.high
    assert made.baselines.earned is True


def test_a_scorecard_that_does_as_well_leans_against_and_fails_nothing():
    need, score, _ = people(0.0)
    rng = np.random.default_rng(1)
    made = audited(need, score + rng.normal(scale=0.1, size=N), score)
    found = made.finding("baselines.complexity")
    assert (found.outcome, found.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    assert found.message.startswith("The scorecard does as well")
    assert made.verdict.outcome is not Outcome.FAILED
    worse = audited(need, rng.normal(size=N), score).finding("baselines.complexity")
    assert worse.message.startswith("The scorecard does better")


def test_a_simple_version_has_nothing_to_earn():
    made = audited(*people(0.0), complexity="")
    assert not [f for f in made.findings if f.code == "baselines.complexity"]
    assert made.baselines.earned is None


def test_too_few_in_need_tell_nothing():
    need, score, simple = people(1.0, n=200)
    need[np.flatnonzero(need)[15:]] = 0
    found = audited(need, score, simple).finding("baselines.complexity")
    assert found.too_few
    assert found.leaning is None


def test_chance_finds_as_many_as_it_selects():
    need, score, simple = people(1.0)
    chance = audited(need, score, simple).baselines.rows[0]
    assert (chance.name, chance.area) == ("chance", 0.5)
    assert chance.found == pytest.approx(top(score).mean())
    assert chance.found_gain == pytest.approx(top(score)[need == 1].mean() - chance.found)
    assert chance.only_version is None


def test_found_is_paired_so_that_agreement_narrows_it():
    need, score, _ = people(0.0)
    rng = np.random.default_rng(2)
    alike = audited(need, score, score + rng.normal(scale=0.05, size=N)).finding("baselines.found:scorecard")
    apart = audited(need, score, rng.permutation(score)).finding("baselines.found:scorecard")
    assert alike.high - alike.low < 0.5 * (apart.high - apart.low)
    assert alike.counts.group_of == alike.counts.rest_of == need.sum()


def test_families_widen_what_is_said_of_them():
    need, score, simple = people(1.0)
    alone = audited(need, score, simple).finding("baselines.area:scorecard")
    family = np.repeat(np.arange(N), 4)[: 4 * N]
    four = [np.repeat(a, 4) for a in (need, score, simple)]
    together = audited(*four, clusters=family).finding("baselines.area:scorecard")
    blind = audited(*four).finding("baselines.area:scorecard")
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.02)
    assert blind.high - blind.low < 0.6 * (together.high - together.low)


@pytest.mark.parametrize(
    ("models", "fault"),
    [
        ((Comparator("a", "", np.zeros(3)),), "a.y_pred has 3 rows"),
        ((Comparator("a", "", np.full(N, 2)),), "a.y_pred has shape"),
        ((Comparator("chance", "", np.zeros(N)),), "baselines are named chance"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused(models, fault):
    need, score, _ = people(1.0)
    with pytest.raises(runner.AuditsError, match=fault):
        runner.audit(need, top(score), sensitive_features={"a": need}, simpler=Simpler(models))


def test_the_page_tells_it_and_the_facts_come_back():
    made = audited(*people(1.0))
    assert report.from_json(made.to_json()) == made
    page = html.page(made)
    section = page.split('<section id="baselines"')[1].split("</section>")[0]
    for part in ("is earned", "A scorecard", "Choosing by lot", "pp"):
        assert part in section
    assert 'href="#baselines"' in page
    assert not re.search(r"\{\w*\}|None|nan", section)


@pytest.mark.parametrize("texts", [baseline_texts, reason_texts])
def test_the_sections_words_are_the_same_in_every_language(texts):
    holes = [
        {k: sorted(re.findall(r"\{[\w:%]+\}", v)) for k, v in words.items()}
        for words in (texts.EN, texts.FI, texts.SV)
    ]
    assert holes[0] == holes[1] == holes[2]
