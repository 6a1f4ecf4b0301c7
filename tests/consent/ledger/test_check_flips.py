"""Each byte of each column, each deleted and each added row: the check names the table and the key of every one."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Integer, delete, insert, update
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from consent import fsck, store
from consent.errors import ConsentError
from consent.fsck_findings import Findings
from consent.records import ConsentRequest
from consent.store import SCHEMA_VERSION, metadata
from consent.use_values import CHUNK
from consent.vocabulary import ConsentStatus, RetentionClass, Right, UseStatus
from tests.consent.flips import TABLES, Row, Rows, flipped, steps
from tests.consent.ledger_world import DEVELOPMENT, OFFER, World, use_request
from tests.consent.restored import lose_and_refill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.ledger import Ledger
    from consent.records import Fault

S = ConsentStatus
OF_RUNS = [table for table in TABLES if table.startswith("use_")]
NOT_OF_RUNS = [table for table in TABLES if table not in [*OF_RUNS, "tile"]]
QUICK = {"payload", "subject"}
"""Tables whose flips every `make test` tries; all others are tried with the slow tests."""


def _some_slow(tables: list[str]) -> list[Any]:
    return [table if table in QUICK else pytest.param(table, marks=pytest.mark.slow) for table in tables]


def _plain(world: World) -> None:
    """Every kind of content but runs and a full tile: a check takes some milliseconds."""
    lose_and_refill(world)
    with world.open() as ledger:
        people = [f"p{i}" for i in range(8)]
        ledger.record_consents([ConsentRequest(p, OFFER, S.GIVEN, request_id=p) for p in people])
        ledger.record_consent("p0", DEVELOPMENT, S.REFUSED)
        ledger.record_consent("p7", OFFER, S.WITHDRAWN, request_id="w")
        digest = "sha256:" + "0" * 64
        ledger.append_act("m", "vote", object_digest=digest, service=None, details={"why": "because"})
        ledger.append_act("p5", "vote", object_digest=digest, service=None, details={"why": "kept"})
        ledger.record_right("p3", Right.OBJECTION, ground="eu-gdpr:A21", purposes=[DEVELOPMENT])
        ledger.record_right("p4", Right.RESTRICTION, ground="eu-gdpr:A18", purposes=[])
        ledger.erase("p1", ground="eu-gdpr:A17-1-b", request_id="e")
        ledger.erase("p2", ground="eu-gdpr:A17-1-b")
        ledger.erase(
            "p5", ground="eu-gdpr:A17-1-b", keep=[RetentionClass.EVIDENCE], kept_why="eu-gdpr:A17-3-e"
        )


def _with_a_tile(world: World) -> None:
    """Entries enough for one full tile."""
    with world.open() as ledger:
        ledger.enrol_many(f"p{i}" for i in range(130))
        ledger.record_consents(ConsentRequest(f"p{i}", OFFER, S.GIVEN) for i in range(130))


def _with_runs(world: World) -> None:
    """Runs with kept values, without, and with values past their time; people erased after them."""
    with world.open() as ledger:
        people = [f"p{i}" for i in range(8)]
        ledger.record_consents([ConsentRequest(p, OFFER, S.GIVEN, request_id=p) for p in people])
        used = dict.fromkeys(people, UseStatus.USED)
        values = [b"1"] * len(people)
        ledger.append_use(use_request(ledger, used, values=values, explanation={"text": "how"}))
        world.clock.forward(days=31)
        ledger.adopt_purposes(world.home.purposes.read_text(encoding="utf-8"))
        assert ledger.purge_values() == len(people)
        ledger.append_use(use_request(ledger, used, values=values, explanation={"text": "how"}))
        ledger.append_use(use_request(ledger, {"p2": UseStatus.USED}))
        ledger.erase("p1", ground="eu-gdpr:A17-1-b")


@pytest.fixture
def plain(world: World) -> Iterator[Rows]:
    yield from _rows(world, _plain)


@pytest.fixture
def tile(world: World) -> Iterator[Rows]:
    yield from _rows(world, _with_a_tile)


@pytest.fixture
def runs(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    # A run's tree has slots for 65,536 numbers, and a check computes them all: here for fewer.
    for module in ("consent.canonical", "consent.numbers", "consent.store_people", "consent.shapes"):
        monkeypatch.setattr(f"{module}.SLOT_MULTIPLE", 2 * CHUNK)
    yield from _rows(world, _with_runs)


def _rows(world: World, fill: Any) -> Iterator[Rows]:
    fill(world)
    rows = Rows(world)
    try:
        assert faults(rows) == []
        yield rows
    finally:
        rows.close()


def faults(rows: Rows) -> list[Fault]:
    with rows.world.open(read_only=True) as ledger:
        return ledger.check()


def unseen(rows: Rows, table: str, *, all_of_them: bool, seed: int = 1) -> set[str]:
    """Flip every column, all its rows at once; what the check does not name with its table and key."""
    chance = random.Random(seed)  # noqa: S311 - which flips are sampled
    content = rows.all(table)
    found = set()
    with rows.world.open(read_only=True) as ledger:
        for column in metadata.tables[table].columns:
            count = steps(column, content)
            chosen = range(count) if all_of_them else sorted({0, chance.randrange(count), count - 1})
            # A changed key can be another row's: of those only two go, where they are free.
            group = _ends(content) if _is_key(table, column) else content
            if all_of_them and rows.postgresql and isinstance(column.type, Integer):
                # Every bit, but of one row each: SQLite's rows have them all flipped.
                chosen = range(0, count, len(group))
                spread = list(enumerate(group))
            else:
                spread = [(0, row) for row in group]
            for step in chosen:
                changes = [
                    change
                    for more, row in spread
                    if step + more < count
                    for change in _changes(table, column, [row], content, step + more)
                ]
                if column.unique:  # Two rows that both hold NULL would be given the same value.
                    changes = list({new[column.name]: (row, new) for row, new in changes}.values())
                if changes:
                    found |= _not_named(rows, ledger, table, changes)
    assert faults(rows) == []
    return {f"{table}.{name}" for name in found}


def _ends(content: list[Row]) -> list[Row]:
    return content[:1] + content[1:][-1:]


def _is_key(table: str, column: Any) -> bool:
    return column.primary_key or bool(column.unique)


def _changes(
    table: str, column: Any, group: list[Row], content: list[Row], step: int
) -> list[tuple[Row, Row]]:
    keys = metadata.tables[table].primary_key.columns.keys()
    changes = []
    for row in group:
        value = flipped(column, row[column.name], step)
        new = {**row, column.name: value}
        others = [other for other in content if other is not row]
        taken = any(all(new[key] == other[key] for key in keys) for other in others)
        taken |= bool(column.unique) and any(value == other[column.name] for other in others)
        if value is not None and not taken:
            changes.append((row, {column.name: value}))
    return changes


def _not_named(rows: Rows, ledger: Ledger, table: str, changes: list[tuple[Row, Row]]) -> set[str]:
    rows.change(table, changes)
    named = {(fault.table, fault.key) for fault in ledger.check()}
    rows.restore(table, changes)
    return {
        name
        for row, new in changes
        for name in new
        if not {(table, rows.key(table, row)), (table, rows.key(table, {**row, **new}))} & named
    }


@pytest.mark.parametrize("table", _some_slow(NOT_OF_RUNS))
def test_a_flipped_bit_is_named_with_its_table_and_key(plain: Rows, table: str) -> None:
    assert unseen(plain, table, all_of_them=False) == set()


@pytest.mark.parametrize("table", _some_slow(OF_RUNS))
def test_a_flipped_bit_of_a_run_is_named_with_its_table_and_key(runs: Rows, table: str) -> None:
    assert unseen(runs, table, all_of_them=False) == set()


@pytest.mark.slow
def test_a_flipped_bit_of_a_tile_is_named(tile: Rows) -> None:
    assert unseen(tile, "tile", all_of_them=False) == set()
    assert _rows_not_named(tile, "tile") == set()


@pytest.mark.slow
@pytest.mark.parametrize("table", NOT_OF_RUNS)
def test_every_flipped_bit_is_named(plain: Rows, table: str) -> None:
    assert unseen(plain, table, all_of_them=True) == set()


@pytest.mark.slow
@pytest.mark.parametrize("table", OF_RUNS)
def test_every_flipped_bit_of_a_run_is_named(runs: Rows, table: str) -> None:
    assert unseen(runs, table, all_of_them=True) == set()


@pytest.mark.slow
def test_every_flipped_byte_of_a_tile_is_named(tile: Rows) -> None:
    """Its 8,192 bytes by the part of the check that reads tiles, in one transaction that is taken back."""
    [row] = tile.all("tile")
    with tile.world.open(read_only=True) as ledger, tile.engine.connect() as connection:
        log = ledger.log
        content = fsck.read_log(connection, Findings(), log.pseudonym_key)
        for column in ("hashes", "root"):
            for place in range(len(row[column])):
                changed = bytearray(row[column])
                changed[place] ^= 1 << place % 8
                connection.execute(update(store.tile).values({column: bytes(changed)}))
                findings = Findings()
                fsck.check_tree(log, connection, content, findings)
                assert [(fault.table, fault.key) for fault in findings.faults] == [("tile", "0/0")]
            connection.execute(update(store.tile).values({column: row[column]}))
        connection.rollback()


def test_a_changed_schema_version_is_reported(plain: Rows) -> None:
    versions = sql_table("alembic_version", sql_column("version_num"))
    with plain.world.open(read_only=True) as ledger:
        for bit in range(8 * len(SCHEMA_VERSION)):
            raw = bytearray(SCHEMA_VERSION.encode())
            raw[bit // 8] ^= 1 << bit % 8
            with plain.engine.begin() as connection:
                connection.execute(update(versions).values(version_num=raw.decode("latin-1")))
            assert "alembic_version" in {fault.table for fault in ledger.check()}
            with pytest.raises(ConsentError) as caught:
                plain.world.open(read_only=True)
            assert caught.value.exit_code in (3, 4)
        for change in (delete(versions), insert(versions).values(version_num="0001"), insert(versions).values(version_num=SCHEMA_VERSION)):  # fmt: skip
            with plain.engine.begin() as connection:
                connection.execute(change)
            assert "alembic_version" in {fault.table for fault in ledger.check()}
        with plain.engine.begin() as connection:
            connection.execute(delete(versions))
            connection.execute(insert(versions).values(version_num=SCHEMA_VERSION))
        assert ledger.check() == []


def _large(world: World) -> None:
    """Thousands of people, runs over all of them with kept values, and people erased."""
    with world.open() as ledger:
        people = [f"p{i}" for i in range(3_000)]
        ledger.record_consents(ConsentRequest(p, OFFER, S.GIVEN, request_id=p) for p in people)
        used = dict.fromkeys(people, UseStatus.USED)
        for _ in range(2):
            ledger.append_use(use_request(ledger, used, values=[b"1"] * len(people)))
        for person in people[:10]:
            ledger.record_right(person, Right.OBJECTION, ground="eu-gdpr:A21", purposes=[DEVELOPMENT])
            ledger.append_act(
                person, "vote", object_digest="sha256:" + "0" * 64, service=None, details={"why": person}
            )
        for person in people[10:15]:
            ledger.erase(person, ground="eu-gdpr:A17-1-b")


@pytest.fixture
def large(world: World) -> Iterator[Rows]:
    yield from _rows(world, _large)


@pytest.mark.slow
def test_a_random_thousand_of_flips_on_a_large_ledger_are_named(large: Rows) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - which bits are flipped
    tables = [name for name in TABLES if large.all(name)]
    tried, found = 0, set()
    with large.world.open(read_only=True) as ledger:
        while tried < 1_000:
            for name in tables:
                content = large.all(name)
                changes: dict[str, tuple[Row, Row]] = {}
                for row in chance.sample(content, min(len(content), 100)):
                    column = chance.choice(list(metadata.tables[name].columns))
                    step = chance.randrange(steps(column, [row]))
                    for change in _changes(name, column, [row], content, step):
                        changes[large.key(name, row)] = change
                tried += len(changes)
                found |= {(name, key) for key in _not_named(large, ledger, name, list(changes.values()))}
    assert found == set(), f"seed {seed}"
    assert faults(large) == []


@pytest.mark.parametrize("table", _some_slow(NOT_OF_RUNS))
def test_a_deleted_row_and_an_added_row_are_named(plain: Rows, table: str) -> None:
    assert _rows_not_named(plain, table) == set()


@pytest.mark.parametrize("table", _some_slow(OF_RUNS))
def test_a_deleted_row_and_an_added_row_of_a_run_are_named(runs: Rows, table: str) -> None:
    assert _rows_not_named(runs, table) == set()


def _rows_not_named(rows: Rows, table: str) -> set[str]:
    """Delete up to sixteen rows and add up to sixteen copies at free keys, one at a time."""
    content = rows.all(table)
    found = set()
    with rows.world.open(read_only=True) as ledger:
        for row in content[:8] + content[8:][-8:]:
            rows.remove(table, row)
            if not _named(rows, ledger, table, row):
                found.add(f"deleted {rows.key(table, row)}")
            rows.add(table, row)
            copy = _copy(table, row)
            rows.add(table, copy)
            if not _named(rows, ledger, table, copy):
                found.add(f"added {rows.key(table, copy)}")
            rows.remove(table, copy)
    assert faults(rows) == []
    return found


def _named(rows: Rows, ledger: Ledger, table: str, row: Row) -> bool:
    named = {(fault.table, fault.key) for fault in ledger.check()}
    # Of two cases the row's own key is not known: the last entry is missed by its checkpoint, and an entry in the
    # middle by its successor; an opening that an erasure or a loss took by the entry that has none.
    if table == "entry":
        return bool({"entry", "checkpoint"} & {name for name, _ in named})
    if table in ("erased_opening", "lost_opening"):
        return bool({(table, rows.key(table, row)), ("payload", rows.key(table, row))} & named)
    return (table, rows.key(table, row)) in named


def _copy(table: str, row: Row) -> Row:
    """A plausible row: another's content at a key of its own, and nothing that must be unique twice."""
    target = metadata.tables[table]
    last = list(target.primary_key.columns)[-1]
    copy = dict(row)
    copy[last.name] = _other(row[last.name])
    for column in target.columns:
        if column.unique and not column.primary_key and row[column.name] is not None:
            copy[column.name] = _other(row[column.name])
    return copy


def _other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 10_000
    return os.urandom(len(value)) if isinstance(value, bytes) else value + "x"


@pytest.mark.slow
@pytest.mark.sqlite_file
def test_a_changed_byte_of_the_file_is_reported_or_changes_no_answer(world: World, tmp_path: Path) -> None:
    _plain(world)
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - which bytes are changed
    sound = world.home.database.read_bytes()
    before = _answers(world)
    reported = 0
    for number in range(300):
        path = tmp_path / str(number)
        shutil.copytree(world.home.path, path)
        copy = World(type(world.home)(path), world.clock)
        changed = bytearray(sound)
        place = chance.randrange(len(changed))
        changed[place] ^= 1 << chance.randrange(8)
        copy.home.database.write_bytes(changed)
        try:
            with copy.open(read_only=True) as ledger:
                found = ledger.check()
        except ConsentError:  # Refused as a whole, with its own message and exit code: that is a report.
            reported += 1
        except Exception as error:
            error.add_note(f"seed {seed}, byte {place}")
            raise
        else:
            reported += bool(found)
            assert found or _answers(copy) == before, f"seed {seed}, byte {place} changed an answer unseen"
        shutil.rmtree(path)
    assert reported > 0


def _answers(world: World) -> list[Any]:
    with world.open(read_only=True) as ledger:
        return [ledger.head()] + [
            (ledger.number_of(person), ledger.consents(person), ledger.uses(person))
            for person in (f"p{i}" for i in range(9))
        ]
