"""A full disk and a read-only one: the error says so, nothing is half-written, and with room it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from consent.errors import ConsentError, LedgerUnavailableError
from consent.vocabulary import ConsentStatus
from tests.consent import postgresql_server
from tests.consent.ledger_world import OFFER, make_world
from tests.consent.ledger_writers import stored_entries
from tests.consent.second_verifier import mth
from tests.consent.small_disk import SmallDisk, small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

G = ConsentStatus.GIVEN
PAGE = 4_096
MANY = 5_000


def give(ledger: Ledger, number: int) -> Any:
    return ledger.record_consent(f"p{number}", OFFER, G, request_id=f"r{number}")


def give_until_it_fails(ledger: Ledger, first: int) -> tuple[int, ConsentError]:
    for number in range(first, first + MANY):
        try:
            give(ledger, number)
        except ConsentError as error:
            return number, error
    pytest.fail("the disk never got full")


def check_whole(world: World, url: str | None, told: int) -> None:
    """A log without a gap, with its root, and with everybody who was told."""
    with world.open(read_only=True) as ledger:
        bodies = [body for _, body in stored_entries(world, url)]
        assert (ledger.head().size, ledger.head().root) == (len(bodies), mth(bodies))
        assert ledger.head().checkpoint.root == mth(bodies[: ledger.head().checkpoint.size])
        for number in range(told):
            [record] = [r for r in ledger.consents(f"p{number}") if r.purpose.id == OFFER]
            assert record.status is G
        assert ledger.check() == []


def test_a_full_disk_of_sqlite(tmp_path: Path) -> None:
    with small_disk(6) as disk:
        world = make_world(disk.folder)
        number, messages = 0, set()
        # Room for nothing, for some pages of the write-ahead log but no checkpoint after them, and so on.
        for leaving in (0, 1, 3, 8, 9, 10, 11, 12, 13, 40):
            with world.open() as ledger:
                disk.fill(leaving * PAGE)
                failed, error = give_until_it_fails(ledger, number)
                assert error.exit_code == 4
                messages.add(type(error).__name__)
                size = ledger.head().size
                disk.make_room()
                got = give(ledger, failed)
                # Failed, or failed but was written: the retry knows which.
                assert ledger.head().size == size + (0 if got.replayed else 2)
                number = failed + 1
            check_whole(world, None, number)
        assert "LedgerUnavailableError" in messages


def test_the_error_of_a_full_disk_says_so(tmp_path: Path) -> None:
    with small_disk(4) as disk:
        world = make_world(disk.folder)
        with world.open() as ledger:
            disk.fill()
            _, error = give_until_it_fails(ledger, 0)
            assert "full" in error.message or "space" in error.message
            assert "request id" in error.hint or "disk" in error.hint
            assert ledger.check() == []


@pytest.fixture(scope="module")
def disk_of_a_server() -> Iterator[tuple[SmallDisk, postgresql_server.Server]]:
    found = [*postgresql_server.system_binaries(), *postgresql_server.wheel_binaries()]
    if not found:
        (pytest.fail if postgresql_server.required() else pytest.skip)("no PostgreSQL binaries")
    with small_disk(120) as disk:
        server = postgresql_server.Server(
            found[0], fsync=True, disk=disk.folder, max_wal_size="8MB", min_wal_size="2MB", autovacuum="off"
        )
        yield disk, server
        server.close()


@pytest.mark.parametrize("leaving", [0, 2, 20])
def test_a_full_disk_of_postgresql(
    tmp_path: Path, disk_of_a_server: tuple[SmallDisk, postgresql_server.Server], leaving: int
) -> None:
    disk, server = disk_of_a_server
    url = server.new_database()
    world = make_world(tmp_path, database=url)
    with world.open() as ledger:
        give(ledger, 0)
        disk.fill(leaving * 2 * PAGE)
        failed, error = give_until_it_fails(ledger, 1)
        assert error.exit_code == 4
        assert "full" in error.message or "lost" in error.message or "starting" in error.message
        assert "request id" in error.hint or "again" in error.hint
        disk.make_room()
        server.restart_if_stopped()
        got = give(ledger, failed)
        assert got.index < ledger.head().checkpoint.size
    check_whole(world, url, failed + 1)


def use_up_the_write_ahead_log(url: str) -> None:
    """Each statement goes to a new segment of the log; without room for one the server ends itself."""
    with psycopg.connect(url, autocommit=True) as administrator:
        for _ in range(100):
            administrator.execute("SELECT pg_switch_wal(), pg_logical_emit_message(false, 'x', 'x')")


def test_a_disk_too_full_for_the_write_ahead_log_stops_postgresql_and_loses_nothing(
    tmp_path: Path, disk_of_a_server: tuple[SmallDisk, postgresql_server.Server]
) -> None:
    disk, server = disk_of_a_server
    url = server.new_database()
    world = make_world(tmp_path, database=url)
    with world.open() as ledger:
        give(ledger, 0)
        disk.fill()
        with pytest.raises(psycopg.Error):
            use_up_the_write_ahead_log(server.url("postgres"))
        with pytest.raises(LedgerUnavailableError) as caught:
            give(ledger, 1)
        assert caught.value.exit_code == 4
        disk.make_room()
        server.restart_if_stopped()
        give(ledger, 1)
    check_whole(world, url, 2)


@pytest.mark.sqlite_file
def test_read_only_media_are_opened_with_a_warning(tmp_path: Path) -> None:
    with small_disk(8) as disk:
        world = make_world(disk.folder)
        with world.open() as ledger:
            give(ledger, 0)
            assert ledger.warnings == ()
        disk.remount("ro")
        with world.open() as ledger:
            [warning] = ledger.warnings
            assert "read-only media" in warning
            assert next(r for r in ledger.consents("p0") if r.purpose.id == OFFER).status is G
            assert world.verify(ledger.consent_receipt("p0", OFFER)).consent.status == "given"
            assert ledger.check() == []
            with pytest.raises(LedgerUnavailableError, match="read-only") as caught:
                give(ledger, 1)
            assert caught.value.exit_code == 4
        disk.remount("rw")
        with world.open() as ledger:
            assert ledger.warnings == ()
            give(ledger, 1)
        check_whole(world, None, 2)
