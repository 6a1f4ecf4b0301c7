"""No number is given twice after two losses, also in a home whose first refill left nothing outside the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consent import number_floor
from consent.canonical import SLOT_MULTIPLE
from consent.errors import LedgerDamagedError
from consent.opening import open_log
from consent.published_log import FolderFiles
from consent.refill import refill
from consent.vocabulary import UseStatus
from tests.consent.ledger_world import OFFER, G, use_request
from tests.consent.restored import Backup

if TYPE_CHECKING:
    from pathlib import Path

    from tests.consent.ledger_world import World


def fill(world: World, public: Path) -> None:
    """As the command does it: the log alone is opened."""
    log = open_log(world.home, clock=world.clock, read_only=False, clock_confirmed=False, external=None)
    try:
        refill(log, world.home, FolderFiles(public))
        log.checkpoint()
    finally:
        log.store.close()


@pytest.fixture
def backup(world: World, tmp_path: Path) -> Backup:
    """A loss was filled again, by a luvalla that kept where numbers begin in the database only."""
    with world.open() as ledger:
        ledger.enrol("before")
    kept = Backup(world)
    with world.open() as ledger:
        ledger.enrol("lost")
        ledger.publish(tmp_path / "public")
    kept.restore()
    fill(world, tmp_path / "public")
    world.home.number_floor.unlink()
    return kept


def test_opening_for_writing_remembers_what_the_database_knows(
    world: World, backup: Backup, tmp_path: Path
) -> None:
    with world.open(read_only=True):
        assert not world.home.number_floor.exists()
    with world.open() as ledger:
        assert world.home.number_floor.read_text() == f"{SLOT_MULTIPLE}\n"
        given = ledger.enrol("between")
        ledger.publish(tmp_path / "public")
    backup.restore()
    fill(world, tmp_path / "public")
    with world.open() as ledger:
        assert ledger.enrol("after") >= 2 * SLOT_MULTIPLE > given >= SLOT_MULTIPLE
        assert ledger.check() == []


def test_whoever_opens_while_another_process_refills_writes_no_older_number_over_its_newer_one(
    world: World, backup: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Backup(world)
    with world.open() as ledger:
        ledger.enrol("between")
        ledger.publish(tmp_path / "public")
    again.restore()
    world.home.number_floor.unlink()
    real, waiting = number_floor.read, [None]

    def overtaken(path: Path) -> int:
        """The file as it was, and then the other process has its turn."""
        found = real(path)
        if waiting:
            waiting.pop()
            fill(world, tmp_path / "public")
        return found

    monkeypatch.setattr(number_floor, "read", overtaken)
    world.open().close()
    assert not waiting
    assert world.home.number_floor.read_text() == f"{2 * SLOT_MULTIPLE}\n"


def test_a_run_or_an_erasure_tells_where_nothing_remembers(
    world: World, backup: Backup, tmp_path: Path
) -> None:
    with world.open() as ledger:
        ledger.record_consent("between", OFFER, G)
        given = ledger.number_of("between")
        ledger.append_use(use_request(ledger, {"between": UseStatus.USED}))
        ledger.publish(tmp_path / "public")
    world.home.number_floor.unlink()
    backup.restore()
    fill(world, tmp_path / "public")
    with world.open() as ledger:
        assert given is not None
        assert ledger.enrol("after") >= 2 * SLOT_MULTIPLE > given
        assert ledger.erase("after", ground="eu-gdpr:A17-1-b").index is not None
        ledger.publish(tmp_path / "public")
    world.home.number_floor.unlink()
    backup.restore()
    fill(world, tmp_path / "public")
    with world.open() as ledger:
        assert ledger.enrol("at last") >= 3 * SLOT_MULTIPLE


def test_one_loss_costs_no_more_numbers_than_it_must(world: World, tmp_path: Path) -> None:
    kept = Backup(world)
    with world.open() as ledger:
        ledger.record_consent("lost", OFFER, G)
        ledger.append_use(use_request(ledger, {"lost": UseStatus.USED}))
        ledger.erase("lost", ground="eu-gdpr:A17-1-b")
        ledger.publish(tmp_path / "public")
    kept.restore()
    fill(world, tmp_path / "public")
    assert world.home.number_floor.read_text() == f"{SLOT_MULTIPLE}\n"


def test_a_file_that_holds_no_number_is_told(world: World, backup: Backup) -> None:
    world.home.number_floor.write_text("many\n")
    with pytest.raises(LedgerDamagedError, match="does not hold a number"):
        world.open()
    world.home.number_floor.unlink()
    with world.open() as ledger:
        assert ledger.enrol("between") >= SLOT_MULTIPLE
