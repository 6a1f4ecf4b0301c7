"""Statements that read whole tables for decisions about a whole population, as arrays of 64-bit integers, a range of keys at a time.

A driver's rows cost more than anything else here, and PostgreSQL's driver keeps all rows of a statement. So a table is
read in ranges of its primary key, all in the one state that the transaction sees, and PostgreSQL hands over each range as one
value: its rows' numbers as 8 bytes each, one after another.
"""

from __future__ import annotations

import sys
from array import array
from itertools import chain
from operator import ge
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import BigInteger, LargeBinary, func, literal, select
from sqlalchemy import cast as sql_cast

from consent import store_people
from consent.errors import LedgerDamagedError
from consent.store import consent_event, erasure, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

NO_EXPIRY = 2**56
"""Stands for the expiry of a consent without one, epoch seconds."""
STATUS_VALUES = 16
"""Status codes are below it."""
HALF = 2**31
"""Numbers, versions and processing bits are 32-bit integers of the database and never negative: two fit in 64 bits."""
PSEUDONYM_BYTES = 16
RANGE = 4 * 65_536
"""Keys that one statement covers, so at most as many rows are held: 8 MB of numbers."""


def events(
    connection: Connection, purpose_id: str, *, since: int, size: int, at: int | None
) -> Iterator[tuple[array[int], array[int], array[int]]]:
    """Every event of a purpose from index `since` to `size` - 1, oldest first, three numbers each.

    They are number * `HALF` + processing bits, purpose version * `HALF` + notice version, and expiry * `STATUS_VALUES`
    + status code: on SQLite half of the time goes into making Python's integers, so there are few.

    Args:
        connection: A reading connection.
        purpose_id: The purpose.
        since: The first index that counts.
        size: The first index that does not.
        at: Only events of this second or earlier count; all when None.

    Yields:
        Three times int64[n], n from 1 to `RANGE`.

    Raises:
        LedgerDamagedError: The server gave something else than was asked for (exit 4).
    """
    c = consent_event.c
    columns = [
        sql_cast(c.number, BigInteger) * HALF + c.processing,
        sql_cast(c.purpose_version, BigInteger) * HALF + c.notice_version,
        func.coalesce(c.expires, NO_EXPIRY) * STATUS_VALUES + c.status,
    ]
    # `coalesce` keeps the planner from the index on the purpose: a scan in the order of the log is faster.
    where = [func.coalesce(c.purpose, "") == purpose_id]
    if at is not None:
        where.append(c.at <= at)
    packed = connection.dialect.name == "postgresql"
    for low in range(since, size, RANGE):
        within = [c.idx >= low, c.idx < min(low + RANGE, size), *where]
        if packed:
            # Aggregates promise no order: the index comes with each event.
            raw = _packed(connection, [func.int8send(each) for each in (c.idx, *columns)], within, 4 * 8)
            index, *found = _columns(_integers("q", raw), 4)
            if any(map(ge, index, index[1:])):
                order = sorted(range(len(index)), key=index.__getitem__)
                found = [array("q", map(column.__getitem__, order)) for column in found]
        else:
            rows = _plain_rows(connection, columns, within, c.idx)
            found = _columns(array("q", chain.from_iterable(rows)), 3)
        if found[0]:
            yield found[0], found[1], found[2]


def pseudonyms(
    connection: Connection, *, since: int, size: int
) -> Iterator[tuple[array[int], array[int], array[int]]]:
    """Pseudonym and number of everybody enrolled from index `since` to `size` - 1 and not erased, in no order.

    Yields:
        Three times uint64[n], n from 1 to `RANGE`: the halves of each pseudonym, first byte highest, and the number.

    Raises:
        LedgerDamagedError: A pseudonym is not 16 bytes (exit 4).
    """
    c = subject.c
    highest = store_people.highest_number(connection)
    packed = connection.dialect.name == "postgresql"
    # People enrolled together have numbers of one block: a range of numbers lies together on the disk.
    for low in range(0, 0 if highest is None else highest + 1, RANGE):
        within = [
            c.number >= low, c.number < low + RANGE,
            c.pseudonym.is_not(None), c.enrolled >= since, c.enrolled < size,
        ]  # fmt: skip
        if packed:
            each = [c.pseudonym, func.int8send(sql_cast(c.number, BigInteger))]
            raw = _packed(connection, each, within, PSEUDONYM_BYTES + 8)
            high, low_half, number = _columns(_integers("Q", raw), 3)
        else:
            rows = list(_plain_rows(connection, [c.pseudonym, c.number], within, c.number))
            raw = _of_width(b"".join([row[0] for row in rows]), len(rows), PSEUDONYM_BYTES)
            high, low_half = _columns(_integers("Q", raw), 2)
            number = array("Q", [row[1] for row in rows])
        if number:
            yield high, low_half, number


def _integers(kind: str, raw: bytes) -> array[int]:
    """The 8-byte integers, first byte highest, that bytes hold."""
    found: array[int] = array(kind, raw)
    if sys.byteorder == "little":
        found.byteswap()
    return found


def _columns(rows: array[int], count: int) -> list[array[int]]:
    return [rows[place::count] for place in range(count)]


def _packed(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    where: Sequence[ColumnElement[bool]],
    width: int,
) -> bytes:
    """The rows' columns, bytes all of them, one after another; PostgreSQL only."""
    row = columns[0]
    for column in columns[1:]:
        row = row.op("||")(column)
    query = select(func.count(), func.string_agg(row, literal(b"", LargeBinary), type_=LargeBinary)).where(
        *where
    )
    count, raw = connection.execute(query).one()
    # A NULL would be left out of the aggregate in silence.
    return _of_width(raw or b"", count, width)


def _of_width(raw: bytes, count: int, width: int) -> bytes:
    if len(raw) != count * width:
        raise LedgerDamagedError(
            f"{count} rows of the ledger hold {len(raw)} bytes where {count * width} were expected",
            "run `luvalla ledger check`",
        )
    return raw


def _plain_rows(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    where: Sequence[ColumnElement[bool]],
    order: ColumnElement[Any],
) -> Iterator[tuple[Any, ...]]:
    """The driver's own rows: SQLAlchemy's take three times as long to make, and nothing is asked of them by name."""
    result = connection.execute(select(*columns).where(*where).order_by(order))
    yield from cast("Iterator[tuple[Any, ...]]", result.cursor)
    result.close()


def erasures(connection: Connection) -> tuple[int, int]:
    """How many erasures there were, and the index of the last (-1 when none): what was cached before is void."""
    row = connection.execute(select(func.count(), func.max(erasure.c.idx)).select_from(erasure)).one()
    return int(row[0]), -1 if row[1] is None else int(row[1])
