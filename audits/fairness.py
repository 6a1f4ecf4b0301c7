"""The lines of a policy on the counts of these people, and fairlearn's metrics by group.

fairlearn's `MetricFrame` is the definition of a group's metrics: the rates the lines are judged on must equal it to the last
digit, or the check does not stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from fairlearn import metrics as fairlearn_metrics
from sklearn.metrics import accuracy_score, precision_score

from audits import chance, degenerate, judging, regrouped, rule, tradeoffs, unknown_outcomes, wording
from audits.check import AuditInput, CheckResult
from audits.completions import Span
from audits.counts import rate, rate_rows
from audits.errors import AuditsError
from audits.finding import Finding, Leaning, Outcome, Role
from audits.lines import COULD_DECIDE
from audits.sections import GroupRow, PriceRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from audits.check import Attribute
    from audits.lines import Line

    Bools = NDArray[np.bool_]


def _false_discovery_rate(
    y_true: NDArray[np.int64], y_pred: NDArray[np.int64], sample_weight: NDArray[np.int64] | None = None
) -> float:
    return float(precision_score(1 - y_true, y_pred, sample_weight=sample_weight, zero_division=0.0))


def _false_omission_rate(
    y_true: NDArray[np.int64], y_pred: NDArray[np.int64], sample_weight: NDArray[np.int64] | None = None
) -> float:
    return float(precision_score(y_true, 1 - y_pred, sample_weight=sample_weight, zero_division=0.0))


_METRICS: dict[str, Callable[..., Any]] = {
    "selection_rate": fairlearn_metrics.selection_rate,
    "true_positive_rate": fairlearn_metrics.true_positive_rate,
    "false_positive_rate": fairlearn_metrics.false_positive_rate,
    "false_negative_rate": fairlearn_metrics.false_negative_rate,
    "precision": partial(precision_score, zero_division=0.0),
    "false_discovery_rate": _false_discovery_rate,
    "false_omission_rate": _false_omission_rate,
    "accuracy": accuracy_score,
}
"""Names as fairlearn has them; it has no rates of false discovery and omission, so these are the precision of the opposite
outcome, and of the people not selected, in the same frame."""
RATES: Mapping[str, str] = MappingProxyType(
    {
        "selection_rate": "selection_rate",
        "true_positive_rate": "tpr",
        "false_positive_rate": "fpr",
        "false_negative_rate": "fnr",
        "precision": "ppv",
        "false_discovery_rate": "fdr",
        "false_omission_rate": "for",
        "accuracy": "accuracy",
    }
)
"""fairlearn's name of a metric, and ours (`audits.counts.rate_rows`)."""


@dataclass(frozen=True)
class FairnessCheck:
    """Judges every line, counts every group, and says whether the audit could have said yes."""

    name: str = "fairness"

    def run(self, given: AuditInput) -> CheckResult:
        """Judges the lines.

        Args:
            given: What there is to look at.

        Returns:
            A finding per line, the table of groups, the price against the first version, and the chance.

        Raises:
            AuditsError: fairlearn and our counts disagree: one of the two is wrong.
        """
        cells = regrouped.cross(given)
        family = {role: sum(line.role is role for line in given.lines) for role in Role}
        family[Role.SCREENS] += len(cells)
        findings = [
            judging.judge(line, given.attributes[line.attribute], given, family[line.role])
            for line in given.lines
        ]
        found, pools = regrouped.judge_pools(given, findings, family[Role.DECIDES])
        crossed = [
            replace(judging.judge(line, attribute, given, family[Role.SCREENS]), crossed=of)
            for line, attribute, of in cells
        ]
        selected, n = int(given.y_pred.sum()), len(given.y_pred)
        who = degenerate.nothing_decided(Span(selected, selected), Span(n - selected, n - selected))
        findings = list(degenerate.unpraised([*found, *(judged for _, _, judged in pools), *crossed], who))
        unknowns = [
            too_much_missing(a.name, a.missing) for a in given.attributes.values() if a.missing > rule.MISSING
        ]
        unknowns += doubts(findings)
        if given.clusters is None:
            unknowns.append(
                "Every row was taken as independent of the others. If people come in families or in groups, the intervals "
                "are too narrow: clustering was not accounted for."
            )
        by_line, overall = equal_model(given, found, pools)
        unknowns += could_not_decide(overall)
        groups = group_rows(given)
        by_code = {f.code: f for f in findings}
        asked = [
            (line, given.attributes[line.attribute], f) for line, f in zip(given.lines, found, strict=True)
        ]
        outcomes, told = unknown_outcomes.tell(
            given, [(line, a, by_code[f.code]) for line, a, f in (*asked, *pools)], family
        )
        unknowns += unknown_outcomes.unknowns(outcomes)
        return CheckResult(
            findings=(*(replace(f, chance=by_line.get(f.line or "")) for f in findings), *told),
            unknown_outcomes=outcomes,
            groups=groups,
            price=_price(given),
            trades=tradeoffs.rows(groups, given.lines),
            unknowns=tuple(unknowns),
            chance=overall,
        )


def doubts(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Names the lines that were too few to judge, and measures of need that disagree.

    Args:
        findings: Of the lines.

    Returns:
        A sentence each.
    """
    few = [
        f"{wording.METRIC_TITLE[f.metric]}, {wording.who(f)}: too few people to judge."
        for f in findings
        if f.too_few and f.role is not Role.DESCRIBED
    ]
    disagree = [
        f"Measures of need disagree. {wording.plain(f)}"
        for f in findings
        if f.measure and (f.outcome is Outcome.FAILED or f.leaning is Leaning.AGAINST)
    ]
    return (*few, *disagree)


def too_much_missing(attribute: str, share: float) -> str:
    """Says that an attribute's lines cannot pass.

    Args:
        attribute: Sensitive feature.
        share: Of people without a value, 0 to 1.

    Returns:
        The sentence.
    """
    return f"{attribute} is missing for {wording.percent(share)} of people (over {rule.MISSING:.0%}): its lines cannot pass."


def counts_for_chance(line: Line, found: Finding) -> bool:
    """Tells whether a line belongs to the chance that an equal model would have passed.

    Args:
        line: The line.
        found: Its finding.

    Returns:
        True for a deciding line that applies and could run.
    """
    return line.role is Role.DECIDES and found.outcome not in {Outcome.NOT_APPLICABLE, Outcome.COULD_NOT_RUN}


def could_not_decide(overall: float | None) -> tuple[str, ...]:
    """Says so where even an equal model would seldom have passed.

    Args:
        overall: Chance that an equal model would have passed all deciding lines; None: not computed.

    Returns:
        A sentence, or nothing.
    """
    if overall is None or overall >= COULD_DECIDE:
        return ()
    return (
        (
            "This audit could not decide: a model alike in every group would have passed it "
            f"{wording.chance(overall)} of the time. A board should accept nothing on it."
        ),
    )


def group_rows(given: AuditInput) -> tuple[GroupRow, ...]:
    """Counts every group of every attribute, with fairlearn's metrics.

    Args:
        given: What there is to look at.

    Returns:
        Rows in the attributes' order, groups sorted.

    Raises:
        AuditsError: A rate of ours is not fairlearn's to the last digit.
    """
    rows: list[GroupRow] = []
    for attribute in given.attributes.values():
        cells = np.bincount(
            attribute.codes * 4 + given.y_true * 2 + given.y_pred, minlength=len(attribute.groups) * 4
        ).reshape(-1, 2, 2)
        counted = rows_of_cells(attribute.name, attribute.groups, cells)
        for row in counted:
            _same_as_fairlearn(row.metrics, given, attribute.codes == attribute.groups.index(row.group))
        rows += counted
    return tuple(rows)


def rows_of_cells(attribute: str, groups: tuple[str, ...], cells: NDArray[np.int64]) -> tuple[GroupRow, ...]:
    """Gives fairlearn's metrics of each group's four cells.

    Args:
        attribute: Sensitive feature.
        groups: Names, [G].
        cells: People by group, y_true and y_pred, int64[G, 2, 2].

    Returns:
        A row for each group that has people, in the order given.
    """
    by_group = metric_frame(groups, cells).by_group.to_dict(orient="index")
    rows = []
    for g, group in enumerate(groups):
        (tn, fp), (fn, tp) = cells[g].tolist()
        n = tn + fp + fn + tp
        if n == 0:
            continue
        of = {
            "true_positive_rate": tp + fn,
            "false_negative_rate": tp + fn,
            "false_positive_rate": fp + tn,
            "precision": tp + fp,
            "false_discovery_rate": tp + fp,
            "false_omission_rate": fn + tn,
        }
        values = {k: float(v) if of.get(k, n) else None for k, v in by_group[group].items()}
        rows.append(GroupRow(attribute, group, n, tp, fn, fp, tn, values, tp + fp))
    return tuple(rows)


def metric_frame(groups: tuple[str, ...], cells: NDArray[np.int64]) -> fairlearn_metrics.MetricFrame:
    """Gives fairlearn's frame of a table of counts: one weighted row per count, to the last digit the frame of the people.

    A million people then cost fairlearn what sixteen rows cost; over the people themselves it takes half a minute.

    Args:
        groups: Names, [G].
        cells: People by group, y_true and y_pred, int64[G, 2, 2].

    Returns:
        The frame, with `_METRICS` by group.
    """
    group, true, pred = (v.ravel() for v in np.indices(cells.shape))
    people = cells.ravel()
    there = people > 0
    return fairlearn_metrics.MetricFrame(
        metrics=_METRICS,
        y_true=true[there],
        y_pred=pred[there],
        sensitive_features=pd.Series(np.asarray(groups, dtype=object)[group[there]], name="group"),
        sample_params={name: {"sample_weight": people[there]} for name in _METRICS},
    )


def equal_model(
    given: AuditInput, findings: tuple[Finding, ...], pools: tuple[tuple[Line, Attribute, Finding], ...] = ()
) -> tuple[dict[str, float], float | None]:
    """Chance that a model whose groups are alike in each line would have passed it, and all of them.

    A deciding line that has too few people to pass, whatever the model, makes it none at all.
    Lines of one metric and attribute share their draws; between metrics and attributes draws are independent, so the chance
    of all is a product: an approximation, since the same people stand behind each.

    Args:
        given: What there is to look at.
        findings: One per line, in the lines' order.
        pools: Lines that small groups share; the groups' own lines then cannot pass or fail.

    Returns:
        Chance by line id, and of all deciding lines; None if no line decides or none could run.
    """
    rng = np.random.default_rng(given.seed)
    by_line: dict[str, float] = {}
    together: list[float] = []
    families: dict[tuple[str, tuple[str, ...], str | None], tuple[Attribute, list[tuple[Line, int]]]] = {}
    single = [
        (line, given.attributes[line.attribute], found)
        for line, found in zip(given.lines, findings, strict=True)
        if found.pool is None
    ]
    for line, attribute, found in (*single, *pools):
        if not counts_for_chance(line, found):
            continue
        if found.too_few:
            by_line[line.id] = 0.0
            together.append(0.0)
            continue
        if line.metric == "levelling_down":
            continue
        members = attribute.codes == attribute.groups.index(str(line.group))
        if line.metric == "observed_expected":
            effect, due = found.design_effect or 1.0, float(given.y_score[members].sum())  # type: ignore[index]
            drawn = chance.expected(line, due / effect, rng)
        elif line.metric == "calibration_slope":
            drawn = chance.slope(line, found, rng)
        else:
            key = (line.metric, (attribute.name, *attribute.groups), line.measure)
            place = attribute.groups.index(str(line.group))
            families.setdefault(key, (attribute, []))[1].append((line, place))
            continue
        by_line[line.id] = float(drawn.mean())
        together.append(by_line[line.id])
    for attribute, lines in families.values():
        of, hit = judging.rate_of(lines[0][0], given)
        _, codes, clusters = unknown_outcomes.rows(lines[0][0], attribute, given)
        people = [rate(of, hit, codes == g, clusters) for g in range(len(attribute.groups))]
        effective = np.array([p.effective(rule.LEVEL)[1] for p in people])
        passed = chance.rates(chance.Family(effective, float(hit.sum() / of.sum()), tuple(lines)), rng)
        by_line |= {line.id: float(p) for (line, _), p in zip(lines, passed.mean(axis=0), strict=True)}
        together.append(float(passed.all(axis=1).mean()))
    return by_line, math.prod(together) if together else None


def _price(given: AuditInput) -> tuple[PriceRow, ...]:
    if given.baseline is None or given.baseline.y_pred is None:
        return ()
    before, now, need = given.baseline.y_pred == 1, given.y_pred == 1, given.y_true == 1
    who: list[tuple[str, str, Bools]] = [("", "", np.ones(len(now), dtype=np.bool_))]
    for a in given.attributes.values():
        who += [
            (a.name, group, a.codes == g) for g, group in enumerate(a.groups) if bool((a.codes == g).any())
        ]
    return tuple(
        PriceRow(
            attribute,
            group,
            *(int((rows & m).sum()) for rows in (m, need, need & before, need & now, before, now)),
        )
        for attribute, group, m in who
    )


def _same_as_fairlearn(values: dict[str, float | None], given: AuditInput, members: Bools) -> None:
    for name, ours in RATES.items():
        theirs = values[name]
        mine = rate(*rate_rows(ours, given.y_true, given.y_pred), members, None).value
        if theirs is not None and theirs != mine:
            raise AuditsError(
                f"fairlearn's {name} is {theirs!r} where our counts say {mine!r}",
                "report this: one of the two is wrong",
            )
