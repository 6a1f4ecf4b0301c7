"""Runs that must not take place on a whole home with a champion: something was changed, or a member suspended it."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from governance import promotion, run, stopping
from governance.development import train
from governance.errors import GovernanceEvidenceError
from tests.governance.city import SERVICE, City, Kept

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def restored(city, tmp_path):
    """For a test that leaves the city changed."""
    kept = Kept(city.home, tmp_path / "kept")
    yield
    kept.put_back()


def model_file(city: City) -> Path:
    found = list((city.home / "mlflow" / "artifacts").rglob("*.skops"))
    assert len(found) == 1
    return found[0]


@pytest.fixture
def changed():
    """Files changed by a test, put back afterwards."""
    kept: dict[Path, bytes | None] = {}

    def change(path: Path, content: bytes) -> None:
        kept.setdefault(path, path.read_bytes() if path.exists() else None)
        path.write_bytes(content)

    yield change
    for path, content in kept.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def refused(city, name="refused"):
    """The refusal of a run that must not take place, after checking that nothing was recorded or released."""
    with city.house() as house:
        size = house.ledger.head().size
        done, out = city.run(house, name)
        assert isinstance(done, run.RunRefused), done
        assert not out.exists()
        assert house.ledger.head().size == size
        assert done.way_out
        return done


def test_a_changed_model_file_is_refused(city, changed):
    file = model_file(city)
    changed(file, flipped(file.read_bytes()))
    assert refused(city).check != "champion"


def test_an_added_file_is_refused(city):
    extra = model_file(city).with_name("extra.txt")
    extra.write_text("hello")
    try:
        refused(city)
    finally:
        extra.unlink()


def test_a_pickle_beside_the_model_is_never_opened(city, tmp_path):
    trap = model_file(city).with_name("model.pkl")
    opened = tmp_path / "opened"
    trap.write_bytes(b"cos\nsystem\n(S'touch " + bytes(opened) + b"'\ntR.")
    try:
        refused(city)
    finally:
        trap.unlink()
    assert not opened.exists()


def test_a_link_in_the_artifact_is_refused(city):
    link = model_file(city).with_name("link")
    link.symlink_to("/etc/passwd")
    try:
        with city.house() as house, pytest.raises(Exception, match="is a link"):
            city.run(house, "link")
    finally:
        link.unlink()


def test_an_alias_moved_in_the_database_to_an_uncertified_version_is_refused(city):
    """Whoever can write the registry's database can move the alias; the certificate stays behind."""
    with city.house() as house:
        second = train(house, SERVICE, "spending", city.load_development(), seed=1, by="dara").case.version
    database = city.home / "mlflow" / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE registered_model_aliases SET version = ?", (int(second),))
    try:
        assert "no certificate" in refused(city, "alias").reason
    finally:
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE registered_model_aliases SET version = 1")


def test_a_changed_policy_refuses_everything(city, changed):
    policy = city.home / "policy.toml"
    changed(policy, policy.read_bytes().replace(b"limit = -0.10", b"limit = -0.90", 1))
    with city.house() as house, pytest.raises(GovernanceEvidenceError, match="was changed"):
        city.run(house, "policy")


def test_a_report_edited_after_the_vote_is_refused(city, changed):
    with city.house() as house:
        report = house.cases.get(SERVICE.id, "1").reports[-1]
    file = city.home / "evidence" / report.removeprefix("sha256:")
    changed(file, file.read_bytes().replace(b'"n":', b'"n":1', 1))
    assert "was changed" in refused(city, "report").reason


def test_a_deleted_vote_is_refused(city, changed):
    with city.house() as house:
        vote = house.cases.get(SERVICE.id, "1").votes[0]
    file = city.home / "evidence" / vote.removeprefix("sha256:")
    content = file.read_bytes()
    file.unlink()
    try:
        refused(city, "vote")
    finally:
        file.write_bytes(content)


def test_a_case_that_was_edited_changes_nothing(city, changed):
    """The case's file is an index: emptying its certificate does not stop the version, inventing one does not help another."""
    file = city.home / "cases" / SERVICE.id / "1.json"
    case = json.loads(file.read_text())
    changed(file, json.dumps({**case, "certificate": "", "votes": []}).encode())
    with city.house() as house:
        done, _ = city.run(house, "edited-case")
    assert isinstance(done, run.RunDone)


@pytest.mark.usefixtures("restored")
def test_a_suspension_stops_the_next_run_and_ends(city):
    with city.house() as house:
        stopping.suspend(
            house, SERVICE.id, "1", reasons="I want to look at it again.", days=3, key=city.keys["bo"]
        )
    stopped = refused(city, "suspended")
    assert stopped.check == "suspended"
    with city.house() as house:
        assert isinstance(promotion.promote(house, SERVICE.id, "1"), promotion.NotPromoted)
