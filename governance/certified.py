"""Whether a version may run now: its certificate, looked up in the ledger and checked against the artifact as loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits import report as audit_reports
from governance import certificate, gate, stopping
from governance.certificate import Invalid, Valid
from governance.certificate_form import Subject
from governance.errors import GovernanceEvidenceError, GovernanceInputError
from models import artifact, plugins

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consent.records import InstitutionalEntry
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
            facts, policy, service=service.id, kind=service.kind, model_digest=subject.model_digest
        ),
        policy=policy,
        revocations=stopping.revocations(house),
        at=house.clock(),
        recorded=entry.at,
    )
