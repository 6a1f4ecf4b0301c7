"""How long `luvalla ledger check` takes, by part: the log, openings with projections, and each use tree.

    .venv/bin/python benchmarks/ledger_check.py [--size ENTRIES] [--runs RUNS]

Budgets (issue 3), per million: the log under 5 s; everything but the runs under 60 s; each use tree under 3 s per million
slots. The ledger is a real one: half as many people as entries, each enrolled and with one consent, all encrypted; then
runs over all of them. Processor time is what is held to the budgets, since other work may use the cores; wall time is
shown beside it. Exits with 1 when a budget is broken (under 100,000 entries nothing is held: fixed costs are shared by few).
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ledger_city import OFFER, PURPOSES

from consent import fsck_people, fsck_projections, fsck_uses
from consent.bulk import permits
from consent.fsck import check_tree, read_log, uncollected
from consent.fsck_findings import Findings
from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.setup import create
from consent.uses import UseRequest
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.home import Home

MILLION = 1_000_000
LOG_S, ALL_S, TREE_S = 5.0, 60.0, 3.0
"""Seconds of processor time per million entries, entries and slots."""
HELD_FROM = 100_000
KIB_PER_GB = 1024 * 1024


def main(entries: int, runs: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = create(
            Path(folder) / "home",
            origin="benchmark.invalid/consent",
            purposes=PURPOSES,
            clock=lambda: datetime.now(UTC),
        )
        with Ledger.open(home) as ledger:
            people = [f"invented-{i}" for i in range(entries // 2)]
            wall = time.perf_counter()
            ledger.record_consents(ConsentRequest(person, OFFER, ConsentStatus.GIVEN) for person in people)
            for _ in range(runs):
                record_run(ledger, people)
            print(f"made {ledger.head().size:,} entries and {runs} runs: {time.perf_counter() - wall:.0f} s")
        broken = measure(home)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
    print(f"{peak:7.2f} GB peak, the making of the ledger included")
    return int(broken > 0 and entries >= HELD_FROM)


def record_run(ledger: Ledger, people: list[str]) -> None:
    allowed = permits(ledger, people, OFFER, "scoring")
    statuses = np.where(allowed.permitted, UseStatus.USED, allowed.status)
    use = UseRequest(
        run=os.urandom(16),
        processing="scoring",
        purpose_id=OFFER,
        service="benchmark",
        state=allowed.state,
        numbers=allowed.numbers,
        statuses=statuses,
    )
    ledger.append_use(use)


def measure(home: Home) -> int:
    """The parts of `consent.fsck.check`, in its order; how many budgets are broken."""
    findings, times = Findings(), {}

    def part(name: str, work: Callable[[], Any]) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        times[name] = time.process_time() - processor
        print(f"{time.perf_counter() - wall:7.2f} s wall {times[name]:7.2f} s processor  {name}")
        return result

    with Ledger.open(home, read_only=True) as ledger, ledger.log.store.read() as connection, uncollected():
        log = ledger.log
        part("the database's own structure", log.store.structural_faults)
        content = part(
            "entries and their check values", lambda: read_log(connection, findings, log.pseudonym_key)
        )
        part("tiles, root and checkpoint", lambda: check_tree(log, connection, content, findings))
        people = part(
            "openings, people and keys", lambda: fsck_people.check(log, connection, content, findings)
        )
        part("projections", lambda: fsck_projections.check(connection, content, people, findings))
        part("runs", lambda: fsck_uses.check(log, connection, content, people, findings))
    if findings.faults:
        raise SystemExit(f"the sound ledger has faults: {findings.faults[:3]}")
    entries = len(content.leaves)
    slots = sum(act.body["slots"] for act in content.acts.values() if act.kind == "run")
    log_s = times["entries and their check values"] + times["tiles, root and checkpoint"]
    broken = 0
    for name, seconds, of, budget in (
        ("the log", log_s, entries, LOG_S),
        ("everything but the runs", sum(times.values()) - times["runs"], entries, ALL_S),
        ("a use tree", times["runs"], slots, TREE_S),
    ):
        if of:
            each = seconds / of * MILLION
            fails = each > budget
            broken += fails
            print(
                f"{each:7.2f} s processor a million  {name}: budget {budget:.0f} s{', BROKEN' if fails else ''}"
            )
    return broken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=MILLION, help="entries")
    parser.add_argument("--runs", type=int, default=2)
    asked = parser.parse_args()
    sys.exit(main(asked.size, asked.runs))
