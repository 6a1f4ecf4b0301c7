"""Every column of every row as bytes, so that no broken value ends a check; integers come as their decimal digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import LargeBinary, Text, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from consent import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

RawRow = dict[str, "bytes | None"]
RawTuple = tuple["bytes | None", ...]
BATCH = 2_000
"""Rows that a check looks at together."""
FEW = 100
LARGE = frozenset({"tile", "use_values"})
"""Tables whose rows are of many thousand bytes: fewer of them are looked at together."""


class _AsBytes(FunctionElement[bytes]):
    """A column's value as bytes: binary as it is, anything else as its text."""

    # Both drivers give bytes: nothing is to be converted again.
    type = NullType()  # type: ignore[assignment]
    inherit_cache = True


@compiles(_AsBytes)
def _cast(element: _AsBytes, compiler: Any, **how: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **how)} AS BLOB)"


@compiles(_AsBytes, "postgresql")
def _converted(element: _AsBytes, compiler: Any, **how: Any) -> str:
    (column,) = element.clauses
    text = compiler.process(column, **how)
    return text if isinstance(column.type, LargeBinary) else f"convert_to(CAST({text} AS TEXT), 'UTF8')"


def rows(connection: Connection, name: str) -> Iterator[RawRow]:
    """The rows of a table, in the order of its key.

    Args:
        connection: A transaction.
        name: Name of the table.
    """
    names = names_of(name)
    for batch in batches(connection, name):
        for row in batch:
            yield dict(zip(names, row, strict=True))


def batches(
    connection: Connection, name: str, columns: Sequence[str] = (), of: tuple[str, bytes] | None = None
) -> Iterator[Sequence[RawTuple]]:
    """The same, some rows at a time, as tuples.

    PostgreSQL keeps the rest in a cursor of its own: the driver never holds more than one batch.

    Args:
        connection: A transaction.
        name: Name of the table.
        columns: Which columns, in which order; all, in the order of `names_of`, when none.
        of: A column and a value: only the rows that have it there.
    """
    table = store.metadata.tables[name]
    query = select(*(_AsBytes(table.c[each]) for each in columns or names_of(name)))
    if of is not None:
        query = query.where(table.c[of[0]] == of[1])
    options = {"yield_per": FEW if name in LARGE else BATCH}
    found = connection.execute(query.order_by(*table.primary_key.columns), execution_options=options)
    for part in found.partitions():
        yield cast("Sequence[RawTuple]", part)


def versions(connection: Connection) -> list[str]:
    """What stands in the table of the schema's version, spelt as `key_of` spells keys."""
    version = sql_column("version_num", Text)
    found = connection.execute(select(_AsBytes(version)).select_from(sql_table("alembic_version", version)))
    return sorted(_plain(row[0]) for row in found)


def count(connection: Connection, name: str) -> int:
    """How many rows a table has."""
    query = select(func.count()).select_from(store.metadata.tables[name])
    return int(connection.execute(query).scalar_one())


def keys(connection: Connection, name: str) -> set[str]:
    """The keys of all rows of a table, as `key_of` spells them, without the rest."""
    columns = store.metadata.tables[name].primary_key.columns.keys()
    return {"/".join(map(_plain, row)) for part in batches(connection, name, columns) for row in part}


def names_of(name: str) -> list[str]:
    """The columns of a table, in order."""
    return [column.name for column in store.metadata.tables[name].columns]


def key_of(name: str, row: RawRow) -> str:
    """The row's key as text: integers and words plainly, other bytes in hex."""
    columns = store.metadata.tables[name].primary_key.columns
    return "/".join(_plain(row[column.name]) for column in columns)


def integer(raw: bytes | None) -> int | None:
    """The integer that a column holds; None when it holds none."""
    if raw is None or not raw.isdigit() or str(int(raw)).encode() != raw:
        return None
    return int(raw)


def integers(column: Sequence[bytes | None]) -> list[int] | None:
    """The integers that a column of many rows holds; None where one of them holds none."""
    try:
        found = [int(raw) for raw in column]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    same = [b"%d" % value for value in found] == list(column)
    return found if same and min(found, default=0) >= 0 else None


def text(raw: bytes | None) -> str | None:
    """The text that a column holds; None when it holds none."""
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _plain(raw: bytes | None) -> str:
    if raw is None:
        return "null"
    if raw.isascii() and raw.decode().replace("-", "").replace(".", "").isalnum():
        return raw.decode()
    return raw.hex()
