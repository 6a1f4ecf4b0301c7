"""What an entry and a payload of version 1 may say: the kinds, their keys, and strict building and parsing.

Normative text: docs/spec/ledger-v1.md, sections 3 to 5. Values are checked when they are written and again when they
are read; a kind or version that is not known here is a value (`UnknownEntry`), included in the log but no evidence.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent.canonical import ID_BYTES, JSON, MAX_ENTRY_BYTES, b64u, b64u_decode, decode, encode
from consent.errors import EntryFormatError
from consent.shapes import (
    HINT,
    INSTITUTIONAL,
    PAYLOAD,
    PAYLOADS,
    PERSONAL,
    Check,
    Shape,
    check_object,
    institutional_shape,
    is_one,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Payload:
    """What a personal entry commits to.

    Attributes:
        kind: `enrolment`, `consent`, `act`, `right` or `erasure`.
        at: `YYYY-MM-DDThh:mm:ssZ`.
        subject: The subject id, 16 random bytes.
        body: The keys of the kind.
        purpose: Purpose id, or None.
        purpose_version: Its version, or None.
        details: Detail name to the base64url digest of `canonical.detail_digest`.
    """

    kind: str
    at: str
    subject: bytes
    body: Mapping[str, Any]
    purpose: str | None = None
    purpose_version: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the payload's bytes, checked.

        Raises:
            EntryFormatError: If keys or values are not those of the kind.
            NotCanonicalError: If a value has no canonical form.
        """
        value: dict[str, JSON] = {
            "at": self.at,
            "body": dict(self.body),
            "details": dict(self.details),
            "kind": self.kind,
            "purpose": self.purpose,
            "purpose_version": self.purpose_version,
            "subject": b64u(self.subject),
            "v": 1,
        }
        _check_payload(value)
        return _encode_limited(value)

    @classmethod
    def parse(cls, text: bytes) -> Payload:
        """Parse a payload; `Payload.parse(text).encode() == text` for everything accepted.

        Raises:
            EntryFormatError: If it is no payload of version 1 of a known kind.
            NotCanonicalError: If it is not canonical JSON.
        """
        value = decode(text)
        _check_payload(value)
        return cls(
            kind=value["kind"],
            at=value["at"],
            subject=b64u_decode(value["subject"], length=ID_BYTES),
            body=value["body"],
            purpose=value["purpose"],
            purpose_version=value["purpose_version"],
            details=value["details"],
        )


# The last of 43 characters carries four bits of the 32 bytes and two that are 0 in the canonical spelling.
_PERSONAL = re.compile(rb'\{"c":"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])","t":"p","v":1\}')
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class PersonalEntry:
    """An entry about a person: nothing but a commitment.

    Attributes:
        commitment: 32 bytes, `canonical.commitment`.
    """

    commitment: bytes

    def encode(self) -> bytes:
        """Return the entry's bytes."""
        return encode({"c": b64u(self.commitment), "t": "p", "v": 1})

    @staticmethod
    def commitment_in(text: bytes) -> bytes | None:
        """The commitment in the bytes of a personal entry, forty times faster than `parse_entry`; None in any other."""
        found = _PERSONAL.fullmatch(text)
        return None if found is None else a2b_base64(found[1].translate(_TO_BASE64) + b"=")


@dataclass(frozen=True)
class InstitutionalAct:
    """An entry about the institution's own act, public in full.

    Attributes:
        kind: `trust-root`, `succession`, `purpose`, `notice`, `policy`, `run`, `certificate` or `revocation`.
        at: `YYYY-MM-DDThh:mm:ssZ`.
        body: The keys of the kind.
    """

    kind: str
    at: str
    body: Mapping[str, Any]

    def encode(self) -> bytes:
        """Return the entry's bytes, checked.

        Raises:
            EntryFormatError: If keys or values are not those of the kind.
            NotCanonicalError: If a value has no canonical form.
        """
        if self.kind not in INSTITUTIONAL:
            message = f"unknown kind of institutional entry {self.kind!r}"
            raise EntryFormatError(message, f"known kinds: {', '.join(INSTITUTIONAL)}")
        value: dict[str, JSON] = {"at": self.at, "b": dict(self.body), "t": self.kind, "v": 1}
        check_object(value, institutional_shape(self.kind), self.kind)
        return _encode_limited(value)


@dataclass(frozen=True)
class UnknownEntry:
    """Canonical JSON in the log whose version or kind this program does not know: included, no evidence."""

    value: Any


def parse_entry(text: bytes) -> PersonalEntry | InstitutionalAct | UnknownEntry:
    """Parse an entry; the known ones encode to the same bytes again.

    Raises:
        EntryFormatError: If it is of a known version and kind but has other keys or values.
        NotCanonicalError: If it is not canonical JSON of at most 65,535 bytes.
    """
    value = decode(text)
    if not isinstance(value, dict) or not is_one(value.get("v")):
        return UnknownEntry(value)
    kind = value.get("t")
    if kind == "p":
        check_object(value, PERSONAL, "personal")
        return PersonalEntry(b64u_decode(value["c"]))
    if not isinstance(kind, str) or kind not in INSTITUTIONAL:
        return UnknownEntry(value)
    check_object(value, institutional_shape(kind), kind)
    return InstitutionalAct(kind, value["at"], value["b"])


_PAYLOAD_SHAPES: dict[str, dict[str, Check]] = {
    kind: {**PAYLOAD, "body": Shape(body)} for kind, body in PAYLOADS.items()
}


def _encode_limited(value: JSON) -> bytes:
    text = encode(value)
    if len(text) > MAX_ENTRY_BYTES:
        message = f"{len(text)} bytes, at most {MAX_ENTRY_BYTES} are allowed"
        raise EntryFormatError(message, "put large content into a file and its digest into the entry")
    return text


def _check_payload(value: Any) -> None:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in PAYLOADS:
        message = "the payload has no known kind"
        raise EntryFormatError(message, f"known kinds: {', '.join(PAYLOADS)}")
    check_object(value, _PAYLOAD_SHAPES[kind], kind)
    if kind == "consent":
        complete = value["purpose"] is not None and value["purpose_version"] is not None
    elif kind == "act":
        complete = (value["purpose"] is None) == (value["purpose_version"] is None)
    else:
        complete = value["purpose"] is None and value["purpose_version"] is None
    if not complete:
        message = f"a payload of kind {kind} does not fit its purpose and purpose_version"
        raise EntryFormatError(message, HINT)
