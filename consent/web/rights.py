"""The citizens' API, rights: exercise one, see those exercised, and take a copy of what is held about me."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from consent import exporting, right_answers, right_records, right_words
from consent.errors import BadRequestError, UnknownPersonError
from consent.exporting import ExportRequest
from consent.right_records import RightRequest
from consent.vocabulary import Right
from consent.web import right_schemas as schemas
from consent.web.api import METHOD, IdempotencyKey, Language, Me, TheService, refusals, scoped
from consent.web.as_of import When  # noqa: TC001 - FastAPI reads annotations at run time

me = APIRouter(prefix="/v1/me", tags=["me"])
_BEFORE = "This Idempotency-Key had been answered before."


@me.get("/rights", summary="My rights exercised", responses=refusals(401, 422))
def rights(
    service: TheService, person: Me, language: Language, response: Response, when: When
) -> schemas.Rights:
    """Every right that I exercised, with the answer, and which processing leaves me out because of it."""
    response.headers["Content-Language"] = language
    with service.ledger() as ledger:
        told = right_answers.rights(ledger, person.id, language, at=when.at, as_of=when.index)
    return schemas.Rights.model_validate(told)


@me.post(
    "/rights",
    summary="Object, ask for a restriction or a correction, or withdraw an objection",
    status_code=201,
    responses={
        200: {"model": schemas.RightRecorded, "description": _BEFORE},
        **refusals(401, 404, 409, 413, 422),
    },
)
def record_right(
    service: TheService,
    person: Me,
    language: Language,
    asked: schemas.RightAsked,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> schemas.RightRecorded:
    """Record a right (GDPR 15, 16, 18, 20, 21); it is durable, and counts from the next run on."""
    response.headers["Content-Language"] = language
    right = Right(asked.right)
    if (right is Right.RECTIFICATION) != (asked.corrects is not None):
        raise BadRequestError(
            "a rectification names the entry that is wrong, and only it does",
            "give `corrects` with it, and with no other",
        )
    with service.ledger(read_only=False) as ledger:
        done = right_records.record(
            ledger.log,
            RightRequest(
                person.id,
                right,
                METHOD,
                tuple(asked.purposes),
                tuple(asked.processing),
                tuple(asked.categories),
                corrects=asked.corrects,
            ),
            scoped=None if idempotency_key is None else partial(scoped, key=idempotency_key),
        )
        ledger.checkpoint()
    if done.replayed:
        response.status_code = 200
    told = {
        "recorded": True,
        "right": right.value,
        "right_words": right_words.right(right.value, language),
        "index": done.index,
        "replayed": done.replayed,
    }
    return schemas.RightRecorded.model_validate(told)


@me.post(
    "/exports",
    summary="A copy of what is held about me",
    status_code=201,
    response_model=dict[str, Any],
    responses={
        200: {"model": dict[str, Any], "description": _BEFORE},
        **refusals(401, 404, 409, 413, 422),
    },
)
def export(
    service: TheService,
    person: Me,
    language: Language,
    asked: schemas.ExportAsked,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Everything that is held about me (GDPR 15), or what I provided (20), as docs/schemas/export.schema.json says.

    That it was given is recorded first, with the digest of its content. Whoever is not on record gets a 404 and leaves no trace.
    """
    with service.ledger(read_only=False) as ledger:
        number = ledger.number_of(person.id)
        if number is None:
            raise UnknownPersonError("the person is not on record", "nothing is kept of unknown people")
        request_id = None if idempotency_key is None else scoped(number, idempotency_key)
        made = exporting.make(
            ledger, ExportRequest(person.id, Right(asked.right), language, asked.receipts, request_id)
        )
    headers = {
        "Content-Disposition": f'attachment; filename="luvalla-{asked.right}.json"',
        "Content-Language": language,
    }
    return JSONResponse(made.document, status_code=200 if made.replayed else 201, headers=headers)
