"""`luvalla ledger publish` as a process: killed at any moment, and two at a time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from consent.records import ConsentRequest
from consent.tlog.verify import _folder as reading
from consent.tlog.verify import verify_published
from tests.consent.ledger_world import OFFER, G, World, make_world, open_trust

LUVALLA = Path(sys.executable).parent / "luvalla"


def give(world: World, start: int, count: int) -> int:
    with world.open() as ledger:
        ledger.record_consents(
            [ConsentRequest(f"invented-{start + each}", OFFER, G) for each in range(count)]
        )
        return ledger.head().size


def started(world: World, public: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [LUVALLA, "--home", world.home.path, "ledger", "publish", public],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def published_size(world: World, public: Path) -> int:
    """Every entry and tile is hashed again; what does not verify raises."""
    trust = world.home.trust_root.read_bytes()
    return verify_published(reading(public), trust, open_trust(world.home)).size


@pytest.mark.slow
def test_a_publisher_killed_at_any_moment_leaves_a_whole_log_and_the_next_goes_on(tmp_path):
    world = make_world(tmp_path)
    public = tmp_path / "public"
    before = give(world, 0, 30)
    assert started(world, public).wait(timeout=60) == 0
    interrupted = 0
    for turn in range(12):
        size = give(world, 1000 * (turn + 1), 70)
        process = started(world, public)
        # It is killed between the first file it writes and the end: later from turn to turn.
        until = time.monotonic() + 30
        there = set(public.rglob("*"))
        while process.poll() is None and set(public.rglob("*")) == there and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.004 * turn)
        process.kill()
        process.wait(timeout=10)
        process.stderr.close()
        found = published_size(world, public)
        assert found in (before, size)
        interrupted += found == before
        before = found
    assert interrupted
    # What was half written is written over, or goes with the partial files that the full one replaces.
    for _ in range(2):
        assert started(world, public).wait(timeout=60) == 0
        assert published_size(world, public) == size
    assert not [path for path in public.rglob(".*") if path.is_file()]


def test_of_two_publishers_at_a_time_each_finishes_or_is_told(tmp_path):
    world = make_world(tmp_path)
    public = tmp_path / "public"
    size = give(world, 0, 400)
    both = [started(world, public) for _ in range(2)]
    ends = []
    for process in both:
        _, said = process.communicate(timeout=60)
        ends.append(process.returncode)
        assert (process.returncode == 4) == (b"another process is publishing" in said)
    assert set(ends) <= {0, 4}
    assert 0 in ends
    assert published_size(world, public) == size
