"""Where each version stands and what waits for whom: recomputed from the evidence, for `luvalla status` and the inbox."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.canonical import format_time
from governance.board import BoardDecision, DecisionOutcome
from governance.certificate import Invalid
from governance.certified import check_certificate, subject_of
from governance.promotion import judge, latest_report, tally
from models import artifact, plugins
from models.card import Card

if TYPE_CHECKING:
    from governance.cases import Case
    from governance.gate import GateDecision
    from governance.house import House
    from models.service import Service


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
        return Standing(
            case, Step.AUDITED, "`luvalla promote` to put it to the board", decision.why_not, decision
        )
    if verdict.outcome is DecisionOutcome.OPEN:
        return Standing(
            case, Step.UNDER_REVIEW, "the board (`luvalla board decide`)", verdict.reasons, decision, verdict
        )
    if not verdict.approved:
        return Standing(case, Step.DECIDED_NO, "a better version", verdict.reasons, decision, verdict)
    return Standing(case, Step.DECIDED_YES, "`luvalla promote` to certify it", (), decision, verdict)


def _standing_certified(house: House, case: Case, champion: str | None, decision: GateDecision) -> Standing:
    service = plugins.service(case.service)
    with house.private_folder() as folder:
        copy = house.registry.download(case.name, case.version, folder)
        found = check_certificate(house, subject_of(house, service, case.name, case.version, copy))
    if isinstance(found, Invalid):
        steps = {"expired": Step.EXPIRED, "revoked": Step.REVOKED, "suspended": Step.SUSPENDED}
        return Standing(case, steps.get(found.check, Step.INVALID), found.way_out, (found.reason,), decision)
    step = Step.CHAMPION if champion == case.version else Step.CERTIFIED
    waits = "" if step is Step.CHAMPION else "`luvalla promote` to make it the champion"
    return Standing(case, step, waits, (), decision, found.decision, format_time(found.certificate.expires))


def card(house: House, service: Service, version: str) -> Card:
    """The model card of a version: the registry's figures, the newest audit's findings, the board's decision.

    Raises:
        GovernanceInputError: The version is not on the table (exit 2).
    """
    case = house.cases.get(service.id, version)
    report, decision = latest_report(house, case), tally(house, case)
    with house.private_folder() as folder:
        facts = artifact.facts(house.registry.download(case.name, case.version, folder))
    return Card(
        service=service,
        name=case.name,
        version=case.version,
        digest=case.digest,
        recipe=case.recipe,
        metrics=house.registry.metrics(house.registry.version(case.name, case.version)),
        data_digest=facts.data_digest,
        notes=facts.notes,
        audit=()
        if report is None
        else tuple(finding.message for finding in report.findings if finding.line is not None),
        decision="" if decision is None else _decided(decision),
    )


def _decided(decision: BoardDecision) -> str:
    """The outcome with what binds it: why not, under which conditions, and who dissented."""
    return "; ".join(
        [
            str(decision.outcome).replace("-", " "),
            *decision.reasons,
            *[f"condition, due {format_time(item.due)}: {item.text}" for item in decision.conditions],
            *[f"dissent, {vote.member}: {vote.reasons}" for vote in decision.dissent],
        ]
    )
