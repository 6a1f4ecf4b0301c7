"""The API's documents: strict (false is not 0, "1" is not 1), closed, and the same as ``consent.answers`` writes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Language = Literal["fi", "sv", "en"]
Status = Literal[
    "unknown", "requested", "refused", "given", "renewed", "withdrawn", "revoked", "expired", "invalidated"
]
Processing = Literal["training", "audit", "scoring", "human-review"]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", examples=["2026-11-24T05:04:00Z"])]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$", description="16 bytes in base64url")]


def _true_or_false(value: object) -> object:
    """Accept exactly what JSON Schema's boolean means in a query: pydantic alone would take 1, yes and on too."""
    return {"true": True, "false": False}.get(value, "neither") if isinstance(value, str) else value


def whole(value: object) -> object:
    """Accept 1.0 where JSON Schema says integer: to JSON it is the same number as 1, and true is not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Version = Annotated[int, Field(ge=1, le=2**53 - 1), BeforeValidator(whole)]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]


class Document(BaseModel):
    """What all of them are."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Health(Document):
    """The server answers, and its ledger can be read."""

    status: Literal["ok"]


class Notice(Document):
    """The text that a person is shown before answering."""

    id: str
    version: int
    text: str


class Purpose(Document):
    """What one can say yes or no to."""

    id: str
    version: int
    title: str
    description: str
    service: str
    controller: str
    recipients: list[str]
    legal_basis: str
    legal_basis_words: str
    processing: list[Processing]
    processing_words: list[str]
    categories: list[str]
    retention_days: int
    consent_days: int
    effects_of_no: str
    notice: Notice


class Purposes(Document):
    """Every purpose, newest version."""

    purposes: list[Purpose]


class Event(Document):
    """One recorded answer."""

    index: int
    at: Time
    status: Status
    status_words: str
    purpose_version: int
    notice_version: int
    processing: list[Processing]
    expires: Time | None


class Consent(Document):
    """What my answers to one purpose amount to."""

    purpose: str
    title: str
    controller: str
    status: Status
    status_words: str
    permits: bool = Field(description="Whether a run of today may use my data for this purpose.")
    since: Time | None
    expires: Time | None
    purpose_version: int | None
    newest_version: int
    current_version: bool
    effects_of_no: str
    history: list[Event] = Field(description="Oldest first.")


class Consents(Document):
    """My answers to every purpose."""

    consents: list[Consent]


class Answer(Document):
    """My answer to one purpose. Withdrawing takes no more than giving."""

    purpose: Annotated[str, Field(min_length=1, max_length=128, examples=["health-benefit.offer"])]
    answer: Literal["given", "renewed", "refused", "withdrawn"] = Field(
        description="A refusal of a consent that is in force is recorded as its withdrawal: a no always counts."
    )
    language: Language | None = Field(
        default=None, description="The language in which I read the notice; by default that of this request."
    )
    notice_version: Version | None = Field(
        default=None,
        description="The version of the notice that I read; when it is not in force any more, nothing is recorded.",
    )


class Recorded(Document):
    """An answer, recorded and durable."""

    recorded: Literal[True]
    purpose: str
    purpose_version: int
    notice_version: int
    status: Status
    status_words: str
    at: Time
    expires: Time | None
    index: int
    replayed: bool = Field(
        description="This Idempotency-Key had been answered before; nothing was recorded now."
    )


class Model(Document):
    """A model version."""

    name: str
    version: str
    digest: Digest


class Use(Document):
    """One run, as I am told of it."""

    run: RunId
    at: Time
    index: int
    controller: str
    service: str
    purpose: str
    purpose_version: int
    title: str
    legal_basis: str
    legal_basis_words: str
    processing: Processing
    processing_words: str
    model: Model | None
    certificate: Digest | None
    status: str
    used: bool
    result: str
    result_words: str
    left_out_because: str | None
    values_kept: bool


class LostRun(Document):
    """A run on record of which nobody can say any more whether it used my data."""

    run: RunId
    at: Time
    index: int
    service: str
    purpose: str
    purpose_version: int
    processing: Processing
    processing_words: str
    words: str


class Uses(Document):
    """Every recorded use of my data, newest first; runs that left me out too; and runs of which that is lost."""

    uses: list[Use]
    lost: list[LostRun]
    not_proved: list[str]


class Reason(Document):
    """One feature's part in a result."""

    feature: str
    text: str
    value: bool | int | float | str | None
    contribution: float = Field(description="In log-odds; positive speaks for a proposal.")
    sentence: str


class Why(Document):
    """Why a run came out as it did for me."""

    use: Use
    explained: bool
    outcome: str
    absence: str | None = Field(
        description="Why there are no reasons to tell: none was kept, or none that carried the outcome stands out."
    )
    offer: str | None
    strongest: list[Reason]
    table: list[Reason] | None = Field(description="Every feature, strongest first; with ?full=true.")
    score: float | None
    threshold: float | None
    expected: float | None
    human_decides: str
    contest: str


class InvalidPart(Document):
    """Where a request is not valid; the value itself is not repeated."""

    where: str
    what: str


class Problem(Document):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[InvalidPart] | None = None
