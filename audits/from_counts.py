"""The same audit from a table of counts per group: the same lines, rule, report and page, and no person's row.

Counts that were withheld or rounded are every whole number they can be (`audits.completions`); a line is judged on all tables
that fit (`audits.unions`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audits import (
    chance,
    completions,
    count_table,
    degenerate,
    fairness,
    judging,
    regrouped,
    report,
    rule,
    runner,
    tradeoffs,
    unions,
)
from audits import lines as policy_lines
from audits.check import CheckResult
from audits.counts import Rate
from audits.errors import AuditsInputError
from audits.finding import Outcome, Role
from audits.lines import METRICS, UNKNOWN
from audits.report import AuditReport
from audits.sections import GroupRow, PopulationFacts, ReportSubject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.completions import Row
    from audits.count_table import CountTable
    from audits.finding import Finding
    from audits.lines import Line

ROWS = "A table of counts per group; no person's row was read."
_INDEPENDENT = (
    "Every person was taken as independent of the others: a table of counts does not say who belongs to one family. If people "
    "come in families or in groups, the intervals are too narrow."
)


def audit_counts(
    table: Any,
    *,
    lines: Sequence[Line] | None = None,
    rounded_to: int = 1,
    threshold: float | None = None,
    subject: ReportSubject | None = None,
    simulated: tuple[str, ...] = (),
    unknowns: tuple[str, ...] = (),
    seed: int = runner.SEED,
) -> AuditReport:
    """Audits a table of counts per group.

    Args:
        table: Group -> counts, a list of rows, a data frame (`audits.count_table.table`), or a table already read. Counts: tp,
            fp, fn, tn, n, selected, in_need; text such as ``<5`` where a count was withheld.
        lines: The policy's lines. None: `audits.lines.default_lines` as far as the table goes, an offer of help.
        rounded_to: Plain numbers were rounded to a multiple of this.
        threshold: Threshold deployed, for the record.
        subject: What is audited and decided.
        simulated: What in the table is invented or simulated.
        unknowns: What the caller knows that the table cannot tell.
        seed: Of the simulation behind the chance.

    Returns:
        The report. Its findings on exact counts are those that `audits.runner.audit` makes of the people counted.

    Raises:
        AuditsInputError: No table of counts, or a line on an attribute that it does not have.

    Example:
        >>> report = audit_counts({
        ...     "a": {"tp": 300, "fn": 200, "fp": "<5", "tn": 1500}, "b": {"tp": 310, "fn": 190, "fp": 10, "tn": 1490},
        ... })
        >>> report.finding("fairness.tpr_gap:group=a").outcome.value
        'passed'
    """
    given = (
        table
        if isinstance(table, count_table.CountTable)
        else count_table.table(table, rounded_to=rounded_to)
    )
    drawn = _lines(given, lines)
    family = {role: sum(line.role is role for line in drawn) for role in Role}
    single = [_judge(line, given, family[line.role]) for line in drawn]
    single, pools = _pool(drawn, single, given, family[Role.DECIDES])
    judged = [*zip(drawn, single, strict=True), *((line, found) for line, _, found in pools)]
    findings = [f for line, f in judged for f in degenerate.unpraised([f], _who(given, line))]
    by_line, overall = _chance(
        [
            *(
                (line, _members(line, given), f)
                for line, f in zip(drawn, single, strict=True)
                if f.pool is None
            ),
            *pools,
        ],
        given,
        seed,
    )
    findings = [replace(f, chance=by_line.get(f.line or "")) for f in findings]
    fair = CheckResult(
        findings=tuple(findings),
        groups=tuple(row for a in given.attributes for row in _group_rows(a, given)),
        unknowns=(
            *_missing(given),
            *fairness.doubts(findings),
            _INDEPENDENT,
            *fairness.could_not_decide(overall),
            *_open(given),
        ),
        chance=overall,
    )
    parts = degenerate.of_counts(given)
    results = (fair, parts)
    every = tuple(f for r in results for f in r.findings)
    return report.canonical(
        AuditReport(
            schema=report.SCHEMA,
            subject=replace(subject or ReportSubject(), rows=(subject.rows if subject else "") or ROWS),
            verdict=rule.verdict(every),
            rule=runner.rule_facts(drawn, None, overall),
            population=_population(given, threshold),
            findings=every,
            groups=fair.groups,
            price=(),
            trades=tradeoffs.rows(fair.groups, drawn),
            performance=None,
            explanation=None,
            data_quality=None,
            unknowns=tuple(dict.fromkeys((*(u for r in results for u in r.unknowns), *unknowns))),
            simulated=simulated,
            tools=runner.tools(every),
        )
    )


def _lines(given: CountTable, lines: Sequence[Line] | None) -> tuple[Line, ...]:
    groups = {a: [g for g in rows if g != UNKNOWN] or list(rows) for a, rows in given.attributes.items()}
    drawn = lines
    if drawn is None:
        drawn = [
            line
            for line in policy_lines.default_lines(tuple(groups))
            if _published(given, line.attribute, METRICS[line.metric].rate)
        ]
    return policy_lines.at_most(policy_lines.expand(drawn, groups), given=lines is not None)


def _who(given: CountTable, line: Line) -> str | None:
    total = completions.plus(list(given.attributes[line.attribute].values()))
    return degenerate.nothing_decided(total["selected"], total["unselected"])


def _published(given: CountTable, attribute: str, rate: str) -> bool:
    return all(completions.published(row, rate) for row in given.attributes[attribute].values())


def _judge(line: Line, given: CountTable, family: int, members: tuple[str, ...] | None = None) -> Finding:
    rate = METRICS[line.metric].rate
    rows = given.attributes[line.attribute]
    if not rate or line.measure is not None or line.metric == "other_need_tpr_gap":
        why = f"Line {line.id} asks for more than counts of need and selection, and a table of counts holds no more."
        return judging.draft(line, Outcome.COULD_NOT_RUN, why)
    if not _published(given, line.attribute, rate):
        why = f"Line {line.id} needs counts that the table does not give."
        return judging.draft(line, Outcome.COULD_NOT_RUN, why)
    names = _members(line, given) if members is None else members
    group = [r for g, r in rows.items() if g in names]
    rest = [r for g, r in rows.items() if g not in names]
    rates = _rate(group, rate), _rate(rest, rate)
    need = None
    if line.unless_need_is_lower and _published(given, line.attribute, "need"):
        need = _rate(group, "need"), _rate(rest, "need")
    judged, numbers = judging.compare(line, rates, need, family)
    missing = _share(given, line.attribute)
    judged, note = judging.with_missing(line, judged, missing)
    n = sum(completions.fill(r)["n"] for r in group)
    found = judging.conclude(line, judged, n, numbers, note)
    return unions.widen(found, line, completions.plus(group), completions.plus(rest), missing)


def _members(line: Line, given: CountTable) -> tuple[str, ...]:
    return tuple(g for g in given.attributes[line.attribute] if g == line.group)


def _pool(
    lines: Sequence[Line], findings: Sequence[Finding], given: CountTable, family: int
) -> tuple[list[Finding], list[tuple[Line, tuple[str, ...], Finding]]]:
    """As `audits.regrouped.judge_pools`: small groups decide together."""
    pools: dict[str, tuple[Line, tuple[str, ...], Finding]] = {}
    out = []
    for line, found in zip(lines, findings, strict=True):
        groups = regrouped.pool_of(findings, found)
        if groups:
            together = replace(line, group=regrouped.BESIDE.join(groups))
            if together.id not in pools:
                judged = replace(_judge(together, given, family, groups), pooled=groups)
                pools[together.id] = (together, groups, judged)
            out.append(regrouped.point(found, pools[together.id][2]))
        else:
            out.append(found)
    return out, list(pools.values())


def _rate(rows: Sequence[Row], rate: str) -> Rate:
    filled = [completions.counted(completions.fill(row), rate) for row in rows]
    return Rate(sum(h for h, _ in filled), sum(of for _, of in filled))


def _share(given: CountTable, attribute: str) -> float:
    """Largest share of people without a value that any whole table has."""
    rows = given.attributes[attribute]
    people = {g: completions.people(r) for g, r in rows.items()}
    if UNKNOWN not in people:
        return 0.0
    most = people[UNKNOWN].high
    known = sum(s.low for g, s in people.items() if g != UNKNOWN)
    return most / (most + known) if most + known else 0.0


def _missing(given: CountTable) -> list[str]:
    shares = {a: _share(given, a) for a in given.attributes}
    return [fairness.too_much_missing(a, share) for a, share in shares.items() if share > rule.MISSING]


def _open(given: CountTable) -> tuple[str, ...]:
    told = []
    if given.ranges:
        told.append(
            f"{given.ranges} of the {given.given} counts in the table were withheld, rounded or given as a range. None was taken "
            "as 0: every interval holds the intervals of all whole tables that fit."
        )
    silent = sorted(a.replace("_", " ") for a, there in given.outcomes.items() if not there)
    if silent:
        told.append(
            f"The table says who was selected and not who was in need, by {', '.join(silent)}: missed need is not known."
        )
    return tuple(told)


def _chance(
    judged: Sequence[tuple[Line, tuple[str, ...], Finding]], given: CountTable, seed: int
) -> tuple[dict[str, float], float | None]:
    """As `audits.fairness.equal_model`, with the groups' middle counts for people."""
    by_line: dict[str, float] = {}
    together: list[float] = []
    families: dict[tuple[str, str, tuple[str, ...]], list[tuple[Line, int]]] = {}
    for line, members, found in judged:
        if not fairness.counts_for_chance(line, found):
            continue
        if found.too_few:
            by_line[line.id] = 0.0
            together.append(0.0)
            continue
        pool = members if found.pooled else ()
        places = [g for g in given.attributes[line.attribute] if g not in pool]
        place = len(places) if pool else places.index(members[0])
        families.setdefault((line.metric, line.attribute, pool), []).append((line, place))
    rng = np.random.default_rng(seed)
    for (metric, attribute, pool), of in families.items():
        rows, rate = given.attributes[attribute], METRICS[metric].rate
        parts = [[row] for g, row in rows.items() if g not in pool] + (
            [[rows[g] for g in pool]] if pool else []
        )
        people = [_rate(part, rate) for part in parts]
        everybody = Rate(sum(p.hits for p in people), sum(p.of for p in people))
        denominators = np.array([float(p.of) for p in people])
        passed = chance.rates(chance.Family(denominators, everybody.value, tuple(of)), rng)
        by_line |= {line.id: float(p) for (line, _), p in zip(of, passed.mean(axis=0), strict=True)}
        together.append(float(passed.all(axis=1).mean()))
    return by_line, math.prod(together) if together else None


def _group_rows(attribute: str, given: CountTable) -> tuple[GroupRow, ...]:
    rows = given.attributes[attribute]
    filled = {g: completions.fill(r) for g, r in rows.items()}
    cells = np.array([[[c["tn"], c["fp"]], [c["fn"], c["tp"]]] for c in filled.values()], dtype=np.int64)
    if not cells.any():
        raise AuditsInputError("the table counts nobody", "give counts of people per group")
    counted = {row.group: row for row in fairness.rows_of_cells(attribute, tuple(filled), cells)}
    empty = GroupRow(attribute, "", 0, 0, 0, 0, 0, dict.fromkeys(fairness.RATES), 0)
    return tuple(
        _told(counted.get(group, replace(empty, group=group)), row)
        for group, row in rows.items()
        if group in counted or completions.people(row).high > 0
    )


def _told(row: GroupRow, spans: Row) -> GroupRow:
    """Leaves out what the table does not give, and adds what its counts can be."""

    def there(name: str, value: int | None) -> int | None:
        return value if spans[name].known else None

    return replace(
        row,
        true_positives=there("tp", row.true_positives),
        false_negatives=there("fn", row.false_negatives),
        false_positives=there("fp", row.false_positives),
        true_negatives=there("tn", row.true_negatives),
        people_selected=there("selected", row.people_selected),
        metrics={
            name: value if completions.published(spans, fairness.RATES[name]) else None
            for name, value in row.metrics.items()
        },
        ranges={name: (s.low, s.high) for name, s in spans.items() if s.known and not s.exact},
    )


def _population(given: CountTable, threshold: float | None) -> PopulationFacts:
    """Everybody, by the attribute whose table gives most counts (the first of these)."""
    of = {a: completions.plus(list(rows.values())) for a, rows in given.attributes.items()}
    name = max(of, key=lambda a: sum(s.known for s in of[a].values()))
    filled = [completions.fill(r) for r in given.attributes[name].values()]

    def told(count: str) -> int | None:
        return sum(f[count] for f in filled) if of[name][count].known else None

    return PopulationFacts(
        n=sum(f["n"] for f in filled),
        in_need=told("in_need"),
        selected=told("selected"),
        found=told("tp"),
        missing={a: _share(given, a) for a in given.attributes},
        threshold=threshold,
    )
