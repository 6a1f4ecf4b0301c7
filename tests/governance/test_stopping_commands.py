"""`luvalla board suspend` and `revoke`: one member's kill switch, and the board's own revocation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from consent.canonical import digest, parse_time
from governance.board_commands import decide, revoke, suspend
from governance.certificate import Invalid, Valid
from governance.errors import GovernanceInputError
from governance.house import House
from tests.governance.board_home import ON, THREE, certify, check, run, vote


@pytest.fixture
def certified(asked, room):
    for name in THREE:
        vote(asked, name)
    return asked, certify(asked, room)


def test_one_member_suspends_at_once_and_for_a_limited_time(certified, room):
    home, envelope = certified
    assert isinstance(check(home, room, envelope), Valid)
    stopped = run(home, suspend, *ON, "--as", "bo", "--reasons", "Complaints from two clinics.", "--days", 7)
    assert stopped["suspended"] == [digest(envelope)]
    assert timedelta(days=6) < parse_time(stopped["until"]) - datetime.now(UTC) <= timedelta(days=7)
    found = check(home, room, envelope)
    assert isinstance(found, Invalid)
    assert found.check == "suspended"


def test_a_member_suspends_once_and_not_for_longer_than_the_policy_allows(certified):
    home, _ = certified
    with pytest.raises(GovernanceInputError, match="the policy allows 1 to 30"):
        run(home, suspend, *ON, "--as", "bo", "--reasons", "Stop.", "--days", 31)
    run(home, suspend, *ON, "--as", "bo", "--reasons", "Stop.")
    with pytest.raises(GovernanceInputError, match="has suspended this certificate before"):
        run(home, suspend, *ON, "--as", "bo", "--reasons", "Stop again.")
    run(home, suspend, *ON, "--as", "aino", "--reasons", "I agree.")


def test_a_suspended_certificate_is_not_issued_anew_from_the_same_votes(certified, room):
    home, _ = certified
    run(home, suspend, *ON, "--as", "bo", "--reasons", "Stop.")
    found = check(home, room, certify(home, room))
    assert isinstance(found, Invalid)
    assert found.check == "suspended"


def test_the_board_revokes_when_its_rules_say_so(certified, room):
    home, envelope = certified
    for name in ("aino", "bo"):
        answer = run(home, revoke, *ON, "--as", name, "--reasons", "Men are missed.")
        assert (answer["outcome"], answer["revoked"]) == ("open", [])
        assert isinstance(check(home, room, envelope), Valid)
    answer = run(home, revoke, *ON, "--as", "cesar", "--choice", "against", "--reasons", "It helps most.")
    assert answer["revoked"] == [digest(envelope)]
    assert answer["dissent"] == ["cesar"]
    assert check(home, room, envelope).check == "revoked"
    assert check(home, room, certify(home, room)).check == "revoked"


def test_a_revocation_is_no_vote_on_certifying(certified, tmp_path):
    home, _ = certified
    run(home, revoke, *ON, "--as", "aino", "--reasons", "Stop.")
    with House.open(home.path, read_only=True) as house:
        kept = json.loads((house.home.path / "revocations" / "health-benefit-2.json").read_text())["votes"]
        (tmp_path / "vote.json").write_bytes(house.evidence.get(kept[0]))
    with pytest.raises(GovernanceInputError, match="answers another ballot"):
        run(home, decide, *ON, "--import", tmp_path / "vote.json")


@pytest.mark.parametrize("command", [suspend, revoke])
def test_what_has_no_certificate_cannot_be_stopped(asked, command):
    with pytest.raises(GovernanceInputError, match="holds no certificate for version 2"):
        run(asked, command, *ON, "--as", "bo", "--reasons", "Stop.")
