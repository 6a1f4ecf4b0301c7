"""What a report says of gain on randomised data, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BenefitFold:
    """One fold, ranked by a model of earlier folds only.

    Args:
        people: People scored.
        taught: People the model learnt from.
        learner: Learner chosen among them.
        gain: Gain of choosing in this fold; None where the model told nobody apart.
        error: Its standard error.
    """

    people: int
    taught: int
    learner: str
    gain: float | None
    error: float | None


@dataclass(frozen=True)
class BenefitStratum:
    """The average effect in one stratum.

    Args:
        stratum: Its name.
        people: People.
        treated: Of them, treated.
        effect: Mean gain; None where an arm has too few people.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    stratum: str
    people: int
    treated: int
    effect: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class BenefitGroup:
    """What one group would receive: described, never decided on.

    Args:
        attribute: Sensitive feature.
        group: Group; ``unknown`` where the value is missing.
        people: People of the group who were ranked.
        chosen: Of them, chosen (a fraction where people tie for the last place).
        per_head: Gain received per person of the group, chosen or not; None where too few were chosen.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    attribute: str
    group: str
    people: int
    chosen: float
    per_head: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class BenefitFacts:
    """The benefit audit. Numbers are in the outcome's own unit, per person, and more is better.

    Args:
        treatment: In plain words.
        outcome: In plain words.
        yes_or_no: Whether the outcome is 0 or 1, so that gains are shares of people.
        people: In the trial.
        treated: Of them.
        clusters: Families; None: people were taken as independent.
        scored: People ranked by a model that learnt from others: the first fold is only learnt from.
        capacity: Share chosen.
        gain: Gain of choosing at that capacity over choosing blindly; None where it could not be estimated.
        low: Lower end of its 90 % interval: the one-sided 5 % bound by which a gain is shown.
        high: Upper end: the bound by which it is shown to be under `least_gain`.
        smallest_detectable: Gain that a trial of this size shows four times out of five.
        least_gain: Smallest gain worth having, as declared beforehand; None: none was.
        average: Average effect over everybody.
        average_low: Lower end of its 95 % interval.
        average_high: Upper end.
        folds: In their order.
        strata: In the order of their names.
        groups: By sensitive feature.
    """

    treatment: str
    outcome: str
    yes_or_no: bool
    people: int
    treated: int
    clusters: int | None
    scored: int
    capacity: float
    gain: float | None
    low: float | None
    high: float | None
    smallest_detectable: float | None
    least_gain: float | None
    average: float | None
    average_low: float | None
    average_high: float | None
    folds: tuple[BenefitFold, ...]
    strata: tuple[BenefitStratum, ...]
    groups: tuple[BenefitGroup, ...]
