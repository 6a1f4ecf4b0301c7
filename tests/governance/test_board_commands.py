"""`luvalla board ...` as its users meet it: from keys to a decision. Stopping has a module of its own."""

from __future__ import annotations

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits.finding import Leaning, Outcome
from consent.home import Home
from consent.tlog.note import VerifierKey
from governance.board_commands import decide, inbox, keygen, members, revoke, suspend
from governance.certificate import Valid
from governance.errors import (
    BoardKeyError,
    EnvelopeError,
    GovernanceInputError,
    RecusedMemberError,
    VoteFormError,
)
from governance.house import House
from tests.governance.board_home import ON, SERVICE, THREE, certify, check, put_before, run, vote

LINE = "tpr_gap:race=Black"


def test_a_key_is_made_private_and_its_public_half_printed(home):
    made = run(home, keygen, "aino")
    path = home.path / "board-keys" / "aino.pem"
    assert made["file"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert VerifierKey.parse(made["vkey"]).name == "test.example/log/board/aino"
    assert "PRIVATE" not in json.dumps(made)


def test_a_key_is_never_overwritten(home):
    run(home, keygen, "aino")
    with pytest.raises(Exception, match="already a file") as caught:
        run(home, keygen, "aino")
    assert caught.value.exit_code == 2


def test_a_key_can_be_made_without_a_home(tmp_path):
    nowhere = Home(tmp_path / "nowhere")
    made = run(nowhere, keygen, "aino", "--origin", "city.example/log", "--out", tmp_path / "key.pem")
    assert VerifierKey.parse(made["vkey"]).name == "city.example/log/board/aino"
    assert not nowhere.path.exists()


def test_a_dry_run_makes_no_key(home):
    assert not run(home, keygen, "aino", "--dry-run")["written"]
    assert not (home.path / "board-keys").exists()


def test_members_are_enrolled_through_the_trust_root(board):
    listed = run(board, members)
    assert [(m["id"], m["role"], m["in_office"]) for m in listed["members"]] == [
        (n, "member", True) for n in THREE
    ]
    assert (listed["version"], listed["quorum"], listed["changed"]) == (5, 3, False)
    with House.open(board.path, read_only=True) as house:
        recorded = [entry.body for entry in house.ledger.institutional("trust-root")]
    assert [body["version"] for body in recorded] == [1, 2, 3, 4, 5]
    assert recorded[-1]["digest"] == listed["digest"]


def test_a_dry_run_changes_no_member(board):
    answer = run(board, members, "--retire", "bo", "--dry-run")
    assert not answer["changed"]
    assert all(member["in_office"] for member in run(board, members)["members"])


def test_a_retired_member_is_out_of_office(board):
    run(board, members, "--retire", "bo")
    assert "bo" not in [member["id"] for member in run(board, members)["members"] if member["in_office"]]


def test_a_former_member_cannot_vote(asked):
    vkey = run(asked, keygen, "eva")["vkey"]
    term = ["--from", "2020-01-01", "--until", "2022-01-01"]
    run(asked, members, "--add", "eva", "--name", "Eva", "--vkey", vkey, *term)
    with pytest.raises(RecusedMemberError, match="eva is not in office now"):
        vote(asked, "eva")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (["--retire", "ani"], BoardKeyError, "no board member 'ani'"),
        (
            ["--add", "eva", "--name", "Eva", "--vkey", "eva+1+x"],
            BoardKeyError,
            "verifier key of eva cannot be read",
        ),
    ],
)
def test_a_seat_that_makes_no_sense_is_refused(board, arguments, error, says):
    with pytest.raises(error, match=says) as caught:
        run(board, members, *arguments)
    assert caught.value.exit_code == 2


def test_adding_needs_a_name_and_a_key(board):
    assert "--add needs --name and --vkey" in run(board, members, "--add", "eva", code=2)


def test_nothing_waits_before_a_ballot(board):
    assert run(board, inbox) == {"ballots": []}


def test_the_inbox_says_what_waits_for_whom(board, room):
    put_before(board, room, room.report(), trained_by=("cesar",))
    vote(board, "aino")
    (item,) = run(board, inbox)["ballots"]
    assert (item["service"], item["version"], item["gate"]) == (SERVICE, "2", "passed")
    assert (item["voted"], item["waits_for"], item["quorum"]) == (["aino"], ["bo"], 3)
    assert item["may_not"] == {"cesar": "trained this model"}
    assert item["report"] == room.report().digest
    plain = CliRunner().invoke(inbox, [], obj={"home": board.path}).output
    assert "cesar may not vote: trained this model" in plain


def test_three_votes_decide_and_are_recorded_acts(asked, room):
    assert vote(asked, "aino")["outcome"] == "open"
    assert vote(asked, "bo", "against", reasons="Men are found too seldom.")["outcome"] == "open"
    decided = vote(asked, "cesar")
    assert decided["outcome"] == "approved"
    assert decided["dissent"] == ["bo"]
    assert [v["reasons"] for v in decided["votes"] if v["member"] == "bo"] == ["Men are found too seldom."]
    assert run(asked, inbox) == {"ballots": []}
    assert isinstance(check(asked, room, certify(asked, room)), Valid)


def test_a_dry_run_of_a_vote_records_nothing(asked):
    answer = vote(asked, "aino", "for", "--dry-run")
    assert not answer["recorded"]
    assert [v["member"] for v in answer["votes"]] == ["aino"]
    assert run(asked, inbox)["ballots"][0]["voted"] == []


def test_the_same_vote_handed_in_twice_counts_once(asked, tmp_path):
    key = asked.path / "board-keys" / "aino.pem"
    run(asked, decide, *ON, "--as", "aino", "--export", tmp_path / "ballot.json")
    run(
        asked, decide, "--sign", tmp_path / "ballot.json", "--key", key, "--choice", "for",
        "--reasons", "Read.", "--out", tmp_path / "vote.json",
    )  # fmt: skip
    run(asked, decide, *ON, "--import", tmp_path / "vote.json")
    answer = run(asked, decide, *ON, "--import", tmp_path / "vote.json")
    assert [v["member"] for v in answer["votes"]] == ["aino"]


def test_a_key_that_is_no_members_is_refused(asked, tmp_path):
    stranger = tmp_path / "stranger.pem"
    run(asked, keygen, "eva", "--out", stranger)
    with pytest.raises(BoardKeyError, match="belongs to no member of the board") as caught:
        vote(asked, "aino", "for", "--key", stranger)
    assert caught.value.exit_code == 2
    with pytest.raises(BoardKeyError, match="is the key of bo"):
        vote(asked, "aino", "for", "--key", asked.path / "board-keys" / "bo.pem")
    with pytest.raises(BoardKeyError, match="There is no board member 'eva'"):
        vote(asked, "eva", "for", "--key", stranger)


def test_a_member_who_trained_the_model_is_refused(board, room):
    put_before(board, room, room.report(), trained_by=("bo",))
    with pytest.raises(
        RecusedMemberError, match="bo may not vote on this ballot: trained this model"
    ) as caught:
        vote(board, "bo")
    assert caught.value.exit_code == 2
    assert "No one decides on their own work" in caught.value.hint


def test_a_vote_needs_reasons(asked):
    with pytest.raises(VoteFormError, match="gives no reasons"):
        vote(asked, "aino", reasons=" ")


def test_doubt_needs_a_condition_and_an_expiry(board, room):
    put_before(board, room, room.report({LINE: (Outcome.NOT_ENOUGH_EVIDENCE, {})}))
    assert LINE in run(board, inbox)["ballots"][0]["undecided"][0]
    with pytest.raises(VoteFormError, match="without naming a condition and an expiry") as caught:
        vote(board, "aino")
    assert "--condition" in caught.value.hint
    soon = datetime.now(UTC) + timedelta(days=90)
    terms = [
        "--condition",
        "Follow the outcomes.",
        f"{soon:%Y-%m-%d}",
        "--expires",
        f"{soon + timedelta(days=30):%Y-%m-%d}",
    ]
    decided = [vote(board, name, "for", *terms) for name in THREE][-1]
    assert decided["outcome"] == "approved-with-conditions"
    assert decided["conditions"] == [{"text": "Follow the outcomes.", "due": f"{soon:%Y-%m-%d}T00:00:00Z"}]
    assert decided["expires"] == f"{soon + timedelta(days=30):%Y-%m-%d}T00:00:00Z"


def test_what_the_gate_refuses_does_not_reach_the_board(board, room):
    against = {LINE: (Outcome.NOT_ENOUGH_EVIDENCE, {"leaning": Leaning.AGAINST})}
    assert not put_before(board, room, room.report(against)).acceptable
    with pytest.raises(GovernanceInputError, match="is not before the board"):
        vote(board, "aino")


def test_a_vote_is_signed_on_a_machine_of_its_own(asked, tmp_path):
    ballot, signed = tmp_path / "ballot.json", tmp_path / "vote.json"
    key = tmp_path / "aino.pem"
    (asked.path / "board-keys" / "aino.pem").rename(key)
    run(asked, decide, *ON, "--as", "aino", "--export", ballot)
    elsewhere = Home(tmp_path / "nowhere")
    run(
        elsewhere,
        decide,
        "--sign",
        ballot,
        "--key",
        key,
        "--choice",
        "for",
        "--reasons",
        "Read.",
        "--out",
        signed,
    )
    assert not elsewhere.path.exists()
    assert [v["member"] for v in run(asked, decide, *ON, "--import", signed)["votes"]] == ["aino"]


def test_another_members_key_does_not_sign_an_exported_ballot(asked, tmp_path):
    run(asked, decide, *ON, "--as", "aino", "--export", tmp_path / "ballot.json")
    with pytest.raises(BoardKeyError, match="not the one that this ballot was exported for"):
        run(
            asked, decide, "--sign", tmp_path / "ballot.json", "--key", asked.path / "board-keys" / "bo.pem",
            "--choice", "for", "--reasons", "Read.", "--out", tmp_path / "vote.json",
        )  # fmt: skip


def test_an_import_that_is_no_vote_is_refused(asked, tmp_path):
    (tmp_path / "vote.json").write_text("{}")
    with pytest.raises(EnvelopeError) as caught:
        run(asked, decide, *ON, "--import", tmp_path / "vote.json")
    assert caught.value.exit_code == 3


def test_a_vote_says_what_it_needs(asked):
    assert "needs --as, --choice, --reasons" in run(asked, decide, *ON, code=2)
    assert "needs SERVICE, VERSION" in run(asked, decide, code=2)
    assert "neither 2027-05-31 nor" in vote(asked, "aino", "for", "--expires", "soon", code=2)


def test_the_documents_name_only_commands_and_options_that_exist():
    commands = {command.name: command for command in (keygen, members, inbox, decide, suspend, revoke)}
    docs = Path(__file__).parent.parent.parent / "docs"
    text = "".join((docs / name).read_text(encoding="utf-8") for name in ("board.md", "tutorials/board.md"))
    shown = re.findall(r"luvalla board (\w+)((?:[^`\n]|\\\n)*)", text.replace("\\\n", " "))
    assert {name for name, _ in shown} == set(commands)
    for name, rest in shown:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest.partition("#")[0])) <= known, (name, rest)
