"""Numbers, intervals and limits in Finnish and Swedish, as `audits.wording` writes them in English. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audits import wording
from audits.finding import Direction, Scale
from audits.lines import region

if TYPE_CHECKING:
    from audits.finding import Finding

_SPACE: Final = "\u00a0"
"""No line breaks between a number and its sign."""


@dataclass(frozen=True)
class _Signs:
    points: str
    times: str
    unbounded: str
    to: str
    of: str
    at_least: str
    at_most: str
    between: str
    under_one: str


_SIGNS: Final = {
    "en": _Signs("points", "times", "no bound", "to", "of", "at least", "at most", "between", "under 1%"),
    "fi": _Signs("prosenttiyksikköä", "kertaa", "ei rajaa", "...", "/", "vähintään", "enintään", "välillä", "alle 1 %"),
    "sv": _Signs("procentenheter", "gånger", "ingen gräns", "till", "av", "minst", "högst", "mellan", "under 1 %"),
}  # fmt: skip


class Figures:
    """Writes numbers in one language; English is `audits.wording`'s own.

    Args:
        language: ``en``, ``fi`` or ``sv``.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._signs = _SIGNS[language]

    def _local(self, english: str) -> str:
        return english if self.language == "en" else english.replace(".", ",")

    def percent(self, value: float | None, digits: int = 1) -> str:
        """``12.3%``, ``12,3 %``; `audits.wording.NOTHING` for None."""
        written = wording.percent(value, digits)
        return written if self.language == "en" else self._local(written).replace("%", f"{_SPACE}%")

    def chance(self, value: float) -> str:
        """A chance without decimals, never none at all."""
        return self._signs.under_one if value < 0.01 else self.percent(value, 0)  # noqa: PLR2004  the least that is written

    def amount(self, value: float | None, scale: Scale) -> str:
        """``-10.3 points``, ``-10,3 prosenttiyksikköä``."""
        if value is None or not math.isfinite(value):
            return self._signs.unbounded
        if scale is Scale.DIFFERENCE:
            return self._local(f"{100 * value:+.1f} {self._signs.points}")
        return self._local(f"{value:.2f} {self._signs.times}" if scale is Scale.RATIO else f"{value:.4g}")

    def short(self, value: float | None, scale: Scale) -> str:
        """``-10.3 pp``, ``0,81 x``, for a table's cell."""
        return self._local(wording.short(value, scale))

    def short_interval(self, low: float | None, high: float | None, scale: Scale) -> str:
        """``-15.0 to -3.1 pp``, for a table's cell."""
        written = self._local(wording.short_interval(low, high, scale))
        return written.replace(" to ", f" {self._signs.to} ")

    def interval(self, low: float | None, high: float | None, scale: Scale) -> str:
        """``-15.0 to -3.1 points``."""
        ends = self.amount(low, scale), self.amount(high, scale)
        one = (
            ends[0].rsplit(" ", 1)[0]
            if scale is not Scale.VALUE and self._signs.unbounded not in ends
            else ends[0]
        )
        return f"{one} {self._signs.to} {ends[1]}"

    def allowed(self, f: Finding) -> str:
        """``at least -10.0 points``; "" if nothing is decided."""
        if f.limit is None or f.direction is None:
            return ""
        if f.direction is Direction.WITHIN:
            return f"{self._signs.between} {self.interval(*region(f.direction, f.limit, f.scale), f.scale)}"
        side = self._signs.at_least if f.direction is Direction.AT_LEAST else self._signs.at_most
        return f"{side} {self.amount(f.limit, f.scale)}"

    def counts(self, hits: int, of: int, rate: float | None) -> str:
        """``12 of 40 (30.0%)``."""
        return f"{hits} {self._signs.of} {of} ({self.percent(rate)})"

    def of(self, parts: tuple[str, ...]) -> str:
        """``0 to 4 of 40``: parts in English, as `audits.wording.between` writes them."""
        return f" {self._signs.of} ".join(p.replace(" to ", f" {self._signs.to} ") for p in parts)
