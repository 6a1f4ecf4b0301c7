"""The section on people whose outcome is unknown: what each line could come to."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from audits import wording
from audits.page_section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.report import AuditReport

EN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "outcomes": "People whose outcome is unknown",
        "outcomes_intro": "The outcome of {unknown} of {people} people is unknown; {selected_unknown} of them are selected, and {selected_known} of the others.",
        "outcomes_odds": "Lines on selection count everybody. Every other line is judged on the people whose outcome is known, and must come to the same with the others let in, their odds of need at half, at once and at twice what the score says.",
        "outcomes_worst": "Lines on selection count everybody. Every other line is judged on the people whose outcome is known, and must come to the same in both worst cases: of the others all who are selected not in need and all who are not in need, and the reverse.",
        "outcomes_bounds": "The last column is how far the estimate could lie at worst, whoever of them was in need.",
        "outcomes_line": "Line",
        "outcomes_known": "Known people",
        "outcomes_half": "Half the odds",
        "outcomes_equal": "As predicted",
        "outcomes_twice": "Twice the odds",
        "outcomes_range": "Worst cases",
        "outcomes_holds": "Holds",
        "outcomes_yes": "yes",
        "outcomes_no": "no: not enough evidence",
    }
)


def _lines(report: AuditReport) -> tuple[tuple[str, ...], ...]:
    """Line, estimates, worst cases, and whether it holds; a row each."""
    facts = report.unknown_outcomes
    if facts is None:
        return ()
    of = {f.line: f for f in report.findings if f.line is not None}
    return tuple(
        (
            f"{wording.METRIC_TITLE[of[one.line].metric]}: {wording.who(of[one.line])}",
            *(wording.short(v, one.scale) for v in (one.known, one.half, one.equal, one.twice)),
            wording.short_interval(one.low, one.high, one.scale),
            EN["outcomes_no" if one.changes else "outcomes_yes"],
        )
        for one in facts.lines
    )


SECTION: Final = Section(
    "outcomes",
    "outcomes",
    "outcomes.html.jinja",
    shown=lambda report: report.unknown_outcomes is not None,
    view=_lines,
    texts={"en": EN},
)
