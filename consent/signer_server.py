"""The signer's Unix socket: frames in, frames out, with limits on size, time and number; standard library only.

A frame is four bytes, the length of what follows as a big-endian number, and that many bytes. A connection carries any
number of requests, one after the other, each answered before the next is read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import socketserver
import stat
import sys
from typing import TYPE_CHECKING, Any, Final

from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.serving import IDLE_SECONDS, LimitedConnections

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LENGTH_BYTES: Final = 4
MAX_ANSWER_BYTES: Final = 8 * 1024
OWNER_ONLY, OWNER_AND_GROUP = 0o600, 0o660


class SignerServer(LimitedConnections, socketserver.UnixStreamServer):
    """Serves one function from a request to an answer on a Unix socket; a context manager that removes the socket.

    Args:
        path: The socket's file. One that nobody listens on any more is replaced.
        mode: Its permission bits, `OWNER_ONLY` or `OWNER_AND_GROUP`; set before anybody can connect.
        group: Numeric id of the group that may connect with `OWNER_AND_GROUP`; None leaves the process's own.
        answer: What answers a request.
        max_bytes: The longest request that is read.

    Raises:
        ConsentInputError: The path is too long for a socket, or something else lies there (exit 2).
        ConsentUnavailableError: Somebody listens there already, or the socket cannot be made (4).
    """

    block_on_close = False
    place_seconds = 4.0
    """Less than a writer waits for its answer."""
    request_queue_size = 128

    def __init__(
        self,
        path: Path,
        answer: Callable[[bytes], str],
        *,
        max_bytes: int,
        mode: int = OWNER_ONLY,
        group: int | None = None,
    ) -> None:
        self.path, self.answer, self.max_bytes = path, answer, max_bytes
        self._mode, self._group = mode, group
        _make_way(path)
        try:
            super().__init__(str(path), _Handler)
        except OSError as error:
            if error.errno is None or error.errno == errno.ENAMETOOLONG:
                raise ConsentInputError(
                    f"the socket's path {path} is too long for the system",
                    "choose one of under 100 characters",
                ) from error
            raise ConsentUnavailableError(
                f"cannot listen on {path}: {error.strerror}", "check the folder and its permissions"
            ) from error

    def server_bind(self) -> None:
        """Bind with no permission for anybody, then give the permissions asked for."""
        before = os.umask(0o777)
        try:
            super().server_bind()
        finally:
            os.umask(before)
        if self._group is not None:
            os.chown(self.path, -1, self._group)
        self.path.chmod(self._mode)

    def server_close(self) -> None:
        """Stop listening and remove the socket."""
        super().server_close()
        self.path.unlink(missing_ok=True)

    def get_request(self) -> tuple[Any, Any]:
        """A Unix socket's client has no address."""
        return self.socket.accept()[0], "a client"


class _Handler(socketserver.BaseRequestHandler):
    server: SignerServer
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(IDLE_SECONDS)
        with contextlib.suppress(OSError):
            while (body := self._read()) is not None:
                answer = self.server.answer(body)
                first = answer.partition("\n")[0]
                if not first.startswith(("signed", "last ", "other-size ")):
                    # Codes and sizes; a request holds nothing about a person, and is not shown all the same.
                    sys.stderr.write(f"not signed: {': '.join(answer.split(chr(10))).removesuffix(': ')}\n")
                    sys.stderr.flush()
                self._send(answer)

    def _read(self) -> bytes | None:
        """A frame's content; None at the end, and where a frame is too long to be read on."""
        head = read_exactly(self.request, LENGTH_BYTES)
        if head is None:
            return None
        length = int.from_bytes(head, "big")
        if length > self.server.max_bytes:
            self._send(
                f"refused malformed\na request of {length} bytes, at most {self.server.max_bytes} are read\n"
            )
            return None
        return read_exactly(self.request, length)

    def _send(self, answer: str) -> None:
        self.request.sendall(frame(answer.encode()))


def frame(content: bytes) -> bytes:
    """A content with its length in front."""
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def read_exactly(connection: socket.socket, count: int) -> bytes | None:
    """So many bytes; None when the other side ended before.

    Raises:
        OSError: The connection broke or its time ran out.
    """
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 65536))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _make_way(path: Path) -> None:
    """Remove a socket that a killed signer left; refuse whatever else is there."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConsentInputError(
                f"there is something at {path} that is no socket", "name another --socket"
            )
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise ConsentUnavailableError(
                f"the socket {path} cannot be tried: {error.strerror}", "check who runs a signer there"
            ) from error
    raise ConsentUnavailableError(
        f"a signer listens on {path} already", "stop it first, or name another --socket"
    )
