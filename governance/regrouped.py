"""Lines of a report that no policy names because the rule draws them: small groups pooled, groups crossed. Pure.

A policy names groups; which of them are too small, and how deep crossing goes, only the rows tell. So the gate asks whether
such a line is what the rule makes of the policy's own lines, and refuses the report if it is not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from audits.finding import Outcome, Role
from audits.lines import limit_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.finding import Finding
    from audits.lines import Line
    from audits.report import AuditReport


def why_wrong(finding: Finding, report: AuditReport, lines: Sequence[Line]) -> str | None:
    """Why a pooled or crossed line is not one that the rule draws from the policy's lines, or None.

    Args:
        finding: With `pooled` or `crossed`.
        report: Its report.
        lines: The policy's.
    """
    deciding = [line for line in lines if line.role is Role.DECIDES]
    if finding.crossed:
        wanted = [line for line in deciding if line.attribute in finding.crossed and _alike(finding, line)]
        if finding.role is Role.SCREENS and wanted and not finding.pooled:
            return None
        return f"The crossed line {finding.line} does not follow from a deciding line of the policy."
    members = [
        f for f in report.findings if f.pool == finding.code and f.too_few and f.group in finding.pooled
    ]
    named = {line.group for line in deciding if line.attribute == finding.attribute and _alike(finding, line)}
    if (
        finding.role is Role.DECIDES
        and len(finding.pooled) > 1
        and {f.group for f in members} == set(finding.pooled) <= named
    ):
        return None
    return f"The line {finding.line} pools groups that the policy does not name, or that are not too small."


def pool_of(finding: Finding, report: AuditReport) -> Finding | None:
    """The finding in which a group that is too small decides together with others; None if the report does not hold it.

    Args:
        finding: The small group's.
        report: Its report.
    """
    return next(
        (
            f
            for f in report.findings
            if f.code == finding.pool
            and f.line is not None  # else nobody has asked whether it follows from the policy (`why_wrong`)
            and finding.group in f.pooled
            and finding.too_few
            and finding.outcome is Outcome.NOT_ENOUGH_EVIDENCE
            and (f.metric, f.attribute, f.measure, f.role)
            == (finding.metric, finding.attribute, finding.measure, finding.role)
        ),
        None,
    )


def _alike(finding: Finding, line: Line) -> bool:
    """Whether a finding asks what a line asks, of another group."""
    if (finding.metric, finding.measure) != (line.metric, line.measure):
        return False
    if finding.limit is None:  # nothing was decided on it
        return finding.outcome not in {Outcome.PASSED, Outcome.FAILED}
    same = math.isclose(finding.limit, limit_on(line, finding.scale), rel_tol=1e-9)
    return same and finding.direction is line.direction
