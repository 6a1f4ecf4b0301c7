"""aics-witness (PyPI, Apache-2.0), a witness and a client that others wrote from C2SP tlog-witness, against ours.

It needs Python 3.12 or newer, so it runs in an environment of its own: LUVALLA_AICS_WITNESS names its program, as `.ci/run`
does where such a Python is there; else it is looked for on the PATH. Without it the tests are skipped and say so.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent.errors import RefusedToSignError, WitnessesMissingError
from consent.tlog.cosignature import WitnessKey, cosigned
from consent.tlog.note import Note, load_key
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from consent.vocabulary import ConsentStatus
from tests.consent.ledger.test_durable import restore, snapshot
from tests.consent.ledger_world import OFFER, ORIGIN, World, make_world, open_trust
from tests.consent.witness.test_processes import WitnessProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

G = ConsentStatus.GIVEN
# Their client: reads a checkpoint and proofs by old size, submits, prints the cosignature lines.
CLIENT = """
import base64, json, sys
from aics_witness.feeder import submit_checkpoint
asked = json.load(sys.stdin)
proofs = {int(old): [base64.b64decode(each) for each in proof] for old, proof in asked["proofs"].items()}
print(submit_checkpoint(
    asked["url"], asked["note"], lambda old, new: proofs[old], witness_vkey=asked["vkey"], old_size=asked["old"],
    max_attempts=1,
), end="")
"""


@pytest.fixture(scope="module")
def program() -> Path:
    found = os.environ.get("LUVALLA_AICS_WITNESS") or shutil.which("aics-witness")
    if found is None:
        pytest.skip("no aics-witness: pip install aics-witness with Python 3.12 or newer")
    return Path(found)


@pytest.fixture
def theirs(program, tmp_path) -> Iterator[tuple[World, WitnessKey]]:
    """A city whose log needs their witness from its next entry on, and the witness's key."""
    world = make_world(tmp_path)
    trust = TrustRoot.load(world.home.trust_root, open_trust(world.home))
    with world.open() as ledger:
        size = ledger.head().size
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = ["--config", str(tmp_path / "witness.json")]
    run = [str(program), "init", *config, "--name", "witness.example/aics", "--listen", f"127.0.0.1:{port}"]
    key = WitnessKey.parse(
        subprocess.run(run, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    )
    log = trust.log_keys[0].key
    run = [str(program), "add-log", *config, "--origin", ORIGIN, "--vkey", log.vkey]
    subprocess.run(run, check=True, capture_output=True, timeout=60)
    root_key = load_key(world.home.root_key, f"{ORIGIN}/root")
    trust.with_witnesses(WitnessRule((key,), 1, size + 1), [root_key]).save(world.home.trust_root)
    settings = world.home.config
    settings.write_text(settings.read_text() + f'witnesses = ["http://127.0.0.1:{port}"]\n')
    process = subprocess.Popen([str(program), "serve", *config], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                assert answer.status == 200
                break
        except OSError:
            time.sleep(0.05)
    yield world, key
    process.kill()
    process.wait(timeout=10)


def test_their_witness_cosigns_our_log_and_our_receipts_verify_with_it(theirs):
    world, key = theirs
    for person in ("a", "b"):
        with world.open() as ledger:
            ledger.record_consent(person, OFFER, G)
            receipt = ledger.consent_receipt(person, OFFER)
        assert world.verify(receipt).witnessed_by == (key.keyid,)


def test_their_witness_refuses_a_history_that_was_taken_back_and_ours_stops(theirs, tmp_path):
    world, _ = theirs
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    snapshot(world, tmp_path / "old.db")
    checkpoint = world.home.checkpoint.read_bytes()
    with world.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        ledger.record_consent("c", OFFER, G)
    restore(world, tmp_path / "old.db")
    world.home.checkpoint.write_bytes(checkpoint)
    with world.open() as ledger:
        for person in "defgh":
            with pytest.raises(RefusedToSignError, match="has cosigned"):
                ledger.record_consent(person, OFFER, G)


def test_our_witness_answers_their_client(program, tmp_path):
    world = make_world(tmp_path)
    trust = TrustRoot.load(world.home.trust_root, open_trust(world.home))
    witness = WitnessProcess(tmp_path / "ours", "--log", trust.log_keys[0].key.vkey)
    sizes: list[int] = [0]

    def submit(old: int, *, flip: bool = False) -> subprocess.CompletedProcess[str]:
        with world.open() as ledger:
            head = ledger.checkpoint()
            proofs = {
                str(size): [base64.b64encode(each).decode() for each in ledger.log._prove(size, head.size)]
                for size in sizes
                if size
            }
        proofs["0"] = []
        if flip:
            proofs = {
                size: [base64.b64encode(bytes(32)).decode() for _ in proof] for size, proof in proofs.items()
            }
        asked = {
            "url": f"http://127.0.0.1:{witness.port}", "vkey": witness.key.vkey, "note": head.note, "old": old,
            "proofs": proofs,
        }  # fmt: skip
        done = subprocess.run(
            [program.parent / "python", "-c", CLIENT],
            input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        if done.returncode == 0:
            note = Note.parse(head.note.encode() + done.stdout.encode())
            assert witness.key in cosigned(note, [witness.key])
            sizes.append(head.size)
        return done

    def grow(person: str) -> None:
        with world.open() as ledger:
            ledger.record_consent(person, OFFER, G)

    try:
        grow("a")
        assert submit(0).returncode == 0
        grow("b")
        assert submit(sizes[-1]).returncode == 0
        grow("c")
        assert (
            submit(0).returncode == 0
        )  # told the size that our witness knows (409), it asks again with that proof
        assert witness.size == sizes[-1]
        grow("d")
        refused = submit(sizes[-1], flip=True)
        assert refused.returncode != 0
        assert "422" in refused.stderr
        assert witness.size == sizes[-1]
    finally:
        witness.kill()


def test_without_their_witness_nothing_is_released(theirs):
    world, _ = theirs
    settings = world.home.config
    settings.write_text(settings.read_text().replace("witnesses = [", "witnesses = [] # ["))
    with world.open() as ledger, pytest.raises(WitnessesMissingError):
        ledger.record_consent("a", OFFER, G)
