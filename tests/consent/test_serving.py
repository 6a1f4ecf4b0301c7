"""The limits that the signer's and the witness's servers share: how many connections, and for how long."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from consent import serving
from consent.signer_server import SignerServer, frame, read_exactly
from consent.tlog.witness import Answer
from consent.witness_server import WitnessServer

PING = b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"


@pytest.fixture(params=["signer", "witness"])
def server(request, monkeypatch):
    """A function that connects to a running server, and one that asks it something."""
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(SignerServer, "place_seconds", 0.1)
    with contextlib.ExitStack() as stack:
        # A socket's path has to be short.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="serving-")))
        if request.param == "signer":
            made = SignerServer(folder / "socket", lambda _: "signed\n", max_bytes=10)
            family, address, asked = socket.AF_UNIX, str(folder / "socket"), frame(b"x")
        else:
            made = WitnessServer(("127.0.0.1", 0), lambda _: Answer(200, "well\n"))
            family, address, asked = socket.AF_INET, made.server_address, PING
        stack.enter_context(made)
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        stack.callback(thread.join)
        stack.callback(made.shutdown)

        def connect() -> socket.socket:
            connection = stack.enter_context(socket.socket(family))
            connection.settimeout(30)
            connection.connect(address)
            return connection

        def answered(connection: socket.socket) -> bool:
            try:
                connection.sendall(asked)
                return read_exactly(connection, 4) is not None
            except OSError:
                return False

        yield connect, answered


def test_a_connection_too_many_is_closed_and_the_next_is_served_when_there_is_room(server):
    connect, answered = server
    first = connect()
    assert answered(first)
    assert not answered(connect())
    first.close()
    assert any(answered(connect()) for _ in range(100))


def test_a_connection_ends_when_its_time_is_up_however_busy_it_is(server, monkeypatch):
    monkeypatch.setattr(serving, "CONNECTION_SECONDS", 0.5)
    connect, answered = server
    connection = connect()
    assert answered(connection)
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass
    assert not answered(connection)
    monkeypatch.setattr(serving, "CONNECTION_SECONDS", 30.0)
    assert any(answered(connect()) for _ in range(100))
