"""The database under an open ledger is another one of the same size: nothing that mixes the two is written or signed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from consent.errors import LedgerUnavailableError, RefusedToSignError
from tests.consent.ledger_world import OFFER, G
from tests.consent.restored import Backup

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

SIZE = 250
"""A few entries more make the first tile full."""
MORE = [f"more-{i}" for i in range(20)]


def grown(world: World, name: str) -> Backup:
    """The world's database and checkpoint after it has grown to `SIZE` entries with people of its own."""
    with world.open() as ledger:
        ledger.enrol_many(f"{name}-{i}" for i in range(SIZE - ledger.head().size))
        assert ledger.head().size == SIZE
    return Backup(world)


def swap(ledger: Ledger, one: Backup, other: Backup, *, checkpoint: bool) -> None:
    """Let an open ledger append to one database, so that it knows its end, then put the other in its place."""
    ledger.enrol("one more here")
    assert ledger.head().size == SIZE + 1
    other.restore(checkpoint=checkpoint)
    assert one.rows["entry"] != other.rows["entry"]


@pytest.fixture
def two(world: World) -> tuple[Backup, Backup]:
    """Two histories with a common start; the second, which is one entry longer, stands."""
    start = Backup(world)
    one = grown(world, "one")
    start.restore(checkpoint=True)
    grown(world, "two")
    with world.open() as ledger:
        ledger.enrol("one more there")
    two = Backup(world)
    one.restore(checkpoint=True)
    return one, two


def test_a_database_swapped_with_its_checkpoint_goes_on_as_itself(
    world: World, two: tuple[Backup, Backup]
) -> None:
    with world.open() as ledger:
        swap(ledger, *two, checkpoint=True)
        ledger.enrol_many(MORE)
        assert ledger.check() == []
        ledger.record_consent("two-0", OFFER, G)
        world.verify(ledger.consent_receipt("two-0", OFFER))
        assert ledger.number_of("one-0") is None


def test_a_database_swapped_without_its_checkpoint_is_not_signed_and_its_tree_is_its_own(
    world: World, two: tuple[Backup, Backup]
) -> None:
    with world.open() as ledger:
        swap(ledger, *two, checkpoint=False)
        signed = world.home.checkpoint.read_bytes()
        with pytest.raises(RefusedToSignError, match="do not have the root that was signed"):
            ledger.enrol_many(MORE)
        assert world.home.checkpoint.read_bytes() == signed
        # What was recorded is in a tree of that database alone: only the checkpoint is another's.
        assert {fault.table for fault in ledger.check()} == {"checkpoint"}
        two[0].restore(checkpoint=True)
        ledger.enrol_many(MORE)
        assert ledger.check() == []


@pytest.mark.sqlite_file
@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_file_put_in_the_place_of_an_open_database_gets_nothing_of_it(
    world: World, two: tuple[Backup, Backup], tmp_path: Path, *, checkpoint: bool
) -> None:
    two[1].restore()
    with closing(sqlite3.connect(world.home.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(world.home.database, tmp_path / "other.db")
    two[0].restore()
    with world.open() as ledger:
        ledger.enrol("one more here")
        signed = two[1].checkpoint if checkpoint else world.home.checkpoint.read_bytes()
        (tmp_path / "other.db").replace(world.home.database)
        world.home.checkpoint.write_bytes(signed)
        before = world.home.database.read_bytes()
        for attempt in (
            lambda: ledger.enrol_many(MORE),
            ledger.checkpoint,
            lambda: ledger.number_of("one-0"),
        ):
            with pytest.raises(
                LedgerUnavailableError, match="moved away or replaced while it was open"
            ) as caught:
                attempt()
            assert "-wal" in caught.value.hint
        assert world.home.checkpoint.read_bytes() == signed
        assert world.home.database.read_bytes() == before
