"""The purposes of the ledger's benchmarks, and large ledgers made fast."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from consent import store, store_consents, store_log
from consent.setup import create
from consent.tlog.merkle import leaf_hash, load_edge
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
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
