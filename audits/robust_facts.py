"""What an audit is given to see how a version stands small changes, later people and curious ones; and what a report says of it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  the input's; pydantic reads the facts below
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Perturbation:
    """The same people, selected by the version at one threshold before and after their features were moved a little.

    Args:
        selected: bool[n], as they are.
        moved: bool[draws, n], with every feature in `steps` moved by -1, 0 or 1 step, at random.
        groups: Sensitive feature, and each person's group, [n].
        steps: Step of measurement of each feature that was moved, in its own unit.
        unmoved: Features that were not: codes, and numbers that have no step.
    """

    selected: NDArray[np.bool_]
    moved: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.object_]]
    steps: Mapping[str, float]
    unmoved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Membership:
    """Scores of people that a model learnt from, and of people it did not.

    Args:
        y_true: 0 or 1, [m]: what the model learns.
        y_score: float[m], its probabilities.
        member: bool[m], whether the model that gave the score learnt from this person.
        people: Who it is, [m]: a person scored by several models counts once. None: everyone stands there once.
    """

    y_true: NDArray[np.int8]
    y_score: NDArray[np.float64]
    member: NDArray[np.bool_]
    people: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Periods:
    """People by when they are of.

    Args:
        period: [n]; sorted order is the order of time.
        y_true: 0 or 1, [n].
        y_pred: 0 or 1, [n].
        y_score: float[n].
    """

    period: NDArray[np.object_]
    y_true: NDArray[np.int8]
    y_pred: NDArray[np.int8]
    y_score: NDArray[np.float64]


@dataclass(frozen=True)
class Robustness:
    """What there is to look at; None where it is not known.

    Args:
        perturbation: Small changes of features.
        membership: Learnt from, or not.
        periods: People by period.
    """

    perturbation: Perturbation | None = None
    membership: Membership | None = None
    periods: Periods | None = None


@dataclass(frozen=True)
class FlipRow:
    """People of one group whose selection hangs on less than their features are measured by.

    Args:
        attribute: Sensitive feature; "" for everybody.
        group: Group; "" for everybody.
        n: People.
        flipped: Of them, selected otherwise in at least one draw.
        share: Flipped over people.
        low: Lower end of its 95 % Wilson interval.
        high: Upper end.
    """

    attribute: str
    group: str
    n: int
    flipped: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class PeriodRow:
    """How the score works in one period.

    Args:
        period: Which.
        n: People.
        in_need: Of them, in need.
        selected: Of them, selected.
        found: In need and selected.
        auc: Area under the curve; None: one outcome only.
        low: Lower end of its interval, simultaneous over the periods (95 %).
        high: Upper end.
    """

    period: str
    n: int
    in_need: int
    selected: int
    found: int
    auc: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MembershipFacts:
    """How well the size of the error tells who was learnt from.

    Args:
        members: Scores of people learnt from.
        others: Scores of people not learnt from.
        auc: Share of pairs that the attack tells apart; .5 is guessing.
        low: Lower end of DeLong's 95 % interval.
        high: Upper end.
        advantage: Largest true less false positive rate over all thresholds (Yeom et al. 2018).
        at_one_percent: Of those learnt from, the share told at 1 % false alarms (Carlini et al. 2022); .01 is guessing.
    """

    members: int
    others: int
    auc: float
    low: float
    high: float
    advantage: float
    at_one_percent: float


@dataclass(frozen=True)
class RobustnessFacts:
    """Small changes, periods and membership.

    Args:
        draws: How often each person's features were moved; 0: not.
        steps: Step of each feature that was moved.
        unmoved: Features that were not.
        flips: Everybody first, then by group.
        periods: In order of time.
        membership: None: not known.
    """

    draws: int
    steps: dict[str, float]
    unmoved: tuple[str, ...]
    flips: tuple[FlipRow, ...]
    periods: tuple[PeriodRow, ...]
    membership: MembershipFacts | None
