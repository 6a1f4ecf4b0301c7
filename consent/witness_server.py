"""The witness's HTTP server: one address, `POST /add-checkpoint`, with limits on size, time and number; standard library only."""

from __future__ import annotations

import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from consent.errors import ConsentError
from consent.serving import IDLE_SECONDS, LimitedConnections
from consent.tlog.witness import MAX_REQUEST_BYTES, Answer

if TYPE_CHECKING:
    from collections.abc import Callable


class WitnessServer(LimitedConnections, HTTPServer):
    """Serves one function from a request's body to an answer.

    Args:
        address: Host and port; port 0 takes any free one.
        add: What answers `add-checkpoint`; a `ConsentError` becomes status 500.
    """

    def __init__(self, address: tuple[str, int], add: Callable[[bytes], Answer]) -> None:
        self.add = add
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server_version = "luvalla-witness"
    sys_version = ""

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            self._answer(Answer(404, "this witness answers POST /add-checkpoint\n"), close=True)
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._answer(Answer(411, "the request needs a Content-Length\n"), close=True)
            return
        if len(length) > 9 or int(length) > MAX_REQUEST_BYTES:  # noqa: PLR2004 - digits: int() of a long text is slow
            self._answer(Answer(413, f"at most {MAX_REQUEST_BYTES} bytes are read\n"), close=True)
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        try:
            answer = self.server.add(body)
        except ConsentError as error:
            self.log_error("%s", f"{error.message}; {error.hint}")
            answer = Answer(500, "the witness's memory failed; nothing was signed\n")
        self._answer(answer)

    def do_GET(self) -> None:
        self._answer(Answer(405, "this witness answers POST /add-checkpoint\n"), close=True)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: a list of the seconds at which a log grew says when people came to it."""

    def _answer(self, answer: Answer, *, close: bool = False) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        if close:
            # Its body was not read: what follows on the connection is no request.
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)


def posix_now() -> int:
    """The present second, POSIX."""
    return int(time.time())
