"""kill -9 at random moments of a run and of a promotion: nothing leaves unrecorded, nothing is lost, and calling again finishes."""

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
from governance import promotion
from governance import run as run_module
from governance.auditing import audit
from governance.development import train
from models import population
from tests.governance.city import SERVICE, City, Kept

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


def second_version(city: City, complete: Path) -> str:
    """A version that the board said yes to and that is not certified yet.

    A line is accepted on too little evidence once: this version is audited with everybody's race, and every line passes.
    """
    everybody = population.load(city.with_race_known(complete), SERVICE, outcome=True)
    with city.house() as house:
        version = train(house, SERVICE, "need", city.load_development(), seed=1, by="dara").case.version
        audit(house, SERVICE, version, everybody, by="eetu")
        opened = promotion.promote(house, SERVICE.id, version)
        assert opened.waiting, opened.reasons
        for member in ("aino", "bo", "celeste"):
            city.vote(house, version, member)
    return version


def promote(city: City, version: str, seconds: float | None) -> int:
    started = subprocess.Popen(
        [LUVALLA, "--home", city.home, "promote", SERVICE.id, version],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if seconds is not None:
        time.sleep(seconds)
        started.send_signal(signal.SIGKILL)
    return started.wait()


@pytest.mark.slow
def test_a_killed_promotion_is_finished_by_calling_again(city, tmp_path):
    version = second_version(city, tmp_path / "complete.csv")
    ready = Kept(city.home, tmp_path / "ready")
    begun = time.monotonic()
    assert promote(city, version, None) == 0
    whole = time.monotonic() - begun
    chance = random.Random(20261125)  # noqa: S311 - moments to kill at, no secrets
    killed = 0
    for number in range(8):
        ready.put_back()
        killed += promote(city, version, whole * chance.uniform(0.5, 1.02)) == -signal.SIGKILL
        with city.house() as house:
            assert house.ledger.check() == []
            certificates = len(house.ledger.institutional("certificate"))
            alias = house.registry.alias(SERVICE.registered_model, promotion.CHAMPION)
            # The alias moves last: it never points at a version whose certificate is not on record.
            assert alias == "1" or certificates == 2
            assert isinstance(run_module.champion(house, SERVICE), run_module.Champion)
        # A run goes on with whichever version is certified and champion.
        if number == 0:
            assert run(city, tmp_path / "between.jsonl", None) == 0
        assert promote(city, version, None) == 0
        with city.house() as house:
            assert house.registry.alias(SERVICE.registered_model, promotion.CHAMPION) == version
            assert 2 <= len(house.ledger.institutional("certificate")) <= 3
            assert house.ledger.check() == []
    assert killed, "the machine was too quick for this test"
