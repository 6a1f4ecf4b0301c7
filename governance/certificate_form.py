"""What a certificate says, and its one spelling: an in-toto Statement about a model digest, in a DSSE envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent.canonical import encode, format_time, is_digest, parse_time
from consent.errors import ConsentError
from governance.ballot import Ballot, Condition, condition_documents, read_ballot, read_conditions, text_in
from governance.envelope import Envelope, seal, subject_of
from governance.errors import EnvelopeError

if TYPE_CHECKING:
    from datetime import datetime

    from consent.tlog.note import Signs

CERTIFICATE_TYPE = "urn:luvalla:certificate:v1"
"""Predicate type of a certificate. A URN: it names the format and promises no web page."""

_HINT = "The file was changed, or was not written by this version of luvalla."


@dataclass(frozen=True, slots=True)
class Subject:
    """What a certificate is about: the version, and what it runs with.

    Args:
        service: Service id.
        model_name: Registered model name.
        model_version: Its version there.
        model_digest: DIGEST of the artifact.
        data_contract: DIGEST of the service's data contract (`Service.contract_digest`).
        purposes: (purpose id, version) pairs that it may be used for, sorted.
        selection: How people are selected: `("threshold", repr)` or `("capacity", repr)`, the number as `repr` writes it.
    """

    service: str
    model_name: str
    model_version: str
    model_digest: str
    data_contract: str
    purposes: tuple[tuple[str, int], ...]
    selection: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as read; nothing in it is to be believed before `verify`.

    Args:
        digest: DIGEST of the envelope's bytes.
        subject: What it is about.
        ballot: The ballot it rests on.
        report: DIGEST of the audit report.
        policy: DIGEST of the policy.
        votes: DIGESTs of the votes' envelopes, sorted.
        issued: The moment of the decision.
        expires: First moment at which it no longer holds.
        conditions: What the board asked, and by when.
    """

    digest: str
    subject: Subject
    ballot: Ballot
    report: str
    policy: str
    votes: tuple[str, ...]
    issued: datetime
    expires: datetime
    conditions: tuple[Condition, ...]


def write(certificate: Certificate, key: Signs) -> bytes:
    """Sign a certificate; `parse(write(c, key))` is `c` with its digest.

    Args:
        certificate: What it says; its `digest` is not read.
        key: Who signs.

    Returns:
        The envelope's canonical bytes.
    """
    return seal({"model": certificate.subject.model_digest}, CERTIFICATE_TYPE, _document(certificate), key)


def parse(envelope: bytes) -> Certificate:
    """Read a certificate strictly, believing nothing.

    Raises:
        EnvelopeError: It is no certificate of ours, or not in its one spelling.
    """
    opened = Envelope.parse(envelope)
    statement = opened.statement(CERTIFICATE_TYPE)
    predicate = statement["predicate"]
    try:
        certificate = Certificate(
            digest=opened.digest,
            subject=Subject(
                service=text_in(predicate, "service"),
                model_name=text_in(predicate["model"], "name"),
                model_version=text_in(predicate["model"], "version"),
                model_digest=_subject_digest(statement["subject"]),
                data_contract=text_in(predicate, "data_contract"),
                purposes=tuple((text_in(item, "id"), item["version"]) for item in predicate["purposes"]),
                selection=(text_in(predicate["selection"], "rule"), text_in(predicate["selection"], "value")),
            ),
            ballot=read_ballot(predicate["ballot"]),
            report=text_in(predicate, "report"),
            policy=text_in(predicate, "policy"),
            votes=tuple(predicate["votes"]),
            issued=parse_time(text_in(predicate, "issued")),
            expires=parse_time(text_in(predicate, "expires")),
            conditions=read_conditions(predicate["conditions"]),
        )
    except (KeyError, TypeError, ValueError, ConsentError) as error:
        raise EnvelopeError(f"The certificate cannot be read ({type(error).__name__}).", _HINT) from error
    if not certificate.votes or not all(map(is_digest, certificate.votes)):
        raise EnvelopeError("The certificate names no votes.", _HINT)
    if list(certificate.votes) != sorted(set(certificate.votes)) or encode(_document(certificate)) != encode(
        predicate
    ):
        raise EnvelopeError("The certificate is not in its one spelling.", _HINT)
    return certificate


def _subject_digest(subject: object) -> str:
    value = subject[0]["digest"]["sha256"] if isinstance(subject, list) and len(subject) == 1 else None
    found = f"sha256:{value}"
    if not is_digest(found) or subject != subject_of({"model": found}):
        raise EnvelopeError("The certificate's subject is not one model.", _HINT)
    return found


def _document(certificate: Certificate) -> dict[str, Any]:
    subject = certificate.subject
    return {
        "ballot": certificate.ballot.document(),
        "conditions": condition_documents(certificate.conditions),
        "data_contract": subject.data_contract,
        "expires": format_time(certificate.expires),
        "issued": format_time(certificate.issued),
        "model": {"name": subject.model_name, "version": subject.model_version},
        "policy": certificate.policy,
        "purposes": [{"id": name, "version": version} for name, version in subject.purposes],
        "report": certificate.report,
        "selection": {"rule": subject.selection[0], "value": subject.selection[1]},
        "service": subject.service,
        "v": 1,
        "votes": list(certificate.votes),
    }
