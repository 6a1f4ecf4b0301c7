"""The gate: a report and a policy go in, a decision with a finding per line comes out.

Pure, and closed by default: no policy for the service, no deciding line, no required check, another model, other lines or
another policy than the report was made for, and the answer is `refused` with its reasons. `refused` says that the evidence
cannot be used; `failed` says that it could, and speaks against the model.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from audits.finding import Finding
from audits.report import AuditReport
from governance.policy import Policy


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
        code: The finding's code.
        outcome: What it means to the gate.
        acceptable: Passed, or not enough evidence of the kind that the board may accept.
        why: Plain words, with numbers.
        finding: The report's finding, or None where the report has none.
    """

    code: str
    outcome: GateOutcome
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
        undecided: Codes of the deciding lines without enough evidence.
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
) -> GateDecision:
    """Judge a report.

    Args:
        report: The audit's facts.
        policy: The policy in force.
        service: Service id that the version is to serve.
        kind: The service's kind (`assistive` or `check`), as the service declares it; the profile must be of that kind.
        model_digest: DIGEST of the artifact that is to be certified, as computed from its files now.

    Returns:
        The decision. Never raises for a no.
    """
    raise NotImplementedError
