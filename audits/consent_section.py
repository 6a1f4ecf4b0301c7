"""The section on who consented: its words and its place."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from audits.page_section import Section

SECTION: Final = Section(
    "consents",
    "consents",
    "consents.html.jinja",
    shown=lambda report: report.consents is not None,
    texts={
        "en": MappingProxyType(
            {
                "consents": "Who consented, and what the others could change",
                "consents_intro": "Counts only. Those who did not consent are in no other figure of this page, and no row of theirs was read for it. Counted by: {basis}",
                "consents_simulated": "These consents are simulated.",
                "consents_groups": "Consent by group",
                "consents_given": "Consented",
                "consents_refused": "Refused",
                "consents_withdrawn": "Withdrew",
                "consents_other": "No consent on record",
                "consents_share": "Share",
                "consents_lines": "What the others could do to the deciding lines",
                "consents_lines_intro": "Seen: among those who consented. Weighted: if within each group the others are like them. Least and most: whatever the others are like.",
                "consents_seen": "Seen",
                "consents_weighted": "Weighted",
                "consents_ends": "Least and most",
                "consents_says": "Against the limit",
                "consents_inside": "inside whatever they are like",
                "consents_outside": "outside whatever they are like",
                "consents_open": "depends on them",
            }
        )
    },
)
