"""Pooled and crossed lines at the gate: taken where they follow from the policy's lines, and refused where they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audits.finding import Leaning, Outcome, Role
from governance.acceptance import Accepted, accepted_in
from governance.gate import GateOutcome

SERVICE = "youth-talk"
KIND = {"service": SERVICE, "kind": "assistive"}
SMALL = ("Asian", "Hispanic")
LINES = [f"tpr_gap:origin={group}" for group in SMALL]
POOL = "fairness.tpr_gap:origin=Asian + Hispanic"
OPEN = {
    "outcome": Outcome.NOT_ENOUGH_EVIDENCE, "leaning": Leaning.FOR, "further": 120, "low": -0.15, "high": 0.05, "estimate": -0.05,
}  # fmt: skip


def pooled(outcome=Outcome.PASSED, **changes):
    """Two groups too few by themselves, and the line in which they decide together."""

    def make(findings):
        out = []
        for f in findings:
            if f.line not in LINES:
                out.append(f)
                continue
            few = {"outcome": Outcome.NOT_ENOUGH_EVIDENCE, "too_few": True, "leaning": None}
            out.append(replace(f, pool=POOL, message=f"{f.group}: too few", **few))
        one = next(f for f in findings if f.line == LINES[0])
        pool = {
            "code": POOL,
            "line": POOL.partition(".")[2],
            "group": "Asian + Hispanic",
            "pooled": SMALL,
            "outcome": outcome,
            "message": "the pool",
            **changes,
        }
        return [*out, replace(one, **pool)]

    return make


def gate(room, findings):
    return room.gate(room.report(service=SERVICE, findings=findings), **KIND)


def test_small_groups_pass_by_their_pool(room):
    decision = gate(room, pooled())
    assert decision.outcome is GateOutcome.PASSED, decision.why_not
    assert [d.outcome for d in decision.lines if d.line in LINES] == [Outcome.PASSED] * 2


def test_a_pool_fails_and_stays_open_for_all_its_groups(room):
    assert gate(room, pooled(Outcome.FAILED)).outcome is GateOutcome.FAILED
    decision = gate(room, pooled(Outcome.NOT_ENOUGH_EVIDENCE, too_few=True, leaning=None))
    assert decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    assert not decision.acceptable
    assert decision.undecided == tuple(LINES)


def test_a_doubt_is_accepted_once_whatever_other_groups_it_is_pooled_with(room):
    report = room.report(service=SERVICE, findings=pooled(**OPEN))
    (before,) = accepted_in("c", report, LINES)
    assert before.finding.pooled == SMALL
    assert room.gate(report, **KIND).acceptable
    others = {
        "with another group": {"group": "Asian + Black", "pooled": ("Asian", "Black")},
        "by itself": {"group": "Asian", "pooled": ()},
    }
    for of in others.values():
        was = replace(before.finding, line=f"tpr_gap:origin={of['group']}", **of)
        decision = room.gate(report, before=[Accepted("c", was)], **KIND)
        assert not decision.acceptable
        assert any("accepted before" in reason for reason in decision.why_not)
    apart = replace(before.finding, line="tpr_gap:origin=Black", group="Black", pooled=())
    assert room.gate(report, before=[Accepted("c", apart)], **KIND).acceptable


@pytest.mark.parametrize(
    "changes",
    [
        {"pooled": ("Asian", "Martian")},
        {"pooled": ("Asian",)},
        {"pooled": ("Asian", "majority")},
        {"role": Role.SCREENS},
        {"limit": -0.2},
        {"code": "fairness.elsewhere"},
        {"line": None, "pooled": ("Asian", "Hispanic", "Martian")},
    ],
)
def test_a_pool_that_does_not_follow_from_the_policy_is_refused(room, changes):
    decision = gate(room, pooled(**changes))
    assert decision.outcome is GateOutcome.REFUSED
    assert not decision.acceptable


def test_a_group_that_points_to_a_pool_but_is_large_is_refused(room):
    def large(findings):
        return [replace(f, too_few=False) if f.line == LINES[0] else f for f in pooled()(findings)]

    assert gate(room, large).outcome is GateOutcome.REFUSED


def crossed(**changes):
    def make(findings):
        one = next(f for f in findings if f.line == "tpr_gap:sex=male")
        line = "tpr_gap:sex x origin=male x Black"
        cell = {
            "code": f"fairness.{line}",
            "line": line,
            "attribute": "sex x origin",
            "group": "male x Black",
        }
        given = {"role": Role.SCREENS, "crossed": ("sex", "origin"), **cell, **changes}
        return [*findings, replace(one, **given)]

    return make


def test_a_crossed_line_screens(room):
    assert gate(room, crossed()).outcome is GateOutcome.PASSED
    assert gate(room, crossed(outcome=Outcome.FAILED)).outcome is GateOutcome.FAILED


@pytest.mark.parametrize(
    "changes",
    [{"role": Role.DECIDES}, {"limit": -0.5}, {"crossed": ("age", "hair")}, {"metric": "fpr_gap"}],
)
def test_a_crossed_line_that_does_not_follow_from_the_policy_is_refused(room, changes):
    assert gate(room, crossed(**changes)).outcome is GateOutcome.REFUSED
