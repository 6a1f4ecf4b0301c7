"""From a registered version to the one that runs: gate, ballot, votes, certificate, alias. Nothing here decides; it asks.

The gate (`gate.decide`), the board's rules (`board.decide`) and the certificate (`certificate.verify`) are recomputed from the
evidence each time: a case's file is an index, an MLflow tag or alias is a pointer, and neither is believed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audits import report as audit_reports
from consent.canonical import format_time, parse_time
from consent.tlog.note import load_key
from governance import board, certificate, gate
from governance.ballot import Ballot, Question
from governance.board import BoardDecision, DecisionOutcome
from governance.certificate import Invalid, Revocation, RevocationKind, Subject, Valid
from governance.errors import GovernanceEvidenceError, GovernanceInputError
from governance.gate import GateDecision, GateOutcome
from governance.vote import IgnoredVote, Vote, open_vote, verify_vote
from models import artifact, plugins

if TYPE_CHECKING:
    from pathlib import Path

    from audits.report import AuditReport
    from governance.cases import Case
    from governance.house import House
    from models.service import Service

CHAMPION = "champion"
"""The governed alias: the version that `luvalla run` runs."""


class Step(enum.StrEnum):
    """How far a version has come."""

    REGISTERED = "registered"
    REFUSED_BY_GATE = "refused by the gate"
    AUDITED = "audited, may go to the board"
    UNDER_REVIEW = "under review"
    DECIDED_NO = "the board said no"
    DECIDED_YES = "the board said yes"
    CERTIFIED = "certified"
    CHAMPION = "champion"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALID = "certificate does not verify"


@dataclass(frozen=True)
class Standing:
    """Where a version stands, now.

    Args:
        case: The version.
        step: How far it has come.
        waits_for: Who has to do what next; "" where nothing waits.
        reasons: Why it is where it is.
        gate: The gate's answer, recomputed; None where there is no report.
        decision: The board's decision, recomputed; None without a ballot.
        expires: Until when its certificate holds; "" without one.
    """

    case: Case
    step: Step
    waits_for: str
    reasons: tuple[str, ...] = ()
    gate: GateDecision | None = None
    decision: BoardDecision | None = None
    expires: str = ""


def latest_report(house: House, case: Case) -> AuditReport | None:
    """The newest audit report of a version, read back by its digest; None before an audit.

    Raises:
        GovernanceEvidenceError: What is kept was changed (exit 3).
    """
    return audit_reports.from_json(house.evidence.get(case.reports[-1])) if case.reports else None


def judge(house: House, case: Case) -> GateDecision | None:
    """The gate's answer to a version's newest report; None where there is no report."""
    report = latest_report(house, case)
    if report is None:
        return None
    service = plugins.service(case.service)
    return gate.decide(
        report, house.policy(), service=service.id, kind=service.kind, model_digest=case.digest
    )


def open_ballot(house: House, service_id: str, version: str) -> Ballot | GateDecision:
    """Put a version to the board, if the gate lets the board say yes at all.

    Returns:
        The ballot (the one on the table, where it is about the newest report already), or the gate's decision that refuses it.

    Raises:
        GovernanceInputError: The version was not audited (exit 2).
    """
    case = house.cases.get(service_id, version)
    decision = judge(house, case)
    if decision is None:
        message = f"version {version} of {service_id} has no audit report"
        raise GovernanceInputError(message, f"audit it: `luvalla audits run {service_id} {version}`")
    if not decision.acceptable:
        return decision
    standing = case.question()
    if standing is not None and standing.report_digest == decision.report_digest:
        return standing
    ballot = Ballot(
        question=Question.CERTIFY,
        service=case.service,
        model_name=case.name,
        model_version=case.version,
        model_digest=case.digest,
        report_digest=decision.report_digest,
        policy_digest=decision.policy_digest,
        gate_outcome=decision.outcome,
        undecided=decision.undecided,
        trained_by=case.trained_by,
        audited_by=case.audited_by,
        owned_by=house.settings.owned_by(case.service),
        opened=house.clock(),
    )
    house.cases.change(service_id, version, lambda now: replace(now, ballot=ballot.document(), votes=()))
    return ballot


def cast(house: House, service_id: str, version: str, envelope: bytes) -> Vote | IgnoredVote:
    """Take a signed vote: verify it, keep it, record the act in the ledger, put it on the table.

    Returns:
        The vote, or why it cannot count; a vote that cannot count leaves no trace.

    Raises:
        GovernanceInputError: There is no ballot, or the vote answers another one (exit 2).
        EnvelopeError: It is not a vote.
    """
    ballot = _ballot_of(house.cases.get(service_id, version))
    answered, _ = open_vote(envelope)
    if answered.id != ballot.id:
        message = f"this vote answers another ballot than the one on version {version} of {service_id}"
        raise GovernanceInputError(message, "vote on the ballot that `luvalla board inbox` shows")
    vote = verify_vote(envelope, house.members())
    if isinstance(vote, IgnoredVote):
        return vote
    digest = house.evidence.put(envelope)
    house.ledger.append_act(
        vote.member,
        "vote",
        object_digest=digest,
        service=service_id,
        details={"ballot": ballot.id},
        request_id=f"vote {digest}",
    )
    house.ledger.checkpoint()
    house.cases.change(
        service_id,
        version,
        lambda now: now if digest in now.votes else replace(now, votes=(*now.votes, digest)),
    )
    return vote


def tally(house: House, case: Case) -> BoardDecision | None:
    """The board's decision on a version as it stands now; None without a ballot."""
    ballot, decision = case.question(), judge(house, case)
    if ballot is None or decision is None:
        return None
    members = house.members()
    votes = [verify_vote(envelope, members) for envelope in _votes(house, case)]
    return board.decide(
        members,
        house.trust_root.quorum,
        votes,
        decision,
        ballot=ballot,
        rules=house.policy().board,
        at=house.clock(),
    )


def subject_of(house: House, service: Service, name: str, version: str, folder: Path) -> Subject:
    """What a certificate must be about, from a private copy of the artifact and the service as installed."""
    purposes = sorted({service.purposes.development, service.purposes.offer})
    loaded = artifact.manifest(folder)
    return Subject(
        service=service.id,
        model_name=name,
        model_version=version,
        model_digest=artifact.digest(folder),
        data_contract=service.contract_digest(),
        purposes=tuple((purpose, house.ledger.purpose(purpose).version) for purpose in purposes),
        selection=("threshold", repr(float(loaded.threshold))),
    )


@dataclass(frozen=True)
class NotPromoted:
    """Why a version was not promoted; a value, since a no is expected.

    Args:
        waiting: Whether the board may still say yes; False: the answer is no.
        reasons: Plain words.
        ballot: The ballot that waits, where one does.
        decision: The board's decision, where it voted.
    """

    waiting: bool
    reasons: tuple[str, ...]
    ballot: Ballot | None = None
    decision: BoardDecision | None = None


@dataclass(frozen=True)
class Promoted:
    """A version was certified and is the champion.

    Args:
        certificate: DIGEST of its certificate's envelope.
        index: Index of the certificate's entry in the ledger.
        decision: The board's decision.
        expires: When it ends, as the ledger writes times.
        conditions: What the board asked, with due times.
    """

    certificate: str
    index: int
    decision: BoardDecision
    expires: str
    conditions: tuple[tuple[str, str], ...]


def promote(house: House, service_id: str, version: str) -> Promoted | NotPromoted:
    """Take the next step for a version: to the board, or, once the board said yes, to certificate and alias.

    1. The gate, from the newest report. 2. The ballot. 3. The board's decision. 4. The artifact as it is now, in a private copy.
    5. The certificate, kept, then recorded in the ledger. 6. The certificate verified as any run will. 7. The alias.
    A crash after 5 leaves a certified version that is not the champion; calling again finishes.

    Raises:
        GovernanceInputError: Not on the table, or not audited (exit 2).
        GovernanceEvidenceError: Artifact, report or policy was changed (3).
    """
    service = plugins.service(service_id)
    opened = open_ballot(house, service_id, version)
    if isinstance(opened, GateDecision):
        return NotPromoted(waiting=False, reasons=opened.why_not)
    case = house.cases.get(service_id, version)
    decision = tally(house, case)
    if decision is None or not decision.approved:
        reasons = decision.reasons if decision is not None else ()
        waiting = decision is None or decision.outcome is DecisionOutcome.OPEN
        return NotPromoted(waiting, reasons, opened, decision)
    with house.private_folder() as folder:
        copy = house.registry.download(case.name, case.version, folder / "model")
        subject = subject_of(house, service, case.name, case.version, copy)
    if subject.model_digest != case.digest:
        message = f"the artifact of version {version} was changed: attached {case.digest}, now {subject.model_digest}"
        raise GovernanceEvidenceError(message, "restore the artifact, or register and audit the new one")
    index = _certify(house, case, subject, opened)
    if isinstance(index, BoardDecision):
        return NotPromoted(index.outcome is DecisionOutcome.OPEN, index.reasons, opened, index)
    held = check_certificate(house, subject)
    if isinstance(held, Invalid):
        return NotPromoted(waiting=False, reasons=(held.reason, held.way_out), ballot=opened, decision=decision)
    house.registry.set_alias(case.name, CHAMPION, case.version)
    return Promoted(
        held.certificate.digest,
        index,
        held.decision,
        format_time(held.certificate.expires),
        tuple((item.text, format_time(item.due)) for item in held.certificate.conditions),
    )


def _certify(house: House, case: Case, subject: Subject, ballot: Ballot) -> int | BoardDecision:
    """Issue and record the certificate; its entry's index, or the decision that is no yes."""
    standing = _entry_of(house, case.certificate) if case.certificate else None
    if standing is not None and isinstance(check_certificate(house, subject), Valid):
        return standing
    decision = judge(house, case)
    if decision is None:
        message = f"version {case.version} of {case.service} has no audit report"
        raise GovernanceInputError(message, f"audit it: `luvalla audits run {case.service} {case.version}`")
    key = load_key(house.home.log_key, house.ledger.origin)
    envelope = certificate.issue(
        subject,
        ballot,
        _votes(house, case),
        members=house.members(),
        quorum=house.trust_root.quorum,
        gate=decision,
        policy=house.policy(),
        at=house.clock(),
        key=key,
    )
    if isinstance(envelope, BoardDecision):
        return envelope
    written = certificate.parse(envelope)
    digest = house.evidence.put(envelope)
    index = house.ledger.append_institutional(
        "certificate",
        {
            "envelope": digest,
            "expires": format_time(written.expires),
            "model_digest": subject.model_digest,
            "model_name": subject.model_name,
            "model_version": subject.model_version,
            "policy": ballot.policy_digest,
            "report": ballot.report_digest,
            "service": subject.service,
            "votes": list(written.votes),
        },
        request_id=f"certificate {digest}",
    )
    house.ledger.checkpoint()
    house.cases.change(case.service, case.version, lambda now: replace(now, certificate=digest))
    return index


def check_certificate(house: House, subject: Subject) -> Valid | Invalid:
    """Whether the ledger holds a certificate that is good for exactly this, now.

    Every certificate recorded for this artifact is tried, newest first: a case's file, an alias or a tag is not asked.

    Returns:
        The first that verifies, or why the newest does not.
    """
    entries = [
        entry
        for entry in reversed(house.ledger.institutional("certificate"))
        if (entry.body["service"], entry.body["model_name"], entry.body["model_version"])
        == (subject.service, subject.model_name, subject.model_version)
    ]
    first: Invalid | None = None
    for entry in entries:
        found = _check_one(house, subject, str(entry.body["envelope"]), str(entry.body["report"]), entry.body["votes"], entry)
        if isinstance(found, Valid):
            return found
        first = first or found
    return first or Invalid(
        "certificate",
        f"the ledger holds no certificate for version {subject.model_version} of {subject.model_name}",
        f"`luvalla promote {subject.service} {subject.model_version}` asks the board for one",
    )


def _check_one(house: House, subject: Subject, envelope: str, report: str, votes: list[str], entry: object) -> Valid | Invalid:
    service = plugins.service(subject.service)
    policy = house.policy()
    try:
        facts = audit_reports.from_json(house.evidence.get(report))
        raw = house.evidence.get(envelope)
        raw_votes = [house.evidence.get(digest) for digest in votes]
    except (GovernanceEvidenceError, GovernanceInputError) as error:
        return Invalid("evidence", error.message, error.hint)
    return certificate.verify(
        raw,
        raw_votes,
        members=house.members(),
        quorum=house.trust_root.quorum,
        issuers=house.issuers(),
        subject=subject,
        gate=gate.decide(facts, policy, service=service.id, kind=service.kind, model_digest=subject.model_digest),
        policy=policy,
        revocations=revocations(house),
        at=house.clock(),
        recorded=getattr(entry, "at", None),
    )


def revocations(house: House) -> tuple[Revocation, ...]:
    """Every suspension and revocation that the ledger records."""
    return tuple(
        Revocation(
            certificate=str(entry.body["certificate"]),
            kind=RevocationKind(entry.body["kind"]),
            at=entry.at,
            until=None if entry.body["until"] is None else parse_time(entry.body["until"]),
        )
        for entry in house.ledger.institutional("revocation")
    )


def stop(house: House, service_id: str, version: str, kind: RevocationKind, *, reason: str, until: str | None) -> int:
    """Record that a version's certificate is suspended or revoked; the next run refuses it.

    Args:
        house: The installation.
        service_id: Service.
        version: Version.
        kind: Suspended for a time, or revoked for good.
        reason: In plain words; kept as evidence, its digest is recorded.
        until: End of a suspension, as the ledger writes times; None: until the board decides.

    Returns:
        Index of the entry.

    Raises:
        GovernanceInputError: The version has no certificate (exit 2).
    """
    case = house.cases.get(service_id, version)
    if not case.certificate:
        message = f"version {version} of {service_id} has no certificate"
        raise GovernanceInputError(message, "there is nothing to stop: without a certificate it does not run")
    index = house.ledger.append_institutional(
        "revocation",
        {
            "certificate": case.certificate,
            "kind": str(kind),
            "reason": house.evidence.put(reason.encode()),
            "until": until,
        },
    )
    house.ledger.checkpoint()
    return index


def standing(house: House, case: Case, champion: str | None) -> Standing:
    """Where a version stands now.

    Args:
        house: The installation.
        case: The version.
        champion: The version that the alias points at, or None.
    """
    decision = judge(house, case)
    if decision is None:
        return Standing(case, Step.REGISTERED, "an audit (`luvalla audits run`)")
    if not decision.acceptable:
        return Standing(case, Step.REFUSED_BY_GATE, "a better version", decision.why_not, decision)
    if case.certificate:
        return _standing_certified(house, case, champion, decision)
    verdict = tally(house, case)
    if verdict is None:
        return Standing(case, Step.AUDITED, "`luvalla promote` to put it to the board", decision.why_not, decision)
    if verdict.outcome is DecisionOutcome.OPEN:
        return Standing(case, Step.UNDER_REVIEW, "the board (`luvalla board decide`)", verdict.reasons, decision, verdict)
    if not verdict.approved:
        return Standing(case, Step.DECIDED_NO, "a better version", verdict.reasons, decision, verdict)
    return Standing(case, Step.DECIDED_YES, "`luvalla promote` to certify it", (), decision, verdict)


def _standing_certified(house: House, case: Case, champion: str | None, decision: GateDecision) -> Standing:
    service = plugins.service(case.service)
    with house.private_folder() as folder:
        copy = house.registry.download(case.name, case.version, folder / "model")
        found = check_certificate(house, subject_of(house, service, case.name, case.version, copy))
    if isinstance(found, Invalid):
        steps = {"expired": Step.EXPIRED, "revoked": Step.REVOKED, "suspended": Step.SUSPENDED}
        return Standing(case, steps.get(found.check, Step.INVALID), found.way_out, (found.reason,), decision)
    step = Step.CHAMPION if champion == case.version else Step.CERTIFIED
    waits = "" if step is Step.CHAMPION else "`luvalla promote` to make it the champion"
    return Standing(case, step, waits, (), decision, found.decision, format_time(found.certificate.expires))


def _ballot_of(case: Case) -> Ballot:
    ballot = case.question()
    if ballot is None:
        message = f"version {case.version} of {case.service} is not before the board"
        raise GovernanceInputError(message, f"put it there: `luvalla promote {case.service} {case.version}`")
    return ballot


def _votes(house: House, case: Case) -> list[bytes]:
    return [house.evidence.get(digest) for digest in case.votes]


def _entry_of(house: House, envelope: str) -> int | None:
    found = [entry.index for entry in house.ledger.institutional("certificate") if entry.body["envelope"] == envelope]
    return found[-1] if found else None


__all__ = [
    "CHAMPION",
    "GateOutcome",
    "NotPromoted",
    "Promoted",
    "Standing",
    "Step",
    "cast",
    "check_certificate",
    "judge",
    "latest_report",
    "open_ballot",
    "promote",
    "revocations",
    "standing",
    "stop",
    "subject_of",
    "tally",
]
