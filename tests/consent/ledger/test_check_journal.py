"""The check of the erasure journal: a line that was changed or added by somebody without the key is named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consent.erasure_journal import JournalLine, read_lines
from tests.consent.ledger_world import OFFER, G

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

GROUND = "eu-gdpr:A17-1-b"
PLAIN, STAYS_AWAY, RETURNED = range(3)


@pytest.fixture
def lines(ledger: Ledger, world: World) -> list[JournalLine]:
    """Somebody erased, somebody who asked not to be asked again, and somebody who took that back."""
    for person in ("plain", "away", "returned"):
        ledger.record_consent(person, OFFER, G)
        ledger.erase(person, ground=GROUND, no_return=person != "plain")
    assert ledger.allow_return("returned")
    assert ledger.check() == []
    return read_lines(world.home.erasure_journal)


def write(world: World, lines: list[JournalLine]) -> None:
    world.home.erasure_journal.write_bytes(b"".join(line.encode() + b"\n" for line in lines))


def named(ledger: Ledger) -> set[str]:
    faults = ledger.check()
    assert {fault.table for fault in faults} <= {"erasures.journal"}
    return {fault.key for fault in faults}


CHANGES: list[tuple[int, Callable[[JournalLine], JournalLine]]] = [
    (STAYS_AWAY, lambda line: replace(line, no_return=b"o" * 16)),
    (PLAIN, lambda line: replace(line, no_return=b"o" * 16)),
    (RETURNED, lambda line: replace(line, no_return=b"o" * 16)),
    (RETURNED, lambda line: replace(line, readmitted=b"o" * 16)),
    (PLAIN, lambda line: replace(line, number=line.number ^ 1)),
    (PLAIN, lambda line: replace(line, at="2026-11-24T08:00:01Z")),
    (PLAIN, lambda line: replace(line, subject=line.subject.swapcase())),
    (PLAIN, lambda line: replace(line, unreadable_by="2027-11-24")),
    (PLAIN, lambda line: replace(line, decision={**line.decision, "erased": ["use"]})),
    (STAYS_AWAY, lambda line: replace(line, mac=b"o" * 16)),
    (STAYS_AWAY, lambda line: replace(line, mac=None)),
]


@pytest.mark.parametrize("change", range(len(CHANGES)))
def test_a_changed_line_is_named(ledger: Ledger, world: World, lines: list[JournalLine], change: int) -> None:
    place, how = CHANGES[change]
    write(world, [how(line) if each == place else line for each, line in enumerate(lines)])
    assert str(place + 1) in named(ledger)
    write(world, lines)
    assert ledger.check() == []


def test_an_added_line_is_named(ledger: Ledger, world: World, lines: list[JournalLine]) -> None:
    # The same erasure a second time, with a tombstone of somebody who never asked for it.
    write(world, [*lines, replace(lines[PLAIN], no_return=b"o" * 16)])
    assert "4" in named(ledger)
    write(world, [*lines, replace(lines[PLAIN], no_return=b"o" * 16, mac=None)])
    assert "4" in named(ledger)


def test_no_check_value_at_all_is_told_where_there_had_been_a_tombstone(
    ledger: Ledger, world: World, lines: list[JournalLine]
) -> None:
    bare = [replace(line, mac=None) for line in lines]
    write(world, bare)
    assert len(ledger.check()) == 2
    # And a tombstone that nobody asked for is told without any check value.
    write(world, [replace(bare[PLAIN], no_return=b"o" * 16), *bare[1:]])
    assert len(ledger.check()) == 3


def test_lines_of_an_older_luvalla_are_no_fault(ledger: Ledger, world: World) -> None:
    ledger.record_consent("first", OFFER, G)
    ledger.erase("first", ground=GROUND)
    [line] = read_lines(world.home.erasure_journal)
    write(world, [replace(line, mac=None)])
    ledger.record_consent("second", OFFER, G)
    ledger.erase("second", ground=GROUND, no_return=True)
    assert [each.mac is None for each in read_lines(world.home.erasure_journal)] == [True, False]
    assert ledger.check() == []
