"""The lines of a policy on the counts of these people, and fairlearn's metrics by group.

fairlearn's `MetricFrame` is the definition of a group's metrics: the rates the lines are judged on must equal it to the last
digit, or the check does not stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from fairlearn import metrics as fairlearn_metrics
from sklearn.metrics import accuracy_score, precision_score

from audits import chance, judging, rule, wording
from audits.check import AuditInput, CheckResult
from audits.counts import rate, rate_rows
from audits.errors import AuditsError
from audits.finding import Finding, Leaning, Outcome, Role
from audits.lines import COULD_DECIDE
from audits.sections import GroupRow, PriceRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audits.lines import Line

    Bools = NDArray[np.bool_]

_METRICS: dict[str, Callable[..., Any]] = {
    "selection_rate": fairlearn_metrics.selection_rate,
    "true_positive_rate": fairlearn_metrics.true_positive_rate,
    "false_positive_rate": fairlearn_metrics.false_positive_rate,
    "false_negative_rate": fairlearn_metrics.false_negative_rate,
    "precision": partial(precision_score, zero_division=0.0),
    "accuracy": accuracy_score,
}
_OURS = {
    "selection_rate": "selection_rate",
    "true_positive_rate": "tpr",
    "false_positive_rate": "fpr",
    "precision": "ppv",
}


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
        family = {role: sum(line.role is role for line in given.lines) for role in Role}
        findings = [
            judging.judge(line, given.attributes[line.attribute], given, family[line.role])
            for line in given.lines
        ]
        unknowns = [
            f"{a.name} is missing for {wording.percent(a.missing)} of people (over {rule.MISSING:.0%}): its lines cannot pass."
            for a in given.attributes.values()
            if a.missing > rule.MISSING
        ]
        unknowns += [
            f"{wording.METRIC_TITLE[f.metric]}, {wording.who(f)}: too few people to judge."
            for f in findings
            if f.too_few and f.role is not Role.DESCRIBED
        ]
        unknowns += [
            f"Measures of need disagree. {wording.plain(f)}"
            for f in findings
            if f.measure and (f.outcome is Outcome.FAILED or f.leaning is Leaning.AGAINST)
        ]
        if given.clusters is None:
            unknowns.append(
                "Every row was taken as independent of the others. If people come in families or in groups, the intervals "
                "are too narrow: clustering was not accounted for."
            )
        by_line, overall = equal_model(given, tuple(findings))
        if overall is not None and overall < COULD_DECIDE:
            unknowns.append(
                "This audit could not decide: a model alike in every group would have passed it "
                f"{wording.percent(overall, 0)} of the time. A board should accept nothing on it."
            )
        return CheckResult(
            findings=tuple(replace(f, chance=by_line.get(f.line or "")) for f in findings),
            groups=group_rows(given),
            price=_price(given),
            unknowns=tuple(unknowns),
            chance=overall,
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
    rows = []
    for attribute in given.attributes.values():
        cells = np.bincount(
            attribute.codes * 4 + given.y_true * 2 + given.y_pred, minlength=len(attribute.groups) * 4
        ).reshape(-1, 2, 2)
        by_group = metric_frame(attribute.groups, cells).by_group.to_dict(orient="index")
        for g, group in enumerate(attribute.groups):
            (tn, fp), (fn, tp) = cells[g].tolist()
            n = tn + fp + fn + tp
            if n == 0:
                continue
            of = {"true_positive_rate": tp + fn, "false_negative_rate": tp + fn, "false_positive_rate": fp + tn, "precision": tp + fp}  # fmt: skip
            values = {k: float(v) if of.get(k, n) else None for k, v in by_group[group].items()}
            _same_as_fairlearn(values, given, attribute.codes == g)
            rows.append(GroupRow(attribute.name, group, n, tp, fn, fp, tn, values))
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


def equal_model(given: AuditInput, findings: tuple[Finding, ...]) -> tuple[dict[str, float], float | None]:
    """Chance that a model whose groups are alike in each line would have passed it, and all of them.

    A deciding line that has too few people to pass, whatever the model, makes it none at all.
    Lines of one metric and attribute share their draws; between metrics and attributes draws are independent, so the chance
    of all is a product: an approximation, since the same people stand behind each.

    Args:
        given: What there is to look at.
        findings: One per line, in the lines' order.

    Returns:
        Chance by line id, and of all deciding lines; None if no line decides or none could run.
    """
    rng = np.random.default_rng(given.seed)
    by_line: dict[str, float] = {}
    together: list[float] = []
    families: dict[tuple[str, str, str | None], list[tuple[Line, int]]] = {}
    for line, found in zip(given.lines, findings, strict=True):
        if line.role is not Role.DECIDES or found.outcome in {Outcome.NOT_APPLICABLE, Outcome.COULD_NOT_RUN}:
            continue
        attribute = given.attributes[line.attribute]
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
        else:
            key = (line.metric, line.attribute, line.measure)
            families.setdefault(key, []).append((line, attribute.groups.index(str(line.group))))
            continue
        by_line[line.id] = float(drawn.mean())
        together.append(by_line[line.id])
    for (_, name, _), lines in families.items():
        attribute = given.attributes[name]
        of, hit = judging.rate_of(lines[0][0], given)
        people = [rate(of, hit, attribute.codes == g, given.clusters) for g in range(len(attribute.groups))]
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
    for name, ours in _OURS.items():
        theirs = values[name]
        mine = rate(*rate_rows(ours, given.y_true, given.y_pred), members, None).value
        if theirs is not None and theirs != mine:
            raise AuditsError(
                f"fairlearn's {name} is {theirs!r} where our counts say {mine!r}",
                "report this: one of the two is wrong",
            )
