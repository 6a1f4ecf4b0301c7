"""Facts, their canonical bytes, and a reader that takes nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from audits import report as reports
from audits.errors import AuditsEvidenceError, AuditsInputError
from audits.finding import Outcome

SCHEMA_FILE = Path(__file__).parents[2] / "docs/spec/audit-report.schema.json"


@pytest.fixture
def report(full_report):
    return full_report


def test_a_report_reads_back_as_the_same_report(report):
    again = reports.from_json(report.to_json())
    assert again == report
    assert again.digest == report.digest
    assert again.to_json() == report.to_json()


def test_the_digest_changes_with_any_fact(report):
    changed = replace(report, population=replace(report.population, found=report.population.found + 1))
    assert changed.digest != report.digest
    assert report.digest.startswith("sha256:")
    assert len(report.digest) == 71


def test_the_schema_file_is_current_and_the_report_meets_it(report):
    schema = json.loads(SCHEMA_FILE.read_text())
    assert schema == reports.json_schema(), "rebuild it: see docs/reading-a-report.md"
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(report.to_json()), schema, cls=jsonschema.Draft202012Validator)


def test_a_report_from_before_a_field_came_to_the_format_reads_back(report):
    # No audit of a service that declares no gain says anything of it: its certificate names the digest without it.
    plain = replace(report, benefit=None, trades=())
    facts = json.loads(plain.to_json())
    assert not {"benefit", "trades"} & set(facts)
    assert reports.from_json(plain.to_json()) == plain


def test_the_schema_is_closed(report):
    facts = json.loads(report.to_json())
    facts["findings"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        jsonschema.validate(facts, reports.json_schema(), cls=jsonschema.Draft202012Validator)


def change(report, edit):
    facts = json.loads(report.to_json())
    edit(facts)
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (lambda f: f.update(extra=1), AuditsEvidenceError),
        (lambda f: f["findings"][0].update(estimate=0.12345678901234), AuditsEvidenceError),
        (lambda f: f["verdict"].update(outcome="fine"), AuditsInputError),
        (lambda f: f.pop("verdict"), AuditsInputError),
        (lambda f: f["population"].update(n="many"), AuditsInputError),
        (lambda f: f.update(schema="luvalla/audit-report/v9"), AuditsInputError),
    ],
)
def test_anything_but_a_report_is_refused(report, edit, error):
    with pytest.raises(error):
        reports.from_json(change(report, edit))


def test_a_reformatted_report_is_no_evidence(report):
    pretty = json.dumps(json.loads(report.to_json()), indent=1).encode()
    with pytest.raises(AuditsEvidenceError, match="not in its canonical bytes") as caught:
        reports.from_json(pretty)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b"null", b"\xff", b"<html>"])
def test_junk_is_an_input_error_that_repeats_none_of_it(junk):
    with pytest.raises(AuditsInputError, match="not an audit report"):
        reports.from_json(junk)


def test_a_finding_is_found_by_its_code(report):
    assert report.finding("degenerate.predictions").outcome is Outcome.PASSED
    with pytest.raises(AuditsInputError, match="no finding 'x'"):
        report.finding("x")
