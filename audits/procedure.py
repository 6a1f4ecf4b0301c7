"""Does the audit speak for the model that is deployed? Cross-fitting audits a procedure; held-out rows a model, if they are apart.

Cross-fitted, everyone is scored by a model of the other folds, and it is the refit on everybody that is deployed. The report
names both. Scores of different models are compared as quantiles of each model's own training scores, and the refit must order
people as they do. Held out, the rows that taught the model, those that set its threshold and those audited must be three sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from audits.check import AuditInput, CheckResult
from audits.errors import AuditsInputError
from audits.finding import Direction, Finding, Outcome, Role, Scale
from audits.procedure_facts import FoldModel, ProcedureFacts

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    from numpy.typing import NDArray

LEAST_CORRELATION: Final = 0.95
"""Under this rank correlation the audit of the procedure does not speak for the refit. Source: issue 4, rule 7; luvalla 2026."""


@dataclass(frozen=True)
class CrossFitted:
    """How everyone came to a score by a model that saw neither them nor their family.

    Args:
        fold: int64[n], 0 to k - 1: the fold of each row, those with an unknown outcome too.
        models: ``sha256:...`` of the model that scored each fold, [k].
        trained_on: Rows that each learnt from, [k].
        quantile: float64[n], 0 to 1: each row's score as a quantile of its model's own training scores.
        refit: ``sha256:...`` of the model fitted on everybody, which is deployed.
        refit_score: float64[n], its scores of the same rows.
        capacity: Share of people who can be selected, 0 to 1; None: not known.

    Raises:
        AuditsInputError: Arrays that do not fit together, or a value out of range.
    """

    fold: NDArray[np.int64]
    models: tuple[str, ...]
    trained_on: tuple[int, ...]
    quantile: NDArray[np.float64]
    refit: str
    refit_score: NDArray[np.float64]
    capacity: float | None = None

    def __post_init__(self) -> None:
        n, k = len(self.fold), len(self.models)
        if not len(self.quantile) == len(self.refit_score) == n or len(self.trained_on) != k:
            raise AuditsInputError(
                f"fold has {n} rows, quantile {len(self.quantile)} and refit_score {len(self.refit_score)}; {k} models and "
                f"{len(self.trained_on)} numbers of rows",
                "pass one value per person in one order, and one per fold",
            )
        if n == 0 or set(np.unique(self.fold).tolist()) != set(range(k)):
            raise AuditsInputError(
                f"the folds are not 0 to {k - 1}, each with people", "number the folds as their models"
            )
        if not (np.all(self.quantile >= 0) and np.all(self.quantile <= 1)):
            raise AuditsInputError(
                "a quantile is not within 0 and 1", "divide ranks by the number of training rows"
            )
        if not np.isfinite(self.refit_score).all():
            raise AuditsInputError("refit_score has values that are not finite", "one number per person")


@dataclass(frozen=True)
class HeldOut:
    """The three sets behind an audit on rows that were held out, by unit: a family where families are whole, else a person.

    Args:
        train: Units that the model learnt from.
        tune: Units by which its settings or its threshold were chosen; empty: none were.
        audit: Units audited.

    Raises:
        AuditsInputError: A unit is in two of them, or nothing was audited or learnt from.
    """

    train: Collection[Hashable]
    tune: Collection[Hashable]
    audit: Collection[Hashable]

    def __post_init__(self) -> None:
        sets = {name: set(getattr(self, name)) for name in ("train", "tune", "audit")}
        for name in ("train", "audit"):
            if not sets[name]:
                raise AuditsInputError(f"the {name} set is empty", "name the units of all three sets")
        for one, other in (("train", "tune"), ("train", "audit"), ("tune", "audit")):
            if both := len(sets[one] & sets[other]):
                raise AuditsInputError(
                    f"{both:,} people or families are in both the {one} and the {other} set",
                    "hold them out anew: train, tune and audit are three sets",
                )


@dataclass(frozen=True)
class ProcedureCheck:
    """Names the models behind the scores, and holds the deployed one against them."""

    name: str = "procedure"

    def run(self, given: AuditInput) -> CheckResult:
        """Compares the refit with the folds' models.

        Args:
            given: What there is to look at.

        Returns:
            One finding, that fails where the refit orders people otherwise; nothing where no procedure was given.

        Raises:
            AuditsInputError: The procedure is of other people.
        """
        how = given.procedure
        if how is None:
            return CheckResult(findings=())
        people = len(given.y_true) + (0 if given.unknown is None else len(given.unknown.y_pred))
        if isinstance(how, HeldOut):
            return _held_out(how)
        if len(how.fold) != people:
            raise AuditsInputError(
                f"the procedure is of {len(how.fold):,} people, the audit of {people:,}",
                "pass one value per person",
            )
        facts = ProcedureFacts(_folds(how), how.refit, correlation(how.quantile, how.refit_score))
        return CheckResult(findings=(_agrees(facts, people),), procedure=facts)


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank.

    Args:
        one: float64[n].
        other: float64[n].

    Returns:
        -1 to 1; None where either is constant.
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(stats.spearmanr(one, other).statistic)


def _folds(how: CrossFitted) -> tuple[FoldModel, ...]:
    out = []
    for k, (digest, trained) in enumerate(zip(how.models, how.trained_on, strict=True)):
        inside = how.quantile[how.fold == k]
        above = None if how.capacity is None else float((inside > 1 - how.capacity).mean())
        out.append(FoldModel(digest, trained, len(inside), above))
    return tuple(out)


def _agrees(facts: ProcedureFacts, people: int) -> Finding:
    found = facts.correlation
    if found is None:
        outcome, says = Outcome.NOT_ENOUGH_EVIDENCE, "one of the two gives everybody the same score"
    elif found >= LEAST_CORRELATION:
        outcome, says = (
            Outcome.PASSED,
            f"rank correlation {found:.3f}, at least {LEAST_CORRELATION} asked for",
        )
    else:
        outcome = Outcome.FAILED
        says = (
            f"rank correlation {found:.3f}, at least {LEAST_CORRELATION} asked for: what was audited does not speak for this "
            "version; train it again from its recipe"
        )
    return Finding(
        code="procedure.refit_agreement",
        check="procedure",
        metric="refit_agreement",
        role=Role.SCREENS,
        outcome=outcome,
        message=(
            f"Everyone was scored by one of {len(facts.folds)} models that had not seen them; the model that is deployed was fitted "
            f"on everybody. How alike they order {people:,} people: {says}."
        ),
        tool="scipy",
        version=version("scipy"),
        scale=Scale.VALUE,
        estimate=found,
        limit=LEAST_CORRELATION,
        direction=Direction.AT_LEAST,
        n=people,
        source="issue 4, rule 7; luvalla 2026",
        why="cross-fitting audits a procedure, and one model of it is deployed",
    )


def _held_out(how: HeldOut) -> CheckResult:
    train, tune, audited = (len(set(units)) for units in (how.train, how.tune, how.audit))
    finding = Finding(
        code="procedure.three_sets",
        check="procedure",
        metric="three_sets",
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=(
            f"The model learnt from {train:,} people or families, was tuned on {tune:,} and is audited on {audited:,}; none is in "
            "two of the three sets."
        ),
        tool="luvalla",
        version=version("luvalla"),
        estimate=float(audited),
        n=audited,
    )
    facts = ProcedureFacts(train=train, tune=tune, audit=audited)
    return CheckResult(findings=(finding,), procedure=facts)
