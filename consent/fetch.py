"""One careful GET or POST over HTTP with the standard library: no redirects, a size limit, and TLS unless it is this machine.

A bearer token goes along with some of these requests, so nothing here follows an address that somebody else chose,
and nothing here puts a header into a message.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from consent.errors import ConsentInputError, ConsentUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

MOST_BYTES: Final = 4 * 1024 * 1024  # far above any answer of ours: a use list of 10,000 runs is about 3 MB
SECONDS: Final = 10.0


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        status: HTTP status.
        content_type: The media type without parameters, lower case.
        body: No more bytes than were asked for.
    """

    status: int
    content_type: str
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Answer with the redirect itself: following it would hand the token to another address."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine's loopback; only ``localhost`` counts as a name."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def checked_address(url: str, *, query: bool = False) -> str:
    """Refuse an address that a token must not travel to.

    Args:
        url: ``https://...``, or ``http://`` on loopback.
        query: Whether a query may stand in it: in a question that is asked, not in the address that somebody configured.

    Returns:
        The address without a trailing slash.

    Raises:
        ConsentInputError: Another scheme, plain http off this machine, no host, or a user name, query or fragment in it.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConsentInputError("the address is not a URL", "Write it as https://host/path.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ConsentInputError("the address is not an https URL", "Write it as https://host/path.")
    if parts.username or parts.password or parts.fragment or (parts.query and not query):
        raise ConsentInputError(
            "the address holds a user name, a query or a fragment",
            "Give the plain address; the token goes in its own file.",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ConsentInputError(
            "plain http would show what travels to everyone on the way",
            "Use https://; http is for 127.0.0.1 only.",
        )
    return url.rstrip("/")


def get(url: str, headers: Mapping[str, str], *, what: str, seconds: float = SECONDS) -> Answer:
    """Fetch one address.

    Args:
        url: The address, checked again here.
        headers: Request headers, perhaps with a token; they appear in no message.
        what: What is asked, for messages: "the citizens' API", "the identity provider's keys".
        seconds: How long to wait for each step of the connection.

    Returns:
        The answer, whatever its status; redirects are returned, not followed.

    Raises:
        ConsentInputError: The address is refused.
        ConsentUnavailableError: No connection, no answer in time, or more than ``MOST_BYTES`` bytes.
    """
    return _send(url, None, headers, what=what, seconds=seconds)


def post(
    url: str,
    body: bytes,
    *,
    what: str,
    seconds: float = SECONDS,
    headers: Mapping[str, str] | None = None,
    most: int = MOST_BYTES,
) -> Answer:
    """Send bytes to one address; see `get`.

    Args:
        url: The address, checked again here.
        body: The bytes.
        what: Who is asked, for messages.
        seconds: How long to wait for each step of the connection.
        headers: Request headers beyond the content type; they appear in no message.
        most: The most bytes of an answer that are read.

    Returns:
        The answer, whatever its status; redirects are returned, not followed.

    Raises:
        ConsentInputError: The address is refused.
        ConsentUnavailableError: No connection, no answer in time, or more than ``most`` bytes.
    """
    sent = {"Content-Type": "application/octet-stream", **(headers or {})}
    return _send(url, body, sent, what=what, seconds=seconds, most=most)


def _send(
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    what: str,
    seconds: float,
    most: int = MOST_BYTES,
) -> Answer:
    host = urllib.parse.urlsplit(checked_address(url, query=True)).hostname or ""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_loopback(host):
        handlers.append(urllib.request.ProxyHandler({}))  # a proxy is not this machine
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(url, data=body, headers=dict(headers))  # noqa: S310 - the scheme was checked
    try:
        with opener.open(request, timeout=seconds) as response:
            return _answer(response.status, response.headers, response.read(most + 1), what, most)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read(most + 1), what, most)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            raise ConsentUnavailableError(
                f"{what} could not prove who it is (TLS): nothing was sent",
                "Check the address; for a city's own certificate authority set SSL_CERT_FILE.",
            ) from error
        raise ConsentUnavailableError(
            f"{what} cannot be reached", "Check the address, and that the server runs."
        ) from error
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        raise ConsentUnavailableError(
            f"{what} broke off its answer or took longer than {seconds:g} s", "Try again."
        ) from error


def _answer(status: int, headers: Message, body: bytes, what: str, most: int) -> Answer:
    if len(body) > most:
        raise ConsentUnavailableError(
            f"{what} sent more than {most // 1024 // 1024} MB",
            "Check the address: no answer of it is that long.",
        )
    return Answer(status, headers.get_content_type().lower(), body)
