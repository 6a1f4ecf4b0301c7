"""The API's documents about rights exercised; strict and closed as those of `consent.web.schemas`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from consent.web.schemas import Document, Processing, Time, whole

RightName = Literal[
    "access",
    "portability",
    "rectification",
    "restriction",
    "restriction-lifted",
    "objection",
    "objection-withdrawn",
    "erasure-refused",
]
Asked = Literal["objection", "objection-withdrawn", "restriction", "rectification", "access", "portability"]
Index = Annotated[int, Field(ge=0, le=2**53 - 1), BeforeValidator(whole)]


class RightAsked(Document):
    """A right that I exercise. An empty list means all.

    An objection, its withdrawal and a restriction count from the next run on. A rectification says which of my entries is
    wrong. Access and portability are answered at once by /v1/me/exports; here they are only asked for.
    """

    right: Asked
    purposes: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(default=[], max_length=100)
    processing: list[Processing] = Field(default=[], max_length=4)
    categories: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(default=[], max_length=100)
    corrects: Index | None = Field(
        default=None, description="For a rectification: the index of my consent entry that is wrong."
    )


class RightRecorded(Document):
    """A right, recorded and durable."""

    recorded: Literal[True]
    right: Asked
    right_words: str
    index: int
    replayed: bool = Field(
        description="This Idempotency-Key had been answered before; nothing was recorded now."
    )


class RightExercised(Document):
    """One right that I exercised, and the answer."""

    index: int
    at: Time
    right: RightName
    right_words: str
    answer: Literal["granted", "refused", "recorded"]
    answer_words: str
    ground: str
    reason: str | None
    purposes: list[str]
    processing: list[Processing]
    categories: list[str]
    corrects: int | None


class Standing(Document):
    """One processing that leaves me out because of an objection or a restriction."""

    purpose: str
    title: str
    processing: Processing
    processing_words: str
    status: Literal["objected", "restricted"]
    status_words: str


class Rights(Document):
    """The rights that I exercised, oldest first, and what stands because of them."""

    rights: list[RightExercised]
    standing: list[Standing]


class ExportAsked(Document):
    """A copy of everything that is held about me, or what I provided, to be moved elsewhere."""

    right: Literal["access", "portability"] = "access"
    receipts: bool = Field(
        default=True, description="With a receipt of each consent and each use; access only."
    )
