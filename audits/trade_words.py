"""What gave way where criteria cannot all hold, in plain words. English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits import wording
from audits.finding import Scale

if TYPE_CHECKING:
    from audits.group_facts import TradeRow

CRITERIA = {
    "selection": "how often people are selected",
    "found": "the share of need that is found",
    "false_alarms": "false alarms",
    "precision": "how many of the selected are in need",
    "left_out": "how many of the others are in need",
    "calibration": "whether the score keeps its word",
}
"""What can be asked to be alike in all groups, by `audits.tradeoffs.CRITERIA`."""
_SAME = 0.005
"""Rates that differ by less are told as alike: half a point."""


def traded(t: TradeRow) -> str:
    """Says which criteria cannot all hold for a group, which of them the lines decide on, and what became of the others.

    Args:
        t: The group's rates beside everyone else's.

    Returns:
        Two to four sentences.
    """
    start = f"{wording.group_name(t.group, t.attribute)}: {wording.percent(t.need)} of people are in need, {wording.percent(t.rest_need)} of everyone else."
    if t.need_low <= 0 <= t.need_high:
        return f"{start} Need may be equal, so nothing had to be traded."
    decided = [CRITERIA[c] for c in t.decided]
    given_up = [
        f"{CRITERIA[c]} ({wording.short(gap, Scale.DIFFERENCE)})"
        for c, gap in t.gaps.items()
        if c not in t.decided and gap is not None and abs(gap) >= _SAME
    ]
    says = f" The lines decide on {_listed(decided)}." if decided else " No line decides on any of them."
    left = f" What gave way, against everyone else: {_listed(given_up)}." if given_up else ""
    tie = ""
    if t.tied_false_alarms is not None and t.rest_false_alarms is not None:
        whole = (
            f"its false alarms would be {wording.percent(t.tied_false_alarms)} against {wording.percent(t.rest_false_alarms)}"
            if t.tied_false_alarms <= 1
            else "more people would have to be selected without need than there are"
        )
        tie = f" Found as often and selected as precisely as everyone else, {whole}."
    return f"{start}{says}{left}{tie}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
