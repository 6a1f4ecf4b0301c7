"""The section on the measures of need: who is worse off by which."""

from __future__ import annotations

from typing import Final

from audits import label_texts
from audits.page_section import Section

SECTION: Final = Section(
    "labels",
    "labels",
    "labels.html.jinja",
    shown=lambda report: report.labels is not None,
    texts={"en": label_texts.EN, "fi": label_texts.FI, "sv": label_texts.SV},
)
