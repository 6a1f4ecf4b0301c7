"""What stands before every request: a size limit, headers, a log line without people, and an answer to any fault."""

from __future__ import annotations

import logging
import time
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from consent.web import language, problems

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES: Final = 16 * 1024  # an answer is some 200 bytes
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"vary", b"Accept-Language, Authorization"),
)

log = logging.getLogger("luvalla.citizen")


class _TooLargeError(Exception):
    pass


class Guard:
    """ASGI middleware around the whole application.

    The log line holds method, route template, status and milliseconds: never a path as sent, a query, a header, an
    address or an error's text, since each of them may name a person or carry a token.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, exchange = time.perf_counter(), _Exchange(scope, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - one of the two tables that catch everything (style.md)
            if not exchange.too_large:
                log.error("fault %s at %s", type(error).__name__, _place(error))  # noqa: TRY400 - a traceback's text may name a person
                await exchange.refuse(problems.FAULT)
        if exchange.too_large:
            await exchange.refuse(problems.TOO_LARGE)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        template = getattr(scope.get("route"), "path", "(no such address)")
        log.info("%s %s %d %.0f ms", method, template, exchange.status, 1000 * (time.perf_counter() - start))


class _Exchange:
    """One request and its answer: counts what comes in, completes what goes out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._seen = 0
        self.status = 0
        self.too_large = False

    async def receive(self) -> Message:
        """Stop reading when a body is larger than any of ours, whatever its headers say."""
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > MOST_BODY_BYTES:
            self.too_large = True
            raise _TooLargeError
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on, unless the request was too large: whatever was made of its beginning is not sent."""
        if not self.too_large:
            await self._complete(message)

    async def _complete(self, message: Message) -> None:
        """Add the headers that every answer has; what concerns a person is kept by nobody on the way."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            private = self._scope["path"].startswith("/v1/me")
            keep = b"no-store" if private or message["status"] >= 400 else b"no-cache"  # noqa: PLR2004 - HTTP's own number
            message = {
                **message,
                "headers": [*message.get("headers", ()), *_HEADERS, (b"cache-control", keep)],
            }
        await self._send(message)

    async def refuse(self, kind: problems.Kind) -> None:
        """Answer with a problem, unless an answer had begun: then nothing can be added."""
        if self.status:
            return
        accepted = dict(self._scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        response = problems.respond(kind, language.negotiate(accepted))
        await response(self._scope, self._receive, self._complete)


def _place(error: BaseException) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return "an unknown place"
    return f"{PurePath(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
