"""How many commits concurrent writers share.

    .venv/bin/python benchmarks/ledger_rates.py [EVENTS_EACH]

Budgets (issue 3): 8 concurrent writers make at most one commit per 3 entries, 64 at most one per 16. Every writer is a
thread that waits for its own event to be durable before it asks for the next. Entries a second are shown beside one
writer alone. Exits with 1 when a budget is broken.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from ledger_city import OFFER, PURPOSES

from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.setup import create
from consent.vocabulary import ConsentStatus

BUDGETS = {1: 0, 8: 3, 64: 16}
"""At least so many events a commit, by writers."""


def main(events_each: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = create(
            Path(folder) / "home",
            origin="benchmark.invalid/consent",
            purposes=PURPOSES,
            clock=lambda: datetime.now(UTC),
        )
        with Ledger.open(home) as ledger:
            return (
                sum([measure(ledger, writers, events_each, least) for writers, least in BUDGETS.items()])
                and 1
            )


def measure(ledger: Ledger, writers: int, events_each: int, least: int) -> int:
    # Enrolled before: what is counted is one entry an event.
    people = [[f"{writers}-{writer}-{i}" for i in range(events_each)] for writer in range(writers)]
    ledger.enrol_many(person for mine in people for person in mine)

    def write(mine: list[str]) -> None:
        for person in mine:
            ledger.record(ConsentRequest(person, OFFER, ConsentStatus.GIVEN))

    before, size = ledger.group.transactions, ledger.head().size
    wall = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, people))
    wall = time.perf_counter() - wall
    entries, commits = ledger.head().size - size, ledger.group.transactions - before
    fails = entries / commits < least
    says = f"budget {least}{', BROKEN' if fails else ''}" if least else "no budget"
    print(
        f"{writers:3} writers: {entries / wall:7.0f} entries/s {entries / commits:6.1f} entries a commit: {says}"
    )
    return int(fails)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
