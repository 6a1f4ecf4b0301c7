from __future__ import annotations

import http.server
import json
import random
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature

import cli
from consent.errors import (
    ConsentEvidenceError,
    ConsentInputError,
    ConsentUnavailableError,
    MonitorStateError,
    PublishedLogError,
    PublishedLogUnavailableError,
)
from consent.home import open_home
from consent.published_log import FolderFiles, WebFiles, web_files
from consent.records import ConsentRequest
from consent.tlog.contradiction import Contradiction, RolledBack
from consent.tlog.monitor import Followed, follow
from consent.tlog.monitor_state import MonitorState
from tests.consent import second_verifier
from tests.consent.ledger_world import OFFER, ORIGIN, G, World, make_world, open_trust
from tests.consent.published import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consent.tlog.checkpoint import Checkpoint

# A bit of the key's name may make the signature one of an unknown key; all else fails in its own way.
NOT_BELIEVED = (AssertionError, ValueError, InvalidSignature, KeyError, TypeError, AttributeError)


@dataclass
class City:
    """A ledger that publishes, and can be copied to be rewritten.

    Attributes:
        world: Its home.
        public: Where it publishes.
    """

    world: World
    public: Path

    def give(self, start: int, count: int) -> Checkpoint:
        with self.world.open() as ledger:
            ledger.record_consents(
                [ConsentRequest(f"invented-{each}", OFFER, G) for each in range(start, start + count)]
            )
            return ledger.checkpoint()

    def publish(self) -> None:
        with self.world.open() as ledger:
            ledger.publish(self.public)

    def fork(self, folder: Path) -> City:
        """The same keys and the same past, from now on with a life of its own."""
        shutil.copytree(self.world.home.path, folder / "home")
        return City(World(open_home(folder / "home"), self.world.clock), folder / "public")

    def keys_at(self, size: int):
        with self.world.open(read_only=True) as ledger:
            return ledger.log.trust.log_vkeys(size)

    @property
    def vkey(self) -> str:
        return next(iter(self.keys_at(1))).vkey


@dataclass
class Counting:
    """Files that are counted as they are read."""

    inner: FolderFiles
    names: list[str] = field(default_factory=list)

    def read(self, name: str, limit: int) -> bytes | None:
        self.names.append(name)
        return self.inner.read(name, limit)


@pytest.fixture
def city(tmp_path) -> City:
    return City(make_world(tmp_path / "city"), tmp_path / "city" / "public")


@pytest.fixture
def watch(city, tmp_path):
    """Follow what is published in a folder; the state is one monitor's."""

    def call(files=None, seen=(), state="state"):
        memory = MonitorState(tmp_path / state, ORIGIN, city.keys_at)
        with memory.locked():
            return follow(files or FolderFiles(city.public), memory, ORIGIN, city.keys_at, seen)

    return call


def test_a_log_is_followed_and_only_what_is_new_is_read(city, watch):
    head = city.give(0, 150)
    city.publish()
    first = watch()
    assert (first.head.head, first.before, first.compared, first.waiting) == (head.head, None, 0, 0)
    city.give(150, 400)
    city.publish()
    files = Counting(FolderFiles(city.public))
    second = watch(files)
    assert second.before == head.size
    assert second.head.size > 512
    assert sum("entries" in name for name in files.names) == second.head.size // 256 - head.size // 256 + 1
    files = Counting(FolderFiles(city.public))
    assert watch(files).head == second.head
    assert files.names == ["checkpoint"]


def test_a_full_file_serves_where_a_partial_one_is_gone(city, watch):
    city.give(0, 20)
    city.publish()
    note = (city.public / "checkpoint").read_bytes()
    city.give(20, 300)
    city.publish()
    (city.public / "checkpoint").write_bytes(note)
    for partial in list(city.public.rglob("*.p")):
        shutil.rmtree(partial)
    assert isinstance(watch(), Followed)


@pytest.mark.parametrize(("kept", "served"), [(5, 30), (30, 30), (30, 5), (5, 300), (300, 5)])
def test_two_histories_are_proved_by_the_logs_own_signatures(city, watch, tmp_path, kept, served):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    city.give(3, kept)
    city.publish()
    assert isinstance(watch(), Followed)
    other.give(3, served)
    other.publish()
    found = watch(FolderFiles(other.public))
    assert isinstance(found, Contradiction)
    document = json.loads(found.text())
    second_verifier.contradiction(document, city.vkey)
    # What contradicts is not remembered: the log that was followed is followed on.
    assert isinstance(watch(), Followed)
    assert b"invented" not in found.text().encode()


def test_evidence_with_a_flipped_bit_or_of_heads_that_agree_proves_nothing(city, watch, tmp_path):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    early = city.give(3, 5)
    city.publish()
    watch()
    other.give(3, 30)
    other.publish()
    text = watch(FolderFiles(other.public)).text()
    second_verifier.contradiction(json.loads(text), city.vkey)
    chance = random.Random(5)  # noqa: S311 - which bit is no secret
    raw = text.encode()
    for _ in range(200):
        flipped = bytearray(raw)
        flipped[chance.randrange(len(raw))] ^= 1 << chance.randrange(7)
        try:
            same = json.loads(flipped) == json.loads(raw)
        except ValueError:
            continue
        if not same:
            with pytest.raises(NOT_BELIEVED):
                second_verifier.contradiction(json.loads(flipped), city.vkey)
    # An honest log's two heads, with the true proof between them.
    later = city.give(8, 40)
    city.publish()
    entries = second_verifier.published(city.public, city.vkey)
    honest = Contradiction(early, later, early.root, tuple(second_verifier.proof(early.size, entries)))
    with pytest.raises(AssertionError, match="agree"):
        second_verifier.contradiction(json.loads(honest.text()), city.vkey)


def test_a_receipt_of_another_history_is_proved_too_and_said_each_time(city, watch, tmp_path):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    lie = other.give(3, 4)
    city.give(3, 30)
    city.publish()
    for seen in ([lie], []):
        found = watch(seen=seen)
        assert isinstance(found, Contradiction)
        assert found.older == lie
        second_verifier.contradiction(json.loads(found.text()), city.vkey)


def test_heads_seen_elsewhere_agree_or_wait_until_the_log_covers_them(city, watch):
    early = city.give(0, 3)
    city.give(3, 3)
    city.publish()
    late = city.give(6, 3)
    first = watch(seen=[early, late])
    assert (first.compared, first.waiting) == (1, 1)
    city.publish()
    second = watch()
    assert (second.compared, second.waiting) == (1, 0)
    assert (watch().compared, watch().waiting) == (0, 0)
    # Asked about again, a head that was compared still agrees.
    assert watch(seen=[early]).compared == 1


def test_a_waiting_head_of_another_history_is_found_when_the_log_covers_it(city, watch, tmp_path):
    city.give(0, 3)
    city.publish()
    other = city.fork(tmp_path / "other")
    lie = other.give(3, 2)
    assert watch(seen=[lie]).waiting == 1
    city.give(3, 20)
    city.publish()
    assert isinstance(watch(), Contradiction)


def test_a_log_that_shrank_is_told_and_both_heads_are_kept(city, watch):
    city.give(0, 3)
    city.publish()
    note = (city.public / "checkpoint").read_text()
    city.give(3, 3)
    city.publish()
    kept = watch().head
    (city.public / "checkpoint").write_text(note)
    found = watch()
    assert isinstance(found, RolledBack)
    document = json.loads(found.text())
    assert (document["kept"], document["served"]) == (kept.note, note)


def test_every_flipped_bit_of_a_published_file_is_refused_and_nothing_is_remembered(city, watch, tmp_path):
    city.give(0, 140)
    city.publish()
    chance = random.Random(7)  # noqa: S311 - which bit is no secret
    names = [city.public / name for name in needed(city.public)]
    for at, path in enumerate(names):
        whole = path.read_bytes()
        for turn in range(10):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            with pytest.raises(ConsentEvidenceError):
                watch(state=f"state-{at}-{turn}")
            assert not (tmp_path / f"state-{at}-{turn}" / "head.json").exists()
        path.write_bytes(whole)
        if path.name != "checkpoint":
            path.unlink()
            with pytest.raises(PublishedLogUnavailableError, match="lacks"):
                watch(state=f"state-{at}")
            path.write_bytes(whole)
    assert isinstance(watch(), Followed)


def test_a_changed_old_entry_is_noticed_when_its_bundle_is_read_again(city, watch):
    city.give(0, 10)
    city.publish()
    watch()
    city.give(10, 10)
    city.publish()
    [bundle] = (city.public / "tile/entries/000.p").glob(
        str(len(second_verifier.published(city.public, city.vkey)))
    )
    content = bytearray(bundle.read_bytes())
    content[40] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(PublishedLogError, match="are others now"):
        watch()


class _Stopping(MonitorState):
    """Stops at one write of the state: before it, or after it."""

    def __init__(self, *args, at: int, done: bool) -> None:
        super().__init__(*args)
        self.left = at
        self.done = done

    def write(self, name, text):
        self.left -= 1
        if not self.left and not self.done:
            raise OSError(28, "No space left on device")
        path = super().write(name, text)
        if not self.left:
            raise OSError(28, "No space left on device")
        return path


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_wherever_remembering_stops_the_next_call_goes_on(city, watch, tmp_path, at, done):
    city.give(0, 10)
    city.publish()
    watch()
    seen = city.give(10, 280)
    city.publish()
    memory = _Stopping(tmp_path / "state", ORIGIN, city.keys_at, at=at, done=done)
    with pytest.raises(ConsentUnavailableError, match="No space"), memory.locked():
        follow(FolderFiles(city.public), memory, ORIGIN, city.keys_at, [seen])
    found = watch(seen=[seen])
    assert (found.head.head, found.waiting) == (seen.head, 0)
    city.give(290, 10)
    city.publish()
    assert isinstance(watch(), Followed)


def test_a_damaged_state_is_not_believed(city, watch, tmp_path):
    city.give(0, 10)
    city.publish()
    watch()
    head = tmp_path / "state" / "head.json"
    whole = json.loads(head.read_text())
    origin, size, *rest = whole["note"].split("\n")
    larger = "\n".join([origin, str(int(size) + 1), *rest])
    for change in ({"levels": []}, {"note": larger}, {"levels": ["AAAA"]}):
        head.write_text(json.dumps({**whole, **change}))
        with pytest.raises(MonitorStateError):
            watch()
    head.write_text(json.dumps(whole))
    (tmp_path / "state" / "leaves").write_bytes(b"")
    with pytest.raises(MonitorStateError, match="fewer hashes"):
        watch()


def test_two_monitors_do_not_share_a_state(city, tmp_path):
    one, other = (MonitorState(tmp_path / "state", ORIGIN, city.keys_at) for _ in range(2))
    with one.locked(), pytest.raises(ConsentUnavailableError, match="another monitor"), other.locked():
        pass


@contextmanager
def web(folder: Path, answer=None) -> Iterator[WebFiles]:
    """A static web server; `answer` may take a request instead of it."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_GET(self):
            if answer is None or not answer(self):
                super().do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield web_files(f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_any_static_web_server_serves_the_log(city, watch):
    city.give(0, 300)
    city.publish()
    with web(city.public) as files:
        assert isinstance(watch(files), Followed)
        city.give(300, 5)
        city.publish()
        assert isinstance(watch(files), Followed)
        assert files.read("tile/9/000", 10) is None
    with pytest.raises(PublishedLogUnavailableError, match="cannot be fetched"):
        watch(files)


def _large(handler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"x" * 300_000)
    return True


def _cut(handler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(b"x" * 100)
    return True


def _broken(handler) -> bool:
    handler.send_error(500)
    return True


def _elsewhere(handler) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "ftp://127.0.0.1:9/checkpoint")
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return True


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (_large, "larger than"),
        (_cut, "cannot be fetched"),
        (_broken, "answers 500"),
        (_elsewhere, "answers 302"),
    ],
)
def test_a_server_that_answers_wrongly_is_not_a_log(city, watch, answer, says):
    with web(city.public, answer) as files, pytest.raises(PublishedLogUnavailableError, match=says):
        watch(files)


@pytest.mark.parametrize(
    "url", ["file:///etc", "ftp://example.org", "https://", "https://me@example.org", "https://example.org/?a", "nowhere", "http://[::1"]
)  # fmt: skip
def test_an_address_that_is_no_web_address_is_refused(url):
    with pytest.raises(ConsentInputError):
        web_files(url)


@pytest.fixture
def luvalla(capfd, tmp_path):
    """The command line in this process, without a home."""

    def call(*args: object) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(tmp_path / "nowhere"), "ledger", "monitor", *map(str, args)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "invented" not in out + err
        return int(ended.value.code or 0), out, err

    return call


def test_the_command_needs_the_trust_root_alone_and_ends_as_documented(city, luvalla, tmp_path):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    city.give(3, 5)
    city.publish()
    trust = ["--trust-root", city.public / "trust-root.json", "--pin", open_trust(city.world.home)]
    state = ["--state", tmp_path / "state", *trust]
    with web(city.public) as files:
        code, out, _ = luvalla(files.url, *state, "--json")
    assert code == 0
    assert json.loads(out)["sound"] is True
    with city.world.open() as ledger:
        receipt = tmp_path / "receipt.json"
        receipt.write_text(json.dumps(ledger.consent_receipt("invented-4", OFFER)))
    code, out, _ = luvalla(city.public, *state, "--receipt", receipt)
    assert code == 0
    assert "heads seen elsewhere that agree: 1" in out
    for path in (tmp_path / "state").rglob("*"):
        assert path.is_dir() or b"invented" not in path.read_bytes()

    other.give(3, 30)
    other.publish()
    code, out, err = luvalla(other.public, *state)
    assert (code, out) == (3, "")
    assert "signed two histories" in err
    code, out, _ = luvalla(other.public, *state, "--json")
    assert code == 3
    evidence = json.loads(Path(json.loads(out)["evidence"]).read_text())
    second_verifier.contradiction(evidence, city.vkey)

    assert luvalla(files.url, *state)[0] == 4
    assert luvalla(tmp_path, *state)[0] == 4
    assert luvalla("gopher://x", *state)[0] == 2
    assert luvalla(city.public, "--state", tmp_path / "s")[0] == 2
    assert luvalla(city.public, *state, "--receipt", city.public / "trust-root.json")[0] == 2
    assert luvalla(city.public, *state[:4], "--pin", "sha256:" + "0" * 64)[0] == 3
