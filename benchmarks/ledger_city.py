"""The purposes of the ledger's benchmarks, and large ledgers made fast."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ledger_copy import copy_binary, without_secondary_indexes

from consent import sealed_people, store, store_bulk, store_consents, store_log
from consent.canonical import SLOT_MULTIPLE
from consent.keys import KEY_BYTES
from consent.setup import create
from consent.tlog.merkle import leaf_hash, load_edge
from consent.vocabulary import ConsentStatus, RetentionClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger_copy import Block
    from numpy.typing import NDArray

    from consent.home import Home
    from consent.ledger import Ledger

BATCH = 50_000
EVERYTHING = 0xFF
STATUSES = (ConsentStatus.GIVEN, ConsentStatus.GIVEN, ConsentStatus.WITHDRAWN, ConsentStatus.REFUSED)

OFFER = "benchmark.offer"
PURPOSES = """
[[purpose]]
id = "benchmark.offer"
version = 1
title = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
description = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
service = "benchmark"
legal_basis = "eu-gdpr:A6-1-e"
processing = ["human-review", "scoring"]
categories = ["dpv-pd:Education"]
retention_days = 30
consent_days = 365
controller = "City of Example"
recipients = []
effects_of_no = { fi = "Ei mitään", sv = "Ingenting", en = "Nothing" }

[purpose.notice]
id = "benchmark.offer"
version = 1
text = { fi = "Saammeko mitata?", sv = "Får vi mäta?", en = "May we measure?" }
"""


def city(folder: str, database: str | None = None) -> Home:
    """A new home in a folder; its ledger in SQLite, or in an empty PostgreSQL database (`postgresql://...`)."""
    return create(
        Path(folder) / "home",
        origin="benchmark.invalid/consent",
        purposes=PURPOSES,
        clock=lambda: datetime.now(UTC),
        database=database,
    )


def fill(ledger: Ledger, people: int, events_each: int) -> list[bytes]:
    """Make a large ledger fast, for reading only; returns everybody's pseudonym.

    The tree, its tiles and the checkpoint are the product's own. Entries are random bytes instead of commitments, and
    people and events are put into the projections directly, so `luvalla ledger check` refuses such a ledger.
    """
    log = ledger.log
    start = ledger.head().size
    now = store_consents.epoch(log.now())
    pseudonyms = [log.pseudonym(f"invented-{i}") for i in range(people)]
    size, end = start, start + people * events_each
    edge = None
    while size < end:
        count = min(BATCH, end - size)
        bodies = [b"%016d" % i for i in range(size, size + count)]
        leaves = [leaf_hash(body) for body in bodies]
        with log.store.write() as connection:
            edge = edge or load_edge(store_log.SqlHashes(connection), size)
            edge, tiles = edge.extended(leaves)
            rows = [
                {"idx": size + k, "leaf": leaf, "body": body, "at": now, "request": body, "fingerprint": None}
                for k, (leaf, body) in enumerate(zip(leaves, bodies, strict=True))
            ]
            store_log.insert_entries(connection, rows, tiles)
            places = range(size - start, size - start + count)
            new = [
                {"number": n, "pseudonym": pseudonyms[n], "subject": pseudonyms[n], "enrolled": start + n, "erased": None}
                for n in places
                if n < people
            ]  # fmt: skip
            rows = sealed_people.sealed_rows(log.vault, log.pseudonym_key, new)
            store.insert_rows(connection, store.subject, rows)
            events = [
                {
                    "idx": start + place, "number": place % people, "purpose": OFFER, "purpose_version": 1, "notice_version": 1,
                    "status": STATUSES[(place * 7 + place // people) % len(STATUSES)].code, "processing": EVERYTHING,
                    "at": now, "expires": now + 10**7,
                }
                for place in places
            ]  # fmt: skip
            store.insert_rows(connection, store.consent_event, events)
        size += count
    ledger.checkpoint()
    return pseudonyms


def fill_projections(ledger: Ledger, people: int, events_each: int, *, use_keys: bool = False) -> list[bytes]:
    """Make a much larger ledger faster still, for bulk permits only; returns everybody's pseudonym.

    With `use_keys` everybody also has a key for uses, wrapped as the product wraps it, so that runs can be recorded.

    Everybody's first events come in the order of enrolment, in which numbers are random within a block of 65,536, as the
    product gives them; each later round of events comes in another order, random over everybody. Of the log there is only what
    its root is made of, the edges of the tree, of invented hashes. In SQLite the events' table is left with its primary
    key alone: a bulk permit reads no other index. In PostgreSQL the indexes beside the primary keys are dropped, made again when
    the rows are in, and the tables analysed, so that the planner has the choice that it has in a city.
    """
    first, now = ledger.head().size, store_consents.epoch(ledger.log.now())
    end = first + people * events_each
    pseudonyms = np.frombuffer(
        os.urandom(store_bulk.PSEUDONYM_BYTES * people), f"V{store_bulk.PSEUDONYM_BYTES}"
    )
    chance = np.random.default_rng(1)
    blocks = (range(low, min(low + SLOT_MULTIPLE, people)) for low in range(0, people, SLOT_MULTIPLE))
    numbers = np.concatenate([chance.permutation(block) for block in blocks])
    tables: dict[str, Iterator[Block]] = {
        "subject (number, pseudonym, subject, enrolled, kek)": _people(ledger, numbers, pseudonyms, first),
        "consent_event (idx, number, purpose, purpose_version, notice_version, status, processing, at, expires)": _events(
            numbers, events_each, first, now
        ),
        "entry (idx, leaf, body, at, request)": _entries(range(max(first, end - end % 256), end), now),
        "tile (level, idx, hashes, root)": _tiles(end),
    }
    if use_keys:
        tables['subject_key ("class", number, wrapped)'] = _use_keys(ledger, people)
    if ledger.log.store.database.name == ledger.home.database.name:
        _load_sqlite(ledger.home.database, tables)
    else:
        with ledger.log.store.write() as connection:
            raw: Any = connection.connection.driver_connection
            with without_secondary_indexes(raw, ["subject", "consent_event"]):
                for table, rows in tables.items():
                    copy_binary(raw, table, rows)
            raw.execute("ANALYZE subject, consent_event")
    ledger.checkpoint()
    return pseudonyms.tolist()


def _people(
    ledger: Ledger, numbers: NDArray[np.int64], pseudonyms: NDArray[np.void], first: int
) -> Iterator[Block]:
    key = ledger.log.vault.column_key()
    column = np.frombuffer(key.seal(pseudonyms.tobytes()), pseudonyms.dtype)
    for low in range(0, len(numbers), BATCH):
        part = slice(low, low + BATCH)
        enrolled = first + np.arange(low, low + len(numbers[part]))
        kek = np.full(len(numbers[part]), np.void(key.name))
        yield [numbers[part].astype(">i8"), column[part], pseudonyms[part], enrolled.astype(">i8"), kek]


def _events(numbers: NDArray[np.int64], each: int, first: int, now: int) -> Iterator[Block]:
    codes, people = np.array([status.code for status in STATUSES], ">i2"), len(numbers)
    chance = np.random.default_rng(2)
    for turn in range(each):
        who = numbers if turn == 0 else chance.permutation(numbers)
        for low in range(0, people, BATCH):
            part = who[low : low + BATCH]
            place = np.arange(turn * people + low, turn * people + low + len(part))
            yield [
                (first + place).astype(">i8"),
                part.astype(">i8"),
                np.full(len(part), OFFER.encode(), f"S{len(OFFER)}"),
                np.ones(len(part), ">i4"),
                np.ones(len(part), ">i4"),
                codes[(place * 7 + turn) % len(codes)],
                np.full(len(part), EVERYTHING, ">i4"),
                np.full(len(part), now, ">i8"),
                np.full(len(part), now + 10**7, ">i8"),
            ]


def _use_keys(ledger: Ledger, people: int) -> Iterator[Block]:
    wrap = ledger.log.vault.wrap
    for low in range(0, people, BATCH):
        numbers = range(low, min(low + BATCH, people))
        wrapped = b"".join(wrap(number, RetentionClass.USE, os.urandom(KEY_BYTES)) for number in numbers)
        code = np.full(len(numbers), RetentionClass.USE.code, ">i2")
        yield [code, np.array(numbers, ">i8"), np.frombuffer(wrapped, f"V{len(wrapped) // len(numbers)}")]


def _entries(indexes: range, now: int) -> Iterator[Block]:
    if indexes:
        yield [
            np.array(indexes, ">i8"),
            _invented(len(indexes), 32),
            np.full(len(indexes), b"-", "S1"),
            np.full(len(indexes), now, ">i8"),
            _invented(len(indexes), 16),
        ]


def _tiles(end: int) -> Iterator[Block]:
    for level in range(4):
        count = end >> 8 * (level + 1)
        # The right edge, and what a proof of the purpose's entry, one of the first, reads.
        places = np.unique([*range(min(count, 1)), *range(count - count % 256, count)])
        if len(places):
            yield [
                np.full(len(places), level, ">i2"),
                places.astype(">i8"),
                _invented(len(places), 256 * 32),
                _invented(len(places), 32),
            ]


def _invented(count: int, width: int) -> NDArray[np.void]:
    return np.frombuffer(os.urandom(count * width), f"V{width}")


def _load_sqlite(path: Path, tables: dict[str, Iterator[Block]]) -> None:
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=OFF", "cache_size=-2000000"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("BEGIN")
    for index in ("ix_consent_event_state", "ix_consent_event_number"):
        raw.execute(f"DROP INDEX {index}")
    for table, blocks in tables.items():
        places = ", ".join("?" * (table.count(",") + 1))
        for block in blocks:
            # Text is text: bytes would be stored as a blob, which compares equal to no text.
            columns = [
                [OFFER] * len(each) if each.dtype == f"S{len(OFFER)}" else each.tolist() for each in block
            ]
            raw.executemany(f"INSERT INTO {table} VALUES ({places})", zip(*columns, strict=True))  # noqa: S608 - our own tables
    raw.execute("COMMIT")
    raw.close()
