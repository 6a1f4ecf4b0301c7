"""What a report says of a version against what is simpler than it, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BaselineRow:
    """The version against one baseline, on the same people at equal capacity. Differences are the version's less the baseline's.

    Args:
        name: ``chance``, ``prior``, ``scorecard``, ``logistic`` or another comparator's name.
        label: In plain words.
        area: Baseline's area under the ROC curve.
        area_gain: Difference of the areas; None where the version has no score.
        area_low: Lower end of its paired interval (DeLong).
        area_high: Upper end.
        found: Share of those in need that the baseline selects.
        found_gain: Difference of the shares found.
        found_low: Lower end of its paired interval (Newcombe's method 10).
        found_high: Upper end.
        only_version: People in need selected by the version only; None for chance, which selects nobody in particular.
        only_baseline: By the baseline only; None for chance.
    """

    name: str
    label: str
    area: float | None
    area_gain: float | None
    area_low: float | None
    area_high: float | None
    found: float
    found_gain: float
    found_low: float
    found_high: float
    only_version: int | None
    only_baseline: int | None


@dataclass(frozen=True)
class BaselineFacts:
    """The version against every baseline.

    Args:
        level: Level of all intervals.
        in_need: People in need, whom the shares found are of.
        area: Version's own area; None where it has no score.
        found: Share of those in need that it selects.
        complexity: What about the version has to be earned (``gradient boosted trees``); "" if it is as simple as they come.
        earned: Whether its gain over every simple model is shown; None where nothing has to be, or too few can tell.
        rows: Chance first.
    """

    level: float
    in_need: int
    area: float | None
    found: float
    complexity: str
    earned: bool | None
    rows: tuple[BaselineRow, ...]
