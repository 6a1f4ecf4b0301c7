"""Certificates: what ties a board's yes to exactly one model, report and policy, for a time; and how anyone checks it.

A certificate has no authority of its own. `verify` takes the votes, checks each with the member's key from the trust root in
force, applies the board's rules again (`board.decide`) and compares: a certificate that says more than its votes is invalid,
whoever signed it.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.ballot import Ballot, Condition, Member
from governance.board import BoardDecision
from governance.gate import GateDecision
from governance.policy import Policy


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


class RevocationKind(enum.StrEnum):
    """How a certificate stopped."""

    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Revocation:
    """A ledger entry that stops a certificate.

    Args:
        certificate: DIGEST of the certificate's envelope.
        kind: Suspended for a time, or revoked for good.
        at: When it was recorded.
        until: For a suspension, its end; None holds until the board decides.
    """

    certificate: str
    kind: RevocationKind
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as read; nothing in it is to be believed before `verify`.

    Args:
        digest: DIGEST of the envelope's bytes.
        subject: What it is about.
        ballot: The ballot it rests on.
        votes: DIGESTs of the votes' envelopes, sorted.
        issued: The moment of the decision.
        expires: First moment at which it no longer holds.
        conditions: What the board asked, and by when.
    """

    digest: str
    subject: Subject
    ballot: Ballot
    votes: tuple[str, ...]
    issued: datetime
    expires: datetime
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Valid:
    """The certificate holds, now.

    Args:
        certificate: Its content, now to be believed.
        decision: The board's decision, recomputed from the votes.
    """

    certificate: Certificate
    decision: BoardDecision


@dataclass(frozen=True, slots=True)
class Invalid:
    """The certificate does not hold.

    Args:
        check: Short stable name of the failed check, such as `expired` or `board`.
        reason: Plain words: what was expected and what was got.
        way_out: What to do now.
    """

    check: str
    reason: str
    way_out: str


def issue(
    subject: Subject,
    ballot: Ballot,
    votes: Sequence[bytes],
    *,
    members: Sequence[Member],
    quorum: int,
    gate: GateDecision,
    policy: Policy,
    at: datetime,
    key: Ed25519PrivateKey,
    key_name: str,
) -> bytes | BoardDecision:
    """Make a certificate if the board's rules say yes; else give the decision that says why not.

    Returns:
        The envelope's canonical bytes (its DIGEST goes to the ledger), or the decision that is no yes.
    """
    raise NotImplementedError


def parse(envelope: bytes) -> Certificate:
    """Read a certificate strictly, believing nothing.

    Raises:
        EnvelopeError: It is no certificate of ours, or not spelled canonically.
    """
    raise NotImplementedError


def verify(
    envelope: bytes,
    votes: Sequence[bytes],
    *,
    members: Sequence[Member],
    quorum: int,
    issuers: Collection[str],
    subject: Subject,
    gate: GateDecision,
    policy: Policy,
    revocations: Sequence[Revocation],
    at: datetime,
    recorded: datetime | None,
    met: Collection[Condition] = (),
) -> Valid | Invalid:
    """Check a certificate against everything it should be bound to, as of now.

    Args:
        envelope: The certificate's exact bytes.
        votes: The envelopes of the votes it names, exact bytes, in any order.
        members: Board members of the trust root in force, all terms (`ballot.members_of`).
        quorum: From the same trust root.
        issuers: vkeys that may sign certificates: the trust root's log keys.
        subject: What is about to run or to be promoted, from the artifact as loaded and the service as installed.
        gate: The gate's decision, recomputed now from report and policy.
        policy: The policy in force.
        revocations: All revocation entries of the ledger, of any certificate.
        at: Now.
        recorded: When the ledger recorded this certificate; None only where no ledger is at hand.
        met: Conditions that were shown to be met.

    Returns:
        Valid or Invalid. Never raises for a no.
    """
    raise NotImplementedError
