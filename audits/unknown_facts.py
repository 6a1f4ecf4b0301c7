"""People whose outcome is unknown: as a check gets them, and what a report says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.finding import Outcome, Scale  # noqa: TC001  pydantic reads these annotations when it runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class UnknownRows:
    """People whose outcome is unknown; everybody else stands in the audit's own arrays.

    Args:
        y_pred: 0 or 1, int8[u].
        y_score: float64[u], or None.
        baseline: Whom the first version selected, int8[u], or None.
        clusters: int64[u], codes shared with the others', or None.
    """

    y_pred: NDArray[np.int8]
    y_score: NDArray[np.float64] | None
    baseline: NDArray[np.int8] | None
    clusters: NDArray[np.int64] | None


@dataclass(frozen=True)
class UnknownLine:
    """What one line would come to, were the unknown outcomes known. Estimates are on `scale`; None: it does not exist.

    Args:
        line: Id of the line.
        scale: Of the estimates.
        known: Estimate on the known rows.
        half: With the unknown people's odds of need at half the predicted; None also where no probability was given.
        equal: At the predicted.
        twice: At twice the predicted.
        low: Least estimate over the worst cases.
        high: Greatest.
        before: What the line came to on the known rows.
        changes: Whether it comes to something else, or leans another way, once the unknown outcomes are let in.
    """

    line: str
    scale: Scale
    known: float | None
    half: float | None
    equal: float | None
    twice: float | None
    low: float | None
    high: float | None
    before: Outcome
    changes: bool


@dataclass(frozen=True)
class UnknownFacts:
    """The report's section on unknown outcomes.

    Args:
        people: Everybody.
        unknown: Of them, those whose outcome is unknown.
        selected_unknown: Of these, selected.
        selected_known: Selected among the others.
        by_probability: Whether lines were held against the predicted odds; else against the two worst cases.
        lines: One for each line that outcomes bear on, and each pool of small groups.
    """

    people: int
    unknown: int
    selected_unknown: int
    selected_known: int
    by_probability: bool
    lines: tuple[UnknownLine, ...]
