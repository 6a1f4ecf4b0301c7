"""A question put to the board: bound by digest to what it is about, and to whose work it is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent.canonical import digest, encode, format_time, parse_time
from consent.errors import ConsentError
from consent.trust_chain import Member as Member  # noqa: PLC0414 (governance/house.py takes it from here)
from governance.errors import EnvelopeError, GovernanceInputError
from governance.gate import GateOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


_HINT = "The file was changed, or was not written by this version of luvalla."


class Question(enum.StrEnum):
    """What a ballot asks."""

    CERTIFY = "certify"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Ballot:
    """One question put to the board, bound by digest to what it is about.

    Its `id` is a digest over all of it, so a vote on one ballot says nothing on another, not even on the same model asked
    again on another day. Who trained, audited and owns the model stands here, inside what every member signs, so that
    nobody can drop a conflict of interest afterwards.

    Args:
        question: Certify a version, or revoke a certificate.
        service: Service id.
        model_name: Registered model name.
        model_version: Version in that registry.
        model_digest: DIGEST of the artifact.
        report_digest: DIGEST of the audit report's bytes.
        policy_digest: DIGEST of the policy file's bytes.
        gate_outcome: What the gate said of the report, so that the member signs having been told.
        undecided: Ids of the deciding lines without enough evidence.
        trained_by: Ids of the people who trained the model; never empty.
        audited_by: Ids of the people who ran the audit; never empty.
        owned_by: Ids of the people who own the service or the model.
        opened: When the question was put.
        certificate: For a revocation, the DIGEST of the certificate's envelope; else None.

    Raises:
        GovernanceInputError: Nobody is named as trainer or auditor, or the question and the certificate do not fit.
    """

    question: Question
    service: str
    model_name: str
    model_version: str
    model_digest: str
    report_digest: str
    policy_digest: str
    gate_outcome: GateOutcome
    undecided: tuple[str, ...]
    trained_by: tuple[str, ...]
    audited_by: tuple[str, ...]
    owned_by: tuple[str, ...]
    opened: datetime
    certificate: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "opened", self.opened.replace(microsecond=0))  # as it is signed
        for what, people in (("trained the model", self.trained_by), ("ran the audit", self.audited_by)):
            if not people:
                raise GovernanceInputError(
                    f"The ballot does not say who {what}.",
                    "No one may decide on their own work, so the board must know whose work it is: name them.",
                )
        if (self.question is Question.REVOKE) != (self.certificate is not None):
            raise GovernanceInputError(
                f"A ballot to {self.question} "
                + ("names no certificate." if self.certificate is None else "already names a certificate."),
                "Name the certificate when asking to revoke one, and only then.",
            )

    @property
    def id(self) -> str:
        """DIGEST of this ballot's canonical JSON."""
        return digest(encode(self.document()))

    def document(self) -> dict[str, Any]:
        """This ballot as JSON values, for RFC 8785."""
        return {
            "audited_by": sorted(set(self.audited_by)),
            "certificate": self.certificate,
            "gate_outcome": str(self.gate_outcome),
            "model": {"digest": self.model_digest, "name": self.model_name, "version": self.model_version},
            "opened": format_time(self.opened),
            "owned_by": sorted(set(self.owned_by)),
            "policy": self.policy_digest,
            "question": str(self.question),
            "report": self.report_digest,
            "service": self.service,
            "trained_by": sorted(set(self.trained_by)),
            "undecided": sorted(set(self.undecided)),
            "v": 1,
        }

    def interest_of(self, member_id: str) -> str | None:
        """Why this member may not decide here, or None."""
        if member_id in self.trained_by:
            return "trained this model"
        if member_id in self.audited_by:
            return "audited this model"
        if member_id in self.owned_by:
            return "owns this model or its service"
        return None


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """Something that must be done, and by when.

    Args:
        text: In plain words, what and for whom.
        due: First moment at which it is overdue.
    """

    text: str
    due: datetime


def read_ballot(document: object) -> Ballot:
    """The ballot that `Ballot.document` wrote; no other spelling.

    Raises:
        EnvelopeError: It is none.
    """
    try:
        if not isinstance(document, dict):
            raise EnvelopeError("The ballot is not a JSON object.", _HINT)
        model = document["model"]
        ballot = Ballot(
            question=Question(document["question"]),
            service=text_in(document, "service"),
            model_name=text_in(model, "name"),
            model_version=text_in(model, "version"),
            model_digest=text_in(model, "digest"),
            report_digest=text_in(document, "report"),
            policy_digest=text_in(document, "policy"),
            gate_outcome=GateOutcome(document["gate_outcome"]),
            undecided=_texts_in(document, "undecided"),
            trained_by=_texts_in(document, "trained_by"),
            audited_by=_texts_in(document, "audited_by"),
            owned_by=_texts_in(document, "owned_by"),
            opened=parse_time(text_in(document, "opened")),
            certificate=None if document["certificate"] is None else text_in(document, "certificate"),
        )
    except (KeyError, TypeError, ValueError, ConsentError, GovernanceInputError) as error:
        raise EnvelopeError(f"The ballot cannot be read ({error}).", _HINT) from error
    if encode(ballot.document()) != encode(document):
        raise EnvelopeError("The ballot is not in its one spelling.", _HINT)
    return ballot


def condition_documents(conditions: Iterable[Condition]) -> list[dict[str, str]]:
    """Conditions as JSON values, earliest first."""
    ordered = sorted(set(conditions), key=lambda condition: (condition.due, condition.text))
    return [{"due": format_time(condition.due), "text": condition.text} for condition in ordered]


def read_conditions(document: object) -> tuple[Condition, ...]:
    """The conditions that `condition_documents` wrote; no other spelling.

    Raises:
        EnvelopeError: They are none.
    """
    try:
        items = document if isinstance(document, list) else [None]
        conditions = tuple(
            Condition(text_in(item, "text"), parse_time(text_in(item, "due"))) for item in items
        )
    except (TypeError, KeyError, ValueError, ConsentError) as error:
        raise EnvelopeError("The conditions cannot be read.", _HINT) from error
    if condition_documents(conditions) != document:
        raise EnvelopeError("The conditions are not in their one spelling.", _HINT)
    return conditions


def text_in(document: Any, key: str) -> str:
    """The text under a key of a JSON object.

    Raises:
        EnvelopeError: There is none.
    """
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise EnvelopeError(f"Expected a text under {key!r}.", _HINT)
    return value


def _texts_in(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = document[key]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise EnvelopeError(f"Expected a list of texts under {key!r}.", _HINT)
    return tuple(value)
