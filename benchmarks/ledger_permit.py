"""How long the permits of a whole population take, cold and warm.

    .venv/bin/python benchmarks/ledger_permit.py [--size PEOPLE] [--rounds ROUNDS] [--postgresql [BINARIES] | --database URL]

Three events a person. Budgets (issue 3), over pseudonyms: 1,000,000 people under 3 s cold and 1 s warm; 10,000,000
under 40 s cold with at most 8 GB of memory. From 100,000 people on, others are held to their share of the nearest budget; fewer are
held to none.
Cold is a ledger that this process has not read; warm is the same question again, after one more entry. Of several rounds the
best and the median are shown, and the best is held to the budget. More than 100,000
people, and everybody in PostgreSQL, are put straight into the projections, with no more of the log than the checkpoint
needs (`ledger_city.fill_projections`). `--postgresql` starts a server of its own (`ledger_server.SETTINGS`) and shows what that
costs too; `--database` is an empty PostgreSQL database (`postgresql://...`). Exits with 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_city import OFFER, city, fill, fill_projections
from ledger_server import server

from consent.bulk import permits, permits_of_pseudonyms
from consent.ledger import Ledger
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger_server import Server

    from consent.home import Home

MILLION = 1_000_000
HELD_FROM = 100_000
WHOLE_TO = 100_000
EVENTS_EACH = 3
COLD_S, WARM_S, COLD_S_ABOVE = 3.0, 1.0, 4.0
"""Seconds per million people; the last for more than a million."""
MEMORY_GB = 8.0
KIB_PER_GB = 1024 * 1024
BINARIES = Path("/usr/lib/postgresql/15/bin")

Times = tuple[float, float, float]
"""Seconds by wall, of this process's processor time, and of the server's."""


def main(people: int, rounds: int, database: str | None, running: Server | None) -> int:
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
        made = peak_gb()
        measured = [ask(home, pseudonyms, running) for _ in range(rounds)]
        share = people / MILLION
        cold_s = share * (COLD_S if people <= MILLION else COLD_S_ABOVE)
        held = people >= HELD_FROM
        broken = report("cold, from pseudonyms", [cold for cold, _ in measured], cold_s if held else None)
        broken += report(
            "warm, from pseudonyms", [warm for _, warm in measured], share * WARM_S if held else None
        )
        if people <= WHOLE_TO:
            ids = [f"invented-{i}" for i in range(people)]
            with Ledger.open(home) as ledger:
                permits(ledger, ids, OFFER, "scoring")
                once = timed(lambda: permits(ledger, ids, OFFER, "scoring"), running)
            report("warm, from external ids", [once], None)
    fails = peak_gb() > MEMORY_GB
    print(
        f"{peak_gb():7.2f} GB peak, the making of the ledger included ({made:.2f} GB by then): budget {MEMORY_GB} GB"
        f"{', BROKEN' if fails else ''}"
    )
    if running is not None:
        print(f"{running.peak_gb:7.2f} GB peak of the server, the making of the ledger included")
    return int(broken > 0 or fails)


def ask(home: Home, pseudonyms: list[bytes], running: Server | None) -> tuple[Times, Times]:
    """Cold, then warm after one more entry."""

    def everybody() -> object:
        return permits_of_pseudonyms(ledger, pseudonyms, OFFER, "scoring")

    with Ledger.open(home) as ledger:
        cold = timed(everybody, running)
        ledger.record_consent(os.urandom(16).hex(), OFFER, ConsentStatus.GIVEN)
        return cold, timed(everybody, running)


def timed(work: Callable[[], object], running: Server | None) -> Times:
    server_s = running.processor() if running else 0.0
    wall, processor = time.perf_counter(), time.process_time()
    work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return wall, processor, running.processor() - server_s if running else 0.0


def report(name: str, times: list[Times], budget: float | None) -> int:
    wall, processor, server_s = (min(kind) for kind in zip(*times, strict=True))
    fails = budget is not None and min(wall, processor + server_s) > budget
    says = "no budget" if budget is None else f"budget {budget:.2f} s{', BROKEN' if fails else ''}"
    served = f", and {server_s:.2f} s of the server's" if server_s else ""
    middle = ""
    if len(times) > 1:
        median = [statistics.median(kind) for kind in zip(*times, strict=True)]
        middle = f"; best of {len(times)}, medians {median[0]:.2f} s and {median[1]:.2f} s"
    load = os.getloadavg()[0]
    print(
        f"{wall:7.2f} s wall {processor:7.2f} s processor  {name}{served}: {says}{middle}; load {load:.1f}",
        flush=True,
    )
    return int(fails)


def peak_gb() -> float:
    """The most memory that this process has had, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=100_000, help="people")
    parser.add_argument("--rounds", type=int, default=1)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--database", help="an empty PostgreSQL database")
    where.add_argument(
        "--postgresql", type=Path, nargs="?", const=BINARIES, help="the folder of PostgreSQL's programs"
    )
    asked = parser.parse_args()
    with server(asked.postgresql) if asked.postgresql else nullcontext() as own:
        broken = main(asked.size, asked.rounds, own.url if own else asked.database, own)
    sys.exit(broken)
