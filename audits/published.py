"""The page for the public: the same verdict and lines, and only counts from which no small count follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits import html, page_words, published_texts, suppression, templating, wording
from audits.completions import PARTS
from audits.finding import Outcome, Role
from audits.lines import METRICS
from audits.suppression import EVERYBODY, SHOWN, K, Key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.finding import Finding
    from audits.finding_view import Badge
    from audits.report import AuditReport

_OF_OTHERS = frozenset({"other_need_tpr_gap", "levelling_down", "observed_expected", "calibration_slope"})
"""Lines on counts that the page's table does not hold: their outcome is published, and no number."""


@dataclass(frozen=True)
class PublishedGroup:
    """A group's counts as published.

    Args:
        name: Group and attribute; "" for everybody.
        counts: One per `audits.suppression.SHOWN`: the number, or words where it is withheld.
        found: Share of those in need found, or words.
    """

    name: str
    counts: tuple[str, ...]
    found: str


@dataclass(frozen=True)
class PublishedLine:
    """A deciding line as published.

    Args:
        title: What it is about, and whom.
        question: The question it answers.
        outcome: Words.
        allowed: The limit, in words.
        rate: The group's rate, or words where one of its counts is withheld.
        rest: Everyone else's rate, or words.
    """

    title: str
    question: str
    outcome: str
    allowed: str
    rate: str
    rest: str


@dataclass(frozen=True)
class PublishedPage:
    """Everything the template of the public's page gets: nothing of the report comes to it but through this.

    Args:
        t: Texts of one language.
        title: Of the page.
        question: What the board decided on.
        verdict: Badge of the verdict.
        says: What it means.
        k: Counts under this are withheld.
        withheld: How many counts are withheld.
        simulated: What is invented.
        groups: Everybody, then by group.
        lines: Deciding lines, in the policy's order.
        identity: Label and value.
        digest: Of the whole report, for who holds it.
    """

    t: Mapping[str, str]
    title: str
    question: str
    verdict: Badge
    says: str
    k: int
    withheld: int
    simulated: tuple[str, ...]
    groups: tuple[PublishedGroup, ...]
    lines: tuple[PublishedLine, ...]
    identity: tuple[tuple[str, str], ...]
    digest: str


def page(report: AuditReport, k: int = K) -> str:
    """Makes the page for the public.

    Args:
        report: The facts, with exact counts.
        k: Counts from 0 to k - 1 are withheld, and with them those from which they would follow.

    Returns:
        One HTML document that asks for nothing else.

    Raises:
        AuditsInputError: As `audits.suppression.published`.
    """
    return templating.render("published.html.jinja", view(report, k))


def view(report: AuditReport, k: int = K) -> PublishedPage:
    """Turns facts into what the public's page shows.

    Args:
        report: The facts, with exact counts.
        k: As in `page`.

    Returns:
        The page's content.

    Raises:
        AuditsInputError: As `audits.suppression.published`.
    """
    counts = suppression.published(report.groups, k)
    whole = html.view(report)
    t = {**page_words.words(), **published_texts.EN}
    s = report.subject
    identity = (
        ("id_service", s.service),
        ("id_offer", s.offer),
        ("id_need", s.need),
        ("id_model", f"{s.model_name} {t['version']} {s.model_version}" if s.model_name else ""),
        ("id_policy", f"{s.policy_name} {s.policy_version}".strip()),
        ("id_date", s.audited_on),
        ("id_model_digest", s.model_digest),
        ("id_policy_digest", s.policy_digest),
        ("id_report_digest", report.digest),
    )
    return PublishedPage(
        t=t,
        title=whole.title,
        question=s.question or t["default_question"],
        verdict=whole.verdict,
        says=whole.verdict_says,
        k=k,
        withheld=sum(v is None for v in counts.values()),
        simulated=report.simulated,
        groups=tuple(
            _group(a, g, counts, t) for a, g in dict.fromkeys((key.attribute, key.group) for key in counts)
        ),
        lines=tuple(
            _line(f, counts, t) for f in report.findings if f.role is Role.DECIDES and f.metric in METRICS
        ),
        identity=tuple((t[label], value) for label, value in identity if value),
        digest=report.digest,
    )


def _group(
    attribute: str, group: str, counts: Mapping[Key, int | None], t: Mapping[str, str]
) -> PublishedGroup:
    told = [counts[Key(attribute, group, c)] for c in SHOWN]
    return PublishedGroup(
        name=wording.group_name(group, attribute) if attribute else "",
        counts=tuple(t["published_withheld"] if v is None else f"{v:,}" for v in told),
        found=_rate(_known(attribute, group, counts), "tpr", t),
    )


def _known(attribute: str, group: str, counts: Mapping[Key, int | None]) -> dict[str, int | None]:
    """All nine counts of a group as far as they follow from what is shown of it."""
    told = {c: counts[Key(attribute, group, c)] for c in SHOWN}
    for count, (whole, part) in {
        "unselected": ("n", "selected"),
        "not_in_need": ("n", "in_need"),
        "tn": ("not_in_need", "fp"),
    }.items():
        a, b = told[whole], told[part]
        told[count] = None if a is None or b is None else a - b
    return told


def _line(f: Finding, counts: Mapping[Key, int | None], t: Mapping[str, str]) -> PublishedLine:
    group = rest = t["published_withheld"]
    if f.metric in _OF_OTHERS or f.pooled or METRICS[f.metric].rate not in PARTS:
        group = rest = t["published_elsewhere"]
    elif Key(f.attribute or "", f.group or "", "n") in counts:
        own, every = _known(f.attribute or "", f.group or "", counts), _known(*EVERYBODY, counts)
        others = {c: None if (v := own[c]) is None or (w := every[c]) is None else w - v for c in every}
        rate = METRICS[f.metric].rate
        group, rest = _rate(own, rate, t), _rate(others, rate, t)
    return PublishedLine(
        title=wording.title(f),
        question=wording.METRIC_QUESTION[f.metric],
        # Too few to judge would tell that a count is under the rule's own limit: it is one of "not enough evidence" here.
        outcome=t[
            {
                Outcome.PASSED: "published_passed",
                Outcome.FAILED: "published_failed",
                Outcome.NOT_APPLICABLE: "published_na",
            }.get(f.outcome, "published_open")
        ],
        allowed=wording.allowed(f) or wording.NOTHING,
        rate=group,
        rest=rest,
    )


def _rate(counts: Mapping[str, int | None], rate: str, t: Mapping[str, str]) -> str:
    hits, _, of = PARTS[rate]
    a, b = counts[hits], counts[of]
    if a is None or b is None:
        return t["published_withheld"]
    return wording.percent(a / b if b else None)
