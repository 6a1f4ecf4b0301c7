"""Versions, reports, votes and artifacts that do not fit together: each refused by name, and nothing half-written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from consent.tlog.note import generate_key
from consent.vocabulary import ConsentStatus
from governance import membership
from governance.vote import Choice, sign_vote
from models import plugins, synthetic
from tests.cli.telling import tells, unchanged
from tests.governance.city import SERVICE, City

if TYPE_CHECKING:
    from pathlib import Path

SID = SERVICE.id
OFFER = SERVICE.purposes.offer


def case(city: City, version: str) -> Path:
    return city.home / "cases" / SID / f"{version}.json"


def edit(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def kept(city: City, digest: str) -> Path:
    return city.home / "evidence" / digest.removeprefix("sha256:")


def first_report(city: City) -> str:
    return json.loads(case(city, "1").read_text())["reports"][-1]


def artifact(city: City) -> Path:
    [file] = (city.home / "mlflow" / "artifacts").rglob("*.skops")
    return file


def spoil(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.fixture
def second(city, luvalla):
    """A second version, trained by a board member, not audited."""
    trained = luvalla(
        city.home, "models", "train", SID, "--recipe", "need", "--population", city.development, "--by", "aino", "--seed", "2", "--json",
    )  # fmt: skip
    tells(trained, 0)
    return json.loads(trained.out)["version"]


def run(city, luvalla, tmp_path):
    return luvalla(
        city.home, "run", SID, "--population", city.people, "--out", tmp_path / "offers.jsonl", "--json"
    )


def test_a_version_without_a_report_and_with_that_of_another(city, luvalla, second):
    with unchanged(city):
        said = luvalla(city.home, "promote", SID, second)
    tells(said, 2, "has no audit report", f"luvalla audits run {SID} {second}")
    assert "waits for an audit" in luvalla(city.home, "status").out

    edit(case(city, second), reports=[first_report(city)])
    with unchanged(city):
        said = luvalla(city.home, "promote", SID, second, "--json")
    tells(said, 1, "report is about")
    assert json.loads(said.out)["promoted"] is False

    edit(case(city, second), reports=["sha256:" + "0" * 64])
    with unchanged(city):
        said = luvalla(city.home, "promote", SID, second)
    tells(said, 3, "nothing is kept under", "restore")


def test_a_member_who_trained_the_model_cannot_vote_and_a_stranger_s_key_is_none(
    city, luvalla, second, tmp_path
):
    said = luvalla(city.home, "audits", "run", SID, second, "--population", city.development, "--by", "eetu")
    tells(said, 1, "race is missing for over 5% of people", "it was accepted before")
    complete = city.with_race_known(tmp_path / "complete.csv")
    tells(luvalla(city.home, "audits", "run", SID, second, "--population", complete, "--by", "eetu"), 0)
    tells(luvalla(city.home, "promote", SID, second), 1, "waits for the board")
    decide = ["board", "decide", SID, second]
    reasons = ["--choice", "against", "--reasons", "It misses too many."]
    with unchanged(city):
        said = luvalla(city.home, *decide, "--as", "aino", "--key", city.folder / "aino.pem", *reasons)
        tells(said, 2, "aino may not vote", "trained this model", "another member")
        said = luvalla(city.home, *decide, "--as", "bo", "--key", city.folder / "celeste.pem", *reasons)
        tells(said, 2, "is the key of celeste", "sign with your own key")
        said = luvalla(city.home, *decide, "--as", "bo", "--key", tmp_path / "none.pem", *reasons)
        tells(said, 2, "cannot be read")
        said = luvalla(city.home, *decide, "--as", "bob", "--key", city.folder / "bo.pem", *reasons)
        tells(said, 2, "no board member 'bob'", "'bo'")
        said = luvalla(city.home, *decide, "--as", "bo", "--key", city.folder / "bo.pem", "--choice", "against", "--reasons", " ")  # fmt: skip
        tells(said, 2, "reasons")

        stranger = generate_key(membership.key_name("test.example/consent", "bo"))
        with city.house() as house:
            ballot = house.cases.get(SID, second).question()
        forged = tmp_path / "vote.json"
        forged.write_bytes(
            sign_vote(ballot, choice=Choice.FOR, reasons="Trust me.", at=city.clock(), key=stranger)
        )
        tells(luvalla(city.home, *decide, "--import", forged), 2, "member")
    with unchanged(city):
        tells(luvalla(city.home, "promote", SID, second), 1, "waits for the board")


def test_a_vote_on_what_is_not_before_the_board(city, luvalla, second):
    with unchanged(city):
        said = luvalla(
            city.home, "board", "decide", SID, second, "--as", "bo", "--key", city.folder / "bo.pem", "--choice", "for", "--reasons", "Good."
        )  # fmt: skip
    tells(said, 2, "is not before the board", f"luvalla promote {SID} {second}")


def test_a_changed_artifact_does_not_run_and_is_not_promoted(city, luvalla, tmp_path):
    spoil(artifact(city))
    with unchanged(city):
        said = run(city, luvalla, tmp_path)
        tells(said, 3, "another artifact", names=city.names)
        assert json.loads(said.out)["check"] == "model_digest"
        tells(luvalla(city.home, "promote", SID, "1"), 3, "was changed", "restore the artifact")
        said = luvalla(city.home, "status")
    tells(said, 0, "certificate does not verify")
    assert not (tmp_path / "offers.jsonl").exists()


def test_a_missing_artifact(city, luvalla, tmp_path):
    for file in artifact(city).parent.iterdir():
        file.unlink()
    with unchanged(city):
        said = run(city, luvalla, tmp_path)
    assert said.code in {3, 4}
    tells(said, said.code, names=city.names)


def test_a_changed_report_and_a_missing_vote(city, luvalla, tmp_path):
    vote = kept(city, json.loads(case(city, "1").read_text())["votes"][0])
    content = vote.read_bytes()
    vote.unlink()
    with unchanged(city):
        tells(run(city, luvalla, tmp_path), 3, "nothing is kept under", names=city.names)
    vote.write_bytes(content)
    spoil(kept(city, first_report(city)))
    with unchanged(city):
        tells(run(city, luvalla, tmp_path), 3, "was changed", names=city.names)
        tells(luvalla(city.home, "promote", SID, "1"), 3, "was changed", "backup")
        tells(luvalla(city.home, "status"), 3, "was changed")


def test_a_changed_policy_and_a_changed_trust_root(city, luvalla, tmp_path):
    policy, trust = city.home / "policy.toml", city.home / "trust-root.json"
    before = policy.read_bytes(), trust.read_bytes()
    policy.write_bytes(before[0] + b"\n")
    with unchanged(city):
        tells(run(city, luvalla, tmp_path), 3, "was changed", "restore it from")
    policy.write_bytes(before[0])
    trust.write_bytes(before[1].replace(b'"quorum":2', b'"quorum":1'))
    assert trust.read_bytes() != before[1]
    said = luvalla(city.home, "status")
    tells(said, 3, "trust root")


def test_a_case_that_is_none(city, luvalla):
    case(city, "1").write_text("not a case")
    with unchanged(city):
        tells(luvalla(city.home, "promote", SID, "1"), 3, "is not a case of luvalla", "backup")
        tells(luvalla(city.home, "status"), 3, "is not a case of luvalla")


def test_a_suspended_version_is_a_no_and_its_last_word_is_the_board_s(city, luvalla, tmp_path):
    said = luvalla(
        city.home, "board", "suspend", SID, "1", "--as", "bo", "--key", city.folder / "bo.pem", "--reasons", "I want to look again.", "--json",
    )  # fmt: skip
    tells(said, 0)
    with unchanged(city):
        said = run(city, luvalla, tmp_path)
        tells(said, 1, "suspended")
        assert json.loads(said.out)["way_out"]
        # Nor do the same votes make a second certificate.
        tells(luvalla(city.home, "promote", SID, "1"), 1, "suspended")


def test_no_champion_is_a_no(city, luvalla, tmp_path):
    youth = next(service for service in plugins.services().values() if service.id != SID)
    file = tmp_path / "youth.csv"
    synthetic.residents(youth, 20, seed=1, outcome=False).to_csv(file, index=False)
    with unchanged(city):
        said = luvalla(city.home, "run", youth.id, "--population", file, "--out", tmp_path / "x.jsonl")
    tells(said, 1, "is the champion", f"luvalla promote {youth.id} VERSION")


def test_a_consent_withdrawn_in_the_same_second_as_the_run(city, luvalla, tmp_path):
    """Times have seconds, order has indices: who withdrew before the run is out of it, also within its second."""
    person = city.names[0]
    out = tmp_path / "offers.jsonl"
    tells(luvalla(city.home, "consent", "withdraw", OFFER, "--person", person), 0)
    said = luvalla(city.home, "run", SID, "--population", city.people, "--out", out, "--json")
    tells(said, 0, names=city.names)
    assert json.loads(said.out)["left_out"]["withdrawn"] == 1
    assert person not in out.read_text()

    second = tmp_path / "second.jsonl"
    tells(luvalla(city.home, "consent", "give", OFFER, "--person", person), 0)
    tells(luvalla(city.home, "consent", "withdraw", OFFER, "--person", person), 0)
    said = luvalla(city.home, "run", SID, "--population", city.people, "--out", second, "--json")
    assert json.loads(said.out)["left_out"]["withdrawn"] == 1
    assert person not in second.read_text()
    with city.house() as house:
        assert house.ledger.consents(person)
        newest = house.ledger.uses(person)[-2:]
    assert [use.status.name for use in newest] == [ConsentStatus.WITHDRAWN.name] * 2


def test_an_impossible_answer_is_a_no(city, luvalla):
    with unchanged(city):
        said = luvalla(city.home, "consent", "withdraw", OFFER, "--person", "invented-1", "--json")
    tells(said, 1, "no consent to withdraw")
    assert "invented-1" not in said.out + said.err
