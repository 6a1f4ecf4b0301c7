"""The lines of a policy on the counts of these people, and fairlearn's metrics by group.

fairlearn's `MetricFrame` is the definition of a group's metrics: the rates the lines are judged on must equal it to the last
digit, or the check does not stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from fairlearn import metrics as fairlearn_metrics
from sklearn.metrics import accuracy_score, precision_score

from audits import chance, rule, wording
from audits.check import Attribute, AuditInput, CheckResult
from audits.counts import Rate, design_effect, rate, rate_rows
from audits.errors import AuditsError
from audits.finding import Counts, Finding, Leaning, Outcome, Role
from audits.lines import METRICS, Line
from audits.sections import GroupRow, PriceRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

EQUAL_CAPACITY = 0.01
"""Two versions whose selected shares differ by more than this were not compared at equal capacity. Source: luvalla 2026."""

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
            _finding(line, given.attributes[line.attribute], given, family[line.role]) for line in given.lines
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

    Lines of one metric and attribute share their draws; between metrics and attributes draws are independent, so the chance
    of all is a product: an approximation, since the same people stand behind each.

    Args:
        given: What there is to look at.
        findings: One per line, in the lines' order.

    Returns:
        Chance by line id, and of all deciding lines that could be judged; None if there is none.
    """
    rng = np.random.default_rng(given.seed)
    by_line: dict[str, float] = {}
    together: list[float] = []
    families: dict[tuple[str, str, str | None], list[tuple[Line, int]]] = {}
    for line, found in zip(given.lines, findings, strict=True):
        skip = (
            found.too_few
            or found.limit is None
            or found.outcome in {Outcome.NOT_APPLICABLE, Outcome.COULD_NOT_RUN}
        )
        if line.role is not Role.DECIDES or skip or line.metric == "levelling_down":
            continue
        attribute = given.attributes[line.attribute]
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
        of, hit = _rows(lines[0][0], given)
        people = [rate(of, hit, attribute.codes == g, given.clusters) for g in range(len(attribute.groups))]
        effective = np.array([p.effective(rule.LEVEL)[1] for p in people])
        passed = chance.rates(chance.Family(effective, float(hit.sum() / of.sum()), tuple(lines)), rng)
        by_line |= {line.id: float(p) for (line, _), p in zip(lines, passed.mean(axis=0), strict=True)}
        together.append(float(passed.all(axis=1).mean()))
    return by_line, math.prod(together) if together else None


def _finding(line: Line, attribute: Attribute, given: AuditInput, family: int) -> Finding:
    missing_input = _missing(line, given)
    base = Finding(
        code=f"fairness.{line.id}",
        check="fairness",
        metric=line.metric,
        role=line.role,
        outcome=missing_input[0] if missing_input else Outcome.COULD_NOT_RUN,
        message=missing_input[1] if missing_input else "",
        tool="luvalla",
        version=version("luvalla"),
        line=line.id,
        attribute=line.attribute,
        group=line.group,
        measure=line.measure,
        direction=line.direction,
        limit=line.limit if line.role is not Role.DESCRIBED else None,
        scale=line.scale,
        source=line.source,
        why=line.why,
    )
    if missing_input is not None:
        return base
    members = (
        attribute.codes == attribute.groups.index(line.group)
        if line.group in attribute.groups
        else attribute.codes < 0
    )
    if line.metric == "observed_expected":
        judged, numbers = _expected(line, members, given, family)
    elif line.metric == "levelling_down":
        judged, numbers = _levelled(line, members, given, family)
    else:
        judged, numbers = _compared(line, members, given, family)
    note = ""
    if attribute.missing > rule.MISSING and line.role is not Role.DESCRIBED:
        judged = rule.not_a_pass(judged)
        note = f"{attribute.name} is missing for over {rule.MISSING:.0%} of people, so this line cannot pass."
    if line.metric == "levelling_down" and not _equal_capacity(given) and judged.limit is not None:
        judged = replace(judged, outcome=Outcome.NOT_ENOUGH_EVIDENCE, leaning=judged.leaning)
        note = "The two versions do not select equally many people, so they cannot be compared at equal capacity."
    found = replace(
        base,
        outcome=judged.outcome,
        leaning=judged.leaning if judged.outcome is Outcome.NOT_ENOUGH_EVIDENCE else None,
        scale=judged.scale,
        limit=judged.limit,
        estimate=_finite(judged.estimate),
        low=_finite(judged.interval[0]),
        high=_finite(judged.interval[1]),
        level=rule.LEVEL,
        adjusted_low=_finite(judged.adjusted[0]),
        adjusted_high=_finite(judged.adjusted[1]),
        adjusted_level=judged.adjusted_level,
        too_few=judged.too_few,
        n=int(members.sum()),
        **numbers,
    )
    if line.metric == "levelling_down" and given.baseline is not None and given.baseline.y_pred is None:
        return replace(
            found,
            message=f"{wording.who(found)}: this is the first version, there is nothing to level down from.",
        )
    return replace(found, message=wording.say(found, note))


def _missing(line: Line, given: AuditInput) -> tuple[Outcome, str] | None:
    """Names the input without which a line cannot be judged; the line is never left out.

    What nobody said could not run; what the caller said there is none of does not apply, and the gate knows whether it may.
    """
    if line.metric == "levelling_down" and given.baseline is None:
        return Outcome.COULD_NOT_RUN, f"Line {line.id} compares with the first version, and none was given."
    if line.metric == "other_need_tpr_gap":
        if given.other_needs is None or (line.measure is not None and line.measure not in given.other_needs):
            what = line.measure or "any"
            return (
                Outcome.COULD_NOT_RUN,
                f"Line {line.id} is about another measure of need ({what}), and it was not given.",
            )
        if not given.other_needs:
            return (
                Outcome.NOT_APPLICABLE,
                "No other measure of need is held, so the declared one stands alone.",
            )
    if line.metric == "observed_expected":
        s = given.y_score
        if s is None:
            return Outcome.COULD_NOT_RUN, f"Line {line.id} needs each person's score, and none was given."
        if bool((s < 0).any()) or bool((s > 1).any()):
            return (
                Outcome.NOT_APPLICABLE,
                "The score is no probability of need, so there is nothing to compare need with.",
            )
    return None


def _rows(line: Line, given: AuditInput) -> tuple[Bools, Bools]:
    need = (
        given.y_true if line.measure is None or given.other_needs is None else given.other_needs[line.measure]
    )
    return rate_rows(METRICS[line.metric].rate, need, given.y_pred)


def _compared(
    line: Line, members: Bools, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    of, hit = _rows(line, given)
    group, rest = (rate(of, hit, who, given.clusters) for who in (members, ~members))
    judged = rule.judge_rates(line, group, rest, family)
    if line.unless_need_is_lower:
        rows = rate_rows("need", given.y_true, given.y_pred)
        judged = rule.condition(
            line, judged, *(rate(*rows, who, given.clusters) for who in (members, ~members))
        )
    effect = None if given.clusters is None else max(group.design_effect, rest.design_effect)
    return judged, _numbers(group, rest, effect)


def _expected(
    line: Line, members: Bools, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    score = np.asarray(given.y_score)
    observed, due, n = int(given.y_true[members].sum()), float(score[members].sum()), int(members.sum())
    effect = 1.0
    if given.clusters is not None and n:
        effect = design_effect(given.y_true[members] - score[members], given.clusters[members])[0]
    judged = rule.judge_expected(line, observed, due, effect, family)
    rest = ~members
    numbers = _numbers(Rate(observed, n), Rate(int(given.y_true[rest].sum()), int(rest.sum())), None)
    return judged, numbers | {"events": int(due), "design_effect": None if given.clusters is None else effect}


def _changed(given: AuditInput, members: Bools) -> tuple[tuple[int, int, int, int], Bools]:
    need = members & (given.y_true == 1)
    before = (
        given.y_pred if given.baseline is None or given.baseline.y_pred is None else given.baseline.y_pred
    )
    missed, missed_before = given.y_pred[need] == 0, before[need] == 0
    cells = (
        missed & missed_before,
        missed & ~missed_before,
        ~missed & missed_before,
        ~missed & ~missed_before,
    )
    both, now, first, neither = (int(c.sum()) for c in cells)
    return (both, now, first, neither), need


def _levelled(
    line: Line, members: Bools, given: AuditInput, family: int
) -> tuple[rule.Judgement, dict[str, Any]]:
    people, need = _changed(given, members)
    both, now, first, _ = people
    effect = 1.0
    if given.clusters is not None and need.any():
        before = (
            given.y_pred if given.baseline is None or given.baseline.y_pred is None else given.baseline.y_pred
        )
        moved = before[need].astype(np.float64) - given.y_pred[need]
        effect = design_effect(moved, given.clusters[need])[0] if moved.any() else 1.0
    judged = rule.judge_levelling(line, people, effect, family)
    if given.baseline is not None and given.baseline.y_pred is None:
        judged = replace(judged, outcome=Outcome.NOT_APPLICABLE, leaning=None)
    n = sum(people)
    numbers = _numbers(Rate(both + now, n), Rate(both + first, n), None if given.clusters is None else effect)
    return judged, numbers


def _numbers(group: Rate, rest: Rate, effect: float | None) -> dict[str, Any]:
    return {
        "rate": _finite(group.value),
        "rest_rate": _finite(rest.value),
        "counts": Counts(group.hits, group.of, rest.hits, rest.of),
        "events": min(group.of, rest.of),
        "design_effect": effect,
    }


def _equal_capacity(given: AuditInput) -> bool:
    if given.baseline is None or given.baseline.y_pred is None:
        return True
    return abs(float(given.y_pred.mean()) - float(given.baseline.y_pred.mean())) <= EQUAL_CAPACITY


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


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
