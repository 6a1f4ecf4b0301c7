"""Contributions are believed only where they add up to the model's own output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits import performance, runner
from audits.explainability import ExplainabilityCheck
from audits.finding import Outcome


def audit_with(everything, **change):
    everything["explain"] = replace(everything["explain"], **change)
    return runner.audit(**everything, checks=[ExplainabilityCheck()])


def test_contributions_that_add_up_pass_and_rank_the_features(everything):
    report = audit_with(everything)
    assert report.finding("explainability.additivity").outcome is Outcome.PASSED
    assert [i.label for i in report.explanation.importance] == ["Reading", "Days absent", "Moves of home"]
    assert sum(i.share for i in report.explanation.importance) == pytest.approx(1)
    assert report.explanation.invented.reasons == ("Reads less than most in the class",)


def test_contributions_that_are_off_fail_the_version(everything):
    off = everything["explain"].contributions.copy()
    off[3, 1] += 1e-5
    report = audit_with(everything, contributions=off)
    found = report.finding("explainability.additivity")
    assert found.outcome is Outcome.FAILED
    assert found.estimate == pytest.approx(1e-5, rel=1e-3)
    assert report.verdict.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("reading", "absence")},
        {"output": np.zeros(3)},
        {"expected": float("nan")},
        {"labels": ("Reading",)},
        {"output": np.zeros(0), "contributions": np.zeros((0, 3))},
    ],
)
def test_an_explanation_that_does_not_fit_could_not_run(everything, change):
    report = audit_with(everything, **change)
    assert report.finding("explainability.could_not_run").outcome is Outcome.COULD_NOT_RUN
    assert report.verdict.outcome is not Outcome.PASSED
    assert report.explanation is None


def test_an_invented_person_who_is_somebody_real_is_not_shown(everything):
    features = everything["features"].copy()
    features.loc[5] = [0.5, 1.0, 2.0]
    everything["features"] = features
    report = audit_with(everything)
    assert report.explanation.invented is None
    assert "the same features as somebody real" in report.finding("explainability.invented_person").message


def test_invented_reasons_that_do_not_add_up_are_not_shown(everything):
    invented = replace(everything["explain"].invented, output=0.0)
    report = audit_with(everything, invented=invented)
    assert report.finding("explainability.invented_additivity").outcome is Outcome.FAILED
    assert report.explanation.invented is None


def test_calibration_and_capacities_count_everybody_once():
    rng = np.random.default_rng(2)
    score = np.round(rng.random(1003), 1)
    need = (rng.random(1003) < score).astype(np.int8)
    assert sum(b.n for b in performance.calibration(need, score)) == 1003
    points = performance.capacities(need, score)
    assert [p.found for p in points] == sorted(p.found for p in points)
    assert all(0 <= p.precision <= 1 for p in points)
