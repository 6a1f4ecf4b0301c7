"""Contributions held against the model itself, what it goes by, and the reasons of a person nobody is.

shap's own additivity check compares shap with shap's walk through the trees, and passed in trials where it was 11 log-odds
away from the model (categorical splits; also float32 rounding). So contributions enter as arrays, from whoever made them,
together with the model's own output, and only that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from audits import reason_findings
from audits.check import AuditInput, CheckResult, Explanation, InventedPerson
from audits.errors import AuditsInputError
from audits.finding import Finding, Outcome, Role
from audits.sections import ExplanationFacts, Importance, InventedReasons

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-6
"""Largest difference allowed between the sum of contributions and the model's own output, in the output's unit."""


@dataclass(frozen=True)
class ExplainabilityCheck:
    """Holds contributions against the model's own output, and ranks features by them."""

    name: str = "explainability"

    def run(self, given: AuditInput) -> CheckResult:
        """Checks the explanation.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without an explanation; else whether it adds up, what the model goes by, and of what was asked of the model and
            its refits: whether reasons hold, keep declared directions and do what they say.

        Raises:
            AuditsInputError: Contributions, names and outputs do not fit together, or are not finite.
        """
        e = given.explain
        if e is None:
            return CheckResult(findings=())
        _fits(e, len(given.y_true))
        error = float(np.abs(e.contributions.sum(axis=1) + e.expected - e.output).max())
        findings = [_additive(e, "additivity", error, len(e.output))]
        invented = None
        if e.invented is not None:
            _person_fits(e, e.invented)
            theirs = abs(float(e.invented.contributions.sum()) + e.expected - e.invented.output)
            findings.append(_additive(e, "invented_additivity", theirs, 1))
            if given.features is not None and is_real(e.invented, given.features):
                text = "The invented person has the same features as somebody real, so their reasons are not shown."
                findings.append(
                    _finding(e, "invented_person", Role.DESCRIBED, Outcome.NOT_ENOUGH_EVIDENCE, text)
                )
            elif findings[-1].outcome is Outcome.PASSED:
                invented = _reasons(e, e.invented)
        importance = rank(e)
        top = ", ".join(f"{i.label} ({i.share:.0%})" for i in importance[:3])
        findings.append(
            _finding(
                e,
                "importance",
                Role.DESCRIBED,
                Outcome.NOT_APPLICABLE,
                f"The model goes by, above all: {top}.",
            )
        )
        facts = ExplanationFacts(e.unit, e.explainer, len(e.output), error, TOLERANCE, importance, invented)
        facts, more = reason_findings.add(given, e, facts, findings[-1])
        findings += more
        return CheckResult(findings=tuple(findings), explanation=facts)


def rank(e: Explanation) -> tuple[Importance, ...]:
    """Ranks features by how far they move the score, whoever it is.

    Args:
        e: Contributions.

    Returns:
        All features, largest mean absolute contribution first.
    """
    size = np.abs(e.contributions).mean(axis=0)
    total = float(size.sum()) or 1.0
    order = sorted(range(len(size)), key=lambda j: (-float(size[j]), e.features[j]))
    return tuple(
        Importance(
            e.features[j], e.labels[j] if e.labels else e.features[j], float(size[j]), float(size[j]) / total
        )
        for j in order
    )


def is_real(person: InventedPerson, features: pd.DataFrame) -> bool:
    """Tells whether somebody real has exactly the invented person's features.

    Args:
        person: The invention.
        features: The model's features of everybody in the audit.

    Returns:
        True if a row equals it in every feature that both have.
    """
    same = np.ones(len(features), dtype=np.bool_)
    shared = [c for c in features.columns if c in person.features]
    for column in shared:
        same &= (features[column] == person.features[column]).to_numpy(dtype=np.bool_, na_value=False)
    return bool(shared) and bool(same.any())


def _fits(e: Explanation, n: int) -> None:
    shape, want = e.contributions.shape, (len(e.output), len(e.features))
    if len(e.output) == 0 or shape != want or len(e.output) > n or len(e.labels) not in {0, len(e.features)}:
        raise AuditsInputError(
            f"contributions of shape {shape} for {len(e.output)} outputs and {len(e.features)} features, {n} people audited",
            "pass contributions[n, f], output[n], f names and f labels or none, for people of this audit",
        )
    if not (np.isfinite(e.contributions).all() and np.isfinite(e.output).all() and np.isfinite(e.expected)):
        raise AuditsInputError(
            "contributions or outputs are not finite numbers", "explain the rows as the model gets them"
        )


def _person_fits(e: Explanation, person: InventedPerson) -> None:
    if person.contributions.shape != (len(e.features),):
        raise AuditsInputError(
            f"the invented person has {person.contributions.shape} contributions; expected ({len(e.features)},)",
            "explain the invented row with the same explainer",
        )


def _reasons(e: Explanation, person: InventedPerson) -> InventedReasons:
    order = np.argsort(-np.abs(person.contributions), kind="stable")
    return InventedReasons(
        features={str(k): _short(v) for k, v in person.features.items()},
        reasons=person.reasons,
        contributions=tuple((e.features[j], float(person.contributions[j])) for j in order),
    )


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def _additive(e: Explanation, code: str, error: float, rows: int) -> Finding:
    ok = error < TOLERANCE
    who = "an invented person" if code.startswith("invented") else f"{rows} people"
    text = (
        f"For {who} the contributions add up to the model's own output (largest error {error:.1e}, allowed {TOLERANCE:.0e})."
        if ok
        else f"For {who} the contributions do not add up to the model's own output: off by up to {error:.2g} {e.unit} "
        f"(allowed {TOLERANCE:.0e}). Reasons taken from them would be wrong."
    )
    return _finding(e, code, Role.SCREENS, Outcome.PASSED if ok else Outcome.FAILED, text, error)


def _finding(
    e: Explanation, code: str, role: Role, outcome: Outcome, text: str, error: float | None = None
) -> Finding:
    return Finding(
        code=f"explainability.{code}",
        check="explainability",
        metric=code,
        role=role,
        outcome=outcome,
        message=text,
        tool=e.tool,
        version=e.version or _version(e.tool),
        estimate=error,
        limit=None if error is None else TOLERANCE,
        n=len(e.output),
    )


def _version(tool: str) -> str:
    try:
        return version(tool)
    except PackageNotFoundError:
        return "not installed"
