"""A finding as the page shows it: its outcome by sign and words, what it found, and the picture, in the page's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits import line_words, page_words, picture, wording
from audits.figures import Figures
from audits.finding import Leaning, Outcome, Role
from audits.lines import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from audits.finding import Finding


@dataclass(frozen=True)
class Badge:
    """An outcome as the page shows it: a sign and words, never colour alone.

    Args:
        tone: ``no``, ``against``, ``for``, ``yes`` or ``none``: the style.
        sign: One character.
        text: The words.
    """

    tone: str
    sign: str
    text: str


@dataclass(frozen=True)
class FindingView:
    """A finding as the page shows it.

    Args:
        anchor: Its id on the page.
        finding: The facts.
        badge: Its outcome.
        title: What it is about.
        question: The question it answers; "" for a finding that no line asked for.
        plain: What it found, in people out of a hundred.
        detail: The finding's own message, in English, where `plain` is not that already.
        drawing: Interval against limit; empty where there is none.
        estimate: In words.
        interval: The 90 % interval, in words.
        wider: The interval by which it fails, in words.
        allowed: The limit, in words.
        group_counts: ``12 of 40 (30.0%)``.
        rest_counts: The same for everyone else.
    """

    anchor: str
    finding: Finding
    badge: Badge
    title: str
    question: str
    plain: str
    detail: str
    drawing: Markup
    estimate: str
    interval: str
    wider: str
    allowed: str
    group_counts: str
    rest_counts: str


def _badge(f: Finding, t: Mapping[str, str]) -> Badge:
    if f.outcome is Outcome.COULD_NOT_RUN:
        return Badge("broken", wording.NOTHING, t["badge_broken"])
    if f.role is Role.DESCRIBED:
        return Badge("na", "·", t["badge_described"])
    if f.outcome is Outcome.PASSED:
        return Badge("yes", "✓", t["badge_passed"])
    if f.outcome is Outcome.FAILED:
        return Badge("no", "✕", t["badge_failed"])
    if f.outcome is Outcome.NOT_APPLICABLE:
        return Badge("na", "·", t["badge_na"])
    if f.too_few:
        return Badge("few", "…", t["badge_few"])
    if f.leaning is Leaning.FOR:
        return Badge("for", "?", t["badge_for"])
    if f.leaning is Leaning.AGAINST:
        return Badge("against", "!", t["badge_against"])
    return Badge("none", wording.NOTHING, t["badge_none"])


def view(f: Finding, number: int, t: Mapping[str, str]) -> FindingView:
    """Turns a finding into what the page shows.

    Args:
        f: The finding.
        number: Its place in the report.
        t: Words of the page's language.

    Returns:
        Words, numbers and the picture.
    """
    language = t["lang"]
    figures = Figures(language)
    anchor = f"finding-{number}"
    line = f.line is not None and f.metric in METRICS
    c = f.counts
    english = wording.plain(f) if line else f.message
    return FindingView(
        anchor=anchor,
        finding=f,
        badge=_badge(f, t),
        title=line_words.title(f, language) if line else t.get(f"title_{f.code}", f.code),
        question=page_words.english(wording.METRIC_QUESTION[f.metric], language) if line else "",
        plain=_plain(f, language, line=line),
        detail=page_words.english(f.message, language) if f.message != english else "",
        drawing=picture.interval_picture(f, anchor, language) if line else picture.NOTHING,
        estimate=figures.short(f.estimate, f.scale),
        interval=_ends(figures, f, f.low, f.high) if f.level is not None else wording.NOTHING,
        wider=_ends(figures, f, f.adjusted_low, f.adjusted_high)
        if f.adjusted_level is not None
        else wording.NOTHING,
        allowed=figures.allowed(f) or wording.NOTHING,
        group_counts=_counts(
            figures,
            None if c is None else (c.group_hits, c.group_of),
            None if f.ranges is None else (f.ranges.group_hits, f.ranges.group_of),
            f.rate,
        ),
        rest_counts=_counts(
            figures,
            None if c is None else (c.rest_hits, c.rest_of),
            None if f.ranges is None else (f.ranges.rest_hits, f.ranges.rest_of),
            f.rest_rate,
        ),
    )


def _plain(f: Finding, language: str, *, line: bool) -> str:
    if not line:
        return page_words.english(f.message, language)
    said = "" if language == "en" else line_words.plain(f, language)
    return said or page_words.english(wording.plain(f), language)


def _counts(
    figures: Figures,
    counts: tuple[int, int] | None,
    ranges: tuple[tuple[int, int], tuple[int, int]] | None,
    rate: float | None,
) -> str:
    if ranges is not None:
        return figures.of(tuple(wording.between(*r) for r in ranges))
    return wording.NOTHING if counts is None else figures.counts(*counts, rate)


def _ends(figures: Figures, f: Finding, low: float | None, high: float | None) -> str:
    return wording.NOTHING if f.estimate is None else figures.short_interval(low, high, f.scale)
