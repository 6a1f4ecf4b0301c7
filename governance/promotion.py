"""From a registered version to the one that runs: gate, ballot, votes, certificate, alias. Nothing here decides; it asks.

The gate (`gate.decide`), the board's rules (`board.decide`) and the certificate (`certificate.verify`) are recomputed from the
evidence each time: a case's file is an index, an MLflow tag or alias is a pointer, and neither is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audits import report as audit_reports
from consent.canonical import format_time
from governance import board, certificate, certificate_form, gate
from governance.ballot import Ballot, Question
from governance.board import BoardDecision, DecisionOutcome
from governance.certificate import Invalid
from governance.certified import accepted_before, check_certificate, subject_of
from governance.errors import GovernanceEvidenceError, GovernanceInputError
from governance.gate import GateDecision
from governance.vote import IgnoredVote, Vote, open_vote, verify_vote
from models import plugins

if TYPE_CHECKING:
    from audits.report import AuditReport
    from governance.cases import Case
    from governance.certificate_form import Subject
    from governance.house import House

CHAMPION = "champion"
"""The governed alias: the version that `luvalla run` runs."""


def latest_report(house: House, case: Case) -> AuditReport | None:
    """The newest audit report of a version, read back by its digest; None before an audit.

    Raises:
        GovernanceEvidenceError: What is kept was changed (exit 3).
    """
    return audit_reports.from_json(house.evidence.get(case.reports[-1])) if case.reports else None


def judge(house: House, case: Case, *, anew: bool = False) -> GateDecision | None:
    """The gate's answer to a version's newest report; None where there is no report.

    Args:
        house: The installation.
        case: The version.
        anew: A new question would be put to the board: what the last ballot accepted was accepted before.
    """
    report = latest_report(house, case)
    if report is None:
        return None
    service = plugins.service(case.service)
    return gate.decide(
        report,
        house.policy(),
        service=service.id,
        kind=service.kind,
        model_digest=case.digest,
        before=accepted_before(house, service.id, None if anew else case.question()),
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
    rules = house.policy().board
    if (
        standing is not None
        and (standing.report_digest, standing.policy_digest)
        == (decision.report_digest, decision.policy_digest)
        and board.why_closed(standing, rules, house.clock()) is None
    ):
        return standing
    decision = judge(house, case, anew=True) or decision
    if not decision.acceptable:
        return decision
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
        trained_by=_who(house, "trained", case.digest, case.trained_by),
        audited_by=_who(house, "audited", decision.report_digest, case.audited_by),
        owned_by=house.settings.owned_by(case.service),
        opened=house.clock(),
    )
    house.cases.change(service_id, version, lambda now: replace(now, ballot=ballot.document(), votes=()))
    return ballot


def _who(house: House, act: str, digest: str, said: tuple[str, ...]) -> tuple[str, ...]:
    """Whose work it is: who the case says, and every board member whose act the ledger records. Hiding one needs both."""
    members = {member.id for member in house.members()}
    found = {
        member
        for member in members
        if any((a.act, a.object) == (act, digest) for a in house.ledger.acts_of(member))
    }
    return tuple(sorted({*said, *found}))


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
        copy = house.registry.download(case.name, case.version, folder)
        subject = subject_of(house, service, case.name, case.version, copy)
    if subject.model_digest != case.digest:
        message = f"the artifact of version {version} was changed: attached {case.digest}, now {subject.model_digest}"
        raise GovernanceEvidenceError(message, "restore the artifact, or register and audit the new one")
    index = _certify(house, case, subject, opened)
    if isinstance(index, BoardDecision):
        return NotPromoted(index.outcome is DecisionOutcome.OPEN, index.reasons, opened, index)
    held = check_certificate(house, subject)
    if isinstance(held, Invalid):
        return NotPromoted(
            waiting=False, reasons=(held.reason, held.way_out), ballot=opened, decision=decision
        )
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
    decision = judge(house, case)
    if decision is None:
        message = f"version {case.version} of {case.service} has no audit report"
        raise GovernanceInputError(message, f"audit it: `luvalla audits run {case.service} {case.version}`")
    key = house.ledger.log.signer.statement_key()
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
    written = certificate_form.parse(envelope)
    for entry in house.ledger.institutional("certificate"):
        earlier = str(entry.body["envelope"])
        if list(entry.body["votes"]) == list(written.votes) and earlier in house.evidence:
            # These votes were certified before: just before a crash, or it was stopped since. Once is enough, and for good.
            return _certified(house, case, earlier, entry.index)
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
    return _certified(house, case, digest, index)


def _certified(house: House, case: Case, digest: str, index: int) -> int:
    """Note the certificate with the case, which is only an index."""
    if case.certificate != digest:
        house.cases.change(case.service, case.version, lambda now: replace(now, certificate=digest))
    return index


def _ballot_of(case: Case) -> Ballot:
    ballot = case.question()
    if ballot is None:
        message = f"version {case.version} of {case.service} is not before the board"
        raise GovernanceInputError(message, f"put it there: `luvalla promote {case.service} {case.version}`")
    return ballot


def _votes(house: House, case: Case) -> list[bytes]:
    return [house.evidence.get(digest) for digest in case.votes]
