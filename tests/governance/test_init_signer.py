"""`luvalla init --signer` as the operator calls it, with all that governance puts into a home."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import cli
from consent.home import open_home, read_settings
from consent.tlog.signer import STATEMENT_START
from governance import policy
from governance.house import House
from tests.consent.signer_house import ENVIRONMENT, ROOT, SignerHouse

ORIGIN = "city.example/consent"
KILLED = """
import os, signal, sys
from consent.tlog.external import FileCheckpointStore
FileCheckpointStore.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
import cli
cli.main(sys.argv[1:])
"""
"""The command line, killed when the signer has signed and nothing of that is written."""


@pytest.fixture
def signer():
    folder = Path(tempfile.mkdtemp(prefix="signer-"))
    made = SignerHouse(folder, ORIGIN)
    made.init()
    made.start("--statements")
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture
def luvalla(tmp_path, capsys):
    def call(*words, code=0):
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(tmp_path / "home"), *words])
        said = capsys.readouterr()
        assert int(ended.value.code or 0) == code, said.err
        return said.out if code == 0 else said.err

    return call


def whole(home, signer):
    """Everything is in the home but the log's key, and one signature of the signer covers all of it."""
    with House.open(home) as house:
        [entry] = house.ledger.institutional("policy")
        assert house.evidence.get(entry.body["digest"]) == policy.shipped()
        assert house.ledger.check() == []
        head = house.ledger.head()
        assert head.checkpoint.size == head.size
        assert house.registry.versions("nothing") == []
        key = house.ledger.log.signer.statement_key()
        message = STATEMENT_START + b"2 {}"
        assert key.verifier.verifies(key.sign(message), message)
    assert signer.memory.read_bytes() == (home / "checkpoint").read_bytes()
    assert read_settings(open_home(home)).signer == signer.address
    assert not (home / "keys" / "log.pem").exists()


def test_a_home_is_made_with_a_signer(tmp_path, signer, luvalla):
    words = ["init", "--origin", ORIGIN, "--signer", signer.address]
    signer.stop()
    assert "cannot be reached" in luvalla(*words, code=4)
    assert list(tmp_path.iterdir()) == []
    signer.start("--statements")
    made = json.loads(luvalla(*words, "--json"))
    assert (made["signer"], made["completed"]) == (signer.address, False)
    whole(tmp_path / "home", signer)
    assert "already" in luvalla(*words, code=2)
    (tmp_path / "home").rename(tmp_path / "away")
    said = luvalla(*words, code=3)
    assert "has signed a log of" in said
    assert "signer.md" in said


def test_a_home_whose_set_up_was_killed_after_the_signature_is_completed(tmp_path, signer, luvalla):
    home = tmp_path / "home"
    (home / "demo").mkdir(parents=True)
    (home / "demo" / "file").write_text("kept")
    words = ["init", "--origin", ORIGIN, "--signer", signer.address]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, "--home", home, *words], env=ENVIRONMENT, cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    signed = signer.memory.read_bytes()
    assert [path.name for path in home.iterdir()] == ["demo"]
    other = tmp_path / "policy.toml"
    other.write_bytes(policy.shipped() + b"\n# another\n")
    for changed, option in (
        ([*words, "--policy", str(other)], "--policy"),
        (["init", "--origin", ORIGIN], "--signer"),
    ):
        assert f"was begun with another {option}" in luvalla(*changed, code=2)
    assert "complete" in luvalla(*words)
    assert signer.memory.read_bytes() == signed
    assert (home / "demo" / "file").read_text() == "kept"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "policy.toml"}
    whole(home, signer)
