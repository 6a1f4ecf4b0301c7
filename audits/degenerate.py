"""Results that look perfect because nothing happened: flagged, not praised."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from audits.check import AuditInput, CheckResult
from audits.finding import Finding, Outcome, Role
from audits.lines import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        doubts = tuple(f.message for f in findings if f.outcome is Outcome.NOT_ENOUGH_EVIDENCE)
        return CheckResult(findings=findings, unknowns=doubts)


def _look(given: AuditInput) -> Iterator[Finding]:
    n, selected, need = len(given.y_pred), int(given.y_pred.sum()), int(given.y_true.sum())
    if selected in {0, n}:
        who = "Nobody" if selected == 0 else "Everybody"
        yield _found(
            "predictions",
            Outcome.FAILED,
            f"{who} was selected: groups are alike because the model decides nothing.",
        )
    else:
        yield _found(
            "predictions", Outcome.PASSED, f"The model decides: {selected} of {n} people were selected."
        )
    if need in {0, n}:
        who = "Nobody" if need == 0 else "Everybody"
        yield _found(
            "outcomes",
            Outcome.NOT_ENOUGH_EVIDENCE,
            f"{who} in these rows is in need: nothing can be judged on them.",
        )
    if given.y_score is not None:
        if float(np.ptp(given.y_score)) == 0:
            yield _found("scores", Outcome.FAILED, "Everybody has the same score: it orders nobody.")
        else:
            yield _found("scores", Outcome.PASSED, "The score tells people apart.")
    for attribute in given.attributes.values():
        if len([g for g in attribute.groups if g != UNKNOWN]) < 2:  # noqa: PLR2004  a comparison takes two
            text = f"{attribute.name} has one value in these rows: there is nobody to compare with."
            yield _found(f"attribute:{attribute.name}", Outcome.NOT_ENOUGH_EVIDENCE, text, attribute.name)


def _found(what: str, outcome: Outcome, message: str, attribute: str | None = None) -> Finding:
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
    )
