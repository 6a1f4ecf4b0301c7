"""What a report shows beside its findings, as plain data. No row of any person is ever among it."""

from __future__ import annotations

from dataclasses import dataclass, field

from audits.finding import Leaning, Outcome  # noqa: TC001  pydantic reads these annotations when it runs
from audits.group_facts import GroupCapacity, GroupScores  # noqa: TC001  the same
from audits.reason_facts import DeletionFacts, MonotoneFacts, RefitFacts  # noqa: TC001  the same


@dataclass(frozen=True)
class ReportSubject:
    """What was audited and what is being decided. Every text is shown as it is given; "" where not known.

    Args:
        service: Id of the service.
        title: Its name in plain words.
        kind: ``assistive`` (an offer of help) or ``check`` (a check or a sanction).
        question: The question the board decides.
        offer: What a selected person is offered (or has to bear).
        need: The declared measure of need: what ``y_true`` is.
        model_name: Registered model.
        model_version: Its version.
        model_digest: ``sha256:...`` of the artifact.
        recipe: How this version was made.
        baseline: What the first version was, if this one is compared with it.
        capacity: Share of people who can be selected, 0 to 1.
        policy_name: Policy whose lines decide.
        policy_version: Its version.
        policy_digest: ``sha256:...`` of its file.
        rows: What the rows are, and how scores came to be (held out, cross-fitted ...).
        rows_digest: ``sha256:...`` of the rows.
        audits_on_rows: Audits of this service run on the same rows, this one included; None: not counted.
        audited_on: Date, ``YYYY-MM-DD``, given by the caller: the report reads no clock.
        run: Id of the run in the register of experiments.
    """

    service: str = ""
    title: str = ""
    kind: str = "assistive"
    question: str = ""
    offer: str = ""
    need: str = ""
    model_name: str = ""
    model_version: str = ""
    model_digest: str = ""
    recipe: str = ""
    baseline: str = ""
    capacity: float | None = None
    policy_name: str = ""
    policy_version: str = ""
    policy_digest: str = ""
    rows: str = ""
    rows_digest: str = ""
    audits_on_rows: int | None = None
    audited_on: str = ""
    run: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the findings come to together.

    Args:
        outcome: ``passed``, ``failed`` or ``not_enough_evidence``; never anything else.
        leaning: For ``not_enough_evidence``: against if any deciding line leans against; None if nothing could be judged.
        because: Codes of the findings that made it so, in the report's order.
    """

    outcome: Outcome
    leaning: Leaning | None
    because: tuple[str, ...]


@dataclass(frozen=True)
class RuleFacts:
    """The decision rule as it was applied.

    Args:
        deciding: Number of deciding lines: the m of the Bonferroni level.
        screening: Number of screening lines, crossed groups among them: their own family.
        level: Level of the deciding intervals.
        error: One-sided error that all deciding lines share when they fail.
        few: Denominators under this are too few to judge.
        clusters: Number of clusters (families) that were accounted for; None: every row was taken as independent.
        chance: Chance that an equal model would have passed all deciding lines, 0 where one has too few people to pass at all;
            None: not computed.
        simulations: Draws behind `chance`.
    """

    deciding: int
    screening: int
    level: float
    error: float
    few: int
    clusters: int | None
    chance: float | None
    simulations: int


@dataclass(frozen=True)
class GroupRow:
    """Counts of one group, and fairlearn's metrics of them.

    Args:
        attribute: Sensitive feature.
        group: Group; ``unknown`` where the value is missing.
        n: People.
        true_positives: In need and selected: found. None: not in a table of counts.
        false_negatives: In need and not selected: missed. None: the same.
        false_positives: Selected without need. None: the same.
        true_negatives: Neither. None: the same.
        metrics: fairlearn's `MetricFrame` values by name; None where the denominator is empty (fairlearn says 0), or not in a
            table of counts.
        people_selected: In need or not. None: not in a table of counts.
        ranges: Least and most of each count that a table withheld or rounded, by `audits.completions.COUNTS`; the counts and
            metrics above are then those of one whole table that fits, the middle one. Empty: all are exact.
    """

    attribute: str
    group: str
    n: int
    true_positives: int | None
    false_negatives: int | None
    false_positives: int | None
    true_negatives: int | None
    metrics: dict[str, float | None]
    people_selected: int | None = None
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class PriceRow:
    """What one group gains and loses against the first version at the same capacity.

    Args:
        attribute: Sensitive feature; "" for everybody.
        group: Group; "" for everybody.
        n: People.
        in_need: People in need by the declared measure.
        found_before: Of them, selected by the first version.
        found_now: Of them, selected by this one.
        selected_before: People selected by the first version.
        selected_now: By this one.
    """

    attribute: str
    group: str
    n: int
    in_need: int
    found_before: int
    found_now: int
    selected_before: int
    selected_now: int


@dataclass(frozen=True)
class CalibrationBin:
    """People in one tenth of the scores.

    Args:
        n: People.
        expected: Mean probability given.
        observed: Share in need.
        low: Lower end of its 95 % Wilson interval.
        high: Upper end.
    """

    n: int
    expected: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class CapacityPoint:
    """What would be found at one capacity, by the score's own order.

    Args:
        capacity: Share selected, 0 to 1.
        precision: Share of the selected in need.
        found: Share of those in need selected (true positive rate).
    """

    capacity: float
    precision: float
    found: float


@dataclass(frozen=True)
class PerformanceFacts:
    """How well the score orders people and keeps its word: for everybody together, and by group."""

    auc: float | None
    auc_low: float | None
    auc_high: float | None
    calibration: tuple[CalibrationBin, ...]
    capacities: tuple[CapacityPoint, ...]
    by_group: tuple[GroupScores, ...] = ()
    by_capacity: tuple[GroupCapacity, ...] = ()


@dataclass(frozen=True)
class Importance:
    """How much one feature moves the score.

    Args:
        feature: Its name.
        label: The same in plain words.
        mean_absolute: Mean absolute contribution, in the explanation's unit.
        share: Of the sum over features, 0 to 1.
    """

    feature: str
    label: str
    mean_absolute: float
    share: float


@dataclass(frozen=True)
class InventedReasons:
    """The reasons an invented person would get. Nobody real has this row.

    Args:
        features: Feature and value, as invented.
        reasons: The reasons in the words the service would use.
        contributions: Feature and contribution, largest first.
    """

    features: dict[str, str]
    reasons: tuple[str, ...]
    contributions: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ExplanationFacts:
    """What the model goes by, checked against the model itself.

    Args:
        unit: Unit of the contributions (``log-odds``).
        explainer: Which explainer, and why that one.
        rows: People whose contributions were checked.
        largest_error: Largest absolute difference between the sum of contributions and the model's own output.
        tolerance: What was allowed.
        importance: Features, largest first.
        invented: An invented person's reasons; None if not given, or if a real row equals it.
        refits: Whether reasons hold over refits; None if none were given.
        monotone: Declared directions, checked on the model.
        deletion: Reasons taken away against random ones; None if not given.
    """

    unit: str
    explainer: str
    rows: int
    largest_error: float
    tolerance: float
    importance: tuple[Importance, ...]
    invented: InventedReasons | None
    refits: RefitFacts | None = None
    monotone: tuple[MonotoneFacts, ...] = ()
    deletion: DeletionFacts | None = None


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation on the rows, kept without any value of any row.

    Args:
        expectation: great-expectations' own name of it.
        column: Column, or "" for the table.
        says: The expectation in plain words.
        met: Whether it held; None if it could not be evaluated.
    """

    expectation: str
    column: str
    says: str
    met: bool | None


@dataclass(frozen=True)
class DataQualityFacts:
    """The suite that ran on the rows."""

    suite: str
    rows: int
    results: tuple[ExpectationResult, ...]


@dataclass(frozen=True)
class Tool:
    """A library behind the numbers."""

    name: str
    version: str


@dataclass(frozen=True)
class PopulationFacts:
    """Everybody in the audit.

    Args:
        n: Rows (people).
        in_need: With the outcome. None: not in a table of counts.
        selected: Selected by this version. None: the same.
        found: In need and selected. None: the same.
        missing: Share of people without a value, per sensitive feature.
        threshold: Threshold deployed; None where not given.
    """

    n: int
    in_need: int | None
    selected: int | None
    found: int | None
    missing: dict[str, float] = field(default_factory=dict)
    threshold: float | None = None
