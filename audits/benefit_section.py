"""The page's section on gain: whether choosing people by the model helps, and who would receive the gain."""

from __future__ import annotations

from typing import Final

from audits import benefit_texts
from audits.page_section import Section

SECTION: Final = Section(
    "benefit",
    "benefit",
    "benefit.html.jinja",
    shown=lambda r: r.benefit is not None,
    texts={"en": benefit_texts.EN, "fi": benefit_texts.FI, "sv": benefit_texts.SV},
)
