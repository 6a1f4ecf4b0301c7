"""The room's templates, and the one way to fill them: escaped, and nothing undefined."""

from __future__ import annotations

from functools import partial
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from audits import page_section, trade_words, wording
from audits.finding import Scale

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("audits", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.filters |= {
    "percent": wording.percent,
    "count": "{:,}".format,
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
