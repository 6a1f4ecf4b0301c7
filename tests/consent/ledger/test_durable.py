"""What was recorded survives; what does not continue the past is not signed."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from consent.errors import (
    CheckpointConflictError,
    CheckpointStoreError,
    ClockError,
    ConsentError,
    LedgerDamagedError,
    NoteError,
    RefusedToSignError,
)
from consent.records import ConsentRequest
from consent.store_database import database_of
from consent.tlog.external import Disk, FileCheckpointStore
from consent.vocabulary import ConsentStatus, UseStatus
from tests.consent.ledger_world import OFFER, START, use_request

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

S = ConsentStatus


class BadStore:
    """A checkpoint store that fails once: before it wrote, or after."""

    def __init__(self, world: World, *, written: bool) -> None:
        self.real = FileCheckpointStore(world.home.checkpoint)
        self.written = written
        self.armed = True

    def read(self) -> bytes | None:
        return self.real.read()

    def replace(self, expected: bytes | None, new: bytes) -> None:
        if not self.armed:
            self.real.replace(expected, new)
            return
        self.armed = False
        if self.written:
            self.real.replace(expected, new)
        raise CheckpointStoreError("the disk is gone", "try again")

    def sync(self) -> None:
        self.real.sync()


@pytest.mark.parametrize("written", [False, True])
def test_a_failure_between_commit_and_checkpoint_is_made_good_by_a_retry(
    world: World, *, written: bool
) -> None:
    with world.open(external=BadStore(world, written=written)) as ledger:
        with pytest.raises(CheckpointStoreError):
            ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        size = ledger.head().size
        got = ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        assert got.replayed
        assert ledger.head().size == size == ledger.head().checkpoint.size
        assert ledger.check() == []


@pytest.mark.parametrize("written", [False, True])
def test_a_run_s_failure_between_commit_and_checkpoint_is_made_good(world: World, *, written: bool) -> None:
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        use = use_request(ledger, {"a": UseStatus.USED})
    with world.open(external=BadStore(world, written=written)) as ledger:
        with pytest.raises(CheckpointStoreError):
            ledger.append_use(use)
        got = ledger.append_use(use)
        assert got.replayed
        assert got.checkpoint.size > got.index


def test_an_exception_inside_a_transaction_writes_nothing(ledger: Ledger) -> None:
    before = ledger.head()

    def interrupted() -> None:
        with ledger.log.writing() as writing:
            writing.enrol(b"p" * 16)
            writing.write_pending()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ledger.head() == before
    ledger.enrol("a")
    assert ledger.check() == []


def snapshot(world: World, into: Path) -> None:
    with closing(sqlite3.connect(world.home.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(world.home.database, into)


def restore(world: World, source: Path) -> None:
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (world.home.path / name).unlink(missing_ok=True)
    shutil.copy(source, world.home.database)


@pytest.mark.sqlite_file
def test_an_older_restored_database_is_not_signed_and_not_written(world: World, tmp_path: Path) -> None:
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
    snapshot(world, tmp_path / "old.db")
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.WITHDRAWN)
    restore(world, tmp_path / "old.db")
    with world.open() as ledger:
        size = ledger.head().size
        for attempt in (ledger.checkpoint, lambda: ledger.record_consent("b", OFFER, S.GIVEN)):
            with pytest.raises(RefusedToSignError) as caught:
                attempt()
            assert caught.value.exit_code == 3
            assert "restored" in caught.value.hint
        assert ledger.head().size == size
        assert "checkpoint" in {fault.table for fault in ledger.check()}


@pytest.mark.sqlite_file
def test_a_restored_database_that_grew_another_way_is_not_signed(world: World, tmp_path: Path) -> None:
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
    snapshot(world, tmp_path / "old.db")
    old_checkpoint = world.home.checkpoint.read_bytes()
    with world.open() as ledger:
        ledger.record_consent("b", OFFER, S.GIVEN)
    newer = world.home.checkpoint.read_bytes()
    restore(world, tmp_path / "old.db")
    world.home.checkpoint.write_bytes(old_checkpoint)
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(f"c{i}", OFFER, S.GIVEN) for i in range(5)])
    world.home.checkpoint.write_bytes(newer)
    with world.open() as ledger:
        with pytest.raises(RefusedToSignError, match="do not have the root that was signed"):
            ledger.checkpoint()
        with pytest.raises(RefusedToSignError):
            ledger.consent_receipt("a", OFFER)


def test_a_key_that_the_trust_root_does_not_give_signs_nothing(world: World) -> None:
    world.home.log_key.write_bytes(world.home.root_key.read_bytes())
    with world.open() as ledger, pytest.raises(RefusedToSignError, match="trust root"):
        ledger.enrol("a")
    with world.open(read_only=True) as ledger:
        assert ledger.head().checkpoint.size < ledger.head().size


def test_a_checkpoint_that_may_not_be_durable_is_written_again(world: World) -> None:
    class Forgetful(FileCheckpointStore):
        synced: ClassVar[list[bytes]] = []

        def replace(self, expected: bytes | None, new: bytes) -> None:
            super().replace(expected, new)
            if not self.synced:
                self.synced.append(b"failed")
                raise CheckpointStoreError("the folder was not synced", "try again")
            self.synced.append(new)

        def sync(self) -> None:
            super().sync()
            self.synced.append(self.read() or b"")

    with world.open(external=Forgetful(world.home.checkpoint)) as ledger:
        with pytest.raises(CheckpointStoreError):
            ledger.enrol("a")
        for _ in range(2):
            ledger.checkpoint()
            assert Forgetful.synced == [b"failed", world.home.checkpoint.read_bytes()]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_checkpoint_that_a_killed_process_left_unsynced_is_synced_before_anything_rests_on_it(
    world: World, *, read_only: bool
) -> None:
    class Killed(Disk):
        def sync_folder(self, folder: Path) -> None:  # noqa: ARG002 - as a disk has it
            raise SystemExit

    class Failing(Disk):
        failing = True
        synced = 0

        def sync_folder(self, folder: Path) -> None:
            if self.failing:
                raise OSError(5, "Input/output error")
            self.synced += 1
            super().sync_folder(folder)

    killed = FileCheckpointStore(world.home.checkpoint, Killed())
    with world.open(external=killed) as ledger, pytest.raises(SystemExit):
        ledger.record_consent("a", OFFER, S.GIVEN)
    disk = Failing()
    store = FileCheckpointStore(world.home.checkpoint, disk)
    with world.open(external=store, read_only=read_only) as ledger:
        releases = [lambda: ledger.consent_receipt("a", OFFER), lambda: ledger.prove(0)]
        for release in releases if read_only else [*releases, ledger.checkpoint]:
            with pytest.raises(CheckpointStoreError) as caught:
                release()
            assert caught.value.exit_code == 4
        disk.failing = False
        for _ in range(2):
            world.verify(ledger.consent_receipt("a", OFFER))
        assert disk.synced == 1


def test_on_a_read_only_file_system_there_is_nothing_to_sync(world: World) -> None:
    class ReadOnly(Disk):
        def sync_folder(self, folder: Path) -> None:  # noqa: ARG002 - as a disk has it
            raise OSError(30, "Read-only file system")

    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
    store = FileCheckpointStore(world.home.checkpoint, ReadOnly())
    with world.open(external=store, read_only=True) as ledger:
        world.verify(ledger.consent_receipt("a", OFFER))


def test_a_checkpoint_that_another_writer_replaces_while_it_is_written_again_is_no_refusal(
    world: World,
) -> None:
    """Whoever is quicker between reading it and making sure of it has gone on from it."""

    class Overtaken(FileCheckpointStore):
        failed = overtaken = False

        def sync(self) -> None:
            if not self.overtaken:
                self.overtaken = True
                with world.open() as other:
                    other.enrol("b")
            super().sync()

        def replace(self, expected: bytes | None, new: bytes) -> None:
            super().replace(expected, new)
            if not self.failed:
                self.failed = True
                raise CheckpointStoreError("the folder was not synced", "try again")

    store = Overtaken(world.home.checkpoint)
    with world.open(external=store) as ledger:
        with pytest.raises(CheckpointStoreError):
            ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        assert ledger.record_consent("a", OFFER, S.GIVEN, request_id="r").replayed
        assert store.overtaken
        assert ledger.checkpoint().size == ledger.head().size == ledger.head().checkpoint.size
        assert ledger.check() == []


def test_a_missing_checkpoint_is_not_replaced(world: World) -> None:
    world.home.checkpoint.unlink()
    with world.open() as ledger:
        for attempt in (ledger.checkpoint, lambda: ledger.enrol("a")):
            with pytest.raises(RefusedToSignError, match="missing"):
                attempt()


def test_a_checkpoint_of_another_key_is_not_believed(world: World) -> None:
    world.home.checkpoint.write_bytes(world.home.checkpoint.read_bytes().replace(b"4", b"5"))
    with world.open() as ledger, pytest.raises(NoteError):
        ledger.checkpoint()


def test_a_lost_race_for_the_checkpoint_is_run_again(world: World) -> None:
    class Raced(FileCheckpointStore):
        races = 2

        def replace(self, expected: bytes | None, new: bytes) -> None:
            if self.races:
                self.races -= 1
                raise CheckpointConflictError("somebody was quicker", "")
            super().replace(expected, new)

    with world.open(external=Raced(world.home.checkpoint)) as ledger:
        ledger.enrol("a")
        assert ledger.head().checkpoint.size == ledger.head().size


def test_a_clock_behind_or_far_ahead_stops_appending(world: World) -> None:
    with world.open() as ledger:
        ledger.enrol("a")
        world.clock.now = START - timedelta(seconds=5)
        ledger.enrol("b")
        world.clock.now = START - timedelta(seconds=6)
        with pytest.raises(ClockError, match="6 s behind") as caught:
            ledger.enrol("c")
        assert caught.value.exit_code == 4
        world.clock.now = START + timedelta(days=401)
        with pytest.raises(ClockError, match="401 days ahead"):
            ledger.enrol("c")
        assert ledger.number_of("c") is None
        assert ledger.check() == []
    with world.open(clock_confirmed=True) as ledger:
        ledger.enrol("c")


def test_the_time_of_entries_never_goes_back(world: World) -> None:
    with world.open() as ledger:
        first = ledger.record_consent("a", OFFER, S.GIVEN)
        world.clock.now = START - timedelta(seconds=3)
        second = ledger.record_consent("a", OFFER, S.WITHDRAWN)
        assert (first.at, second.at) == (START, START)
        assert next(r for r in ledger.consents("a") if r.purpose.id == OFFER).status is S.WITHDRAWN


def test_two_open_ledgers_write_in_turn(world: World) -> None:
    with world.open() as one, world.open() as two:
        for i in range(10):
            (one if i % 2 else two).record_consent(f"p{i}", OFFER, S.GIVEN)
        assert one.head() == two.head()
        assert one.check() == []


@pytest.mark.sqlite_file
def test_no_error_of_the_driver_leaks(world: World) -> None:
    with world.open() as ledger:
        with closing(sqlite3.connect(world.home.database)) as connection:
            connection.execute("drop table consent_event")
        with pytest.raises(ConsentError):
            ledger.record_consent("a", OFFER, S.GIVEN)


@pytest.mark.sqlite_file
def test_damage_that_sqlite_quotes_in_its_message_is_named(world: World) -> None:
    """The driver decodes the message, and fails at that: a UnicodeDecodeError, no error of SQLite's."""
    with world.open():
        pass
    sound = world.home.database.read_bytes()
    assert sound.count(b"tableentryentry") == 1
    world.home.database.write_bytes(sound.replace(b"tableentryentry", b"table\xacntryentry"))
    with pytest.raises(LedgerDamagedError, match="not UTF-8"), world.open(read_only=True):
        pass


@pytest.mark.sqlite_file
def test_a_ctrl_c_while_a_connection_closes_is_raised_and_not_printed(
    world: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of pytest SQLAlchemy's pool logs it to standard error, with a traceback."""
    with world.open():
        pass
    reader = database_of(world.home, None).reading_engine(read_only=True)
    with reader.connect() as connection:
        raw = connection.connection.dbapi_connection
    assert raw is not None

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    pool, printed = logging.getLogger("sqlalchemy.pool.impl.QueuePool"), logging.StreamHandler()
    pool.addHandler(printed)
    try:
        with monkeypatch.context() as closing_is_interrupted:
            closing_is_interrupted.setattr(reader.dialect, "do_close", interrupted)
            with pytest.raises(KeyboardInterrupt):
                reader.dispose()
    finally:
        pool.removeHandler(printed)
        raw.close()
    assert capfd.readouterr().err == ""
