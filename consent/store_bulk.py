"""Statements that read whole tables for decisions about a whole population; rows come as plain numbers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, cast, func, select

from consent.store import consent_event, erasure, subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Select

NO_EXPIRY = 2**56
"""Stands for the expiry of a consent without one, epoch seconds."""
STATUS_VALUES = 16
"""Status codes are below it."""
HALF = 2**31
"""Numbers, versions and processing bits are 32-bit integers of the database and never negative: two fit in 64 bits."""
EVENT_COLUMNS = 3
_CHUNK = 50_000


def events(
    connection: Connection, purpose_id: str, *, since: int, size: int, at: int | None
) -> Iterator[int]:
    """Every event of a purpose from index `since` to `size` - 1, oldest first, three numbers each.

    They are number * `HALF` + processing bits, purpose version * `HALF` + notice version, and expiry * `STATUS_VALUES`
    + status code: half of the time goes into making Python's integers, so there are few.

    Args:
        connection: A reading connection.
        purpose_id: The purpose.
        since: The first index that counts.
        size: The first index that does not.
        at: Only events of this second or earlier count; all when None.
    """
    c = consent_event.c
    query = (
        select(
            cast(c.number, BigInteger) * HALF + c.processing,
            cast(c.purpose_version, BigInteger) * HALF + c.notice_version,
            func.coalesce(c.expires, NO_EXPIRY) * STATUS_VALUES + c.status,
        )
        # `coalesce` keeps the planner from the index on the purpose: a scan in the order of the log is faster.
        .where(c.idx >= since, c.idx < size, func.coalesce(c.purpose, "") == purpose_id)
        .order_by(c.idx)
    )
    if at is not None:
        query = query.where(c.at <= at)
    return chain.from_iterable(_plain_rows(connection, query))


def pseudonyms(connection: Connection, *, since: int, size: int) -> Iterator[tuple[bytes, int]]:
    """Pseudonym and number of everybody enrolled from index `since` to `size` - 1 and not erased."""
    c = subject.c
    query = select(c.pseudonym, c.number).where(
        c.pseudonym.is_not(None), c.enrolled >= since, c.enrolled < size
    )
    return _plain_rows(connection, query)


def _plain_rows(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """The driver's own rows: SQLAlchemy's take three times as long to make, and nothing is asked of them by name."""
    result = connection.execute(query)
    cursor = result.cursor
    if cursor is None:
        return
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows
    result.close()


def erasures(connection: Connection) -> tuple[int, int]:
    """How many erasures there were, and the index of the last (-1 when none): what was cached before is void."""
    row = connection.execute(select(func.count(), func.max(erasure.c.idx)).select_from(erasure)).one()
    return int(row[0]), -1 if row[1] is None else int(row[1])
