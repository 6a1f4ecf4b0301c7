"""The section on small changes, periods and membership: its words and its place."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from audits.page_section import Section

SECTION: Final = Section(
    "robustness",
    "robustness",
    "robustness.html.jinja",
    shown=lambda report: report.robustness is not None,
    texts={
        "en": MappingProxyType(
            {
                "robustness": "Small changes, other times, and who was learnt from",
                "robustness_flips": "Selections that hang on less than a step of measurement",
                "robustness_flips_intro": "The version as deployed, at its threshold. Each number was moved by one step down, up or not at all: {steps}.",
                "robustness_unmoved": "Not moved: {unmoved}.",
                "robustness_flipped": "Selected otherwise",
                "robustness_periods": "By period",
                "robustness_period": "Period",
                "robustness_ranked": "Ranked right",
            }
        )
    },
)
