"""`luvalla audits run --predictions FILE`, as a data scientist's CI sees it: exit codes, JSON, and nobody's values repeated."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from audits import report, runner, selection
from audits.errors import AuditsInputError
from governance.version_commands import audit

LINE = """
[[line]]
metric = "tpr_gap"
attribute = "sex"
direction = ">="
limit = -0.10
role = "decides"
source = "a test"
why = "a test"
"""
COLUMNS = ("--outcome", "need", "--sensitive", "sex")


@pytest.fixture
def people():
    rng = np.random.default_rng(5)
    n = 6000
    need = rng.random(n) < 0.3
    found = np.where(need, rng.random(n) < 0.6, rng.random(n) < 0.1)
    return pd.DataFrame(
        {
            "person": [f"0101{i:06d}-secret" for i in range(n)],
            "need": need.astype(int),
            "chosen": found.astype(int),
            "p": np.where(found, 0.5, 0.0) + rng.random(n) / 2,
            "sex": np.where(np.arange(n) % 2 == 0, "woman", "man"),
        }
    )


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.toml"
    path.write_text(LINE)
    return path


def call(*arguments):
    return CliRunner().invoke(audit, [str(a) for a in arguments], catch_exceptions=False)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_of_predictions_becomes_the_report_that_its_arrays_give(kind, people, lines, tmp_path):
    file, facts, page = tmp_path / f"scored.{kind}", tmp_path / "facts.json", tmp_path / "page.html"
    (people.to_csv(file, index=False) if kind == "csv" else people.to_parquet(file))
    result = call(
        "--predictions", file, *COLUMNS, "--prediction", "chosen", "--score", "p", "--lines", lines,
        "--out", facts, "--html", page, "--json",
    )  # fmt: skip
    said = json.loads(result.stdout)
    assert (result.exit_code, said["outcome"]) == (0, "passed")
    made = report.read(facts)
    assert made.digest == said["digest"]
    assert made.digest in page.read_text()
    assert "secret" not in facts.read_text() + page.read_text() + result.output
    same = runner.audit(
        people["need"], people["chosen"], y_score=people["p"], sensitive_features=people[["sex"]]
    )
    assert made.population.found == same.population.found
    assert made.groups == same.groups
    assert any("had seen these people in training" in unknown for unknown in made.unknowns)


def test_what_is_not_passed_exits_with_one(people, lines, tmp_path):
    people.loc[people["sex"].eq("woman") & (np.arange(len(people)) % 3 == 0), "chosen"] = 0
    people.to_csv(tmp_path / "scored.csv", index=False)
    result = call(
        "--predictions", tmp_path / "scored.csv", *COLUMNS, "--prediction", "chosen", "--lines", lines
    )
    assert (result.exit_code, result.stdout[:6]) == (1, "failed")
    people.head(60).to_csv(tmp_path / "scored.csv", index=False)
    result = call(
        "--predictions", tmp_path / "scored.csv", *COLUMNS, "--prediction", "chosen", "--lines", lines
    )
    assert (result.exit_code, result.stdout[:19]) == (1, "not enough evidence")


def test_a_score_selects_by_the_capacity_or_the_threshold_deployed(people, lines, tmp_path):
    people.to_parquet(tmp_path / "scored.parquet")
    common = ("--predictions", tmp_path / "scored.parquet", *COLUMNS, "--score", "p", "--lines", lines)
    call(*common, "--capacity", 0.2, "--out", tmp_path / "a.json")
    by_capacity = report.read(tmp_path / "a.json")
    assert (by_capacity.population.selected, by_capacity.subject.capacity) == (1200, 0.2)
    call(*common, "--threshold", by_capacity.population.threshold, "--out", tmp_path / "b.json")
    assert report.read(tmp_path / "b.json").groups == by_capacity.groups
    with pytest.raises(AuditsInputError, match="predictions are not what --threshold makes of the scores"):
        call(*common, "--prediction", "chosen", "--threshold", 0.9)


def test_people_who_tie_at_the_edge_are_all_selected_and_it_is_said():
    chosen = selection.select([0.9, 0.5, 0.5, 0.5, 0.1], threshold=None, capacity=0.4)
    assert (chosen.y_pred.tolist(), chosen.threshold) == ([1, 1, 1, 1, 0], 0.5)
    assert "2 people could be selected; 2 more" in chosen.note


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, ("--outcome", "needs", "--sensitive", "sex", "--prediction", "chosen"), "has no column 'needs'"),
        ({}, COLUMNS, "no column of predictions was named"),
        ({}, (*COLUMNS, "--score", "p"), "a score selects nobody by itself"),
        ({}, (*COLUMNS, "--score", "p", "--capacity", "1.5"), "capacity 1.5"),
        ({}, (*COLUMNS, "--prediction", "p"), "'p' is neither 0 nor 1 in"),
        ({}, (*COLUMNS, "--score", "person", "--capacity", ".2"), "'person' is no number in 6000 of 6000 rows"),
        ({}, ("--outcome", "need", "--sensitive", "person", "--prediction", "chosen"), "has 6,000 different values"),
        ({"need": None}, (*COLUMNS, "--prediction", "chosen"), "'need' is empty in 1 of 6000 rows"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_without_anybodys_value(change, arguments, message, people, tmp_path):
    people = people.astype(object)
    for column, value in change.items():
        people.loc[7, column] = value
    people.to_csv(tmp_path / "scored.csv", index=False)
    with pytest.raises(AuditsInputError, match=message) as error:
        call("--predictions", tmp_path / "scored.csv", *arguments)
    assert error.value.exit_code == 2
    assert "secret" not in error.value.message + error.value.hint
    assert error.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [("gone.csv", None), ("empty.csv", b""), ("bytes.csv", b"\xff\xfe\x00need"), ("no.parquet", b"need,sex,chosen\n1,a,1\n"), ("rowless.csv", b"need,sex,chosen\n")],
)  # fmt: skip
def test_a_file_that_is_none_is_wrong_input(name, content, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AuditsInputError, match=name):
        call("--predictions", tmp_path / name, *COLUMNS, "--prediction", "chosen")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--predictions", "x.csv"),
        ("--predictions", "x.csv", "--counts", "y.csv"),
        ("--predictions", "x.csv", *COLUMNS, "--rounded-to", "5"),
        ("--counts", "x.csv", "--sensitive", "sex"),
        ("--sensitive", "sex"),
        ("health-benefit", "1", "--predictions", "x.csv"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(arguments):
    result = CliRunner().invoke(audit, arguments)
    assert result.exit_code == 2
    assert "--predictions" in result.stderr
