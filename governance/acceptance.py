"""What a board accepted before on too little evidence, and why it may not accept the same again. Pure.

A line that leans for may be accepted once: its conditions were to bring the evidence. It may be accepted again only where
they did, so that its 90 % interval has narrowed by a quarter since.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.finding import Leaning, Scale
from audits.lines import limit_on, region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audits.finding import Finding
    from audits.lines import Line
    from audits.report import AuditReport
    from governance.policy import Policy

NARROWED = 0.75
"""A line accepted once may be accepted again if its interval is at most this share of what it was. Source: issue 4, rule 2."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A line on which a board accepted that there is not enough evidence.

    Args:
        certificate: DIGEST of the certificate that rests on it.
        finding: The finding of the report that the board had before it.
    """

    certificate: str
    finding: Finding


def accepted_in(certificate: str, report: AuditReport, undecided: Iterable[str]) -> tuple[Accepted, ...]:
    """The lines that a certificate rests on although they had not enough evidence.

    Args:
        certificate: DIGEST of its envelope.
        report: The report that it names.
        undecided: Ids of the lines, as its ballot says.
    """
    lines = set(undecided)
    pools = {
        finding.pool for finding in report.findings if finding.line in lines and finding.pool is not None
    }
    return tuple(
        Accepted(certificate, finding)
        for finding in report.findings
        if finding.code in pools or (finding.line in lines and finding.pool is None)
    )


def width(finding: Finding) -> float:
    """How wide the 90 % interval of a line is where it is bounded: on the log scale for a ratio; infinite without bounds.

    Of a one-sided line the bound that faces the limit counts, from the estimate: its other end decides nothing, and may not
    exist.
    """
    low, high, estimate = finding.low, finding.high, finding.estimate
    if finding.scale is Scale.RATIO:
        low, high, estimate = (
            None if v is None else math.log(v) if v > 0 else -math.inf for v in (low, high, estimate)
        )
    if estimate is None or finding.direction is None:
        return math.inf
    below = math.inf if low is None else estimate - low
    above = math.inf if high is None else high - estimate
    return {">=": below, "<=": above}.get(finding.direction, below + above)


def why_not(
    finding: Finding, line: Line, report: AuditReport, policy: Policy, before: Sequence[Accepted]
) -> str | None:
    """Why the board may not accept the doubt on a line, or None if it may.

    Args:
        finding: The report's finding on it, not enough evidence.
        line: The policy's line.
        report: The report.
        policy: The policy in force.
        before: What was accepted before for this service, by other ballots than the one on the table.
    """
    accept = policy.board.accept
    if not accept.allowed:
        return "the policy allows no acceptance"
    if finding.too_few:
        return f"fewer than {policy.rule.few} people are too few to judge"
    if finding.leaning is not Leaning.FOR:
        return "it does not lean for"
    if finding.level != policy.rule.level:
        return f"its interval has level {finding.level}, not {policy.rule.level}"
    low, high = beyond(line, finding.scale, accept.exclude_times_limit)
    if (not math.isinf(low) and (finding.low is None or finding.low <= low)) or (
        not math.isinf(high) and (finding.high is None or finding.high >= high)
    ):
        return f"its interval does not exclude {accept.exclude_times_limit:g} times the limit"
    if finding.further is None:
        return "the report does not say how many further events would decide it"
    return _why_not_again(finding, before) or _could_not_decide(report, accept.chance_at_least)


def beyond(line: Line, scale: Scale, times: float) -> tuple[float, float]:
    """The region that an interval must lie strictly inside to be accepted: the allowed one, widened to `times` the limit.

    For a difference that is the multiple, for a ratio the power: a ratio is as far from 1 on the logarithmic scale, so twice
    .80 is .64 and twice 1.25 is 1.5625.

    Args:
        line: The line.
        scale: Scale on which it was decided.
        times: How many times the limit; 1 gives the allowed region.

    Returns:
        Lowest and highest value, infinite where that side is free.
    """
    low, high = region(line.direction, limit_on(line, scale), scale)
    if scale is Scale.RATIO:
        return (
            low if math.isinf(low) else math.exp(math.log(low) - (times - 1) * abs(math.log(low))),
            high if math.isinf(high) else math.exp(math.log(high) + (times - 1) * abs(math.log(high))),
        )
    return low - (times - 1) * abs(low) if math.isfinite(low) else low, (
        high + (times - 1) * abs(high) if math.isfinite(high) else high
    )


def _could_not_decide(report: AuditReport, least: float) -> str | None:
    chance = report.rule.chance
    if chance is None:
        return "the report does not state the chance that it would have passed an equal model"
    if chance < least:
        return (
            f"this audit could not decide: it would have passed a model alike in every group {100 * chance:.3g}% of the time, "
            f"and the policy asks for {100 * least:.3g}%; ask for more people, or for coarser groups in a new policy"
        )
    return None


def _why_not_again(finding: Finding, before: Sequence[Accepted]) -> str | None:
    """A line is accepted once, unless its interval has narrowed by a quarter since it last was, on the same scale.

    A group that is too small decides together with others, under another name as often as these are other groups: so a line
    is the same one where it asks the same of any of the same groups.
    """
    earlier = [one.finding for one in before if _same_doubt(one.finding, finding)]
    narrowest = min((width(one) for one in earlier if one.scale is finding.scale), default=math.inf)
    if not earlier or (math.isfinite(narrowest) and width(finding) <= NARROWED * narrowest):
        return None
    return "it was accepted before, and its interval has not narrowed by a quarter since"


def _same_doubt(one: Finding, other: Finding) -> bool:
    asked = [(f.metric, f.measure, f.attribute) for f in (one, other)]
    groups = [set(f.pooled or (f.group,)) for f in (one, other)]
    return one.line == other.line or (asked[0] == asked[1] and not groups[0].isdisjoint(groups[1]))
