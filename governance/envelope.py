"""DSSE envelopes around in-toto Statements: one signature, one spelling.

DSSE v1 (github.com/secure-systems-lab/dsse): the signature is over `DSSEv1 SP len(type) SP type SP len(body) SP body`, so a
signature over a statement can never be mistaken for one over a log checkpoint or a trust root. Keys are the C2SP keys of the
trust root. Envelope and payload are canonical JSON (`consent/canonical.py`), and any other spelling is refused: a digest of
an envelope then names what it says, and the same vote cannot come in two forms. Why not a library: docs/decisions/dsse.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent.canonical import decode, digest, encode
from consent.errors import ConsentError
from consent.tlog.note import Signs, VerifierKey, b64, b64_decode
from governance.errors import EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Mapping

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""in-toto attestation framework, spec/v1/envelope.md."""
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
"""in-toto attestation framework, spec/v1/statement.md."""

MAX_BYTES = 256 * 1024
"""An envelope with reasons of 10,000 characters and two dozen conditions stays under 100 kB."""

_HINT = "The file was changed after signing, or was not written by luvalla."


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope; parsing alone says nothing about the signature.

    Args:
        payload: The statement's exact bytes.
        keyid: `name+hash` of the key that is said to have signed.
        signature: 64 bytes.
        digest: DIGEST of the envelope's exact bytes.
    """

    payload: bytes
    keyid: str
    signature: bytes
    digest: str

    @classmethod
    def parse(cls, raw: bytes) -> Envelope:
        """Parse an envelope strictly.

        Raises:
            EnvelopeError: It is no DSSE envelope with one signature, or not in its canonical spelling.
        """
        document = _decode(raw, "envelope")
        signatures = document.get("signatures")
        if (
            set(document) != {"payload", "payloadType", "signatures"}
            or document["payloadType"] != PAYLOAD_TYPE
            or not isinstance(signatures, list)
            or len(signatures) != 1
            or not isinstance(signatures[0], dict)
            or set(signatures[0]) != {"keyid", "sig"}
            or not all(isinstance(text, str) for text in (document["payload"], *signatures[0].values()))
        ):
            raise EnvelopeError(
                f"Expected a DSSE envelope of type {PAYLOAD_TYPE} with exactly one signature.", _HINT
            )
        try:
            payload, signature = b64_decode(document["payload"]), b64_decode(signatures[0]["sig"])
        except ConsentError as error:
            raise EnvelopeError(
                "The envelope's payload or signature is not canonical base64.", _HINT
            ) from error
        return cls(payload, signatures[0]["keyid"], signature, digest(raw))

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether this key made the signature."""
        return key.keyid == self.keyid and key.verifies(self.signature, _pre_authentication(self.payload))

    def statement(self, predicate_type: str) -> Mapping[str, Any]:
        """The in-toto Statement inside.

        Args:
            predicate_type: The expected predicate type.

        Returns:
            `{"_type", "predicate", "predicateType", "subject"}`; the predicate is an object, the subject has one item.

        Raises:
            EnvelopeError: It is no such statement.
        """
        document = _decode(self.payload, "statement")
        if (
            set(document) != {"_type", "predicate", "predicateType", "subject"}
            or document["_type"] != STATEMENT_TYPE
        ):
            raise EnvelopeError("Expected an in-toto Statement v1.", _HINT)
        if document["predicateType"] != predicate_type:
            raise EnvelopeError(
                f"Expected a statement of type {predicate_type}, got {str(document['predicateType'])[:100]!r}.",
                "Perhaps a vote and a certificate were mixed up.",
            )
        if not isinstance(document["predicate"], dict) or not isinstance(document["subject"], list):
            raise EnvelopeError("Expected a statement with a subject and a predicate.", _HINT)
        return document


def seal(subject: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any], key: Signs) -> bytes:
    """Sign a statement.

    Args:
        subject: Name -> DIGEST of what the statement is about; one item.
        predicate_type: URI.
        predicate: Canonical JSON values.
        key: Who says so.

    Returns:
        The envelope's canonical bytes. Ed25519 is deterministic, so the same call gives the same bytes.
    """
    payload = encode(
        {
            "_type": STATEMENT_TYPE,
            "predicate": predicate,
            "predicateType": predicate_type,
            "subject": subject_of(subject),
        }
    )
    return encode(
        {
            "payload": b64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key.verifier.keyid, "sig": b64(key.sign(_pre_authentication(payload)))}],
        }
    )


def subject_of(subject: Mapping[str, str]) -> list[dict[str, Any]]:
    """In-toto's spelling of a subject: names with digests by algorithm."""
    return [
        {"digest": {"sha256": value.removeprefix("sha256:")}, "name": name} for name, value in subject.items()
    ]


def _pre_authentication(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decode(raw: bytes, what: str) -> dict[str, Any]:
    try:
        document = decode(raw, limit=MAX_BYTES)
    except ConsentError as error:
        raise EnvelopeError(f"The {what} is not canonical JSON: {error.message}.", _HINT) from error
    if not isinstance(document, dict):
        raise EnvelopeError(f"The {what} is not a JSON object.", _HINT)
    return document
