"""What an audit says: one finding per question, each with its number, its limit, and the tool that found it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a finding came to. Only ``passed`` is a pass: emptiness, doubt and breakage are not."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    NOT_APPLICABLE = "not_applicable"
    COULD_NOT_RUN = "could_not_run"


class Leaning(StrEnum):
    """Where the estimate lies when the interval cannot decide."""

    FOR = "for"
    AGAINST = "against"


class Role(StrEnum):
    """What a finding may do to the verdict.

    ``decides``: can pass and fail the version. ``screens``: can fail it, never pass it. ``described``: neither.
    """

    DECIDES = "decides"
    SCREENS = "screens"
    DESCRIBED = "described"


class Direction(StrEnum):
    """Which side of the limit is allowed. ``within``: both (plus or minus a difference; a ratio and its inverse)."""

    AT_LEAST = ">="
    AT_MOST = "<="
    WITHIN = "within"


class Scale(StrEnum):
    """The scale on which the estimate, its intervals and its limit are expressed."""

    DIFFERENCE = "difference"
    RATIO = "ratio"
    VALUE = "value"


@dataclass(frozen=True)
class Counts:
    """The people behind a comparison of two rates: the group, and everyone else.

    Args:
        group_hits: People of the group with the outcome (for a true positive rate: in need and selected).
        group_of: The rate's own denominator in the group (there: people of the group in need).
        rest_hits: The same among everyone else.
        rest_of: The same among everyone else. For a comparison with the first version: that version's.
    """

    group_hits: int
    group_of: int
    rest_hits: int
    rest_of: int


@dataclass(frozen=True)
class Ranges:
    """What the counts behind a comparison can be, where a table withheld or rounded some of them.

    Args:
        group_hits: Least and most.
        group_of: The same.
        rest_hits: The same.
        rest_of: The same.
        estimate: Least and most of the estimate over all tables that fit; None: not bounded.
    """

    group_hits: tuple[int, int]
    group_of: tuple[int, int]
    rest_hits: tuple[int, int]
    rest_of: tuple[int, int]
    estimate: tuple[float | None, float | None]


@dataclass(frozen=True)
class Finding:
    """One answered question of an audit.

    Args:
        code: Unique in its report, and stable: ``fairness.tpr_gap:race=black``.
        check: Name of the check that made it.
        metric: What was measured (``tpr_gap``, ``auc``, ``not_null`` ...).
        role: What it may do to the verdict.
        outcome: What it came to.
        message: The finding in plain words (English), without any person's data.
        tool: Library or module that computed it.
        version: That tool's version.
        leaning: Set only when the outcome is ``not_enough_evidence`` and an estimate exists; None when too few to judge.
        line: Id of the policy's line (`audits.lines.Line.id`); None for a finding that no line asked for.
        attribute: Sensitive feature compared; None otherwise.
        group: Group compared with everyone else; None otherwise.
        measure: Name of the other measure of need, where the line is about one.
        scale: Scale of the estimate, intervals and limit: a line on a difference is decided as a ratio where a rate is rare.
        estimate: The point estimate; None if it does not exist (0/0).
        low: Lower end of the deciding interval (two-sided at `level`: for a one-sided line one of its ends is the 5 % bound).
            None: unbounded or does not exist.
        high: Upper end of the same.
        level: Level of the deciding interval, .90.
        adjusted_low: Lower end at the Bonferroni level, by which a line fails.
        adjusted_high: Upper end of the same.
        adjusted_level: That level, two-sided.
        limit: The limit that was applied, on `scale`; None where nothing is decided.
        direction: Side of the limit that is allowed.
        rate: The group's own rate; None where it does not exist.
        rest_rate: Everyone else's rate (or the first version's).
        counts: People behind both rates.
        n: People of the group.
        events: The smaller of the two denominators: what "too few to judge" is decided on.
        design_effect: How much clustering widened the larger of the two variances; None when rows were taken as independent.
        chance: Chance that this line would have passed had the two rates been equal; None where it was not computed.
        too_few: True if either denominator is under 20: named, shown, never a pass.
        further: Where a line leans for: further events in the group's own denominator, everyone else growing alike, after
            which it passes if the rates stay as they are; 0 where the interval is inside already and it is people's
            sensitive values that are missing.
        ranges: From counts that were withheld or rounded: what they can be. Intervals are then unions over all whole tables
            that fit, and estimate, rates and `counts` are one of these tables', the middle one. None: counts are exact.
        pooled: Groups that were too small each and decide together in this finding; () elsewhere.
        pool: Code of the finding in which this group, too few by itself, decides together with others; None elsewhere.
        crossed: Sensitive features whose groups were crossed; () elsewhere.
        source: Where the limit comes from.
        why: Why the line is there.
    """

    code: str
    check: str
    metric: str
    role: Role
    outcome: Outcome
    message: str
    tool: str
    version: str
    leaning: Leaning | None = None
    line: str | None = None
    attribute: str | None = None
    group: str | None = None
    measure: str | None = None
    scale: Scale = Scale.VALUE
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    adjusted_low: float | None = None
    adjusted_high: float | None = None
    adjusted_level: float | None = None
    limit: float | None = None
    direction: Direction | None = None
    rate: float | None = None
    rest_rate: float | None = None
    counts: Counts | None = None
    n: int | None = None
    events: int | None = None
    design_effect: float | None = None
    chance: float | None = None
    too_few: bool = False
    further: int | None = None
    ranges: Ranges | None = None
    pooled: tuple[str, ...] = ()
    pool: str | None = None
    crossed: tuple[str, ...] = ()
    source: str = ""
    why: str = ""
