"""The gate: closed unless the evidence is the policy's own, complete, and inside its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audits.finding import Direction, Leaning, Outcome, Role, Scale
from audits.lines import Line
from governance import policy as policies
from governance.acceptance import beyond
from governance.gate import GateOutcome, decide

LINE = "tpr_gap:race=Black"
OPEN = Outcome.NOT_ENOUGH_EVIDENCE


def refused(decision, says):
    assert decision.outcome is GateOutcome.REFUSED
    assert not decision.acceptable
    assert any(says in reason for reason in decision.why_not), decision.why_not


def test_a_report_whose_every_line_passes_passes_with_a_decision_per_line(room):
    decision = room.gate()
    assert decision.outcome is GateOutcome.PASSED
    assert decision.acceptable
    assert decision.why_not == ()
    assert [line.line for line in decision.lines] == [
        line.id for line in room.policy.deciding_lines("health-benefit")
    ]
    assert decision.report_digest == room.report().digest
    assert decision.policy_digest == room.policy.digest


def test_a_failed_line_fails_and_says_which(room):
    decision = room.failed()
    assert decision.outcome is GateOutcome.FAILED
    assert not decision.acceptable
    assert decision.why_not == (f"{LINE}: failed.",)


def test_a_failed_screening_line_fails_too(room):
    decision = room.gate(room.report({"ppv_gap:sex=male": (Outcome.FAILED, {})}, verdict=Outcome.FAILED))
    assert decision.outcome is GateOutcome.FAILED


def test_a_failed_finding_of_another_check_fails(room):
    def worse(findings):
        return [replace(f, outcome=Outcome.FAILED) if f.check == "data_quality" else f for f in findings]

    assert room.gate(room.report(findings=worse)).outcome is GateOutcome.FAILED


def test_a_gain_that_is_not_shown_is_no_pass_and_may_not_be_accepted(room):
    def with_gain(outcome):
        gain = replace(
            room.report().findings[0], code="benefit.gain", check="benefit", metric="gain", line=None, outcome=outcome,
            leaning=Leaning.FOR if outcome is OPEN else None, message="Gain not shown.",
        )  # fmt: skip
        return room.gate(room.report(findings=lambda made: [*made, gain]))

    decision = with_gain(OPEN)
    assert decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    assert not decision.acceptable
    assert decision.why_not == ("Gain not shown.",)
    assert with_gain(Outcome.PASSED).outcome is GateOutcome.PASSED
    assert with_gain(Outcome.FAILED).outcome is GateOutcome.FAILED


def test_doubt_that_leans_for_may_be_accepted(room):
    decision = room.doubtful()
    assert decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    assert decision.acceptable
    assert decision.undecided == (LINE,)
    assert decision.why_not == (f"{LINE}: not_enough_evidence.",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"leaning": Leaning.AGAINST}, "does not lean for"),
        ({"leaning": None, "too_few": True}, "too few to judge"),
        ({"low": -0.2}, "does not exclude 2 times the limit"),
        ({"low": None}, "does not exclude 2 times the limit"),
        ({"level": 0.5}, "level 0.5"),
    ],
)
def test_other_doubt_may_not_be_accepted(room, changes, says):
    decision = room.gate(room.report({LINE: (OPEN, changes)}))
    assert decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    assert not decision.acceptable
    assert says in decision.why_not[0]


def test_one_line_that_may_not_be_accepted_spoils_the_rest(room):
    decision = room.gate(
        room.report({LINE: (OPEN, {}), "tpr_gap:sex=male": (OPEN, {"leaning": Leaning.AGAINST})})
    )
    assert decision.undecided == ("tpr_gap:sex=male", LINE)
    assert not decision.acceptable


def test_a_policy_that_allows_no_acceptance_is_obeyed(room):
    text = policies.shipped().replace(b"allowed = true", b"allowed = false")
    strict = policies.load(text)
    report = room.report({LINE: (OPEN, {})}, subject={"policy_digest": strict.digest})
    decision = decide(
        report, strict, service="health-benefit", kind="assistive", model_digest=report.subject.model_digest
    )
    assert decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    assert not decision.acceptable


@pytest.mark.parametrize(
    ("line", "low", "acceptable"),
    [
        (LINE, -0.19, True),
        (LINE, -0.21, False),
        ("selection_ratio:race=Black", 0.65, True),
        ("selection_ratio:race=Black", 0.63, False),
    ],
)
def test_doubt_may_be_accepted_only_where_the_interval_excludes_twice_the_limit(room, line, low, acceptable):
    decision = room.gate(room.report({line: (OPEN, {"low": low})}))
    assert decision.undecided == (line,)
    assert decision.acceptable is acceptable


def test_twice_a_ratio_limit_is_its_square():
    line = Line("selection_ratio", "sex", "male", Direction.AT_LEAST, 0.8, Role.DECIDES, "s", "w")
    assert beyond(line, Scale.RATIO, 2)[0] == pytest.approx(0.64)
    two_sided = replace(line, direction=Direction.WITHIN)
    assert beyond(two_sided, Scale.RATIO, 2) == pytest.approx((0.64, 1.5625))
    assert beyond(two_sided, Scale.RATIO, 1) == pytest.approx((0.8, 1.25))


@pytest.mark.parametrize("check", ["data_quality", "performance", "explainability", "fairness"])
def test_a_required_check_that_is_missing_refuses(room, check):
    report = room.report(findings=lambda made: [f for f in made if f.check != check])
    refused(room.gate(report), f"The required check {check} did not run.")


@pytest.mark.parametrize("outcome", [Outcome.COULD_NOT_RUN, Outcome.NOT_APPLICABLE])
def test_a_required_check_that_could_not_run_or_did_not_apply_refuses(room, outcome):
    report = room.report(
        findings=lambda made: [
            replace(f, outcome=outcome) if f.check == "explainability" else f for f in made
        ]
    )
    refused(room.gate(report), "The required check explainability did not run.")


def test_a_check_that_only_describes_has_run_if_it_found_a_number(room):
    def described(made, estimate):
        as_told = {"role": Role.DESCRIBED, "outcome": Outcome.NOT_APPLICABLE, "estimate": estimate}
        return [replace(f, **as_told) if f.check == "performance" else f for f in made]

    assert room.gate(room.report(findings=lambda made: described(made, 0.8))).outcome is GateOutcome.PASSED
    refused(room.gate(room.report(findings=lambda made: described(made, None))), "performance did not run")


def test_a_failed_line_fails_even_where_other_evidence_is_missing(room):
    report = room.report(
        {LINE: (Outcome.FAILED, {})},
        findings=lambda made: [f for f in made if f.check != "explainability"],
        verdict=Outcome.FAILED,
    )
    decision = room.gate(report)
    assert decision.outcome is GateOutcome.FAILED
    assert decision.why_not == (f"{LINE}: failed.", "The required check explainability did not run.")
    refused(room.gate(report, model_digest="sha256:" + "b" * 64), "another model")


def test_a_check_that_could_not_run_beside_findings_that_did_refuses(room):
    def broken(made):
        return [*made, replace(made[-1], code="explainability.y", outcome=Outcome.COULD_NOT_RUN)]

    refused(room.gate(room.report(findings=broken)), "explainability could not run")


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ({"model_digest": "sha256:" + "b" * 64}, "another model"),
        ({"model_digest": ""}, "another model: it names none"),
        ({"service": "youth-talk"}, "another service"),
        ({"policy_digest": "sha256:" + "b" * 64}, "another policy"),
        ({"kind": "check"}, "another kind of service"),
    ],
)
def test_a_report_about_something_else_refuses(room, subject, says):
    refused(room.gate(room.report(subject=subject)), says)


def test_an_empty_digest_is_not_equal_to_an_empty_digest(room):
    refused(room.gate(room.report(subject={"model_digest": ""}), model_digest=""), "another model")


def test_a_profile_for_another_kind_of_service_refuses(room):
    refused(
        room.gate(room.report(subject={"kind": "check"}), kind="check"),
        "profile is for a service of kind assistive",
    )


def test_a_service_that_the_policy_does_not_name_refuses(room):
    refused(room.gate(service="preschool-place"), "says nothing of the service 'preschool-place'")


@pytest.mark.parametrize(
    "rule", [{"level": 0.5}, {"error": 0.5}, {"few": 1}, {"deciding": 1}], ids=lambda rule: next(iter(rule))
)
def test_a_report_made_by_another_rule_refuses(room, rule):
    refused(room.gate(room.report(rule=rule)), "another rule")


def test_a_report_without_a_deciding_line_refuses(room):
    report = room.report(findings=lambda made: [f for f in made if f.line != LINE])
    refused(room.gate(report), f"The report lacks the line {LINE}.")


def test_a_report_without_any_deciding_line_refuses(room):
    report = room.report(
        findings=lambda made: [f for f in made if f.line is None or f.role is not Role.DECIDES]
    )
    refused(room.gate(report), "No deciding line was judged")


def test_a_report_without_a_screening_line_refuses(room):
    report = room.report(findings=lambda made: [f for f in made if f.attribute != "income_group"])
    refused(room.gate(report), "lacks the screening line tpr_gap:income_group=*")


def test_a_report_without_findings_refuses(room):
    refused(room.gate(room.report(findings=lambda _: [])), "No deciding line was judged")


@pytest.mark.parametrize(
    "changes",
    [{"limit": -0.3}, {"role": Role.DESCRIBED}, {"direction": Direction.AT_MOST}],
    ids=["limit", "role", "direction"],
)
def test_a_report_with_another_line_refuses(room, changes):
    refused(room.gate(room.report({LINE: (Outcome.PASSED, changes)})), "another limit, direction or role")


def test_a_line_added_to_the_report_refuses(room):
    def more(made):
        extra = next(f for f in made if f.line == LINE)
        return [*made, replace(extra, code="c", group="green", line="tpr_gap:race=green")]

    refused(room.gate(room.report(findings=more)), "tpr_gap:race=green is not the policy's")


def test_two_findings_on_one_line_refuse(room):
    def twice(made):
        return [*made, replace(next(f for f in made if f.line == LINE), code="c")]

    refused(room.gate(room.report(findings=twice)), "Two findings")


@pytest.mark.parametrize("interval", [{"low": -0.2}, {"low": None}])
def test_a_pass_whose_interval_is_not_inside_refuses(room, interval):
    refused(room.gate(room.report({LINE: (Outcome.PASSED, interval)})), "not inside the limit")


def test_a_verdict_that_no_finding_bears_out_refuses(room):
    refused(room.gate(room.report(verdict=Outcome.FAILED)), "verdict is failed")


def test_a_line_may_not_apply_where_the_policy_says_so(room):
    nothing = {"estimate": None, "low": None, "high": None, "limit": None, "direction": None}
    report = room.report({"levelling_down:sex=male": (Outcome.NOT_APPLICABLE, nothing)})
    assert room.gate(report).outcome is GateOutcome.PASSED
    report = room.report({LINE: (Outcome.NOT_APPLICABLE, nothing)})
    refused(room.gate(report), f"The line {LINE} does not apply")


def test_a_rare_rate_is_judged_by_the_ratio(room):
    as_ratio = {"scale": Scale.RATIO, "limit": 0.8, "estimate": 1.0, "low": 0.85, "high": 1.2}
    assert room.gate(room.report({LINE: (Outcome.PASSED, as_ratio)})).outcome is GateOutcome.PASSED
    refused(room.gate(room.report({LINE: (Outcome.PASSED, {**as_ratio, "limit": 0.5})})), "another limit")
