"""A ledger file that is locked, read-only, truncated, no database or of a newer version: a clear error, nothing written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent import store_sqlite
from consent.errors import (
    LedgerDamagedError,
    LedgerMissingError,
    LedgerUnavailableError,
    LedgerVersionError,
)
from consent.home import open_home
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus
from tests.consent.ledger_world import OFFER, use_request

if TYPE_CHECKING:
    from tests.consent.ledger_world import World

S = ConsentStatus
pytestmark = pytest.mark.sqlite_file


def test_a_missing_file_is_said_and_not_made(world: World) -> None:
    world.home.database.unlink()
    with pytest.raises(LedgerMissingError) as caught:
        world.open()
    assert caught.value.exit_code == 4
    assert not world.home.database.exists()


@pytest.mark.parametrize("keep", [0, 50, 4_096, 10_000])
def test_a_truncated_file_is_said(world: World, keep: int) -> None:
    os.truncate(world.home.database, keep)
    with pytest.raises(LedgerDamagedError) as caught:
        world.open()
    assert caught.value.exit_code == 3


def test_a_checkpoint_that_was_killed_leaves_a_sound_ledger_and_without_its_log_a_truncated_one(
    world: World, tmp_path: Path
) -> None:
    before = world.home.database.stat().st_size
    with world.open() as ledger:
        last = ledger.record_consents([ConsentRequest(f"p{i}", OFFER, S.GIVEN) for i in range(100)])[-1]
        shutil.copytree(world.home.path, tmp_path / "killed")
    database = tmp_path / "killed" / "ledger.db"
    log = database.with_name("ledger.db-wal").read_bytes()
    first = [at for at in range(32, len(log), 24 + 4096) if log[at : at + 4] == b"\0\0\0\1"][-1]
    with database.open("r+b") as file:
        file.write(log[first + 24 : first + 24 + 4096])
    assert database.stat().st_size == before < int.from_bytes(database.read_bytes()[28:32], "big") * 4096
    killed = replace(world, home=open_home(database.parent))
    shutil.copytree(database.parent, tmp_path / "lost")
    with killed.open() as ledger:
        assert ledger.head().size == last + 1
        assert ledger.check() == []
    lost = tmp_path / "lost"
    (lost / "ledger.db-wal").unlink()
    with pytest.raises(LedgerDamagedError, match="truncated"):
        replace(world, home=open_home(lost)).open()


def test_a_file_that_is_no_database_is_said(world: World) -> None:
    world.home.database.write_bytes(b"hello, I am a text file\n" * 400)
    with pytest.raises(LedgerDamagedError, match="not an SQLite database"):
        world.open()


def test_another_program_s_database_is_said(world: World) -> None:
    world.home.database.unlink()
    with closing(sqlite3.connect(world.home.database)) as connection:
        connection.execute("create table t (x)")
    with pytest.raises(LedgerDamagedError, match="without a ledger"):
        world.open()


@pytest.mark.parametrize(("version", "hint"), [("9999", "install the newer"), ("0000", "migrate")])
def test_another_version_is_said(world: World, version: str, hint: str) -> None:
    with closing(sqlite3.connect(world.home.database)) as connection:
        connection.execute("update alembic_version set version_num = ?", (version,))
        connection.commit()
    with pytest.raises(LedgerVersionError) as caught:
        world.open()
    assert hint in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_locked_file_is_said_and_nothing_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_sqlite, "BUSY_SECONDS", 0.1)
    with world.open() as ledger, closing(sqlite3.connect(world.home.database)) as other:
        size = ledger.head().size
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError, match="locked") as caught:
            ledger.record_consent("a", OFFER, S.GIVEN)
        assert caught.value.exit_code == 4
        assert ledger.head().size == size
        other.rollback()
        ledger.record_consent("a", OFFER, S.GIVEN)


def test_a_file_that_another_holds_alone_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_sqlite, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(world.home.database)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerUnavailableError, match="locked"):
            world.open()


def test_damaged_pages_are_said(world: World) -> None:
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        ledger.log.store.reclaim()
    raw = bytearray(world.home.database.read_bytes())
    raw[4096 : len(raw)] = bytes(len(raw) - 4096)
    world.home.database.write_bytes(raw)
    with pytest.raises(LedgerDamagedError):
        world.open()


READER = """
import os, sys
from pathlib import Path
from consent.home import open_home
from consent.ledger import Ledger
from consent.errors import ConsentError
import consent.tlog.verify, sqlalchemy.dialects.sqlite  # what is not loaded yet the other user could not read
sqlalchemy.create_engine("sqlite://").connect().close()
os.setuid(65534)
home = open_home(Path(sys.argv[1]))
with Ledger.open(home, read_only=True) as ledger:
    print(ledger.consents("a")[1].status.value, len(ledger.uses("a")))
try:
    with Ledger.open(home) as ledger:
        ledger.enrol("b")
except ConsentError as error:
    print(type(error).__name__, error.exit_code)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user, so root")
def test_a_read_only_home_can_be_read_and_says_why_it_cannot_be_written(world: World) -> None:
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        ledger.append_use(use_request(ledger, {"a": 1}))
        ledger.log.store.reclaim()
    target = Path("/tmp") / f"luvalla-read-only-{os.getpid()}"  # noqa: S108 - a folder that another user may enter
    shutil.copytree(world.home.path, target)
    try:
        for name in ("ledger.db-wal", "ledger.db-shm"):
            (target / name).unlink(missing_ok=True)
        for path in [target, *target.rglob("*")]:
            os.chown(path, 65534, 65534)
            path.chmod(0o500 if path.is_dir() else 0o400)
        root = Path(__file__).parents[3]
        done = subprocess.run(
            [sys.executable, "-c", READER, str(target)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout.split() == ["given", "1", "LedgerUnavailableError", "4"], done.stderr
    finally:
        shutil.rmtree(target)
