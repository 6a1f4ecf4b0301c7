"""Whether a version may run now: its certificate, looked up in the ledger and checked against the artifact as loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits import report as audit_reports
from governance import certificate, certificate_form, gate, stopping
from governance.acceptance import Accepted, accepted_in
from governance.certificate import Invalid, Valid
from governance.certificate_form import Subject
from governance.errors import EnvelopeError, GovernanceEvidenceError, GovernanceInputError
from governance.gate import GateOutcome
from models import artifact, plugins

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consent.records import InstitutionalEntry
    from governance.ballot import Ballot
    from governance.house import House
    from models.service import Service


def subject_of(house: House, service: Service, name: str, version: str, folder: Path) -> Subject:
    """What a certificate must be about, from a private copy of the artifact and the service as installed."""
    purposes = sorted({service.purposes.development, service.purposes.offer})
    loaded = artifact.facts(folder)
    return Subject(
        service=service.id,
        model_name=name,
        model_version=version,
        model_digest=artifact.digest(folder),
        data_contract=service.contract_digest(),
        purposes=tuple((purpose, house.ledger.purpose(purpose).version) for purpose in purposes),
        selection=("threshold", repr(float(loaded.threshold))),
    )


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
        found = _check_one(
            house, subject, str(entry.body["envelope"]), str(entry.body["report"]), entry.body["votes"], entry
        )
        if isinstance(found, Valid):
            return found
        first = first or found
    return first or Invalid(
        "certificate",
        f"the ledger holds no certificate for version {subject.model_version} of {subject.model_name}",
        f"`luvalla promote {subject.service} {subject.model_version}` asks the board for one",
    )


def accepted_before(
    house: House, service: str, ballot: Ballot | None, *, until: int | None = None
) -> tuple[Accepted, ...]:
    """Lines of a service that were accepted on too little evidence, by every certificate that the ledger holds.

    Also by certificates that have ended or were stopped: what was accepted once was accepted.

    Args:
        house: The installation.
        service: Service id.
        ballot: The question on the table, whose own certificate does not count against it; None: every certificate counts.
        until: Only entries before this index; None: all.

    Raises:
        GovernanceEvidenceError: A certificate or its report is not kept as it was.
    """
    found: list[Accepted] = []
    for entry in house.ledger.institutional("certificate"):
        if entry.body["service"] != service or (until is not None and entry.index >= until):
            continue
        envelope = str(entry.body["envelope"])
        written = certificate_form.parse(house.evidence.get(envelope)).ballot
        if written.gate_outcome is GateOutcome.NOT_ENOUGH_EVIDENCE and (
            ballot is None or written.id != ballot.id
        ):
            report = audit_reports.from_json(house.evidence.get(str(entry.body["report"])))
            found += accepted_in(envelope, report, written.undecided)
    return tuple(found)


def _ballot_in(envelope: bytes) -> Ballot | None:
    """A certificate's ballot; None where it is none, which its own check says better."""
    try:
        return certificate_form.parse(envelope).ballot
    except EnvelopeError:
        return None


def _check_one(
    house: House,
    subject: Subject,
    envelope: str,
    report: str,
    votes: Sequence[str],
    entry: InstitutionalEntry,
) -> Valid | Invalid:
    service = plugins.service(subject.service)
    policy = house.policy()
    try:
        facts = audit_reports.from_json(house.evidence.get(report))
        raw = house.evidence.get(envelope)
        raw_votes = [house.evidence.get(digest) for digest in votes]
        before = accepted_before(house, service.id, _ballot_in(raw), until=entry.index)
    except (GovernanceEvidenceError, GovernanceInputError) as error:
        return Invalid("evidence", error.message, error.hint)
    return certificate.verify(
        raw,
        raw_votes,
        members=house.members(),
        quorum=house.trust_root.quorum,
        issuers=house.issuers(),
        subject=subject,
        gate=gate.decide(
            facts,
            policy,
            service=service.id,
            kind=service.kind,
            model_digest=subject.model_digest,
            before=before,
        ),
        policy=policy,
        revocations=stopping.revocations(house),
        at=house.clock(),
        recorded=entry.at,
    )
