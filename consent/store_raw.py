"""Every column of every row as bytes, so that no broken value ends a check; integers come as their decimal digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from consent import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

RawRow = dict[str, "bytes | None"]


class _AsBytes(FunctionElement[bytes]):
    """A column's value as bytes: binary as it is, anything else as its text."""

    type = LargeBinary()
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
    table = store.metadata.tables[name]
    names = [column.name for column in table.columns]
    query = select(*(_AsBytes(column) for column in table.columns)).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=1_000).execute(query):
        yield dict(zip(names, row, strict=True))


def key_of(name: str, row: RawRow) -> str:
    """The row's key as text: integers and words plainly, other bytes in hex."""
    columns = store.metadata.tables[name].primary_key.columns
    return "/".join(_plain(row[column.name]) for column in columns)


def integer(raw: bytes | None) -> int | None:
    """The integer that a column holds; None when it holds none."""
    if raw is None or not raw.isdigit() or str(int(raw)).encode() != raw:
        return None
    return int(raw)


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
