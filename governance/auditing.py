"""An audit under the ledger's eye: consenting people's rows, the policy's lines, a report kept by digest and recorded."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audits import html
from audits import report as reports_form
from consent.uses import ModelRef, UseRequest
from consent.vocabulary import UseStatus
from governance import consent_counts
from governance.audit_input import Audience, report_on
from governance.development import consenting, left_out, someone_in, use_of
from governance.errors import GovernanceEvidenceError
from models import artifact, training

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audits.report import AuditReport
    from governance.cases import Case
    from governance.house import House
    from models.population import Population
    from models.service import Service
    from models.training import CrossFit


@dataclass(frozen=True)
class Audited:
    """An audit that was done, recorded and kept.

    Args:
        case: What is on the table now.
        report: The facts.
        index: Index of the use's entry in the ledger.
        used: People whose rows were used.
        left_out: People of the file left out, by reason.
        cross_fit: The scores behind it.
    """

    case: Case
    report: AuditReport
    index: int
    used: int
    left_out: Mapping[str, int]
    cross_fit: CrossFit


def audits_on(house: House, service: str, rows_digest: str) -> int:
    """How many audits of a service were run on these rows, of whatever version.

    Args:
        house: The installation.
        service: Service id.
        rows_digest: DIGEST of the file of rows.

    Raises:
        GovernanceEvidenceError: A report is not kept as it was (exit 3).
    """
    reports = [digest for case in house.cases.all(service) for digest in case.reports]
    return sum(
        reports_form.from_json(house.evidence.get(digest)).subject.rows_digest == rows_digest
        for digest in reports
    )


def audit(
    house: House,
    service: Service,
    version: str,
    population: Population,
    *,
    by: str,
    simulated: tuple[str, ...] = (),
    progress: Callable[[str], None] | None = None,
) -> Audited:
    """Audit a trained version by cross-fitting its procedure on consenting people's rows.

    1. Who consented, at a checkpoint. 2. The artifact, in a private copy, with the digest that was attached. 3. Everyone scored by
    a model that saw neither them nor their family. 4. The report, under the policy in force. 5. The use, durable in the ledger,
    bound to the report's digest; only then is the report kept and shown.

    Args:
        house: The installation.
        service: Whose version.
        version: Which.
        population: Rows with outcomes, checked against the contract: those the version was trained on.
        by: Id of who audits: they may not vote on it.
        simulated: What of the people or their consents is invented; the report says so.
        progress: Told what is being done, before it is.

    Raises:
        GovernanceInputError: The version is not on the table, or every row breaks the contract (exit 2).
        NobodyConsented: exit 1.
        ConsentChanged: Somebody withdrew meanwhile; nothing was recorded or kept (exit 1).
        GovernanceEvidenceError: The artifact was changed (3).
    """
    case = house.cases.get(service.id, version)
    tell = progress or (lambda _: None)
    someone_in(population)
    tell("asking the ledger who consented")
    permits = consenting(house, service, population.frame, "audit")
    rows = population.frame[permits.permitted]
    with house.private_folder() as folder:
        copy = house.registry.download(case.name, case.version, folder)
        digest = artifact.digest(copy)
        if digest != case.digest:
            message = f"the artifact of version {version} was changed: attached {case.digest}, now {digest}"
            raise GovernanceEvidenceError(message, "restore the artifact, or register and audit the new one")
        estimator, facts = artifact.load(copy), artifact.facts(copy)
    tell("scoring everyone by models that saw neither them nor their family")
    crossed = training.cross_fit(service, facts.recipe, rows, seed=facts.seed, refit=estimator)
    earlier = audits_on(house, service.id, population.digest)
    counted = consent_counts.count(service, population.frame, permits, simulated=bool(simulated))
    audience = Audience(population.digest, earlier, house.clock().date(), simulated, counted)
    report = report_on(service, case, house.policy(), rows, crossed, estimator, facts, audience, progress)
    tell("recording the use and writing the report")
    written = report.to_json()
    numbers, statuses = use_of(permits, UseStatus.USED)
    entry = house.ledger.append_use(
        UseRequest(
            run=secrets.token_bytes(16),
            processing="audit",
            purpose_id=service.purposes.development,
            service=service.id,
            model=ModelRef(case.name, case.version, case.digest),
            output=report.digest,
            numbers=numbers,
            statuses=statuses,
            state=permits.state,
        )
    )
    page = html.page(report).encode()
    house.evidence.put(written)
    house.put_report(f"{service.id}-{version}", written, page)
    house.registry.log_report(
        house.registry.version(case.name, case.version), {"report.json": written, "report.html": page}
    )
    house.ledger.append_act(
        by, "audited", object_digest=report.digest, service=service.id, details={"version": version}
    )
    case = house.cases.change(
        service.id,
        version,
        lambda now: replace(
            now,
            reports=(*now.reports, report.digest),
            audited_by=tuple(sorted({*now.audited_by, by})),
        ),
    )
    return Audited(case, report, entry.index, int(permits.permitted.sum()), left_out(permits), crossed)
