"""How fast the ledger is written: bare entries, whole consent events, the tree's part, fsyncs, concurrent writers.

    .venv/bin/python benchmarks/ledger_rates.py [--size ENTRIES] [--events-each EVENTS] [--rounds ROUNDS]
    .venv/bin/python benchmarks/ledger_rates.py --postgresql [BINARIES]

Budgets (issue 3): bare entries in batches of 1,000: 60,000/s; whole consent events (validated, encrypted, projected), of
known people, in batches of 1,000: 8,000/s; processor time at most 1.5 times the same statements without the tree; one fsync
per commit; 8 concurrent writers make at most one commit per 3 entries, 64 at most one per 16. A rate counts as met when it
is met by processor time, since other work may use the cores; medians of the rounds. A bare entry is a row of the log with its leaf
hash, its check value and the tiles it fills, of a body as long as a personal entry. Fsyncs are counted by strace, where there
is one. With `--postgresql` nothing but them is measured: on a server of the benchmark's own, by its count of syncs of its
write-ahead log. Every concurrent writer is a thread that waits for its own event to be durable before it asks for the next. Exits
with 1 when a budget is broken (under 20,000 entries the rates are not held to theirs).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_city import OFFER, city
from ledger_server import QUIET, server, wal_syncs

from consent import store_log
from consent.ledger import Ledger
from consent.payload_template import personal_entry
from consent.records import ConsentRequest
from consent.row_mac import with_mac
from consent.tlog.merkle import EMPTY_EDGE, leaf_hash
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 1_000
BARE, EVENTS, TREE = 60_000, 8_000, 1.5
"""Entries a second, events a second, times the same without the tree."""
WRITERS = {1: 0, 8: 3, 64: 16}
"""At least so many events a commit, by writers."""
COMMITS = 20
"""Commits whose fsyncs are counted."""
HELD_FROM = 20_000
BINARIES = Path("/usr/lib/postgresql/15/bin")

Times = tuple[float, float]


def main(size: int, events_each: int, rounds: int) -> int:
    held = size >= HELD_FROM
    broken = bare_entries(size, rounds, held=held) + consent_events(size // 5, rounds, held=held) + fsyncs()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(city(folder)) as ledger:
        for writers, least in WRITERS.items():
            broken += concurrent(ledger, writers, events_each, least)
    return int(broken > 0)


def bare_entries(size: int, rounds: int, *, held: bool) -> int:
    """Entries alone: with the tree, and the same rows with leaf hashes made before and no tiles."""
    taken: dict[str, list[Times]] = {"with": [], "without": []}
    bodies = [personal_entry(os.urandom(32)) for _ in range(size)]
    leaves = [leaf_hash(body) for body in bodies]
    for _ in range(rounds):
        for name, times in taken.items():
            with tempfile.TemporaryDirectory() as folder, Ledger.open(city(folder)) as ledger:
                times.append(timed(partial(insert, ledger, bodies, leaves, tree=name == "with")))
    wall, processor = medians(taken["with"])
    rate, rate_processor = size / wall, size / processor
    ratio = processor / medians(taken["without"])[1]
    slow, costly = max(rate, rate_processor) < BARE and held, ratio > TREE and held
    print(
        f"{rate:8.0f}/s wall {rate_processor:8.0f}/s processor  bare entries: budget {BARE}/s{', BROKEN' if slow else ''}"
    )
    print(
        f"{ratio:8.2f} times the processor time without the tree: budget {TREE}{', BROKEN' if costly else ''}"
    )
    return int(slow) + int(costly)


def insert(ledger: Ledger, bodies: list[bytes], known: list[bytes], *, tree: bool) -> None:
    """What `Log.writing` does for entries, in transactions of `BATCH`; the tree of these entries alone."""
    store, key, first = ledger.log.store, ledger.log.pseudonym_key, ledger.head().size
    edge = EMPTY_EDGE
    for start in range(0, len(bodies), BATCH):
        part = bodies[start : start + BATCH]
        leaves = [leaf_hash(body) for body in part] if tree else known[start : start + BATCH]
        rows = [
            with_mac(
                key,
                "entry",
                {
                    "idx": first + start + place,
                    "leaf": leaf,
                    "body": body,
                    "at": 1_800_000_000,
                    "request": os.urandom(16),
                    "fingerprint": None,
                },
            )
            for place, (leaf, body) in enumerate(zip(leaves, part, strict=True))
        ]
        with store.write() as connection:
            tiles: tuple[object, ...] = ()
            if tree:
                edge, tiles = edge.extended(leaves)
            store_log.insert_entries(connection, rows, tiles)  # type: ignore[arg-type]


def consent_events(size: int, rounds: int, *, held: bool) -> int:
    """Consent events through `Ledger.record_consents`, of new people (two entries each) and of known ones."""
    taken: dict[str, list[Times]] = {"new people": [], "known people": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder, Ledger.open(city(folder)) as ledger:
            for name, status in zip(taken, (ConsentStatus.GIVEN, ConsentStatus.WITHDRAWN), strict=True):
                asked = [ConsentRequest(f"invented-{i}", OFFER, status) for i in range(size)]
                taken[name].append(timed(partial(ledger.record_consents, asked)))
    broken = 0
    for name, times in taken.items():
        wall, processor = medians(times)
        budget = EVENTS if name == "known people" else None
        fails = budget is not None and held and max(size / wall, size / processor) < budget
        broken += fails
        says = "no budget" if budget is None else f"budget {budget}/s{', BROKEN' if fails else ''}"
        print(
            f"{size / wall:8.0f}/s wall {size / processor:8.0f}/s processor  whole consent events, {name}: {says}"
        )
    return broken


def fsyncs() -> int:
    """Count what a commit syncs of the write-ahead log: the difference between two processes, one with more commits."""
    strace = shutil.which("strace")
    if strace is None:
        print("fsyncs were not counted: there is no strace on this machine")
        return 0
    return report_fsyncs(partial(traced, strace), "")


def report_fsyncs(counted: Callable[[int], int], where: str) -> int:
    # What opening and closing sync cancels out.
    few, many = (counted(count) for count in (COMMITS, 2 * COMMITS))
    each = (many - few) / COMMITS
    fails = each != 1
    print(f"{each:8.2f} fsyncs of the write-ahead log a commit{where}: budget 1{', BROKEN' if fails else ''}")
    return int(fails)


def told(binaries: Path, count: int) -> int:
    """How often a PostgreSQL server has synced its log for a process that opens a ledger, makes `count` commits and closes it."""
    with server(binaries, QUIET) as running, tempfile.TemporaryDirectory() as folder:
        city(folder, running.url)
        before = wal_syncs(running.url)
        commits = [sys.executable, __file__, "--commits", str(count), "--home", str(Path(folder) / "home")]
        done = subprocess.run(commits, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the process whose commits were counted failed: {done.stderr[-300:]}")
        return wal_syncs(running.url) - before


def traced(strace: str, count: int) -> int:
    """How often the write-ahead log is synced in a process that opens a ledger, makes `count` commits and closes it."""
    with tempfile.TemporaryDirectory() as folder:
        city(folder)
        trace = Path(folder) / "trace"
        counted = [strace, "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
        commits = [sys.executable, __file__, "--commits", str(count), "--home", str(Path(folder) / "home")]
        done = subprocess.run([*counted, *commits], check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the process that was traced failed: {done.stderr[-300:]}")
        return sum("ledger.db-wal" in line for line in trace.read_text().splitlines())


def commits(home: Path, count: int) -> None:
    """Make small transactions, too few pages for SQLite to empty the log in between; what is traced."""
    from consent.home import open_home  # noqa: PLC0415 - only in the traced process

    with Ledger.open(open_home(home)) as ledger:
        for number in range(count):
            ledger.enrol(f"invented-{number}")


def concurrent(ledger: Ledger, writers: int, events_each: int, least: int) -> int:
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
    entries, transactions = ledger.head().size - size, ledger.group.transactions - before
    fails = entries / transactions < least
    says = f"budget {least}{', BROKEN' if fails else ''}" if least else "no budget"
    print(
        f"{entries / wall:8.0f}/s wall {entries / transactions:6.1f} entries a commit  {writers} writers: {says}"
    )
    return int(fails)


def timed(work: Callable[[], object]) -> Times:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def medians(times: list[Times]) -> Times:
    wall, processor = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(processor)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--size", type=int, default=100_000, help="bare entries, and a fifth as many consent events"
    )
    parser.add_argument("--events-each", type=int, default=25, help="events of each concurrent writer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--postgresql", type=Path, nargs="?", const=BINARIES, help="the folder of PostgreSQL's programs"
    )
    parser.add_argument("--commits", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.commits:
        commits(asked.home, asked.commits)
        sys.exit(0)
    if asked.postgresql:
        sys.exit(report_fsyncs(partial(told, asked.postgresql), ", PostgreSQL"))
    sys.exit(main(asked.size, asked.events_each, asked.rounds))
