"""What cannot be reached, is locked, read-only or full: exit code 4, nothing half-written, and the way back told."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from consent import store_sqlite
from governance import release
from governance.errors import GovernanceUnavailableError
from models.registry import Registry
from tests.cli.telling import tells, unchanged
from tests.governance.city import SERVICE

LUVALLA = Path(sys.executable).parent / "luvalla"
SID = SERVICE.id
GIVE = ("consent", "give", SERVICE.purposes.offer, "--person", "invented-1")
NOBODY = 65_534


@contextmanager
def locked(file: Path):
    """Another connection holds the file for itself alone."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def files_at_most(size: int):
    """No file may grow beyond `size` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder: Path):
    """Nothing below the folder may be written by whoever is within; root becomes nobody for as long, since it may all."""
    root = os.geteuid() == 0
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        if root:
            os.chown(path, NOBODY, NOBODY)
        path.chmod(0o500 if path.is_dir() else 0o400)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path in paths:
            path.chmod(0o700 if path.is_dir() else 0o600)


@pytest.fixture
def reachable():
    """A folder that everybody may enter; pytest's own belong to one."""
    folder = Path(tempfile.mkdtemp(prefix="luvalla-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def offers(city, out: Path) -> tuple[object, ...]:
    return "run", SID, "--population", city.people, "--out", out


def train(city) -> tuple[object, ...]:
    return "models", "train", SID, "--recipe", "need", "--population", city.development, "--by", "dara"


def logged_models(city) -> list[Path]:
    return sorted((city.home / "mlflow" / "artifacts").rglob("*.skops"))


def test_a_locked_ledger_is_waited_for_and_then_said(city, luvalla, monkeypatch, tmp_path):
    monkeypatch.setattr(store_sqlite, "BUSY_SECONDS", 0.2)
    out = tmp_path / "offers.jsonl"
    models = logged_models(city)
    with unchanged(city), locked(city.home / "ledger.db"):
        for command in (GIVE, offers(city, out)):
            tells(luvalla(city.home, *command), 4, "locked by another process", "try again", names=city.names)
        # Looking is not writing.
        tells(luvalla(city.home, "consent", "show", "--person", city.names[0]), 0, names=city.names)
        tells(luvalla(city.home, "status"), 0)
    assert not out.exists()
    # What MLflow had to write before the entry is taken back: no model that no entry accounts for.
    with locked(city.home / "ledger.db"):
        tells(luvalla(city.home, *train(city)), 4, "locked by another process")
    assert logged_models(city) == models
    with city.house() as house:
        assert [version.version for version in house.registry.versions(SERVICE.registered_model)] == ["1"]
        assert [case.version for case in house.cases.all()] == ["1"]


def test_a_ledger_that_cannot_be_opened_for_writing(city, luvalla, tmp_path):
    """Runs for every user: a folder stands where SQLite would keep its write-ahead log."""
    (city.home / "ledger.db-wal").unlink(missing_ok=True)
    (city.home / "ledger.db-wal").mkdir()
    try:
        for command in (GIVE, offers(city, tmp_path / "offers.jsonl")):
            tells(luvalla(city.home, *command), 4, "cannot be opened", "owner and mode", names=city.names)
    finally:
        (city.home / "ledger.db-wal").rmdir()
    assert not (tmp_path / "offers.jsonl").exists()


def test_a_read_only_home_can_be_read_and_not_written(city, luvalla, reachable):
    tells(luvalla(city.home, "ledger", "check"), 0)  # every module is loaded before the user changes
    home = reachable / "home"
    shutil.copytree(city.home, home)
    people = shutil.copyfile(city.people, reachable / "people.csv")
    people.chmod(0o644)
    out = reachable / "offers.jsonl"
    before = (home / "ledger.db").read_bytes()
    with read_only(home):
        tells(luvalla(home, "consent", "show", "--person", city.names[0]), 0, "consent given")
        tells(luvalla(home, "ledger", "check"), 0, "0 faults")
        tells(luvalla(home, *GIVE), 4, "read-only")
        said = luvalla(home, "run", SID, "--population", people, "--out", out)
        tells(said, 4, names=city.names)
    assert not out.exists()
    assert (home / "ledger.db").read_bytes() == before


def test_a_locked_registry(city, luvalla, tmp_path):
    """In a process of its own: MLflow keeps its connection, and waits five seconds."""
    with unchanged(city), locked(city.home / "mlflow" / "mlflow.db"):
        done = subprocess.run(
            [LUVALLA, "--home", city.home, "status"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "may be locked" in done.stderr


def test_a_registry_that_is_gone_is_not_made_anew(city, luvalla, tmp_path):
    """The file is moved aside and back: SQLite lets nobody write again who holds open a database that was replaced."""
    database, aside = city.home / "mlflow" / "mlflow.db", tmp_path / "aside.db"
    for left in (None, b""):
        database.rename(aside)
        try:
            if left is not None:
                database.write_bytes(left)
            for command in (
                offers(city, tmp_path / "offers.jsonl"),
                train(city),
                ("status",),
                ("promote", SID, "1"),
            ):
                tells(
                    luvalla(city.home, *command),
                    4,
                    "mlflow.db is missing or empty",
                    "backup",
                    names=city.names,
                )
            assert database.exists() == (left is not None)
        finally:
            aside.replace(database)
    assert not (tmp_path / "offers.jsonl").exists()


def test_a_registry_that_is_no_database(city, tmp_path):
    file = tmp_path / "mlflow.db"
    file.write_bytes(b"These are not the bytes of a database." * 500)
    home = tmp_path / "home"
    shutil.copytree(city.home, home)
    shutil.copyfile(file, home / "mlflow" / "mlflow.db")
    done = subprocess.run(
        [LUVALLA, "--home", home, "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "database" in done.stderr
    assert "a fault of luvalla" not in done.stderr


def test_a_registry_server_that_is_away(city, luvalla, tmp_path, monkeypatch):
    settings = city.home / "luvalla.toml"
    settings.write_text(
        settings.read_text().replace('tracking_uri = ""', 'tracking_uri = "http://127.0.0.1:9"')
    )
    with unchanged(city):
        said = luvalla(city.home, *offers(city, tmp_path / "offers.jsonl"))
    tells(said, 4, "http://127.0.0.1:9", "check that the server runs", names=city.names)


def test_a_place_where_no_offers_can_be_written_is_found_before_anything_is_recorded(city, luvalla, tmp_path):
    (tmp_path / "file").write_text("x")
    with unchanged(city):
        for place in (Path("/proc/luvalla/offers.jsonl"), tmp_path / "file" / "offers.jsonl"):
            said = luvalla(city.home, *offers(city, place))
            tells(said, 4, "cannot be written", "nothing was scored or recorded", names=city.names)
        said = luvalla(city.home, *offers(city, tmp_path))
        tells(said, 2, "is a directory")
        dangling = tmp_path / "dangling"
        dangling.symlink_to(tmp_path / "nowhere")
        tells(luvalla(city.home, *offers(city, dangling)), 2, "never overwrites")
    # A folder that is not there yet is made.
    tells(luvalla(city.home, *offers(city, tmp_path / "new" / "offers.jsonl")), 0, names=city.names)


def test_offers_go_to_another_file_system_whole_and_overwrite_nothing(city, tmp_path):
    shm = Path("/dev/shm")  # noqa: S108 - another file system, where there is one
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev or not os.access(shm, os.W_OK):
        pytest.skip("no second file system here")
    elsewhere = Path(tempfile.mkdtemp(prefix="luvalla-test-", dir=shm))
    waiting = tmp_path / "waiting.jsonl"
    waiting.write_text("offers\n" * 5000)
    waiting.chmod(0o600)
    try:
        release.release(waiting, elsewhere / "offers.jsonl")
        with pytest.raises(GovernanceUnavailableError, match="could not be written"):
            release.release(waiting, elsewhere / "offers.jsonl")
        with files_at_most(2000), pytest.raises(GovernanceUnavailableError, match="could not be written"):
            release.release(waiting, elsewhere / "other.jsonl")
        assert [path.name for path in elsewhere.iterdir()] == ["offers.jsonl"]
        assert (elsewhere / "offers.jsonl").read_text() == waiting.read_text()
        assert oct((elsewhere / "offers.jsonl").stat().st_mode)[-3:] == "600"
    finally:
        shutil.rmtree(elsewhere)


def test_a_full_disk(city, luvalla, tmp_path):
    out = tmp_path / "offers.jsonl"
    with unchanged(city):
        with files_at_most(4000):
            said = luvalla(city.home, *GIVE)
            tells(said, 4, "ledger.db")
            tells(luvalla(city.home, *offers(city, out)), 4, names=city.names)
            said = luvalla(city.home, "models", "rows", SID, "--out", tmp_path / "rows.csv")
            tells(said, 4, "cannot be written")
        assert not out.exists()
        assert not (tmp_path / "rows.csv").exists()
    tells(luvalla(city.home, *GIVE), 0)
    tells(luvalla(city.home, *offers(city, out)), 0)


def test_a_full_disk_while_the_offers_are_written_leaves_none(city, luvalla, tmp_path, monkeypatch):
    """The model's private copy still fits; the offers do not."""
    out = tmp_path / "offers.jsonl"
    [model] = logged_models(city)
    download = Registry.download

    def then_the_disk_fills(self, *args):
        folder = download(self, *args)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))
        return folder

    monkeypatch.setattr(Registry, "download", then_the_disk_fills)
    with unchanged(city), files_at_most(resource.RLIM_INFINITY):
        said = luvalla(city.home, *offers(city, out))
    tells(said, 4, "too large", names=city.names)
    assert not out.exists()
    assert list((city.home / "outbox").glob("*.jsonl")) == []
    assert model.exists()


def test_results_that_cannot_be_printed():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [LUVALLA, "models", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_home_that_cannot_be_made(luvalla, tmp_path):
    (tmp_path / "file").write_text("x")
    tells(luvalla(tmp_path / "file" / "home", "init"), 4, "cannot make a home")
    tells(luvalla(Path("/proc/luvalla"), "init"), 4, "cannot make a home")
    with files_at_most(20_000):
        said = luvalla(tmp_path / "home", "init")
    tells(said, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "here"]


def test_files_that_are_not_overwritten_or_cannot_be_written(city, luvalla, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    person = city.names[0]
    with unchanged(city):
        for command in (
            ("models", "rows", SID, "--out", precious),
            (
                "consent",
                "receipt",
                "--person",
                person,
                "--purpose",
                SERVICE.purposes.offer,
                "--out",
                precious,
            ),
            ("board", "keygen", "dora", "--out", precious),
            ("board", "decide", SID, "1", "--as", "bo", "--export", precious),
        ):
            tells(luvalla(city.home, *command), 2, "already", names=city.names)
        for command in (
            ("models", "rows", SID, "--out", tmp_path / "no" / "x"),
            ("consent", "receipt", "--person", person, "--purpose", SERVICE.purposes.offer, "--out", tmp_path / "no" / "x"),
            ("board", "decide", SID, "1", "--as", "bo", "--export", tmp_path / "no" / "x"),
        ):  # fmt: skip
            tells(luvalla(city.home, *command), 2, "does not exist", names=city.names)
        tells(luvalla(city.home, "board", "keygen", "../../dora"), 2, "cannot be a member's id")
    assert precious.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()
    said = luvalla(tmp_path / "nowhere", "board", "keygen", "dora", "--origin", "test.example/consent")
    tells(said, 2, "--out")
    assert not (tmp_path / "nowhere").exists()
    assert json.loads(luvalla(city.home, "board", "inbox", "--json").out) == {"ballots": []}
