"""A question put to the board, and a member's signed answer to it.

A vote is an in-toto Statement in a DSSE envelope of its own, signed with the member's key: over the ballot (and by it over
report, model and policy), the choice, the reasons in the member's own words, conditions, expiry and time. Nothing but the
vote's bytes and the member's public key is needed to check it.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.canonical import digest, encode, format_time
from governance.errors import GovernanceInputError
from governance.gate import GateOutcome

MAX_REASONS = 10_000
"""Characters of reasons in one vote: some three pages. More belongs in an attachment to the minutes."""


class Role(enum.StrEnum):
    """A seat on the board, in the trust root's words."""

    CHAIR = "chair"
    MEMBER = "member"
    DATA_PROTECTION_OFFICER = "data-protection-officer"
    CITIZENS_REPRESENTATIVE = "citizens-representative"


class Choice(enum.StrEnum):
    """What a member says to the ballot's question."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


class Question(enum.StrEnum):
    """What a ballot asks."""

    CERTIFY = "certify"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Member:
    """One term of one board member, as the trust root states it.

    Args:
        id: The member's id; one person keeps one id over terms and keys.
        name: As it stands in the minutes.
        role: The seat.
        vkey: C2SP verifier key, Ed25519 (`name+hash+key`).
        since: First moment of the term.
        until: First moment after the term.
    """

    id: str
    name: str
    role: Role
    vkey: str
    since: datetime
    until: datetime

    def serves(self, at: datetime) -> bool:
        """Whether the term covers this moment."""
        return self.since <= at < self.until


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
        undecided: Codes of the deciding lines without enough evidence.
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


@dataclass(frozen=True, slots=True)
class Vote:
    """One member's vote whose signature was verified with that member's key (`ballot.verify_vote`).

    Args:
        member: Member id that the key belongs to.
        vkey: The key that verified it.
        ballot: Id of the ballot that was signed.
        choice: For, against or abstain.
        reasons: In the member's own words.
        conditions: What must be done; only meaningful in a vote for.
        expires: Until when the yes holds; None leaves it to the policy.
        at: When, as the member wrote it.
        digest: DIGEST of the vote's envelope.
    """

    member: str
    vkey: str
    ballot: str
    choice: Choice
    reasons: str
    conditions: tuple[Condition, ...]
    expires: datetime | None
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class IgnoredVote:
    """A vote that does not count, and why: shown in the minutes, never dropped in silence.

    Args:
        digest: DIGEST of the vote's envelope.
        member: Member id where one is known.
        reason: Plain words.
    """

    digest: str
    member: str | None
    reason: str


def why_reasons_fail(reasons: str) -> str | None:
    """Why these are not reasons in a member's own words, or None."""
    if not any(unicodedata.category(char)[0] in "LN" for char in reasons):
        return "gives no reasons in the member's own words"
    if len(reasons) > MAX_REASONS:
        return f"its reasons have {len(reasons)} characters, at most {MAX_REASONS} are read"
    return None




def sign_vote(
    ballot: Ballot,
    *,
    choice: Choice,
    reasons: str,
    at: datetime,
    key: Ed25519PrivateKey,
    key_name: str,
    conditions: Sequence[Condition] = (),
    expires: datetime | None = None,
) -> bytes:
    """Sign a vote.

    Args:
        ballot: What is answered.
        choice: For, against or abstain.
        reasons: In the member's own words.
        at: Now.
        key: The member's private key.
        key_name: Name in the member's vkey.
        conditions: What must be done, in a vote for.
        expires: Until when a yes holds.

    Returns:
        The envelope's canonical bytes.

    Raises:
        VoteFormError: Reasons are missing or too long, or terms are put on something else than a vote for.
    """
    raise NotImplementedError


def verify_vote(envelope: bytes, members: Sequence[Member]) -> Vote | IgnoredVote:
    """Check a vote's signature with the key of the member it names.

    Args:
        envelope: Exact bytes.
        members: Board members of the trust root in force, all terms.

    Returns:
        The vote, or why it cannot count: not a member's key, a broken signature, another spelling.
    """
    raise NotImplementedError
