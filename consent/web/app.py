"""The citizens' application: routes, problems and a true OpenAPI document; no machine learning is imported here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from consent.errors import (
    BadRequestError,
    ConsentError,
    ConsentEvidenceError,
    ConsentInputError,
    ConsentUnavailableError,
    RequestConflictError,
    RunPeopleLostError,
    UnknownPersonError,
    UnknownPurpose,
    UnknownRunError,
)
from consent.web import api, problems, rights
from consent.web.api import language_of
from consent.web.guard import Guard
from consent.web.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger("luvalla.citizen")

DESCRIPTION: Final = (
    "What a city does with my data when it offers services before I ask: my consents, every use with its reasons, and "
    "receipts that anyone can check. A learned model only proposes; a person decides."
)
# The first that fits: subclasses stand before their roots.
_KINDS: Final[tuple[tuple[type[ConsentError], problems.Kind], ...]] = (
    (UnknownPurpose, problems.UNKNOWN_PURPOSE),
    (UnknownRunError, problems.UNKNOWN_RUN),
    (RunPeopleLostError, problems.RUN_LOST),
    (UnknownPersonError, problems.NOTHING_ON_RECORD),
    (RequestConflictError, problems.REQUEST_CONFLICT),
    (BadRequestError, problems.INVALID),
    (ConsentInputError, problems.FAULT),  # our configuration, not the citizen's request
    (ConsentEvidenceError, problems.EVIDENCE),
    (ConsentUnavailableError, problems.UNAVAILABLE),
    (ConsentError, problems.FAULT),
)
_BY_STATUS: Final = {404: problems.NOT_FOUND, 405: problems.METHOD_NOT_ALLOWED, 413: problems.TOO_LARGE}
_FIRST_SERVER_ERROR: Final = 500


def create_app(service: api.Service) -> Guard:
    """Make the application.

    Args:
        service: Home, identity and clock.

    Returns:
        An ASGI application, guarded.
    """
    return Guard(inner_app(service))


def inner_app(service: api.Service | None) -> FastAPI:
    """Make the application without its guard; without a service, only to write its OpenAPI document."""
    app = FastAPI(
        title="luvalla: the citizens' API",
        version="1",
        description=DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            ProblemError: _problem,
            RequestValidationError: _invalid,
            HTTPException: _http,
            ConsentError: _consent,
            Exception: _fault,
        },
    )
    app.state.service = service
    app.include_router(api.public)
    app.include_router(api.me)
    app.include_router(rights.me)
    plain = app.openapi

    def described() -> dict[str, Any]:
        document = plain()
        _complete(document)
        return document

    app.openapi = described  # type: ignore[method-assign]  # FastAPI documents this way of extending it
    return app


_ACCEPT_LANGUAGE: Final = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "fi, sv or en, with weights; Finnish when none is asked for.",
    "schema": {"type": "string"},
}


def _complete(document: dict[str, Any]) -> None:
    """Say what FastAPI does not: that refusals come as problem details, and that every answer heeds the language."""
    for path in document["paths"].values():
        for operation in path.values():
            parameters = operation.setdefault("parameters", [])
            if _ACCEPT_LANGUAGE not in parameters:
                parameters.append(_ACCEPT_LANGUAGE)
            for status, response in operation["responses"].items():
                if status >= "400":
                    (declared,) = response["content"].values()
                    response["content"] = {problems.MEDIA_TYPE: declared}


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class only
    return problems.respond(error.kind, language_of(request), headers=error.headers, state=error.state)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    parts = [{"where": _where(each), "what": str(each["type"])} for each in error.errors()]
    return problems.respond(problems.INVALID, language_of(request), errors=parts)


def _where(error: dict[str, Any]) -> str:
    """Name the place of an error; a name that the client made up is not repeated."""
    place = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        place[-1] = "(unknown name)"
    return ".".join(place)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    otherwise = problems.FAULT if error.status_code >= _FIRST_SERVER_ERROR else problems.INVALID
    kind = _BY_STATUS.get(error.status_code, otherwise)
    headers = {"Allow": _allowed(request)} if kind is problems.METHOD_NOT_ALLOWED else error.headers
    errors = [{"where": "body", "what": "unreadable"}] if kind is problems.INVALID else None
    return problems.respond(kind, language_of(request), headers=headers, errors=errors)


def _allowed(request: Request) -> str:
    """Every method that an address answers to; starlette names those of its first route alone."""
    described = request.app.openapi()["paths"]
    wanted = request.scope["path"].split("/")
    methods: set[str] = set()
    for path, operations in described.items():
        parts = path.split("/")
        if len(parts) == len(wanted) and all(
            part.startswith("{") or part == asked for part, asked in zip(parts, wanted, strict=True)
        ):
            methods |= {method.upper() for method in operations}
    return ", ".join(sorted(methods)) or "GET"


async def _consent(request: Request, error: Exception) -> Response:
    kind = next(kind for root, kind in _KINDS if isinstance(error, root))
    if kind.status >= _FIRST_SERVER_ERROR:
        log.error("%s: %s", kind.code, type(error).__name__)
    errors = [{"where": "body", "what": "refused by the ledger"}] if kind is problems.INVALID else None
    return problems.respond(kind, language_of(request), errors=errors)


async def _fault(request: Request, error: Exception) -> Response:
    del error  # the guard logs its kind and place
    return problems.respond(problems.FAULT, language_of(request))
