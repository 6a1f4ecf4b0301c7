"""fairlearn's MetricFrame is the definition of a group's metrics: ours equal it to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score

from audits import fairness, runner
from audits.counts import rate, rate_rows
from audits.finding import Direction, Role
from audits.lines import Line

PEOPLE = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from("abcd")), min_size=8, max_size=200
)
THEIRS = {
    "tpr": true_positive_rate,
    "fpr": false_positive_rate,
    "selection_rate": selection_rate,
    "fnr": false_negative_rate,
    "ppv": lambda y_true, y_pred: precision_score(y_true, y_pred, zero_division=0.0),
    # fairlearn and scikit-learn have no rates of false discovery and omission: counted here one by one.
    "fdr": lambda y_true, y_pred: sum(y_pred & (1 - y_true)) / max(1, sum(y_pred)),
    "for": lambda y_true, y_pred: sum(y_true & (1 - y_pred)) / max(1, sum(1 - y_pred)),
    "accuracy": accuracy_score,
}


@settings(max_examples=25, deadline=None)
@given(PEOPLE)
def test_every_rate_equals_fairlearns_to_the_last_digit(people):
    y, p, g = (np.array(v) for v in zip(*people, strict=True))
    frame = MetricFrame(metrics=THEIRS, y_true=y, y_pred=p, sensitive_features=g).by_group
    for name in THEIRS:
        for group in frame.index:
            ours = rate(*rate_rows(name, y, p), g == group, None)
            if ours.of:
                assert ours.value == frame.loc[group, name]
    names = tuple(sorted(set(g.tolist())))
    cells = np.bincount([names.index(v) * 4 for v in g] + y * 2 + p, minlength=len(names) * 4).reshape(
        -1, 2, 2
    )
    from_counts = fairness.metric_frame(names, cells).by_group
    for name, ours in fairness.RATES.items():
        assert from_counts[name].to_dict() == frame[ours].to_dict()
    from_people = MetricFrame(metrics=fairness._METRICS, y_true=y, y_pred=p, sensitive_features=g).by_group
    assert from_counts.to_dict() == from_people.to_dict()


def test_the_report_keeps_fairlearns_own_numbers(everything, full_report):
    frame = MetricFrame(
        metrics=true_positive_rate,
        y_true=everything["y_true"],
        y_pred=everything["y_pred"],
        sensitive_features=everything["sensitive_features"]["origin"],
    ).by_group
    mine = {r.group: r.metrics["true_positive_rate"] for r in full_report.groups if r.attribute == "origin"}
    assert mine == {group: pytest.approx(frame[group], abs=1e-9) for group in frame.index}


def test_an_empty_denominator_is_none_where_fairlearn_says_zero(make_rows, cells):
    y, p, g = make_rows({"a": cells(0, 0, 3, 40), "b": cells(20, 20, 3, 40)})
    report = runner.audit(y, p, sensitive_features=g)
    row = next(r for r in report.groups if r.group == "a")
    assert row.metrics["true_positive_rate"] is None
    assert row.metrics["false_positive_rate"] == pytest.approx(3 / 43)


def test_if_fairlearn_and_our_counts_disagree_the_check_does_not_stand(everything, monkeypatch):
    monkeypatch.setitem(
        fairness._METRICS,
        "selection_rate",
        lambda _, y_pred, sample_weight: float(np.mean(y_pred)) + sample_weight[0],
    )
    report = runner.audit(**everything | {"data_quality": None})
    assert report.finding("fairness.could_not_run").message.startswith(
        "The check fairness could not run: fairlearn's"
    )
    assert report.verdict.outcome.value == "not_enough_evidence"


def test_a_group_is_compared_with_everyone_else(make_rows, cells):
    y, p, g = make_rows({"a": cells(30, 20, 5, 100), "b": cells(60, 40, 5, 100), "c": cells(10, 40, 5, 100)})
    line = Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")
    found = runner.audit(y, p, sensitive_features=g, lines=[line]).findings[0]
    assert (found.counts.group_hits, found.counts.group_of) == (30, 50)
    assert (found.counts.rest_hits, found.counts.rest_of) == (70, 150)
    assert found.estimate == pytest.approx(30 / 50 - 70 / 150)
    assert (found.events, found.n) == (50, 155)


def test_measures_of_need_that_disagree_are_among_what_is_not_known(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    other = np.where(g == "a", (np.arange(len(y)) % 7 == 0) & (p == 0), y == 1).astype(int)
    other[:40] = 1
    line = Line("other_need_tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.SCREENS, "", "")
    report = runner.audit(y, p, sensitive_features=g, lines=[line], other_needs={"asked for help": other})
    assert report.findings[0].measure == "asked for help"
    assert any(u.startswith("Measures of need disagree.") for u in report.unknowns)
