"""What a published table of counts leaves open: every count a range, and the whole tables that fit.

A count that was withheld or rounded is never 0 and never its printed value: it is every whole number it can be. Sums that the
table gives (people, selected, in need) narrow it. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.errors import AuditsInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPEN = 2**40
"""Above any number of people: a count that nothing in the table bounds."""

CELLS = ("tp", "fp", "fn", "tn")
"""The four cells: true and false positives, false and true negatives."""
SUMS: tuple[tuple[str, str, str], ...] = (
    ("selected", "tp", "fp"),
    ("unselected", "fn", "tn"),
    ("in_need", "tp", "fn"),
    ("not_in_need", "fp", "tn"),
    ("n", "selected", "unselected"),
    ("n", "in_need", "not_in_need"),
)
"""Each first is the sum of the other two."""
COUNTS = (*CELLS, "selected", "unselected", "in_need", "not_in_need", "n")
PARTS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "tpr": ("tp", "fn", "in_need"),
        "fnr": ("fn", "tp", "in_need"),
        "fpr": ("fp", "tn", "not_in_need"),
        "ppv": ("tp", "fp", "selected"),
        "fdr": ("fp", "tp", "selected"),
        "for": ("fn", "tn", "unselected"),
        "selection_rate": ("selected", "unselected", "n"),
        "need": ("in_need", "not_in_need", "n"),
    }
)
"""A rate's hits, misses and denominator."""
_EXACT = re.compile(r"\d+")
_UNDER = re.compile(r"<\s*(\d+)")
_AT_MOST = re.compile(r"(?:<=|≤)\s*(\d+)")
_BETWEEN = re.compile(r"(\d+)\s*[-–]\s*(\d+)")  # noqa: RUF001  tables are printed with either dash
_AROUND = re.compile(r"(\d+)\s*(?:±|\+-|\+/-)\s*(\d+)")
_DIGITS = 10
"""More digits than this are no count of people."""


@dataclass(frozen=True)
class Span:
    """What a count can be.

    Args:
        low: Least, from 0.
        high: Most; `OPEN` or above where nothing bounds it.
    """

    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Only one value is possible."""
        return self.low == self.high

    @property
    def known(self) -> bool:
        """Something in the table bounds it."""
        return self.high < OPEN

    @property
    def middle(self) -> int:
        """The printed value of a rounded count, the middle of a withheld one; its least where nothing bounds it."""
        return (self.low + self.high) // 2 if self.known else self.low


ANY = Span(0, OPEN)
"""A count the table does not give."""

Row = dict[str, Span]
"""A span for each of `COUNTS`: one group's row of the table."""


def span(text: str, rounded_to: int = 1) -> Span:
    """Reads one cell of a table of counts.

    Args:
        text: ``805``; ``<5`` or ``<=4`` (withheld); ``3-7``; ``120±5``.
        rounded_to: Plain numbers were rounded to a multiple of this; 1: they are exact.

    Returns:
        What the count can be. Rounding to 10 leaves 115 to 125 of 120, either way of rounding halves included.

    Raises:
        AuditsInputError: Anything else. What stood there is not repeated.

    Example:
        >>> span("<5"), span("120", rounded_to=10)
        (Span(low=0, high=4), Span(low=115, high=125))
    """
    given = text.strip()
    if max((len(d) for d in _EXACT.findall(given)), default=0) > _DIGITS:
        raise _unreadable()
    if _EXACT.fullmatch(given):
        value, half = int(given), rounded_to // 2
        return Span(max(0, value - half), value + half)
    if (m := _UNDER.fullmatch(given)) and int(m[1]) > 0:
        return Span(0, int(m[1]) - 1)
    if m := _AT_MOST.fullmatch(given):
        return Span(0, int(m[1]))
    if (m := _BETWEEN.fullmatch(given)) and int(m[1]) <= int(m[2]):
        return Span(int(m[1]), int(m[2]))
    if m := _AROUND.fullmatch(given):
        value, half = int(m[1]), int(m[2])
        return Span(max(0, value - half), value + half)
    raise _unreadable()


def _unreadable() -> AuditsInputError:
    return AuditsInputError(
        "a cell is not a count; expected 805, <5, <=4, 3-7 or 120±5",
        "write a withheld cell as what it can be: <5 where cells under 5 are withheld",
    )


def tighten(given: Mapping[str, Span]) -> Row:
    """Narrows every count by the sums it is in.

    Args:
        given: Some of `COUNTS`.

    Returns:
        All of `COUNTS`, each as narrow as the others allow.

    Raises:
        AuditsInputError: No whole table fits, for example more selected than people.
    """
    row = {name: given.get(name, ANY) for name in COUNTS}
    changed = True
    while changed:
        changed = False
        for total, a, b in SUMS:
            for name, low, high in (
                (total, row[a].low + row[b].low, row[a].high + row[b].high),
                (a, row[total].low - row[b].high, row[total].high - row[b].low),
                (b, row[total].low - row[a].high, row[total].high - row[a].low),
            ):
                was = row[name]
                now = Span(max(was.low, low), min(was.high, high) if high < OPEN else was.high)
                if now.low > now.high:
                    raise AuditsInputError(
                        f"the counts of a group contradict each other: {total} is not {a} + {b}",
                        "correct the table; rounded counts need --rounded-to, withheld ones a range such as <5",
                    )
                if now != was:
                    row[name], changed = now, True
    return row


def fill(row: Row, choices: Sequence[tuple[str, str]] = ()) -> dict[str, int]:
    """Makes one whole table that fits.

    Args:
        row: Of one group, as `tighten` gave it.
        choices: Count and ``low``, ``middle`` or ``high``, the first one first; all else takes its middle.

    Returns:
        All of `COUNTS`, whole numbers. A count that nothing bounds is its least.
    """
    names = (*CELLS, "n", "selected", "in_need")
    rest = [(c, "middle") for c in names if row[c].known] + [(c, "low") for c in CELLS]
    now = row
    for name, end in (*choices, *rest):
        s = now[name]
        value = int(getattr(s, end))
        now = tighten({**now, name: Span(value, value)})
    return {name: s.low for name, s in now.items()}


def plus(rows: Sequence[Row]) -> Row:
    """Adds groups up: what everyone else's counts can be.

    Args:
        rows: Groups.

    Returns:
        Spans of the sums.
    """
    return {name: plus_spans(*(r[name] for r in rows)) for name in COUNTS}


def corners(row: Row, rate: str) -> tuple[tuple[int, int], ...]:
    """The fillings of one group between which every interval of a rate lies.

    The ends of all intervals used are monotone in hits and in misses, but for a step beside a count of 0; so the four ends
    and the least count above 0 are enough (held against every filling in the tests).

    Args:
        row: Of one group, or of several added up.
        rate: A name in `PARTS`.

    Returns:
        Hits and misses, without repetition; together they meet the denominator's own span.
    """
    hits, misses, total = parts(row, rate)
    found: list[tuple[int, int]] = []
    for h in _ends(hits):
        least, most = max(misses.low, total.low - h), min(misses.high, total.high - h)
        found += [(h, m) for m in _ends(Span(least, most)) if least <= most]
    for m in _ends(misses):
        least, most = max(hits.low, total.low - m), min(hits.high, total.high - m)
        found += [(h, m) for h in _ends(Span(least, most)) if least <= most]
    return tuple(dict.fromkeys(found))


def parts(row: Row, rate: str) -> tuple[Span, Span, Span]:
    """What a rate's hits, misses and denominator can be.

    Args:
        row: Of one group, or of several added up.
        rate: A name in `audits.counts.rate_rows`.

    Returns:
        Their spans. Those of ``accuracy`` are sums over two cells and may hold more than the table allows, never less.
    """
    if rate == "accuracy":
        right, wrong = (plus_spans(row[a], row[b]) for a, b in (("tp", "tn"), ("fp", "fn")))
        return right, wrong, row["n"]
    hits, misses, of = PARTS[rate]
    return row[hits], row[misses], row[of]


def plus_spans(*spans: Span) -> Span:
    """Adds what counts can be.

    Args:
        spans: Of separate counts.

    Returns:
        What their sum can be.
    """
    return Span(sum(s.low for s in spans), min(OPEN, sum(s.high for s in spans)))


def published(row: Row, rate: str) -> bool:
    """Whether the table says anything of a rate's hits and misses.

    Args:
        row: Of one group, or of several added up.
        rate: As in `parts`.

    Returns:
        Both are bounded.
    """
    return all(s.known for s in parts(row, rate)[:2])


def counted(filled: Mapping[str, int], rate: str) -> tuple[int, int]:
    """Counts a rate in one whole table.

    Args:
        filled: As `fill` gave it.
        rate: As in `parts`.

    Returns:
        Hits and denominator.
    """
    if rate == "accuracy":
        return filled["tp"] + filled["tn"], filled["n"]
    hits, _, of = PARTS[rate]
    return filled[hits], filled[of]


def people(row: Row) -> Span:
    """How many people a row counts.

    Args:
        row: Of one group, or of several added up.

    Returns:
        Their number; where the table leaves it open, those it counts at least.
    """
    return row["n"] if row["n"].known else Span(row["n"].low, row["n"].low)


def without_outcomes(row: Row) -> Row:
    """Forgets bounds on outcomes that follow from nothing but the number of people: such a table holds no outcomes.

    Args:
        row: Of one group.

    Returns:
        The row with `CELLS` and need unbounded.
    """
    return {name: ANY if name in {*CELLS, "in_need", "not_in_need"} else s for name, s in row.items()}


def _ends(s: Span) -> tuple[int, ...]:
    ends = (s.low, s.high) if s.low > 0 or s.high < 1 else (0, 1, s.high)
    return tuple(dict.fromkeys(ends))
