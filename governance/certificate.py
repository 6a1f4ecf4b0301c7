"""Certificates: what ties a board's yes to exactly one model, report and policy, for a time; and how anyone checks it.

A certificate has no authority of its own. `verify` takes the votes, checks each with the member's key from the trust root in
force, applies the board's rules again (`board.decide`) and compares: a certificate that says more than its votes is invalid,
whoever signed it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from consent.canonical import digest, format_time
from consent.errors import ConsentError
from consent.tlog.note import Signs, VerifierKey
from governance.board import BoardDecision, decide
from governance.certificate_form import Certificate, Subject, parse, write
from governance.envelope import Envelope
from governance.errors import EnvelopeError, GovernanceInputError
from governance.vote import verify_vote

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consent.trust_chain import Member
    from governance.ballot import Ballot, Condition
    from governance.gate import GateDecision
    from governance.policy import Policy

RECORDED_WITHIN = timedelta(days=1)
"""A certificate is recorded when it is issued; a day allows for an outage between the two, and for nothing else: otherwise a
decision could be dated into the term of members who have left."""

_DECIDE_AGAIN = "Put the version to the board again."


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
        votes: DIGESTs of the votes that the certificate rested on: what was stopped cannot be issued anew from them.
    """

    certificate: str
    kind: RevocationKind
    at: datetime
    until: datetime | None
    votes: tuple[str, ...] = ()


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
    key: Signs,
) -> bytes | BoardDecision:
    """Make a certificate if the board's rules say yes; else give the decision that says why not.

    Args:
        subject: The version, and what it will run with.
        ballot: What the board was asked.
        votes: The votes' envelopes, exact bytes.
        members: Board members of the trust root in force, all terms.
        quorum: From the same trust root.
        gate: The gate's decision.
        policy: The policy in force.
        at: The moment of the decision.
        key: The log's key; it makes a certificate readable as ours, and gives it no authority.

    Returns:
        The envelope's canonical bytes (its DIGEST goes to the ledger), or the decision that is no yes.

    Raises:
        GovernanceInputError: The subject is not what the ballot is about.
    """
    if (fault := _other_subject(subject, ballot)) is not None:
        raise GovernanceInputError(
            f"The certificate would be about another {fault} than the ballot.",
            "Open a ballot on this version.",
        )
    at = at.replace(microsecond=0)  # as it is signed, so that a verifier decides at the same moment
    opened = [verify_vote(envelope, members) for envelope in votes]
    decision = decide(members, quorum, opened, gate, ballot=ballot, rules=policy.board, at=at)
    if not decision.approved or decision.expires is None:
        return decision
    return write(
        Certificate(
            digest="",
            subject=subject,
            ballot=ballot,
            report=gate.report_digest,
            policy=policy.digest,
            votes=tuple(sorted(vote.digest for vote in decision.counted)),
            issued=at,
            expires=decision.expires,
            conditions=decision.conditions,
        ),
        key,
    )


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

    1. It is a certificate, signed by the log's key of the trust root in force.
    2. It is about exactly what is about to run: artifact, name, version, service, data contract, purposes, selection.
    3. It rests on this report and this policy, and its ballot on the same.
    4. Its time has come, is not over, and is the time at which the ledger recorded it.
    5. It is neither suspended nor revoked, and none of its conditions is overdue.
    6. It names exactly the votes at hand, and by these the board's rules, applied again now, say yes: under the same
       conditions, and for no shorter time.

    Args:
        envelope: The certificate's exact bytes.
        votes: The envelopes of the votes it names, exact bytes, in any order.
        members: Board members of the trust root in force, all terms.
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
    try:
        certificate = parse(envelope)
        signature = Envelope.parse(envelope)
        keys = [VerifierKey.parse(vkey) for vkey in issuers]
    except (EnvelopeError, ConsentError) as error:
        return Invalid(
            "form",
            error.message,
            "Restore the certificate from the evidence store, or have the board decide again.",
        )
    if not any(signature.signed_by(key) for key in keys):
        return Invalid(
            "signature",
            "The certificate is not signed by a key of the log in the trust root in force, or was changed after signing.",
            "Restore the certificate from the evidence store, or have the board decide again.",
        )
    return (
        _why_other_subject(certificate, subject)
        or _why_other_evidence(certificate, gate, policy)
        or _why_wrong_time(certificate, at, recorded)
        or _why_stopped(certificate, revocations, at, met)
        or _by_votes(certificate, votes, members=members, quorum=quorum, gate=gate, policy=policy)
    )


def _why_other_subject(certificate: Certificate, subject: Subject) -> Invalid | None:
    names = {
        "model_digest": "artifact",
        "service": "service",
        "model_name": "registered model",
        "model_version": "version",
        "data_contract": "data contract",
        "purposes": "set of purposes",
        "selection": "way of selecting people",
    }
    for field, what in names.items():
        certified, met = getattr(certificate.subject, field), getattr(subject, field)
        if certified != met:
            return Invalid(
                field,
                f"The certificate is for another {what}: it says {_shown(certified)}, this is {_shown(met)}.",
                "Restore what was certified, or have this version audited and decided on.",
            )
    if (fault := _other_subject(certificate.subject, certificate.ballot)) is not None:
        return Invalid(
            "ballot", f"The certificate and its ballot are about different things: {fault}.", _DECIDE_AGAIN
        )
    return None


def _why_other_evidence(certificate: Certificate, gate: GateDecision, policy: Policy) -> Invalid | None:
    for check, what, certified, found in (
        ("report", "report", certificate.report, gate.report_digest),
        ("policy", "policy", certificate.policy, policy.digest),
        ("gate", "policy's gate", gate.policy_digest, policy.digest),
        ("ballot", "report on its ballot", certificate.ballot.report_digest, certificate.report),
        ("ballot", "policy on its ballot", certificate.ballot.policy_digest, certificate.policy),
    ):
        if certified != found:
            return Invalid(
                check,
                f"The certificate rests on another {what}: {certified}, found {found}.",
                "Restore the file that the board saw, or put the version to the board again.",
            )
    return None


def _why_wrong_time(certificate: Certificate, at: datetime, recorded: datetime | None) -> Invalid | None:
    if certificate.issued > at:
        return Invalid(
            "not-yet",
            f"The certificate is dated {format_time(certificate.issued)}, after now.",
            "Check the clock.",
        )
    if recorded is not None and abs(recorded - certificate.issued) > RECORDED_WITHIN:
        return Invalid(
            "recorded",
            f"The certificate is dated {format_time(certificate.issued)}, but the ledger recorded it {format_time(recorded)}.",
            _DECIDE_AGAIN,
        )
    if at >= certificate.expires:
        return Invalid(
            "expired",
            f"The certificate expired on {format_time(certificate.expires)}.",
            "Audit the version on new outcomes and have the board decide again.",
        )
    return None


def _why_stopped(
    certificate: Certificate, revocations: Sequence[Revocation], at: datetime, met: Collection[Condition]
) -> Invalid | None:
    mine = [
        stop
        for stop in revocations
        if stop.certificate == certificate.digest or not set(certificate.votes).isdisjoint(stop.votes)
    ]
    # A stop dated ahead of a clock that runs behind still stops: the error falls on the side of no.
    if any(stop.kind is RevocationKind.REVOKED for stop in mine):
        return Invalid("revoked", "The board revoked this certificate.", "Put another version to the board.")
    for stop in mine:
        if stop.until is None or at < stop.until:
            until = "the board decides" if stop.until is None else format_time(stop.until)
            return Invalid(
                "suspended",
                f"A board member suspended this certificate on {format_time(stop.at)} until {until}.",
                "Wait for the board: it lets the suspension end, or revokes.",
            )
    overdue = [one for one in certificate.conditions if at >= one.due and one not in met]
    if overdue:
        return Invalid(
            "condition",
            f"A condition was due {format_time(overdue[0].due)} and was not shown to be met: {overdue[0].text}",
            "Show the board that it is met, and have it decide again.",
        )
    return None


def _by_votes(
    certificate: Certificate,
    votes: Sequence[bytes],
    *,
    members: Sequence[Member],
    quorum: int,
    gate: GateDecision,
    policy: Policy,
) -> Valid | Invalid:
    """Step 6: the certificate says what its votes say, and nothing more."""
    if sorted({digest(vote) for vote in votes}) != list(certificate.votes):
        return Invalid(
            "votes",
            "The votes at hand are not the ones that the certificate names.",
            "Restore them from the evidence store.",
        )
    opened = [verify_vote(vote, members) for vote in votes]
    decision = decide(
        members, quorum, opened, gate, ballot=certificate.ballot, rules=policy.board, at=certificate.issued
    )
    if not decision.approved or decision.expires is None:
        ignored = [f"a vote does not count: {vote.reason}" for vote in decision.ignored]
        return Invalid(
            "board",
            "By its votes the board did not say yes. " + "; ".join([*decision.reasons, *ignored]),
            _DECIDE_AGAIN,
        )
    if decision.conditions != certificate.conditions or decision.expires != certificate.expires:
        return Invalid(
            "board", "The certificate's conditions or expiry are not what its votes say.", _DECIDE_AGAIN
        )
    return Valid(certificate, decision)


def _other_subject(subject: Subject, ballot: Ballot) -> str | None:
    for what, ours, asked in (
        ("service", subject.service, ballot.service),
        ("registered model", subject.model_name, ballot.model_name),
        ("version", subject.model_version, ballot.model_version),
        ("artifact", subject.model_digest, ballot.model_digest),
    ):
        if ours != asked:
            return what
    return None


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(str, item)) if isinstance(item, tuple) else str(item) for item in value)
    return str(value)
