"""Audits that others published, judged by our rule. The numbers are theirs, or follow from theirs alone."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
)

from audits import intervals, rule
from audits.counts import Rate
from audits.finding import Direction, Leaning, Outcome, Role, Scale
from audits.from_counts import audit_counts
from audits.lines import Line
from audits.runner import audit

DUO = Path(__file__).parents[3] / "shared" / "data" / "duo_cub" / "DUO_CUB_Netherlands_Statistics.xlsx"


def line(metric, group, limit, direction=Direction.WITHIN):
    return Line(metric, "group", group, direction, limit, Role.DECIDES, "", "")


def rounded(low, high):
    return round(float(low), 3), round(float(high), 3)


# fairlearn's user guide: 18 rows in three groups, told here as the counts behind its table by group.
GUIDE = {
    "a": {"tp": 1, "fn": 1, "fp": 2, "tn": 0},
    "b": {"tp": 3, "fn": 2, "fp": 0, "tn": 1},
    "c": {"tp": 2, "fn": 3, "fp": 2, "tn": 1},
}


def test_fairlearns_eighteen_rows_are_not_enough_evidence(make_rows, cells):
    y, p, g = make_rows({k: cells(**v) for k, v in GUIDE.items()})
    parity = {"y_true": y, "y_pred": p, "sensitive_features": g}
    assert demographic_parity_difference(**parity) == 0.25
    assert round(demographic_parity_ratio(**parity), 3) == 0.667
    assert equalized_odds_difference(**parity) == 1.0
    drawn = [
        line("selection_gap", None, 0.10),
        line("selection_ratio", None, 0.80),
        line("tpr_gap", None, 0.10),
        line("fpr_gap", None, 0.10),
    ]
    for report in (
        audit(y, p, sensitive_features={"group": g}, lines=drawn),
        audit_counts(GUIDE, lines=drawn),
    ):
        sel = {r.group: r.metrics["selection_rate"] for r in report.groups}
        assert max(sel.values()) - min(sel.values()) == 0.25
        assert {r.group: r.n for r in report.groups} == {"a": 4, "b": 6, "c": 8}
        assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert report.verdict.leaning is None
        assert all(f.too_few for f in report.findings if f.line)


# COMPAS, two years, from counts alone (7,214 people; two of its six groups).
COMPAS = {
    "African-American": {"fp": 805, "fn": 532, "tn": 990, "tp": 1369},
    "Caucasian": {"fp": 349, "fn": 461, "tn": 1139, "tp": 505},
}


def test_compas_fails_over_sixty_lines():
    drawn = line("fpr_gap", "African-American", 0.10)
    judged = rule.judge_rates(drawn, Rate(805, 1795), Rate(349, 1488), 60)
    assert round(judged.estimate, 3) == 0.214
    assert rounded(*intervals.miettinen_nurminen_difference(805, 1795, 349, 1488, 1 - 0.05 / 60)) == (
        0.159,
        0.267,
    )
    # Ours is square-and-add on exact limits: the same to a thousandth where a two-sided line gets 5 %/60 on both sides.
    assert intervals.newcombe_difference(805, 1795, 349, 1488, 1 - 0.05 / 60) == pytest.approx(
        (0.159, 0.267), abs=1e-3
    )
    assert judged.outcome is Outcome.FAILED
    from_counts = audit_counts(COMPAS, lines=[drawn])
    assert from_counts.verdict.outcome is Outcome.FAILED
    assert round(from_counts.findings[0].estimate, 3) == 0.214


def test_compas_names_its_groups_of_18_and_32_people_and_judges_neither():
    few = {**COMPAS, "Native American": {"n": 18}, "Asian": {"n": 32}}
    report = audit_counts(few, lines=[line("fpr_gap", None, 0.10)])
    for group, n in (("Native American", 18), ("Asian", 32)):
        found = report.finding(f"fairness.fpr_gap:group={group}")
        assert (found.outcome, found.leaning, found.too_few, found.n) == (
            Outcome.NOT_ENOUGH_EVIDENCE,
            None,
            True,
            n,
        )
        assert any(group in u and "too few" in u for u in report.unknowns)
    assert report.finding("fairness.fpr_gap:group=Caucasian").outcome is Outcome.FAILED


# A city's welfare model, Dutch v. not Dutch. Published: percentages and numbers of people. Of all denominators that round to
# them, one pair alone gives the pre-pilot's, the reweighed model's and the pilot's intervals; the training data's Dutch
# denominator is one of three in proportion to the people (1,260 to 1,268).
WELFARE = {
    "training": ((305, 1264), (60, 244), (24.13, 24.59), (-0.056, 0.043), Outcome.PASSED),
    "pre-pilot": ((120, 464), (61, 139), (25.86, 43.88), (-0.257, -0.104), Outcome.FAILED),
    "reweighed": ((103, 464), (30, 139), (22.20, 21.58), (-0.063, 0.068), Outcome.PASSED),
    "pilot": ((83, 114), (16, 27), (72.81, 59.26), (-0.024, 0.307), Outcome.NOT_ENOUGH_EVIDENCE),
}


@pytest.mark.parametrize("phase", WELFARE)
def test_a_citys_welfare_model_is_judged_by_false_alarms_alone(phase):
    (fp, of), (fp2, of2), published, interval, outcome = WELFARE[phase]
    assert (round(100 * fp / of, 2), round(100 * fp2 / of2, 2)) == published
    table = {"Dutch": {"fp": fp, "tn": of - fp}, "not Dutch": {"fp": fp2, "tn": of2 - fp2}}
    report = audit_counts(table, lines=[line("fpr_gap", None, 0.10)])
    (found,) = [f for f in report.findings if f.line]
    assert found.group == "Dutch"
    assert rounded(found.low, found.high) == interval
    assert found.outcome is report.verdict.outcome is outcome
    assert report.population.in_need is None


def test_six_lines_leave_the_pre_pilots_false_alarms_undecided_and_its_selection_failed():
    assert rounded(*intervals.miettinen_nurminen_difference(120, 464, 61, 139, 1 - 0.05 / 6)) == (
        -0.303,
        -0.060,
    )
    false_alarms = rule.judge_rates(line("fpr_gap", "Dutch", 0.10), Rate(120, 464), Rate(61, 139), 6)
    assert (false_alarms.outcome, false_alarms.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    # Selected: 120 and 61 without need, and so many in need that the difference and its interval are the published ones.
    for tp, tp2 in ((160, 113), (198, 128), (233, 142)):
        selected = Rate(120 + tp, 876), Rate(61 + tp2, 345)
        counts = (selected[0].hits, 876, selected[1].hits, 345)
        assert round(selected[0].value - selected[1].value, 3) == -0.185
        assert rounded(*intervals.miettinen_nurminen_difference(*counts, 1 - 0.05 / 6)) == (-0.266, -0.102)
        assert rule.judge_rates(line("selection_gap", "Dutch", 0.10), *selected, 6).outcome is Outcome.FAILED


def test_the_reweighed_model_leans_against_on_all_but_false_alarms():
    # 147 and 98 are the only true positives that give all three published estimates and their intervals.
    table = {
        "Dutch": {"tp": 147, "fn": 265, "fp": 103, "tn": 361},
        "not Dutch": {"tp": 98, "fn": 108, "fp": 30, "tn": 109},
    }
    drawn = [
        line("selection_ratio", "Dutch", 0.80, Direction.AT_LEAST),
        line("tpr_gap", "Dutch", -0.10, Direction.AT_LEAST),
        line("fdr_gap", "Dutch", 0.10, Direction.AT_MOST),
        line("fpr_gap", "Dutch", 0.10),
    ]
    report = audit_counts(table, lines=drawn)
    ratio, missed, wrongly, alarms = report.findings[:4]
    assert (round(ratio.estimate, 3), rounded(ratio.low, ratio.high)) == (0.769, (0.667, 0.891))
    assert (round(missed.estimate, 3), rounded(missed.low, missed.high)) == (-0.119, (-0.188, -0.050))
    assert (round(wrongly.estimate, 3), rounded(wrongly.low, wrongly.high)) == (0.178, (0.095, 0.255))
    assert {(f.outcome, f.leaning) for f in (ratio, missed, wrongly)} == {
        (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    }
    assert alarms.outcome is Outcome.PASSED
    assert (report.verdict.outcome, report.verdict.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)


# A public agency's checks on students, 2014 (Netherlands Statistics for DUO, counts rounded to 10): risk categories 1 and 2,
# and selected for a check. The few figures the issue states; the whole file where it is at hand.
STUDENTS = {"outside Europe": (54820, (7280, 8120), 2010), "Netherlands": (178200, (8670, 16610), 1050)}


def judge_students(students):
    table = [
        {"attribute": attribute, "group": group, "n": f"{n}±5", "selected": f"{sum(parts)}±{5 * len(parts)}"}
        for group, (n, high, checked) in students.items()
        for attribute, parts in (("high risk", high), ("checked", (checked,)))
    ]
    drawn = [
        Line("selection_gap", a, "outside Europe", Direction.WITHIN, 0.10, Role.DECIDES, "", "")
        for a in ("high risk", "checked")
    ]
    return audit_counts(table, lines=drawn)


def hold_students(report):
    risk, checked = report.findings[:2]
    assert (round(100 * risk.rate, 1), round(100 * risk.rest_rate, 1), round(risk.estimate, 2)) == (
        28.1,
        14.2,
        1.98,
    )
    assert (round(100 * checked.rate, 2), round(100 * checked.rest_rate, 2), round(checked.estimate, 2)) == (
        3.67,
        0.59,
        6.22,
    )
    assert (
        round(checked.rate - checked.rest_rate, 3) == 0.031
    )  # would pass a difference limit of .10: the ratio decides
    assert {f.scale for f in (risk, checked)} == {Scale.RATIO}
    assert {f.outcome for f in (risk, checked)} == {Outcome.FAILED}
    low, high = checked.ranges.estimate
    assert low < 6.22 < high
    assert checked.ranges.group_hits == (2005, 2015)
    assert report.verdict.outcome is Outcome.FAILED


def test_a_small_difference_of_rare_checks_on_students_fails_by_the_ratio():
    hold_students(judge_students(STUDENTS))


@pytest.mark.skipif(
    not DUO.exists(), reason="the agency's file is not at hand; its figures are in the test above"
)
def test_the_agencys_own_file_says_the_same():
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(DUO) as book:
        shared = ET.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314  a file of the project's own
        sheet = ET.fromstring(book.read("xl/worksheets/sheet4.xml"))  # noqa: S314
    texts = ["".join(t.text or "" for t in s.iter(f"{name}t")) for s in shared]
    rows = {}
    for row in sheet.iter(f"{name}row"):
        values = {}
        for c in row:
            v = c.find(f"{name}v")
            if v is not None:
                column = "".join(x for x in c.get("r") if x.isalpha())
                values[column] = texts[int(v.text)] if c.get("t") == "s" else v.text
        rows[values.get("B", "")] = values
    read = {
        group: (
            int(rows["Total"][column]),
            tuple(int(rows[f"Risk category {k}"][column]) for k in (1, 2)),
            int(rows["Selected for control: yes"][column]),
        )
        for group, column in (("outside Europe", "H"), ("Netherlands", "F"))
    }
    assert read == STUDENTS
    hold_students(judge_students(read))
