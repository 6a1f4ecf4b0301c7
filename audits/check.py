"""What a check is given, what it gives back, and the contract between: the plug-in group ``luvalla.checks``."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from audits.baseline_facts import BaselineFacts
    from audits.benefit_facts import BenefitFacts
    from audits.benefit_trial import Trial
    from audits.consent_facts import ConsentCounts, ConsentFacts
    from audits.finding import Finding, Role
    from audits.group_facts import TradeRow
    from audits.label_facts import LabelFacts
    from audits.lines import Line
    from audits.measures import Measures
    from audits.probes import Deletion, Moved, Refits
    from audits.procedure import CrossFitted, HeldOut
    from audits.procedure_facts import ProcedureFacts
    from audits.proxy_facts import ProxyFacts
    from audits.robust_facts import Robustness, RobustnessFacts
    from audits.row_facts import RowFacts, Rows
    from audits.sections import DataQualityFacts, ExplanationFacts, GroupRow, PerformanceFacts, PriceRow
    from audits.subgroup_facts import SubgroupFacts
    from audits.unknown_facts import UnknownFacts, UnknownRows

PLUGIN_GROUP = "luvalla.checks"


@dataclass(frozen=True)
class Attribute:
    """A sensitive feature as the audit holds it.

    Args:
        name: Its name.
        groups: Groups, sorted; ``unknown`` last where a value is missing.
        codes: int64[n], index into `groups`.
        missing: Share of people without a value, 0 to 1.
        unknown_codes: int64[u], the same of people whose outcome is unknown; None where every outcome is known.
    """

    name: str
    groups: tuple[str, ...]
    codes: NDArray[np.int64]
    missing: float
    unknown_codes: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Baseline:
    """The service's first version on the same people, at equal capacity.

    Args:
        y_pred: 0 or 1, [n]: whom it selected. None says that this *is* the first version, so that nothing can be levelled
            down: a missing baseline must be said, not forgotten.
        label: What it is called.
    """

    y_pred: NDArray[np.int8] | None
    label: str = "the first version"


@dataclass(frozen=True)
class Comparator:
    """Something simpler than the version, on the same people at equal capacity, that did not learn from them.

    Args:
        name: Short and stable: ``prior``, ``scorecard`` ...
        label: In plain words.
        y_pred: 0 or 1, [n]: whom it selects.
        y_score: float[n], higher comes first; None: only who is selected is compared.
        simple: Whether it is a model that could be used in place of the version, so that the version has to be better; False for
            what the office did before.
    """

    name: str
    label: str
    y_pred: NDArray[np.int8]
    y_score: NDArray[np.float64] | None = None
    simple: bool = True


@dataclass(frozen=True)
class Simpler:
    """What a version is held against, and whether it has to earn anything.

    Args:
        models: Comparators; chance is always added. Empty: only chance.
        complexity: What about the version cannot be worked out by hand (``gradient boosted trees``); "": nothing.
    """

    models: tuple[Comparator, ...] = ()
    complexity: str = ""


@dataclass(frozen=True)
class InventedPerson:
    """A person nobody is, whose reasons a report may keep for ever.

    Args:
        features: Feature and value, as the model would get them.
        contributions: float[f], in `Explanation.unit`.
        output: The model's own output for that row, in the same unit.
        reasons: The reasons in the service's words.
    """

    features: Mapping[str, object]
    contributions: NDArray[np.float64]
    output: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Contributions from whoever computed them, and the model's own output to hold them against.

    Args:
        features: Names, [f].
        contributions: float[n, f], in `unit`.
        expected: The base value: the output for nobody in particular.
        output: float[n], the model's own output in the same unit: never shap's walk through the model.
        unit: ``log-odds``, or whatever both are in.
        invented: The one person whose reasons are shown; None: no reasons are shown.
        tool: Library that computed the contributions.
        version: Its version.
        explainer: Which explainer, and why that one.
        labels: Features in plain words, [f]; empty: their names are shown.
        refits: The same people explained by refits of the procedure; None: nothing is said of stability.
        monotone: Features moved over a grid, where the service declares a direction.
        deletion: Outputs without the reasons; None: nothing is said of them.
    """

    features: tuple[str, ...]
    contributions: NDArray[np.float64]
    expected: float
    output: NDArray[np.float64]
    unit: str = "log-odds"
    invented: InventedPerson | None = None
    tool: str = "shap"
    version: str = ""
    explainer: str = ""
    labels: tuple[str, ...] = ()
    refits: Refits | None = None
    monotone: tuple[Moved, ...] = ()
    deletion: Deletion | None = None


@dataclass(frozen=True)
class Expectation:
    """One thing the rows are expected to meet.

    Args:
        kind: ``not_null``, ``between``, ``in_set``, ``unique``, ``exists`` or ``row_count``.
        column: Column; "" for ``row_count``.
        minimum: For ``between`` and ``row_count``; None: no lower bound.
        maximum: The same; None: no upper bound.
        allowed: For ``in_set``.
        mostly: Share of rows that must meet it, 0 to 1.
        role: What a miss does to the verdict.
        why: Why it is expected.
    """

    kind: str
    column: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str | int | float, ...] = ()
    mostly: float = 1.0
    role: Role | None = None
    why: str = ""


@dataclass(frozen=True)
class SqlTable:
    """A table of a database, asked where it is: its rows do not leave it.

    Args:
        url: SQLAlchemy's: ``sqlite:////path/file.db``, ``postgresql+psycopg://user@/name?host=/socket/folder``. It may hold a
            password, so no message or report repeats it.
        table: The table's name.
        schema: Its schema; "": the database's own default.
    """

    url: str = field(repr=False)
    table: str
    schema: str = ""


@dataclass(frozen=True)
class DataQuality:
    """Rows and what is expected of them.

    Args:
        frame: The rows, in memory or in a database; nothing of them is kept.
        expectations: At least one.
        suite: The suite's name.
    """

    frame: pd.DataFrame | SqlTable
    expectations: tuple[Expectation, ...]
    suite: str = "rows"


@dataclass(frozen=True)
class AuditInput:
    """Everything a check may look at, already checked and aligned by the runner.

    People whose outcome is unknown stand apart, in `unknown`: every array beside it is of those whose outcome is known.

    Args:
        y_true: int8[n], 1 = in need by the declared measure.
        y_pred: int8[n], 1 = selected.
        y_score: float64[n] probability or score, or None.
        threshold: Threshold deployed, or None.
        attributes: Sensitive features by name.
        lines: The lines, written out: a group each.
        other_needs: int8[n] each: other measures of need; empty: none is held; None: nothing was said about them.
        baseline: First version, or None.
        features: The model's own features, or None.
        explain: Contributions to check, or None.
        data_quality: Frame and expectations, or None.
        clusters: int64[n] cluster of each row (a family), or None: rows independent.
        seed: Of every simulation.
        benefit: Randomised trial by which gain is audited, or None: the service declares no gain.
        rows: The rows behind the audit and what is declared of them, or None.
        consents: Counts of who consented, by group, or None.
        measures: The declared measure of need with its reason, and all others held, 0/1 or quantities; None: `other_needs` are
            all there is.
        robustness: Small changes, periods and membership, or None.
        simpler: Baselines that the version is held against, or None.
        procedure: Which models gave the scores, or None: not told.
        unknown: People whose outcome is unknown, or None: every outcome is known.
    """

    y_true: NDArray[np.int8]
    y_pred: NDArray[np.int8]
    y_score: NDArray[np.float64] | None
    threshold: float | None
    attributes: Mapping[str, Attribute]
    lines: tuple[Line, ...]
    other_needs: Mapping[str, NDArray[np.int8]] | None
    baseline: Baseline | None
    features: pd.DataFrame | None
    explain: Explanation | None
    data_quality: DataQuality | None
    clusters: NDArray[np.int64] | None
    seed: int
    benefit: Trial | None = None
    rows: Rows | None = None
    consents: ConsentCounts | None = None
    measures: Measures | None = None
    robustness: Robustness | None = None
    simpler: Simpler | None = None
    unknown: UnknownRows | None = None
    procedure: CrossFitted | HeldOut | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Args:
        findings: Codes unique in the report. None at all from a check that had something to do is not a pass.
        groups: For the report's table of groups.
        price: For its comparison with the first version.
        trades: For its section on criteria that cannot hold at once.
        performance: For its section on the score.
        explanation: For its section on reasons.
        data_quality: For its section on the rows.
        benefit: For its section on gain.
        robustness: For its section on small changes.
        consents: For its section on who consented.
        row_quality: For its section on who is in the rows.
        labels: For its section on the measures of need.
        subgroups: For its section on people for whom it errs more often.
        proxies: For its section on how groups show through features.
        baselines: For its section on what is simpler.
        procedure: For its section on the models behind the scores.
        unknown_outcomes: For its section on people whose outcome is unknown.
        unknowns: What this check could not know, in plain words.
        chance: Chance that an equal model would have passed its deciding lines.
    """

    findings: tuple[Finding, ...]
    groups: tuple[GroupRow, ...] = ()
    price: tuple[PriceRow, ...] = ()
    trades: tuple[TradeRow, ...] = ()
    performance: PerformanceFacts | None = None
    explanation: ExplanationFacts | None = None
    data_quality: DataQualityFacts | None = None
    benefit: BenefitFacts | None = None
    row_quality: RowFacts | None = None
    consents: ConsentFacts | None = None
    labels: LabelFacts | None = None
    robustness: RobustnessFacts | None = None
    subgroups: SubgroupFacts | None = None
    proxies: ProxyFacts | None = None
    baselines: BaselineFacts | None = None
    unknown_outcomes: UnknownFacts | None = None
    procedure: ProcedureFacts | None = None
    unknowns: tuple[str, ...] = field(default=())
    chance: float | None = None


@runtime_checkable
class Check(Protocol):
    """One kind of question, asked of an audit's input.

    A check decides from what it is given and nothing else: no clock, no network, no chance but `AuditInput.seed`. Its
    findings hold no person's data. It raises when it cannot answer: the runner turns that into ``could_not_run``, which is
    never a pass. It returns no findings only when it does not apply.
    """

    @property
    def name(self) -> str:
        """Unique among the checks of an audit; the first part of its findings' codes."""
        ...

    def run(self, given: AuditInput) -> CheckResult:
        """Asks the question.

        Args:
            given: What there is to look at.

        Returns:
            Findings and whatever sections they fill.
        """
        ...


def installed() -> tuple[tuple[str, object], ...]:
    """Finds third parties' checks by their entry points, in the order of their names.

    Returns:
        Entry point's name, and the check or the exception that loading it raised (which the runner reports).
    """
    found: list[tuple[str, object]] = []
    for point in sorted(entry_points(group=PLUGIN_GROUP), key=lambda p: p.name):
        try:
            loaded = point.load()
            found.append((point.name, loaded() if isinstance(loaded, type) else loaded))
        except Exception as error:  # noqa: BLE001  a stranger's module may raise anything; it is reported, not hidden
            found.append((point.name, error))
    return tuple(found)
