"""What a report says of a version's reasons beside their sum: do they hold over refits, do they do what they say. As data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureOverRefits:
    """How one feature's weight and its standing among people's reasons change when the procedure is fitted on other people.

    Args:
        feature: Name.
        label: In plain words.
        lowest: Least share of the sum of mean absolute contributions in any refit, 0 to 1.
        highest: Largest.
        told: Times it is among the strongest of a person in the version, for or against.
        kept: Of these, how often it is among them in every refit too, the same way.
    """

    feature: str
    label: str
    lowest: float
    highest: float
    told: int
    kept: int


@dataclass(frozen=True)
class ReasonOverRefits:
    """A reason as people are told it, one way.

    Args:
        reason: Family of features.
        label: In plain words.
        direction: ``for`` an offer or ``against`` it.
        told: People whom the version would tell it.
        kept: Of these, people whom every refit would tell it too.
        stable: Whether it is told to people at all: kept for at least the least share, among enough people.
    """

    reason: str
    label: str
    direction: str
    told: int
    kept: int
    stable: bool


@dataclass(frozen=True)
class RefitFacts:
    """The version's reasons against those of refits of its procedure, for the same people.

    Args:
        refits: Number of refits.
        people: People explained by each.
        rank_correlation: Least Spearman correlation of global importance between the version and a refit, -1 to 1; None where it
            does not exist.
        leading: People who have a leading reason (the strongest family that speaks the way they were decided on).
        leading_kept: Of these, people whose leading reason is the same in every refit.
        strongest: Reasons a person is told each way, at most.
        least: Least share kept for a stable reason.
        few: Told to fewer people, a reason is not shown to be stable.
        none_stable: People for whom none of the reasons that speak the way they were decided on is stable: told that no single
            reason stands out.
        features: Every feature.
        reasons_told: Every family, for and against.
    """

    refits: int
    people: int
    rank_correlation: float | None
    leading: int
    leading_kept: int
    strongest: int
    least: float
    few: int
    none_stable: int
    features: tuple[FeatureOverRefits, ...]
    reasons_told: tuple[ReasonOverRefits, ...]

    def stable(self, direction: str) -> tuple[str, ...]:
        """The reasons that may be told that way, ``for`` or ``against``."""
        return tuple(r.reason for r in self.reasons_told if r.direction == direction and r.stable)


@dataclass(frozen=True)
class MonotoneFacts:
    """Whether the model keeps a declared direction.

    Args:
        feature: Name.
        label: In plain words.
        direction: ``increasing`` or ``decreasing``.
        people: Real people who were moved over the grid.
        points: Values of the grid.
        violated: People for whom a step goes the wrong way.
        largest: Largest step the wrong way, in the explanation's unit; 0 where there is none.
    """

    feature: str
    label: str
    direction: str
    people: int
    points: int
    violated: int
    largest: float


@dataclass(frozen=True)
class DeletionStep:
    """Mean drop of the score when a number of features is set to the reference.

    Args:
        features: How many.
        strongest: Those that raised the person's score most.
        random: As many drawn at random.
        gain: The difference.
        low: Lower end of its paired 95 % interval.
        high: Upper end.
    """

    features: int
    strongest: float
    random: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class DeletionFacts:
    """Reasons taken away.

    Args:
        people: Real people.
        reference: What features were set to.
        draws: Random choices per person.
        steps: One feature first.
    """

    people: int
    reference: str
    draws: int
    steps: tuple[DeletionStep, ...]
