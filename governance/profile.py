"""What a policy's tables say, as values; and the lines that a profile draws for a service's groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.finding import Direction, Role
from audits.lines import METRICS, Line

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAIR = 2


@dataclass(frozen=True, slots=True)
class LineSpec:
    """One row of a profile: a metric, its limit and role, for every group that the service's table names.

    Args:
        metric: As `audits.lines` names it.
        direction: ">=", "<=" or "within".
        limit: On the metric's own scale, as `audits.lines.Line.limit`.
        role: Decides, screens or described.
        why: What harm it measures, in plain words.
        source: Where the limit comes from.
        may_not_apply: When a finding "not applicable" on this line is no gap in the evidence; None: it always is one.
        screen_others: Whether the row also screens the service's screened attributes.
        unless_need_is_lower: As `audits.lines.Line.unless_need_is_lower`.
    """

    metric: str
    direction: Direction
    limit: float
    role: Role
    why: str
    source: str
    may_not_apply: str | None = None
    screen_others: bool = False
    unless_need_is_lower: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What is asked of one kind of service.

    Args:
        name: Such as `youth`.
        kind: `assistive` or `check`, as `models.service.Service.kind`.
        title: One line for the board.
        lines: The rows.
        required_checks: Checks (`Finding.check`) that must have run; never empty.
    """

    name: str
    kind: str
    title: str
    lines: tuple[LineSpec, ...]
    required_checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceGroups:
    """For one service: its profile and the groups that its lines compare, each with everyone else.

    Args:
        service: Service id.
        profile: Name of its profile.
        deciding: Attribute -> its groups, in the file's order. Rows that decide do so for these.
        screened: Attributes whose every group is screened.
        why: Why these groups.
        source: Where the choice comes from.
    """

    service: str
    profile: str
    deciding: Mapping[str, tuple[str, ...]]
    screened: tuple[str, ...]
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class AcceptRule:
    """When a board may accept a line on which there is not enough evidence.

    Args:
        allowed: Whether it ever may.
        leaning: Only lines that lean this way; always "for".
        exclude_times_limit: The 90 % interval must exclude this many times the limit (for a ratio, that power of it).
        months_at_most: The longest an acceptance may hold.
        chance_at_least: Least chance that the audit would have passed a model alike in every group, at least one half; under
            it the audit could not decide, and nothing may be accepted on it.
        why: Plain words.
        source: Where it comes from.
    """

    allowed: bool
    leaning: str
    exclude_times_limit: float
    months_at_most: int
    chance_at_least: float
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class BoardRules:
    """What the policy says to the board.

    Args:
        certificate_months: How long a certificate on passed evidence may be valid.
        ballot_days: How long after its opening a ballot can be decided; later, the question must be put again.
        suspension_days: How long one member's suspension may hold before the board must have met.
        accept: Accepting evidence that is not enough.
    """

    certificate_months: int
    ballot_days: int
    suspension_days: int
    accept: AcceptRule


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """The decision rule that a report must have been made by.

    Args:
        level: Of a deciding interval.
        error: One-sided error shared by the deciding lines when they fail.
        few: Denominators under this are too few to judge.
    """

    level: float
    error: float
    few: int


def draw(profile: Profile, groups: ServiceGroups) -> tuple[Line, ...]:
    """Each row of a profile for each group of a service, in the file's order; screened attributes for every group."""
    lines: list[Line] = []
    for spec in profile.lines:
        # A two-sided comparison of two rates is the same line seen from either of two groups: drawn once, as
        # `audits.lines.expand` does.
        mirrored = spec.direction is Direction.WITHIN and METRICS[spec.metric].rate != ""
        for attribute, names in groups.deciding.items():
            once = mirrored and len(names) == _PAIR
            lines += [_drawn(spec, attribute, name, spec.role) for name in (names[:1] if once else names)]
        if spec.screen_others:
            lines += [_drawn(spec, attribute, None, Role.SCREENS) for attribute in groups.screened]
    return tuple(lines)


def _drawn(spec: LineSpec, attribute: str, group: str | None, role: Role) -> Line:
    return Line(
        metric=spec.metric,
        attribute=attribute,
        group=group,
        direction=spec.direction,
        limit=spec.limit,
        role=role,
        source=spec.source,
        why=spec.why,
        unless_need_is_lower=spec.unless_need_is_lower,
    )
