"""Ctrl-C, a question answered with no, and a reader that leaves: no traceback, nothing released, an exit code that says which."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consent.canonical import b64u
from tests.cli.telling import tells, unchanged
from tests.governance.city import SERVICE, City

LUVALLA = Path(sys.executable).parent / "luvalla"


@pytest.fixture(autouse=True)
def _ctrl_c_reaches_children():
    """A suite that a script started in the background is told to ignore Ctrl-C, and its children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def started(city: City, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [LUVALLA, "--home", city.home, "run", SERVICE.id, "--population", city.people, "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def recorded(city: City) -> set[str]:
    with city.house() as house:
        assert house.ledger.check() == []
        return {entry.body["run"] for entry in house.ledger.institutional("run")}


def waiting(city: City) -> list[str]:
    return [path.name for path in (city.home / "outbox").glob("*.jsonl")]


def test_ctrl_c_while_a_run_waits_to_be_recorded_releases_nothing(city, tmp_path):
    out = tmp_path / "offers.jsonl"
    before = recorded(city)
    other = sqlite3.connect(city.home / "ledger.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    running = started(city, out)
    try:
        for _ in range(600):
            if waiting(city) or running.poll() is not None:
                break
            time.sleep(0.1)
        assert waiting(city), "the offers are written before the use is recorded"
        running.send_signal(signal.SIGINT)
        time.sleep(0.1)
    finally:
        other.execute("ROLLBACK")
        other.close()
    said, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert said == ""
    assert err.strip() == "stopped"
    assert not out.exists()
    assert waiting(city) == []
    assert (
        len(recorded(city) - before) <= 1
    )  # a use that reached no one may stand recorded, never the other way


@pytest.mark.slow
def test_ctrl_c_at_any_moment_of_a_run(city, tmp_path):
    begun = time.monotonic()
    assert started(city, tmp_path / "whole.jsonl").wait() == 0
    whole = time.monotonic() - begun
    chance = random.Random(20261124)  # noqa: S311 - moments to stop at, no secrets
    for number in range(8):
        out = tmp_path / f"offers-{number}.jsonl"
        running = started(city, out)
        time.sleep(whole * chance.uniform(0.3, 1.0))
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
        # -SIGINT: it came when all was done and Python was leaving; a shell calls this 130 as well.
        assert running.returncode in {0, 130, -signal.SIGINT}, err
        assert "Traceback" not in err
        assert out.exists() or running.returncode == 130
        recorded(city)
        assert waiting(city) == []


def test_a_question_that_is_not_answered_with_yes_changes_nothing(city):
    for answer in ("n\n", ""):
        with unchanged(city):
            done = subprocess.run(
                [LUVALLA, "--home", city.home, "consent", "erase", "--person", city.names[0], "--ground", "eu-gdpr:A17-1-b"],
                input=answer, capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert done.stderr.endswith("stopped\n")
        assert city.names[0] not in done.stdout + done.stderr


def test_a_reader_that_leaves_a_long_answer(city):
    """`luvalla ... | head -1`: also where the answer is longer than the pipe holds."""
    ends, begins = os.pipe()
    running = subprocess.Popen(
        [LUVALLA, "--home", city.home, "models", "list", "--json"], stdout=begins, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    os.close(begins)
    os.close(ends)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")


def test_a_second_run_at_the_same_time_is_told_to_wait(city, luvalla, tmp_path):
    from governance import release  # noqa: PLC0415 - MLflow takes seconds to import

    with city.house() as house, release.alone(house), unchanged(city):
        said = luvalla(
            city.home, "run", SERVICE.id, "--population", city.people, "--out", tmp_path / "x.jsonl"
        )
    tells(said, 4, "another run of this home is under way", names=city.names)


def test_what_a_dead_run_left_never_leaves(city, luvalla, tmp_path):
    outbox = city.home / "outbox"
    dead = outbox / ("ab" * 16 + ".jsonl")
    dead.write_text(f'{{"person":"{city.names[0]}"}}\n')
    out = tmp_path / "offers.jsonl"
    tells(
        luvalla(city.home, "run", SERVICE.id, "--population", city.people, "--out", out), 0, names=city.names
    )
    assert waiting(city) == []
    assert b64u(bytes.fromhex("ab" * 16)) not in out.read_text()


def test_ctrl_c_inside_a_destructor_is_neither_printed_nor_forgotten(tmp_path):
    """Python cannot raise there: it would print a traceback and go on as if nobody had asked to stop."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time, types, click, cli\n"
        "class Late:\n"
        "    def __del__(self):\n"
        "        raise KeyboardInterrupt\n"
        "@click.command()\n"
        "def wait():\n"
        "    Late()\n"
        "    for _ in range(300): time.sleep(0.1)\n"
        "room = types.ModuleType('waiting'); room.wait = wait; sys.modules['waiting'] = room\n"
        "cli.TABLE['wait'] = cli.Entry('waiting:wait', 'x')\n"
        "cli.main(['wait'])\n"
    )
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-P", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "stopped")
    assert time.monotonic() - begun < 20


def test_ctrl_c_while_a_class_is_made_is_still_ctrl_c(tmp_path):
    """Python 3.11 turns it into a RuntimeError there, as when a module is being imported."""
    code = (
        "import cli\n"
        "class Stopped:\n"
        "    def __set_name__(self, owner, name): raise KeyboardInterrupt\n"
        "def invoke(**_):\n"
        "    type('Made', (), {'stopped': Stopped()})\n"
        "cli.luvalla.main = invoke\n"
        "cli.main(['status'])\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")
