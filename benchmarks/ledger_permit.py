"""How long the permits of a whole population take, cold and warm.

    .venv/bin/python benchmarks/ledger_permit.py [--size PEOPLE] [--database URL]

Three events a person. Budgets (issue 3), over pseudonyms: 1,000,000 people under 3 s cold and 1 s warm; 10,000,000
under 40 s cold with at most 8 GB of memory. From 100,000 people on, others are held to their share of the nearest budget.
Cold is a ledger that this process has not read; warm is the same question again, after one more entry. More than 100,000
people, and everybody in PostgreSQL, are put straight into the projections, with no more of the log than the checkpoint
needs (`ledger_city.fill_projections`). `--database` is an empty PostgreSQL database (`postgresql://...`). Exits with 1 when
a budget is broken.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from ledger_city import OFFER, city, fill, fill_projections

from consent.bulk import permits, permits_of_pseudonyms
from consent.ledger import Ledger
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Callable

MILLION = 1_000_000
HELD_FROM = 100_000
WHOLE_TO = 100_000
EVENTS_EACH = 3
COLD_S, WARM_S, COLD_S_ABOVE = 3.0, 1.0, 4.0
"""Seconds per million people; the last for more than a million."""
MEMORY_GB = 8.0
KIB_PER_GB = 1024 * 1024


def main(people: int, database: str | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = city(folder, database)
        with Ledger.open(home) as ledger:
            wall = time.perf_counter()
            make = fill if people <= WHOLE_TO and database is None else fill_projections
            pseudonyms = make(ledger, people, EVENTS_EACH)
            print(
                f"made {people:,} people, {EVENTS_EACH * people:,} events: {time.perf_counter() - wall:.0f} s",
                flush=True,
            )
        with Ledger.open(home) as ledger:
            share = people / MILLION
            broken = report(
                "cold, from pseudonyms",
                lambda: permits_of_pseudonyms(ledger, pseudonyms, OFFER, "scoring"),
                share * (COLD_S if people <= MILLION else COLD_S_ABOVE),
            )
            ledger.record_consent("one-more", OFFER, ConsentStatus.GIVEN)
            broken += report(
                "warm, from pseudonyms",
                lambda: permits_of_pseudonyms(ledger, pseudonyms, OFFER, "scoring"),
                share * WARM_S,
            )
            if people <= WHOLE_TO:
                ids = [f"invented-{i}" for i in range(people)]
                report("warm, from external ids", lambda: permits(ledger, ids, OFFER, "scoring"), None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
    fails = peak > MEMORY_GB
    print(
        f"{peak:7.2f} GB peak, the making of the ledger included: budget {MEMORY_GB} GB{', BROKEN' if fails else ''}"
    )
    return int((broken > 0 and people >= HELD_FROM) or fails)


def report(name: str, ask: Callable[[], object], budget: float | None) -> int:
    wall, processor = time.perf_counter(), time.process_time()
    ask()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    fails = budget is not None and min(wall, processor) > budget
    says = "no budget" if budget is None else f"budget {budget:.2f} s{', BROKEN' if fails else ''}"
    print(f"{wall:7.2f} s wall {processor:7.2f} s processor  {name}: {says}", flush=True)
    return int(fails)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=100_000, help="people")
    parser.add_argument("--database", help="an empty PostgreSQL database")
    asked = parser.parse_args()
    sys.exit(main(asked.size, asked.database))
