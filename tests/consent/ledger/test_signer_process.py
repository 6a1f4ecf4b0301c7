"""A ledger whose checkpoints are signed by a process apart: what it signs, what it refuses, and what survives its death."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cli
from consent.errors import ConfigurationError, RefusedToSignError, SignerUnavailableError
from consent.home import parse_settings, read_settings
from consent.published_log import FolderFiles
from consent.records import ConsentRequest
from consent.refill import refill
from consent.signer_client import SignerProcess
from consent.signer_rotation import settings_naming
from consent.signer_server import SignerServer, frame, read_exactly
from consent.tlog.checkpoint import TreeHead, open_checkpoint
from consent.tlog.external import FileCheckpointStore
from consent.tlog.signer import MAX_REQUEST_BYTES, STATEMENT_START, Signer
from consent.trust import TrustRoot
from consent.vocabulary import ConsentStatus
from tests.consent.ledger.test_durable import restore, snapshot
from tests.consent.ledger_world import OFFER, ORIGIN, World, open_trust
from tests.consent.make_vectors import signing_key
from tests.consent.signer_house import ENVIRONMENT, ROOT, SignerHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

G = ConsentStatus.GIVEN


@pytest.fixture
def house() -> Iterator[SignerHouse]:
    folder = Path(tempfile.mkdtemp(prefix="signer-"))
    made = SignerHouse(folder, ORIGIN)
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture
def luvalla(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def call(*args: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(world.home.path), *args])
        said = capsys.readouterr()
        assert int(ended.value.code or 0) == code, said.err
        return said.out if code == 0 else said.err

    return call


@pytest.fixture
def signed(world: World, house: SignerHouse, luvalla: Callable[..., str]) -> World:
    """A world whose key is in a running signer, and nowhere else."""
    world.clock.now = datetime.now(UTC)  # the command line has the machine's clock
    house.init()
    house.start()
    luvalla("ledger", "rotate-key", "--signer", house.address)
    world.home.log_key.unlink()
    world.clock.now = datetime.now(UTC)
    return world


def trust(world: World) -> TrustRoot:
    return TrustRoot.load(world.home.trust_root, open_trust(world.home))


def kept(world: World) -> tuple[int, bytes]:
    """How many entries there are, and the checkpoint outside: what must not change at a refusal."""
    with world.open(read_only=True) as ledger:
        return ledger.head().size, world.home.checkpoint.read_bytes()


def test_a_ledger_without_a_key_writes_proves_and_checks_through_the_signer(
    signed: World, house: SignerHouse
) -> None:
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(300)])
        proved = signed.verify(ledger.consent_receipt("a", OFFER))
        assert proved.signed_by == (house.key().keyid,)
        assert ledger.check() == []
        assert ledger.head().checkpoint.size == ledger.head().size
    assert not signed.home.log_key.exists()
    # The signer's own copy is the same text, whatever lines of witnesses the house's copy carries more.
    assert house.memory.read_bytes() == signed.home.checkpoint.read_bytes()


def test_a_signer_that_is_away_stops_writing_before_anything_is_written(
    signed: World, house: SignerHouse
) -> None:
    house.stop()
    before = kept(signed)
    with signed.open() as ledger:
        for attempt in (
            lambda: ledger.record_consent("a", OFFER, G, request_id="r"),
            lambda: ledger.enrol("a"),
            lambda: ledger.record_consents([ConsentRequest("a", OFFER, G)]),
        ):
            with pytest.raises(SignerUnavailableError, match="cannot be reached") as caught:
                attempt()
            assert caught.value.exit_code == 4
        assert ledger.number_of("a") is None
        assert ledger.check() == []
    assert kept(signed) == before
    house.start()
    with signed.open() as ledger:
        assert not ledger.record_consent("a", OFFER, G, request_id="r").replayed


@pytest.mark.parametrize("when", ["asked", "persisted"])
def test_kill_9_around_the_signature_then_a_retry_gives_one_history(
    signed: World, house: SignerHouse, when: str
) -> None:
    house.stop()
    house.start_dying(when)
    memory = house.memory.read_bytes()
    with signed.open() as ledger:
        with pytest.raises(SignerUnavailableError):
            ledger.record_consent("a", OFFER, G, request_id="r")
        assert house.died() == -signal.SIGKILL
        # "failed", or "failed but was written": the signer's file has the old head or the new one, whole.
        assert (house.memory.read_bytes() == memory) == (when == "asked")
        after_death = house.memory.read_bytes()
        house.start()
        size = ledger.head().size
        got = ledger.record_consent("a", OFFER, G, request_id="r")
        assert got.replayed
        assert ledger.head().size == size == ledger.head().checkpoint.size
        if when == "persisted":
            assert house.memory.read_bytes() == after_death == signed.home.checkpoint.read_bytes()
        ledger.record_consent("b", OFFER, G)
        assert ledger.check() == []


def test_another_writer_makes_good_what_a_lost_answer_left(signed: World, house: SignerHouse) -> None:
    house.stop()
    house.start_dying("persisted")
    with signed.open() as ledger, pytest.raises(SignerUnavailableError):
        ledger.record_consent("a", OFFER, G)
    house.died()
    house.start()
    with signed.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        assert ledger.head().checkpoint.size == ledger.head().size
        assert ledger.check() == []


@pytest.mark.sqlite_file
def test_a_restored_database_is_refused_by_the_signer_although_the_checkpoint_was_restored_too(
    signed: World, house: SignerHouse, tmp_path: Path, luvalla: Callable[..., str]
) -> None:
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    snapshot(signed, tmp_path / "old.db")
    old_checkpoint = signed.home.checkpoint.read_bytes()
    with signed.open() as ledger:
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(5)])
    newer = house.memory.read_bytes()
    restore(signed, tmp_path / "old.db")
    signed.home.checkpoint.write_bytes(old_checkpoint)
    before = kept(signed)
    with signed.open() as ledger, pytest.raises(RefusedToSignError, match="has signed") as caught:
        ledger.record_consent("b", OFFER, G)
    assert caught.value.exit_code == 3
    assert "restored" in caught.value.hint
    assert kept(signed) == before
    assert "signer.md" in luvalla("consent", "give", "--person", "b", OFFER, code=3)
    assert house.memory.read_bytes() == newer


@pytest.mark.sqlite_file
def test_a_restored_database_that_grew_another_way_is_refused(
    signed: World, house: SignerHouse, tmp_path: Path
) -> None:
    snapshot(signed, tmp_path / "old.db")
    old_checkpoint, old_memory = signed.home.checkpoint.read_bytes(), house.memory.read_bytes()
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    newer = house.memory.read_bytes()
    restore(signed, tmp_path / "old.db")
    signed.home.checkpoint.write_bytes(old_checkpoint)
    # A thief of the signer's machine lets it sign the other history, then puts the memory back.
    house.memory.write_bytes(old_memory)
    with signed.open() as ledger:
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(5)])
    house.memory.write_bytes(newer)
    before = kept(signed)
    with signed.open() as ledger, pytest.raises(RefusedToSignError, match="do not have the root"):
        ledger.record_consent("b", OFFER, G)
    assert kept(signed) == before


@pytest.mark.sqlite_file
@pytest.mark.parametrize("published", ["all", "part"])
def test_a_restored_ledger_goes_on_once_it_is_filled_again_up_to_what_the_signer_signed(
    signed: World, house: SignerHouse, tmp_path: Path, published: str
) -> None:
    snapshot(signed, tmp_path / "old.db")
    old_checkpoint = signed.home.checkpoint.read_bytes()
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        ledger.publish(tmp_path / "public")
        if published == "part":
            ledger.record_consent("b", OFFER, G)
        elsewhere = ledger.head()
    memory = house.memory.read_bytes()
    restore(signed, tmp_path / "old.db")
    signed.home.checkpoint.write_bytes(old_checkpoint)
    with signed.open() as ledger:
        refill(ledger.log, signed.home, FolderFiles(tmp_path / "public"))
        if published == "part":
            with pytest.raises(RefusedToSignError, match="has signed"):
                ledger.checkpoint()
            with pytest.raises(RefusedToSignError, match="has signed"):
                ledger.record_consent("c", OFFER, G)
            assert house.memory.read_bytes() == memory
        else:
            assert ledger.checkpoint().head == elsewhere.checkpoint.head
            ledger.record_consent("c", OFFER, G)
            assert ledger.check() == []


def test_a_signer_that_is_behind_signs_with_a_proof_from_where_it_stands(
    signed: World, house: SignerHouse
) -> None:
    old = house.memory.read_bytes()
    with signed.open() as ledger:
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(20)])
    house.stop()
    house.memory.write_bytes(old)
    process = house.start()
    _, last = process.last()
    # Not from its older state either is anything signed that does not continue that.
    forged = TreeHead(ORIGIN, last.size + 9, b"f" * 32)
    for old_size in (last.size, last.size + 5):
        with pytest.raises(RefusedToSignError, match="does not continue"):
            process.sign(
                forged, old_size, [house.key()], prove=lambda *_: [bytes(32)] * 3, present=lambda: 10**6
            )
    with signed.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        assert ledger.head().checkpoint.size == ledger.head().size
        assert ledger.check() == []


def test_writers_in_several_processes_and_threads_share_one_signer(signed: World, house: SignerHouse) -> None:
    start_size = kept(signed)[0]
    signed.clock.now = datetime.now(UTC)
    processes = [writer(signed, f"w{i}") for i in range(2)]
    with signed.open() as ledger:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: ledger.record(ConsentRequest(f"t{i}", OFFER, G)), range(24)))
        for process in processes:
            process.communicate(timeout=120)
            assert process.returncode == 0
        head = ledger.head()
        people = 2 * (2 * 40 + 4) + 24
        assert head.size == start_size + 2 * people
        assert head.checkpoint.size == head.size
        assert ledger.check() == []
    assert house.memory.read_bytes() == signed.home.checkpoint.read_bytes()


WRITER = """
import sys
from datetime import datetime
from pathlib import Path
from consent.home import open_home
from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus
name, home, at = sys.argv[1], open_home(Path(sys.argv[2])), datetime.fromisoformat(sys.argv[3])
with Ledger.open(home, clock=lambda: at) as ledger:
    for i in range(6):
        if i % 3 == 2:
            ledger.record_consents([ConsentRequest(f"{name}-{i}-{j}", sys.argv[4], ConsentStatus.GIVEN) for j in range(40)])
        else:
            ledger.record_consent(f"{name}-{i}", sys.argv[4], ConsentStatus.GIVEN)
"""


def writer(world: World, name: str) -> subprocess.Popen[str]:
    """A process that records 84 consents at this moment's clock."""
    words = [name, str(world.home.path), world.clock.now.isoformat(), OFFER]
    return subprocess.Popen([sys.executable, "-c", WRITER, *words], cwd=ROOT, env=ENVIRONMENT, text=True)


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


@contextmanager
def impostor(path: Path, answer: Callable[[bytes], str]) -> Iterator[None]:
    """Something else on the socket."""
    with SignerServer(path, answer, max_bytes=MAX_REQUEST_BYTES) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


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
    key, last = SignerProcess(str(house.socket), ORIGIN).last()
    forger = signing_key(ORIGIN, "another key")

    def answer(request: bytes) -> str:
        if request.endswith(b" last\n"):
            return f"last {key.vkey}\n\n{last.text()}"
        if answered == "forged":
            store = FileCheckpointStore(house.folder / "forger")
            Signer.prepare(forger, store, last)
            return Signer(forger, store).answer(request)
        return answered

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


def test_the_homes_own_key_can_move_into_a_signer_that_continues_its_checkpoint(
    world: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    world.clock.now = datetime.now(UTC)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    log = ("--checkpoint", str(world.home.checkpoint), "--log")
    other = signing_key(ORIGIN, "another key").verifier.vkey
    house.run("--init", "--origin", ORIGIN, "--key", str(world.home.log_key), *log, other, code=3)
    vkey = house.init("--key", str(world.home.log_key), *log, trust(world).log_keys[0].key.vkey)
    assert vkey == trust(world).log_keys[0].key.vkey
    process = house.start()
    assert (
        process.last()[1]
        == open_checkpoint(world.home.checkpoint.read_bytes(), ORIGIN, trust(world).log_vkeys).head
    )
    said = json.loads(luvalla("ledger", "rotate-key", "--signer", house.address, "--json"))
    # The same key: no new version, and no second entry of the first one.
    assert (said["from"], said["version"]) == (0, 1)
    world.home.log_key.unlink()
    with world.open() as ledger:
        assert len(ledger.institutional("trust-root")) == 1
        ledger.record_consent("b", OFFER, G)
        assert ledger.check() == []


def test_a_rotation_says_first_what_it_would_do_and_refuses_what_would_not_be_believed(
    world: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    world.clock.now = datetime.now(UTC)
    rotate = ("ledger", "rotate-key", "--signer")
    before = (world.home.config.read_bytes(), world.home.trust_root.read_bytes(), kept(world))
    assert "expected unix:/path" in luvalla(*rotate, "/run/signer", code=2)
    assert "cannot be reached" in luvalla(*rotate, house.address, code=4)
    house.init()
    process = house.start()
    assert "not written" in luvalla(*rotate, house.address, "--dry-run")
    # It has signed a log that ours does not continue.
    process.sign(TreeHead(ORIGIN, 2, b"r" * 32), 0, [house.key()], prove=lambda *_: [], present=lambda: 2)
    assert "do not have the root" in luvalla(*rotate, house.address, code=3)
    assert before == (world.home.config.read_bytes(), world.home.trust_root.read_bytes(), kept(world))


def test_a_rotation_from_one_signer_to_the_next_and_none_back(
    signed: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    assert "in a signer process" in luvalla("ledger", "rotate-key", code=2)
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        receipt = ledger.consent_receipt("a", OFFER)
    folder = Path(tempfile.mkdtemp(prefix="signer-"))
    second = SignerHouse(folder, ORIGIN)
    try:
        second.init()
        second.start()
        luvalla("ledger", "rotate-key", "--signer", second.address)
        assert read_settings(signed.home).signer == second.address
        house.stop()
        signed.clock.now = datetime.now(UTC)
        signed.verify(receipt)
        with signed.open() as ledger:
            ledger.record_consent("b", OFFER, G)
            assert signed.verify(ledger.consent_receipt("b", OFFER)).signed_by == (second.key().keyid,)
            assert [entry.body["version"] for entry in ledger.institutional("trust-root")] == [1, 2, 3]
            assert ledger.check() == []
        house.start()
        assert "was the log's before" in luvalla("ledger", "rotate-key", "--signer", house.address, code=2)
    finally:
        second.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("after", ["settings", "trust root"])
def test_a_rotation_killed_in_the_middle_is_finished_by_the_same_call(
    world: World, house: SignerHouse, luvalla: Callable[..., str], after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock.now = datetime.now(UTC)
    house.init()
    house.start()
    where = {"settings": "consent.trust.TrustRoot.save", "trust root": "consent.log.Log.adopt"}[after]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(where, killed)
        luvalla("ledger", "rotate-key", "--signer", house.address, code=130)
    size = kept(world)[0]
    world.clock.now = datetime.now(UTC)
    if after == "settings":
        with world.open() as ledger, pytest.raises(RefusedToSignError, match="does not give"):
            ledger.record_consent("a", OFFER, G)
        assert kept(world)[0] == size
    luvalla("ledger", "rotate-key", "--signer", house.address)
    world.clock.now = datetime.now(UTC)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        assert [entry.body["version"] for entry in ledger.institutional("trust-root")] == [1, 2]
        assert ledger.check() == []


@pytest.mark.sqlite_file
def test_the_settings_are_changed_in_one_line_or_not_at_all(world: World) -> None:
    text = world.home.config.read_text()
    first = settings_naming(world.home, "unix:/run/a")
    assert first == text.replace("[consent]\n", '[consent]\nsigner = "unix:/run/a"\n')
    world.home.config.write_text(first)
    assert settings_naming(world.home, "unix:/run/b") == first.replace("/run/a", "/run/b")
    world.home.config.write_text(text.replace("[consent]", "[ consent ]"))
    with pytest.raises(ConfigurationError, match="not written in the way") as caught:
        settings_naming(world.home, "unix:/run/a")
    assert 'signer = "unix:/run/a"' in caught.value.hint
    for wrong in ("7", '""', '["unix:/a"]'):
        with pytest.raises(ConfigurationError, match="signer"):
            parse_settings(world.home, text + f"signer = {wrong}\n")
    world.home.config.write_text(text + 'signer = "tcp:host"\n')
    with pytest.raises(ConfigurationError, match="expected unix:/path"):
        world.open()


@pytest.mark.sqlite_file
def test_certificates_need_a_signer_that_was_told_to_sign_statements(
    signed: World, house: SignerHouse
) -> None:
    message = STATEMENT_START + b"2 {}"
    with signed.open() as ledger:
        with pytest.raises(RefusedToSignError, match="checkpoints only") as caught:
            ledger.log.signer.statement_key().sign(message)
        assert "--statements" in caught.value.hint
        house.stop()
        house.start("--statements")
        key = ledger.log.signer.statement_key()
        assert key.verifier == trust(signed).log_keys[-1].key
        assert key.verifier.verifies(key.sign(message), message)
        with pytest.raises(RefusedToSignError, match="no in-toto statement"):
            key.sign(b"city.example/consent\n5\n")
