"""The check reads the log in ranges: where they begin and end changes no answer, and what is known of people is not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import store_raw
from consent.fsck_numbers import BytesByNumber, IndexByNumber, NumberSet
from consent.fsck_ranges import Cursor
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus, RetentionClass, Right
from tests.consent.flips import Rows
from tests.consent.ledger_world import DEVELOPMENT, OFFER, World, make_world
from tests.consent.restored import lose_and_refill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consent.records import Fault

LIMIT = 9
"""Some of the numbers below lie side by side, others are kept apart."""
numbers = st.integers(0, 2 * LIMIT) | st.integers(2**31, 2**32 - 1)
QUICK = ["entry", "payload"]
SLOW = ["detail", "erased_opening", "lost_opening", "consent_event", "limitation", "institutional"]
TABLES = [*QUICK, *(pytest.param(table, marks=pytest.mark.slow) for table in SLOW)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """Every kind of row that belongs to an entry."""
    world = make_world(tmp_path_factory.mktemp("ranges"))
    lose_and_refill(world)
    with world.open() as ledger:
        people = [f"p{i}" for i in range(4)]
        ledger.record_consents([ConsentRequest(p, OFFER, ConsentStatus.GIVEN) for p in people])
        for person in people[:3]:
            digest = "sha256:" + "0" * 64
            ledger.append_act(person, "vote", object_digest=digest, service=None, details={"why": person})
        ledger.record_right("p1", Right.OBJECTION, ground="eu-gdpr:A21", purposes=[DEVELOPMENT])
        ledger.erase("p2", ground="eu-gdpr:A17-1-b")
        ledger.erase("p0", ground="eu-gdpr:A17-1-b", keep=[RetentionClass.EVIDENCE], kept_why="eu-gdpr:A17-3-e")  # fmt: skip
    found = Rows(world)
    yield found
    found.close()


def faults(world: World) -> set[Fault]:
    with world.open(read_only=True) as ledger:
        found = ledger.check()
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("table", TABLES)
def test_the_same_faults_are_found_wherever_ranges_end(
    rows: Rows, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rows.all(table)
    for row in (content[len(content) // 2], content[-1]):
        rows.remove(table, row)
        monkeypatch.undo()
        whole = faults(rows.world)
        assert whole
        for size in (1, 3):
            monkeypatch.setattr(store_raw, "BATCH", size)
            assert faults(rows.world) == whole
        rows.add(table, row)
    assert faults(rows.world) == set()


def test_rows_after_the_last_entry_are_all_named(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    end = max(row["idx"] for row in rows.all("entry")) + 1
    added = [{**rows.all("consent_event")[-1], "idx": end + place} for place in range(5)]
    for row in added:
        rows.add("consent_event", row)
    for size in (2, 2_000):
        monkeypatch.setattr(store_raw, "BATCH", size)
        named = {fault.key for fault in faults(rows.world) if fault.table == "consent_event"}
        assert named == {str(row["idx"]) for row in added}
    for row in added:
        rows.remove("consent_event", row)
    assert faults(rows.world) == set()


def test_without_any_entry_every_row_is_named(rows: Rows) -> None:
    entries = rows.all("entry")
    for row in entries:
        rows.remove("entry", row)
    found = faults(rows.world)
    for table in ("payload", "consent_event", "institutional"):
        every = {str(row["idx"]) for row in rows.all(table)}
        assert {fault.key for fault in found if fault.table == table} >= every
    assert "checkpoint" in {fault.table for fault in found}
    for row in entries:
        rows.add("entry", row)
    assert faults(rows.world) == set()


@given(st.dictionaries(numbers, st.integers(0, 2**53)), st.sets(numbers), st.sets(numbers))
def test_what_is_known_by_number_is_what_a_dict_would_know(
    known: dict[int, int], more: set[int], fewer: set[int]
) -> None:
    index, text, some = IndexByNumber(LIMIT), BytesByNumber(8, LIMIT), NumberSet(LIMIT)
    for number, value in known.items():
        index[number] = value
        some.add(number)
    text.update({number: value.to_bytes(8, "big") for number, value in known.items()})
    first, end = LIMIT - 4, LIMIT + 5
    assert index.part(first, end) == [known.get(number, -1) for number in range(first, end)]
    assert text.part(first, end) == [text.get(number) for number in range(first, end)]
    for number in [*known, *more]:
        assert index.get(number) == known.get(number)
        assert text.get(number) == (known[number].to_bytes(8, "big") if number in known else None)
    assert list(index.numbers) == list(text.numbers) == sorted(known)
    other = some.copy()
    for number in more:
        other.add(number)
    for number in fewer:
        other.discard(number)
    assert list(some) == sorted(known)
    assert list(some.without(other)) == sorted(known.keys() & fewer)
    assert list(other.without(some)) == sorted((more - fewer) - known.keys())
    assert index.setdefault(3, 7) == known.get(3, 7)


def test_bytes_of_another_width_are_kept_as_they_are() -> None:
    text = BytesByNumber(4, LIMIT)
    text.update({2: b"four", 3: b"seven b", LIMIT: b"far"})
    assert [text.get(number) for number in (2, 3, LIMIT)] == [b"four", b"seven b", b"far"]
    assert text.part(2, 4) == [b"four", b"seven b"]
    assert list(text.numbers) == [2, 3, LIMIT]


def test_a_cursor_gives_every_row_once_in_its_range() -> None:
    batches = [[(b"-4",), (b"0",), (b"1",)], [(b"5",), (b"x",)], [(b"9",)]]
    cursor = Cursor(iter(batches))
    assert cursor.until(1) == [(b"-4",), (b"0",)]
    assert cursor.until(1) == []
    assert cursor.until(6) == [(b"1",), (b"5",), (b"x",)]
    assert cursor.until(None) == [(b"9",)]
    assert cursor.until(None) == []
