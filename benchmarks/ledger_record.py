"""How many consent events a second the ledger records in bulk, and how long one takes alone.

    .venv/bin/python benchmarks/ledger_record.py [EVENTS]

Budget (contracts): at least 5,000 events a second in bulk, enrolment of new people, encryption, projection and tree
included. Shown by wall time and by processor time; on a busy machine the latter says more. Exits with 1 when both
break the budget.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from ledger_city import OFFER, PURPOSES

from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.setup import create
from consent.vocabulary import ConsentStatus

BUDGET = 5_000
ALONE = 50


def main(events: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = create(
            Path(folder) / "home",
            origin="benchmark.invalid/consent",
            purposes=PURPOSES,
            clock=lambda: datetime.now(UTC),
        )
        broken = 0
        with Ledger.open(home) as ledger:
            for name, status in (
                ("new people", ConsentStatus.GIVEN),
                ("known people", ConsentStatus.WITHDRAWN),
            ):
                asked = [ConsentRequest(f"invented-{i}", OFFER, status) for i in range(events)]
                wall, processor = time.perf_counter(), time.process_time()
                ledger.record_consents(asked)
                rates = [events / (time.perf_counter() - wall), events / (time.process_time() - processor)]
                fails = max(rates) < BUDGET
                broken += fails
                print(
                    f"{rates[0]:7.0f}/s wall {rates[1]:7.0f}/s processor  {name}: budget {BUDGET}/s{', BROKEN' if fails else ''}"
                )
            wall = time.perf_counter()
            for i in range(ALONE):
                ledger.record_consent(f"alone-{i}", OFFER, ConsentStatus.GIVEN)
            each = (time.perf_counter() - wall) / ALONE
            print(f"{1000 * each:7.1f} ms wall  one consent of a new person, alone, with its checkpoint")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
