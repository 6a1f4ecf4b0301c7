"""How `luvalla demo` spends its time, by scene: `python -P benchmarks/demo_time.py [--profile] [--seed 2026]`.

The whole demo under 60 s on two cores is the budget (issue 2). Each line is what passed since the line before: processor
time of the whole process with all its threads, and wall time, which says little on a busy machine. Exits with 1 when the
processor time alone breaks the budget.

One thread, as in `luvalla demo` itself, unless OMP_NUM_THREADS says otherwise. Measured on two idle cores (November
2026): 29 s, of which 7 the youth service's comparison, 4 two checks of the whole ledger, 3 imports, 2 MLflow's store;
with two threads 44 s of processor time and 40 s of wall time: they wait for each other.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import tempfile
import time
from pathlib import Path

BUDGET = 60.0


class Clock:
    """Prints what passed since it was last asked."""

    def __init__(self) -> None:
        self.start = self.last = (time.process_time(), time.perf_counter())

    def told(self, what: str) -> None:
        """A line for what ends now."""
        now = (time.process_time(), time.perf_counter())
        processor, wall = (new - old for new, old in zip(now, self.last, strict=True))
        self.last = now
        print(
            f"{processor:6.2f} s processor {wall:6.2f} s wall  (so far {now[0] - self.start[0]:6.2f} {now[1] - self.start[1]:6.2f})  {what}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--profile", action="store_true", help="and the functions that took longest")
    asked = parser.parse_args()
    if not os.environ.get("OMP_NUM_THREADS"):
        os.environ["OMP_NUM_THREADS"] = "1"
    clock = Clock()
    from governance import demo_play  # noqa: PLC0415 - the import is timed

    clock.told("imports")
    profile = cProfile.Profile()
    if asked.profile:
        profile.enable()
    with tempfile.TemporaryDirectory() as folder:
        demo_play.play(
            Path(folder),
            seed=asked.seed,
            tell=lambda scene: clock.told(f"scene {scene.name}"),
            busy=lambda text: clock.told(f"    up to: {text}"),
        )
    if asked.profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(60)
        pstats.Stats(profile).sort_stats("cumtime").print_stats(150)
    used = clock.last[0] - clock.start[0]
    print(f"{used:.1f} s processor, budget {BUDGET:.0f} s{', BROKEN' if used > BUDGET else ''}")
    return int(used > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
