"""The board's rules: when a vote counts, when a yes is a yes, and that no trick turns a no into one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.ballot import Condition, Question
from governance.board import DecisionOutcome, decide, decide_revocation
from governance.errors import GovernanceInputError
from governance.gate import GateOutcome
from governance.policy import months_after
from governance.vote import Choice, verify_vote

DAY = timedelta(days=1)


def ask(room, envelopes, gate=None, *, ballot=None, members=None, quorum=3, at=None):
    gate = gate or room.gate()
    members = room.members() if members is None else members
    votes = [verify_vote(envelope, members) for envelope in envelopes]
    return decide(
        members,
        quorum,
        votes,
        gate,
        ballot=ballot or room.ballot(gate),
        rules=room.policy.board,
        at=at or room.now,
    )


def reasons(decision):
    return [vote.reason for vote in decision.ignored]


def test_three_votes_for_passed_evidence_are_a_yes_for_a_year(room):
    ballot = room.ballot()
    decision = ask(room, [room.vote(name, ballot) for name in ("aino", "bo", "cesar")])
    assert decision.outcome is DecisionOutcome.APPROVED
    assert decision.approved
    assert decision.expires == months_after(room.now, 12)
    assert [vote.member for vote in decision.counted] == ["aino", "bo", "cesar"]
    assert decision.reasons == decision.ignored == decision.dissent == ()


def test_no_votes_are_no_yes(room):
    decision = ask(room, [])
    assert decision.outcome is DecisionOutcome.OPEN
    assert decision.reasons == ("0 of the 3 votes needed for quorum count so far.",)


def test_too_few_votes_leave_the_ballot_open(room):
    ballot = room.ballot()
    assert ask(room, [room.vote(n, ballot) for n in ("aino", "bo")]).outcome is DecisionOutcome.OPEN


@pytest.mark.parametrize("quorum", [0, -1])
def test_a_board_without_quorum_decides_nothing(room, quorum):
    ballot = room.ballot()
    decision = ask(room, [room.vote("aino", ballot)], quorum=quorum)
    assert decision.reasons == ("The trust root sets no quorum, so the board cannot decide.",)
    assert not decision.approved


def test_a_board_without_members_decides_nothing(room):
    ballot = room.ballot()
    decision = ask(room, [room.vote("aino", ballot)], members=(), quorum=1)
    assert not decision.approved
    assert reasons(decision) == ["not a member's key under the trust root in force"]


def test_a_tie_is_a_no_and_an_abstention_is_not_for(room):
    ballot = room.ballot()
    two = [room.vote(n, ballot) for n in ("aino", "bo")]
    tie = ask(
        room, [*two, room.vote("cesar", ballot, Choice.AGAINST), room.vote("dpo", ballot, Choice.ABSTAIN)]
    )
    assert tie.outcome is DecisionOutcome.REFUSED
    assert tie.reasons == ("2 of 4 counted votes are for; more than half are needed.",)
    assert [vote.member for vote in tie.dissent] == ["aino", "bo"]


def test_dissent_is_recorded_in_the_members_own_words(room):
    ballot = room.ballot()
    against = room.vote(
        "eva", ballot, Choice.AGAINST, reasons="By self-rated health Black people are still missed."
    )
    decision = ask(room, [*(room.vote(n, ballot) for n in ("aino", "bo")), against])
    assert decision.approved
    assert [(vote.member, vote.reasons) for vote in decision.dissent] == [
        ("eva", "By self-rated health Black people are still missed.")
    ]


@pytest.mark.parametrize(
    ("choice", "stands"), [(Choice.FOR, "for"), (Choice.AGAINST, "against"), (Choice.ABSTAIN, "abstain")]
)
def test_the_data_protection_officers_stand_is_recorded(room, choice, stands):
    ballot = room.ballot()
    decision = ask(
        room, [room.vote("dpo", ballot, choice), *(room.vote(n, ballot) for n in ("aino", "bo", "cesar"))]
    )
    assert decision.data_protection_officer == stands


def test_a_silent_or_missing_data_protection_officer_is_recorded(room):
    ballot = room.ballot()
    votes = [room.vote(n, ballot) for n in ("aino", "bo", "cesar")]
    assert ask(room, votes).data_protection_officer == "did not vote"
    without = tuple(member for member in room.members() if member.id != "dpo")
    assert ask(room, votes, members=without).data_protection_officer.startswith("no data protection officer")


@pytest.mark.parametrize(
    ("who", "why"), [("trained_by", "trained"), ("audited_by", "audited"), ("owned_by", "owns")]
)
def test_no_one_decides_on_their_own_work(room, who, why):
    ballot = room.ballot(**{who: ("bo",)})
    decision = ask(room, [room.vote(n, ballot) for n in ("aino", "bo", "cesar")], ballot=ballot)
    assert decision.outcome is DecisionOutcome.OPEN
    assert why in reasons(decision)[0]
    assert "recused" in reasons(decision)[0]


def test_a_ballot_says_whose_work_it_is(room):
    with pytest.raises(GovernanceInputError, match="does not say who trained the model"):
        room.ballot(trained_by=())
    with pytest.raises(GovernanceInputError, match="does not say who ran the audit"):
        room.ballot(audited_by=())


def test_a_strangers_vote_does_not_count(room):
    ballot = room.ballot()
    known = tuple(member for member in room.members() if member.id != "cesar")
    decision = ask(room, [room.vote(n, ballot) for n in ("aino", "bo", "cesar")], members=known)
    assert decision.outcome is DecisionOutcome.OPEN
    assert reasons(decision) == ["not a member's key under the trust root in force"]


@pytest.mark.parametrize(
    ("term", "at"),
    [
        ({"since": -300, "until": -2}, -1),  # left before voting
        ({"since": 10, "until": 300}, -1),  # not yet in office
        ({"since": -300, "until": -2}, -3),  # a vote dated back into the term
        ({"since": -300, "until": 0}, -1),  # in office at the vote, no longer at the decision
    ],
)
def test_a_vote_outside_the_term_does_not_count(room, term, at):
    ballot = room.ballot(opened=room.now - 5 * DAY)
    former = room.member("cesar", **{key: room.now + days * DAY for key, days in term.items()})
    members = (*(m for m in room.members() if m.id != "cesar"), former)
    votes = [room.vote(n, ballot, at=room.now + at * DAY) for n in ("aino", "bo", "cesar")]
    decision = ask(room, votes, ballot=ballot, members=members)
    assert decision.outcome is DecisionOutcome.OPEN
    assert reasons(decision) == ["the member's term does not cover both the vote and the decision"]


def test_a_renewed_term_with_the_same_key_counts_once(room):
    ballot = room.ballot()
    again = replace(room.member("bo"), since=room.now + 300 * DAY, until=room.now + 600 * DAY)
    decision = ask(
        room, [room.vote(n, ballot) for n in ("aino", "bo", "cesar")], members=(*room.members(), again)
    )
    assert decision.approved


def test_two_members_with_one_key_decide_nothing(room):
    ballot = room.ballot()
    double = replace(room.member("bo"), key=room.member("aino").key)
    members = (*(m for m in room.members() if m.id != "bo"), double)
    decision = ask(room, [room.vote(n, ballot) for n in ("aino", "cesar", "dpo")], members=members)
    assert decision.reasons == ("Two members share one key, so their votes cannot be told apart.",)


def test_the_same_vote_twice_counts_once(room):
    ballot = room.ballot()
    vote = room.vote("aino", ballot)
    decision = ask(room, [vote, vote, room.vote("bo", ballot)])
    assert decision.outcome is DecisionOutcome.OPEN
    assert reasons(decision) == ["the same vote was handed in twice; it counts once"]


def test_the_later_vote_replaces_the_earlier(room):
    ballot = room.ballot()
    others = [room.vote(n, ballot) for n in ("aino", "bo")]
    first = room.vote("cesar", ballot, at=room.now - DAY)
    second = room.vote("cesar", ballot, Choice.AGAINST, at=room.now - DAY / 2)
    for order in ([first, second], [second, first]):
        decision = ask(room, [*others, *order])
        assert [vote.member for vote in decision.dissent] == ["cesar"]
        assert reasons(decision) == ["replaced by the member's later vote"]


def test_two_different_votes_of_one_second_cancel(room):
    ballot = room.ballot()
    votes = [room.vote("cesar", ballot), room.vote("cesar", ballot, Choice.AGAINST)]
    decision = ask(room, [*votes, *(room.vote(n, ballot) for n in ("aino", "bo"))])
    assert decision.outcome is DecisionOutcome.OPEN
    assert all("contradicts" in reason for reason in reasons(decision))


@pytest.mark.parametrize("days", [-3, 1])
def test_a_vote_before_the_ballot_or_after_the_decision_does_not_count(room, days):
    ballot = room.ballot()
    decision = ask(room, [room.vote(n, ballot, at=room.now + days * DAY) for n in ("aino", "bo", "cesar")])
    assert decision.outcome is DecisionOutcome.OPEN
    assert len(decision.ignored) == 3


def test_a_vote_on_another_ballot_does_not_count(room):
    asked_before = room.ballot(opened=room.now - 3 * DAY)
    decision = ask(room, [room.vote(n, asked_before) for n in ("aino", "bo", "cesar")])
    assert decision.outcome is DecisionOutcome.OPEN
    assert set(reasons(decision)) == {"signed for another ballot"}


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": "sha256:" + "b" * 64},
        {"report_digest": "sha256:" + "b" * 64},
        {"policy_digest": "sha256:" + "b" * 64},
        {"service": "youth-talk"},
        {"gate_outcome": GateOutcome.NOT_ENOUGH_EVIDENCE},
        {"undecided": ("tpr_gap:sex=male",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_ballot_about_something_else_than_the_gate_saw_is_refused(room, change):
    ballot = room.ballot(**change)
    decision = ask(room, [room.vote(n, ballot) for n in ("aino", "bo", "cesar")], ballot=ballot)
    assert decision.outcome is DecisionOutcome.REFUSED
    assert "The ballot is about another" in decision.reasons[0]


def test_a_failed_version_is_not_accepted_by_any_vote(room):
    gate = room.failed()
    ballot = room.ballot(gate)
    decision = ask(room, [room.vote(n, ballot, **room.terms()) for n in room.keys], gate)
    assert decision.outcome is DecisionOutcome.REFUSED
    assert "which no vote can turn into a yes" in decision.reasons[0]


def test_doubt_is_accepted_with_conditions_until_the_earliest_expiry(room):
    gate = room.doubtful()
    ballot = room.ballot(gate)
    own = Condition("Ask the people who were not selected.", room.now + 30 * DAY)
    terms = room.terms()
    votes = [
        room.vote("aino", ballot, **terms),
        room.vote("bo", ballot, conditions=(own,), expires=room.now + 90 * DAY),
        room.vote("cesar", ballot, Choice.AGAINST),
    ]
    decision = ask(room, votes, gate)
    assert decision.outcome is DecisionOutcome.APPROVED_WITH_CONDITIONS
    assert decision.expires == room.now + 90 * DAY
    assert decision.conditions == (own, *terms["conditions"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"conditions": ()}, "without naming a condition and an expiry"),
        ({"expires": None}, "without naming a condition and an expiry"),
        ({"expires": 400}, "later than the policy allows"),
        ({"expires": 10}, "due before the vote or after the expiry"),
    ],
)
def test_a_yes_to_doubt_without_its_terms_does_not_count(room, change, says):
    gate = room.doubtful()
    ballot = room.ballot(gate)
    days = change.get("expires")
    change = {**change, "expires": room.now + days * DAY} if days else change
    terms = {**room.terms(), **change}
    decision = ask(room, [room.vote(n, ballot, **terms) for n in ("aino", "bo", "cesar")], gate)
    assert decision.outcome is DecisionOutcome.OPEN
    assert all(says in reason for reason in reasons(decision))


def test_an_expiry_that_has_passed_is_no_yes(room):
    ballot = room.ballot()
    votes = [room.vote(n, ballot, expires=room.now) for n in ("aino", "bo", "cesar")]
    decision = ask(room, votes)
    assert decision.outcome is DecisionOutcome.REFUSED
    assert "has passed" in decision.reasons[0]


def test_votes_are_not_kept_for_a_later_day(room):
    ballot = room.ballot()
    votes = [room.vote(n, ballot) for n in ("aino", "bo", "cesar")]
    assert ask(room, votes, at=ballot.opened + 59 * DAY).approved
    late = ask(room, votes, at=ballot.opened + 60 * DAY)
    assert late.outcome is DecisionOutcome.REFUSED
    assert "The ballot closed on" in late.reasons[0]


def test_the_board_revokes_by_the_same_rules(room):
    certificate = "sha256:" + "e" * 64
    ballot = room.ballot(question=Question.REVOKE, certificate=certificate)
    votes = [verify_vote(room.vote(n, ballot), room.members()) for n in ("aino", "bo", "cesar")]
    decision = decide_revocation(room.members(), 3, votes, ballot=ballot, at=room.now)
    assert decision.approved
    assert not decide_revocation(room.members(), 4, votes, ballot=ballot, at=room.now).approved
    certify = room.ballot()
    assert not decide_revocation(room.members(), 3, votes, ballot=certify, at=room.now).approved
    assert not ask(room, [room.vote(n, ballot) for n in ("aino", "bo", "cesar")], ballot=ballot).approved


def test_a_ballot_to_revoke_names_a_certificate_and_no_other_does(room):
    with pytest.raises(GovernanceInputError, match="names no certificate"):
        room.ballot(question=Question.REVOKE)
    with pytest.raises(GovernanceInputError, match="names a certificate"):
        room.ballot(certificate="sha256:" + "e" * 64)
