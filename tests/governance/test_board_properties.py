"""The board's rules under any votes: a yes is a majority of a quorum without interest, and order changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance.board import DecisionOutcome, decide
from governance.vote import Choice, Vote

DAY = timedelta(days=1)
PEOPLE = ("aino", "bo", "cesar", "dpo", "eva")
one_vote = st.tuples(
    st.sampled_from((*PEOPLE, "stranger")),
    st.sampled_from(list(Choice)),
    st.integers(-4, 1),
    st.booleans(),
    st.booleans(),
)


def made(room, ballot, drawn):
    """Votes as they come out of verification, without the cost of signing them."""
    votes = []
    for number, (member, choice, days, right_ballot, right_key) in enumerate(drawn):
        owner = member if right_key and member != "stranger" else "eva"
        votes.append(
            Vote(
                member=member,
                vkey=room.member(owner).key.vkey,
                ballot=ballot.id if right_ballot else "sha256:" + "0" * 64,
                choice=choice,
                reasons="Because.",
                conditions=(),
                expires=None,
                at=room.now + days * DAY,
                digest=f"sha256:{number:064x}",
            )
        )
    return votes


@given(st.lists(one_vote, max_size=12), st.integers(0, 6), st.sets(st.sampled_from(PEOPLE)))
def test_a_yes_is_always_a_majority_of_a_quorum_of_members_without_interest(room, drawn, quorum, interested):
    gate = room.gate()
    ballot = room.ballot(gate, trained_by=tuple(sorted(interested)) or ("tilda",))
    votes = made(room, ballot, drawn)
    decision = decide(
        room.members(), quorum, votes, gate, ballot=ballot, rules=room.policy.board, at=room.now
    )
    members = [vote.member for vote in decision.counted]
    assert len(set(members)) == len(members)
    assert not set(members) & interested
    assert "stranger" not in members
    assert len(decision.counted) + len(decision.ignored) == len(votes)
    assert all(vote.reason for vote in decision.ignored)
    assert all(ballot.opened <= vote.at <= room.now for vote in decision.counted)
    if decision.approved:
        ayes = sum(vote.choice is Choice.FOR for vote in decision.counted)
        assert quorum >= 1
        assert len(decision.counted) >= quorum
        assert 2 * ayes > len(decision.counted)
        assert decision.expires > room.now
        assert not decision.reasons
    else:
        assert decision.reasons
        assert decision.expires is None


@given(st.lists(one_vote, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_votes_changes_nothing(room, drawn, chance):
    gate, ballot = room.gate(), room.ballot()
    votes = made(room, ballot, drawn)
    shuffled = chance.sample(votes, len(votes))
    one, other = (
        decide(room.members(), 3, order, gate, ballot=ballot, rules=room.policy.board, at=room.now)
        for order in (votes, shuffled)
    )
    assert (one.outcome, one.counted, one.expires) == (other.outcome, other.counted, other.expires)


@given(st.lists(one_vote, max_size=8))
def test_one_more_vote_against_never_makes_a_yes(room, drawn):
    gate, ballot = room.gate(), room.ballot()
    votes = made(room, ballot, [vote for vote in drawn if vote[0] != "eva"])
    against = made(room, ballot, [("eva", Choice.AGAINST, 0, True, True)])
    against = [replace(against[0], digest="sha256:" + "f" * 64)]
    before, after = (
        decide(room.members(), 1, given_votes, gate, ballot=ballot, rules=room.policy.board, at=room.now)
        for given_votes in (votes, [*votes, *against])
    )
    assert not (after.approved and not before.approved)


@given(st.lists(one_vote, max_size=10), st.sampled_from(["failed", "refused"]))
def test_no_votes_whatever_make_a_yes_of_a_failed_or_refused_gate(room, drawn, which):
    gate = room.failed() if which == "failed" else room.gate(model_digest="sha256:" + "b" * 64)
    ballot = room.ballot(gate)
    decision = decide(
        room.members(),
        1,
        made(room, ballot, drawn),
        gate,
        ballot=ballot,
        rules=room.policy.board,
        at=room.now,
    )
    assert decision.outcome is DecisionOutcome.REFUSED
