"""An interval against its limit, as an inline picture with its text beside it. No script, no request, readable in grey."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from audits import line_words
from audits.figures import Figures
from audits.finding import Scale
from audits.lines import region

if TYPE_CHECKING:
    from audits.finding import Finding

WIDTH, HEIGHT, EDGE = 640.0, 74.0, 14.0
"""Of the drawing, in its own units; the page scales it."""
NOTHING = Markup("")
"""Where there is nothing to draw."""
_AXIS, _BAR = 50.0, 26.0
_EQUAL = {"en": "equal", "fi": "yhtä suuri", "sv": "lika"}
_DESCRIBED = {
    "en": "Estimate {estimate}; 90% interval {interval}; wider interval {wider}; allowed {allowed}.",
    "fi": "Arvio {estimate}; 90 %:n väli {interval}; laajempi väli {wider}; sallittu {allowed}.",
    "sv": "Skattning {estimate}; 90 %-intervall {interval}; vidare intervall {wider}; tillåtet {allowed}.",
}
_WIDEST_RATIO = 8.0
"""A ratio's axis never shows more than an eighth to eight times; beyond, an arrow says that the interval goes on."""


def interval_picture(finding: Finding, ident: str, language: str = "en") -> Markup:
    """Draws a line's 90 % interval, the wider one by which it fails, its estimate and its limit.

    Args:
        finding: A line's finding.
        ident: Unique on the page; letters, digits and hyphens.
        language: ``en``, ``fi`` or ``sv``.

    Returns:
        SVG with a title and a description; empty where there is nothing to draw.
    """
    if (
        finding.estimate is None
        or finding.limit is None
        or finding.direction is None
        or finding.scale is Scale.VALUE
    ):
        return NOTHING
    figures = Figures(language)
    ratio = finding.scale is Scale.RATIO
    lowest, highest = region(finding.direction, finding.limit, finding.scale)
    ends = [
        v for v in (finding.adjusted_low, finding.adjusted_high, finding.low, finding.high) if v is not None
    ]
    limits = [v for v in (lowest, highest) if math.isfinite(v)]
    place = _Axis([*ends, finding.estimate, *limits, 1.0 if ratio else 0.0], ratio=ratio)
    x0, x1 = place.x(lowest), place.x(highest)
    parts = [
        f'<rect class="allowed" x="{x0:.1f}" y="8" width="{x1 - x0:.1f}" height="{_AXIS - 8:.0f}"/>',
        f'<line class="axis" x1="{EDGE}" y1="{_AXIS}" x2="{WIDTH - EDGE}" y2="{_AXIS}"/>',
    ]
    equal = place.x(1.0 if ratio else 0.0)
    parts.append(f'<line class="equal" x1="{equal:.1f}" y1="8" x2="{equal:.1f}" y2="{_AXIS}"/>')
    parts += [
        f'<line class="limit" x1="{place.x(v):.1f}" y1="4" x2="{place.x(v):.1f}" y2="{_AXIS + 4:.0f}"/>'
        for v in limits
    ]
    wide = place.x(_low(finding.adjusted_low)), place.x(_high(finding.adjusted_high))
    inner = place.x(_low(finding.low)), place.x(_high(finding.high))
    parts.append(f'<line class="wide" x1="{wide[0]:.1f}" y1="{_BAR}" x2="{wide[1]:.1f}" y2="{_BAR}"/>')
    parts += [f'<line class="wide" x1="{x:.1f}" y1="{_BAR - 5}" x2="{x:.1f}" y2="{_BAR + 5}"/>' for x in wide]
    parts.append(
        f'<rect class="inner" x="{inner[0]:.1f}" y="{_BAR - 5}" width="{inner[1] - inner[0]:.1f}" height="10"/>'
    )
    parts.append(f'<circle class="estimate" cx="{place.x(finding.estimate):.1f}" cy="{_BAR}" r="6"/>')
    marks = [(place.x(v), figures.amount(v, finding.scale), "limit-text") for v in limits]
    marks.append((equal, _EQUAL[language], "equal-text"))
    parts += [_text(x, label, css) for x, label, css in _apart(marks)]
    title = line_words.title(finding, language).replace(": ", ", ", 1)
    return Markup(  # noqa: S704  every text in it was escaped here
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(describe(finding, language))}</desc>'
        f"{''.join(parts)}</svg>"
    )


def describe(finding: Finding, language: str = "en") -> str:
    """Says what the picture shows.

    Args:
        finding: A line's finding.
        language: ``en``, ``fi`` or ``sv``.

    Returns:
        Estimate, both intervals and the limit, in words.
    """
    figures = Figures(language)
    return _DESCRIBED[language].format(
        estimate=figures.amount(finding.estimate, finding.scale),
        interval=figures.interval(finding.low, finding.high, finding.scale),
        wider=figures.interval(finding.adjusted_low, finding.adjusted_high, finding.scale),
        allowed=figures.allowed(finding),
    )


class _Axis:
    def __init__(self, shown: list[float], *, ratio: bool) -> None:
        self.ratio = ratio
        values = [self._scaled(v) for v in shown]
        spread = (max(values) - min(values)) or 1.0
        self.low, self.high = min(values) - 0.12 * spread, max(values) + 0.12 * spread

    def _scaled(self, value: float) -> float:
        if not self.ratio:
            return value
        return math.log(min(max(value, 1 / _WIDEST_RATIO), _WIDEST_RATIO))

    def x(self, value: float) -> float:
        if value == -math.inf:
            return EDGE
        if value == math.inf:
            return WIDTH - EDGE
        share = (self._scaled(value) - self.low) / (self.high - self.low)
        return EDGE + min(max(share, 0.0), 1.0) * (WIDTH - 2 * EDGE)


def _low(value: float | None) -> float:
    return -math.inf if value is None else value


def _high(value: float | None) -> float:
    return math.inf if value is None else value


def _apart(marks: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Keeps labels under the axis from lying on each other: "equal" gives way to a limit."""
    kept: list[tuple[float, str, str]] = []
    for x, label, css in marks:
        if all(abs(x - other) > 4.2 * (len(label) + len(text)) for other, text, _ in kept):
            kept.append((x, label, css))
    return kept


def _text(x: float, label: str, css: str) -> str:
    half = 4.0 * len(label)
    return f'<text class="{css}" x="{min(max(x, half), WIDTH - half):.1f}" y="{_AXIS + 18:.0f}">{escape(label)}</text>'
