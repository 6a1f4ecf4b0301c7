"""Statements of an erasure about many people at once: what is counted, and what is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from consent import row_mac
from consent.store import detail, entry, erased_opening, erasure, insert_rows, payload, subject
from consent.store_log import in_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection


def payload_indices(connection: Connection, numbers: Sequence[int]) -> dict[int, list[int]]:
    """Which entries are about each person and not erased, by number; people without any are left out."""
    found: dict[int, list[int]] = {}
    for part in in_parts(numbers):
        query = select(payload.c.number, payload.c.idx).where(payload.c.number.in_(part))
        for row in connection.execute(query.order_by(payload.c.idx)):
            found.setdefault(row[0], []).append(row[1])
    return found


def count_payloads(
    connection: Connection, numbers: Sequence[int], retention: int
) -> Iterator[tuple[int, int]]:
    """Number and how many payloads of a class are kept of each person who has any."""
    for part in in_parts(numbers):
        query = (
            select(payload.c.number, func.count())
            .where(payload.c.number.in_(part), payload.c["class"] == retention)
            .group_by(payload.c.number)
        )
        yield from ((row[0], row[1]) for row in connection.execute(query))


def count_details(connection: Connection, numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Number and how many named details are kept of each person who has any."""
    for part in in_parts(numbers):
        query = (
            select(detail.c.number, func.count()).where(detail.c.number.in_(part)).group_by(detail.c.number)
        )
        yield from ((row[0], row[1]) for row in connection.execute(query))


def delete_payloads(connection: Connection, numbers: Sequence[int], retention: int) -> None:
    """Delete people's payloads of one class."""
    for part in in_parts(numbers):
        connection.execute(delete(payload).where(payload.c.number.in_(part), payload.c["class"] == retention))


def delete_details(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete people's named details."""
    for part in in_parts(numbers):
        connection.execute(delete(detail).where(detail.c.number.in_(part)))


def note_erased_openings(connection: Connection, erasures: Mapping[int, int], mac_key: bytes) -> None:
    """Note which erasure took the opening of which entry, so that a missing one is never mistaken for a loss.

    Args:
        connection: A writing connection.
        erasures: Index of the erasure's entry by index of the entry that lost its opening.
        mac_key: The pseudonym key.
    """
    rows = [{"idx": index, "erasure": erasure_index} for index, erasure_index in erasures.items()]
    insert_rows(
        connection, erased_opening, [row_mac.with_mac(mac_key, "erased_opening", row) for row in rows]
    )


def insert_erasures(
    connection: Connection, receipts: Sequence[tuple[int, int, bytes]], mac_key: bytes
) -> None:
    """Note erasures: index, number and receipt of each."""
    rows = [{"idx": index, "number": number, "receipt": receipt} for index, number, receipt in receipts]
    insert_rows(connection, erasure, [row_mac.with_mac(mac_key, "erasure", row) for row in rows])


def erasure_receipts(connection: Connection, indices: Sequence[int]) -> dict[int, bytes]:
    """The stored receipts of erasures, by index."""
    found: dict[int, bytes] = {}
    for part in in_parts(indices):
        query = select(erasure.c.idx, erasure.c.receipt).where(erasure.c.idx.in_(part))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def erasure_requests(connection: Connection) -> list[tuple[int, bytes]]:
    """Index and request of the entry of every erasure, oldest first."""
    query = select(erasure.c.idx, entry.c.request).join(entry, entry.c.idx == erasure.c.idx)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(erasure.c.idx))]


def living(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[bytes, int]]:
    """Subject id and index of enrolment of those who are on record and not erased, by number."""
    found: dict[int, tuple[bytes, int]] = {}
    for part in in_parts(numbers):
        query = select(subject.c.number, subject.c.subject, subject.c.enrolled).where(
            subject.c.number.in_(part), subject.c.erased.is_(None)
        )
        found.update((row[0], (row[1], row[2])) for row in connection.execute(query))
    return found
