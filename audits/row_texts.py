"""The section on the rows: its own words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "rows": "Who is in the rows, and what they may not know",
        "rows_intro": "{rows} rows. Counts and shares only: no value of any row is kept.",
        "rows_missing": "Where values are missing",
        "rows_missing_intro": "Share of people without a value, largest differences first. p: chance of such a difference if the group were like the others, for all rows of this table together.",
        "rows_shares": "Against the population",
        "rows_here": "Share here",
        "rows_declared": "Share declared",
        "rows_leaks": "Each feature alone against the outcome",
        "rows_leaks_intro": "In how many pairs of a person with and one without the outcome this feature alone ranks them right; 50% is chance. Close to 100% means that it may be known only afterwards.",
        "rows_leak": "Ranked right by this alone",
        "rows_drift": "How far the rows have moved",
        "rows_drift_intro": "Compared: {what}. Index: population stability index, over .25 is called shifted by convention.",
        "rows_column": "Column",
        "rows_in_group": "Missing in the group",
        "rows_elsewhere": "Missing elsewhere",
        "rows_index": "Index",
        "rows_p": "p",
    }
)
