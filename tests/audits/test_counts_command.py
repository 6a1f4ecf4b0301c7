"""`luvalla audits run --counts FILE`, as a user sees it: no home, no ledger, no register."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from audits import lines_file, report
from audits.errors import AuditsInputError, AuditsUnavailableError
from audits.finding import Direction, Role
from governance.version_commands import audit

LUVALLA = Path(sys.executable).parent / "luvalla"
TABLE = "attribute,group,tp,fp,fn,tn\nsex,woman,300,<5,200,1500\nsex,man,310,10,190,1490\n"
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


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.toml"
    path.write_text(LINE)
    return path


def call(*arguments):
    return CliRunner().invoke(audit, [str(a) for a in arguments], catch_exceptions=False)


def test_a_table_becomes_facts_and_page(table, lines, tmp_path):
    facts, page = tmp_path / "facts.json", tmp_path / "page.html"
    result = call("--counts", table, "--lines", lines, "--out", facts, "--page", page, "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (said["outcome"], said["facts"], said["page"]) == ("passed", str(facts), str(page))
    assert report.read(facts).digest == said["digest"]
    assert said["digest"] in page.read_text()
    assert {f["outcome"] for f in said["findings"]} == {"passed"}


def test_what_is_not_passed_exits_with_one_and_says_why(table, tmp_path):
    table.write_text(TABLE.replace("300,<5,200", "100,<5,400"))
    result = call("--counts", table)
    assert result.exit_code == 1
    assert result.stdout.startswith("failed  sha256:")
    assert "20 of every 100 people in need were found; among everyone else, 62." in result.stdout
    assert "no --lines" in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["counts.csv"]


def test_a_dry_run_writes_nothing_and_a_file_is_not_replaced_unasked(table, tmp_path):
    out = tmp_path / "facts.json"
    assert call("--counts", table, "--out", out, "--dry-run").exit_code == 0
    assert not out.exists()
    assert call("--counts", table, "--out", out).exit_code == 0
    with pytest.raises(AuditsInputError, match="already there"):
        call("--counts", table, "--out", out)
    assert call("--counts", table, "--out", out, "--force").exit_code == 0
    with pytest.raises(AuditsUnavailableError, match="cannot write"):
        call("--counts", table, "--out", tmp_path / "no" / "facts.json")
    with pytest.raises(AuditsInputError, match="asked for as facts and as page"):
        call("--counts", table, "--out", tmp_path / "x", "--page", tmp_path / "x")


@pytest.mark.parametrize(
    "arguments",
    [("health-benefit", "1", "--counts", "x.csv"), ("--lines", "x.toml"), ("health-benefit", "1"), ("--counts", "x.csv", "--by", "me"), ()],
)  # fmt: skip
def test_what_does_not_go_together_is_a_usage_error(arguments):
    result = CliRunner().invoke(audit, arguments)
    assert result.exit_code == click.UsageError.exit_code
    assert "--counts" in result.stderr


def test_lines_are_read_as_they_are_written(lines):
    (line,) = lines_file.read(lines)
    assert (line.metric, line.attribute, line.group, line.direction, line.limit, line.role) == (
        "tpr_gap", "sex", None, Direction.AT_LEAST, -0.10, Role.DECIDES,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a list of"),
        ("[[line]", "is not TOML"),
        (LINE + 'colour = "red"\n', "unknown key 'colour'"),
        (LINE.replace("limit = -0.10\n", ""), "limit is missing"),
        (LINE.replace("-0.10", '"ten"'), "limit is missing or no number"),
        (LINE.replace('">="', '"up"'), "direction is none of"),
        (LINE.replace("tpr_gap", "virtue_gap"), "expected one of"),
        (LINE + "unless_need_is_lower = 1\n", "neither true nor false"),
        ("name = 1\n" + LINE, "and nothing else"),
        (LINE * 25, "25 deciding lines; expected at most 24"),
        (LINE.replace('why = "a test"', 'why = " "'), "why is missing"),
    ],
)
def test_a_file_that_draws_no_lines_is_refused(content, message, lines):
    lines.write_text(content)
    with pytest.raises(AuditsInputError) as caught:
        lines_file.read(lines)
    assert message in caught.value.message


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(AuditsInputError, match="cannot read none"):
        lines_file.read(tmp_path / "none.toml")
    with pytest.raises(AuditsInputError, match="cannot read none"):
        call("--counts", tmp_path / "none.csv")


@pytest.mark.skipif(not LUVALLA.exists(), reason="luvalla is not installed beside this Python")
@pytest.mark.parametrize(
    ("content", "code"), [(TABLE, 0), (TABLE.replace("300,<5,200", "100,<5,400"), 1), ("group\n", 2)]
)
def test_the_console_script_exits_as_documented_without_a_home(content, code, table, tmp_path):
    table.write_text(content)
    run = subprocess.run(
        [LUVALLA, "audits", "run", "--counts", table],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == code
    assert (run.stdout == "") == (code == 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["counts.csv"]
