"""A monitor that reads the log from a web server, and `luvalla ledger monitor`."""

from __future__ import annotations

import http.server
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cli
from consent.errors import ConsentInputError, PublishedLogUnavailableError
from consent.published_log import WebFiles, web_files
from consent.tlog.monitor import Followed
from tests.consent import second_verifier
from tests.consent.ledger_world import OFFER, open_trust
from tests.consent.loopback import served
from tests.consent.monitored import City, make_city, watcher

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def city(tmp_path) -> City:
    return make_city(tmp_path)


@pytest.fixture
def watch(city, tmp_path):
    return watcher(city, tmp_path)


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

    with served(Handler) as address:
        yield web_files(f"{address}/")


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
