"""The check `rows`: who is missing, who stands there twice, what should not be known, and how far the rows have moved."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from audits import row_drift, row_leaks, row_missing
from audits.check import AuditInput, CheckResult
from audits.errors import AuditsInputError
from audits.finding import Direction, Finding, Leaning, Outcome, Role, Scale
from audits.row_facts import RowFacts

if TYPE_CHECKING:
    from audits.row_facts import DriftRow, LeakRow, MissingRow, Rows, ShareRow

ERROR = 0.05
_NAMED = 3


@dataclass(frozen=True)
class RowsCheck:
    """Looks at the rows behind an audit. Duplicate people, leaks and overlap screen; the rest is described."""

    name: str = "rows"

    def run(self, given: AuditInput) -> CheckResult:
        """Looks at the rows.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without rows; else their findings and their section.

        Raises:
            AuditsInputError: A column is not in the frame, nobody is in it, or declared shares do not fit.
        """
        rows = given.rows
        if rows is None:
            return CheckResult(findings=())
        _check(rows)
        empty, told = row_missing.missing(rows), row_missing.shares(rows)
        leaks = row_leaks.leaks(rows, given.seed)
        moved, words = row_drift.drift(rows)
        people, alike = row_missing.people(rows), row_missing.alike(rows)
        facts = RowFacts(len(rows.frame), people, alike, empty, told, leaks, moved, words)
        findings = [
            _duplicates(rows, people, alike),
            _missing(empty),
            *_shares(told),
            *_leaks(rows, leaks),
            _timing(rows),
            _overlap(rows),
        ]
        if moved:
            findings.append(_drift(moved, words))
        return CheckResult(findings=tuple(findings), row_quality=facts)


def _check(rows: Rows) -> None:
    wanted = [*rows.features, *rows.sensitive, rows.label]
    wanted += [c for c in (rows.person, rows.period) if c]
    absent = [c for c in wanted if c not in rows.frame.columns]
    if rows.frame.empty or absent:
        raise AuditsInputError(
            f"the rows have no column {', '.join(absent)}" if absent else "there are no rows to look at",
            "name columns of the frame, and give at least one row",
        )
    if not 0.5 < rows.leak < 1:  # noqa: PLR2004  the area of chance
        raise AuditsInputError(f"a leak limit of {rows.leak}; expected over .5 and under 1", "correct it")


def _duplicates(rows: Rows, people: int | None, alike: int) -> Finding:
    twin = f"{alike:,} of {len(rows.frame):,} rows equal another in all features and the outcome."
    if people is None:
        return _finding("duplicates", f"No column tells people apart. {twin}", estimate=float(alike))
    extra = len(rows.frame) - people
    text = f"{people:,} people in {len(rows.frame):,} rows" + (
        f": {extra:,} more rows than people." if extra else ", one row each."
    )
    outcome = Outcome.FAILED if extra else Outcome.PASSED
    return _finding(
        "duplicates", f"{text} {twin}", outcome, estimate=float(extra), limit=0.0, role=Role.SCREENS
    )


def _missing(empty: tuple[MissingRow, ...]) -> Finding:
    uneven = [r for r in empty if r.p is not None and r.p < ERROR]
    columns = len({r.column for r in empty})
    if not empty:
        text = "No feature, and no outcome, is empty for anybody."
    elif not uneven:
        text = f"{columns} column(s) are empty for some people, in no group shown to be more or less often than elsewhere."
    else:
        named = "; ".join(
            f"{r.column} is empty for {r.missing:.1%} of {_group(r.attribute, r.group)}, {r.rest:.1%} of everyone else"
            for r in uneven[:_NAMED]
        )
        more = f"; and {len(uneven) - _NAMED} more" if len(uneven) > _NAMED else ""
        text = f"Values are missing unevenly: {named}{more} (chi-square, Holm-adjusted, {ERROR:.0%})."
    widest = max((abs(r.missing - r.rest) for r in empty), default=0.0)
    return _finding("missing", text, estimate=widest, tool="scipy")


def _shares(told: tuple[ShareRow, ...]) -> list[Finding]:
    out = []
    for attribute, p in row_missing.share_tests(told).items():
        rows = [r for r in told if r.attribute == attribute]
        distance = sum(abs(r.here - r.declared) for r in rows) / 2
        worst = max(rows, key=lambda r: abs(r.here - r.declared))
        text = (
            f"By {attribute.replace('_', ' ')}, {distance:.1%} of the rows would have to be of other groups to be like the population. "
            f"Furthest off: {worst.group}, {worst.here:.1%} here ({worst.low:.1%} to {worst.high:.1%}), {worst.declared:.1%} declared. "
        )
        text += (
            f"Chance does not explain it (chi-square, Holm-adjusted p {p:.2g})."
            if p < ERROR
            else f"Chance could explain it (chi-square, Holm-adjusted p {p:.2g})."
        )
        out.append(_finding(f"shares:{attribute}", text, estimate=distance, tool="scipy"))
    return out


def _leaks(rows: Rows, leaks: tuple[LeakRow, ...]) -> list[Finding]:
    """One finding where no feature is suspected; else one for each suspect."""
    if not leaks:
        return [
            _finding("leakage", "The outcome has one value only: whether a feature tells it cannot be seen.")
        ]
    suspects = [r for r in leaks if r.area > rows.leak]
    if not suspects:
        top = leaks[0]
        text = f"No feature alone tells the outcome: the strongest is {top.feature}, ranking {top.area:.1%} of pairs right (limit {rows.leak:.0%})."
        return [_leak("leakage", text, Outcome.PASSED, top, rows)]
    out = []
    for r in suspects:
        sure = r.low > rows.leak
        text = f"{r.feature} alone ranks {r.area:.1%} of pairs right ({r.low:.1%} to {r.high:.1%}, all features together), over the limit of {rows.leak:.0%}: ask whether it is known before the outcome is."
        outcome = Outcome.FAILED if sure else Outcome.NOT_ENOUGH_EVIDENCE
        out.append(_leak(f"leakage:{r.feature}", text, outcome, r, rows))
    return out


def _leak(code: str, text: str, outcome: Outcome, r: LeakRow, rows: Rows) -> Finding:
    return _finding(
        code, text, outcome, estimate=r.area, low=r.low, high=r.high, limit=rows.leak, role=Role.SCREENS
    )


def _timing(rows: Rows) -> Finding:
    late = [c for c in rows.features if c in rows.known_after]
    if late:
        text = (
            f"The contract says that {', '.join(late)} is known only after the decision; the model uses it."
        )
        return _finding(
            "timing", text, Outcome.FAILED, estimate=float(len(late)), limit=0.0, role=Role.SCREENS
        )
    if not rows.timed:
        return _finding("timing", "The contract does not say of any feature when it is known.")
    untold = [c for c in rows.features if c not in rows.timed]
    text = "The contract says of every feature that it is known when the decision is made."
    if untold:
        text = f"No feature is declared to be known only after the decision; of {len(untold)} of {len(rows.features)} nothing is declared."
        return _finding("timing", text)
    return _finding("timing", text, Outcome.PASSED, estimate=0.0, limit=0.0, role=Role.SCREENS)


def _overlap(rows: Rows) -> Finding:
    shared = row_leaks.overlap(rows)
    if shared is None:
        return _finding(
            "overlap",
            "Whether the model learnt from the people audited is not known: nothing says whom it learnt from.",
        )
    what = (
        "families or people stand in more than one fold"
        if rows.fold is not None
        else "of the people audited are among those learnt from"
    )
    outcome = Outcome.FAILED if shared else Outcome.PASSED
    text = (
        f"{shared:,} {what}."
        if shared
        else f"None: no {'family or person stands in more than one fold' if rows.fold is not None else 'person audited is among those learnt from'}."
    )
    return _finding("overlap", text, outcome, estimate=float(shared), limit=0.0, role=Role.SCREENS)


def _drift(moved: tuple[DriftRow, ...], words: str) -> Finding:
    shown = [d for d in moved if d.p < ERROR]
    large = [d for d in shown if d.psi > row_drift.LARGE]
    if large:
        named = ", ".join(f"{d.column} (index {d.psi:.2f})" for d in large[:_NAMED])
        text = f"Shifted: {words}: {len(large)} of {len(moved)} columns have an index over {row_drift.LARGE:g}, {named} first. Figures of these rows may not hold for the next."
    elif shown:
        text = f"{words[0].upper()}{words[1:]}: {len(shown)} of {len(moved)} columns differ beyond chance, none by an index over {row_drift.LARGE:g}."
    else:
        text = f"{words[0].upper()}{words[1:]}: no column differs beyond chance (Kolmogorov-Smirnov or chi-square, Holm-adjusted)."
    return _finding(
        "drift",
        text,
        Outcome.NOT_ENOUGH_EVIDENCE if large else Outcome.PASSED,
        estimate=moved[0].psi,
        limit=row_drift.LARGE,
        role=Role.SCREENS,
        tool="scipy",
    )


def _group(attribute: str, group: str) -> str:
    return f"{group} ({attribute.replace('_', ' ')})"


def _finding(
    what: str,
    message: str,
    outcome: Outcome = Outcome.NOT_APPLICABLE,
    *,
    role: Role = Role.DESCRIBED,
    tool: str = "luvalla",
    estimate: float | None = None,
    low: float | None = None,
    high: float | None = None,
    limit: float | None = None,
) -> Finding:
    return Finding(
        code=f"rows.{what}",
        check="rows",
        metric=what.split(":", maxsplit=1)[0],
        role=role,
        outcome=outcome,
        message=message,
        tool=tool,
        version=version(tool),
        leaning=Leaning.AGAINST if outcome is Outcome.NOT_ENOUGH_EVIDENCE else None,
        scale=Scale.VALUE,
        estimate=estimate,
        low=low,
        high=high,
        limit=limit,
        direction=None if limit is None else Direction.AT_MOST,
    )
