"""great-expectations on the caller's rows: booleans only, in memory only, in silence."""

from __future__ import annotations

import pandas as pd
import pytest

from audits import runner
from audits.check import DataQuality, Expectation
from audits.data_quality import GX_NAMES, run_suite
from audits.finding import Outcome, Role

FRAME = pd.DataFrame(
    {
        "person": ["p1", "p2", "p3", "p3"],
        "age": [16, 15, None, 99],
        "sex": ["f", "m", "x", "f"],
        "name": list("abcd"),
    }
)


@pytest.mark.parametrize(
    ("expectation", "met"),
    [
        (Expectation("not_null", "person"), True),
        (Expectation("not_null", "age"), False),
        (Expectation("not_null", "age", mostly=0.7), True),
        (Expectation("between", "age", 13, 20), False),
        (Expectation("between", "age", None, 100), True),
        (Expectation("in_set", "sex", allowed=("f", "m", "x")), True),
        (Expectation("in_set", "sex", allowed=("f", "m")), False),
        (Expectation("unique", "person"), False),
        (Expectation("unique", "name"), True),
        (Expectation("exists", "age"), True),
        (Expectation("exists", "income"), False),
        (Expectation("row_count", minimum=4), True),
        (Expectation("row_count", minimum=5, maximum=9), False),
        (Expectation("between", "income", 0, 1), None),
    ],
)
def test_each_kind_of_expectation(expectation, met):
    assert run_suite(DataQuality(FRAME, (expectation,)))[0].met is met


def test_many_expectations_keep_their_order_and_say_nothing_on_the_screen(capfd):
    asked = tuple(Expectation(kind, "age" if kind != "row_count" else "", 0, 100, (16,)) for kind in GX_NAMES)
    results = run_suite(DataQuality(FRAME, asked))
    assert [r.expectation for r in results] == list(GX_NAMES.values())
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_missed_expectation_fails_the_version_and_keeps_no_value(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    quality = DataQuality(
        FRAME, (Expectation("between", "age", 13, 20), Expectation("between", "income", 0, 1)), "youth"
    )
    report = runner.audit(y, p, sensitive_features=g, data_quality=quality)
    outcomes = [f.outcome for f in report.findings if f.check == "data_quality"]
    assert outcomes == [Outcome.FAILED, Outcome.COULD_NOT_RUN]
    assert report.verdict.outcome is Outcome.FAILED
    assert report.data_quality.rows == 4
    assert b"99" not in b"".join(r.says.encode() for r in report.data_quality.results)


def test_a_described_expectation_only_tells(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    quality = DataQuality(FRAME, (Expectation("between", "age", 13, 20, role=Role.DESCRIBED),))
    assert runner.audit(y, p, sensitive_features=g, data_quality=quality).verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize("expectations", [(), (Expectation("looks_right", "age"),)])
def test_an_empty_or_unknown_suite_could_not_run(expectations, make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    report = runner.audit(y, p, sensitive_features=g, data_quality=DataQuality(FRAME, expectations))
    assert report.finding("data_quality.could_not_run").outcome is Outcome.COULD_NOT_RUN
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
