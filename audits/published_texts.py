"""The public's page: its own words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "published_kicker": "Audit, as published",
        "published_withheld": "withheld",
        "published_elsewhere": "not published",
        "published_counts": "Who is affected",
        "published_counts_intro": "Counts of people. Counts under {k} are withheld, and with them others from which they could be worked out: {withheld} in all. Withheld does not mean small, and does not mean none.",
        "published_counts_all": "Counts of people. No count here is under {k}, so none is withheld.",
        "published_lines": "The lines that decide",
        "published_lines_intro": "Each line compares one group with everyone else, with a limit that the policy sets; a board is to draw both before any score is seen. The outcome rests on all counts, those withheld too; a rate is shown where no withheld count stands behind it.",
        "published_group_rate": "In the group",
        "published_passed": "Passed",
        "published_failed": "Failed",
        "published_open": "Not enough evidence",
        "published_na": "Does not apply",
        "published_identity": "What exactly was audited",
        "published_footer": "Made from the report whose digest stands above. The board reads the whole report, with all counts.",
    }
)
