"""What a report says of how sensitive features show through the model's own features, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Proxy:
    """How well the features tell one group from everyone else.

    Args:
        attribute: Sensitive feature.
        group: Group.
        n: People of the group.
        auc: In how many pairs of a person of the group and another the features rank them right, cross-fitted; None where there
            are too few people to say.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    attribute: str
    group: str
    n: int
    auc: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AttributedGap:
    """Where a difference in mean score between a group and everyone else comes from.

    Args:
        attribute: Sensitive feature.
        group: Group.
        n: People of the group.
        score: Mean output of the group less everyone else's, in the explanation's unit.
        features: Mean contribution of the group less everyone else's, by feature, largest first; they sum to `score`.
        rest_of_sum: What is left: `score` less that sum.
    """

    attribute: str
    group: str
    n: int
    score: float
    features: tuple[tuple[str, float], ...]
    rest_of_sum: float


@dataclass(frozen=True)
class ProxyFacts:
    """Features and sensitive features: described, never causal.

    Args:
        learnt_on: People in the cross-fit.
        folds: Its folds, families whole in one.
        areas: By attribute and group.
        gaps: The same; empty where contributions were not given for everybody.
        unit: Of the contributions.
        words: Features in plain words, by name.
    """

    learnt_on: int
    folds: int
    areas: tuple[Proxy, ...]
    gaps: tuple[AttributedGap, ...]
    unit: str
    words: dict[str, str]
