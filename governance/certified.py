"""Whether a version may run now: its certificate, looked up in the ledger and checked against the artifact as loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits import report as audit_reports
from consent.canonical import parse_time
from governance import certificate, gate
from governance.certificate import Invalid, Revocation, RevocationKind, Valid
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
        revocations=revocations(house),
        at=house.clock(),
        recorded=entry.at,
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


def stop(
    house: House, service_id: str, version: str, kind: RevocationKind, *, reason: str, until: str | None
) -> int:
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
