"""What a report says of people for whom the version errs more often, found without any sensitive feature, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subgroup:
    """People alike in a few features, for whom the version is wrong more often.

    Args:
        says: Who they are, in the service's words: its features and the cell's limits.
        n: People of the half on which it was tested.
        wrong: Of them, selected without need or missed in need.
        rest: Everyone else of that half.
        rest_wrong: Of these, wrong.
        low: Lower end of the 90 % interval of the difference of the two shares.
        high: Upper end.
        p: One-sided p-value, corrected over all cells tested.
    """

    says: str
    n: int
    wrong: int
    rest: int
    rest_wrong: int
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class SubgroupFacts:
    """The search.

    Args:
        searched: People in the half in which cells were sought.
        tested: People in the half on which they were tested.
        cells: Cells that were tested.
        found: Of them, the ones in which the version is wrong more often beyond chance, worst first.
    """

    searched: int
    tested: int
    cells: int
    found: tuple[Subgroup, ...]
