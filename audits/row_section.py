"""The section on the rows behind the audit."""

from __future__ import annotations

from audits import row_texts
from audits.page_section import Section

SECTION = Section(
    "rows",
    "rows",
    "rows.html.jinja",
    shown=lambda report: report.row_quality is not None,
    texts={"en": row_texts.EN},
)
