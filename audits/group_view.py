"""A group's counts as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits import wording

if TYPE_CHECKING:
    from audits.figures import Figures
    from audits.sections import GroupRow


@dataclass(frozen=True)
class GroupView:
    """Counts of one group as the page shows them: a number, what it can be, or nothing where the table does not give it.

    Args:
        group: Group.
        attribute: Sensitive feature, in words.
        n: People.
        need: In need.
        selected: Selected.
        found: In need and selected.
        missed: In need and not selected.
        without: Selected without need.
        share: Share of those in need found.
        width: The same, 0 to 100, for the bar; None: no bar.
    """

    group: str
    attribute: str
    n: str
    need: str
    selected: str
    found: str
    missed: str
    without: str
    share: str
    width: float | None


def view(g: GroupRow, figures: Figures) -> GroupView:
    """Turns a group's counts into what the page shows.

    Args:
        g: The facts.
        figures: How numbers are written.

    Returns:
        Words and numbers.
    """
    tp, fn, fp = g.true_positives, g.false_negatives, g.false_positives

    def told(name: str, *parts: int | None) -> str:
        if name in g.ranges:
            return wording.between(*g.ranges[name])
        return wording.NOTHING if None in parts else f"{sum(p or 0 for p in parts)}"

    rate = g.metrics.get("true_positive_rate")
    exact = not {"tp", "fn"} & set(g.ranges)
    return GroupView(
        group=g.group,
        attribute=g.attribute.replace("_", " "),
        n=told("n", g.n),
        need=told("in_need", tp, fn),
        selected=told("selected", g.people_selected),
        found=told("tp", tp),
        missed=told("fn", fn),
        without=told("fp", fp),
        share=figures.percent(rate, 0) if exact else wording.NOTHING,
        width=None if rate is None or not exact else round(100 * rate, 1),
    )
