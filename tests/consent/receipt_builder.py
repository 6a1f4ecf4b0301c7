"""Receipts put together from openings and proofs by the text of docs/spec/ledger-v1.md, section 10, for the vectors.

The ledger has its own way (consent/receipt.py); both must satisfy the verifier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent.canonical import b64u, format_time
from consent.entries import InstitutionalAct, Payload, parse_entry
from consent.errors import EntryFormatError
from consent.vocabulary import UseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from consent.tlog.proof import Proof

_CONSENT_FIELDS = (
    "categories",
    "expires",
    "given_by",
    "language",
    "method",
    "notice",
    "notice_version",
    "processing",
    "status",
)
_RUN_FIELDS = ("basis", "certificate", "model", "processing", "purpose", "purpose_version", "run", "service")


@dataclass(frozen=True)
class Opening:
    """A personal entry opened: what its commitment was made of, and where it stands in the log.

    Attributes:
        payload: The payload's exact bytes.
        salt: Its 32-byte salt.
        proof: The entry's place in the log.
        details: Name to (32-byte salt, exact canonical bytes) of each detail that is opened; others are withheld.
    """

    payload: bytes
    salt: bytes
    proof: Proof
    details: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)

    def value(self) -> dict[str, Any]:
        """Return the opening as a receipt spells it."""
        return {
            "details": {
                name: {"salt": b64u(salt), "value": value.decode()}
                for name, (salt, value) in self.details.items()
            },
            "payload": self.payload.decode(),
            "proof": self.proof.text(),
            "salt": b64u(self.salt),
        }


@dataclass(frozen=True)
class Slot:
    """A person's slot in the use tree of a run.

    Attributes:
        number: The person's number, the slot's position.
        size: Slots of the tree, as in the run's entry.
        status: The status byte.
        salt: `canonical.use_salt`.
        path: The slot's inclusion proof to the run's root, sibling first.
    """

    number: int
    size: int
    status: int
    salt: bytes
    path: Sequence[bytes]


@dataclass(frozen=True)
class KeptValues:
    """The feature values that a run saw of a person.

    Attributes:
        text: Exact UTF-8 bytes.
        salt: `canonical.values_salt`.
        path: Inclusion proof to the run's values root, sibling first.
    """

    text: bytes
    salt: bytes
    path: Sequence[bytes]


def consent_receipt(
    *, origin: str, pin: str, issued: datetime, enrolment: Opening, consent: Opening
) -> dict[str, Any]:
    """Put a consent receipt together.

    Args:
        origin: The log.
        pin: Digest of the trust root's version 1.
        issued: Now, aware; nothing proves it.
        enrolment: The person's enrolment entry.
        consent: The consent entry. Its proof and the enrolment's must lead to the same checkpoint.

    Raises:
        EntryFormatError: If the payloads are of other kinds, or the checkpoints differ.
    """
    number = _number(enrolment)
    payload = Payload.parse(consent.payload)
    if payload.kind != "consent":
        raise EntryFormatError("a consent receipt opens a consent payload", "choose a consent entry")
    _same_checkpoint(enrolment.proof, consent.proof)
    return {
        **_frame("consent", origin, pin, issued, enrolment),
        "opening": consent.value(),
        "summary": {
            "at": payload.at,
            "number": number,
            "purpose": payload.purpose,
            "purpose_version": payload.purpose_version,
            **{key: payload.body[key] for key in _CONSENT_FIELDS},
        },
    }


def use_receipt(
    *,
    origin: str,
    pin: str,
    issued: datetime,
    enrolment: Opening,
    entry: bytes,
    proof: Proof,
    slot: Slot,
    values: KeptValues | None = None,
) -> dict[str, Any]:
    """Put a use receipt together.

    Args:
        origin: The log.
        pin: Digest of the trust root's version 1.
        issued: Now, aware; nothing proves it.
        enrolment: The person's enrolment entry.
        entry: The run entry's exact bytes.
        proof: The run entry's place in the log, to the same checkpoint as the enrolment's.
        slot: The person's slot.
        values: The values kept of the person, if they are kept and asked for.

    Raises:
        EntryFormatError: If the entry is no run entry, the slot is another person's, or the checkpoints differ.
    """
    number = _number(enrolment)
    run = parse_entry(entry)
    if not isinstance(run, InstitutionalAct) or run.kind != "run":
        raise EntryFormatError("a use receipt shows a run entry", "choose a run")
    if slot.number != number or slot.size != run.body["slots"]:
        raise EntryFormatError(
            "the slot is not the enrolled person's in this run", "take the slot at their number"
        )
    _same_checkpoint(enrolment.proof, proof)
    return {
        **_frame("use", origin, pin, issued, enrolment),
        "run": {"entry": entry.decode(), "proof": proof.text()},
        "slot": {
            "number": slot.number,
            "path": [b64u(item) for item in slot.path],
            "salt": b64u(slot.salt),
            "size": slot.size,
            "status": int(slot.status),
        },
        "summary": {
            "at": run.at,
            "number": number,
            "status": UseStatus(slot.status).word,
            **{key: run.body[key] for key in _RUN_FIELDS},
        },
        "values": None
        if values is None
        else {
            "bytes": values.text.decode(),
            "path": [b64u(item) for item in values.path],
            "salt": b64u(values.salt),
        },
    }


def _frame(kind: str, origin: str, pin: str, issued: datetime, enrolment: Opening) -> dict[str, Any]:
    return {
        "enrolment": enrolment.value(),
        "issued": format_time(issued),
        "luvalla_receipt": 1,
        "origin": origin,
        "trust_root": pin,
        "type": kind,
    }


def _number(enrolment: Opening) -> int:
    payload = Payload.parse(enrolment.payload)
    if payload.kind != "enrolment":
        raise EntryFormatError(
            "a receipt starts from an enrolment payload", "give the person's enrolment entry"
        )
    return int(payload.body["number"])


def _same_checkpoint(one: Proof, other: Proof) -> None:
    if one.checkpoint != other.checkpoint:
        raise EntryFormatError(
            "a receipt's proofs lead to one checkpoint", "make both proofs at the same size"
        )
