"""Statements about the log itself: entries, tiles, requests, payloads and details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import select, text, update

from consent import row_mac
from consent.store import detail, entry, insert_rows, institutional, payload, tile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection

    from consent.tlog.merkle import FullTile

Row = dict[str, Any]
_Item = TypeVar("_Item")
IN_LIMIT = 500
"""Most parameters of one IN (...): SQLite's oldest limit is 999."""


# As text: to put them together from columns takes a new process longer than to answer them (benchmarks/ledger_cold.py).
_TILE = text("SELECT hashes FROM tile WHERE level = :level AND idx = :idx")
_LEAVES = text("SELECT leaf FROM entry WHERE idx >= :start AND idx < :end ORDER BY idx")
_ROOTS = text("SELECT root FROM tile WHERE level = :level AND idx >= :start AND idx < :end ORDER BY idx")
_END = text("SELECT idx, at FROM entry ORDER BY idx DESC LIMIT 1")


class SqlHashes:
    """The log's hashes as `merkle.HashStore` asks for them, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tile(self, level: int, index: int) -> bytes:
        """See `HashStore.tile`."""
        row = self._connection.execute(_TILE, {"level": level, "idx": index}).one_or_none()
        return bytes(row[0]) if row else b""

    def span(self, level: int, start: int, end: int) -> bytes:
        """See `HashStore.span`."""
        if level == 0:
            found = self._connection.execute(_LEAVES, {"start": start, "end": end})
        else:
            found = self._connection.execute(_ROOTS, {"level": level - 1, "start": start, "end": end})
        return b"".join(row[0] for row in found)

    def entries(self, start: int, end: int) -> list[bytes]:
        """See `publish.LogSource.entries`."""
        query = select(entry.c.body).where(entry.c.idx >= start, entry.c.idx < end).order_by(entry.c.idx)
        return [bytes(row[0]) for row in self._connection.execute(query)]


class LogEnd(NamedTuple):
    """Where the log ends: its size, and the time of its last entry (0 when empty)."""

    size: int
    last_at: int


def log_end(connection: Connection) -> LogEnd:
    """Where the log ends."""
    row = connection.execute(_END).one_or_none()
    return LogEnd(0, 0) if row is None else LogEnd(row.idx + 1, row.at)


def insert_entries(connection: Connection, rows: Sequence[Row], tiles: Iterable[FullTile]) -> None:
    """Append entries, and the tiles that they made full."""
    insert_rows(connection, entry, rows)
    insert_rows(
        connection,
        tile,
        [{"level": t.level, "idx": t.index, "hashes": t.hashes, "root": t.root} for t in tiles],
    )


def insert_openings(connection: Connection, payloads: Sequence[Row], details: Sequence[Row]) -> None:
    """Store what the entries commit to, encrypted."""
    insert_rows(connection, payload, payloads)
    insert_rows(connection, detail, details)


def insert_institutional(connection: Connection, rows: Sequence[Row]) -> None:
    """Note which entries are the institution's own."""
    insert_rows(connection, institutional, rows)


class Answered(NamedTuple):
    """An entry that an earlier request with the same id made."""

    idx: int
    fingerprint: bytes | None


def answered(connection: Connection, requests: Collection[bytes]) -> dict[bytes, Answered]:
    """Earlier entries by request."""
    found: dict[bytes, Answered] = {}
    for part in in_parts(list(requests)):
        query = select(entry.c.request, entry.c.idx, entry.c.fingerprint).where(entry.c.request.in_(part))
        for row in connection.execute(query):
            found[row.request] = Answered(row.idx, row.fingerprint)
    return found


def forget_fingerprints(connection: Connection, indices: Sequence[int], mac_key: bytes) -> None:
    """Forget what requests asked for; that they were answered stays."""
    for part in in_parts(indices):
        connection.execute(update(entry).where(entry.c.idx.in_(part)).values(fingerprint=None))
        row_mac.renew(connection, mac_key, "entry", entry.c.idx.in_(part))


def body(connection: Connection, index: int) -> bytes | None:
    """The exact bytes of one entry."""
    row = connection.execute(select(entry.c.body).where(entry.c.idx == index)).one_or_none()
    return None if row is None else bytes(row[0])


def bodies_of_kind(connection: Connection, kind: str) -> list[tuple[int, bytes]]:
    """Index and exact bytes of the institution's entries of a kind, oldest first."""
    query = (
        select(entry.c.idx, entry.c.body)
        .join(institutional, institutional.c.idx == entry.c.idx)
        .where(institutional.c.kind == kind)
        .order_by(entry.c.idx)
    )
    return [(row.idx, row.body) for row in connection.execute(query)]


class Sealed(NamedTuple):
    """An encrypted payload, whose it is, and the class of key that opens it."""

    number: int
    retention: int
    ciphertext: bytes


def sealed_payload(connection: Connection, index: int) -> Sealed | None:
    """The encrypted payload of an entry."""
    query = select(payload.c.number, payload.c["class"], payload.c.ciphertext).where(payload.c.idx == index)
    row = connection.execute(query).one_or_none()
    return None if row is None else Sealed(row[0], row[1], row[2])


def sealed_details(connection: Connection, index: int) -> list[tuple[str, bytes]]:
    """Name and ciphertext of an entry's details."""
    query = select(detail.c.name, detail.c.ciphertext).where(detail.c.idx == index).order_by(detail.c.name)
    return [(row[0], row[1]) for row in connection.execute(query)]


def payload_indices(connection: Connection, number: int) -> list[int]:
    """Which entries are about a person and not erased."""
    return list(
        connection.scalars(select(payload.c.idx).where(payload.c.number == number).order_by(payload.c.idx))
    )


def in_parts(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    """Cut a list to what one IN (...) takes."""
    for start in range(0, len(items), IN_LIMIT):
        yield items[start : start + IN_LIMIT]
