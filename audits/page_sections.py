"""The page's sections in the order in which a board reads them: what is decided on first, how it was computed last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audits import (
    baseline_section,
    benefit_section,
    consent_section,
    label_section,
    procedure_section,
    reason_section,
    robust_section,
    row_section,
    subgroup_section,
    unknown_section,
)
from audits.finding import Role
from audits.page_section import Section

if TYPE_CHECKING:
    from audits.report import AuditReport


ALL: Final = ("en", "fi", "sv")


def _describes_lines(report: AuditReport) -> bool:
    return any(f.role is Role.DESCRIBED and f.line for f in report.findings)


SECTIONS: Final[tuple[Section, ...]] = (
    Section("who", "who", "who.html.jinja", folded=False, speaks=ALL),
    Section("lines", "lines", "lines.html.jinja", folded=False, speaks=ALL),
    Section("price", "price", "price.html.jinja", folded=False, speaks=ALL),
    Section("trade", "trade", "trade.html.jinja", folded=False),
    Section("unknown", "unknown", "unknown.html.jinja", folded=False, speaks=ALL),
    Section("no", "no", "no.html.jinja", folded=False, speaks=ALL),
    Section("screening", "screening", "screening.html.jinja", folded=False, speaks=ALL),
    label_section.SECTION,
    subgroup_section.SUBGROUPS,
    unknown_section.SECTION,
    Section("described", "described", "described.html.jinja", shown=_describes_lines, speaks=ALL),
    Section(
        "performance", "performance", "performance.html.jinja", shown=lambda r: r.performance is not None
    ),
    baseline_section.SECTION,
    benefit_section.SECTION,
    Section(
        "explanation", "explanation", "explanation.html.jinja", shown=lambda r: r.explanation is not None
    ),
    reason_section.SECTION,
    robust_section.SECTION,
    consent_section.SECTION,
    subgroup_section.PROXIES,
    row_section.SECTION,
    Section("quality", "quality", "quality.html.jinja", shown=lambda r: r.data_quality is not None),
    procedure_section.SECTION,
    Section("rule", "rule", "rule.html.jinja"),
    Section("identity", "identity", "identity.html.jinja"),
    Section("trace", "trace", "trace.html.jinja", speaks=ALL),
)
"""In the page's order. A check's own section stands before ``rule``; its module declares it."""


def shown(report: AuditReport) -> tuple[Section, ...]:
    """Gives the sections that a report has something for.

    Args:
        report: The facts.

    Returns:
        Sections, in the page's order.
    """
    return tuple(s for s in SECTIONS if s.shown(report))
