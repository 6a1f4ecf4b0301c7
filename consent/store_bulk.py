"""Statements that read whole tables for decisions about a whole population; rows come as plain numbers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from consent.store import consent_event, erasure, subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

NO_EXPIRY = 2**62
"""Stands for the expiry of a consent without one, epoch seconds."""
EVENT_COLUMNS = 7
"""Number, index, status code, purpose version, notice version, processing bits, expiry."""
_CHUNK = 50_000


def events(
    connection: Connection, purpose_id: str, *, since: int, size: int, at: int | None
) -> Iterator[int]:
    """Every event of a purpose from index `since` to `size` - 1, in any order, seven numbers each (`EVENT_COLUMNS`).

    Args:
        connection: A reading connection.
        purpose_id: The purpose.
        since: The first index that counts.
        size: The first index that does not.
        at: Only events of this second or earlier count; all when None.
    """
    query = select(
        consent_event.c.number,
        consent_event.c.idx,
        consent_event.c.status,
        consent_event.c.purpose_version,
        consent_event.c.notice_version,
        consent_event.c.processing,
        func.coalesce(consent_event.c.expires, NO_EXPIRY),
        # `coalesce` keeps the planner from the index on the purpose: a scan in the order of the rows is faster.
    ).where(
        consent_event.c.idx >= since,
        consent_event.c.idx < size,
        func.coalesce(consent_event.c.purpose, "") == purpose_id,
    )
    if at is not None:
        query = query.where(consent_event.c.at <= at)
    for rows in connection.execute(query).partitions(_CHUNK):
        yield from chain.from_iterable(rows)


def pseudonyms(connection: Connection, *, since: int) -> Iterator[tuple[bytes, int]]:
    """Pseudonym and number of everybody enrolled at or after an index and not erased."""
    query = select(subject.c.pseudonym, subject.c.number).where(
        subject.c.pseudonym.is_not(None), subject.c.enrolled >= since
    )
    for rows in connection.execute(query).partitions(_CHUNK):
        yield from ((row[0], row[1]) for row in rows)


def erasures(connection: Connection) -> tuple[int, int]:
    """How many erasures there were, and the index of the last (-1 when none): what was cached before is void."""
    row = connection.execute(select(func.count(), func.max(erasure.c.idx)).select_from(erasure)).one()
    return int(row[0]), -1 if row[1] is None else int(row[1])
