"""The citizens' API: my consents, my uses, why, and receipts; and in public the purposes, the checkpoint, the trust root."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - FastAPI reads annotations at run time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from consent import answers, explained, lost_runs, receipt_page, words
from consent.errors import RequestConflictError, ReturnRefusedError
from consent.foresight import foresee
from consent.group_commit import GroupCommit
from consent.home import Home  # noqa: TC001 - the same
from consent.ledger import Ledger, utc_now
from consent.records import ConsentReceiptRef, TransitionRefused
from consent.return_rule import CODE, NO_RETURN
from consent.vocabulary import ConsentStatus
from consent.web import language, problems, schemas
from consent.web.as_of import When  # noqa: TC001 - the same
from consent.web.identity import Identity, Person, TokenRefused
from consent.web.problems import ProblemError
from consent.witnessed import witnesses_of_log

METHOD: Final = "citizen API"


@dataclass(frozen=True)
class Service:
    """What the API answers from.

    Attributes:
        home: The home whose ledger is opened anew for every request, so that no request sees another's state.
        identity: Whose tokens are believed.
        clock: What time it is, aware.
        group: Answers given at the same moment share a transaction.
    """

    home: Home
    identity: Identity
    clock: Callable[[], datetime] = utc_now
    group: GroupCommit = field(default_factory=GroupCommit)

    def ledger(self, *, read_only: bool = True) -> Ledger:
        """Open the ledger; a context manager."""
        ledger = Ledger.open(self.home, clock=self.clock, read_only=read_only)
        ledger.group = self.group
        return ledger


def service_of(request: Request) -> Service:
    """The service that this application was made with."""
    return cast("Service", request.app.state.service)


def language_of(request: Request) -> str:
    """The language of every sentence in the answer, by Accept-Language."""
    return language.negotiate(request.headers.get("accept-language"))


_bearer = HTTPBearer(
    scheme_name="citizen",
    bearerFormat="JWT",
    description="An access token of the city's identity provider for this API.",
    auto_error=False,
)


def person_of(
    service: Annotated[Service, Depends(service_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Person:
    """The person whose token came along; nobody else is ever looked at.

    Raises:
        ProblemError: No token, or one that does not hold.
    """
    if credentials is None:
        raise ProblemError(problems.TOKEN_MISSING, headers={"WWW-Authenticate": 'Bearer realm="luvalla"'})
    now = int(service.clock().astimezone(UTC).timestamp())
    checked = service.identity.check(credentials.credentials, now)
    if isinstance(checked, TokenRefused):
        told = f'Bearer realm="luvalla", error="invalid_token", error_description="{checked.reason}"'
        raise ProblemError(problems.TOKEN_REFUSED, headers={"WWW-Authenticate": told})
    return checked


TheService = Annotated[Service, Depends(service_of)]
Me = Annotated[Person, Depends(person_of)]
Language = Annotated[str, Depends(language_of)]
PurposeId = Annotated[str, Path(min_length=1, max_length=128, description="The purpose's id.")]
Form = Annotated[
    Literal["json", "html", "text"],
    Query(
        alias="format",
        description="json proves itself; html is a page that holds the same file; text is for reading.",
    ),
]
_RECEIPT_CONTENT: Final[dict[str, Any]] = {
    "text/html": {"schema": {"type": "string"}},
    "text/plain": {"schema": {"type": "string"}},
}
Run = Annotated[schemas.RunId, Path(description="The run's id, as /v1/me/uses lists it.")]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[!-~]+$",
        description="A name of this request, for retries: the same key records nothing twice.",
    ),
]

_DESCRIPTIONS: Final = {
    401: "No token, or one that does not hold.",
    404: "No such thing, or nothing about you.",
    409: "The answer cannot be recorded as things stand; nothing was.",
    410: "It is on record, and whom it was about is lost.",
    413: "The request is too large.",
    422: "The request is not valid.",
    500: "A fault of the service, or a ledger that does not verify.",
    503: "The ledger or the identity provider cannot be reached.",
}


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """What a route declares of the problems that it may answer with, by status; 500 and 503 for all."""
    return {
        code: {"model": schemas.Problem, "description": _DESCRIPTIONS[code]} for code in (*codes, 500, 503)
    }


public = APIRouter(tags=["public"])
me = APIRouter(prefix="/v1/me", tags=["me"])


@public.get("/healthz", summary="Whether the service answers", responses=refusals())
def health(service: TheService) -> schemas.Health:
    """Open the ledger and close it again."""
    with service.ledger():
        return schemas.Health(status="ok")


@public.get("/v1/purposes", summary="What one can say yes or no to", responses=refusals())
def purposes(service: TheService, language: Language, response: Response) -> schemas.Purposes:
    """The newest version of every purpose, with the notice one is asked to read."""
    response.headers["Content-Language"] = language
    with service.ledger() as ledger:
        found = [answers.purpose(purpose, language) for purpose in ledger.purposes()]
    return schemas.Purposes.model_validate({"purposes": found})


@public.get(
    "/v1/checkpoint",
    summary="The log's signed head",
    response_class=PlainTextResponse,
    responses=refusals(),
)
def checkpoint(service: TheService) -> PlainTextResponse:
    """The last checkpoint, exactly as signed (C2SP tlog-checkpoint). Compare it with your neighbour's."""
    return PlainTextResponse(_public_file(service.home.checkpoint))


@public.get(
    "/v1/trust-root", summary="Whose signatures count", response_model=dict[str, Any], responses=refusals()
)
def trust_root(service: TheService) -> Response:
    """The trust root, exactly as it is verified; its first version's digest is printed on receipts."""
    return Response(_public_file(service.home.trust_root), media_type="application/json")


def _public_file(path: Any) -> bytes:
    try:
        return cast("bytes", path.read_bytes())
    except OSError as error:
        raise ProblemError(problems.UNAVAILABLE) from error


@me.get("/consents", summary="My consents", responses=refusals(401, 422))
def consents(
    service: TheService, person: Me, language: Language, response: Response, when: When
) -> schemas.Consents:
    """My answer to every purpose, since when and until when, with its history."""
    response.headers["Content-Language"] = language
    with service.ledger() as ledger:
        records = ledger.consents(person.id, at=when.at, as_of=when.index)
        found = [answers.consent(record, language) for record in records]
    return schemas.Consents.model_validate({"consents": found})


def scoped(number: int, key: str) -> str:
    """A person's own request id, scoped by their number: one derived from the person's id could be guessed back to it."""
    return f"{METHOD}:{number}:{key}"


@me.post(
    "/consents",
    summary="Give, renew, refuse or withdraw a consent",
    status_code=201,
    responses={
        200: {"model": schemas.Recorded, "description": "This Idempotency-Key had been answered before."},
        **refusals(401, 404, 409, 413, 422),
    },
)
def answer_consent(
    service: TheService,
    person: Me,
    language: Language,
    answer: schemas.Answer,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Recorded:
    """Record my answer to one purpose; it is durable, and counts from the next run on."""
    response.headers["Content-Language"] = language
    with service.ledger(read_only=False) as ledger:
        notice = ledger.purpose(answer.purpose).notice
        if answer.notice_version not in (None, notice.version):
            raise ProblemError(problems.NOTICE_CHANGED)
        try:
            outcome = _never_on_record(ledger, person, answer) or _record(
                ledger, person, answer, answer.language or language, idempotency_key
            )
        except ReturnRefusedError as error:
            raise ProblemError(problems.NOT_RECORDED, state=NO_RETURN) from error
    if isinstance(outcome, TransitionRefused):
        state = NO_RETURN if outcome.code == CODE else words.STATUS[outcome.current.value]
        raise ProblemError(problems.NOT_RECORDED, state=state)
    if outcome.replayed:
        response.status_code = 200
    return schemas.Recorded.model_validate(answers.recorded(outcome, language))


# A no always counts: where one of the two cannot follow the present state, the other is meant.
_OTHER_NO: Final = {
    ConsentStatus.REFUSED: ConsentStatus.WITHDRAWN,
    ConsentStatus.WITHDRAWN: ConsentStatus.REFUSED,
}
_NO_ALREADY: Final = (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN)


def _never_on_record(ledger: Ledger, person: Person, answer: schemas.Answer) -> TransitionRefused | None:
    """Why the first answer of somebody would not be recorded: then they are not put on record for its request id either."""
    if ledger.number_of(person.id) is not None:
        return None
    asked = ConsentStatus(answer.answer)
    refused = foresee(ledger, person.id, answer.purpose, asked)
    if refused is None or asked not in _OTHER_NO:
        return refused
    return foresee(ledger, person.id, answer.purpose, _OTHER_NO[asked])


def _record(
    ledger: Ledger, person: Person, answer: schemas.Answer, language: str, key: str | None
) -> ConsentReceiptRef | TransitionRefused:
    asked = ConsentStatus(answer.answer)
    request_id = None if key is None else scoped(ledger.enrol(person.id), key)

    def record(status: ConsentStatus) -> ConsentReceiptRef | TransitionRefused:
        return ledger.record_consent(
            person.id, answer.purpose, status, language=language, method=METHOD, request_id=request_id
        )

    try:
        outcome = record(asked)
    except RequestConflictError:
        if asked not in _OTHER_NO:
            raise
        return record(_OTHER_NO[asked])  # a retry of a no that was recorded as the other one
    if isinstance(outcome, TransitionRefused) and asked in _OTHER_NO and outcome.current not in _NO_ALREADY:
        return record(_OTHER_NO[asked])
    return outcome


@me.get("/uses", summary="Every use of my data", responses=refusals(401, 422))
def uses(service: TheService, person: Me, language: Language, response: Response, when: When) -> schemas.Uses:
    """Who used my data, for what, on what basis, with which model, when, with what result; and what left me out, and why."""
    response.headers["Content-Language"] = language
    with service.ledger() as ledger:
        told = ledger.uses(person.id, at=when.at, as_of=when.index)
        lost = ledger.lost_runs(at=when.at, as_of=when.index)
        views = sorted(told, key=lambda view: view.index, reverse=True)
        not_proved = words.not_proved(language, witnesses_of_log(ledger.log))
    return schemas.Uses.model_validate(
        {
            "uses": [answers.use(view, language) for view in views],
            "lost": [lost_runs.answer(each, language) for each in reversed(lost)],
            "not_proved": not_proved,
        }
    )


@me.get(
    "/uses/{run}/why", summary="Why a use came out as it did for me", responses=refusals(401, 404, 410, 422)
)
def why(
    service: TheService,
    person: Me,
    language: Language,
    run: Run,
    response: Response,
    full: Annotated[schemas.Flag, Query(description="With everything that counted.")] = False,  # noqa: FBT002 - a query parameter
) -> schemas.Why:
    """The strongest reasons in plain words, from what was kept on that day; for those not selected as well."""
    response.headers["Content-Language"] = language
    with service.ledger() as ledger:
        answer, view = explained.answer_why(ledger, person.id, answers.parse_run(run), language)
    return schemas.Why.model_validate(answers.why(answer, view, full=full))


@me.get(
    "/receipts/consents/{purpose}",
    summary="A receipt of my answer to a purpose",
    response_model=dict[str, Any],
    responses={**refusals(401, 404, 422), 200: {"content": _RECEIPT_CONTENT}},
)
def consent_receipt(
    service: TheService, person: Me, language: Language, purpose: PurposeId, form: Form = "json"
) -> Response:
    """A file that proves itself offline: `luvalla verify` checks it with the trust root alone."""
    with service.ledger() as ledger:
        ledger.purpose(purpose)
        return _attachment(ledger.consent_receipt(person.id, purpose), form, language)


@me.get(
    "/receipts/uses/{run}",
    summary="A receipt of what a run did with my data",
    response_model=dict[str, Any],
    responses={**refusals(401, 404, 410, 422), 200: {"content": _RECEIPT_CONTENT}},
)
def use_receipt(
    service: TheService, person: Me, language: Language, run: Run, form: Form = "json"
) -> Response:
    """The same for a run, also for one that did nothing with my data; it shows nobody else."""
    with service.ledger() as ledger:
        return _attachment(ledger.use_receipt(person.id, answers.parse_run(run)), form, language)


def _attachment(receipt: dict[str, Any], form: str, language: str) -> Response:
    """A receipt as a file: the proof itself in JSON, or a page or text in the asked language."""
    name = f"luvalla-{receipt['type']}-receipt.{receipt_page.SUFFIXES[form]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if form == "json":
        return JSONResponse(receipt, headers=headers)
    headers["Content-Language"] = language
    content = receipt_page.written(receipt, form, language)
    return Response(content, headers=headers, media_type=receipt_page.MEDIA_TYPES[form])
