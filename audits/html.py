"""From a report's facts to one page that a board reads: self-contained, no script, no request, printable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits import finding_view, group_view, page_sections, page_words, templating, wording
from audits.figures import Figures
from audits.finding import Leaning, Outcome, Role
from audits.finding_view import Badge, FindingView
from audits.lines import COULD_DECIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audits.finding import Finding
    from audits.group_view import GroupView
    from audits.page_section import Section
    from audits.report import AuditReport
    from audits.sections import PriceRow


@dataclass(frozen=True)
class PriceView:
    """What one group gains or loses.

    Args:
        who: ``Black (race)``.
        row: The facts.
        before: Share of those in need found by the first version.
        now: By this one.
        change: In words: ``3 more found``.
        tone: ``yes``, ``no`` or ``none``.
    """

    who: str
    row: PriceRow
    before: str
    now: str
    change: str
    tone: str


@dataclass(frozen=True)
class Page:
    """Everything the template gets.

    Args:
        t: Texts of one language.
        report: The facts.
        digest: Of the facts.
        title: Of the page.
        verdict: Badge of the verdict.
        verdict_says: What it means, in one sentence.
        may: What the board can do.
        because: The findings behind the verdict.
        warnings: Screening findings that lean against a version that is not failed already.
        chance: What the audit could have said at all; "" if not computed.
        lines: Deciding lines, worst first.
        doubtful: Of these, the ones that did not pass.
        settled: Of these, the ones that passed or do not apply.
        alarms: Screening findings that did not pass, worst first.
        quiet: Screening findings that passed.
        described: Findings without a limit.
        every: All findings, in the report's order.
        groups: Who is affected.
        price: Against the first version.
        identity: Label and value of what was audited.
        labels: Features in plain words.
        sections: What comes after the verdict, in order.
        language: Of the page.
    """

    t: Mapping[str, str]
    report: AuditReport
    digest: str
    title: str
    verdict: Badge
    verdict_says: str
    may: str
    because: tuple[FindingView, ...]
    warnings: tuple[FindingView, ...]
    chance: str
    lines: tuple[FindingView, ...]
    doubtful: tuple[FindingView, ...]
    settled: tuple[FindingView, ...]
    alarms: tuple[FindingView, ...]
    quiet: tuple[FindingView, ...]
    described: tuple[FindingView, ...]
    every: tuple[FindingView, ...]
    groups: tuple[GroupView, ...]
    price: tuple[PriceView, ...]
    identity: tuple[tuple[str, str], ...]
    labels: Mapping[str, str]
    sections: tuple[Section, ...]
    language: str

    def words(self, section: Section) -> Mapping[str, str]:
        """The words of a section: English where it does not speak the page's language."""
        return self.t if self.language in section.speaks else page_words.words()


_CALM = ("yes", "na")
_WORST_FIRST = ("no", "broken", "against", "few", "none", "for", "yes", "na")


def page(report: AuditReport, language: str = "en") -> str:
    """Makes the page.

    Args:
        report: The facts.
        language: ``en``, ``fi`` or ``sv``.

    Returns:
        One HTML document that asks for nothing else: same report and language, same page.
    """
    return templating.render("report.html.jinja", view(report, language))


def view(report: AuditReport, language: str = "en") -> Page:
    """Turns facts into what the page shows, in words and order.

    Args:
        report: The facts.
        language: ``en``, ``fi`` or ``sv``.

    Returns:
        The page's content.
    """
    t = page_words.words(language)
    figures = Figures(language)
    every = tuple(finding_view.view(f, number, t) for number, f in enumerate(report.findings))
    by_code = {v.finding.code: v for v in every}
    tone = _verdict_tone(report)
    badge, says, may = {
        "yes": (Badge("yes", "✓", t["passed"]), t["passed_says"], t["may_passed"]),
        "no": (Badge("no", "✕", t["failed"]), t["failed_says"], t["may_no"]),
        "for": (Badge("for", "?", t["nee_for"]), t["nee_for_says"], t["may_for"]),
        "against": (Badge("against", "!", t["nee_against"]), t["nee_against_says"], t["may_no"]),
        "none": (Badge("none", wording.NOTHING, t["not_enough_evidence"]), t["nee_none_says"], t["may_no"]),
    }[tone]
    if tone == "for" and any(_gain_in_doubt(f) for f in report.findings):
        says, may = t["nee_gain_says"], t["may_gain"]
    elif tone == "for" and report.rule.chance is not None and report.rule.chance < COULD_DECIDE:
        may = t["may_could_not"]
    lines = _sorted(v for v in every if v.finding.role is Role.DECIDES)
    screening = _sorted(v for v in every if v.finding.role is Role.SCREENS)
    return Page(
        t=t,
        report=report,
        digest=report.digest,
        title=_title(report, t),
        verdict=badge,
        verdict_says=says,
        may=may,
        because=tuple(by_code[c] for c in report.verdict.because) if tone != "yes" else (),
        warnings=tuple(v for v in screening if v.badge.tone == "against") if tone != "no" else (),
        chance=_chance(report.rule.chance, t, figures, passed=tone == "yes"),
        lines=lines,
        doubtful=tuple(v for v in lines if v.badge.tone not in _CALM),
        settled=tuple(v for v in lines if v.badge.tone in _CALM),
        alarms=tuple(v for v in screening if v.badge.tone not in _CALM),
        quiet=tuple(v for v in screening if v.badge.tone in _CALM),
        described=tuple(v for v in every if v.finding.role is Role.DESCRIBED),
        every=every,
        groups=tuple(group_view.view(g, figures) for g in report.groups),
        price=tuple(_price_view(p, t, figures) for p in report.price),
        identity=_identity(report, t),
        labels={i.feature: i.label for i in report.explanation.importance} if report.explanation else {},
        sections=page_sections.shown(report),
        language=language,
    )


def _chance(chance: float | None, t: Mapping[str, str], figures: Figures, *, passed: bool) -> str:
    if chance is None:
        return ""
    words = figures.chance(chance)
    if chance >= COULD_DECIDE:
        return t["chance_ok"].format(chance=words)
    return t["chance_repeat" if passed else "chance_low"].format(chance=words)


def _verdict_tone(report: AuditReport) -> str:
    verdict = report.verdict
    if verdict.outcome is Outcome.PASSED:
        return "yes"
    if verdict.outcome is Outcome.FAILED:
        return "no"
    return {Leaning.FOR: "for", Leaning.AGAINST: "against", None: "none"}[verdict.leaning]


def _gain_in_doubt(f: Finding) -> bool:
    """What decides without being a line of the policy, and is not shown: the gate lets nobody accept that."""
    return f.line is None and f.role is Role.DECIDES and f.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def _title(report: AuditReport, t: Mapping[str, str]) -> str:
    s = report.subject
    name = s.title or s.service or t["default_title"]
    return f"{name}, {t['version']} {s.model_version}" if s.model_version else name


def _sorted(views: Iterable[FindingView]) -> tuple[FindingView, ...]:
    return tuple(sorted(views, key=lambda v: _WORST_FIRST.index(v.badge.tone)))


def _price_view(p: PriceRow, t: Mapping[str, str], figures: Figures) -> PriceView:
    change = p.found_now - p.found_before
    key = "price_same" if change == 0 else "price_more" if change > 0 else "price_fewer"
    return PriceView(
        who=wording.group_name(p.group, p.attribute) if p.attribute else t["everybody"],
        row=p,
        before=figures.percent(p.found_before / p.in_need if p.in_need else None),
        now=figures.percent(p.found_now / p.in_need if p.in_need else None),
        change=t[key].format(n=abs(change)),
        tone="none" if change == 0 else "yes" if change > 0 else "no",
    )


def _identity(report: AuditReport, t: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    s = report.subject
    rows = (
        ("id_service", s.service),
        ("id_offer", s.offer),
        ("id_need", s.need),
        ("id_model", f"{s.model_name} {t['version']} {s.model_version}" if s.model_name else ""),
        ("id_recipe", s.recipe),
        ("id_capacity", "" if s.capacity is None else wording.percent(s.capacity, 0)),
        ("id_rows", s.rows),
        ("id_policy", f"{s.policy_name} {s.policy_version}".strip()),
        ("id_date", s.audited_on),
        ("id_run", s.run),
        ("id_model_digest", s.model_digest),
        ("id_policy_digest", s.policy_digest),
        ("id_rows_digest", s.rows_digest),
        ("id_audits_on_rows", "" if s.audits_on_rows is None else str(s.audits_on_rows)),
        ("id_report_digest", report.digest),
    )
    return tuple((t[label], value) for label, value in rows if value)
