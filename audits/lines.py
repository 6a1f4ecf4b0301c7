"""The lines a policy draws before any score is seen: a metric, a group against everyone else, a direction, a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.errors import AuditsInputError
from audits.finding import Direction, Role, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN = "unknown"
"""The group of people whose sensitive value is missing."""


@dataclass(frozen=True)
class Metric:
    """What a line can be about.

    Args:
        name: Its name in a policy.
        scale: Scale of the limit that a policy gives for it.
        rate: The rate compared (`audits.counts.rate_rows`); "" for those that are no comparison of two groups' rates.
        gap_in: What the board reads: the harm, named.
    """

    name: str
    scale: Scale
    rate: str
    gap_in: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        m.name: m
        for m in (
            Metric("tpr_gap", Scale.DIFFERENCE, "tpr", "missed need"),
            Metric("ppv_gap", Scale.DIFFERENCE, "ppv", "wasted contact"),
            Metric("fpr_gap", Scale.DIFFERENCE, "fpr", "false alarms"),
            Metric("fnr_gap", Scale.DIFFERENCE, "fnr", "missed need"),
            Metric("for_gap", Scale.DIFFERENCE, "for", "need among those not selected"),
            Metric("accuracy_gap", Scale.DIFFERENCE, "accuracy", "wrong either way"),
            Metric("fdr_gap", Scale.DIFFERENCE, "fdr", "wrongly selected"),
            Metric("selection_gap", Scale.DIFFERENCE, "selection_rate", "selection"),
            Metric("selection_ratio", Scale.RATIO, "selection_rate", "selection"),
            Metric("other_need_tpr_gap", Scale.DIFFERENCE, "tpr", "missed need by another measure"),
            Metric("observed_expected", Scale.RATIO, "", "need under-predicted"),
            Metric("calibration_slope", Scale.RATIO, "", "a score that keeps its word"),
            Metric("levelling_down", Scale.DIFFERENCE, "", "missed need against the first version"),
        )
    }
)

RARE = 0.20
"""Where either rate is under this, a line on a difference is decided on the ratio: a difference of .03 between 3.7 %
and .6 % is small, and six times (a public agency's checks on students, 2014). Source: issue 4, rule 1; luvalla 2026."""

COULD_DECIDE = 0.5
"""Under this chance of passing a model alike in every group the audit could not decide, and nothing may be accepted on it.
Source: issue 4, rule 2."""

MOST_DECIDING = 24
"""Deciding lines at most: the Bonferroni level of a fail is one-sided 5 %/m, and at m = 24 intervals are already 1.7 times as
wide as one line's (z 2.87 against 1.64 at 5 %): more lines would be lines that can never fail. Source: issue 4, rule 1."""

FOUR_FIFTHS = 0.80
"""The ratio's limit in that case; its inverse, 1.25, on the other side. Source: 29 CFR 1607.4(D), 1978."""


@dataclass(frozen=True)
class Line:
    """One line of a policy.

    Args:
        metric: A name in `METRICS`.
        attribute: Sensitive feature whose groups are compared.
        group: Group compared with everyone else; None: each known group of the attribute, a line each.
        direction: Allowed side of the limit.
        limit: On the metric's scale. ``within`` .10 of a difference means -.10 to .10, within .80 of a ratio .80 to 1.25.
        role: What the line may do.
        source: Where the limit comes from.
        why: Why the line is drawn.
        measure: For ``other_need_tpr_gap``: the measure's name; None: each other measure held, a line each.
        ratio_limit: Ratio that decides instead of the difference where either rate is under `RARE`.
        unless_need_is_lower: The line cannot fail a group whose measured need is lower than everyone else's, and does not
            apply where that is shown (one-sided 5 %).

    Raises:
        AuditsInputError: Unknown metric, or a limit that no value can meet.
    """

    metric: str
    attribute: str
    group: str | None
    direction: Direction
    limit: float
    role: Role
    source: str
    why: str
    measure: str | None = None
    ratio_limit: float = FOUR_FIFTHS
    unless_need_is_lower: bool = False

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise AuditsInputError(
                f"a line is about {self.metric!r}; expected one of {', '.join(METRICS)}",
                "correct the policy's metric",
            )
        finite = math.isfinite(self.limit) and math.isfinite(self.ratio_limit)
        if not finite or not 0 < self.ratio_limit <= 1 or (self.scale is Scale.RATIO and self.limit <= 0):
            raise AuditsInputError(
                f"line {self.id}: limit {self.limit} and ratio_limit {self.ratio_limit}; "
                "expected finite numbers, a ratio's limit above 0, ratio_limit in (0, 1]",
                "correct the policy's limit",
            )

    @property
    def id(self) -> str:
        """Stable name: ``tpr_gap:race=black``, ``other_need_tpr_gap[self-rated]:race=*``."""
        measure = f"[{self.measure}]" if self.measure else ""
        return f"{self.metric}{measure}:{self.attribute}={self.group if self.group is not None else '*'}"

    @property
    def scale(self) -> Scale:
        """Scale of the limit given."""
        return METRICS[self.metric].scale


def limit_on(line: Line, scale: Scale) -> float:
    """Gives the limit that holds on this scale: the line's own, or the ratio's where rates are rare.

    Args:
        line: The line.
        scale: Scale on which it is decided.

    Returns:
        The limit, as `region` reads it together with the line's direction.
    """
    if scale is line.scale:
        return line.limit
    return 1 / line.ratio_limit if line.direction is Direction.AT_MOST else line.ratio_limit


def region(direction: Direction, limit: float, scale: Scale) -> tuple[float, float]:
    """Gives the allowed region of an estimate.

    Args:
        direction: Allowed side.
        limit: On `scale`.
        scale: A difference (from -1 to 1) or a ratio (from 0).

    Returns:
        Lowest and highest allowed value; infinite where that side is free.

    Example:
        >>> region(Direction.WITHIN, 0.80, Scale.RATIO)
        (0.8, 1.25)
    """
    if direction is Direction.AT_LEAST:
        return limit, math.inf
    if direction is Direction.AT_MOST:
        return -math.inf, limit
    if scale is Scale.RATIO:
        return min(limit, 1 / limit), max(limit, 1 / limit)
    return -abs(limit), abs(limit)


def expand(
    lines: Sequence[Line], groups: Mapping[str, Sequence[str]], measures: Sequence[str] = ()
) -> tuple[Line, ...]:
    """Writes out lines for "each group" and "each measure", in the order given.

    The number of deciding lines after this is the m of the Bonferroni level. A two-sided line on an attribute of two known
    groups and nobody unknown is drawn once: the other group's is the same line seen from behind.

    Args:
        lines: As the policy has them.
        groups: Known groups per attribute, "unknown" left out unless it is all there is.
        measures: Names of the other measures of need.

    Returns:
        Lines with a group each (and a measure each, where the metric has one), without repetition.

    Raises:
        AuditsInputError: A line names an attribute that was not given.
    """
    out: dict[str, Line] = {}
    for line in lines:
        if line.attribute not in groups:
            given = ", ".join(sorted(groups)) or "none"
            raise AuditsInputError(
                f"line {line.id} is about {line.attribute!r}; the sensitive features given are: {given}",
                "pass that sensitive feature, or draw the line on one that is there",
            )
        of = list(groups[line.attribute])
        mirrored = line.direction is Direction.WITHIN and METRICS[line.metric].rate != "" and len(of) == 2  # noqa: PLR2004
        each = [line.group] if line.group is not None else of[:1] if mirrored else of
        named = line.metric == "other_need_tpr_gap" and line.measure is None
        by: list[str | None] = [*measures] if named and measures else [line.measure]
        for measure in by:
            for group in each:
                written = replace(line, group=group, measure=measure)
                out.setdefault(written.id, written)
    return tuple(out.values())


def at_most(lines: Sequence[Line], *, given: bool) -> tuple[Line, ...]:
    """Holds the deciding lines to `MOST_DECIDING`.

    Args:
        lines: Written out.
        given: Whether the caller drew them; luvalla's own are made fewer.

    Returns:
        The lines. Of luvalla's own, as many metrics as there is room for go on deciding, in the order of `_FIRST`; the rest
        screen.

    Raises:
        AuditsInputError: More deciding lines than that, and no metric can be left to screening.
    """
    kept = list(_FIRST)
    while sum(line.role is Role.DECIDES for line in lines) > MOST_DECIDING:
        if given or len(kept) == 1:
            count = sum(line.role is Role.DECIDES for line in lines)
            raise AuditsInputError(
                f"{count} deciding lines; at most {MOST_DECIDING} can decide",
                "let fewer metrics or coarser groups decide, and screen the others: with more, the lines grow too wide to fail",
            )
        metric = kept.pop()
        lines = [replace(line, role=Role.SCREENS) if line.metric == metric else line for line in lines]
    return tuple(lines)


_FIRST = ("tpr_gap", "levelling_down", "observed_expected", "selection_ratio", "calibration_slope")
"""Metrics of `default_lines` that decide, the most important first."""


def default_lines(
    attributes: Sequence[str], *, probability: bool = False, baseline: bool = False, measures: bool = False
) -> tuple[Line, ...]:
    """Draws the lines for an offer of help (assistive service) where no policy was given.

    Args:
        attributes: Sensitive features.
        probability: A probability was given: calibration is drawn too.
        baseline: A first version was given: levelling down is drawn too.
        measures: Other measures of need were given: they screen.

    Returns:
        Lines for each group of each attribute. They are luvalla's starting point, not a board's choice.
    """
    lines: list[Line] = []
    for a in attributes:
        lines += [
            Line("tpr_gap", a, None, Direction.AT_LEAST, -0.10, Role.DECIDES, "Hardt, Price and Srebro 2016; 10-point non-inferiority margin", "help does not reach those in need"),
            Line("selection_ratio", a, None, Direction.AT_LEAST, 0.80, Role.DECIDES, "29 CFR 1607.4(D); Obermeyer et al. 2019", "offered less although need is not lower", unless_need_is_lower=True),
            Line("ppv_gap", a, None, Direction.AT_LEAST, -0.10, Role.SCREENS, "10-point non-inferiority margin", "contacted without need"),
            Line("fpr_gap", a, None, Direction.WITHIN, 0.10, Role.DESCRIBED, "", "a burden only where selection burdens"),
        ]  # fmt: skip
        if probability:
            lines.append(Line("observed_expected", a, None, Direction.AT_MOST, 1.25, Role.DECIDES, "inverse of four fifths", "need is under-predicted"))  # fmt: skip
            lines.append(Line("calibration_slope", a, None, Direction.WITHIN, 0.80, Role.DECIDES, "four fifths and its inverse", "the score means less in this group, or more"))  # fmt: skip
        if baseline:
            lines.append(Line("levelling_down", a, None, Direction.AT_MOST, 0.05, Role.DECIDES, "luvalla 2026", "a mitigation may not miss more need in any group"))  # fmt: skip
        if measures:
            lines.append(Line("other_need_tpr_gap", a, None, Direction.AT_LEAST, -0.10, Role.SCREENS, "10-point non-inferiority margin", "label bias"))  # fmt: skip
    return tuple(lines)
