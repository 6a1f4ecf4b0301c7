"""Statements about uses: runs, their chunks of statuses, kept values and the slots of erased people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, select, update

from consent import row_mac
from consent.store import entry, insert_rows, institutional, use_chunk, use_run, use_slot, use_values
from consent.use_values import CHUNK, pack, positions, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from consent.store_log import Row


class Run(NamedTuple):
    """One recorded run; what it was is in its entry."""

    run: bytes
    idx: int
    slots: int
    secret: bytes
    values_until: int | None


class Chunk(NamedTuple):
    """1,024 compressed statuses and the roots over their slots."""

    chunk: int
    statuses: bytes
    root: bytes
    values_root: bytes | None


_RUN = (use_run.c.run, use_run.c.idx, use_run.c.slots, use_run.c.secret, use_run.c.values_until)
_CHUNK = (use_chunk.c.chunk, use_chunk.c.statuses, use_chunk.c.root, use_chunk.c.values_root)


def insert_run(connection: Connection, run: Row, chunks: Sequence[Row], values: Sequence[Row]) -> None:
    """Add a run."""
    insert_rows(connection, use_run, [run])
    insert_rows(connection, use_chunk, chunks)
    insert_rows(connection, use_values, values)


def run_of(connection: Connection, run: bytes) -> Run | None:
    """One run."""
    row = connection.execute(select(*_RUN).where(use_run.c.run == run)).one_or_none()
    return None if row is None else Run(*row)


def runs_after(connection: Connection, index: int) -> list[Run]:
    """Every run recorded after an entry, oldest first."""
    query = select(*_RUN).where(use_run.c.idx > index).order_by(use_run.c.idx)
    return [Run(*row) for row in connection.execute(query)]


def entries_without_run(connection: Connection) -> list[tuple[int, bytes]]:
    """Index and exact bytes of the entries of runs that have no row: their lists of people are gone."""
    query = (
        select(entry.c.idx, entry.c.body)
        .join(institutional, institutional.c.idx == entry.c.idx)
        .outerjoin(use_run, use_run.c.idx == entry.c.idx)
        .where(institutional.c.kind == "run", use_run.c.idx.is_(None))
        .order_by(entry.c.idx)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def chunk_of(connection: Connection, run: bytes, number: int) -> Chunk | None:
    """One chunk of a run."""
    query = select(*_CHUNK).where(use_chunk.c.run == run, use_chunk.c.chunk == number)
    row = connection.execute(query).one_or_none()
    return None if row is None else Chunk(*row)


def chunks_of(connection: Connection, run: bytes) -> list[Chunk]:
    """Every chunk of a run, in order."""
    query = select(*_CHUNK).where(use_chunk.c.run == run).order_by(use_chunk.c.chunk)
    return [Chunk(*row) for row in connection.execute(query)]


def statuses_in_runs(connection: Connection, chunk: int) -> list[tuple[bytes, bytes, bytes | None]]:
    """Run, compressed statuses of one chunk number, and the run's entry (None without one), of every run that has it."""
    query = (
        select(use_run.c.run, use_chunk.c.statuses, entry.c.body)
        .join(use_chunk, use_chunk.c.run == use_run.c.run)
        .outerjoin(entry, entry.c.idx == use_run.c.idx)
        .where(use_chunk.c.chunk == chunk)
        .order_by(use_run.c.idx)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def update_statuses(connection: Connection, rows: Sequence[tuple[bytes, int, bytes]], mac_key: bytes) -> None:
    """Replace the compressed statuses of chunks: run, chunk, statuses."""
    statement = (
        update(use_chunk)
        .where(use_chunk.c.run == bindparam("of_run"), use_chunk.c.chunk == bindparam("of_chunk"))
        .values(statuses=bindparam("new_statuses"))
    )
    for run, chunk, statuses in rows:
        connection.execute(statement, {"of_run": run, "of_chunk": chunk, "new_statuses": statuses})
        this = (use_chunk.c.run == run, use_chunk.c.chunk == chunk)
        row_mac.renew(connection, mac_key, "use_chunk", *this)


def explanation_of(connection: Connection, run: bytes) -> bytes | None:
    """The run's explanation document, exact bytes."""
    return connection.scalar(select(use_run.c.explanation).where(use_run.c.run == run))


def explained_runs(connection: Connection) -> set[bytes]:
    """Runs with an explanation document."""
    return set(connection.scalars(select(use_run.c.run).where(use_run.c.explanation.is_not(None))))


def value_of(connection: Connection, run: bytes, number: int) -> bytes | None:
    """One person's kept values in one run, encrypted."""
    chunk, position = divmod(number, CHUNK)
    return values_of_chunk(connection, run, chunk).get(position)


def values_of_chunk(connection: Connection, run: bytes, chunk: int) -> dict[int, bytes]:
    """Kept values of one chunk by position, encrypted."""
    query = select(use_values.c.lengths, use_values.c.sealed).where(
        use_values.c.run == run, use_values.c.chunk == chunk
    )
    row = connection.execute(query).one_or_none()
    return {} if row is None else unpack(row[0], row[1])


def runs_with_values_of(connection: Connection, number: int) -> set[bytes]:
    """In which runs values of a person are kept; reads no ciphertext."""
    chunk, position = divmod(number, CHUNK)
    query = select(use_values.c.run, use_values.c.lengths).where(use_values.c.chunk == chunk)
    return {row[0] for row in connection.execute(query) if position in positions(row[1])}


def positions_with_values(connection: Connection, chunk: int) -> dict[bytes, set[int]]:
    """At which positions of a chunk values are kept, by run; reads no ciphertext."""
    query = select(use_values.c.run, use_values.c.lengths).where(use_values.c.chunk == chunk)
    return {row[0]: set(positions(row[1])) for row in connection.execute(query)}


def replace_values(
    connection: Connection, run: bytes, chunk: int, sealed: Mapping[int, bytes], mac_key: bytes
) -> None:
    """Put what is left of a chunk's kept values in their place, by position."""
    this = (use_values.c.run == run, use_values.c.chunk == chunk)
    if not sealed:
        # An empty row would say nothing, so nothing could tell that it was deleted.
        connection.execute(delete(use_values).where(*this))
        return
    lengths, packed = pack(sealed)
    connection.execute(update(use_values).where(*this).values(lengths=lengths, sealed=packed))
    row_mac.renew(connection, mac_key, "use_values", *this)


def runs_past(connection: Connection, now: int) -> list[bytes]:
    """Runs whose kept values are past their time."""
    return list(connection.scalars(select(use_run.c.run).where(use_run.c.values_until <= now)))


def purge_values(connection: Connection, run: bytes, mac_key: bytes) -> int:
    """Delete all kept values of a run; returns of how many people."""
    lengths = connection.scalars(select(use_values.c.lengths).where(use_values.c.run == run))
    count = sum(len(positions(item)) for item in lengths)
    connection.execute(delete(use_values).where(use_values.c.run == run))
    connection.execute(update(use_run).where(use_run.c.run == run).values(values_until=None))
    row_mac.renew(connection, mac_key, "use_run", use_run.c.run == run)
    return count


def insert_slots(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep the slot hashes of a person about to be erased."""
    insert_rows(connection, use_slot, rows)


def slots_between(
    connection: Connection, run: bytes, low: int, high: int
) -> dict[int, tuple[bytes, bytes | None]]:
    """Slot and values slot of erased people with numbers from `low` to `high` - 1."""
    query = select(use_slot.c.number, use_slot.c.slot, use_slot.c.values_slot).where(
        use_slot.c.run == run, use_slot.c.number >= low, use_slot.c.number < high
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}
