"""A witness as a process of its own, asked over HTTP by a ledger that needs it: killed, cut off, behind, and back."""

from __future__ import annotations

import http.client
import http.server
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent.errors import WitnessesMissingError
from consent.tlog import verify
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import Note, generate_key, load_key, save_key
from consent.tlog.witness import AddCheckpoint, WitnessState
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from consent.vocabulary import ConsentStatus
from consent.witnessing import ask_over_http
from tests.consent.ledger_world import OFFER, ORIGIN, World, make_world, open_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

G = ConsentStatus.GIVEN
CLI = [Path(sys.executable).parent / "luvalla", "ledger", "witness"]


class WitnessProcess:
    """`luvalla ledger witness`; started, killed and started again at one address."""

    def __init__(self, state: Path, *log: str) -> None:
        self.state = state
        self._log = log
        self.said: list[str] = []
        done = subprocess.run(
            [*CLI, "--state", state, "--init", "--name", "ombudsman.example/witness"],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.key = WitnessKey.parse(done.stdout.strip())
        self.port = 0
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*CLI, "--state", self.state, *self._log, "--port", str(self.port)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self._process.stderr.readline()
        found = re.search(r" is at http://127\.0\.0\.1:(\d+);", line)
        assert found, line
        self.port = int(found[1])
        self._reader = threading.Thread(target=self.said.extend, args=(self._process.stderr,), daemon=True)
        self._reader.start()

    def serve(self, *log: str) -> None:
        """Start again, with another log to witness."""
        self._log = log
        self.start()

    def kill(self) -> None:
        """Like a power cut for the process: SIGKILL."""
        self._process.kill()
        self._process.wait(timeout=10)

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=10)
        self._reader.join(timeout=10)
        return code

    @property
    def size(self) -> int:
        return WitnessState(self.state / "witness.db").head(ORIGIN).size


class Wire:
    """A line between the ledger and the witness that can be cut before the request arrives, or before its answer does."""

    def __init__(self, target: WitnessProcess) -> None:
        self.statuses: list[int] = []
        self.cut: str | None = None
        wire = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if wire.cut == "before":
                    self.close_connection = True
                    return
                there = http.client.HTTPConnection("127.0.0.1", target.port, timeout=10)
                try:
                    there.request("POST", self.path, body)
                    answer = there.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    there.close()
                if wire.cut == "after":
                    target.kill()
                    self.close_connection = True
                    return
                wire.statuses.append(answer.status)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type"))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Outside:
    """A city whose log needs the witness from its next entry on."""

    def __init__(self, folder: Path) -> None:
        self.world: World = make_world(folder)
        trust = TrustRoot.load(self.world.home.trust_root, open_trust(self.world.home))
        with self.world.open() as ledger:
            size = ledger.head().size
        self.witness = WitnessProcess(folder / "witness", "--log", trust.log_keys[0].key.vkey)
        self.wire = Wire(self.witness)
        root_key = load_key(self.world.home.root_key, f"{ORIGIN}/root")
        rule = WitnessRule((self.witness.key,), 1, size + 1)
        trust.with_witnesses(rule, [root_key]).save(self.world.home.trust_root)
        config = self.world.home.config
        config.write_text(config.read_text() + f'witnesses = ["{self.wire.url}"]\n')

    def close(self) -> None:
        self.witness.kill()
        self.wire.close()

    def record(self, person: str, request: str | None = None):
        with self.world.open() as ledger:
            return ledger.record_consent(person, OFFER, G, request_id=request)

    def proved(self, person: str) -> verify.Verified:
        with self.world.open() as ledger:
            return self.world.verify(ledger.consent_receipt(person, OFFER))


@pytest.fixture
def outside(tmp_path) -> Iterator[Outside]:
    there = Outside(tmp_path)
    yield there
    there.close()


def test_a_receipt_carries_the_cosignature_of_a_witness_that_another_process_is(outside, tmp_path):
    outside.record("a")
    assert outside.wire.statuses == [409, 200]  # it knew nothing yet, and said so: size 0
    proved = outside.proved("a")
    assert proved.witnessed_by == (outside.witness.key.keyid,)
    outside.record("b")
    assert outside.wire.statuses == [409, 200, 200]
    assert outside.witness.size == outside.proved("b").size
    # The one file says so too, on a machine where there is neither ledger nor witness.
    with outside.world.open() as ledger:
        ledger.publish(tmp_path / "public")
    shutil.copy(Path(verify.__file__), tmp_path / "verify.py")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    said = subprocess.run(
        [sys.executable, "verify.py", "public", "--pin", open_trust(outside.world.home)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert f"{outside.witness.key.keyid} cosigned that log" in said.stdout
    assert outside.witness.stop() == 0


@pytest.mark.parametrize("cut", ["before", "after"], ids=["failed", "failed-but-had-cosigned"])
def test_a_witness_cut_off_or_killed_releases_nothing_and_the_same_call_finds_what_was_done(outside, cut):
    outside.record("a")
    known = outside.witness.size
    outside.wire.cut = cut
    with pytest.raises(WitnessesMissingError, match="0 of the 1 witnesses") as caught:
        outside.record("b", "r")
    assert caught.value.exit_code == 4
    # Killed after its commit, it remembers a head whose cosignature nobody got.
    assert (outside.witness.size > known) == (cut == "after")
    with pytest.raises(WitnessesMissingError):
        outside.proved("b")
    outside.wire.cut = None
    if cut == "after":
        outside.witness.start()
    before = len(outside.wire.statuses)
    assert outside.record("b", "r").replayed
    assert outside.wire.statuses[before:][-1] == 200
    assert outside.proved("b").witnessed_by == (outside.witness.key.keyid,)


def test_a_witness_that_was_killed_for_a_while_names_its_older_size_and_gets_the_proof_from_there(outside):
    outside.record("a")
    outside.witness.kill()
    for person in "bcd":
        with pytest.raises(WitnessesMissingError):
            outside.record(person)
    older = outside.witness.size
    outside.witness.start()
    before = len(outside.wire.statuses)
    outside.record("e")
    assert outside.wire.statuses[before:] == [409, 200]
    assert outside.witness.size > older + 3
    for person in "bcde":
        assert outside.proved(person).witnessed_by == (outside.witness.key.keyid,)


def test_a_running_witness_believes_a_rotated_key_from_its_trust_root_file_and_no_older_one(
    outside, tmp_path
):
    home, copy = outside.world.home, tmp_path / "trust-root.json"
    outside.record("a")
    outside.witness.kill()
    shutil.copy(home.trust_root, copy)
    first = copy.read_bytes()
    pinned = ("--trust-root", str(copy), "--pin", open_trust(home))
    outside.witness.serve(*pinned)
    outside.record("b")
    trust = TrustRoot.load(home.trust_root, open_trust(home))
    old_key, new_key = load_key(home.log_key, ORIGIN), generate_key(ORIGIN)
    with outside.world.open() as ledger:
        size = ledger.head().size
    root_key = load_key(home.root_key, f"{ORIGIN}/root")
    rotated = trust.rotate_log_key(new_key.verifier, size + 1, [root_key])
    rotated.save(home.trust_root)
    home.log_key.unlink()
    save_key(new_key, home.log_key)
    with pytest.raises(WitnessesMissingError, match="status 403"):
        outside.record("c", "r")
    # A file that was copied only in part is not believed, and costs the witness nothing of what it knows.
    copy.write_bytes(rotated.raw[:100])
    with pytest.raises(WitnessesMissingError, match="status 403"):
        outside.record("c", "r")
    rotated.save(copy)
    assert outside.record("c", "r").replayed
    assert outside.wire.statuses[-1] == 200
    assert outside.proved("c").witnessed_by == (outside.witness.key.keyid,)
    # Whoever puts the older file back gets no cosignature of a head that the older key signed.
    copy.write_bytes(first)
    forged = sign_checkpoint(TreeHead(ORIGIN, size + 100, b"f" * 32), old_key)
    asked = AddCheckpoint(outside.witness.size, (), Note.parse(forged.note.encode()))
    assert ask_over_http(outside.wire.url, asked.encode()).status == 403
    outside.record("d")
    assert outside.wire.statuses[-1] == 200
    outside.witness.stop()
    warned = [line for line in outside.witness.said if line.startswith("warning: ")]
    assert [line.partition("stays in force")[1] for line in warned] == ["stays in force"] * 2
    assert "malformed" in warned[0]
    assert "older than version 3" in warned[1]


@pytest.mark.slow
def test_a_witness_killed_at_any_moment_never_cosigns_two_histories_and_comes_back(outside):
    """Ten kills while the ledger appends: what it remembers is always a head of this one log."""
    people = iter(range(1000))
    missing = 0
    for turn in range(10):
        timer = threading.Timer(0.03 * turn, outside.witness.kill)
        timer.start()
        for _ in range(8):
            try:
                outside.record(f"invented-{next(people)}")
            except WitnessesMissingError:
                missing += 1
                break
        timer.join()
        outside.witness.start()
    outside.record("last")
    assert missing
    assert outside.proved("last").size == outside.witness.size
    assert WitnessState(outside.witness.state / "witness.db").conflicts() == []
    with outside.world.open() as ledger:
        assert ledger.check() == []
