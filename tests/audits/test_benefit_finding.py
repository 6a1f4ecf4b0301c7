"""The benefit audit in a report: three outcomes, each on its own bound; what is described never decides."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from audits import benefit_texts, html, report, runner
from audits.benefit import Estimate
from audits.benefit_finding import BenefitCheck, judge
from audits.benefit_trial import Trial
from audits.finding import Leaning, Outcome, Role


def trial(seed=0, n=3000, gain=0.0, average=0.1, **changes):
    """Invented people in families of about two; choosing by the first feature gains, if told so."""
    rng = np.random.default_rng(seed)
    family = np.sort(rng.integers(0, n // 2, n))
    treated = (rng.random(n // 2) < 0.5).astype(int)[family]
    x = rng.normal(size=(n, 3))
    p = np.clip(0.4 + 0.1 * np.tanh(x[:, 1]) + treated * (average + gain * np.tanh(2 * x[:, 0])), 0, 1)
    return Trial(**{
        "y": (rng.random(n) < p).astype(float), "w": treated, "e": np.full(n, 0.5), "features": x, "capacity": 0.2,
        "clusters": family, "stratum": np.where(np.arange(n) % 3, "north", "south"),
        "groups": {"sex": np.where(rng.random(n) < 0.5, "woman", "man"), "origin": np.where(np.arange(n) < 15, "few", "many")},
        "treatment": "a call", "outcome": "still in school in May", **changes,
    })  # fmt: skip


@pytest.fixture
def audit(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})

    def run(**given):
        return runner.audit(y, p, sensitive_features=g, **given)

    return run


def test_without_a_trial_nothing_is_said_of_gain(audit):
    made = audit()
    assert made.verdict.outcome is Outcome.PASSED
    assert made.benefit is None
    assert not any(f.check == "benefit" for f in made.findings)
    page = html.page(made)
    assert 'id="benefit"' not in page
    assert "Whether the offer helps the people it reaches" in page


def test_a_gain_that_is_there_is_shown_and_the_audit_passes(audit):
    made = audit(benefit=trial(gain=0.3))
    found = made.finding("benefit.gain")
    assert (found.outcome, found.role, found.leaning) == (Outcome.PASSED, Role.DECIDES, None)
    assert found.low > 0
    assert found.message.startswith("Gain shown. The 20% with the largest predicted gain gain +")
    assert made.verdict.outcome is Outcome.PASSED
    assert "benefit.gain" in made.verdict.because


def test_a_gain_that_is_not_shown_keeps_a_version_from_passing_and_says_what_could_have_been_seen(audit):
    made = audit(benefit=trial(n=900))
    found = made.finding("benefit.gain")
    assert found.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert made.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    page = html.page(made)
    assert "a gain that is not shown is accepted by nobody" in page
    assert "you may accept" not in page
    assert (
        f"shows a gain of {100 * made.benefit.smallest_detectable:+.1f} points four times out of five"
        in found.message
    )
    assert made.benefit.smallest_detectable == pytest.approx(
        (found.high - found.low) / 2 / 1.6449 * 2.4865, rel=1e-3
    )


def test_no_gain_is_said_only_if_the_upper_bound_is_under_the_least_gain_declared(audit):
    high = audit(benefit=trial()).benefit.high
    above = audit(benefit=trial(least_gain=high + 1e-6))
    assert above.finding("benefit.gain").outcome is Outcome.FAILED
    assert above.finding("benefit.gain").message.startswith(f"No gain above {100 * high:+.1f} points.")
    assert above.verdict.outcome is Outcome.FAILED
    under = audit(benefit=trial(least_gain=high - 1e-6))
    assert under.finding("benefit.gain").outcome is not Outcome.FAILED


@pytest.mark.parametrize(
    ("found", "least", "outcome", "leaning"),
    [
        (Estimate(0.10, 0.06), None, Outcome.PASSED, None),
        (Estimate(0.10, 0.062), None, Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR),
        (Estimate(-0.01, 0.05), None, Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST),
        (Estimate(-0.50, 0.05), None, Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST),
        (Estimate(0.00, 0.03), 0.05, Outcome.FAILED, None),
        (Estimate(0.00, 0.031), 0.05, Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST),
        (Estimate(0.02, 0.01), 0.05, Outcome.FAILED, None),
        (None, 0.05, Outcome.NOT_ENOUGH_EVIDENCE, None),
    ],
)
def test_each_bound_decides_one_thing(found, least, outcome, leaning):
    assert judge(found, least, too_few=False, mismatched=False) == (outcome, leaning)
    for doubt in ({"too_few": True, "mismatched": False}, {"too_few": False, "mismatched": True}):
        assert judge(found, least, **doubt) == (Outcome.NOT_ENOUGH_EVIDENCE, None)


def test_what_is_described_never_decides(audit):
    made = audit(benefit=trial(gain=0.3))
    others = [f for f in made.findings if f.check == "benefit" and f.code != "benefit.gain"]
    assert {f.metric for f in others} == {"assignment", "effect", "qini", "calibration_slope", "per_head"}
    assert all(f.role is Role.DESCRIBED for f in others if f.metric != "assignment")
    assert all(f.outcome is Outcome.NOT_APPLICABLE for f in others if f.role is Role.DESCRIBED)


def test_more_people_treated_than_the_design_says_is_no_trial_of_that_design(audit):
    made = audit(benefit=trial(gain=0.3, e=np.full(3000, 0.4)))
    assert made.finding("benefit.assignment").outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert made.finding("benefit.gain").outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "than the design says" in made.finding("benefit.gain").message


@pytest.mark.parametrize(
    "few",
    [
        trial(gain=0.3, n=300),  # twelve chosen in a fold of sixty
        trial(gain=0.3, clusters=np.arange(3000) % 60),  # twelve families in a fold
        replace(trial(gain=0.3), y=(np.arange(3000) % 500 == 0).astype(float)),  # six people with the outcome
    ],
)
def test_too_few_people_families_or_outcomes_are_not_judged(audit, few):
    found = audit(benefit=few).finding("benefit.gain")
    assert (found.outcome, found.too_few, found.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, True, None)


def test_models_that_tell_nobody_apart_show_no_gain(audit):
    found = audit(benefit=trial(features=np.ones((3000, 1)))).finding("benefit.gain")
    assert (found.outcome, found.estimate) == (Outcome.NOT_ENOUGH_EVIDENCE, None)
    assert found.message.startswith("Gain not shown: the models told nobody apart")


def test_a_low_outcome_may_be_the_good_one(audit):
    given = trial(gain=0.3)
    one = audit(benefit=given).benefit
    two = audit(benefit=replace(given, y=1 - given.y, higher_is_better=False)).benefit
    assert two.yes_or_no
    assert (two.gain, two.average) == (pytest.approx(one.gain), pytest.approx(one.average))


def test_a_trial_that_does_not_fit_could_not_run_and_nothing_passes(audit):
    made = audit(benefit=trial(w=np.full(3000, 2)))
    assert made.finding("benefit.could_not_run").outcome is Outcome.COULD_NOT_RUN
    assert made.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_strata_average_to_the_whole_and_groups_receive_what_is_gained(audit):
    facts = audit(benefit=trial(gain=0.3, average=0.25)).benefit
    assert [s.stratum for s in facts.strata] == ["north", "south"]
    assert sum(s.people * s.effect for s in facts.strata) / facts.people == pytest.approx(facts.average)
    assert facts.average_low < 0.25 < facts.average_high
    sexes = [g for g in facts.groups if g.attribute == "sex"]
    assert sum(g.chosen for g in sexes) == pytest.approx(0.2 * facts.scored)
    # The best fifth gain about .25 + .3 each: a fifth of that per head, in either group.
    assert all(g.low < 0.2 * 0.55 < g.high for g in sexes)
    few = next(g for g in facts.groups if g.group == "few")
    assert (few.per_head, few.low, few.high) == (None, None, None)


def test_the_same_trial_gives_the_same_bytes_and_comes_back_from_them(audit):
    one, two = audit(benefit=trial()), audit(benefit=trial())
    assert one.to_json() == two.to_json()
    assert report.from_json(one.to_json()) == one


def test_the_page_tells_of_the_gain_and_of_every_group_and_stratum(audit):
    made = audit(benefit=trial(gain=0.3))
    page = html.page(made)
    section = page.split('<section id="benefit"')[1].split("</section>")[0]
    for part in (
        "woman",
        "man",
        "north",
        "south",
        "a call",
        "still in school in May",
        "too few to say",
        "Gain shown.",
    ):
        assert part in section
    assert 'href="#benefit"' in page
    assert "Gain from choosing" in page
    assert "Whether the offer helps the people it reaches" not in page
    assert not re.search(r"\{\w*\}|None|nan", section)


def test_the_sections_words_are_the_same_in_every_language():
    holes = {
        name: {k: sorted(re.findall(r"\{\w+\}", v)) for k, v in words.items()}
        for name, words in (("en", benefit_texts.EN), ("fi", benefit_texts.FI), ("sv", benefit_texts.SV))
    }
    assert holes["en"] == holes["fi"] == holes["sv"]
    assert all(v.strip() for words in (benefit_texts.FI, benefit_texts.SV) for v in words.values())


def test_the_check_says_what_it_cannot_know(audit):
    told = audit(benefit=trial(clusters=None), checks=[BenefitCheck()]).unknowns
    assert any("families were not accounted for" in u for u in told)
    assert any("No smallest gain worth having was declared" in u for u in told)
