"""Accepting doubt: only once, only for a while, and only on an audit that could have decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audits.finding import Leaning, Outcome, Scale
from governance import gate
from governance import policy as policies
from governance.acceptance import Accepted, accepted_in, width
from governance.errors import PolicyError
from governance.gate import GateOutcome

LINE = "tpr_gap:race=Black"
OPEN = Outcome.NOT_ENOUGH_EVIDENCE
DOUBT = {LINE: (OPEN, {})}


def may_not(decision, says):
    assert decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    assert not decision.acceptable
    assert any(says in reason for reason in decision.why_not), decision.why_not


@pytest.mark.parametrize(("chance", "acceptable"), [(0.5, True), (0.499, False), (0.0, False), (None, False)])
def test_nothing_is_accepted_on_an_audit_that_could_not_decide(room, chance, acceptable):
    decision = room.gate(room.report(DOUBT, rule={"chance": chance}))
    assert decision.acceptable is acceptable
    if not acceptable:
        may_not(
            decision, "this audit could not decide" if chance is not None else "does not state the chance"
        )


def test_the_board_is_told_the_chance_the_least_asked_for_and_what_to_ask_for(room):
    reasons = room.gate(room.report(DOUBT, rule={"chance": 0.499})).why_not
    told = next(reason for reason in reasons if "could not decide" in reason)
    for part in ("49.9% of the time", "asks for 50%", "ask for more people, or for coarser groups"):
        assert part in told


def test_an_audit_that_could_hardly_have_passed_still_passes_where_its_lines_do(room):
    assert room.gate(room.report(rule={"chance": 0.1})).outcome is GateOutcome.PASSED


def test_the_further_events_must_be_written_down(room):
    may_not(room.gate(room.report({LINE: (OPEN, {"further": None})})), "how many further events")


def test_a_line_is_accepted_once(room):
    report = room.report(DOUBT)
    before = accepted_in("sha256:" + "1" * 64, report, [LINE])
    assert [one.finding.line for one in before] == [LINE]
    assert room.gate(report).acceptable
    may_not(room.gate(report, before=before), "accepted before")
    # What was accepted on another line says nothing of this one.
    assert room.gate(report, before=accepted_in("c", report, ["tpr_gap:sex=male"])).acceptable


def test_a_line_is_accepted_again_where_its_interval_narrowed_by_a_quarter(room):
    report = room.report(DOUBT)
    now = next(f for f in report.findings if f.line == LINE)
    for share, acceptable in ((0.74, True), (0.76, False)):
        # The bound that faces the limit decides: how far below the estimate it lies.
        wider = replace(now, low=now.estimate - (now.estimate - now.low) / share)
        assert room.gate(report, before=[Accepted("c", wider)]).acceptable is acceptable


def test_the_narrowest_acceptance_counts_and_another_scale_compares_with_nothing(room):
    report = room.report(DOUBT)
    now = next(f for f in report.findings if f.line == LINE)
    wide = replace(now, low=now.estimate - 9 * (now.estimate - now.low))
    assert room.gate(report, before=[Accepted("a", wide)]).acceptable
    may_not(room.gate(report, before=[Accepted("a", wide), Accepted("b", now)]), "accepted before")
    may_not(room.gate(report, before=[Accepted("a", replace(wide, scale=Scale.RATIO))]), "accepted before")


def test_a_ratio_s_interval_is_measured_on_the_logarithmic_scale(room):
    finding = next(f for f in room.report().findings if f.metric == "selection_ratio")
    assert width(replace(finding, estimate=1.0, low=0.5, high=9.0)) == pytest.approx(0.6931, abs=1e-4)
    assert width(replace(finding, estimate=1.0, low=None, high=9.0, direction="within")) == float("inf")


@pytest.mark.parametrize("least", ["0.499", "0.0", "nan", "-1", "1.01"])
def test_no_policy_may_ask_for_less_than_one_half(least):
    text = policies.shipped().decode().replace("chance_at_least = 0.5", f"chance_at_least = {least}")
    with pytest.raises(PolicyError, match=r"board\.accept\.chance_at_least is .*, expected 0\.5 to 1"):
        policies.load(text.encode())


def test_a_policy_may_ask_for_more_than_one_half(room):
    text = policies.shipped().decode().replace("chance_at_least = 0.5", "chance_at_least = 0.8")
    stricter = policies.load(text.encode())
    report = room.report(DOUBT, rule={"chance": 0.7})
    report = replace(report, subject=replace(report.subject, policy_digest=stricter.digest))
    decision = gate.decide(
        report,
        stricter,
        service=report.subject.service,
        kind="assistive",
        model_digest=report.subject.model_digest,
    )
    may_not(decision, "asks for 80%")


def test_the_policy_for_practice_keeps_the_rule_and_widens_three_lines_which_say_so():
    shipped, practice = policies.load(policies.shipped()), policies.load(policies.practice())
    assert practice.name == "luvalla-practice"
    assert "practice only, with wider limits" in practice.title
    assert (practice.rule, practice.board, practice.services) == (
        shipped.rule,
        shipped.board,
        shipped.services,
    )
    changed = {}
    for name, profile in shipped.profiles.items():
        other = practice.profiles[name]
        assert replace(other, lines=profile.lines) == profile
        for theirs, ours in zip(profile.lines, other.lines, strict=True):
            if theirs != ours:
                changed[name, ours.metric] = (ours.limit, str(ours.role))
                assert "for practice" in ours.why.lower()
                assert "no city should agree on it" in ours.why
                kept = {
                    "limit": theirs.limit,
                    "role": theirs.role,
                    "why": theirs.why,
                    "source": theirs.source,
                }
                assert replace(ours, **kept) == theirs
    assert changed == {
        ("health-benefit", "tpr_gap"): (-0.15, "decides"),
        ("health-benefit", "observed_expected"): (1.33, "decides"),
        ("health-benefit", "selection_ratio"): (0.80, "screens"),
    }


def test_a_policy_that_says_nothing_of_the_chance_asks_for_one_half(room):
    text = "\n".join(
        line for line in policies.shipped().decode().splitlines() if "chance_at_least" not in line
    )
    assert policies.load(text.encode()).board.accept.chance_at_least == 0.5


def test_leaning_against_is_never_accepted(room):
    may_not(room.gate(room.report({LINE: (OPEN, {"leaning": Leaning.AGAINST})})), "does not lean for")
