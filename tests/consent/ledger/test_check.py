"""The check lists every fault, wherever a byte changed, a row went or a row came."""

# ruff: noqa: S608 - the names put into statements are those of our own tables

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from consent.records import ConsentRequest
from consent.store import metadata
from consent.vocabulary import ConsentStatus, Right, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, OFFER, World, make_world, use_request
from tests.consent.restored import lose_and_refill

if TYPE_CHECKING:
    from pathlib import Path

S = ConsentStatus
TABLES = sorted(metadata.tables)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A ledger with at least one row in every table, and a full tile."""
    world = make_world(tmp_path_factory.mktemp("full"))
    lose_and_refill(world)
    with world.open() as ledger:
        people = [f"p{i}" for i in range(140)]
        ledger.record_consents([ConsentRequest(p, OFFER, S.GIVEN, request_id=p) for p in people])
        ledger.record_consent("p0", DEVELOPMENT, S.REFUSED)
        ledger.append_act(
            "m", "vote", object_digest="sha256:" + "0" * 64, service=None, details={"why": "because"}
        )
        ledger.record_right("p3", Right.OBJECTION, ground="eu-gdpr:A21", purposes=[DEVELOPMENT])
        statuses = dict.fromkeys(people, UseStatus.USED)
        ledger.append_use(
            use_request(ledger, statuses, values=[b"1"] * len(people), explanation={"text": "how"})
        )
        ledger.erase("p1", ground="eu-gdpr:A17-1-b")
        ledger.append_use(use_request(ledger, {"p2": UseStatus.USED}))
        assert ledger.check() == []
    return world


@pytest.fixture
def copy(full: World, tmp_path: Path) -> World:
    shutil.copytree(full.home.path, tmp_path / "home")
    return World(type(full.home)(tmp_path / "home"), full.clock)


def sql(world: World, statement: str, *parameters: object) -> list[tuple]:
    with closing(sqlite3.connect(world.home.database)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        rows = connection.execute(statement, parameters).fetchall()
        connection.commit()
        return rows


def faults(world: World) -> list:
    with world.open(read_only=True) as ledger:
        return ledger.check()


def test_every_table_has_a_row(full: World) -> None:
    assert [table for table in TABLES if sql(full, f'select count(*) from "{table}"')[0][0] == 0] == []


def test_one_changed_byte_of_an_entry_is_reported_with_its_index(copy: World) -> None:
    size = sql(copy, "select count(*) from entry")[0][0]
    for index in (0, size // 2, size - 1):
        [(body,)] = sql(copy, "select body from entry where idx = ?", index)
        for position in (0, len(body) // 2):
            changed = bytearray(body)
            changed[position] ^= 1
            sql(copy, "update entry set body = ? where idx = ?", bytes(changed), index)
            assert ("entry", index) in {(fault.table, fault.index) for fault in faults(copy)}
        sql(copy, "update entry set body = ? where idx = ?", body, index)
    assert faults(copy) == []


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_changed_value_in_any_column_is_reported(copy: World, table: str) -> None:
    columns = metadata.tables[table].columns
    keys = [column.name for column in metadata.tables[table].primary_key.columns]
    quoted = ", ".join(f'"{name}"' for name in columns.keys())  # noqa: SIM118 - a SQLAlchemy collection
    for row in _few(sql(copy, f'select {quoted} from "{table}" order by {", ".join(keys)}')):
        values = dict(zip(columns.keys(), row, strict=True))
        where = " and ".join(f'"{key}" = ?' for key in keys)
        for name, value in values.items():
            for changed in _changes(value):
                place = [values[key] for key in keys]
                sql(copy, f'update "{table}" set "{name}" = ? where {where}', changed, *place)
                assert faults(copy), f"{table}.{name}: {type(value).__name__} changed unseen"
                now = [changed if key == name else values[key] for key in keys]
                sql(copy, f'update "{table}" set "{name}" = ? where {where}', value, *now)
    assert faults(copy) == []


def _few(rows: list[tuple]) -> list[tuple]:
    return [rows[0], rows[-1]] if len(rows) > 1 else rows


def _changes(value: object) -> list[object]:
    if isinstance(value, int):
        return [value + 1_000_003, -1 - value]
    if isinstance(value, bytes):
        flipped = bytearray(value)
        flipped[len(value) // 2] ^= 0x40
        return [bytes(flipped), value[:-1]]
    if isinstance(value, str):
        return [value + "x", b"\xff\xfe"]
    return [7]


@pytest.mark.parametrize("table", TABLES)
def test_a_deleted_row_is_reported(copy: World, table: str) -> None:
    row = "rowid" if table != "subject_key" else "number"
    sql(copy, f'delete from "{table}" where "{row}" = (select max("{row}") from "{table}")')
    symptom = {
        "entry": "checkpoint",
        "erased_opening": "payload",
        "lost_opening": "payload",
        "use_values": "use_chunk",
    }
    assert symptom.get(table, table) in {fault.table for fault in faults(copy)}


def test_an_opening_lost_without_an_erasure_is_reported(copy: World) -> None:
    sql(copy, "delete from erased_opening")
    assert {fault.table for fault in faults(copy)} == {"payload"}


def test_faults_are_all_listed(copy: World) -> None:
    sql(copy, "update entry set leaf = zeroblob(32) where idx in (3, 9)")
    sql(copy, "delete from consent_event where idx = (select max(idx) from consent_event)")
    sql(copy, "update notice set id = cast(x'ff' as text) where version = 1 and id = ?", OFFER)
    found = faults(copy)
    assert {3, 9} <= {fault.index for fault in found if fault.table == "entry"}
    assert {"entry", "consent_event", "notice", "tile", "checkpoint"} <= {fault.table for fault in found}


def test_a_forged_tail_is_reported(copy: World) -> None:
    size = sql(copy, "select count(*) from entry")[0][0]
    sql(copy, "delete from entry where idx = ?", size - 1)
    assert any(fault.table == "checkpoint" and str(size) in fault.what for fault in faults(copy))


def test_a_changed_checkpoint_or_journal_is_reported(copy: World) -> None:
    copy.home.checkpoint.write_bytes(copy.home.checkpoint.read_bytes().replace(b"city", b"town"))
    copy.home.erasure_journal.write_bytes(b"{}\n")
    assert {fault.table for fault in faults(copy)} == {"checkpoint", "erasures.journal"}


def test_faults_tell_nothing_of_anybody(copy: World) -> None:
    subjects = [row[0] for row in sql(copy, "select subject from subject where subject is not null")]
    sql(copy, "update payload set ciphertext = zeroblob(90)")
    sql(copy, "update subject set pseudonym = x'00' where number = (select max(number) from subject)")
    told = " ".join(f"{fault.table} {fault.key} {fault.what}" for fault in faults(copy))
    assert not any(subject.hex() in told for subject in subjects)
