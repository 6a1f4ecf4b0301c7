"""What changed between two reports: the verdict, each line, and whether they can be compared at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits import wording

if TYPE_CHECKING:
    from audits.finding import Finding, Leaning, Outcome
    from audits.report import AuditReport


@dataclass(frozen=True)
class Change:
    """One finding in both reports, or in one of them.

    Args:
        code: `Finding.code`.
        outcome_before: None: not in the first report.
        outcome_now: None: not in the second.
        leaning_before: With it.
        leaning_now: With it.
        estimate_before: In words; "-" where there is none.
        estimate_now: The same.
    """

    code: str
    outcome_before: Outcome | None
    outcome_now: Outcome | None
    leaning_before: Leaning | None
    leaning_now: Leaning | None
    estimate_before: str
    estimate_now: str

    @property
    def differs(self) -> bool:
        """Whether the outcome or where it leans changed."""
        return (self.outcome_before, self.leaning_before) != (self.outcome_now, self.leaning_now)


@dataclass(frozen=True)
class Comparison:
    """Two reports side by side.

    Args:
        before: Digest of the first report.
        now: Digest of the second.
        verdict_before: Outcome, and leaning in brackets.
        verdict_now: The same.
        cautions: Why the two can be compared only with care; empty if nothing speaks against it.
        changes: Every finding that decides or screens, in the second report's order, then the ones that are gone.
    """

    before: str
    now: str
    verdict_before: str
    verdict_now: str
    cautions: tuple[str, ...]
    changes: tuple[Change, ...]


def compare(before: AuditReport, now: AuditReport) -> Comparison:
    """Compares two reports.

    Args:
        before: The earlier one.
        now: The later one.

    Returns:
        What changed. Nothing is decided: a better number on other people is not a better model.
    """
    old = {f.code: f for f in before.findings if f.limit is not None}
    new = {f.code: f for f in now.findings if f.limit is not None}
    codes = [*new, *(c for c in old if c not in new)]
    return Comparison(
        before=before.digest,
        now=now.digest,
        verdict_before=_verdict(before),
        verdict_now=_verdict(now),
        cautions=tuple(_cautions(before, now)),
        changes=tuple(_change(code, old.get(code), new.get(code)) for code in codes),
    )


def _cautions(before: AuditReport, now: AuditReport) -> list[str]:
    cautions = []
    if before.subject.service != now.subject.service:
        cautions.append("The two reports are about different services.")
    if before.subject.rows_digest != now.subject.rows_digest or before.population.n != now.population.n:
        cautions.append("The two audits ran on different rows.")
    if before.subject.policy_digest != now.subject.policy_digest:
        cautions.append("The lines were drawn by different policies.")
    if before.subject.need != now.subject.need or before.population.in_need != now.population.in_need:
        cautions.append("Need is not measured the same way, or not among the same people.")
    if before.population.selected != now.population.selected:
        cautions.append(
            f"They do not select equally many: {before.population.selected} and {now.population.selected} people."
        )
    return cautions


def _verdict(report: AuditReport) -> str:
    v = report.verdict
    return v.outcome.value if v.leaning is None else f"{v.outcome.value} (leaning {v.leaning.value})"


def _change(code: str, old: Finding | None, new: Finding | None) -> Change:
    return Change(
        code=code,
        outcome_before=None if old is None else old.outcome,
        outcome_now=None if new is None else new.outcome,
        leaning_before=None if old is None else old.leaning,
        leaning_now=None if new is None else new.leaning,
        estimate_before=wording.NOTHING if old is None else wording.short(old.estimate, old.scale),
        estimate_now=wording.NOTHING if new is None else wording.short(new.estimate, new.scale),
    )
