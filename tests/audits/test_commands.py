"""`luvalla audits report` and `compare`, as a user sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits import commands, runner
from audits.check import Baseline
from audits.errors import AuditsInputError, AuditsUnavailableError

LUVALLA = Path(sys.executable).parent / "luvalla"


@pytest.fixture
def facts(full_report, tmp_path):
    path = tmp_path / "facts.json"
    path.write_bytes(full_report.to_json())
    return path, full_report


def call(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_the_page_goes_to_the_screen(facts):
    result = call(commands.report, facts[0])
    assert result.exit_code == 0
    assert result.stdout.startswith("<!doctype html>")
    assert result.stderr == ""


def test_small_counts_are_not_taken_to_be_withheld_where_they_are_not(facts, tmp_path):
    out = tmp_path / "page.html"
    result = call(commands.report, facts[0], "--at-least", "10", "--out", out)
    assert result.exit_code == 2
    assert "--at-least goes with --published" in result.stderr
    assert not out.exists()


def test_the_page_goes_to_a_file_and_is_not_replaced_unasked(facts, tmp_path):
    out = tmp_path / "page.html"
    result = call(commands.report, facts[0], "--out", out, "--json")
    assert json.loads(result.stdout)["digest"] == facts[1].digest
    assert json.loads(result.stdout)["page"] == str(out)
    assert out.read_text().startswith("<!doctype html>")
    with pytest.raises(AuditsInputError, match="already there"):
        call(commands.report, facts[0], "--out", out)
    assert call(commands.report, facts[0], "--out", out, "--force").exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["facts.json", "page.html"]


def test_a_dry_run_writes_nothing(facts, tmp_path):
    result = call(commands.report, facts[0], "--out", tmp_path / "page.html", "--dry-run")
    assert facts[1].digest in result.stdout
    assert not (tmp_path / "page.html").exists()


def test_a_folder_that_is_not_there_is_named(facts, tmp_path):
    with pytest.raises(AuditsUnavailableError, match="cannot write"):
        call(commands.report, facts[0], "--out", tmp_path / "no" / "page.html")


def test_two_reports_are_compared(facts, everything, tmp_path):
    second = tmp_path / "second.json"
    everything["baseline"] = Baseline(None)
    everything["y_pred"] = everything["y_pred"][::-1].copy()
    second.write_bytes(runner.audit(**everything).to_json())
    result = call(commands.compare, facts[0], second, "--json")
    compared = json.loads(result.stdout)
    assert compared["before"] == facts[1].digest
    assert compared["cautions"] == []
    assert {c["code"] for c in compared["changes"]} >= {"fairness.tpr_gap:sex=man"}
    text = call(commands.compare, facts[0], second)
    assert text.stdout.startswith("verdict: ")
    assert "no line changed its outcome" in call(commands.compare, facts[0], facts[0]).stdout


def test_reports_on_other_people_are_compared_with_care(facts, make_rows, cells, tmp_path):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    other = tmp_path / "other.json"
    other.write_bytes(runner.audit(y, p, sensitive_features=g).to_json())
    result = call(commands.compare, facts[0], other)
    assert result.exit_code == 0
    assert "with care: The two audits ran on different rows." in result.stderr
    assert "not there" in result.stdout


@pytest.mark.skipif(not LUVALLA.exists(), reason="luvalla is not installed beside this Python")
@pytest.mark.parametrize(("content", "code"), [(b"<html>", 2), (None, 2), ("pretty", 3)])
def test_the_console_script_exits_as_documented(content, code, facts, tmp_path):
    path = tmp_path / "given.json"
    if content == "pretty":
        path.write_text(json.dumps(json.loads(facts[0].read_bytes()), indent=1))
    elif content is not None:
        path.write_bytes(content)
    run = subprocess.run([LUVALLA, "audits", "report", path], capture_output=True, text=True, check=False)
    assert run.returncode == code
    assert run.stdout == ""
    assert run.stderr.startswith("error: ")
    assert "hint: " in run.stderr
