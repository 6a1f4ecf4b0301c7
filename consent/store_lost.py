"""Statements about what a restore lost: refilled stretches of the log, and the openings that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from consent import row_mac
from consent.pseudonym import keyed_digest
from consent.store import consent_event, entry, insert_rows, lost_opening, refill
from consent.store_log import in_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


class Refill(NamedTuple):
    """One stretch of the log that was filled again from its published copy.

    Attributes:
        first: Index of the first entry whose content was lost.
        until: Index after the last.
        numbers: New people get numbers from here on: a smaller one may have been given by an enrolment that was lost.
        journal: Request of the last line of the erasure journal that was applied then; None where there was none.
        erased: JSON array of the numbers whose erasure has no entry in this database but a lost one.
    """

    first: int
    until: int
    numbers: int
    journal: bytes | None
    erased: bytes

    def holds(self, index: int) -> bool:
        """Whether an entry is in the stretch."""
        return self.first <= index < self.until


def refills(connection: Connection) -> list[Refill]:
    """Every refill, oldest first."""
    c = refill.c
    query = select(c.first, c.until, c.numbers, c.journal, c.erased).order_by(c.first)
    return [Refill(*row) for row in connection.execute(query)]


def insert_refill(connection: Connection, filled: Refill, mac_key: bytes) -> None:
    """Note a refill."""
    connection.execute(insert(refill), row_mac.with_mac(mac_key, "refill", filled._asdict()))


def insert_lost(connection: Connection, first: int, openings: Sequence[int], mac_key: bytes) -> None:
    """Note which openings are lost in the refill that begins at `first`."""
    rows = [{"idx": index, "first": first} for index in openings]
    insert_rows(connection, lost_opening, [row_mac.with_mac(mac_key, "lost_opening", row) for row in rows])


def found_again(connection: Connection, index: int, at: int, mac_key: bytes) -> None:
    """An opening came back, and with it the entry's time; entries after it whose times are only bounds follow it."""
    connection.execute(delete(lost_opening).where(lost_opening.c.idx == index))
    earlier = entry.c.idx >= index, entry.c.at < at
    moved = list(connection.scalars(select(entry.c.idx).where(*earlier)))
    for part in in_parts(moved):
        connection.execute(update(entry).where(entry.c.idx.in_(part)).values(at=at))
        row_mac.renew(connection, mac_key, "entry", entry.c.idx.in_(part))


def refilled_mark(key: bytes) -> bytes:
    """The fingerprint of entries that came back from the published copy: nobody knows what was asked for."""
    return keyed_digest(key, b"refilled")


def is_lost(connection: Connection, index: int) -> bool:
    """Whether an entry's opening is lost."""
    return connection.scalar(select(lost_opening.c.idx).where(lost_opening.c.idx == index)) is not None


def count(connection: Connection) -> int:
    """How many openings are lost."""
    return connection.scalar(select(func.count()).select_from(lost_opening)) or 0


def last_lost(connection: Connection, *, size: int | None = None, at: int | None = None) -> int:
    """Index of the last entry whose opening is lost; -1 where none is.

    Args:
        connection: A transaction.
        size: Only of the first `size` entries.
        at: Only entries stored with this second or an earlier one. Of a lost entry only a lower bound of its time is
            known, so that none that may have been there by then is left out.
    """
    query = select(func.max(lost_opening.c.idx))
    if size is not None:
        query = query.where(lost_opening.c.idx < size)
    if at is not None:
        query = query.join_from(lost_opening, entry, lost_opening.c.idx == entry.c.idx).where(
            entry.c.at <= at
        )
    found: int | None = connection.scalar(query)
    return -1 if found is None else found


def number_floor(connection: Connection) -> int:
    """The smallest number that a new person may get."""
    return connection.scalar(select(func.max(refill.c.numbers))) or 0


def events_not_after_loss(connection: Connection, purpose_id: str, *, size: int, at: int | None) -> int:
    """How many events of a purpose, the oldest, are not later than the last entry whose opening is lost.

    Args:
        connection: A transaction.
        purpose_id: The purpose.
        size: Only the first `size` entries count.
        at: Only what was there by this second counts; all when None.
    """
    last = last_lost(connection, size=size, at=at)
    if last < 0:
        return 0
    c = consent_event.c
    query = select(func.count()).select_from(consent_event).where(c.purpose == purpose_id, c.idx <= last)
    if at is not None:
        query = query.where(c.at <= at)
    return connection.scalar(query) or 0


def confirmed_since(connection: Connection, purpose_id: str, index: int) -> set[int]:
    """The numbers that have an event of a purpose after an entry."""
    c = consent_event.c
    return set(connection.scalars(select(c.number).where(c.purpose == purpose_id, c.idx > index)))
