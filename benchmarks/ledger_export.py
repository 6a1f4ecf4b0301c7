"""What an export costs for somebody who was in many runs (GDPR 15), and how it grows with the runs.

    .venv/bin/python benchmarks/ledger_export.py [--size PEOPLE] [--runs RUNS]

Our own budget, not the issue's: everything about a person in 1,000 runs under 5 s and 5 MB, without receipts. Nothing is recorded
(a dry run). The first run is recorded as the product records it; the others are copies of its rows (see ledger_uses.py), whose
receipts would not verify, so that those are timed for the first run alone. Exits with 1 when the budget is broken.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time

from ledger_city import OFFER, city
from ledger_uses import copy, record

from consent import exporting
from consent.canonical import encode
from consent.exporting import ExportRequest
from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus, Right

SECONDS, BYTES, RUNS = 5.0, 5_000_000, 1_000
RECEIPTS = 15


def main(people: int, runs: int) -> int:
    """Measure, print, and say whether the budget is broken."""
    broken = False
    with tempfile.TemporaryDirectory() as folder:
        home = city(folder)
        names = [f"invented-{i}" for i in range(people)]
        with Ledger.open(home) as ledger:
            ledger.record_consents(ConsentRequest(name, OFFER, ConsentStatus.GIVEN) for name in names)
            run = record(ledger, names)
            receipts(ledger, names[:RECEIPTS], run)
            made = 1
            for wanted in sorted({1, runs // 10, runs} - {0}):
                copy(ledger, run, wanted - made)
                made = wanted
                for right in (Right.ACCESS, Right.PORTABILITY):
                    start = time.perf_counter()
                    content = exporting.foresee(ledger.log, ExportRequest(names[0], right))
                    took, size = time.perf_counter() - start, len(encode(content))
                    over = wanted <= RUNS and (took > SECONDS or size > BYTES)
                    broken = broken or over
                    print(
                        f"{took:8.3f} s {size:10,} bytes  {right.value} of a person in {wanted:,} runs: "
                        f"budget {SECONDS:g} s, {BYTES:,} bytes{', BROKEN' if over else ''}",
                        flush=True,
                    )
    return int(broken)


def receipts(ledger: Ledger, names: list[str], run: bytes) -> None:
    """What a receipt of each use adds to an export: median time, and bytes."""
    times, sizes = [], []
    for name in names:
        start = time.process_time()
        receipt = ledger.use_receipt(name, run)
        times.append(time.process_time() - start)
        sizes.append(len(encode(receipt)))
    print(
        f"{statistics.median(times):8.3f} s {max(sizes):10,} bytes  a receipt of one use, processor time, median of {len(names)}: no budget"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=5_000, help="people")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs")
    given = parser.parse_args()
    sys.exit(main(given.size, given.runs))
