"""A vote: what it must say before it is signed, and that no byte of it is changed unnoticed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.ballot import Condition
from governance.board import why_may_not_vote
from governance.errors import EnvelopeError, VoteFormError
from governance.vote import Choice, IgnoredVote, open_vote, verify_vote

DAY = timedelta(days=1)


@pytest.mark.parametrize("words", ["", "   ", "...", "x" * 10_001])
def test_a_vote_needs_reasons_in_own_words(room, words):
    with pytest.raises(VoteFormError, match="This vote cannot be signed") as caught:
        room.vote("aino", room.ballot(), reasons=words)
    assert caught.value.exit_code == 2


def test_a_vote_against_sets_no_terms(room):
    with pytest.raises(VoteFormError, match="only a vote for can have"):
        room.vote("aino", room.ballot(), Choice.AGAINST, **room.terms())


def test_a_condition_says_something(room):
    with pytest.raises(VoteFormError, match="says nothing"):
        room.vote("aino", room.ballot(), conditions=(Condition(" ", room.now),))


def test_a_vote_reads_back_as_it_was_signed(room):
    ballot = room.ballot()
    asked, vote = open_vote(
        room.vote("aino", ballot, reasons="Hyvä: löytää ne, jotka jäivät huomaamatta.", **room.terms())
    )
    assert asked == ballot
    assert vote.reasons == "Hyvä: löytää ne, jotka jäivät huomaamatta."
    assert (vote.conditions, vote.expires) == (room.terms()["conditions"], room.terms()["expires"])


def test_any_changed_byte_of_a_vote_is_noticed(room):
    vote = room.vote("aino", room.ballot())
    for place in range(0, len(vote), 7):
        changed = vote[:place] + bytes([vote[place] ^ 1]) + vote[place + 1 :]
        assert isinstance(verify_vote(changed, room.members()), IgnoredVote)


def test_a_signature_moved_to_another_vote_is_noticed(room):
    ballot = room.ballot()
    one, two = (room.vote(n, ballot) for n in ("aino", "bo"))
    swapped = one.partition(b'"signatures"')[0] + b'"signatures"' + two.partition(b'"signatures"')[2]
    assert verify_vote(swapped, room.members()).reason.startswith("its signature does not belong to it")


def test_what_is_no_vote_is_no_vote(room):
    with pytest.raises(EnvelopeError, match="not canonical JSON"):
        open_vote(b"hello")
    assert "cannot be read" in verify_vote(b"{}", room.members()).reason


def test_a_member_is_told_before_signing_in_vain(room):
    ballot = room.ballot(trained_by=("bo",))
    assert why_may_not_vote(room.member("aino"), ballot, room.now) is None
    assert why_may_not_vote(room.member("bo"), ballot, room.now) == "trained this model"
    former = room.member("cesar", until=room.now - DAY)
    assert "the term runs from" in why_may_not_vote(former, ballot, room.now)
