"""Results that look perfect because nothing happened: flagged, not praised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits import completions, wording
from audits.check import AuditInput, CheckResult
from audits.completions import Span
from audits.finding import Finding, Outcome, Role
from audits.lines import METRICS, UNKNOWN
from audits.rule import FEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from audits.completions import Row
    from audits.count_table import CountTable


@dataclass(frozen=True)
class DegenerateCheck:
    """Looks for predictions of one class, constant scores, outcomes of one class and attributes of one value."""

    name: str = "degenerate"

    def run(self, given: AuditInput) -> CheckResult:
        """Looks for results that say nothing.

        Args:
            given: What there is to look at.

        Returns:
            One finding a question. Parity among people of whom nobody was selected is no parity: it fails.
        """
        findings = tuple(_look(given))
        return CheckResult(findings=findings, unknowns=_doubts(findings))


def of_counts(given: CountTable) -> CheckResult:
    """Looks for results that say nothing in a table of counts.

    Args:
        given: Counts per group.

    Returns:
        The same findings as of the people counted; where counts were withheld or rounded, what no whole table rules out.
    """
    totals = {a: completions.plus(list(rows.values())) for a, rows in given.attributes.items()}
    first = max(totals, key=lambda a: sum(s.known for s in totals[a].values()))
    findings = list(_of_everybody(totals[first], needs=given.outcomes[first]))
    for name, rows in given.attributes.items():
        findings += _of_groups(name, rows)
    return CheckResult(findings=tuple(findings), unknowns=_doubts(findings))


def nothing_decided(selected: Span, unselected: Span) -> str | None:
    """Tells whether the model decides nothing.

    Args:
        selected: People selected.
        unselected: People not selected.

    Returns:
        ``Nobody`` or ``Everybody`` if that is so, or may be; None if some are and some are not.
    """
    if selected.known and selected.low == 0:
        return "Nobody"
    return "Everybody" if unselected.known and unselected.low == 0 else None


def unpraised(findings: Sequence[Finding], who: str | None) -> tuple[Finding, ...]:
    """Takes back what passed only because nothing was decided.

    Args:
        findings: Of the lines.
        who: ``Nobody`` or ``Everybody`` was selected; None: the model decides.

    Returns:
        The same findings; a comparison of two groups' rates is no pass where everybody is treated alike.
    """
    if who is None:
        return tuple(findings)
    return tuple(
        replace(
            f,
            outcome=Outcome.NOT_ENOUGH_EVIDENCE,
            message=f"{f.message} But {who.lower()} was selected: groups are alike because nothing is decided.",
        )
        if f.outcome is Outcome.PASSED and METRICS[f.metric].rate
        else f
        for f in findings
    )


def _look(given: AuditInput) -> Iterator[Finding]:
    row = _counted(given.y_true, given.y_pred)
    yield from _of_everybody(row, needs=True)
    if given.y_score is not None:
        if float(np.ptp(given.y_score)) == 0:
            yield _found("scores", Outcome.FAILED, "Everybody has the same score: it orders nobody.")
        else:
            yield _found("scores", Outcome.PASSED, "The score tells people apart.")
    for attribute in given.attributes.values():
        members = {g: attribute.codes == i for i, g in enumerate(attribute.groups)}
        yield from _of_groups(
            attribute.name, {g: _counted(given.y_true[m], given.y_pred[m]) for g, m in members.items()}
        )
        for group, m in members.items():
            score = None if given.y_score is None else given.y_score[m]
            if score is not None and len(score) >= FEW and float(np.ptp(score)) == 0:
                text = f"Everybody of {wording.group_name(group, attribute.name)} has the same score: it orders nobody there."
                yield _found(
                    f"scores:{attribute.name}={group}",
                    Outcome.NOT_ENOUGH_EVIDENCE,
                    text,
                    attribute.name,
                    group,
                )


def _counted(y_true: np.ndarray, y_pred: np.ndarray) -> Row:
    tn, fp, fn, tp = (int(v) for v in np.bincount(y_true * 2 + y_pred, minlength=4))
    return completions.tighten(
        {name: Span(v, v) for name, v in (("tp", tp), ("fp", fp), ("fn", fn), ("tn", tn))}
    )


def _of_everybody(row: Row, *, needs: bool) -> Iterator[Finding]:
    selected, n = row["selected"], completions.people(row)
    if selected.known and row["unselected"].known:
        who = nothing_decided(selected, row["unselected"])
        least = row["selected"] if who == "Nobody" else row["unselected"]
        if who is None:
            yield _found(
                "predictions",
                Outcome.PASSED,
                f"The model decides: {_people(selected)} of {_people(n)} people were selected.",
            )
        elif least.high == 0:
            yield _found(
                "predictions",
                Outcome.FAILED,
                f"{who} was selected: groups are alike because the model decides nothing.",
            )
        else:
            text = f"{who} may have been selected: the table withholds too much to tell whether the model decides anything."
            yield _found("predictions", Outcome.NOT_ENOUGH_EVIDENCE, text)
    if (
        needs
        and row["in_need"].known
        and row["not_in_need"].known
        and 0 in (row["in_need"].high, row["not_in_need"].high)
    ):
        who = "Nobody" if row["in_need"].high == 0 else "Everybody"
        yield _found(
            "outcomes",
            Outcome.NOT_ENOUGH_EVIDENCE,
            f"{who} in these rows is in need: nothing can be judged on them.",
        )
    elif needs and row["fp"].high == 0 and row["fn"].high == 0 and n.low > 0:
        text = f"Not one of {_people(n)} decisions was wrong. That is hardly ever so: look for the outcome among the features."
        yield _found("errors", Outcome.NOT_ENOUGH_EVIDENCE, text)


def _of_groups(attribute: str, rows: Mapping[str, Row]) -> Iterator[Finding]:
    if len([g for g in rows if g != UNKNOWN]) < 2:  # noqa: PLR2004  a comparison takes two
        text = f"{attribute} has one value in these rows: there is nobody to compare with."
        yield _found(f"attribute:{attribute}", Outcome.NOT_ENOUGH_EVIDENCE, text, attribute)
        return
    if all(r["selected"].high == 0 for r in rows.values()) or all(
        r["unselected"].high == 0 for r in rows.values()
    ):
        return  # said of everybody
    for group, row in rows.items():
        if completions.people(row).low < FEW or not row["unselected"].known:
            continue
        for count, who in (("selected", "Nobody"), ("unselected", "Everybody")):
            if row[count].high == 0:
                text = f"{who} of {wording.group_name(group, attribute)} was selected: nothing is decided about this group."
                yield _found(
                    f"predictions:{attribute}={group}", Outcome.NOT_ENOUGH_EVIDENCE, text, attribute, group
                )


def _people(s: Span) -> str:
    return wording.between(s.low, s.high)


def _doubts(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f.message for f in findings if f.outcome is Outcome.NOT_ENOUGH_EVIDENCE)


def _found(
    what: str, outcome: Outcome, message: str, attribute: str | None = None, group: str | None = None
) -> Finding:
    return Finding(
        code=f"degenerate.{what}",
        check="degenerate",
        metric="degenerate",
        role=Role.SCREENS,
        outcome=outcome,
        message=message,
        tool="luvalla",
        version=version("luvalla"),
        attribute=attribute,
        group=group,
    )
