"""What a signer apart costs: events a second with the key in the home, and with `luvalla ledger signer`.

    .venv/bin/python benchmarks/ledger_signer.py [EVENTS_EACH]

Two homes on one disk, one of either kind, take turns; every event is durable before its writer asks for the next. The
median of five rounds is shown, then how long the signer takes: one question (`last`), and one checkpoint signed and kept.
There is no budget: the ratio is what an operator decides on.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger_city import OFFER, PURPOSES

from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.setup import create
from consent.signer_client import SignerProcess
from consent.vocabulary import ConsentStatus

ORIGIN = "benchmark.invalid/consent"
ROOT = Path(__file__).parent.parent
LUVALLA = [sys.executable, "-c", "import cli; cli.main()"]
ROUNDS = 5
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@dataclass
class Timed(SignerProcess):
    """A signer's client that notes how long each answer took."""

    questions: list[float] = field(default_factory=list)
    signatures: list[float] = field(default_factory=list)

    def last(self) -> Any:
        """As `SignerProcess.last`."""
        began = time.perf_counter()
        try:
            return super().last()
        finally:
            self.questions.append(time.perf_counter() - began)

    def sign(self, *args: Any, **how: Any) -> Any:
        """As `SignerProcess.sign`."""
        began = time.perf_counter()
        try:
            return super().sign(*args, **how)
        finally:
            self.signatures.append(time.perf_counter() - began)


def main(events_each: int) -> None:
    with tempfile.TemporaryDirectory(prefix="signer-") as name:
        folder = Path(name)
        homes = [
            create(folder / kind, origin=ORIGIN, purposes=PURPOSES, clock=lambda: datetime.now(UTC))
            for kind in ("home-key", "signer-key")
        ]
        signer = ("ledger", "signer", "--state", str(folder / "state"))
        luvalla(*signer, "--init", "--origin", ORIGIN)
        with subprocess.Popen(
            [*LUVALLA, *signer, "--socket", str(folder / "socket")],
            env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                if process.stderr is None or " is at " not in process.stderr.readline():
                    sys.exit("the signer did not start")
                address = f"unix:{folder / 'socket'}"
                luvalla("--home", str(homes[1].path), "ledger", "rotate-key", "--signer", address)
                with Ledger.open(homes[0]) as key_in_home, Ledger.open(homes[1]) as signer_apart:
                    signer_apart.log.signer = timed = Timed(str(folder / "socket"), ORIGIN)
                    for writers in (1, 8, 64):
                        compare(key_in_home, signer_apart, writers, events_each)
                print(
                    f"the signer's answers, median: a question {1e3 * statistics.median(timed.questions):.2f} ms, "
                    f"a checkpoint signed and kept {1e3 * statistics.median(timed.signatures):.2f} ms"
                )
            finally:
                process.terminate()


def compare(key_in_home: Ledger, signer_apart: Ledger, writers: int, events_each: int) -> None:
    rounds = [
        (rate(key_in_home, writers, events_each, i), rate(signer_apart, writers, events_each, i))
        for i in range(ROUNDS)
    ]
    home, apart = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"{writers:3} writers: key in the home {home:6.0f} events/s, signer apart {apart:6.0f} events/s, "
        f"ratio {apart / home:.2f}"
    )


def rate(ledger: Ledger, writers: int, events_each: int, round_: int) -> float:
    people = [[f"{writers}-{round_}-{writer}-{i}" for i in range(events_each)] for writer in range(writers)]
    ledger.enrol_many(person for mine in people for person in mine)

    def write(mine: list[str]) -> None:
        for person in mine:
            ledger.record(ConsentRequest(person, OFFER, ConsentStatus.GIVEN))

    wall = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, people))
    return writers * events_each / (time.perf_counter() - wall)


def luvalla(*args: str) -> None:
    subprocess.run([*LUVALLA, *args], env=ENVIRONMENT, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
