"""The purposes of the ledger's benchmarks, and large ledgers made fast."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from consent import store, store_consents, store_log
from consent.setup import create
from consent.tlog.merkle import leaf_hash, load_edge
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
            store.insert_rows(connection, store.subject, new)
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


def fill_projections(ledger: Ledger, people: int, events_each: int) -> list[bytes]:
    """Make a much larger ledger faster still, for bulk permits only; returns everybody's pseudonym.

    People and events are as `fill` makes them, numbers given at random. Of the log there is only what its root is made of,
    the right edge of the tree, of invented hashes. In SQLite the events' table is left with its primary key alone: a bulk
    permit reads no other index.
    """
    first, now = ledger.head().size, store_consents.epoch(ledger.log.now())
    end = first + people * events_each
    pseudonyms = [os.urandom(16) for _ in range(people)]
    numbers = list(range(people))
    Random(1).shuffle(numbers)  # noqa: S311 - invented people
    codes = [status.code for status in STATUSES]

    def events() -> Iterator[tuple[object, ...]]:
        for place in range(end - first):
            code = codes[(place * 7 + place // people) % len(codes)]
            yield first + place, numbers[place % people], OFFER, 1, 1, code, EVERYTHING, now, now + 10**7

    def tiles() -> Iterator[tuple[object, ...]]:
        for level in range(4):
            count = end >> 8 * (level + 1)
            for index in range(count - count % 256, count):
                yield level, index, b"", os.urandom(32)

    edge = max(first, end - end % 256)
    tables: dict[str, Iterable[tuple[object, ...]]] = {
        "subject (number, pseudonym, subject, enrolled)": zip(
            numbers, pseudonyms, pseudonyms, range(first, first + people), strict=True
        ),
        "consent_event (idx, number, purpose, purpose_version, notice_version, status, processing, at, expires)": events(),
        "entry (idx, leaf, body, at, request)": (
            (index, os.urandom(32), b"", now, os.urandom(16)) for index in range(edge, end)
        ),
        "tile (level, idx, hashes, root)": tiles(),
    }
    if ledger.log.store.database.name == ledger.home.database.name:
        _load_sqlite(ledger.home.database, tables)
    else:
        with ledger.log.store.write() as connection:
            raw: Any = connection.connection.driver_connection
            for table, rows in tables.items():
                with raw.cursor().copy(f"COPY {table} FROM STDIN") as copying:
                    for row in rows:
                        copying.write_row(row)
    ledger.checkpoint()
    return pseudonyms


def _load_sqlite(path: Path, tables: dict[str, Iterable[tuple[object, ...]]]) -> None:
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=OFF", "cache_size=-2000000"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("BEGIN")
    for index in ("ix_consent_event_state", "ix_consent_event_number"):
        raw.execute(f"DROP INDEX {index}")
    for table, rows in tables.items():
        places = ", ".join("?" * (table.count(",") + 1))
        raw.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - our own tables
    raw.execute("COMMIT")
    raw.close()
