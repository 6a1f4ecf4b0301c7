"""What starting costs: `luvalla --help` against the smallest click program, `consent show` against its libraries' import.

    .venv/bin/python benchmarks/startup.py [ROUNDS]

Budgets (issue 2): help at most 1.5 times the smallest click program; `consent show` at most 1.3 times
`python -c 'import click, sqlalchemy, cryptography'`. Each round runs all four in turn, so that a busy moment hits all alike.
Shown are medians of wall time and of processor time, and their ratios; on a busy machine the latter say more. Exits with 1
when both ratios break a budget.
"""

from __future__ import annotations

import compileall
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from consent.ledger import Ledger
from consent.setup import create
from consent.vocabulary import ConsentStatus

ROOT = Path(__file__).parent.parent
LUVALLA = Path(sys.executable).parent / "luvalla"
SMALLEST = "import click\n@click.command()\ndef smallest():\n    'Say nothing.'\nsmallest(['--help'])"
# The same submodules that a program which opens a database and checks a signature needs.
LIBRARIES = "import click, sqlalchemy, cryptography"
PURPOSES = """
[[purpose]]
id = "benchmark.offer"
version = 1
title = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
description = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
service = "benchmark"
legal_basis = "eu-gdpr:A6-1-e"
processing = ["human-review", "scoring"]
categories = ["pd:Health"]
retention_days = 30
consent_days = 365
controller = "Nobody"
recipients = []
effects_of_no = { fi = "Ei mitään", sv = "Inget", en = "Nothing" }
[purpose.notice]
id = "benchmark.offer"
version = 1
text = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
"""


def seconds(command: list[str | Path], environment: dict[str, str]) -> tuple[float, float]:
    """Run a program; wall and processor time in seconds, its exit included."""
    start = time.perf_counter()
    null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(command[0], [str(part) for part in command], environment, file_actions=null)
    _, status, used = os.wait4(process, 0)
    if status:
        sys.exit(f"{command} failed")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def main(rounds: int) -> int:
    for part in ("cli.py", "consent"):
        compile_one = compileall.compile_file if part.endswith(".py") else compileall.compile_dir
        compile_one(ROOT / part, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        home = create(
            Path(folder) / "home",
            origin="benchmark.invalid/consent",
            purposes=PURPOSES,
            clock=lambda: datetime.now(UTC),
        )
        with Ledger.open(home) as ledger:
            ledger.record_consent("invented-person-1", "benchmark.offer", ConsentStatus.GIVEN)
        environment = {**os.environ, "LUVALLA_HOME": str(home.path)}
        commands: dict[str, list[str | Path]] = {
            "smallest click program": [sys.executable, "-c", SMALLEST],
            "luvalla --help": [LUVALLA, "--help"],
            "import click, sqlalchemy, cryptography": [sys.executable, "-c", LIBRARIES],
            "luvalla consent show": [LUVALLA, "consent", "show", "--person", "invented-person-1"],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for command in commands.values():
            seconds(command, environment)  # the first of each is for the disk's cache
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(seconds(command, environment))
    medians = {
        name: [statistics.median(kind) for kind in zip(*times, strict=True)] for name, times in taken.items()
    }
    for name, (wall, processor) in medians.items():
        print(f"{1000 * wall:7.0f} ms wall {1000 * processor:5.0f} ms processor  {name}")
    failed = 0
    for name, base, budget in (
        ("luvalla --help", "smallest click program", 1.5),
        ("luvalla consent show", "import click, sqlalchemy, cryptography", 1.3),
    ):
        wall, processor = (mine / theirs for mine, theirs in zip(medians[name], medians[base], strict=True))
        broken = wall > budget < processor
        failed += broken
        print(
            f"{wall:7.2f} wall {processor:8.2f} processor  {name} / {base}: budget {budget}{', BROKEN' if broken else ''}"
        )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
