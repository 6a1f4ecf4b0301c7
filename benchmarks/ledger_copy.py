"""Rows into PostgreSQL as fast as it takes them: binary COPY of numpy's columns, and indexes made afterwards."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Block = list[NDArray[Any]]
    """Rows by column, in the database's own bytes: `>i2`, `>i4` and `>i8` for its integers, `S` for text, `V` for bytes."""

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)


def copy_binary(raw: Any, table: str, blocks: Iterable[Block]) -> None:
    """Load blocks of rows.

    Args:
        raw: A connection of psycopg.
        table: Its name and columns, as COPY takes them.
        blocks: Columns of equal length in that order, of the columns' own types.
    """
    with raw.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copying:
        copying.write(HEADER)
        for block in blocks:
            copying.write(_tuples(block))
        copying.write(TRAILER)


def _tuples(block: Block) -> bytes:
    """Each row is the number of its fields, then the length of each field in bytes and the field."""
    kinds: list[tuple[str, Any]] = [("fields", ">i2")]
    for place, column in enumerate(block):
        kinds += [(f"length{place}", ">i4"), (f"value{place}", column.dtype)]
    rows = np.empty(len(block[0]), kinds)
    rows["fields"] = len(block)
    for place, column in enumerate(block):
        rows[f"length{place}"], rows[f"value{place}"] = column.dtype.itemsize, column
    return rows.tobytes()


@contextmanager
def without_secondary_indexes(raw: Any, tables: Sequence[str]) -> Iterator[None]:
    """Drop the indexes and UNIQUE constraints beside the primary keys, and make them again at the end."""
    unique = raw.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'u' AND conrelid::regclass::text = ANY(%s)",
        [list(tables)],
    ).fetchall()
    for table, name, _ in unique:
        raw.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    indexes = raw.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE NOT indisprimary AND indrelid::regclass::text = ANY(%s)",
        [list(tables)],
    ).fetchall()
    for name, _ in indexes:
        raw.execute(f"DROP INDEX {name}")
    yield
    for table, name, definition in unique:
        raw.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for _, definition in indexes:
        raw.execute(definition)
