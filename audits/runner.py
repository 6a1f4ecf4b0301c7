"""One call from arrays to a report: every check runs, and one that breaks is said to have broken."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from audits import chance, inputs, plugin_results, report, rule
from audits.baselines import BaselinesCheck
from audits.benefit_finding import BenefitCheck
from audits.bootstrap import BootstrapCheck
from audits.check import (
    AuditInput,
    Baseline,
    Check,
    CheckResult,
    DataQuality,
    Explanation,
    Simpler,
    installed,
)
from audits.consent_bias import ConsentsCheck
from audits.data_quality import DataQualityCheck
from audits.degenerate import DegenerateCheck
from audits.errors import AuditsError
from audits.explainability import ExplainabilityCheck
from audits.fairness import FairnessCheck
from audits.finding import Finding, Outcome, Role
from audits.labels import LabelsCheck
from audits.performance import PerformanceCheck
from audits.procedure import ProcedureCheck
from audits.proxies import ProxiesCheck
from audits.report import AuditReport
from audits.robustness import RobustnessCheck
from audits.row_quality import RowsCheck
from audits.sections import PopulationFacts, ReportSubject, RuleFacts, Tool
from audits.subgroups import SubgroupsCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from audits.benefit_trial import Trial
    from audits.consent_facts import ConsentCounts
    from audits.lines import Line
    from audits.measures import Measures
    from audits.procedure import CrossFitted, HeldOut
    from audits.robust_facts import Robustness
    from audits.row_facts import Rows

CHECKS: tuple[Check, ...] = (
    FairnessCheck(),
    DegenerateCheck(),
    PerformanceCheck(),
    BaselinesCheck(),
    BootstrapCheck(),
    BenefitCheck(),
    ExplainabilityCheck(),
    DataQualityCheck(),
    RowsCheck(),
    ConsentsCheck(),
    LabelsCheck(),
    RobustnessCheck(),
    ProcedureCheck(),
    SubgroupsCheck(),
    ProxiesCheck(),
)
"""The room's own checks, in the order in which a report shows them."""

SEED = 20261124


def audit(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sensitive_features: pd.DataFrame | Mapping[str, ArrayLike] | ArrayLike,
    lines: Sequence[Line] | None = None,
    y_score: ArrayLike | None = None,
    threshold: float | None = None,
    other_needs: Mapping[str, ArrayLike] | None = None,
    baseline: Baseline | None = None,
    features: pd.DataFrame | None = None,
    explain: Explanation | None = None,
    data_quality: DataQuality | None = None,
    clusters: ArrayLike | None = None,
    benefit: Trial | None = None,
    rows: Rows | None = None,
    consents: ConsentCounts | None = None,
    measures: Measures | None = None,
    robustness: Robustness | None = None,
    procedure: CrossFitted | HeldOut | None = None,
    simpler: Simpler | None = None,
    subject: ReportSubject | None = None,
    simulated: tuple[str, ...] = (),
    unknowns: tuple[str, ...] = (),
    checks: Sequence[Check] | None = None,
    seed: int = SEED,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """Audits predictions about people.

    Args:
        y_true: 0 or 1, [n]: in need by the declared measure; NaN or None where it is unknown. Lines on selection count everybody,
            every other line the known, and must hold whatever the others' outcome was (`audits.unknown_outcomes`).
        y_pred: 0 or 1, [n]: selected, at the threshold deployed.
        sensitive_features: Values per person, [n] each: a data frame, a mapping, or one array. Missing values become the
            group "unknown".
        lines: The policy's lines, drawn before any score was seen. None: `audits.lines.default_lines`, an offer of help.
        y_score: float[n], probability of need or another score, where there is one. A score outside 0 to 1 is no probability:
            lines on calibration do not apply to it.
        threshold: Threshold deployed, for the record.
        other_needs: Other measures of need, 0 or 1, [n] each. Empty: none is held, so lines on them do not apply. None:
            nothing was said, so such lines could not run.
        baseline: The first version on the same people at equal capacity; ``Baseline(None)`` where this is the first.
        features: The model's own features, [n] rows; only compared with the invented person, never kept.
        explain: Contributions with the model's own output.
        data_quality: Rows and what is expected of them.
        clusters: Cluster (family) of each person, [n]. None: independent rows, and the report says so.
        benefit: A randomised trial, where the model estimates gain; its people may be others than those above.
        rows: The rows behind the audit, for missing values, duplicates, leaks and drift; they may be more than those above.
        consents: Counts of who consented, by group: nobody's row.
        robustness: Selections after small changes of features, people by period, and scores of people learnt from and others.
        simpler: Baselines at equal capacity, that the version's gain is shown against.
        measures: The declared measure of need with its reason, and all others held, 0/1 or quantities. None: `other_needs` are all.
        procedure: Which models gave the scores: cross-fitted, and the refit that is deployed; or three sets held apart.
        subject: What is audited and decided.
        simulated: What in these inputs is invented or simulated; shown on the page.
        unknowns: What the caller knows that this audit cannot tell.
        checks: In place of the room's own and the installed plug-ins.
        seed: Of every simulation; the same inputs and seed give the same bytes.
        progress: Told what is being done, before it is: an audit of a million people takes half a minute and more.

    Returns:
        The report, in its canonical form.

    Raises:
        AuditsInputError: Arrays that do not fit together, values that are not 0 or 1, an unknown attribute in a line.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(7)
        >>> need = rng.random(4000) < 0.2
        >>> found = np.where(need, rng.random(4000) < 0.6, rng.random(4000) < 0.1)
        >>> report = audit(need, found, sensitive_features={"sex": np.repeat(["woman", "man"], 2000)})
        >>> print(report.verdict.outcome)
        passed
    """
    given = inputs.check(
        y_true,
        y_pred,
        sensitive_features,
        y_score=y_score,
        threshold=threshold,
        other_needs=other_needs,
        baseline=baseline,
        features=features,
        explain=explain,
        data_quality=data_quality,
        clusters=clusters,
        lines=lines,
        seed=seed,
        benefit=benefit,
        rows=rows,
        consents=consents,
        measures=measures,
        robustness=robustness,
        procedure=procedure,
        simpler=simpler,
    )
    own = [(c.name, c) for c in (CHECKS if checks is None else checks)]
    plugins = installed() if checks is None else ()
    results: list[CheckResult] = []
    for number, (name, c) in enumerate([*own, *plugins], start=1):
        if progress is not None:
            progress(f"check {number} of {len(own) + len(plugins)}: {name.replace('_', ' ')}")
        taken = {f.code for r in results for f in r.findings}
        results.append(run_check(name, c, given) if number <= len(own) else run_plugin(name, c, given, taken))
    findings = _unique([f for r in results for f in r.findings])
    return report.canonical(
        AuditReport(
            schema=report.SCHEMA,
            subject=subject or ReportSubject(),
            verdict=rule.verdict(findings),
            rule=_rule(given, results),
            population=_population(given),
            findings=findings,
            groups=tuple(g for r in results for g in r.groups),
            price=tuple(p for r in results for p in r.price),
            trades=tuple(t for r in results for t in r.trades),
            performance=next((r.performance for r in results if r.performance is not None), None),
            explanation=next((r.explanation for r in results if r.explanation is not None), None),
            baselines=next((r.baselines for r in results if r.baselines is not None), None),
            benefit=next((r.benefit for r in results if r.benefit is not None), None),
            procedure=next((r.procedure for r in results if r.procedure is not None), None),
            unknown_outcomes=next(
                (r.unknown_outcomes for r in results if r.unknown_outcomes is not None), None
            ),
            robustness=next((r.robustness for r in results if r.robustness is not None), None),
            consents=next((r.consents for r in results if r.consents is not None), None),
            labels=next((r.labels for r in results if r.labels is not None), None),
            subgroups=next((r.subgroups for r in results if r.subgroups is not None), None),
            proxies=next((r.proxies for r in results if r.proxies is not None), None),
            row_quality=next((r.row_quality for r in results if r.row_quality is not None), None),
            data_quality=next((r.data_quality for r in results if r.data_quality is not None), None),
            unknowns=tuple(dict.fromkeys((*(u for r in results for u in r.unknowns), *unknowns))),
            simulated=simulated,
            tools=tools(findings),
        )
    )


def run_check(name: str, check: object, given: AuditInput) -> CheckResult:
    """Runs one check; whatever it raises becomes a finding that it could not run.

    Args:
        name: Its name.
        check: The check, or what loading it raised.
        given: The audit's input.

    Returns:
        Its result. The message of a stranger's exception is left out: it may hold somebody's data.
    """
    result = _attempt(check, given)
    return _broken(name, result) if isinstance(result, str) else result


def run_plugin(name: str, check: object, given: AuditInput, taken: set[str]) -> CheckResult:
    """Runs a third party's check; what it gives back enters the report only if it may stand in one.

    Args:
        name: Of its entry point.
        check: The check, or what loading it raised.
        given: The audit's input.
        taken: Codes of the findings that are in the report already.

    Returns:
        Its result, or a finding that it could not run. A plug-in never stops an audit, and never decides one.
    """
    result = _attempt(check, given)
    if not isinstance(result, str):
        reason = plugin_results.fault(str(getattr(check, "name", name)), result, taken)
        result = reason or plugin_results.kept(result)
    if not isinstance(result, str):
        return result
    return _broken(name if f"{name}.could_not_run" not in taken else f"plug-in {name}", result)


def _attempt(check: object, given: AuditInput) -> CheckResult | str:
    """The check's result, or why there is none."""
    try:
        if isinstance(check, Exception):
            return f"loading it raised {type(check).__name__}"
        if not isinstance(check, Check):
            return f"{type(check).__name__} is not a check: it has no name or no run"
        result = check.run(given)
    except AuditsError as error:
        return error.message
    except Exception as error:  # noqa: BLE001  a check that raises anything at all is a check that did not run
        return type(error).__name__
    if not isinstance(result, CheckResult):
        return f"gave back a {type(result).__name__} in place of a CheckResult"
    return result


def _broken(name: str, why: str) -> CheckResult:
    finding = Finding(
        code=f"{name}.could_not_run",
        check=name,
        metric="run",
        role=Role.SCREENS,
        outcome=Outcome.COULD_NOT_RUN,
        message=f"The check {name} could not run: {why}.",
        tool="luvalla",
        version=version("luvalla"),
    )
    return CheckResult(findings=(finding,), unknowns=(finding.message,))


def _unique(findings: list[Finding]) -> tuple[Finding, ...]:
    seen: set[str] = set()
    for f in findings:
        if f.code in seen:
            raise AuditsError(
                f"two findings have the code {f.code!r}", "a check's codes start with its own name"
            )
        seen.add(f.code)
    return tuple(findings)


def rule_facts(lines: Sequence[Line], clusters: int | None, overall: float | None) -> RuleFacts:
    """Writes down the rule as applied.

    Args:
        lines: Written out.
        clusters: Number of clusters accounted for; None: rows were taken as independent.
        overall: Chance that an equal model would have passed; None: not computed.

    Returns:
        The facts.
    """
    return RuleFacts(
        deciding=sum(line.role is Role.DECIDES for line in lines),
        screening=sum(line.role is Role.SCREENS for line in lines),
        level=rule.LEVEL,
        error=rule.ERROR,
        few=rule.FEW,
        clusters=clusters,
        chance=overall,
        simulations=0 if overall is None else chance.DRAWS,
    )


def _rule(given: AuditInput, results: list[CheckResult]) -> RuleFacts:
    clusters = None if given.clusters is None else int(given.clusters.max()) + 1
    facts = rule_facts(given.lines, clusters, next((r.chance for r in results if r.chance is not None), None))
    crossed = sum(len(f.crossed) > 0 for r in results for f in r.findings)
    return replace(facts, screening=facts.screening + crossed)


def _population(given: AuditInput) -> PopulationFacts:
    return PopulationFacts(
        n=len(given.y_true),
        in_need=int(given.y_true.sum()),
        selected=int(given.y_pred.sum()),
        found=int((given.y_true & given.y_pred).sum()),
        missing={a.name: a.missing for a in given.attributes.values()},
        threshold=given.threshold,
    )


def tools(findings: tuple[Finding, ...]) -> tuple[Tool, ...]:
    """Names the libraries behind the numbers.

    Args:
        findings: All of an audit.

    Returns:
        Names and versions, sorted.
    """
    names: dict[str, Any] = {
        n: version(n) for n in ("fairlearn", "luvalla", "numpy", "scikit-learn", "scipy", "statsmodels")
    }
    names |= {f.tool: f.version for f in findings}
    return tuple(Tool(name, names[name]) for name in sorted(names))
