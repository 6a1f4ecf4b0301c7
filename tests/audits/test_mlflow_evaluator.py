"""``mlflow.models.evaluate(..., evaluators="luvalla")``, found by MLflow through its entry point, on models of any flavour."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits import report, runner
from models import mlflow_settings

pytestmark = pytest.mark.slow  # MLflow takes seconds to import, and a new store two more

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """MLflow with a store of its own, and luvalla's evaluator known to it by the entry point that pyproject.toml declares."""
    folder = tmp_path_factory.mktemp("mlflow")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    metadata = folder / "site" / "luvalla_as_declared-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: luvalla-as-declared\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[mlflow.model_evaluator]\n"
        + "".join(f"{n} = {o}\n" for n, o in declared["mlflow.model_evaluator"].items())
    )
    with mlflow_settings.quiet():
        import mlflow as library  # noqa: PLC0415
        from mlflow.models.evaluation import evaluator_registry  # noqa: PLC0415

        before = library.get_tracking_uri()
        library.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        library.create_experiment("audits", (folder / "artifacts").as_uri())
        library.set_experiment("audits")
        sys.path.insert(0, str(folder / "site"))
        evaluator_registry._model_evaluation_registry.register_entrypoints()
        sys.path.remove(str(folder / "site"))
        yield library
        library.set_tracking_uri(before)


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(11)
    n = 4000
    reading = rng.normal(size=n)
    p = 1 / (1 + np.exp(1.2 - 1.5 * reading))
    return pd.DataFrame(
        {
            "reading": reading,
            "need": (rng.random(n) < p).astype(int),
            "sex": rng.choice(["woman", "man"], n),
        }
    )


def probability(frame):
    """A model of no framework at all. It would fall over a column of words: the sensitive one is not for it."""
    return 1 / (1 + np.exp(1.2 - 1.5 * frame.to_numpy(dtype=float)[:, 0]))


CONFIG = {
    "sensitive_features": ["sex"],
    "capacity": 0.25,
    "subject": {"title": "A call", "question": "May it choose whom to call?"},
}


def test_the_audit_is_an_evaluator_of_mlflow_and_its_report_is_in_the_run(mlflow, people, tmp_path):
    with mlflow_settings.quiet(), mlflow.start_run() as run:
        result = mlflow.models.evaluate(
            probability, people, targets="need", model_type="classifier", evaluators="luvalla", evaluator_config=CONFIG,
        )  # fmt: skip
    scores = probability(people[["reading"]])
    made = result.artifacts["luvalla_report"].content
    expected = runner.audit(
        people["need"],
        scores >= made.population.threshold,
        y_score=scores,
        sensitive_features=people[["sex"]],
    )
    assert made.findings == expected.findings
    assert (made.subject.title, made.subject.run) == ("A call", run.info.run_id)
    stored = mlflow.get_run(run.info.run_id)
    gap = "luvalla/fairness.tpr_gap.sex.woman"
    assert stored.data.metrics[gap] == pytest.approx(made.finding("fairness.tpr_gap:sex=woman").estimate)
    assert result.metrics == pytest.approx(stored.data.metrics)
    assert stored.data.tags["luvalla.report"] == made.digest
    assert (
        sum(stored.data.metrics[f"luvalla/{o}"] for o in ("passed", "failed", "not_enough_evidence")) == 1.0
    )
    folder = Path(
        mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="luvalla", dst_path=str(tmp_path))
    )  # fmt: skip
    assert report.read(folder / "report.json").digest == made.digest
    assert made.digest in (folder / "report.html").read_text(encoding="utf-8")
    result.save(tmp_path / "saved")
    again = mlflow.models.EvaluationResult.load(tmp_path / "saved")
    assert again.artifacts["luvalla_report"].content.digest == made.digest
    checked = mlflow.models.MetricThreshold(threshold=1.0, greater_is_better=True)
    with (
        mlflow_settings.quiet(),
        pytest.raises(mlflow.models.evaluation.validation.ModelValidationFailedException),
    ):
        mlflow.validate_evaluation_results(
            {"luvalla/failed": checked}, candidate_result=result, baseline_result=None
        )


def test_a_logged_model_gets_its_signature_s_columns_and_predictions_need_no_model(mlflow, people):
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    fitted = LogisticRegression().fit(people[["reading"]], people["need"])
    config = CONFIG | {"sensitive_features": {"sex": people["sex"].to_numpy()}}
    common = {"model_type": "classifier", "evaluators": "luvalla"}
    with mlflow_settings.quiet(), mlflow.start_run():
        signature = mlflow.models.infer_signature(people[["reading"]], np.array([[0.1, 0.9]]))
        model = mlflow.sklearn.log_model(
            fitted, name="m", signature=signature, pyfunc_predict_fn="predict_proba", pip_requirements=["scikit-learn"],
        )  # fmt: skip
        by_model = mlflow.models.evaluate(
            model.model_uri, people, targets="need", evaluator_config=CONFIG, **common
        )
    scored = people.assign(p=fitted.predict_proba(people[["reading"]])[:, 1]).drop(columns=["sex"])
    with mlflow_settings.quiet(), mlflow.start_run():
        by_file = mlflow.models.evaluate(
            None, scored, targets="need", predictions="p", evaluator_config=config, **common
        )
    reports = [r.artifacts["luvalla_report"].content for r in (by_model, by_file)]
    assert reports[0].findings == reports[1].findings


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"capacity": None}, "a score selects nobody by itself"),
        ({"sensitive_features": ["gender"]}, "names the column 'gender'"),
        ({"colour": 1}, "evaluator_config has 'colour'"),
        ({"subject": {"colour": 1}}, "a field that a report does not"),
        ({"lines": ["tpr"]}, "is no audits.lines.Line"),
        ({"capacity": 7}, "capacity 7"),
    ],
)
def test_what_does_not_fit_is_mlflow_s_own_error(config, message, mlflow, people):
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    with mlflow_settings.quiet(), mlflow.start_run(), pytest.raises(MlflowException, match=message) as error:
        mlflow.models.evaluate(
            probability, people, targets="need", model_type="classifier", evaluators="luvalla",
            evaluator_config=CONFIG | config,
        )  # fmt: skip
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_it_stays_out_of_the_way_of_who_did_not_ask(mlflow):
    from audits.mlflow_evaluator import LuvallaEvaluator  # noqa: PLC0415

    assert not LuvallaEvaluator.can_evaluate(model_type="classifier", evaluator_config={})
    assert not LuvallaEvaluator.can_evaluate(
        model_type="regressor", evaluator_config={"sensitive_features": "sex"}
    )
