"""The gate: a report and a policy go in, a decision with a finding per line comes out.

Pure, and closed by default: no policy for the service, no deciding line, no required check, another model, other lines or
another policy than the report was made for, and the answer is `refused` with its reasons. `refused` says that the evidence
is about something else or has gaps; `failed` says that it could be used, and speaks against the model.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audits.finding import Finding, Outcome, Role
from audits.lines import Line, limit_on, region
from governance import acceptance, regrouped
from governance.errors import UnknownProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.report import AuditReport
    from governance.acceptance import Accepted
    from governance.policy import Policy
    from governance.profile import Profile

_JUDGED = {Outcome.PASSED, Outcome.FAILED, Outcome.NOT_ENOUGH_EVIDENCE}


class GateOutcome(enum.StrEnum):
    """The gate's answer. Only `passed`, and `not_enough_evidence` where the board accepts it, can lead to a certificate."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LineDecision:
    """What became of one deciding line.

    Args:
        line: Id of the policy's line.
        outcome: The finding's outcome; could not run where the report has no finding for the line.
        acceptable: Passed, not applicable where the policy allows that, or not enough evidence of the kind that the board
            may accept.
        why: Plain words.
        finding: The report's finding, or None where the report has none.
    """

    line: str
    outcome: Outcome
    acceptable: bool
    why: str
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What the gate says of a report under a policy.

    Args:
        outcome: Passed, failed, not enough evidence, or refused.
        lines: One decision per deciding line of the policy.
        acceptable: Whether the board may say yes: passed, or not enough evidence within the policy's rule.
        why_not: Every reason against, in plain words; empty only when passed.
        undecided: Ids of the deciding lines without enough evidence, in the policy's order.
        service: Service id.
        model_digest: DIGEST of the model that the report is about.
        report_digest: DIGEST of the report.
        policy_digest: DIGEST of the policy.
    """

    outcome: GateOutcome
    lines: tuple[LineDecision, ...]
    acceptable: bool
    why_not: tuple[str, ...]
    undecided: tuple[str, ...]
    service: str
    model_digest: str
    report_digest: str
    policy_digest: str


def decide(
    report: AuditReport,
    policy: Policy,
    *,
    service: str,
    kind: str,
    model_digest: str,
    before: Sequence[Accepted] = (),
) -> GateDecision:
    """Judge a report.

    Args:
        report: The audit's facts.
        policy: The policy in force.
        service: Service id that the version is to serve.
        kind: The service's kind (`assistive` or `check`), as the service declares it; the profile must be of that kind.
        model_digest: DIGEST of the artifact that is to be certified, as computed from its files now.
        before: Lines that a board accepted before on too little evidence, for this service and by other ballots.

    Returns:
        The decision. Never raises for a no.
    """
    digests = {
        "service": service,
        "model_digest": model_digest,
        "report_digest": report.digest,
        "policy_digest": policy.digest,
    }
    try:
        profile = policy.profile(service)
    except UnknownProfile as error:
        return GateDecision(GateOutcome.REFUSED, (), False, (error.message,), (), **digests)
    unusable = [
        *_wrong_subject(report, policy, profile, service=service, kind=kind, model_digest=model_digest),
        *_wrong_rule(report, policy),
        *_wrong_lines(report, policy.lines(service)),
    ]
    lines = tuple(
        _line_decision(line, report, policy, profile, before) for line in policy.deciding_lines(service)
    )
    gaps = _missing_checks(report, profile)
    gaps += [
        line.why
        for line in lines
        if line.outcome is Outcome.COULD_NOT_RUN
        or (line.outcome is Outcome.NOT_APPLICABLE and not line.acceptable)
    ]
    if not any(line.outcome in _JUDGED for line in lines):
        gaps.append("No deciding line was judged, so there is nothing to pass.")
    failures = [
        finding.message
        for finding in report.findings
        if finding.outcome is Outcome.FAILED and finding.role is not Role.DESCRIBED
    ]
    if report.verdict.outcome is Outcome.FAILED and not failures:
        unusable.append("The report's verdict is failed, but none of its findings is.")
    undecided = [line for line in lines if line.outcome is Outcome.NOT_ENOUGH_EVIDENCE]
    # What decides without being a line of the policy (a gain on randomised data) has no limit whose double could be excluded.
    doubts = [
        finding.message
        for finding in report.findings
        if finding.line is None
        and finding.role is Role.DECIDES
        and finding.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    ]
    # A failed line is a failed line even where other evidence is missing; nothing is believed of an unusable report.
    against = list(dict.fromkeys([*unusable, *failures, *gaps]))
    if unusable or (gaps and not failures):
        outcome, why_not = GateOutcome.REFUSED, against
    elif failures:
        outcome, why_not = GateOutcome.FAILED, against
    elif undecided or doubts:
        outcome, why_not = GateOutcome.NOT_ENOUGH_EVIDENCE, [*(line.why for line in undecided), *doubts]
    else:
        outcome, why_not = GateOutcome.PASSED, []
    return GateDecision(
        outcome=outcome,
        lines=lines,
        acceptable=not against and not doubts and all(line.acceptable for line in lines),
        why_not=tuple(why_not),
        undecided=tuple(line.line for line in undecided),
        **digests,
    )


def _wrong_subject(
    report: AuditReport, policy: Policy, profile: Profile, *, service: str, kind: str, model_digest: str
) -> list[str]:
    subject = report.subject
    pairs = [
        ("model", subject.model_digest, model_digest),
        ("service", subject.service, service),
        ("policy", subject.policy_digest, policy.digest),
        ("kind of service", subject.kind, kind),
    ]
    wrong = [
        f"The report is about another {what}: {got or 'it names none'}, expected {expected}."
        for what, got, expected in pairs
        if got != expected or not expected
    ]
    if profile.kind != kind:
        wrong.append(
            f"The policy's profile is for a service of kind {profile.kind}, this one is of kind {kind}."
        )
    return wrong


def _wrong_rule(report: AuditReport, policy: Policy) -> list[str]:
    rule = report.rule
    service = report.subject.service
    pairs = [
        ("intervals of level", rule.level, policy.rule.level),
        ("a shared error of", rule.error, policy.rule.error),
        ("too few below", rule.few, policy.rule.few),
        (
            "deciding lines:",
            rule.deciding,
            len(policy.deciding_lines(service)) if service in policy.services else 0,
        ),
    ]
    return [
        f"The report was made by another rule: {what} {got}, the policy says {expected}."
        for what, got, expected in pairs
        if got != expected
    ]


def _missing_checks(report: AuditReport, profile: Profile) -> list[str]:
    reasons = [
        f"The required check {check} did not run."
        for check in profile.required_checks
        if not any(finding.check == check and _answered(finding) for finding in report.findings)
    ]
    reasons += [
        f"{finding.check} could not run: {finding.message}"
        for finding in report.findings
        if finding.outcome is Outcome.COULD_NOT_RUN
        and (finding.check in profile.required_checks or finding.role is not Role.DESCRIBED)
    ]
    return reasons


def _answered(finding: Finding) -> bool:
    """Whether a check found something out: it judged, or it described with a number."""
    described = finding.role is Role.DESCRIBED and finding.outcome is Outcome.NOT_APPLICABLE
    return finding.outcome in _JUDGED or (described and finding.estimate is not None)


def _wrong_lines(report: AuditReport, lines: Sequence[Line]) -> list[str]:
    """The report's lines are the policy's: none missing, none added that decides, none with another limit or role."""
    reasons = []
    seen: set[str] = set()
    for finding in report.findings:
        if finding.line is None:
            continue
        if finding.line in seen:
            reasons.append(f"Two findings are about the line {finding.line}.")
        seen.add(finding.line)
        if finding.crossed or finding.pooled:
            if (why := regrouped.why_wrong(finding, report, lines)) is not None:
                reasons.append(why)
            continue
        line = next((line for line in lines if _is_about(finding, line)), None)
        if line is None:
            if finding.role is not Role.DESCRIBED:
                reasons.append(f"The line {finding.line} is not the policy's.")
        elif not _same_line(finding, line):
            reasons.append(f"The line {finding.line} has another limit, direction or role than the policy's.")
    reasons += [
        f"The report lacks the screening line {line.id}."
        for line in lines
        if line.role is Role.SCREENS and not any(_is_about(finding, line) for finding in report.findings)
    ]
    return reasons


def _is_about(finding: Finding, line: Line) -> bool:
    """Whether a finding is about a line of the policy; a line without a group or measure stands for each."""
    written = replace(line, group=finding.group, measure=finding.measure)
    return (
        finding.line == written.id
        and (finding.metric, finding.attribute) == (line.metric, line.attribute)
        and line.group in {None, finding.group}
        and line.measure in {None, finding.measure}
    )


def _same_line(finding: Finding, line: Line) -> bool:
    if finding.role is not line.role:
        return False
    if finding.limit is None:  # nothing was decided on it: not applicable, too few, or could not run
        return finding.outcome not in {Outcome.PASSED, Outcome.FAILED}
    same_limit = math.isclose(finding.limit, limit_on(line, finding.scale), rel_tol=1e-9)
    return same_limit and finding.direction is line.direction


def _line_decision(
    line: Line, report: AuditReport, policy: Policy, profile: Profile, before: Sequence[Accepted]
) -> LineDecision:
    finding = next((f for f in report.findings if f.line == line.id), None)
    if finding is None:
        return LineDecision(
            line.id, Outcome.COULD_NOT_RUN, False, f"The report lacks the line {line.id}.", None
        )
    asked = line.id
    if finding.pool is not None:
        shared = regrouped.pool_of(finding, report)
        if shared is None:
            why = f"The report says that {line.id} is decided together with other groups, and does not hold that finding."
            return LineDecision(asked, Outcome.COULD_NOT_RUN, False, why, finding)
        finding, line = shared, replace(line, group=shared.group)
    acceptable = False
    why = finding.message
    if finding.outcome is Outcome.PASSED:
        acceptable = _inside(finding, line)
        if not acceptable:
            return LineDecision(
                asked,
                Outcome.COULD_NOT_RUN,
                False,
                f"The report calls the line {line.id} passed, but its interval is not inside the limit.",
                finding,
            )
    elif finding.outcome is Outcome.NOT_APPLICABLE:
        spec = next(spec for spec in profile.lines if spec.metric == line.metric)
        acceptable = spec.may_not_apply is not None
        why = f"The line {line.id} does not apply: {finding.message}"
    elif finding.outcome is Outcome.NOT_ENOUGH_EVIDENCE:
        barrier = acceptance.why_not(finding, line, report, policy, before)
        acceptable = barrier is None
        why = finding.message + (f" The board may not accept it: {barrier}." if barrier else "")
    return LineDecision(asked, finding.outcome, acceptable, why, finding)


def _inside(finding: Finding, line: Line) -> bool:
    low, high = region(line.direction, limit_on(line, finding.scale), finding.scale)
    return (math.isinf(low) or (finding.low is not None and finding.low >= low)) and (
        math.isinf(high) or (finding.high is not None and finding.high <= high)
    )
