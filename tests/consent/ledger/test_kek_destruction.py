"""Old backups end on the day that receipts of erasures give: then the key is destroyed, and not while anything needs it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from consent import kek_rotation, key_ring
from consent.errors import KeyMissingError, LedgerUnavailableError
from consent.home import Home
from consent.keys import Vault
from consent.receipt import open_payload
from consent.store import consent_event
from consent.vocabulary import RetentionClass
from tests.consent.ledger_world import OFFER, START, World
from tests.consent.restored import Backup
from tests.consent.wrapped_keys import GROUND, PEOPLE, S, all_opens, record_run, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger


@pytest.fixture
def run(ledger: Ledger) -> bytes:
    return record_run(ledger)


def test_a_backup_put_back_in_place_opens_until_its_key_s_day_and_never_after(
    ledger: Ledger, world: World, run: bytes
) -> None:
    index = ledger.record_consent("gone", OFFER, S.WITHDRAWN).index
    backup = Backup(world)
    receipt = ledger.erase("gone", ground=GROUND)
    world.clock.forward(days=15)
    kek_rotation.rotate(ledger.log, world.home)
    newer = Backup(world)

    def put_back() -> Ledger:
        backup.restore()
        # Read only: opened for writing, the journal would erase the person again.
        return world.open(read_only=True)

    with put_back() as old, old.log.store.read() as connection:
        assert b"withdrawn" in open_payload(old.log, connection, index)[2]
    newer.restore()
    world.clock.now = datetime.combine(receipt.backups_unreadable_by, START.time(), UTC)
    assert len(kek_rotation.destroy_expired(ledger.log, world.home)) == 1
    with put_back() as old:
        with old.log.store.read() as connection, pytest.raises(KeyMissingError):
            open_payload(old.log, connection, index)
        with pytest.raises(KeyMissingError):
            old.values("gone", run)
    newer.restore()
    all_opens(ledger, world, run, PEOPLE[1:])


@pytest.mark.parametrize("written", [False, True])
def test_a_destruction_killed_in_the_middle_is_completed_by_the_same_call(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    kek_rotation.rotate(ledger.log, world.home)
    world.clock.forward(days=15)
    real = key_ring.destroy_file

    def killed(path: Path) -> None:
        if written:
            real(path)
        raise KeyboardInterrupt

    monkeypatch.setattr(key_ring, "destroy_file", killed)
    with pytest.raises(KeyboardInterrupt):
        kek_rotation.destroy_expired(ledger.log, world.home)
    monkeypatch.undo()
    with world.open() as again:
        all_opens(again, world, run, PEOPLE)
        [gone] = kek_rotation.destroy_expired(again.log, world.home)
        assert not (world.home.keys / gone.file).exists()
        all_opens(again, world, run, PEOPLE)


@pytest.mark.parametrize("at", range(6))
def test_a_destruction_killed_inside_a_key_s_file_leaves_a_home_that_opens(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    kek_rotation.rotate(ledger.log, world.home)
    world.clock.forward(days=15)
    secret = world.home.key_encryption_key.read_bytes()
    left = at

    def killing(module: object, name: str) -> None:
        real = getattr(module, name)

        def call(*args: object, **words: object) -> object:
            nonlocal left
            if any(str(each).endswith(("keys/kek", ".destroyed")) for each in args) or name == "write":
                left -= 1
                if left == -1:
                    raise KeyboardInterrupt
            return real(*args, **words)

        monkeypatch.setattr(module, name, call)

    killing(key_ring.os, "open")
    killing(key_ring.os, "write")
    for name in ("replace", "unlink"):
        killing(type(world.home.keys), name)
    try:
        kek_rotation.destroy_expired(ledger.log, world.home)
    except KeyboardInterrupt:
        killed = True
    else:
        killed = False
    monkeypatch.undo()
    assert killed is (at < 4)  # rename, open, write, unlink
    with world.open() as again:
        all_opens(again, world, run, PEOPLE)
        kek_rotation.destroy_expired(again.log, world.home)
        all_opens(again, world, run, PEOPLE)
    names = {path.name for path in world.home.keys.iterdir() if "kek" in path.name}
    assert names == {key_ring.load(world.home).current.file, "keks.json"}
    assert all(path.read_bytes() != secret for path in world.home.keys.iterdir())


def test_an_old_key_is_not_destroyed_while_anything_needs_it(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Vault(world.home.key_encryption_key.read_bytes(), ledger.origin)
    kek_rotation.rotate(ledger.log, world.home)
    world.clock.forward(days=15)
    keys = wrapped(ledger)
    code, number = min(keys)
    retention = RetentionClass.from_code(code)
    plain = ledger.log.vault.unwrap(number, retention, keys[code, number])
    with ledger.log.store.write() as connection:
        kek_rotation.store_keks.replace_wrapped(
            connection, [(code, number, old.wrap(number, retention, plain))]
        )
    [fault] = ledger.check()
    assert (fault.table, "rotate-kek" in fault.what) == ("subject_key", True)
    with monkeypatch.context() as patch:
        patch.setattr(kek_rotation, "finish", lambda *_: 0)
        with pytest.raises(LedgerUnavailableError, match="1 keys"):
            kek_rotation.destroy_expired(ledger.log, world.home)
    assert world.home.key_encryption_key.exists()
    # Whole, the command wraps it anew first.
    assert len(kek_rotation.destroy_expired(ledger.log, world.home)) == 1
    all_opens(ledger, world, run, PEOPLE)


@pytest.mark.sqlite_file
def test_a_backup_from_before_opens_until_its_key_s_day_and_never_after(
    ledger: Ledger, world: World, run: bytes, tmp_path: Path
) -> None:
    """The backup is put back as a home of its own, with all keys and files that are still there."""
    index = ledger.record_consent("gone", OFFER, S.WITHDRAWN).index
    number = ledger.number_of("gone")
    ledger.reclaim()
    shutil.copy(world.home.database, tmp_path / "backup.db")
    receipt = ledger.erase("gone", ground=GROUND)
    world.clock.forward(days=15)
    kek_rotation.rotate(ledger.log, world.home)
    ledger.reclaim()

    def restored(name: str) -> Ledger:
        home = Home(tmp_path / name)
        shutil.copytree(world.home.path, home.path, ignore=shutil.ignore_patterns("ledger.db*"))
        shutil.copy(tmp_path / "backup.db", home.database)
        # Read only: opened for writing, the journal would erase the person again.
        return World(home, world.clock).open(read_only=True)

    with restored("in-time") as backup, backup.log.store.read() as connection:
        assert b"withdrawn" in open_payload(backup.log, connection, index)[2]
        assert backup.values("gone", run) == b'{"a":1}'
    world.clock.now = datetime.combine(receipt.backups_unreadable_by, START.time(), UTC)
    assert len(kek_rotation.destroy_expired(ledger.log, world.home)) == 1
    with restored("late") as backup:
        with backup.log.store.read() as connection, pytest.raises(KeyMissingError):
            open_payload(backup.log, connection, index)
        with pytest.raises(KeyMissingError):
            backup.values("gone", run)
        with pytest.raises(KeyMissingError):
            backup.values("p1", run)
        # What a forgotten backup still shows, as docs/ledger/erasure.md says: projections, by number alone.
        with backup.log.store.read() as connection:
            numbers = set(connection.scalars(select(consent_event.c.number)))
        assert number in numbers
        for ask in (backup.consents, backup.uses, backup.number_of):
            with pytest.raises(KeyMissingError):
                ask("gone")
    all_opens(ledger, world, run, PEOPLE[1:])
