"""The check `labels`: does it depend on the measure of need who is worse off?

The audit is told the measures and not the group: the declaration (`audits.measures`) names no group, and here each measure is
held against every group alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from audits import equal_score, intervals, measures, rule, wording
from audits.check import AuditInput, CheckResult
from audits.counts import MIN_CLUSTERS, Rate, rate
from audits.finding import Finding, Outcome, Role
from audits.label_facts import Gap, LabelFacts, LabelRow, MeasureFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audits.check import Attribute
    from audits.measures import Measure

    Bools = NDArray[np.bool_]

_ASKED: Final = (
    ("need", "are in need", "in need"),
    ("missed_need", "are missed though in need", "missed"),
    ("equal_score", "are in need at the same score", "in need at the same score"),
)


@dataclass(frozen=True)
class LabelsCheck:
    """Holds all measures of need beside each other, group by group. It screens, and never fails: it says what is not known."""

    name: str = "labels"

    def run(self, given: AuditInput) -> CheckResult:
        """Holds the measures beside each other.

        Args:
            given: What there is to look at.

        Returns:
            Nothing where nothing was said of other measures; else a finding per group, and the section.

        Raises:
            AuditsInputError: Measures that do not fit the people.
        """
        every = measures.held(given.measures, given.other_needs, given.y_true)
        if not every:
            return CheckResult(findings=())
        reason = given.measures.reason if given.measures is not None else ""
        unknowns: tuple[str, ...] = ()
        if given.measures is not None and not reason:
            unknowns = (f"Why '{every[0].name}' is the declared measure of need was not said.",)
        if len(every) == 1:
            return CheckResult(findings=(_alone(every[0]),), unknowns=(*unknowns, _alone(every[0]).message))
        share = float(given.y_true.mean())
        marked = [(m, ~np.isnan(m.values), measures.in_need(m, share)) for m in every]
        rows, level = _rows(given, marked)
        facts = LabelFacts(
            declared=every[0].name,
            reason=reason,
            measures=tuple(
                MeasureFacts(m.name, m.description, m is every[0], int(known.sum()), int(need.sum()))
                for m, known, need in marked
            ),
            rows=rows,
            level=rule.LEVEL,
            wide_level=level,
        )
        groups = dict.fromkeys((r.attribute, r.group) for r in rows)
        findings = [_judged([r for r in rows if (r.attribute, r.group) == g], level) for g in groups]
        return CheckResult(findings=tuple(findings), labels=facts, unknowns=unknowns)


def signs(rows: Sequence[LabelRow], quantity: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Tells which measures say that a group is worse off, and which that it is better off.

    Args:
        rows: One group by each measure.
        quantity: ``need``, ``missed_need`` or ``equal_score``.

    Returns:
        Measures by which the estimate is above 0, those by which it is under, and whether at least one of them is beyond chance
        (its simultaneous interval leaves 0 out).
    """
    gaps = [(r.measure, getattr(r, quantity)) for r in rows]
    above = tuple(name for name, g in gaps if g.estimate is not None and g.estimate > 0)
    below = tuple(name for name, g in gaps if g.estimate is not None and g.estimate < 0)
    return above, below, any(_beyond(g) for _, g in gaps)


def _beyond(g: Gap) -> bool:
    return g.wide_low is not None and g.wide_high is not None and (g.wide_low > 0 or g.wide_high < 0)


def _judged(rows: Sequence[LabelRow], level: float) -> Finding:
    first = rows[0]
    who = wording.group_name(first.group, first.attribute)
    apart, shown = [], []
    for quantity, verb, short in _ASKED:
        above, below, beyond = signs(rows, quantity)
        if beyond and above and below:
            apart.append(
                f"by {_list(above)} they {verb} more often than everyone else, by {_list(below)} less often"
            )
        elif beyond:
            shown.append(f"{short} {'more' if above else 'less'} often")
    if apart:
        outcome = Outcome.NOT_ENOUGH_EVIDENCE
        text = f"{who}: it depends on the measure who is worse off: {'; '.join(apart)}."
    elif shown:
        outcome = Outcome.PASSED
        text = f"{who}: all {len(rows)} measures of need point the same way: {', '.join(shown)}."
    else:
        outcome = Outcome.NOT_APPLICABLE
        text = f"{who}: by none of the {len(rows)} measures of need is a difference from everyone else shown beyond chance."
    return Finding(
        code=f"labels.measures:{first.attribute}={first.group}",
        check="labels",
        metric="measures",
        role=Role.SCREENS,
        outcome=outcome,
        message=text,
        tool="luvalla",
        version=version("luvalla"),
        attribute=first.attribute,
        group=first.group,
        adjusted_level=level,
        n=max(r.n for r in rows),
        source="Obermeyer et al. 2019, doi:10.1126/science.aax2342",
        why="A measure that stands in for need can turn round who is found.",
    )


def _alone(measure: Measure) -> Finding:
    return Finding(
        code="labels.measures",
        check="labels",
        metric="measures",
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=f"Only one measure of need is held ('{measure.name}'): whether another would tell a different story is not known.",
        tool="luvalla",
        version=version("luvalla"),
    )


def _list(names: Sequence[str]) -> str:
    quoted = [f"'{n}'" for n in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _rows(
    given: AuditInput, marked: list[tuple[Measure, Bools, Bools]]
) -> tuple[tuple[LabelRow, ...], float]:
    selected = given.y_pred == 1
    scored = None if given.y_score is None else equal_score.tenths(given.y_score)
    drafts = []
    for a in given.attributes.values():
        for group, members in _groups(a):
            for m, known, need in marked:
                pairs = [_pair(given, known, need, members), _pair(given, need, ~selected, members)]
                found = (
                    None
                    if scored is None
                    else equal_score.difference(need, members, known, scored, given.clusters)
                )
                drafts.append((m, a, group, pairs, found))
    gaps = sum(sum(not _few(*p) for p in d[3]) + (d[4] is not None) for d in drafts)
    level = 1 - rule.ERROR / max(1, gaps)
    out = []
    compared = iter(_compared([p for d in drafts for p in d[3]], level))
    for m, a, group, pairs, found in drafts:
        need_gap, missed_gap = next(compared), next(compared)
        equal = _normal(found, level)
        out.append(
            LabelRow(
                m.name,
                a.name,
                group,
                pairs[0][0].of,
                pairs[0][0].hits,
                pairs[1][0].hits,
                need_gap,
                missed_gap,
                equal,
            )
        )
    return tuple(out), level


def _groups(a: Attribute) -> list[tuple[str, Bools]]:
    """Groups with anyone in them; of two, the first says it all."""
    masks = [(g, a.codes == k) for k, g in enumerate(a.groups)]
    masks = [(g, m) for g, m in masks if m.any() and not m.all()]
    return masks[:1] if len(masks) == 2 else masks  # noqa: PLR2004  the other group is everyone else


def _pair(given: AuditInput, of: Bools, hit: Bools, members: Bools) -> tuple[Rate, Rate]:
    hits = of & hit
    return rate(of, hits, members, given.clusters), rate(of, hits, ~members, given.clusters)


def _few(*rates: Rate) -> bool:
    return any(r.of < rule.FEW or (r.clusters is not None and r.clusters < MIN_CLUSTERS) for r in rates)


def _compared(pairs: list[tuple[Rate, Rate]], level: float) -> list[Gap]:
    enough = [k for k, p in enumerate(pairs) if not _few(*p)]
    out = [Gap()] * len(pairs)
    if not enough:
        return out

    def effective(at: float) -> NDArray[np.float64]:
        return np.array([[*pairs[k][0].effective(at), *pairs[k][1].effective(at)] for k in enough]).T

    (x1, n1, x2, n2), (y1, m1, y2, m2) = effective(rule.LEVEL), effective(level)
    inner = intervals.miettinen_nurminen_difference(x1, n1, x2, n2, rule.LEVEL)
    outer = intervals.newcombe_difference(y1, m1, y2, m2, level)
    for j, k in enumerate(enough):
        one, other = pairs[k]
        out[k] = Gap(
            one.value - other.value,
            float(inner.low[j]),
            float(inner.high[j]),
            float(outer.low[j]),
            float(outer.high[j]),
        )
    return out


def _normal(found: tuple[float, float] | None, level: float) -> Gap:
    if found is None:
        return Gap()
    value, error = found
    half, wide = (float(stats.norm.ppf((1 + at) / 2)) * error for at in (rule.LEVEL, level))
    ends = (value - half, value + half, value - wide, value + wide)
    return Gap(value, *(math.copysign(min(1.0, abs(e)), e) for e in ends))
