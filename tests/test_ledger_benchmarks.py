"""The ledger's benchmarks run, at a tiny size: what they measure is never a test, that they still work is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consent.postgresql_server import required, system_binaries

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
TINY = {
    "ledger_check.py": (["--size", "40", "--runs", "1"], "a use tree: budget 3 s"),
    "ledger_rates.py": (["--size", "50", "--events-each", "1", "--rounds", "1"], "64 writers: budget 16"),
    "ledger_cold.py": (["--size", "300", "--rounds", "2"], "open, prove one entry, of 2 processes"),
    "ledger_permit.py": (["--size", "50"], "cold, from pseudonyms"),
    "ledger_publish.py": (["--size", "500"], "1,000 more, in full"),
    "ledger_uses.py": (["--size", "20", "--runs", "3", "--rounds", "2"], "which of 3 runs used me"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_runs_at_a_tiny_size(name: str) -> None:
    arguments, says = TINY[name]
    done = _run(name, *arguments)
    # 1 is a broken budget, which a busy machine may break, and also how Python ends at an exception.
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert says in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    not system_binaries() and not required(), reason="no PostgreSQL: apt-get install postgresql"
)
def test_permits_are_measured_on_a_server_of_the_benchmark_s_own() -> None:
    done = _run(
        "ledger_permit.py", "--size", "50", "--rounds", "2", "--postgresql", str(system_binaries()[0])
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"cold, from pseudonyms.*: no budget; best of 2", done.stdout)
    assert "GB peak of the server" in done.stdout


@pytest.mark.slow
def test_the_growth_is_measured_at_a_tiny_size_and_kept(tmp_path: Path) -> None:
    done = _run("ledger_growth.py", "--sizes", "50", "--only", "permit", "--outputs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "cold, from pseudonyms" in (tmp_path / "permit-50.txt").read_text()
    assert (tmp_path / "growth.svg").read_text().startswith("<?xml")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("strace") is None and "LUVALLA_REQUIRE_STRACE" not in os.environ,
    reason="no strace: apt-get install strace",
)
def test_a_commit_syncs_the_write_ahead_log_once() -> None:
    said = _run("ledger_rates.py", "--size", "50", "--events-each", "1", "--rounds", "1").stdout
    counted = re.search(r"([0-9.]+) fsyncs of the write-ahead log a commit", said)
    assert counted is not None, said
    assert counted[1] == "1.00"


def _run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    # The benchmark imports this folder's rooms, wherever it is started.
    paths = os.pathsep.join([str(BENCHMARKS.parent), str(BENCHMARKS)])
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    )
