"""The measures of need that a service holds: one declared with a reason, and all others. No group appears here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from audits.errors import AuditsInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One measure of need.

    Args:
        name: Its name.
        values: float64[n] or what becomes it: 0 and 1 (1 = in need), or a quantity (spending, a health index, a count of
            diseases) in its own unit. nan where it is unknown for a person, who is then left out of this measure only.
        description: In plain words.
        lower_is_worse: Of a quantity: whether less of it means more need (a health index).
    """

    name: str
    values: Floats
    description: str = ""
    lower_is_worse: bool = False


@dataclass(frozen=True)
class Measures:
    """What a service says of need, before any score is seen and without a word on groups.

    Args:
        declared: Name of the declared measure: what ``y_true`` is.
        description: The declared measure in plain words.
        reason: Why that one; "" where no reason was declared, which the report says.
        others: All other measures that are held.
    """

    declared: str = "need"
    description: str = ""
    reason: str = ""
    others: tuple[Measure, ...] = field(default=())


def held(
    measures: Measures | None, other_needs: Mapping[str, NDArray[np.int8]] | None, y_true: NDArray[np.int8]
) -> tuple[Measure, ...]:
    """Gives all measures held, the declared one first.

    Args:
        measures: As declared; None: `other_needs` are all there is.
        other_needs: 0 or 1, [n] each; None: nothing was said about others.
        y_true: 0 or 1, [n]: the declared measure.

    Returns:
        The measures, [n] each; nothing where nothing was said of any other measure.

    Raises:
        AuditsInputError: Another length, values that are infinite or not numbers, or two measures of one name.
    """
    if measures is None and other_needs is None:
        return ()
    told = measures or Measures()
    others = list(told.others)
    names = {m.name for m in others}
    others += [Measure(k, v.astype(np.float64)) for k, v in (other_needs or {}).items() if k not in names]
    out = (Measure(told.declared, y_true.astype(np.float64), told.description), *others)
    if len({m.name for m in out}) != len(out):
        raise AuditsInputError("two measures of need have one name", "name each measure once")
    return tuple(_checked(m, len(y_true)) for m in out)


def among(measures: Measures, rows: NDArray[np.bool_]) -> Measures:
    """Takes some of the people.

    Args:
        measures: Of everybody.
        rows: Whom to take, bool[n].

    Returns:
        Their measures; one of another length stays as it is, and `held` says so.
    """
    taken = (
        replace(m, values=np.asarray(m.values)[rows]) if np.shape(m.values) == rows.shape else m
        for m in measures.others
    )
    return replace(measures, others=tuple(taken))


def in_need(measure: Measure, share: float) -> NDArray[np.bool_]:
    """Marks who is in need by a measure.

    Args:
        measure: The measure.
        share: Of a quantity: the neediest of this share are in need, 0 to 1, so that all measures speak of equally many people.
            People who tie at the cut are in or out together, whichever is nearer to the share.

    Returns:
        bool[n], False where it is unknown.
    """
    known = ~np.isnan(measure.values)
    if np.isin(measure.values[known], (0.0, 1.0)).all():
        return np.asarray(measure.values == 1)
    worse = np.where(known, -measure.values if measure.lower_is_worse else measure.values, -np.inf)
    wanted = share * int(known.sum())
    cut = np.sort(worse[known])[::-1][min(max(0, int(np.ceil(wanted)) - 1), int(known.sum()) - 1)]
    wide, narrow = worse >= cut, worse > cut
    return np.asarray(wide if wide.sum() - wanted <= wanted - narrow.sum() else narrow)


def _checked(m: Measure, n: int) -> Measure:
    try:
        values = np.asarray(m.values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AuditsInputError(
            f"the measure {m.name!r} holds something that is not a number; expected numbers",
            "give 0 and 1, or a quantity, and nan where it is unknown",
        ) from error
    if values.shape != (n,) or np.isinf(values).any():
        raise AuditsInputError(
            f"the measure {m.name!r} has shape {values.shape} or infinite values; expected one number per person, ({n},)",
            "give one number per person in y_true's order, nan where it is unknown",
        )
    return Measure(m.name, values, m.description, m.lower_is_worse)
