"""How long `luvalla ledger check` takes, by part: the log, openings with projections, and each use tree; and its memory.

    .venv/bin/python benchmarks/ledger_check.py [--size ENTRIES] [--runs RUNS] [--postgresql [BINARIES]] [--keep FOLDER]

Budgets (issue 3), per million: the log under 5 s; everything but the runs under 60 s; each use tree under 3 s per million
slots. The ledger is a real one: half as many people as entries, each enrolled and with one consent, all encrypted; then
runs over all of them. Processor time is what is held to the budgets, since other work may use the cores; wall time is
shown beside it. With `--postgresql` the ledger is in a server of the benchmark's own (`ledger_server.SETTINGS`), whose processor
time counts too. Up to 100,000 entries are recorded event by event, more in larger transactions (`ledger_whole`). The check
runs in a process of its own, so that the peak of its memory is its own. `--keep` makes the ledger in a folder and leaves it
there, or measures the one that is there. Exits with 1 when a budget is broken (under 100,000 entries nothing is held: fixed
costs are shared by few).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ledger_city import OFFER, city
from ledger_server import Postmaster, Server, server
from ledger_whole import fill_whole

from consent import fsck_people, fsck_projections, fsck_uses
from consent.bulk import permits_of_pseudonyms
from consent.fsck import check_tree, read_log, uncollected
from consent.fsck_findings import Findings
from consent.home import open_home
from consent.ledger import Ledger
from consent.records import ConsentRequest
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
BINARIES = Path("/usr/lib/postgresql/15/bin")


def main(entries: int, runs: int, keep: Path | None, running: Server | None) -> int:
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "home"
        if place.exists():
            print(f"measured where it is: {place}")
        else:
            make(city(str(folder), running.url if running else None), entries, runs)
        measured = subprocess.run(
            [sys.executable, __file__, "--measure", str(place)], check=False, env=_environment(running)
        )
    if running is not None:
        print(f"{running.peak_gb:7.2f} GB peak of the server, the making of the ledger included")
    return measured.returncode


def _environment(running: Server | None) -> dict[str, str]:
    """The measuring process counts the time of the server's processes, which it has not started."""
    return {**os.environ, **({SERVER: str(running.pid)} if running else {})}


SERVER = "LUVALLA_BENCHMARK_POSTMASTER"


def make(home: Home, entries: int, runs: int) -> None:
    """Fill a new ledger."""
    wall, processor = time.perf_counter(), time.process_time()
    with Ledger.open(home) as ledger:
        if entries <= HELD_FROM:
            people = [f"invented-{i}" for i in range(entries // 2)]
            ledger.record_consents(ConsentRequest(person, OFFER, ConsentStatus.GIVEN) for person in people)
            pseudonyms = [ledger.log.pseudonym(person) for person in people]
        else:
            pseudonyms = fill_whole(ledger, entries // 2)
        for _ in range(runs):
            record_run(ledger, pseudonyms)
        print(
            f"made {ledger.head().size:,} entries and {runs} runs: {time.perf_counter() - wall:.0f} s wall, "
            f"{time.process_time() - processor:.0f} s processor",
            flush=True,
        )


def record_run(ledger: Ledger, pseudonyms: list[bytes]) -> None:
    allowed = permits_of_pseudonyms(ledger, pseudonyms, OFFER, "scoring")
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


def measure(home: Home, running: Postmaster | None) -> int:
    """The parts of `consent.fsck.check`, in its order; how many budgets are broken."""
    findings, times = Findings(), {}

    def part(name: str, work: Callable[[], Any]) -> Any:
        server_s = running.processor() if running else 0.0
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        own_s = time.process_time() - processor
        served_s = running.processor() - server_s if running else 0.0
        times[name] = own_s + served_s
        print(
            f"{time.perf_counter() - wall:7.2f} s wall {own_s:7.2f} s processor  {name}"
            f"{f', and {served_s:.2f} s of the server' if running else ''}; {peak_gb():.2f} GB so far",
            flush=True,
        )
        return result

    with Ledger.open(home, read_only=True) as ledger, ledger.log.store.read() as connection, uncollected():
        log = ledger.log
        part("the database's own structure", log.store.structural_faults)
        content = part(
            "entries and their check values",
            lambda: read_log(connection, findings, log.pseudonym_key, log.last_checkpoint()),
        )
        part("tiles, root and checkpoint", lambda: check_tree(log, connection, content, findings))
        people = part(
            "openings, projections, people and keys",
            lambda: fsck_people.check(log, connection, content, findings),
        )
        part("purposes and notices", lambda: fsck_projections.check(connection, content, findings))
        part("runs", lambda: fsck_uses.check(log, connection, content, people, findings))
    if findings.faults:
        raise SystemExit(f"the sound ledger has faults: {findings.faults[:3]}")
    entries = content.size
    slots = sum(act.body["slots"] for act in content.acts.values() if act.kind == "run")
    log_s = times["entries and their check values"] + times["tiles, root and checkpoint"]
    held, broken = entries >= HELD_FROM, 0
    for name, seconds, of, budget in (
        ("the log", log_s, entries, LOG_S),
        ("everything but the runs", sum(times.values()) - times["runs"], entries, ALL_S),
        ("a use tree", times["runs"], slots, TREE_S),
    ):
        if of:
            each = seconds / of * MILLION
            fails = held and each > budget
            broken += fails
            print(
                f"{each:7.2f} s processor a million  {name}: budget {budget:.0f} s{', BROKEN' if fails else ''}"
            )
    print(f"{peak_gb():7.2f} GB peak of the check alone; load {os.getloadavg()[0]:.1f}", flush=True)
    return int(broken > 0)


def peak_gb() -> float:
    """The most memory that this process has had, GB (getrusage counts what started it too)."""
    [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) / KIB_PER_GB


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=MILLION, help="entries")
    parser.add_argument("--runs", type=int, default=2)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--keep", type=Path, help="a folder on this machine")
    where.add_argument(
        "--postgresql", type=Path, nargs="?", const=BINARIES, help="the folder of PostgreSQL's programs"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        postmaster = os.environ.get(SERVER)
        watched = Postmaster(int(postmaster)) if postmaster else None
        sys.exit(measure(open_home(asked.measure), watched))
    with server(asked.postgresql) if asked.postgresql else nullcontext() as own:
        code = main(asked.size, asked.runs, asked.keep, own)
    sys.exit(code)
