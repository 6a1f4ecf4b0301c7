"""The page's section on baselines: whether the version is better than something simpler."""

from __future__ import annotations

from typing import Final

from audits import baseline_texts
from audits.page_section import Section

SECTION: Final = Section(
    "baselines",
    "baselines",
    "baselines.html.jinja",
    shown=lambda r: r.baselines is not None,
    texts={"en": baseline_texts.EN, "fi": baseline_texts.FI, "sv": baseline_texts.SV},
)
