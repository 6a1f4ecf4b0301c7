"""Changes to a ledger's rows behind its back, and what a check of it must then name; for SQLite and for PostgreSQL.

Many rows of a table are changed at once: the check lists every fault, so each changed row must be named by itself.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, bindparam, create_engine, delete, event, insert, select, text, update
from sqlalchemy.types import Integer, String

from consent import store_raw
from consent.home import read_settings
from consent.store import metadata
from consent.store_database import database_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Connection, Engine

    from tests.consent.ledger_world import World

Row = dict[str, Any]
TABLES = sorted(metadata.tables)
INTEGER_BITS = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
"""Bits that a column of each type takes on both databases, without the sign."""


class Rows:
    """The rows of one ledger, open to be changed by somebody who knows the database and has no key."""

    def __init__(self, world: World) -> None:
        self.world = world
        url = read_settings(world.home).database
        self.postgresql = url is not None
        self.engine: Engine = (
            database_of(world.home, url).writing_engine()
            if self.postgresql
            else create_engine(f"sqlite:///{world.home.database}")
        )

        if not self.postgresql:  # What a test changes need not survive a power cut.
            event.listen(self.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def open(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            if self.postgresql:  # Foreign keys would refuse some of the changes: a damaged disk asks nobody.
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection

    def all(self, table: str) -> list[Row]:
        with self.open() as connection:
            return [dict(row._mapping) for row in connection.execute(select(metadata.tables[table]))]

    def change(self, table: str, changes: list[tuple[Row, Row]]) -> None:
        """Give rows other values: (row as it is, its changed columns)."""
        target = metadata.tables[table]
        keys = list(target.primary_key.columns)
        with self.open() as connection:
            for row, changed in changes:
                where = [key == bindparam(f"of_{key.name}", row[key.name], key.type) for key in keys]
                done = connection.execute(update(target).where(*where).values(changed))
                assert done.rowcount == 1

    def restore(self, table: str, changes: list[tuple[Row, Row]]) -> None:
        self.change(table, [({**row, **new}, {name: row[name] for name in new}) for row, new in changes])

    def remove(self, table: str, row: Row) -> None:
        target = metadata.tables[table]
        with self.open() as connection:
            where = [key == row[key.name] for key in target.primary_key.columns]
            assert connection.execute(delete(target).where(*where)).rowcount == 1

    def add(self, table: str, row: Row) -> None:
        with self.open() as connection:
            connection.execute(insert(metadata.tables[table]), row)

    def key(self, table: str, row: Row) -> str:
        """The key that a fault names the row by."""
        return store_raw.key_of(
            table,
            {
                name: None if v is None else v if isinstance(v, bytes) else str(v).encode()
                for name, v in row.items()
            },
        )


def steps(column: Column[Any], rows: list[Row]) -> int:
    """How many single flips reach every bit of the integers, or every byte of the longest value, of a column."""
    if isinstance(column.type, Integer):
        return INTEGER_BITS[_type(column)]
    return max((len(_raw(row[column.name])) for row in rows if row[column.name] is not None), default=1)


def flipped(column: Column[Any], value: Any, step: int) -> Any:
    """The value with one bit changed; None where this value has no such byte or takes no such bit."""
    if value is None:
        return _instead_of_null(column) if step == 0 else None
    if isinstance(column.type, Integer):
        return value ^ (1 << step)
    raw = bytearray(_raw(value))
    if step >= len(raw):
        return None
    # The lowest bit of a text's byte keeps it valid UTF-8, which PostgreSQL insists on.
    raw[step] ^= 1 if isinstance(column.type, String) else 1 << step % 8
    return bytes(raw) if isinstance(column.type, LargeBinary) else raw.decode()


def _instead_of_null(column: Column[Any]) -> Any:
    if isinstance(column.type, Integer):
        return 1
    return b"\x01" * (column.type.length or 16) if isinstance(column.type, LargeBinary) else "x"


def _raw(value: Any) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _type(column: Column[Any]) -> str:
    return str(column.type.compile()).upper()
