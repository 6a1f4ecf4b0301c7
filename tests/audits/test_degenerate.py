"""What looks perfect because nothing happened is flagged: of everybody, of one group, and on the lines themselves."""

from __future__ import annotations

import numpy as np
import pytest

from audits import html, runner
from audits.finding import Direction, Outcome, Role
from audits.from_counts import audit_counts
from audits.lines import Line

LINES = [
    Line(m, "group", None, Direction.WITHIN, limit, Role.DECIDES, "", "")
    for m, limit in (("tpr_gap", 0.10), ("fpr_gap", 0.10), ("selection_gap", 0.10), ("selection_ratio", 0.80))
]
NOBODY = {"a": {"tp": 0, "fn": 300, "fp": 0, "tn": 700}, "b": {"tp": 0, "fn": 250, "fp": 0, "tn": 750}}
EVERYBODY = {"a": {"tp": 300, "fn": 0, "fp": 700, "tn": 0}, "b": {"tp": 250, "fn": 0, "fp": 750, "tn": 0}}


def of_people(table, make_rows, cells, **more):
    y, p, g = make_rows({k: cells(**v) for k, v in table.items()})
    return runner.audit(y, p, sensitive_features={"group": g}, lines=LINES, **more)


@pytest.mark.parametrize(("table", "who"), [(NOBODY, "Nobody"), (EVERYBODY, "Everybody")])
def test_parity_where_nothing_is_decided_fails_and_no_line_passes(table, who, make_rows, cells):
    for report in (of_people(table, make_rows, cells), audit_counts(table, lines=LINES)):
        assert report.verdict.outcome is Outcome.FAILED
        found = report.finding("degenerate.predictions")
        assert found.message == f"{who} was selected: groups are alike because the model decides nothing."
        assert found.code in report.verdict.because
        assert Outcome.PASSED not in {f.outcome for f in report.findings if f.line}
        assert found.message in html.page(report)


def test_a_line_that_would_have_passed_says_why_it_does_not(make_rows, cells):
    report = of_people(EVERYBODY, make_rows, cells)
    ratio = next(f for f in report.findings if f.metric == "selection_ratio")
    assert (ratio.estimate, ratio.outcome, ratio.leaning) == (1.0, Outcome.NOT_ENOUGH_EVIDENCE, None)
    assert ratio.message.endswith("But everybody was selected: groups are alike because nothing is decided.")


def test_a_table_that_withholds_whether_anybody_was_selected_does_not_pass():
    table = {"a": {"n": 1000, "selected": "<5"}, "b": {"n": 1000, "selected": "<5"}}
    report = audit_counts(table, lines=LINES)
    found = report.finding("degenerate.predictions")
    assert found.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert found.message.startswith("Nobody may have been selected")
    assert found.message in report.unknowns
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_a_group_of_whom_nobody_or_everybody_was_selected_is_named(make_rows, cells):
    table = {
        "a": {"tp": 0, "fn": 30, "fp": 0, "tn": 70},
        "b": {"tp": 25, "fn": 5, "fp": 15, "tn": 75},
        "c": {"tp": 9, "fn": 0, "fp": 21, "tn": 0},
    }
    for report in (of_people(table, make_rows, cells), audit_counts(table, lines=LINES)):
        named = {f.group: f.message for f in report.findings if f.code.startswith("degenerate.predictions:")}
        assert named["a"].startswith("Nobody of a (group) was selected")
        assert named["c"].startswith("Everybody of c (group) was selected")
        assert set(named) == {"a", "c"}
        assert named["a"] in report.unknowns


def test_a_score_that_orders_nobody_in_one_group_is_named(make_rows, cells):
    y, p, g = make_rows({"a": cells(30, 20, 10, 100), "b": cells(30, 20, 10, 100)})
    score = np.where(g == "a", 0.3, np.linspace(0.1, 0.9, len(y)))
    report = runner.audit(y, p, sensitive_features={"group": g}, lines=LINES, y_score=score)
    assert report.finding("degenerate.scores").outcome is Outcome.PASSED
    assert report.finding("degenerate.scores:group=a").outcome is Outcome.NOT_ENOUGH_EVIDENCE
    flat = runner.audit(y, p, sensitive_features={"group": g}, lines=LINES, y_score=np.full(len(y), 0.3))
    assert flat.finding("degenerate.scores").outcome is Outcome.FAILED


def test_no_error_at_all_is_doubted(make_rows, cells):
    table = {"a": {"tp": 100, "fn": 0, "fp": 0, "tn": 400}, "b": {"tp": 90, "fn": 0, "fp": 0, "tn": 410}}
    for report in (of_people(table, make_rows, cells), audit_counts(table, lines=LINES)):
        found = report.finding("degenerate.errors")
        assert found.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert "look for the outcome among the features" in found.message


@pytest.mark.parametrize(
    ("cell", "who"),
    [
        ({"tp": 0, "fn": 0, "fp": 20, "tn": 80}, "Nobody"),
        ({"tp": 20, "fn": 80, "fp": 0, "tn": 0}, "Everybody"),
    ],
)
def test_outcomes_of_one_class_judge_nothing(cell, who, make_rows, cells):
    for report in (
        of_people({"a": cell, "b": cell}, make_rows, cells),
        audit_counts({"a": cell, "b": cell}, lines=LINES),
    ):
        assert report.finding("degenerate.outcomes").message.startswith(f"{who} in these rows is in need")
        assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_an_attribute_of_one_value_compares_nobody(make_rows, cells):
    table = {"a": {"tp": 30, "fn": 20, "fp": 10, "tn": 100}}
    for report in (of_people(table, make_rows, cells), audit_counts(table, lines=LINES)):
        assert report.finding("degenerate.attribute:group").outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
