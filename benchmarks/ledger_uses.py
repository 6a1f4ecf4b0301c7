"""What the uses of a million people's data cost: the rows of a run, "which of 1,000 runs used me", one person's proof.

    .venv/bin/python benchmarks/ledger_uses.py [--size PEOPLE] [--runs RUNS] [--rounds ROUNDS]

Budgets (issue 3): a run of 1,000,000 people recorded in under 250 KB and its entry; "which of 1,000 runs used me" under
50 ms; the proof of one person in one run under 50 ms. Both by wall or by processor time (medians), since other work may use
the cores. The first run is recorded as the product records it, over everybody. The other runs are copies of its rows
under ids and entries of their own, so that a question reads what it would read; a proof of one of those would not verify.
Above 1,000,000 people all but those who are asked about are put straight into the projections, with the key of each for uses, and
of the log there is only the right edge of its tree (`ledger_city.fill_projections`).
Exits with 1 when a budget is broken (the bytes are held at 1,000,000 people, the times always).
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np
from ledger_city import OFFER, city, fill_projections
from sqlalchemy import LargeBinary, func, select

from consent import store, store_log
from consent.bulk import permits_of_pseudonyms
from consent.canonical import b64u
from consent.entries import InstitutionalAct, parse_entry
from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.uses import UseRequest
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

BYTES, TIME_MS = 250_000, 50.0
HELD_FROM = 1_000_000
WHOLE_TO = 1_000_000
BATCH = 50_000
KIB_PER_GB = 1024 * 1024


def main(people: int, runs: int, rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = city(folder)
        names = [f"invented-{i}" for i in range(people if people <= WHOLE_TO else rounds)]
        with Ledger.open(home) as ledger:
            start = time.perf_counter()
            others = (
                fill_projections(ledger, people - len(names), 1, use_keys=True) if people > len(names) else []
            )
            for at in range(0, len(names), BATCH):
                part = names[at : at + BATCH]
                ledger.record_consents(ConsentRequest(name, OFFER, ConsentStatus.GIVEN) for name in part)
            print(f"made {people:,} people: {time.perf_counter() - start:.0f} s", flush=True)
            run = record(ledger, names, others)
            broken = size_of(ledger, run, people)
            start = time.perf_counter()
            copy(ledger, run, runs - 1)
            print(f"copied the run {runs - 1} times: {time.perf_counter() - start:.0f} s", flush=True)
            chance = random.Random(1)  # noqa: S311 - who is asked about
            asked = [chance.choice(names) for _ in range(rounds)]
            broken += report(f"which of {runs:,} runs used me", ledger.uses, asked)
            broken += report("one person's proof in one run", lambda who: ledger.use_receipt(who, run), asked)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
        print(f"{peak:8.2f} GB peak, the making of the ledger included")
    return int(broken > 0)


def record(ledger: Ledger, names: list[str], others: Sequence[bytes] = ()) -> bytes:
    """Record a run over some people by name and others by pseudonym."""
    pseudonyms = [*map(ledger.log.pseudonym, names), *others]
    allowed = permits_of_pseudonyms(ledger, pseudonyms, OFFER, "scoring")
    # A tenth selected, the others used: what a run of a service leaves.
    chosen = np.random.default_rng(1).random(len(pseudonyms)) < 0.1
    statuses = np.where(chosen, UseStatus.SELECTED, UseStatus.USED)
    run = os.urandom(16)
    use = UseRequest(
        run=run,
        processing="scoring",
        purpose_id=OFFER,
        service="benchmark",
        state=allowed.state,
        numbers=allowed.numbers,
        statuses=np.where(allowed.permitted, statuses, allowed.status),
    )
    wall, processor = time.perf_counter(), time.process_time()
    ledger.append_use(use)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{wall:8.2f} s wall {processor:8.2f} s processor  a run over everybody recorded: no budget")
    return run


def size_of(ledger: Ledger, run: bytes, people: int) -> int:
    """Bytes of the run's rows, its entry apart."""
    with ledger.log.store.read() as connection:
        found = {table: bytes_in(connection, table, run) for table in ("use_run", "use_chunk")}
        index = connection.scalar(select(store.use_run.c.idx).where(store.use_run.c.run == run))
        entry = len(store_log.body(connection, index) or b"")
    total = sum(found.values())
    fails = people >= HELD_FROM and total > BYTES * people / HELD_FROM
    parts = ", ".join(f"{name} {size:,}" for name, size in found.items())
    print(
        f"{total:8,} bytes a run ({parts}) and an entry of {entry}: budget {BYTES:,}{', BROKEN' if fails else ''}"
    )
    return int(fails)


def bytes_in(connection: Connection, table: str, run: bytes) -> int:
    """Bytes of the values of a run's rows; integers count as eight."""
    found = store.metadata.tables[table]
    each = [
        func.coalesce(func.length(column), 0) if isinstance(column.type, LargeBinary) else 8
        for column in found.columns
    ]
    return connection.scalar(select(func.sum(sum(each, start=0))).where(found.c.run == run)) or 0  # type: ignore[arg-type]


def copy(ledger: Ledger, run: bytes, times: int) -> None:
    """The rows of a run again and again, each under an id and an entry of its own."""
    with ledger.log.store.read() as connection:
        row = dict(
            connection.execute(select(store.use_run).where(store.use_run.c.run == run)).mappings().one()
        )
        of_run = select(store.use_chunk).where(store.use_chunk.c.run == run)
        chunks = [dict(each) for each in connection.execute(of_run).mappings()]
        act = parse_entry(store_log.body(connection, row["idx"]) or b"")
    if not isinstance(act, InstitutionalAct):
        raise SystemExit("the run's entry is none")
    for _ in range(times):
        new = os.urandom(16)
        with ledger.log.writing() as writing:
            index = writing.institutional("run", {**act.body, "run": b64u(new)})
            writing.write_pending()
            store.insert_rows(writing.connection, store.use_run, [{**row, "run": new, "idx": index}])
            store.insert_rows(writing.connection, store.use_chunk, [{**each, "run": new} for each in chunks])
    ledger.checkpoint()


def report(name: str, ask: Callable[[str], object], people: list[str]) -> int:
    times = []
    for person in people:
        wall, processor = time.perf_counter(), time.process_time()
        ask(person)
        times.append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor)))
    print(
        f"{times[0][0]:8.1f} ms wall {times[0][1]:8.1f} ms processor  {name}, the first time in a process: no budget"
    )
    wall, processor = (statistics.median(kind) for kind in zip(*times, strict=True))
    fails = min(wall, processor) > TIME_MS
    print(
        f"{wall:8.1f} ms wall {processor:8.1f} ms processor  {name}: budget {TIME_MS:.0f} ms{', BROKEN' if fails else ''}"
    )
    return int(fails)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="people")
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked_for = parser.parse_args()
    sys.exit(main(asked_for.size, asked_for.runs, asked_for.rounds))
