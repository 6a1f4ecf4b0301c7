"""Who answers on the signer's socket: another signer, something else, nobody; and what the signer answers to whom."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from consent.errors import RefusedToSignError, SignerUnavailableError
from consent.signer_client import SignerProcess
from consent.signer_server import frame, read_exactly
from consent.tlog.checkpoint import TreeHead
from consent.tlog.signer import MAX_REQUEST_BYTES
from consent.vocabulary import ConsentStatus
from tests.consent.ledger_world import OFFER, ORIGIN, World, kept
from tests.consent.signer_house import SignerHouse, impostor, posing_as

if TYPE_CHECKING:
    from collections.abc import Callable


G = ConsentStatus.GIVEN


def test_another_signers_key_is_noticed_before_anything_is_written(
    signed: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    house.stop()
    shutil.rmtree(house.state)
    house.init()
    house.start()
    before = kept(signed)
    with signed.open() as ledger, pytest.raises(RefusedToSignError, match="does not give") as caught:
        ledger.record_consent("a", OFFER, G)
    assert caught.value.exit_code == 3
    assert kept(signed) == before
    # The lost state is not made good by hand: the log's key moves to the new signer, as the hint says.
    luvalla("ledger", "rotate-key", "--signer", house.address)
    signed.clock.now = datetime.now(UTC)
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        assert ledger.check() == []


def test_a_signer_of_another_log_is_refused(signed: World, house: SignerHouse) -> None:
    house.stop()
    shutil.rmtree(house.state)
    SignerHouse(house.folder, "other.example/log").init()
    house.start()
    before = kept(signed)
    with signed.open() as ledger, pytest.raises(RefusedToSignError, match="another log"):
        ledger.record_consent("a", OFFER, G)
    assert kept(signed) == before


@pytest.mark.parametrize(
    ("answered", "code", "message"),
    [
        ("signed\n", 3, "not signed by a key"),
        ("forged", 3, "not signed by a key"),
        ("refused malformed\nno\n", 3, "refuses: no"),
        ("refused wrong-proof\nno\n", 3, "does not continue"),
        ("refused other-root\nno\n", 3, "refuses: no"),
        ("failed\nthe disk is full\n", 4, "failed: the disk is full"),
        ("HTTP/1.1 400 Bad Request\r\n", 4, "another form"),
        ("other-size many\n", 4, "another form"),
        ("other-size 1000000\n", 3, "has signed 1000000"),
        ("x" * 100_000, 4, "another form"),
    ],
)
@pytest.mark.sqlite_file
def test_whatever_answers_instead_of_a_signature_reaches_no_checkpoint_and_the_signer_makes_it_good(
    signed: World, house: SignerHouse, answered: str, code: int, message: str
) -> None:
    answer = posing_as(house, answered)
    house.stop()
    before = signed.home.checkpoint.read_bytes()
    with signed.open() as ledger:
        with impostor(house.socket, answer):
            with pytest.raises((RefusedToSignError, SignerUnavailableError), match=message) as caught:
                ledger.record_consent("a", OFFER, G, request_id="r")
            assert caught.value.exit_code == code
            assert signed.home.checkpoint.read_bytes() == before
        house.start()
        assert ledger.record_consent("a", OFFER, G, request_id="r").replayed
        assert ledger.check() == []


@pytest.mark.sqlite_file
def test_a_signer_that_does_not_answer_in_time_is_given_up(signed: World, house: SignerHouse) -> None:
    house.stop()
    before = kept(signed)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(house.socket))
        silent.listen()
        with signed.open() as ledger:
            ledger.log.signer = SignerProcess(str(house.socket), ORIGIN, seconds=0.2)
            began = time.monotonic()
            with pytest.raises(SignerUnavailableError, match="in time"):
                ledger.record_consent("a", OFFER, G)
            assert time.monotonic() - began < 5
    assert kept(signed) == before


@pytest.mark.sqlite_file
def test_the_socket_is_open_to_its_owner_or_to_one_group_only(house: SignerHouse) -> None:
    house.init()
    house.start()
    assert stat.S_IMODE(house.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(house.state.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in house.state.glob("*.pem")} == {
        "signer.pem": 0
    }
    if os.getuid() == 0:
        code = f"import os, socket; os.setuid(65534); socket.socket(socket.AF_UNIX).connect({str(house.socket)!r})"
        house.folder.chmod(0o755)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "PermissionError" in done.stderr
    house.stop()
    assert not house.socket.exists()
    import grp  # noqa: PLC0415 - the name of a group that is there

    group = grp.getgrgid(os.getgid()).gr_name
    house.start("--group", group)
    assert stat.S_IMODE(house.socket.stat().st_mode) == 0o660
    assert house.socket.stat().st_gid == os.getgid()
    house.stop()
    assert "no group" in house.run("--socket", str(house.socket), "--group", "no-such-group", code=2)


@pytest.mark.sqlite_file
def test_garbage_on_the_socket_changes_nothing_and_stops_nobody(house: SignerHouse) -> None:
    house.init()
    process = house.start()
    before = house.memory.read_bytes()
    open_ended = []
    for sent in (
        b"",
        b"\x00",
        os.urandom(4096),
        b"GET / HTTP/1.1\r\n\r\n",
        (2**32 - 1).to_bytes(4, "big") + b"x" * 10_000,
        frame(b"x" * (MAX_REQUEST_BYTES + 1)),
        frame(os.urandom(500)),
        frame(b"luvalla-signer/v1 checkpoint\nold 0\n\n" + ORIGIN.encode() + b"\n5\n"),
        (100).to_bytes(4, "big") + b"half of it",
    ):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(house.socket))
        connection.sendall(sent)
        open_ended.append(connection)
    # Too long is said at once, and nothing is read on.
    length = int.from_bytes(read_exactly(open_ended[4], 4), "big")
    assert read_exactly(open_ended[4], length).startswith(b"refused malformed\n")
    assert process.last()[1].size == 0
    for connection in open_ended:
        connection.close()
    assert house.memory.read_bytes() == before
    assert process.last()[1].size == 0


@pytest.mark.sqlite_file
def test_many_clients_at_once_get_the_same_signature(house: SignerHouse) -> None:
    house.init()
    process = house.start()
    key = house.key()
    head = TreeHead(ORIGIN, 1, b"r" * 32)

    def ask(_: int) -> str:
        return process.sign(head, 0, [key], prove=lambda *_: [], present=lambda: 1).note

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(ask, range(200))) == {house.memory.read_text()}


@pytest.mark.sqlite_file
def test_a_signer_folder_has_one_process_and_a_socket_one_signer(house: SignerHouse) -> None:
    assert "with --init" in house.run("--socket", str(house.socket), code=4)
    vkey = house.init()
    assert vkey.startswith(f"{ORIGIN}+")
    assert "never written over" in house.run("--init", "--origin", ORIGIN, code=4)
    house.start()
    assert "another signer runs" in house.run("--socket", str(house.folder / "two"), code=4)
    other = SignerHouse(house.folder, ORIGIN)
    second = house.folder / "second"
    other.run("--state", str(second), "--init", "--origin", ORIGIN)
    assert "listens" in other.run("--state", str(second), "--socket", str(house.socket), code=4)
    house.stop(signal.SIGKILL)
    assert house.socket.exists()
    house.start()  # a socket that a killed signer left is replaced
    house.stop()
    house.socket.write_text("somebody's file")
    assert "no socket" in house.run("--socket", str(house.socket), code=2)
    assert house.socket.read_text() == "somebody's file"
    assert "too long" in house.run("--socket", str(house.folder / ("x" * 120)), code=2)


@pytest.mark.sqlite_file
def test_a_lost_memory_or_a_wrong_key_is_not_served(house: SignerHouse) -> None:
    house.init()
    memory = house.memory.read_bytes()
    house.memory.unlink()
    assert "retired" in house.run("--socket", str(house.socket), code=3)
    house.memory.write_bytes(memory.replace(b"\n0\n", b"\n1\n"))
    assert "not signed by its key" in house.run("--socket", str(house.socket), code=3)
    house.memory.write_bytes(memory)
    other = house.folder / "other"
    house.run("--state", str(other), "--init", "--origin", ORIGIN)
    (other / "signer.pem").replace(house.state / "signer.pem")
    assert "Put the right key file or token back" in house.run("--socket", str(house.socket), code=2)
