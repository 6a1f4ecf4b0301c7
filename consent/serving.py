"""What the processes that serve have in common: few connections, each for a while, and an end at SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import socket
import socketserver
import threading
from typing import Any, Final

IDLE_SECONDS: Final = 10.0
"""How long a connection may be silent."""
CONNECTION_SECONDS: Final = 60.0
"""How long a connection may live: a client that sends a byte at a time does not hold a place for ever."""
MAX_CONNECTIONS: Final = 32


class LimitedConnections(socketserver.ThreadingMixIn):
    """A `socketserver` server's mixin: `MAX_CONNECTIONS` threads at once, each for `CONNECTION_SECONDS`."""

    daemon_threads = True
    place_seconds = 0.0
    """How long one connection too many waits for a place before it is closed."""

    def __init__(self, *args: Any) -> None:
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own; one too many is closed."""
        if not self._places.acquire(timeout=self.place_seconds):
            self.shutdown_request(request)  # type: ignore[attr-defined] # the server's, as in socketserver's own mixin
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and end it when its time is up."""
        timer = threading.Timer(CONNECTION_SECONDS, _end, [request])
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the client's business."""


def stop_at_sigterm() -> None:
    """Turn SIGTERM into `KeyboardInterrupt`, so that a server ends as with Ctrl-C."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _end(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
