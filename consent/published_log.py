"""Reading a published log: from a folder, or from a web server by urllib, with limits of size and time."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from consent.errors import ConsentInputError, PublishedLogUnavailableError

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from pathlib import Path

SECONDS = 20.0
"""Longest wait for a step of the connection."""
SECONDS_FOR_A_FILE = 120.0
"""Longest time for one file, 16 MiB at most: whoever sends slower than 140 kB a second holds the monitor up."""
_PIECE = 64 * 1024
_NOT_FOUND = (404, 410)


class _WebRedirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect to a web address, and no other: a server does not choose by what protocol it is read."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith(("http://", "https://")):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_WebRedirects)


@dataclass(frozen=True)
class FolderFiles:
    """A published log in a folder: a copy, or a mounted share."""

    path: Path

    def read(self, name: str, limit: int) -> bytes | None:
        """See `LogFiles.read`."""
        try:
            with (self.path / name).open("rb") as file:
                content = bytearray()
                # In pieces: a read of the limit would take that much memory for the smallest file.
                while len(content) <= limit and (piece := file.read(_PIECE)):
                    content += piece
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{self.path / name} cannot be read: {error.strerror}"
            raise PublishedLogUnavailableError(message, "check the folder and its owner") from error
        return _within(name, bytes(content), limit)


@dataclass(frozen=True)
class WebFiles:
    """A published log on a web server.

    Attributes:
        url: Prefix of the log's files, without a trailing slash; see `web_files`.
    """

    url: str

    def read(self, name: str, limit: int) -> bytes | None:
        """See `LogFiles.read`."""
        until = time.monotonic() + SECONDS_FOR_A_FILE
        request = urllib.request.Request(f"{self.url}/{name}", headers={"Accept-Encoding": "identity"})  # noqa: S310 - web_files checked the scheme
        try:
            with _OPENER.open(request, timeout=SECONDS) as response:
                content = bytearray()
                while len(content) <= limit and (piece := response.read1(_PIECE)):
                    content += piece
                    if time.monotonic() > until:
                        raise TimeoutError
                if len(content) <= limit and (response.length or 0) > 0:
                    raise http.client.IncompleteRead(bytes(content))
        except urllib.error.HTTPError as error:
            with error:
                if error.code in _NOT_FOUND:
                    return None
                message = f"the published log answers {error.code} for {name}"
            raise PublishedLogUnavailableError(message, "try again later, then ask its operator") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            message = f"{name} of the published log cannot be fetched: {type(reason).__name__}"
            raise PublishedLogUnavailableError(
                message,
                "check the address and the network; the next call goes on from the last verified head",
            ) from error
        return _within(name, bytes(content), limit)


def web_files(url: str) -> WebFiles:
    """Check an address.

    Args:
        url: `https://...` or `http://...`: everything fetched is signed, or hashed into what is.

    Raises:
        ConsentInputError: Another scheme, no host, or a user name, query or fragment in it.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        bad = True
    if bad or parts.username or parts.password or parts.query or parts.fragment:
        raise ConsentInputError(
            "the address of the log is not a plain http or https URL",
            "write it as https://host/path, or name a folder that exists",
        )
    return WebFiles(url.rstrip("/"))


def _within(name: str, content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise PublishedLogUnavailableError(
            f"{name} of the published log is larger than {limit} bytes",
            "no file of a log is: ask its operator",
        )
    return content
