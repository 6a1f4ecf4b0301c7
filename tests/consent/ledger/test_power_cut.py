"""What must be on disk before the next step is taken: a power cut keeps no rename or removal of a folder that was not synced."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

import cli
from consent import receipt_files, rotation
from consent.home import Home
from consent.setup import create
from consent.tlog.note import generate_key
from tests.consent.ledger_world import OFFER, ORIGIN, START, G, purposes_text

if TYPE_CHECKING:
    from pathlib import Path

    from tests.consent.ledger_world import World


class Synced:
    """What Python synced, and when; SQLite syncs its own files by itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[int, frozenset[str]]] = []
        real = os.fsync

        def fsync(handle: int) -> None:
            real(handle)
            # Of a folder also the names in it: only these survive.
            there = frozenset(os.listdir(handle)) if os.path.isdir(handle) else frozenset()  # noqa: PTH112
            self.done.append((os.fstat(handle).st_ino, there))

        monkeypatch.setattr(os, "fsync", fsync)

    def file(self, path: Path) -> bool:
        return path.stat().st_ino in {inode for inode, _ in self.done}

    def names(self, folder: Path) -> frozenset[str]:
        """The names that the folder had when it was synced last."""
        inode = folder.stat().st_ino
        return next((names for each, names in reversed(self.done) if each == inode), frozenset())


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Synced:
    return Synced(monkeypatch)


def test_a_new_home_is_on_disk_whole_before_it_has_its_name(tmp_path: Path, synced: Synced) -> None:
    home = create(tmp_path / "city", origin=ORIGIN, purposes=purposes_text(), clock=lambda: START)
    for path in [home.path, *home.path.rglob("*")]:
        assert synced.file(path), path
    assert home.path.name in synced.names(tmp_path)


def test_a_prepared_key_is_on_disk_before_a_trust_root_can_name_it(tmp_path: Path, synced: Synced) -> None:
    home = Home(tmp_path)
    home.keys.mkdir()
    rotation.prepare(home.log_key, generate_key(ORIGIN))
    assert rotation.new_place(home.log_key).name in synced.names(home.keys)


def test_a_key_that_took_its_place_keeps_it(tmp_path: Path, synced: Synced) -> None:
    home = Home(tmp_path)
    home.keys.mkdir()
    home.log_key.write_text("old")
    rotation.prepare(home.log_key, generate_key(ORIGIN))
    rotation.put_in_place(home.log_key)
    assert synced.names(home.keys) == {home.log_key.name, rotation.old_place(home.log_key).name}


def test_an_erased_person_s_receipts_do_not_come_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.open() as ledger:
        ledger.record_consent("gone", OFFER, G)
        path = receipt_files.default_path(world.home, receipt := ledger.consent_receipt("gone", OFFER), OFFER)
        synced = Synced(monkeypatch)
        receipt_files.save(receipt, path)
        assert synced.file(path)
        (world.home.receipts / "other").write_text("of nobody")
        ledger.erase("gone", ground="eu-gdpr:A17-1-b")
        assert not path.exists()
        assert synced.names(world.home.receipts) == {"other"}


@pytest.mark.sqlite_file
def test_a_commit_to_sqlite_waits_for_the_disk(world: World) -> None:
    with world.open() as ledger, ledger.log.store.write() as connection:
        for pragma, value in (("synchronous", 2), ("journal_mode", "wal"), ("secure_delete", 1)):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value, pragma


def test_a_new_signer_s_folder_and_those_above_it_are_on_disk_with_their_names(
    tmp_path: Path, synced: Synced
) -> None:
    state = tmp_path / "above" / "signer"
    with pytest.raises(SystemExit) as ended:
        cli.main(["ledger", "signer", "--state", str(state), "--init", "--origin", ORIGIN])
    assert not ended.value.code
    for path in [state, *state.iterdir()]:
        assert synced.file(path) or path.name.endswith(".lock"), path
    assert {"last", "signer.pem", "signer.vkey"} <= synced.names(state)
    assert "signer" in synced.names(state.parent)
    assert "above" in synced.names(tmp_path)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_the_folders_above_a_new_home_are_on_disk_too(tmp_path: Path, synced: Synced) -> None:
    create(tmp_path / "srv" / "a" / "city", origin=ORIGIN, purposes=purposes_text(), clock=lambda: START)
    assert "srv" in synced.names(tmp_path)
    assert "a" in synced.names(tmp_path / "srv")
