"""Statements that read whole tables for decisions about a whole population, as numpy's arrays, a range of keys at a time.

A driver's rows cost more than anything else here, and PostgreSQL's driver keeps all rows of a statement. So a table is
read in ranges of its primary key, all in the one state that the transaction sees, and the database hands over each range as one
value. PostgreSQL makes bytes of it; SQLite, which has no function for that, a text, whose characters carry 20 bits each.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import BigInteger, LargeBinary, case, event, func, literal, literal_column, select
from sqlalchemy import cast as sql_cast

from consent import store_people
from consent.errors import LedgerDamagedError
from consent.store import consent_event, erasure, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Connection

    from consent.pseudonym_column import ColumnKey

NO_EXPIRY = 2**40 - 1
"""Stands for the expiry of a consent without one, epoch seconds: later than any other."""
PSEUDONYM_BYTES = 16
RANGE = 4 * 65_536
"""Keys that one statement covers, so at most as many rows are held: 14 MB of numbers."""

_CHARACTER_BITS = 20
_FIRST_CHARACTER = 0x1_0000
"""Code points from here on, 2^20 of them, are whole characters whatever their bits; SQLite makes something below it of all others."""
_EVENT_CHARACTERS = 9
_PLACES = ((0,), (1, 2), (3,), (4,), (5,), (6,), (7, 8))
"""Which characters of an event hold index, number, status, versions, processing bits and expiry."""
_EVENT_ROW = np.dtype(
    [("idx", ">i8"), ("number", ">i8"), ("status", ">i2"), ("purpose_version", ">i4"), ("notice_version", ">i4"),
     ("processing", ">i4"), ("expires", ">i8")]
)  # fmt: skip
BINARY = 1
"""PostgreSQL's code of its binary format (libpq, PQfformat)."""
_PERSON_ROW = np.dtype([("column", f"V{PSEUDONYM_BYTES}"), ("number", ">i8")])
_PSEUDONYM = np.dtype([("high", ">u8"), ("low", ">u8")])


def events(
    connection: Connection, purpose_id: str, *, since: int, size: int, at: int | None
) -> Iterator[NDArray[np.int64]]:
    """Every event of a purpose from index `since` to `size` - 1, oldest first.

    Args:
        connection: A reading connection.
        purpose_id: The purpose.
        since: The first index that counts.
        size: The first index that does not.
        at: Only events of this second or earlier count; all when None.

    Yields:
        int64[6, n], n from 1 to `RANGE`: number, status code, purpose version, notice version, processing bits, and expiry in
        epoch seconds (`NO_EXPIRY` without one).

    Raises:
        LedgerDamagedError: The database gave something else than was asked for (exit 4).
    """
    c = consent_event.c
    read = _events_of_postgresql if connection.dialect.name == "postgresql" else _events_of_sqlite
    # `coalesce` keeps the planner from the index on the purpose: a scan in the order of the log is faster.
    where = [func.coalesce(c.purpose, "") == purpose_id]
    if at is not None:
        where.append(c.at <= at)
    for low in range(since, size, RANGE):
        found = read(connection, [c.idx >= low, c.idx < min(low + RANGE, size), *where], low)
        if found.shape[1]:
            # Aggregates promise no order: the index comes with each event.
            index = found[0]
            yield found[1:] if np.all(index[1:] > index[:-1]) else found[1:, np.argsort(index)]


def pseudonyms(
    connection: Connection, keys: Sequence[ColumnKey], *, since: int, size: int, lowest: int = 0
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]]:
    """Pseudonym and number of everybody enrolled from index `since` to `size` - 1 and not erased, in no order.

    Args:
        connection: A reading connection.
        keys: Every key that a row of the column is encrypted under.
        since: The first index that counts.
        size: The first index that does not.
        lowest: Nobody of them has a lower number.

    Yields:
        The halves of each pseudonym, first byte highest, uint64[n] each, and the numbers, int64[n]; n from 1 to `RANGE`.

    Raises:
        LedgerDamagedError: A pseudonym is not 16 bytes (exit 4).
    """
    c = subject.c
    highest = store_people.highest_number(connection)
    packed = connection.dialect.name == "postgresql"
    # People enrolled together have numbers of one block: a range of numbers lies together on the disk.
    ranges = range(lowest, 0 if highest is None else highest + 1, RANGE)
    for low, opener in product(ranges, keys):
        within = [
            c.number >= low, c.number < low + RANGE,
            c.pseudonym.is_not(None), c.enrolled >= since, c.enrolled < size,
        ]  # fmt: skip
        if len(keys) > 1:
            # `coalesce` keeps the planner from the index: a range of numbers lies together on the disk.
            within.append(func.coalesce(c.kek, literal(b"", LargeBinary)) == opener.name)
        if packed:
            key = _if(func.length(c.pseudonym) == PSEUDONYM_BYTES, c.pseudonym)
            raw = _packed(connection, [key, func.int8send(c.number)], within, _PERSON_ROW.itemsize)
        else:
            digits = func.hex(c.pseudonym)
            key = _if(func.length(digits) == 2 * PSEUDONYM_BYTES, digits)
            row = key.op("||")(func.printf("%016x", c.number))
            count, text = _aggregate(connection, func.group_concat(row, ""), within)
            raw = _of_width(bytes.fromhex(text or ""), count, _PERSON_ROW.itemsize)
        rows = np.frombuffer(raw, _PERSON_ROW)
        if len(rows):
            opened = np.frombuffer(opener.open(rows["column"].tobytes()), _PSEUDONYM)
            yield (
                opened["high"].astype(np.uint64),
                opened["low"].astype(np.uint64),
                rows["number"].astype(np.int64),
            )


def _events_of_postgresql(
    connection: Connection, where: Sequence[ColumnElement[bool]], _: int
) -> NDArray[np.int64]:
    c = consent_event.c
    columns = [
        func.int8send(c.idx),
        func.int8send(c.number),
        func.int2send(c.status),
        func.int4send(c.purpose_version),
        func.int4send(c.notice_version),
        func.int4send(c.processing),
        func.int8send(func.coalesce(c.expires, sql_cast(NO_EXPIRY, BigInteger))),
    ]
    rows = np.frombuffer(_packed(connection, columns, where, _EVENT_ROW.itemsize), _EVENT_ROW)
    return np.stack([rows[name].astype(np.int64) for name in _EVENT_ROW.names or ()])


def _events_of_sqlite(
    connection: Connection, where: Sequence[ColumnElement[bool]], low: int
) -> NDArray[np.int64]:
    c = consent_event.c
    expires = func.coalesce(c.expires, literal_column(str(NO_EXPIRY)))
    row = func.char(
        *map(_character, (
            c.idx - literal_column(str(low)),
            *_halves(c.number), c.status, c.purpose_version, c.notice_version, c.processing, *_halves(expires),
        ))
    )  # fmt: skip
    count, text = _aggregate(connection, func.group_concat(row, ""), where)
    codes = np.frombuffer((text or "").encode("utf-32-le", "surrogatepass"), "<u4")
    if len(codes) != count * _EVENT_CHARACTERS or np.any(codes < _FIRST_CHARACTER):
        # A number above what the characters carry, which no city has so far.
        return _events_by_row(connection, where)
    characters = codes.reshape(-1, _EVENT_CHARACTERS) - np.uint32(_FIRST_CHARACTER)
    columns = np.empty((len(_PLACES), count), np.int64)
    for number, (first, *more) in enumerate(_PLACES):
        columns[number] = characters[:, first]
        for place in more:
            columns[number] = columns[number] << _CHARACTER_BITS | characters[:, place]
    return columns


def _character(value: ColumnElement[int]) -> ColumnElement[int]:
    return literal_column(str(_FIRST_CHARACTER)) + value


def _halves(value: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    high = value.op(">>")(literal_column(str(_CHARACTER_BITS)))
    low = value.op("&")(literal_column(str((1 << _CHARACTER_BITS) - 1)))
    return high, low


def _events_by_row(connection: Connection, where: Sequence[ColumnElement[bool]]) -> NDArray[np.int64]:
    c = consent_event.c
    columns = (
        c.idx, c.number, c.status, c.purpose_version, c.notice_version, c.processing, func.coalesce(c.expires, NO_EXPIRY),
    )  # fmt: skip
    rows = connection.execute(select(*columns).where(*where).order_by(c.idx)).all()
    try:
        return np.array([tuple(row) for row in rows], np.int64).reshape(-1, len(columns)).T
    except (TypeError, ValueError, OverflowError) as error:
        raise LedgerDamagedError("a consent event of the ledger is not made of whole numbers", "run `luvalla ledger check`") from error  # fmt: skip


def _if(sound: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value, or NULL, which `_of_width` sees: two values of wrong lengths may have the right length together."""
    return case((sound, value))


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
    joined = func.string_agg(row, literal(b"", LargeBinary), type_=LargeBinary)
    count, raw = _aggregate(connection, joined, where)
    return _of_width(raw or b"", count, width)


def _aggregate(
    connection: Connection, joined: ColumnElement[Any], where: Sequence[ColumnElement[bool]]
) -> tuple[int, Any]:
    """How many rows there are, and all of them as one value; None without rows."""
    query = select(func.count(), joined).where(*where)
    if connection.dialect.name != "postgresql":
        count, value = connection.execute(query).one()
        return count, value
    event.listen(connection, "before_cursor_execute", _ask_for_bytes)
    try:
        count, value = connection.execute(query).one()
    finally:
        event.remove(connection, "before_cursor_execute", _ask_for_bytes)
    return count, value


def _ask_for_bytes(_connection: Connection, cursor: Any, *_: object) -> None:
    # As text the server writes bytes as hexadecimal digits: a quarter of its work here, and half of the driver's.
    cursor.format = BINARY


def _of_width(raw: bytes, count: int, width: int) -> bytes:
    # A NULL would be left out of the aggregate in silence.
    if len(raw) != count * width:
        raise LedgerDamagedError(
            f"{count} rows of the ledger hold {len(raw)} bytes where {count * width} were expected",
            "run `luvalla ledger check`",
        )
    return raw


def erasures(connection: Connection) -> tuple[int, int]:
    """How many erasures there were, and the index of the last (-1 when none): what was cached before is void."""
    row = connection.execute(select(func.count(), func.max(erasure.c.idx)).select_from(erasure)).one()
    return int(row[0]), -1 if row[1] is None else int(row[1])
