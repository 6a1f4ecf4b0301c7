"""One call from arrays to a report: what holds for whoever calls it, and what it refuses."""

from __future__ import annotations

import doctest
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits import lines, runner
from audits.check import Attribute, Baseline, CheckResult, DataQuality, Expectation
from audits.counts import design_effect
from audits.errors import AuditsInputError
from audits.finding import Direction, Leaning, Outcome, Role
from audits.lines import Line

DOCS = Path(__file__).parents[2] / "docs"


def tpr_line(group, attribute="group", role=Role.DECIDES):
    return Line("tpr_gap", attribute, group, Direction.AT_LEAST, -0.10, role, "", "")


def test_the_docstrings_examples_run():
    for module in (runner, lines):
        assert doctest.testmod(module).failed == 0
    assert doctest.testfile(str(DOCS / "reading-a-report.md"), module_relative=False).failed == 0


def test_a_notebook_needs_three_arrays(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    report = runner.audit(y, p, sensitive_features=g)
    assert report.verdict.outcome is Outcome.PASSED
    assert {f.line for f in report.findings if f.role is Role.DECIDES} >= {
        "tpr_gap:group=a",
        "selection_ratio:group=b",
    }


def test_fairlearns_user_guide_example_is_not_enough_evidence(make_rows, cells):
    # The guide's 18 rows by their counts: demographic parity difference .25, ratio .667, equalized odds difference 1.0.
    y, p, g = make_rows({"a": cells(2, 1, 1, 0), "b": cells(3, 2, 0, 1), "c": cells(2, 3, 2, 1)})
    report = runner.audit(y, p, sensitive_features=g)
    rates = {r.group: r.metrics for r in report.groups}
    selection = [rates[k]["selection_rate"] for k in "abc"]
    assert (max(selection) - min(selection), min(selection) / max(selection)) == (0.25, pytest.approx(2 / 3))
    assert (
        max(rates[k]["false_positive_rate"] for k in "abc")
        - min(rates[k]["false_positive_rate"] for k in "abc")
        == 1.0
    )
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert report.verdict.leaning is None
    assert all(f.too_few for f in report.findings if f.role is Role.DECIDES)
    assert any("too few people to judge" in u for u in report.unknowns)


def test_the_same_inputs_give_the_same_bytes(everything):
    one, two = runner.audit(**everything), runner.audit(**everything)
    assert one.to_json() == two.to_json()
    assert one.digest == two.digest


def test_no_row_of_anybody_is_in_the_report(everything):
    planted = 0.123456789
    features = everything["features"].copy()
    features.loc[7, "reading"] = planted
    everything["features"] = features
    everything["data_quality"] = DataQuality(features, (Expectation("between", "reading", 5, 6),))
    report = runner.audit(**everything)
    assert report.verdict.outcome is Outcome.FAILED
    assert "0.12345678" not in report.to_json().decode()


def test_a_check_that_raises_could_not_run_and_hides_what_it_said(make_rows, cells):
    class Broken:
        name = "broken"

        def run(self, _given):
            raise ValueError("Aino Virtanen, 010101A123N")

    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    report = runner.audit(y, p, sensitive_features=g, checks=[*runner.CHECKS, Broken()])
    assert report.finding("broken.could_not_run").outcome is Outcome.COULD_NOT_RUN
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert report.verdict.leaning is None
    assert b"Aino" not in report.to_json()


class GivesNothing:
    name = "nothing"

    def run(self, _given):
        return None


@pytest.mark.parametrize("wrong", [object(), ValueError("x"), GivesNothing()])
def test_something_that_is_no_check_could_not_run(wrong):
    result = runner.run_check("wrong", wrong, None)
    assert [f.outcome for f in result.findings] == [Outcome.COULD_NOT_RUN]


def test_a_plug_in_s_check_runs_and_one_that_does_not_load_is_named(make_rows, cells, monkeypatch):
    class Point:
        def __init__(self, name, thing):
            self.name, self.thing = name, thing

        def load(self):
            if isinstance(self.thing, Exception):
                raise self.thing
            return self.thing

    class Mine:
        name = "mine"

        def run(self, given):
            assert isinstance(given.attributes["group"], Attribute)
            return CheckResult(findings=(), unknowns=("mine ran",))

    points = [Point("z-mine", Mine), Point("a-gone", ImportError("gone"))]
    monkeypatch.setattr(
        "audits.check.entry_points", lambda group: points if group == "luvalla.checks" else []
    )
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    report = runner.audit(y, p, sensitive_features=g)
    assert "mine ran" in report.unknowns
    assert report.finding("a-gone.could_not_run").outcome is Outcome.COULD_NOT_RUN
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_nothing_ran_is_not_a_pass(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    for given in ({"checks": []}, {"lines": ()}):
        report = runner.audit(y, p, sensitive_features=g, **given)
        assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


@pytest.mark.parametrize("selected", [0, 1])
def test_parity_because_the_model_decides_nothing_is_not_praised(selected, make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    report = runner.audit(y, np.full_like(p, selected), sensitive_features=g, y_score=np.full(len(y), 0.5))
    assert report.finding("degenerate.predictions").outcome is Outcome.FAILED
    assert report.finding("degenerate.scores").outcome is Outcome.FAILED
    assert report.verdict.outcome is Outcome.FAILED


def test_an_attribute_with_one_value_compares_with_nobody(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500)})
    report = runner.audit(y, p, sensitive_features=g)
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "there is nobody to compare with" in report.finding("degenerate.attribute:group").message


def test_missing_sensitive_values_are_a_group_and_over_five_percent_stop_a_pass(make_rows, cells):
    y, p, g = make_rows({"a": cells(900, 600, 60, 1500), "b": cells(890, 610, 50, 1500)})
    for share, outcome in ((0.04, Outcome.PASSED), (0.06, Outcome.NOT_ENOUGH_EVIDENCE)):
        holes = g.copy()
        holes[np.random.default_rng(0).permutation(len(g))[: int(share * len(g))]] = np.nan
        report = runner.audit(y, p, sensitive_features=holes, lines=[tpr_line("a")])
        assert report.verdict.outcome is outcome
        assert any(r.group == "unknown" for r in report.groups)
    assert report.verdict.leaning is Leaning.FOR
    assert any("cannot pass" in u for u in report.unknowns)


def test_a_group_that_nobody_is_in_is_named_and_does_not_pass(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    report = runner.audit(y, p, sensitive_features=g, lines=[tpr_line("c"), tpr_line("a")])
    assert report.finding("fairness.tpr_gap:group=c").too_few
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


@pytest.mark.parametrize("metric", ["levelling_down", "other_need_tpr_gap", "observed_expected"])
def test_a_line_without_its_input_could_not_run(metric, make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    line = Line(metric, "group", "a", Direction.AT_MOST, 1.25, Role.DECIDES, "", "")
    report = runner.audit(y, p, sensitive_features=g, lines=[line, tpr_line("a")])
    assert report.finding(f"fairness.{line.id}").outcome is Outcome.COULD_NOT_RUN
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_a_line_on_something_there_is_none_of_does_not_apply(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    expected = Line("observed_expected", "group", "a", Direction.AT_MOST, 1.25, Role.DECIDES, "", "")
    other = Line("other_need_tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.SCREENS, "", "")
    given = {"sensitive_features": g, "lines": [tpr_line("a"), expected, other], "other_needs": {}}
    report = runner.audit(y, p, y_score=p * 3.0, **given)
    assert report.finding(f"fairness.{expected.id}").outcome is Outcome.NOT_APPLICABLE
    assert report.finding(f"fairness.{other.id}").outcome is Outcome.NOT_APPLICABLE
    assert report.verdict.outcome is Outcome.PASSED


def test_the_first_version_has_nothing_to_level_down_from(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    line = Line("levelling_down", "group", "a", Direction.AT_MOST, 0.05, Role.DECIDES, "", "")
    report = runner.audit(y, p, sensitive_features=g, lines=[line, tpr_line("a")], baseline=Baseline(None))
    assert report.finding(f"fairness.{line.id}").outcome is Outcome.NOT_APPLICABLE
    assert report.verdict.outcome is Outcome.PASSED


def test_levelling_down_is_only_judged_at_equal_capacity(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    line = Line("levelling_down", "group", "a", Direction.AT_MOST, 0.05, Role.DECIDES, "", "")
    few = p.copy()
    few[np.flatnonzero(p)[::5]] = 0
    report = runner.audit(y, p, sensitive_features=g, lines=[line], baseline=Baseline(few))
    found = report.finding(f"fairness.{line.id}")
    assert found.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "equal capacity" in found.message
    assert [r.found_before < r.found_now for r in report.price] == [True, True, True]


def test_families_widen_the_interval_as_if_each_were_one_person(make_rows, cells):
    y, p, g = make_rows({"a": cells(60, 40, 12, 300), "b": cells(58, 42, 10, 300)})
    thrice = [np.repeat(v, 3) for v in (y, p, g)]
    alone = runner.audit(y, p, sensitive_features=g, lines=[tpr_line("a")])
    naive = runner.audit(thrice[0], thrice[1], sensitive_features=thrice[2], lines=[tpr_line("a")])
    honest = runner.audit(
        thrice[0],
        thrice[1],
        sensitive_features=thrice[2],
        lines=[tpr_line("a")],
        clusters=np.repeat(np.arange(len(y)), 3),
    )
    widths = [r.findings[0].high - r.findings[0].low for r in (alone, naive, honest)]
    assert widths[1] < 0.62 * widths[0]
    assert widths[2] == pytest.approx(widths[0], rel=0.03)
    assert honest.findings[0].design_effect == pytest.approx(3, rel=0.02)
    assert honest.rule.clusters == len(y)
    assert any("clustering was not accounted for" in u for u in naive.unknowns)
    assert not any("clustering was not accounted for" in u for u in honest.unknowns)


@pytest.mark.parametrize(("families", "few"), [(29, True), (30, False)])
def test_few_families_are_too_few_for_calibration_and_levelling_down_too(families, few, make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 300, 100, 900), "b": cells(300, 300, 100, 900)})
    drawn = [
        Line("observed_expected", "group", "a", Direction.AT_MOST, 1.25, Role.DECIDES, "", ""),
        Line("levelling_down", "group", "a", Direction.AT_MOST, 0.05, Role.DECIDES, "", ""),
    ]
    report = runner.audit(
        y, p, sensitive_features=g, lines=drawn, y_score=np.full(len(y), y.mean()), baseline=Baseline(p),
        clusters=np.arange(len(y)) % families,
    )  # fmt: skip
    for found in (report.finding(f"fairness.{line.id}") for line in drawn):
        assert found.too_few is few
        assert found.outcome is (Outcome.NOT_ENOUGH_EVIDENCE if few else Outcome.PASSED)


def test_the_design_effect_of_clusters_that_agree_completely_is_their_size():
    values = np.repeat(np.random.default_rng(1).integers(0, 2, 400), 5).astype(float)
    effect, number = design_effect(values, np.repeat(np.arange(400), 5))
    assert number == 400
    assert effect == pytest.approx(5, rel=0.01)
    assert design_effect(np.ones(50), np.repeat(np.arange(10), 5)) == (5.0, 10)


def test_the_chance_for_an_equal_model_grows_with_people(make_rows, cells):
    chances = []
    for k in (1, 4, 16):
        y, p, g = make_rows(
            {"a": cells(30 * k, 20 * k, 6 * k, 150 * k), "b": cells(29 * k, 21 * k, 5 * k, 150 * k)}
        )
        chances.append(
            runner.audit(y, p, sensitive_features=g, lines=[tpr_line("a"), tpr_line("b")]).rule.chance
        )
    assert chances[0] < 0.3
    assert chances[0] < chances[1] < chances[2]
    assert chances[2] > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_true": []}, "no people to audit"),
        ({"y_true": [0, 1, 2, 1]}, "y_true has shape .* 0 or 1"),
        ({"y_true": [None, None, None, None]}, "the outcome of all 4 people is unknown"),
        ({"y_pred": [0, 1, None, 1]}, "y_pred has shape .* missing"),
        ({"y_pred": [0, 1, 1]}, "y_pred has 3 rows, y_true has 4"),
        ({"y_pred": ["yes", "no", "no", "no"]}, "y_pred holds something that is not a number"),
        ({"sensitive_features": {}}, "no sensitive feature"),
        ({"sensitive_features": {"sex": ["a"]}}, "sex has 1 rows"),
        ({"y_score": [0.1, np.nan, 0.2, 0.3]}, "y_score .* not finite"),
        ({"clusters": [1, None, 2, 3]}, "clusters has missing values"),
        ({"other_needs": {"ill": [1, 0]}}, "ill has 2 rows"),
        ({"baseline": Baseline(np.array([1, 0]))}, "baseline.y_pred has 2 rows"),
        ({"features": pd.DataFrame({"x": [1]})}, "features has 1 rows"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {
        "y_true": [0, 1, 0, 1],
        "y_pred": [0, 1, 1, 1],
        "sensitive_features": {"sex": list("abab")},
    } | change
    with pytest.raises(AuditsInputError, match=message) as caught:
        runner.audit(**given)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_importing_the_runner_loads_no_heavy_library_that_may_not_be_needed(python):
    code = "import sys, audits.runner; print(*sorted(m for m in sys.modules if '.' not in m))"
    run = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert "numpy" in run.stdout.split()
    assert not {"shap", "great_expectations", "mlflow", "models", "consent", "governance"} & set(
        run.stdout.split()
    )


def test_who_waits_is_told_each_check_before_it_runs_and_the_report_is_the_same(make_rows, cells):
    y, p, g = make_rows({"a": cells(30, 20, 6, 150), "b": cells(29, 21, 5, 150)})
    told = []
    report = runner.audit(y, p, sensitive_features=g, progress=told.append)
    names = [check.name for check in runner.CHECKS]
    assert [text.split(": ")[1] for text in told[: len(names)]] == [n.replace("_", " ") for n in names]
    assert told[0].startswith(f"check 1 of {len(told)}: ")
    assert report.digest == runner.audit(y, p, sensitive_features=g).digest
