"""The page's section on whether reasons hold over refits, keep declared directions and do what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audits import reason_texts
from audits.page_section import Section

if TYPE_CHECKING:
    from audits.report import AuditReport


def _asked(report: AuditReport) -> bool:
    e = report.explanation
    return e is not None and bool(e.refits or e.monotone or e.deletion)


SECTION: Final = Section(
    "reasons",
    "reasons_refits",
    "reasons.html.jinja",
    shown=_asked,
    texts={"en": reason_texts.EN, "fi": reason_texts.FI, "sv": reason_texts.SV},
)
