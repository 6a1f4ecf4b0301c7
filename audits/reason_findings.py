"""What is said of reasons beside their sum: over refits, in declared directions, and taken away."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from audits import intervals, reason_checks
from audits.errors import AuditsInputError
from audits.finding import Finding, Outcome, Role, Scale

if TYPE_CHECKING:
    from audits.check import AuditInput, Explanation
    from audits.reason_facts import DeletionFacts, MonotoneFacts, RefitFacts
    from audits.sections import ExplanationFacts, InventedReasons

NONE_STANDS_OUT = "No single reason stands out."
"""What the person is told where none of their reasons holds (`consent.why` says it in three languages)."""


def add(
    given: AuditInput, e: Explanation, facts: ExplanationFacts, plain: Finding
) -> tuple[ExplanationFacts, list[Finding]]:
    """Adds to the section on reasons what was asked of the model and its refits.

    Args:
        given: What there is to look at.
        e: The explanation, known to fit.
        facts: The section so far.
        plain: A finding of the check, for its tool and version.

    Returns:
        The section, and findings: stability, leading reasons and deletion described; each declared direction screens.

    Raises:
        AuditsInputError: Arrays that do not fit together.
    """
    labels = e.labels or e.features
    found: list[Finding] = []
    refits = deletion = None
    if e.refits is not None:
        rows = e.refits.rows
        if len(rows) == 0 or rows.min() < 0 or rows.max() >= len(e.output):
            raise AuditsInputError(
                f"refits explain {len(rows)} people; expected row numbers from 0 to {len(e.output) - 1}",
                "name people of this audit",
            )
        refits = reason_checks.over_refits(
            e.features, labels, e.contributions[rows], given.y_pred[rows] == 1, e.refits
        )
        found += _refits(refits, plain)
    monotone = reason_checks.monotone(e.monotone, dict(zip(e.features, labels, strict=True)))
    found += [_monotone(m, e.unit, plain) for m in monotone]
    if e.deletion is not None:
        deletion = reason_checks.deletion(e.deletion)
        found.append(_deletion(deletion, e.unit, plain))
    if refits is not None and facts.invented is not None:
        facts = replace(facts, invented=_heard(facts.invented, refits))
    return replace(facts, refits=refits, monotone=monotone, deletion=deletion), found


def _heard(person: InventedReasons, refits: RefitFacts) -> InventedReasons:
    """What the invented person would be told: an offer's reasons, without those that do not hold."""
    unstable = {r.label for r in refits.reasons_told if r.direction == "for" and not r.stable}
    left = tuple(text for text in person.reasons if text not in unstable)
    return replace(person, reasons=left or ((NONE_STANDS_OUT,) if person.reasons else ()))


def _refits(facts: RefitFacts, plain: Finding) -> list[Finding]:
    correlation = facts.rank_correlation
    fitted = f"Fitted {facts.refits} more times, each time without some of the people, the model "
    text = fitted + (
        "gives no order of features by weight that could be compared."
        if correlation is None
        else f"orders its features by weight as this version does, to a rank correlation of at least {correlation:.2f}."
    )
    found = [
        replace(
            plain,
            code="explainability.importance_stability",
            metric="importance_stability",
            message=text,
            estimate=correlation,
            n=facts.people,
        )
    ]
    if not facts.leading:
        return found
    kept, of = facts.leading_kept, facts.leading
    low, high = (float(v) for v in intervals.wilson(kept, of, reason_checks.LEVEL))
    told = [r for r in facts.reasons_told if r.told]
    weak = sorted({r.label for r in told if not r.stable})
    text = (
        f"For {kept} of {of} people ({kept / of:.0%}; {reason_checks.LEVEL:.0%} interval {low:.0%} to {high:.0%}) the leading reason is "
        f"the same in every refit."
    )
    if weak:
        text += f" Not stable, and not told in at least one direction: {'; '.join(weak)}."
    if facts.none_stable:
        text += f" {facts.none_stable} of {facts.people} people are told that no single reason stands out."
    found.append(
        replace(
            plain,
            code="explainability.top_reason",
            metric="top_reason",
            message=text,
            estimate=kept / of,
            low=low,
            high=high,
            level=reason_checks.LEVEL,
            n=of,
        )
    )
    return found


def _monotone(m: MonotoneFacts, unit: str, plain: Finding) -> Finding:
    way = "lowers" if m.direction == "increasing" else "raises"
    ok = m.violated == 0 and m.points > 1 and m.people > 0
    outcome = Outcome.PASSED if ok else Outcome.FAILED if m.violated else Outcome.NOT_ENOUGH_EVIDENCE
    if ok:
        text = f"More of '{m.label}' never {way} the score: asked of the model for {m.people} people at {m.points} values, as declared."
    elif m.violated:
        text = (
            f"The service declares that more of '{m.label}' never {way} the score. It does for {m.violated} of {m.people} people, by up "
            f"to {m.largest:.2g} {unit}."
        )
    else:
        text = f"Whether more of '{m.label}' never {way} the score cannot be asked: people have {m.points} value(s) of it."
    return replace(
        plain,
        code=f"explainability.monotone:{m.feature}",
        metric="monotone",
        role=Role.SCREENS,
        outcome=outcome,
        message=text,
        tool="luvalla",
        version=version("luvalla"),
        estimate=m.largest,
        limit=0.0,
        n=m.people,
        events=m.violated,
        too_few=outcome is Outcome.NOT_ENOUGH_EVIDENCE,
    )


def _deletion(facts: DeletionFacts, unit: str, plain: Finding) -> Finding:
    last = facts.steps[-1]
    text = (
        f"Without the {last.features} reason(s) that raised it most, the score falls by {last.strongest:.2f} {unit} on average; without "
        f"as many at random by {last.random:.2f} (difference {last.gain:+.2f}, {reason_checks.LEVEL:.0%} interval {last.low:+.2f} to "
        f"{last.high:+.2f}; {facts.people} people)."
    )
    return replace(
        plain,
        code="explainability.deletion",
        metric="deletion",
        message=text,
        scale=Scale.DIFFERENCE,
        estimate=last.gain,
        low=last.low,
        high=last.high,
        level=reason_checks.LEVEL,
        n=facts.people,
    )
