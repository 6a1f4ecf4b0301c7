"""Which counts of a report can be published: small ones withheld, and others with them, so that none comes back by subtraction. Pure.

Every attribute's groups add up to the same totals, and a group's counts to each other, so a withheld count can follow from
published ones. The counts of all attributes are therefore one linear system over the cells of each group's table, and a small
count is protected when the least and the most that fit everything published are at least k - 1 apart (secondary cell suppression;
Hundepool et al. 2012, Statistical Disclosure Control, ch. 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from audits.completions import CELLS
from audits.errors import AuditsInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from audits.sections import GroupRow

K = 10
"""A count under this is not published. Source: luvalla 2026; limits from 3 to 10 are usual (Hundepool et al. 2012)."""
EVERYBODY = ("", "")
SHOWN = ("n", "in_need", "selected", "tp", "fn", "fp")
"""Counts that a published page shows of each group, if it may."""
_CELLS_OF: Mapping[str, tuple[str, ...]] = {
    **{c: (c,) for c in CELLS},
    "selected": ("tp", "fp"),
    "unselected": ("fn", "tn"),
    "in_need": ("tp", "fn"),
    "not_in_need": ("fp", "tn"),
    "n": CELLS,
}
_TINY = 1e-9


class Key(NamedTuple):
    """One count of one group; ``EVERYBODY`` for all people.

    Args:
        attribute: Sensitive feature.
        group: Group.
        name: One of `audits.completions.COUNTS`.
    """

    attribute: str
    group: str
    name: str


def published(groups: Sequence[GroupRow], k: int = K) -> dict[Key, int | None]:
    """Decides what of a report's counts may be shown.

    Args:
        groups: All groups of all attributes, with exact counts.
        k: Counts from 0 to k - 1 are small: a count of nobody tells something of everybody in the group. At least 2.

    Returns:
        For each group and for everybody the counts of `SHOWN`: the number, or None where it is withheld. Of the
        whole numbers that fit the numbers shown, the least and the most of every small count are at least k - 1 apart, also of
        counts that are nowhere shown.

    Raises:
        AuditsInputError: `k` under 2, counts that are withheld or rounded already, or groups that do not add up.
    """
    if k < 2:  # noqa: PLR2004  with 1 nothing would be small but nobody
        raise AuditsInputError(f"a smallest count of {k}; expected at least 2", "10 is usual")
    cells = _cells(groups)
    system = _System(cells)
    totals = {
        Key(*EVERYBODY, count): sum(v[c] for c in of for v in system.first.values())
        for count, of in _CELLS_OF.items()
    }
    values = {
        Key(a, g, count): sum(v[c] for c in of)
        for (a, g), v in cells.items()
        for count, of in _CELLS_OF.items()
    }
    values |= totals
    small = [key for key, value in values.items() if value < k]
    shown = {key for key, value in values.items() if value >= k and key.name in SHOWN}
    for key in small:
        while not system.protected(key, shown, values, k):
            shown.discard(_next(key, shown, values, system))
    order = [EVERYBODY, *cells]
    return {
        Key(a, g, c): values[Key(a, g, c)] if Key(a, g, c) in shown else None for a, g in order for c in SHOWN
    }


def _cells(groups: Sequence[GroupRow]) -> dict[tuple[str, str], dict[str, int]]:
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for g in groups:
        found = (g.true_positives, g.false_positives, g.false_negatives, g.true_negatives)
        told = [v for v in found if v is not None]
        if g.ranges or len(told) < len(CELLS):
            raise AuditsInputError(
                f"the counts of {g.group} ({g.attribute}) are withheld or rounded already",
                "a report from a published table needs no protection: publish its own page",
            )
        cells[g.attribute, g.group] = dict(zip(CELLS, told, strict=True))
    sums = {
        attribute: tuple(sum(v[c] for (a, _), v in cells.items() if a == attribute) for c in CELLS)
        for attribute in dict.fromkeys(a for a, _ in cells)
    }
    if not cells or len(set(sums.values())) > 1:
        raise AuditsInputError(
            "the groups of two attributes do not add up to the same people"
            if cells
            else "the report has no groups",
            "publish a report of `luvalla audits run`",
        )
    return cells


class _System:
    """The unknown: four cells of each group. The known: published counts, and that each attribute adds up to the same cells."""

    def __init__(self, cells: Mapping[tuple[str, str], Mapping[str, int]]) -> None:
        self.place = {(*who, c): i for i, (who, c) in enumerate((who, c) for who in cells for c in CELLS)}
        attributes = list(dict.fromkeys(a for a, _ in cells))
        self.groups = {a: [who for who in cells if who[0] == a] for a in attributes}
        self.first = {who: cells[who] for who in self.groups[attributes[0]]}
        self.same = [self._sum(attributes[0], c) - self._sum(a, c) for a in attributes[1:] for c in CELLS]

    def _sum(self, attribute: str, cell: str) -> NDArray[np.float64]:
        row = np.zeros(len(self.place))
        for who in self.groups[attribute]:
            row[self.place[*who, cell]] = 1
        return row

    def row(self, key: Key) -> NDArray[np.float64]:
        if (key.attribute, key.group) == EVERYBODY:
            rows = [self._sum(next(iter(self.groups)), c) for c in _CELLS_OF[key.name]]
            return np.asarray(np.sum(rows, axis=0), dtype=np.float64)
        out = np.zeros(len(self.place))
        out[[self.place[key.attribute, key.group, c] for c in _CELLS_OF[key.name]]] = 1
        return out

    def known(self, shown: Sequence[Key]) -> NDArray[np.float64]:
        rows = [*self.same, *(self.row(key) for key in shown)]
        return np.array(rows) if rows else np.zeros((1, len(self.place)))

    def protected(self, key: Key, shown: set[Key], values: Mapping[Key, int], k: int) -> bool:
        """Whether at least `k` whole numbers are possible: the largest and the least that fit are k - 1 apart."""
        told = sorted(shown)
        known, aim = self.known(told), self.row(key)
        fixed = np.array([0.0] * len(self.same) + [float(values[key]) for key in told])
        if not len(fixed):
            fixed = np.zeros(1)
        ends = []
        most = float(max(values.values()) + k)
        for sign in (1, -1):
            found = milp(
                sign * aim,
                constraints=LinearConstraint(known, fixed, fixed),
                bounds=Bounds(0, most),
                integrality=np.ones(len(aim), dtype=np.int64),
            )
            if found.x is None:
                raise AuditsInputError("the report's counts do not fit together", "audit again")
            ends.append(float(aim @ np.round(found.x)))
        return ends[1] - ends[0] >= k - 1


def _next(key: Key, shown: set[Key], values: Mapping[Key, int], system: _System) -> Key:
    """The published count to withhold next: one that the small count follows from, a group's before a total, the smallest first."""
    told = sorted(shown)
    known = system.known(told)
    weights = np.linalg.lstsq(known.T, system.row(key), rcond=None)[0]
    exact = bool(np.abs(known.T @ weights - system.row(key)).max() < _TINY * len(weights) + 1e-6)
    used = (
        {t for t, w in zip(told, weights[len(system.same) :], strict=True) if abs(w) > _TINY}
        if exact
        else set()
    )

    def rank(other: Key) -> tuple[bool, bool, bool, bool, int, Key]:
        return (
            exact and other not in used,
            other.attribute == "",
            other.attribute != key.attribute,
            not exact and other.group != key.group,
            values[other],
            other,
        )

    return min(told, key=rank)
