"""What stands before every request: a size limit, headers, a log line without people, and an answer to any fault."""

from __future__ import annotations

import logging
import time
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

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
        start, sent = time.perf_counter(), {"status": 0}
        try:
            await self._app(scope, _limited(scope, receive), _completed(scope, send, sent))
        except _TooLargeError:
            await _refuse(problems.TOO_LARGE, scope, receive, send, sent)
        except Exception as error:  # noqa: BLE001 - one of the two tables that catch everything (style.md)
            log.error("fault %s at %s", type(error).__name__, _place(error))  # noqa: TRY400 - a traceback's text may name a person
            await _refuse(problems.FAULT, scope, receive, send, sent)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        template = getattr(scope.get("route"), "path", "(no such address)")
        log.info("%s %s %d %.0f ms", method, template, sent["status"], 1000 * (time.perf_counter() - start))


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Stop reading when a body is larger than any of ours, whatever its headers say."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BODY_BYTES:
            raise _TooLargeError
        return message

    del scope
    return limited


def _completed(scope: Scope, send: Send, sent: dict[str, int]) -> Send:
    """Add the headers that every answer has; what concerns a person is kept by nobody on the way."""

    async def completed(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent["status"] = message["status"]
            private = scope["path"].startswith("/v1/me")
            keep = b"no-store" if private or message["status"] >= 400 else b"no-cache"  # noqa: PLR2004 - HTTP's own number
            message = {
                **message,
                "headers": [*message.get("headers", ()), *_HEADERS, (b"cache-control", keep)],
            }
        await send(message)

    return completed


async def _refuse(
    kind: problems.Kind, scope: Scope, receive: Receive, send: Send, sent: dict[str, int]
) -> None:
    if sent["status"]:
        return  # the answer had begun: nothing can be added
    accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    response: Any = problems.respond(kind, language.negotiate(accepted))
    await response(scope, receive, _completed(scope, send, sent))


def _place(error: BaseException) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return "an unknown place"
    return f"{PurePath(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
