"""Nobody is erased, and no number given, on the word of a line of the erasure journal that does not verify."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consent.erasure_journal import JournalLine, read_lines, subject_digest
from consent.errors import LedgerDamagedError
from consent.opening import open_log
from consent.published_log import FolderFiles
from consent.refill import refill
from tests.consent.ledger_world import OFFER, G
from tests.consent.restored import Backup, content, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.consent.ledger_world import World

GROUND = "eu-gdpr:A17-1-b"


@pytest.fixture
def backup(world: World, tmp_path: Path) -> Backup:
    """Two people are on record; then one is erased, somebody else comes, and the log is published."""
    with world.open() as ledger:
        for person in ("erased", "stays"):
            ledger.record_consent(person, OFFER, G)
    kept = Backup(world)
    with world.open() as ledger:
        ledger.erase("erased", ground=GROUND)
        ledger.record_consent("later", OFFER, G)
        ledger.publish(tmp_path / "public")
    return kept


def write(world: World, *lines: JournalLine) -> None:
    world.home.erasure_journal.write_bytes(b"".join(line.encode() + b"\n" for line in lines))


def about(world: World, number: int) -> JournalLine:
    """What somebody writes who can read the database and does not have the key: an erasure of a living person."""
    [subject] = [row["subject"] for row in rows(world, "subject") if row["number"] == number]
    [genuine] = read_lines(world.home.erasure_journal)
    return replace(genuine, request=b"r" * 16, number=number, subject=subject_digest(subject), mac=b"m" * 16)


CHANGES: dict[str, Callable[[JournalLine], JournalLine]] = {
    "number": lambda line: replace(line, number=10**9),
    "subject": lambda line: replace(line, subject=line.subject.swapcase()),
    "decision": lambda line: replace(line, decision={**line.decision, "erased": ["use"]}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_refill_refuses_a_changed_line_and_writes_nothing(
    world: World, backup: Backup, tmp_path: Path, change: str, *, dry_run: bool
) -> None:
    [genuine] = read_lines(world.home.erasure_journal)
    write(world, CHANGES[change](genuine))
    backup.restore()
    before = content(world)

    def fill() -> None:
        log = open_log(world.home, clock=world.clock, read_only=False, clock_confirmed=False, external=None)
        try:
            refill(log, world.home, FolderFiles(tmp_path / "public"), dry_run=dry_run)
        finally:
            log.store.close()

    with pytest.raises(LedgerDamagedError, match="line 1 of the erasure journal does not have") as refused:
        fill()
    assert "erasures.journal" in refused.value.hint
    assert content(world) == before
    assert not world.home.number_floor.exists()
    assert refused.value.exit_code == 3
    write(world, genuine)
    fill()
    if not dry_run:
        with world.open() as ledger:
            assert ledger.number_of("erased") is None
            assert ledger.enrol("new") < 10**6
            assert ledger.check() == []


def test_nobody_is_erased_by_a_line_that_somebody_added(world: World, backup: Backup) -> None:
    with world.open(read_only=True) as ledger:
        number = ledger.number_of("stays")
    assert number is not None
    added = about(world, number)
    before = content(world)
    [genuine] = read_lines(world.home.erasure_journal)
    for line in (added, replace(added, mac=None)):
        write(world, genuine, line)
        with pytest.raises(LedgerDamagedError, match="line 2 of the erasure journal"):
            world.open()
        assert content(world) == before
        # Reading goes on, and the check names the line.
        with world.open(read_only=True) as ledger:
            assert ledger.number_of("stays") == number
            assert ("erasures.journal", "2") in {(fault.table, fault.key) for fault in ledger.check()}
    write(world, genuine)
    with world.open() as ledger:
        assert ledger.number_of("stays") == number
        assert ledger.check() == []


def test_lines_of_an_older_luvalla_still_erase_after_a_restore(world: World, backup: Backup) -> None:
    with world.open() as ledger:
        ledger.erase("later", ground=GROUND)
    first, second = read_lines(world.home.erasure_journal)
    write(world, replace(first, mac=None), second)
    backup.restore(checkpoint=True)
    with world.open() as ledger:
        assert ledger.number_of("erased") is None
        assert ledger.number_of("stays") is not None


def test_taking_a_tombstone_out_gives_no_changed_line_a_new_check_value(world: World) -> None:
    with world.open() as ledger:
        ledger.record_consent("away", OFFER, G)
        ledger.erase("away", ground=GROUND, no_return=True)
        [genuine] = read_lines(world.home.erasure_journal)
        write(world, replace(genuine, number=10**9))
        before = world.home.erasure_journal.read_bytes()
        with pytest.raises(LedgerDamagedError, match="line 1"):
            ledger.allow_return("away")
        assert world.home.erasure_journal.read_bytes() == before
        write(world, genuine)
        assert ledger.allow_return("away")
        assert ledger.check() == []
