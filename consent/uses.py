"""What travels about uses: the request of a run, its entry, and what one person is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from consent.tlog.checkpoint import Checkpoint
    from consent.vocabulary import UseStatus


@dataclass(frozen=True)
class ModelRef:
    """One model version.

    Attributes:
        name: Registered name.
        version: Registered version, text.
        digest: `sha256:...` of the artifact.
    """

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class UseRequest:
    """A run to be recorded (`Ledger.append_use`).

    Attributes:
        run: 16 random bytes; also the request id: a retry with the same run returns the first result.
        processing: A word of `Processing`.
        purpose_id: Purpose; the newest version is meant.
        service: Id of the service.
        model: The model used, where there is one.
        certificate: `sha256:...` of the certificate's envelope.
        output: `sha256:...`: training: the model artifact; audit: the report; scoring: the offers file.
        numbers: int[n], each person's number (`Permits.numbers`); no number twice, none negative.
        statuses: uint8[n], aligned `UseStatus` codes; people not named get 0x00.
        values: bytes[n], aligned, kept encrypted for the purpose's retention time; b"" = nothing kept of that person;
            None = nothing kept at all.
        explanation: The run's public explanation document (no personal data), kept with the run.
        state: The checkpoint at which the permits were read.
    """

    run: bytes
    processing: str
    purpose_id: str
    service: str
    numbers: Sequence[int] = field(repr=False)
    statuses: Sequence[int] = field(repr=False)
    state: Checkpoint
    model: ModelRef | None = None
    certificate: str | None = None
    output: str | None = None
    values: Sequence[bytes] | None = field(default=None, repr=False)
    explanation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class UseEntry:
    """A recorded run.

    Attributes:
        index: Index of the run's entry.
        checkpoint: The signed checkpoint that covers it, already kept outside the database.
        replayed: True when this run had been recorded before, and nothing was written now.
    """

    index: int
    checkpoint: Checkpoint
    replayed: bool = False


@dataclass(frozen=True)
class UseView:
    """One run as one person is told of it.

    Attributes:
        run: The run's id, 16 bytes.
        index: Index of the run's entry.
        at: When, UTC.
        controller: Who is responsible.
        service: Id of the service.
        purpose_id: Id of the purpose.
        purpose_version: Its version.
        purpose_title: Per language.
        basis: Legal basis.
        processing: A word of `Processing`.
        model: The model version, where there is one.
        certificate: `sha256:...` of the certificate.
        status: The person's status in the run.
        result: `used`, `selected`, `not-selected`, `not-selected-reviewed`, `left-out`.
        left_out_reason: Why, in plain English; None when not left out.
        values_kept: Whether the values used are still kept.
        explained: Whether the run has an explanation document.
    """

    run: bytes
    index: int
    at: datetime
    controller: str
    service: str
    purpose_id: str
    purpose_version: int
    purpose_title: Mapping[str, str]
    basis: str
    processing: str
    model: ModelRef | None
    certificate: str | None
    status: UseStatus
    result: str
    left_out_reason: str | None
    values_kept: bool
    explained: bool
