"""From a version and its cross-fitted scores to what an audit takes; and the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audits import runner
from audits.check import Baseline, DataQuality, Expectation
from audits.measures import Measure, Measures
from audits.procedure import CrossFitted
from audits.row_facts import Rows
from audits.sections import ReportSubject
from governance import baseline_input, explanation_input, robust_input
from models import training
from models.fitted_digest import fitted_digest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

    from audits.consent_facts import ConsentCounts
    from audits.report import AuditReport
    from governance.cases import Case
    from governance.policy import Policy
    from models.artifact import Facts
    from models.service import Column, Recipe, Service
    from models.training import CrossFit


@dataclass(frozen=True)
class Audience:
    """What the report says of its own making.

    Args:
        rows_digest: DIGEST of the file of rows.
        earlier: How many audits of this service were run on the same rows before, of whatever version.
        on: The day.
        simulated: What of the people or their consents is invented.
        consents: Counts of who consented, by group; None: the service declares no basis for counting.
    """

    rows_digest: str
    earlier: int
    on: dt.date
    simulated: tuple[str, ...] = ()
    consents: ConsentCounts | None = None


def report_on(
    service: Service,
    case: Case,
    policy: Policy,
    rows: pd.DataFrame,
    crossed: CrossFit,
    estimator: Any,
    facts: Facts,
    audience: Audience,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """Audit cross-fitted scores under a policy.

    Args:
        service: Declares need, sensitive features and texts.
        case: The version.
        policy: Whose lines decide.
        rows: Consenting people's rows, all columns of the contract.
        crossed: Everyone's score by a model that saw neither them nor their family.
        estimator: The deployed model, for its reasons.
        facts: What the artifact says of itself: threshold, recipe.
        audience: For the page.
        progress: Told each check before it runs.

    Returns:
        The report. Whose need is unknown is in it too: what is not about selection alone must hold whatever theirs was.
    """
    recipe = training.find_recipe(service, facts.recipe)
    need = rows[service.need.column].to_numpy(dtype=np.float64)
    # A score for another target (spending) is no probability of need: it orders people and no more.
    probability = recipe.target == service.need.column
    score = crossed.scores if probability else _log_odds(crossed.scores)
    first = next(iter(service.recipes.values()))
    baseline = Baseline(None, "")
    if recipe.name != first.name:
        before = training.cross_fit(service, first, rows, seed=facts.seed)
        baseline = Baseline(before.selected.astype(np.int8), f"the first version ({first.name})")
    measures, left = _other_needs(service, rows, ~np.isnan(need))
    return runner.audit(
        need,
        crossed.selected.astype(np.int8),
        sensitive_features=rows[list(service.sensitive_features)],
        lines=policy.lines(service.id),
        y_score=score,
        threshold=facts.threshold,
        other_needs=measures,
        baseline=baseline,
        features=rows[list(service.features)],
        explain=explanation_input.explanation(service, estimator, rows, crossed.refits, facts.seed),
        data_quality=DataQuality(rows, expectations(service), f"{service.id} rows"),
        rows=_rows(service, rows, crossed),
        consents=audience.consents,
        measures=_measures(service, recipe, rows),
        robustness=robust_input.robustness(service, estimator, rows, crossed, facts),
        procedure=CrossFitted(
            fold=crossed.fold,
            models=tuple(fitted_digest(one) for one in crossed.refits),
            trained_on=crossed.trained_on,
            quantile=crossed.quantiles,
            refit=fitted_digest(estimator),
            refit_score=crossed.refit_scores,
            capacity=facts.capacity,
        ),
        simpler=baseline_input.simpler(service, recipe, rows, crossed, facts),
        clusters=None if service.family_column is None else rows[service.family_column].to_numpy(),
        subject=_subject(service, case, policy, facts, audience, baseline),
        simulated=(*service.simulated, *audience.simulated),
        unknowns=(*left, *_earlier(audience), *_uncounted(audience)),
        progress=progress,
    )


def _rows(service: Service, rows: pd.DataFrame, crossed: CrossFit) -> Rows:
    """The rows behind the audit: everyone scored by a model that saw neither them nor their family."""
    timed = {name: service.column(name).known for name in service.features}
    return Rows(
        rows,
        service.features,
        service.sensitive_features,
        service.need.column,
        service.person_column,
        fold=crossed.fold,
        units=None if service.family_column is None else rows[service.family_column].to_numpy(),
        known_after=tuple(name for name, known in timed.items() if known == "after"),
        timed=tuple(name for name, known in timed.items() if known),
        shares=service.population_shares,
    )


def _subject(
    service: Service, case: Case, policy: Policy, facts: Facts, audience: Audience, baseline: Baseline
) -> ReportSubject:
    recipe = service.recipes[facts.recipe]
    return ReportSubject(
        service=service.id,
        title=service.title["en"],
        kind=service.kind,
        question=f"May version {case.version} choose whom this service makes its offer to?",
        offer=service.offer["en"],
        need=service.need.description["en"],
        model_name=case.name,
        model_version=case.version,
        model_digest=case.digest,
        recipe=f"{recipe.description} {service.sensitive_use()}".strip(),
        baseline=baseline.label,
        capacity=service.capacity,
        policy_name=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        rows=(
            f"{service.source} Only people who consented. Everyone was scored by a model fitted on the other folds (5), families "
            "whole in one fold; in each fold the top of the scores was selected, up to capacity."
        ),
        rows_digest=audience.rows_digest,
        audits_on_rows=audience.earlier + 1,
        audited_on=audience.on.isoformat(),
    )


def _log_odds(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    inside = np.clip(scores, 1e-9, 1 - 1e-9)
    return np.log(inside / (1 - inside))


def _other_needs(
    service: Service, rows: pd.DataFrame, known: npt.NDArray[np.bool_]
) -> tuple[dict[str, npt.NDArray[np.float64]], tuple[str, ...]]:
    """The other measures that are known for everyone whose need is known, and a sentence for each that is not."""
    measures, left = {}, []
    for measure in service.other_needs:
        values = rows[measure.column].to_numpy(dtype=np.float64)
        unknown = int(np.isnan(values[known]).sum())
        if unknown:
            left.append(
                f"The measure '{measure.column}' is unknown for {unknown:,} of {int(known.sum()):,} people and was left out."
            )
        else:
            measures[measure.column] = values
    return measures, tuple(left)


def _uncounted(audience: Audience) -> tuple[str, ...]:
    if audience.consents is not None:
        return ()
    return (
        "How those who did not consent differ from those who did: the service declares no basis for counting them by group.",
    )


def _measures(service: Service, recipe: Recipe, rows: pd.DataFrame) -> Measures:
    """All measures of need that are held, and what the version learnt in place of need. No group is named."""
    told = {n.column: n.description["en"] for n in service.other_needs}
    if recipe.target not in {*told, service.need.column}:
        told[recipe.target] = f"What this version learnt. {service.column(recipe.target).description}"
    return Measures(
        service.need.column,
        service.need.description["en"],
        service.need.reason.get("en", ""),
        tuple(Measure(c, rows[c].to_numpy(dtype=np.float64), words) for c, words in told.items()),
    )


def _earlier(audience: Audience) -> tuple[str, ...]:
    if not audience.earlier:
        return ()
    return (
        f"{audience.earlier} audit(s) of this service were run on the same rows before: looking often enough finds a pass by chance.",
    )


def expectations(service: Service) -> tuple[Expectation, ...]:
    """A service's suite: its data contract as great-expectations sees it, and the two things a contract cannot say.

    Args:
        service: Whose contract.

    Returns:
        A number of rows, one row a person, and what holds of each column; for rows in memory or in a database.
    """
    told: list[Expectation] = [
        Expectation("row_count", minimum=100, why="fewer rows than this decide nothing"),
        Expectation("unique", service.person_column, why="one row a person"),
    ]
    for column in service.contract:
        told += _of(column)
    return tuple(told)


def _of(column: Column) -> list[Expectation]:
    told = []
    if not column.nullable:
        told.append(Expectation("not_null", column.name, why=column.description))
    if column.categories:
        told.append(Expectation("in_set", column.name, allowed=column.categories, why=column.description))
    elif column.kind == "flag":
        told.append(Expectation("in_set", column.name, allowed=(0, 1), why=column.description))
    elif column.low is not None or column.high is not None:
        told.append(
            Expectation(
                "between", column.name, minimum=column.low, maximum=column.high, why=column.description
            )
        )
    return told
