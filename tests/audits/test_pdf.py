"""The page as PDF, by the browser that is on the machine, and what is said where none is."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from audits import commands, pdf
from audits.errors import AuditsUnavailableError


@pytest.fixture
def facts(full_report, tmp_path):
    path = tmp_path / "facts.json"
    path.write_bytes(full_report.to_json())
    return path


@pytest.mark.browser
@pytest.mark.slow
def test_a_report_is_printed_by_chromium(facts, tmp_path, browser):
    out = tmp_path / "report.pdf"
    done = CliRunner().invoke(
        commands.report, [str(facts), "--pdf", str(out), "--json"], catch_exceptions=False
    )
    assert json.loads(done.stdout)["pdf"] == str(out)
    printed = out.read_bytes()
    assert printed.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in printed or b"/MarkInfo" in printed  # tagged: a screen reader can read it
    assert printed.count(b"/Type /Page\n") > 8  # the evidence is open on paper


def test_without_a_browser_it_says_what_to_do_and_writes_nothing(facts, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf, "NAMES", ("chromium",))
    monkeypatch.delenv(pdf.VARIABLE, raising=False)
    arguments = [str(facts), "--pdf", str(tmp_path / "report.pdf"), "--out", str(tmp_path / "page.html")]
    with pytest.raises(AuditsUnavailableError, match="no browser of Chromium's family") as error:
        CliRunner().invoke(commands.report, arguments, catch_exceptions=False)
    assert error.value.exit_code == 4
    assert "print the page from any browser" in error.value.hint
    assert sorted(p.name for p in tmp_path.iterdir()) == ["facts.json"]


@pytest.mark.parametrize(
    ("script", "message"),
    [("exit 7", "it ended with 7"), ("exit 0", "printed nothing"), (None, "is no program here")],
)
def test_a_browser_that_fails_is_named(script, message, tmp_path, monkeypatch):
    program = tmp_path / "mine"
    if script:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv(pdf.VARIABLE, str(program))
    with pytest.raises(AuditsUnavailableError, match=message):
        pdf.from_page("<!doctype html>", pdf.browser())
