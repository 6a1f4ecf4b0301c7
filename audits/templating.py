"""The room's templates, and the one way to fill them: escaped, and nothing undefined."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from markupsafe import Markup, escape

from audits import page_section, trade_words, wording
from audits.figures import Figures
from audits.finding import Scale

if TYPE_CHECKING:
    from jinja2.runtime import Context

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("audits", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@pass_context
def _percent(context: Context, value: float | None, digits: int = 1) -> str:
    t = context.resolve_or_missing("t")
    return Figures(t["lang"] if isinstance(t, Mapping) else "en").percent(value, digits)


@pass_context
def _english(context: Context, text: str) -> str:
    """Marks a sentence of the facts as English, on a page of another language."""
    t = context.resolve_or_missing("t")
    language = t["lang"] if isinstance(t, Mapping) else "en"
    if language == "en" or not text:
        return text
    return Markup(f'<span lang="en">{escape(text)}</span>')  # noqa: S704  escaped here


@pass_context
def _count(context: Context, number: int) -> str:
    t = context.resolve_or_missing("t")
    return f"{number:,}".replace(",", "," if not isinstance(t, Mapping) or t["lang"] == "en" else "\u00a0")


def _in_english(body: str) -> Markup:
    """Marks a whole section as English."""
    return Markup(str(body).replace("<section ", '<section lang="en" ', 1))  # noqa: S704  the template escaped it


ENVIRONMENT.filters |= {
    "english": _english,
    "in_english": _in_english,
    "percent": _percent,
    "count": _count,
    "points": partial(wording.short, scale=Scale.DIFFERENCE),
    "times": partial(wording.short, scale=Scale.RATIO),
    "traded": trade_words.traded,
    "folded": page_section.folded,
}


def render(template: str, content: object) -> str:
    """Fills a template.

    Args:
        template: Its file name.
        content: What it gets as ``page``: a dataclass of its own.

    Returns:
        The document.
    """
    return ENVIRONMENT.get_template(template).render(page=content)
