"""The key-encryption key is replaced, and everything opens with the new one, wherever a rotation was killed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consent import kek_rotation, key_ring, store_people
from consent.errors import LedgerUnavailableError
from consent.kek_command import rotate_kek
from consent.keys import Vault
from consent.vocabulary import RetentionClass
from tests.consent.ledger_world import OFFER, START, World
from tests.consent.sealed import opened
from tests.consent.wrapped_keys import GROUND, PEOPLE, S, all_opens, record_run, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.ledger import Ledger


@pytest.fixture
def run(ledger: Ledger) -> bytes:
    return record_run(ledger)


def test_every_key_is_wrapped_anew_and_everything_opens(ledger: Ledger, world: World, run: bytes) -> None:
    before, old = wrapped(ledger), ledger.log.keks.ring.current
    world.clock.forward(days=10)
    done = kek_rotation.rotate(ledger.log, world.home)
    assert done.rewrapped == len(before) + len(PEOPLE) + 2  # with staff's pseudonym, and the run's secret
    assert done.new is not None
    assert done.new.id != old.id
    now = wrapped(ledger)
    assert now.keys() == before.keys()
    assert not set(now.values()) & set(before.values())
    all_opens(ledger, world, run, PEOPLE)
    # The new key alone opens everything: the old one is only for backups.
    alone = Vault((world.home.keys / done.new.file).read_bytes(), ledger.origin)
    for (code, number), key in now.items():
        alone.unwrap(number, RetentionClass.from_code(code), key)
    assert (world.home.keys / old.file).exists()
    again = kek_rotation.rotate(ledger.log, world.home)
    assert again.new is not None
    assert len(again.retired) == 2
    all_opens(ledger, world, run, PEOPLE)


def test_whoever_has_the_ledger_open_goes_on_with_the_new_key(
    ledger: Ledger, world: World, run: bytes
) -> None:
    with world.open() as other:
        kek_rotation.rotate(other.log, world.home)
    all_opens(ledger, world, run, PEOPLE)
    ledger.record_consent("new", OFFER, S.GIVEN)
    with world.open() as other:
        other.record_consent("newer", OFFER, S.GIVEN)
        kek_rotation.rotate(other.log, world.home)
        assert other.consents("new")[0].status is not None
        assert other.check() == []
    # One that only reads, and began before.
    assert ledger.consent_receipt("newer", OFFER)
    assert kek_rotation.finish(ledger.log, world.home) == 0


STEPS = [
    "key_ring.new_or_begun_key",
    "key_ring.save",
    "store_keks.replace_wrapped",
    "store_keks.replace_pseudonyms",
    "store_keks.replace_secret",
]


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("step", [*STEPS, "last save"])
def test_a_rotation_killed_at_any_step_is_completed_by_the_same_call(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch, step: str, *, written: bool
) -> None:
    module, name = ("key_ring", "save") if step == "last save" else step.split(".")
    target = getattr(kek_rotation, module)
    real: Callable = getattr(target, name)
    calls = []
    known = opened(ledger)
    assert len(known) == len(PEOPLE) + 1

    def killed(*args: object) -> object:
        calls.append(args)
        if step == "last save" and len(calls) == 1:
            return real(*args)
        if written:
            real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(kek_rotation, "BATCH", 5)
    monkeypatch.setattr(target, name, killed)
    with pytest.raises(KeyboardInterrupt):
        kek_rotation.rotate(ledger.log, world.home)
    monkeypatch.setattr(target, name, real)
    assert calls
    # Between the two calls everything works, for whoever had the ledger open and whoever opens it.
    for each in (ledger, world.open()):
        all_opens(each, world, run, PEOPLE)
        assert opened(each) == known
        each.record_consent("p1", OFFER, S.WITHDRAWN)
        each.record_consent("p1", OFFER, S.GIVEN)
    each.close()
    with world.open() as again:
        done = kek_rotation.rotate(again.log, world.home)
        ring = key_ring.load(world.home)
        assert ring.unfinished == ()
        assert len([kek for kek in ring.keks if kek.destroyed is None]) == 2 + (
            step == "last save" and written
        )
        assert done.retired[-1].rewrapped is not None
        current = Vault((world.home.keys / ring.current.file).read_bytes(), again.origin)
        for (code, number), key in wrapped(again).items():
            current.unwrap(number, RetentionClass.from_code(code), key)
        assert opened(again) == known
        with again.log.store.read() as connection:
            assert store_people.keks_of_pseudonyms(connection) == [current.column_key().name]
        all_opens(again, world, run, PEOPLE)
        files = {path.name for path in world.home.keys.glob("kek*")} - {"keks.json"}
        assert files == {kek.file for kek in ring.keks}


def test_a_key_file_cut_off_while_it_was_made_is_no_key(ledger: Ledger, world: World, run: bytes) -> None:
    (world.home.keys / "kek-0123").write_bytes(b"short")
    kek_rotation.rotate(ledger.log, world.home)
    assert not (world.home.keys / "kek-0123").exists()
    all_opens(ledger, world, run, PEOPLE)


def test_the_receipt_s_date_is_the_day_on_which_the_key_is_destroyed(
    ledger: Ledger, world: World, run: bytes
) -> None:
    world.clock.forward(days=3)
    receipt = ledger.erase("gone", ground=GROUND)
    assert receipt.backups_unreadable_by == (START + timedelta(days=30)).date()
    world.clock.forward(days=12)  # the 15th day: the key's turn
    kek_rotation.rotate(ledger.log, world.home)
    [old] = key_ring.load(world.home).retired
    assert old.destroy_by == receipt.backups_unreadable_by
    assert kek_rotation.destroy_expired(ledger.log, world.home) == ()
    world.clock.forward(days=14)
    assert kek_rotation.destroy_expired(ledger.log, world.home) == ()
    assert ledger.check() == []
    world.clock.forward(days=1)
    [gone] = kek_rotation.destroy_expired(ledger.log, world.home)
    assert gone.destroyed.date() == receipt.backups_unreadable_by
    assert not (world.home.keys / gone.file).exists()
    all_opens(ledger, world, run, PEOPLE[1:])
    with world.open() as again:
        all_opens(again, world, run, PEOPLE[1:])


def test_a_late_rotation_keeps_what_receipts_say_and_an_early_one_is_early(
    ledger: Ledger, world: World, run: bytes
) -> None:
    world.clock.forward(days=2)
    kek_rotation.rotate(ledger.log, world.home)
    [early] = key_ring.load(world.home).retired
    assert early.destroy_by == (START + timedelta(days=17)).date()
    world.clock.forward(days=1)
    promised = ledger.erase("gone", ground=GROUND).backups_unreadable_by
    assert promised == (START + timedelta(days=32)).date()
    world.clock.forward(days=25)  # day 28: 11 days late, and only 4 are left until the day that was promised
    late = ledger.erase("p0", ground=GROUND).backups_unreadable_by
    assert late == (START + timedelta(days=28 + 15)).date()
    kek_rotation.rotate(ledger.log, world.home)
    assert key_ring.load(world.home).retired[-1].destroy_by == promised
    kek_rotation.destroy_expired(ledger.log, world.home)
    assert ledger.check() == []


@pytest.mark.parametrize("rotated", [False, True])
def test_the_check_says_when_a_promised_day_went_by(
    ledger: Ledger, world: World, run: bytes, *, rotated: bool
) -> None:
    ledger.erase("gone", ground=GROUND)
    if rotated:
        world.clock.forward(days=15)
        kek_rotation.rotate(ledger.log, world.home)
    world.clock.now = START + timedelta(days=30)
    assert ledger.check() == []
    world.clock.forward(days=1)
    assert {fault.table for fault in ledger.check()} == {"keks"}
    kek_rotation.rotate(ledger.log, world.home)
    kek_rotation.destroy_expired(ledger.log, world.home)
    assert ledger.check() == []


def test_a_key_that_another_rotation_is_just_making_is_not_taken_for_one_cut_off(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = key_ring.new_key_file
    called = []

    def slow(path: Path) -> bytes:
        # Its file is there and empty when somebody else calls the same.
        monkeypatch.setattr(key_ring, "new_key_file", real)
        path.touch(mode=0o600)
        with world.open() as other:
            other.log.store.write = refused  # type: ignore[method-assign]
            with pytest.raises(LedgerUnavailableError):
                kek_rotation.rotate(other.log, world.home)
        called.append(path)
        assert path.exists()
        path.unlink()
        return real(path)

    def refused() -> object:
        raise LedgerUnavailableError("locked by another process", "")

    monkeypatch.setattr(key_ring, "new_key_file", slow)
    kek_rotation.rotate(ledger.log, world.home)
    assert called
    all_opens(ledger, world, run, PEOPLE)


def test_a_key_that_was_begun_is_on_disk_before_anything_is_wrapped_by_it(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = world.home.keys / "kek-0123456789abcdef"
    begun.touch(mode=0o600)
    begun.write_bytes(b"k" * 32)
    synced = []
    real = key_ring.os.fsync
    monkeypatch.setattr(
        key_ring.os, "fsync", lambda handle: (synced.append(key_ring.os.fstat(handle).st_ino), real(handle))
    )
    done = kek_rotation.rotate(ledger.log, world.home)
    assert done.new.file == begun.name
    assert begun.stat().st_ino in synced[: synced.index(world.home.key_ring.stat().st_ino)]


def test_a_home_from_before_the_list_of_keys_is_rotated_too(ledger: Ledger, world: World, run: bytes) -> None:
    world.home.key_ring.unlink()
    with world.open() as old:
        world.clock.forward(days=3)
        receipt = old.erase("gone", ground=GROUND)
        assert receipt.backups_unreadable_by == (START + timedelta(days=33)).date()
        world.clock.forward(days=20)
        kek_rotation.rotate(old.log, world.home)
        assert key_ring.load(world.home).retired[0].destroy_by == receipt.backups_unreadable_by
        all_opens(old, world, run, PEOPLE[1:])


def test_the_command_replaces_when_due_and_destroys_on_the_day(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*words: str, days: int) -> dict:
        world.clock.now = START + timedelta(days=days)
        monkeypatch.setattr("consent.kek_command.open_ledger", world.open)
        done = CliRunner().invoke(rotate_kek, [*words, "--json"], obj={"home": world.home.path})
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    nightly = ("--if-due", "--destroy-expired")
    assert call(*nightly, days=14)["new"] is None
    assert call(*nightly, "--dry-run", days=15)["would_rotate"]
    assert [each["state"] for each in call("--dry-run", days=15)["keys"]] == ["wraps"]
    first = call(*nightly, days=15)
    assert first["new"] is not None
    assert [each["state"] for each in first["keys"]] == ["kept for backups", "wraps"]
    assert call(*nightly, days=16)["new"] is None
    second = call(*nightly, days=30)
    assert second["destroyed"] == ["kek"]
    assert [each["state"] for each in second["keys"]] == ["destroyed", "kept for backups", "wraps"]
    assert date.fromisoformat(second["keys"][1]["destroy_by"]) == (START + timedelta(days=45)).date()
    all_opens(ledger, world, run, PEOPLE)
