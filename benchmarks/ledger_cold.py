"""How long a process that has just started needs to prove one entry of a large ledger.

    .venv/bin/python benchmarks/ledger_cold.py [--size ENTRIES] [--rounds ROUNDS] [--pymerkle FOLDER]

Budget (issue 3): open the ledger and prove one of 1,000,000 entries (the text of a C2SP tlog-proof, with the checkpoint that
covers it verified and compared with the log) in under 10 ms, imports not counted; by wall or by processor time, since other
work may use the cores. Each round is a process of its own and
another entry; the files are in the system's cache, as they are for whoever asks a server's second question. Shown are
medians. With `--pymerkle` (a folder made by `pip install --target FOLDER pymerkle`; it is no
dependency of luvalla's: GPL-3.0) the same is asked of its SQLite tree, with one proof and the root it is under. Exits with 1
when the median breaks the budget at 1,000,000 entries or more.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_city import city, fill

from consent.home import open_home
from consent.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

Times = tuple[float, float]
BUDGET_MS = 10.0
HELD_FROM = 1_000_000
BATCH = 10_000


def main(size: int, rounds: int, pymerkle: Path | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = city(folder)
        with Ledger.open(home) as ledger:
            start = time.perf_counter()
            fill(ledger, size, 1)
            entries = ledger.head().size
            print(f"made {entries:,} entries: {time.perf_counter() - start:.0f} s")
        chance = random.Random(1)  # noqa: S311 - which entries are asked for
        asked = [chance.randrange(entries) for _ in range(rounds)]
        mine = report("open, prove one entry", [child("luvalla", home.path, index, None) for index in asked])
        fails = entries >= HELD_FROM and min(mine) > BUDGET_MS
        print(f"budget {BUDGET_MS:.0f} ms at {HELD_FROM:,} entries{', BROKEN' if fails else ''}")
        if pymerkle is not None:
            path = Path(folder) / "pymerkle.db"
            fill_pymerkle(pymerkle, path, entries)
            theirs = report(
                "pymerkle: open, prove one entry, root",
                [child("pymerkle", path, index, pymerkle) for index in asked[:5]],
            )
            print(f"{theirs[1] / mine[1]:8.0f} times the processor time")
    return int(fails)


def report(name: str, times: list[Times]) -> Times:
    wall, processor = (statistics.median(kind) for kind in zip(*times, strict=True))
    print(f"{wall:8.1f} ms wall {processor:8.1f} ms processor  {name}, of {len(times)} processes")
    return wall, processor


def child(kind: str, path: Path, index: int, pymerkle: Path | None) -> Times:
    """Milliseconds of wall and processor time that a new process needed after its imports."""
    more = [] if pymerkle is None else ["--pymerkle", str(pymerkle)]
    command = [sys.executable, __file__, "--child", kind, "--path", str(path), "--index", str(index), *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the process that proves failed: {done.stderr[-300:]}")
    wall, processor = done.stdout.split()
    return float(wall), float(processor)


def prove(path: Path, index: int) -> Callable[[], object]:
    def work() -> object:
        with Ledger.open(open_home(path), read_only=True, clock=lambda: datetime.now(UTC)) as ledger:
            return ledger.prove(index)

    return work


def prove_pymerkle(folder: Path, path: Path, index: int) -> Callable[[], object]:
    sys.path.insert(0, str(folder))
    from pymerkle import SqliteTree  # type: ignore[import-not-found] # noqa: PLC0415

    def work() -> object:
        tree = SqliteTree(str(path))
        return tree.prove_inclusion(index + 1), tree.get_state()

    return work


def fill_pymerkle(folder: Path, path: Path, entries: int) -> None:
    sys.path.insert(0, str(folder))
    from pymerkle import SqliteTree  # noqa: PLC0415

    with SqliteTree(str(path)) as tree:
        for start in range(0, entries, BATCH):
            tree.append_entries([b"%016d" % i for i in range(start, min(start + BATCH, entries))])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="entries")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pymerkle", type=Path, help="a folder that pymerkle was installed into")
    parser.add_argument("--child", choices=["luvalla", "pymerkle"], help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        ask = (
            prove(given.path, given.index)
            if given.child == "luvalla"
            else prove_pymerkle(given.pymerkle, given.path, given.index)
        )
        began = time.perf_counter(), time.process_time()
        ask()
        print(1000 * (time.perf_counter() - began[0]), 1000 * (time.process_time() - began[1]))
        sys.exit(0)
    sys.exit(main(given.size, given.rounds, given.pymerkle))
