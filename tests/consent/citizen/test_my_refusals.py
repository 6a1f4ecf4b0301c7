"""`luvalla my` against servers that are not ours, and with token files that others could read."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from consent import fetch
from consent.errors import ConsentInputError
from tests.consent.loopback import served
from tests.consent.real_program import save_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consent.home import Home


OFFER = "health-benefit.offer"


@pytest.fixture
def stranger() -> Iterator[tuple[str, dict[str, Any]]]:
    """A server on loopback that answers what the test says, and keeps what it was sent."""
    said: dict[str, Any] = {
        "status": 200,
        "type": "application/json",
        "body": b"{}",
        "headers": {},
        "seen": [],
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said["seen"].append((self.path, dict(self.headers)))
            self.send_response(said["status"])
            self.send_header("Content-Type", said["type"])
            for name, value in said["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said["body"])

        def log_message(self, *_arguments: object) -> None:
            return

    with served(Handler) as address:
        yield address, said


@pytest.mark.parametrize(
    ("answer", "code", "part"),
    [
        ({"status": 500}, 4, "not as the citizens' API"),
        ({"status": 404, "type": "text/html"}, 4, "not as the citizens' API"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, 4, "status 302"),
        ({"type": "text/html", "body": b"<html>"}, 4, "not as the citizens' API"),
        ({"body": b"[1]"}, 4, "not as the citizens' API"),
        ({"body": b"{"}, 4, "not as the citizens' API"),
        ({"body": b"{}"}, 4, "not of this version"),
        ({"body": b'{"uses": [{}]}'}, 4, "not of this version"),
        ({"body": b'{"uses": 1}'}, 4, "not of this version"),
        (
            {
                "status": 401,
                "type": "application/problem+json",
                "body": b'{"title": "T", "detail": "D\\u001b[2J"}',
            },
            2,
            "T: D",
        ),
        (
            {"status": 404, "type": "application/problem+json", "body": b'{"title": "T", "detail": "D"}'},
            2,
            "T: D",
        ),
        (
            {"status": 503, "type": "application/problem+json", "body": b'{"title": "T", "detail": "D"}'},
            4,
            "T: D",
        ),
        ({"status": 503, "type": "application/problem+json", "body": b"7"}, 4, "not as the citizens' API"),
        ({"body": b"x" * (fetch.MOST_BYTES + 1)}, 4, "more than 4 MB"),
    ],
)
def test_what_is_no_answer_of_ours_is_told(
    luvalla: Callable[..., Any],
    stranger: tuple[str, dict[str, Any]],
    tmp_path: Path,
    answer: dict[str, Any],
    code: int,
    part: str,
) -> None:
    stranger[1].update(answer)
    told = luvalla(
        "my", "uses", "--api", stranger[0], "--token-file", save_token(tmp_path / "t", "secret.token.here")
    )
    assert told.code == code
    assert part in told.error.message
    assert "\x1b" not in told.error.message
    assert "secret" not in str(vars(told.error)) + told.out + told.err
    (seen,) = stranger[1]["seen"]
    assert seen[1]["Authorization"] == "Bearer secret.token.here"


def test_a_proxy_never_sees_a_request_to_this_machine(
    luvalla: Callable[..., Any],
    stranger: tuple[str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    stranger[1]["body"] = b'{"uses": []}'
    told = luvalla("my", "uses", "--api", stranger[0] + "/", "--token-file", save_token(tmp_path / "t", "x"))
    assert told.code == 0
    assert stranger[1]["seen"][0][0] == "/v1/me/uses"


@pytest.mark.parametrize(
    ("content", "mode", "part"),
    [
        ("", 0o600, "does not hold an access token"),
        ("Bearer abc", 0o600, "does not hold an access token"),
        ("abc\ndef", 0o600, "does not hold an access token"),
        ("ä", 0o600, "does not hold an access token"),
        ("x" * 9000, 0o600, "does not hold an access token"),
        ("abc", 0o644, "can be read by others"),
    ],
)
def test_a_bad_token_file_is_told_before_anything_is_sent(
    luvalla: Callable[..., Any], tmp_path: Path, content: str, mode: int, part: str
) -> None:
    file = save_token(tmp_path / "t", content, mode)
    told = luvalla("my", "consents", "--api", "http://127.0.0.1:1", "--token-file", file)
    assert told.code == 2
    assert part in told.error.message
    missing = luvalla("my", "consents", "--api", "http://127.0.0.1:1", "--token-file", tmp_path / "none")
    assert missing.code == 2


@pytest.mark.parametrize(
    "address",
    [
        "http://city.example",
        "http://127.0.0.1.city.example",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "city.example",
        "https://",
        "https://user@city.example",
        "https://city.example/?a=b",
        "https://city.example/#a",
        "http://[::1",
        "http://localhost:99999",
    ],
)
def test_a_token_travels_to_no_such_address(
    luvalla: Callable[..., Any], tmp_path: Path, address: str
) -> None:
    told = luvalla("my", "uses", "--api", address, "--token-file", save_token(tmp_path / "t", "secret"))
    assert told.code == 2
    with pytest.raises(ConsentInputError):
        fetch.checked_address(address)


@pytest.mark.parametrize(
    "address", ["https://city.example/api/", "http://127.0.0.1:8700", "http://localhost", "http://[::1]:80"]
)
def test_a_token_may_travel_there(address: str) -> None:
    assert fetch.checked_address(address) == address.rstrip("/")


def test_an_answer_cannot_steer_the_terminal(
    luvalla: Callable[..., Any], home: Home, stranger: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    real = luvalla("consent", "show", "--person", "invented-aino", "--json").json
    real["consents"][0]["title"] = "\x1b[2Jcleared"
    stranger[1]["body"] = json.dumps(real).encode()
    told = luvalla("my", "consents", "--api", stranger[0], "--token-file", save_token(tmp_path / "t", "x"))
    assert told.code == 0
    assert "\x1b" not in told.out


def test_address_and_token_may_stand_in_the_environment(
    luvalla: Callable[..., Any],
    stranger: tuple[str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stranger[1]["body"] = b'{"consents": []}'
    monkeypatch.setenv("LUVALLA_API", stranger[0])
    monkeypatch.setenv("LUVALLA_TOKEN_FILE", os.fspath(save_token(tmp_path / "t", "x")))
    assert luvalla("my", "consents").code == 0


@pytest.mark.parametrize(
    ("body", "form"),
    [
        *((b"{}", form) for form in ("json", "html", "text")),
        (b'{"type": "consent", "summary": {"status": 1}}', "html"),
        (b'{"type": "use", "summary": {"status": "used", "model": 1}}', "text"),
    ],
)
def test_what_is_no_receipt_is_not_written(
    stranger: tuple[str, dict[str, Any]], luvalla: Callable[..., Any], tmp_path: Path, body: bytes, form: str
) -> None:
    address, said = stranger
    said["body"] = body
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("a.b.c")
    new = tmp_path / "new"
    where = ("--api", address, "--token-file", token, "--purpose", OFFER, "--format", form)
    told = luvalla("my", "receipt", new, *where)
    assert (told.code, "of this version" in told.error.message) == (4, True)
    assert not new.exists()
