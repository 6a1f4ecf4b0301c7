"""kill -9 at random moments of a run: nothing leaves unrecorded, nothing is lost, and the next run is as good as ever."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consent.canonical import b64u
from tests.governance.city import SERVICE, City

LUVALLA = Path(sys.executable).parent / "luvalla"


def run(city: City, out: Path, seconds: float | None) -> int:
    """Start a run; kill it after so many seconds, or let it end."""
    started = subprocess.Popen(
        [LUVALLA, "--home", city.home, "run", SERVICE.id, "--population", city.people, "--out", out],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if seconds is not None:
        time.sleep(seconds)
        started.send_signal(signal.SIGKILL)
    return started.wait()


@pytest.mark.slow
def test_a_killed_run_releases_nothing_unrecorded(city, tmp_path):
    whole = 1e9
    for number in range(2):  # the first may be slowed by cold caches
        begun = time.monotonic()
        assert run(city, tmp_path / f"whole-{number}.jsonl", None) == 0
        whole = min(whole, time.monotonic() - begun)
    chance = random.Random(20261124)  # noqa: S311 - moments to kill at, no secrets
    killed = 0
    for number in range(8):
        out = tmp_path / f"offers-{number}.jsonl"
        # The last third is where records and releases happen; the imports before it are of no interest.
        killed += run(city, out, whole * chance.uniform(0.6, 1.02)) == -signal.SIGKILL
        with city.house() as house:
            recorded = {entry.body["run"] for entry in house.ledger.institutional("run")}
            assert house.ledger.check() == []
            head = house.ledger.head()
            assert head.checkpoint.size <= head.size
        if out.exists():
            first = json.loads(out.read_bytes().splitlines()[0])
            assert first["run"] in recorded
    assert killed, "the machine was too quick for this test"
    assert run(city, tmp_path / "after.jsonl", None) == 0
    left = [path.name for path in (city.home / "outbox").glob("*.jsonl")]
    assert left == []
    with city.house() as house:
        entries = {entry.body["run"] for entry in house.ledger.institutional("run")}
        assert b64u(house.ledger.uses(city.names[0])[-1].run) in entries
