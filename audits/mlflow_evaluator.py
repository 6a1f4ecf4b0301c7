"""``mlflow.models.evaluate(..., evaluators="luvalla")``: the audit as one of MLflow's evaluators, on a model of any flavour.

The entry point ``mlflow.model_evaluator`` makes it known to MLflow; nobody imports this module by hand.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from mlflow.entities import Metric, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models.evaluation import EvaluationArtifact, EvaluationResult
from mlflow.models.evaluation.base import ModelEvaluator
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.tracking import MlflowClient

from audits import html, lines_file, report, runner, selection
from audits.check import Baseline
from audits.errors import AuditsError, AuditsInputError
from audits.finding import Outcome, Role
from audits.lines import Line
from audits.sections import ReportSubject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.finding import Finding
    from audits.report import AuditReport

KEYS = {
    "sensitive_features": "names of columns of the data, or a data frame or mapping of arrays; needed",
    "lines": "path of a TOML file of lines, or a sequence of audits.lines.Line",
    "threshold": "scores of at least this are selected",
    "capacity": "share of people that can be selected, by score",
    "features": "columns that the model is given; by default those of its signature, or all that are not sensitive",
    "baseline": "column or array of whom the first version selected",
    "clusters": "column or array of families",
    "other_needs": "columns or arrays of other measures of need",
    "subject": "mapping of audits.sections.ReportSubject's fields, such as title, question and need",
    "unknowns": "sentences on what the data cannot tell",
    "language": "of the page: en, fi or sv",
}
"""What ``evaluator_config`` may hold."""
FOLDER = "luvalla"
_LONGEST = 240
"""MLflow refuses names of metrics over 250 characters."""


class ReportArtifact(EvaluationArtifact):
    """The report's facts: `content` is an `audits.report.AuditReport`."""

    def _save(self, output_artifact_path: str) -> None:
        Path(output_artifact_path).write_bytes(self.content.to_json())

    def _load_content_from_file(self, local_artifact_path: str) -> AuditReport:
        return report.read(Path(local_artifact_path))


class PageArtifact(EvaluationArtifact):
    """The page that a board reads: `content` is HTML."""

    def _save(self, output_artifact_path: str) -> None:
        Path(output_artifact_path).write_text(self.content, encoding="utf-8")

    def _load_content_from_file(self, local_artifact_path: str) -> str:
        return Path(local_artifact_path).read_text(encoding="utf-8")


class LuvallaEvaluator(ModelEvaluator):
    """Audits a classifier's predictions about people and logs the report to the run."""

    @classmethod
    def can_evaluate(cls, *, model_type: str, evaluator_config: Mapping[str, Any], **_: Any) -> bool:
        """Says whether it was asked: a classifier, and a configuration that names sensitive features.

        Without them it stays out of the way, so that an evaluation by all installed evaluators is as it was.
        """
        return model_type == "classifier" and "sensitive_features" in (evaluator_config or {})

    def evaluate(
        self,
        *,
        dataset: Any,
        run_id: str,
        evaluator_config: Mapping[str, Any],
        model: Any = None,
        predictions: str | None = None,
        **_: Any,
    ) -> Any:
        """Audits, logs ``luvalla/report.json``, ``luvalla/report.html``, metrics and two tags to the run.

        Args:
            dataset: MLflow's evaluation dataset; its labels are 1 for people in need.
            run_id: Run to log to.
            evaluator_config: By the names of `KEYS`.
            model: A pyfunc model; None: the dataset holds predictions.
            predictions: Column of the model's output that is used, where it has more than one.

        Returns:
            MLflow's ``EvaluationResult``: metrics, and the artifacts ``luvalla_report`` and ``luvalla_page``.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE with what was got, what was expected and what to do; no value of anybody.
        """
        try:
            found = _audit(dataset, run_id, dict(evaluator_config), model, predictions)
            page = html.page(found, evaluator_config.get("language", "en"))
        except AuditsError as error:
            raise MlflowException(
                f"luvalla: {error.message}. {error.hint}".rstrip(), error_code=INVALID_PARAMETER_VALUE
            ) from error
        return _log(found, page, run_id)


def _audit(
    dataset: Any, run_id: str, config: dict[str, Any], model: Any, predictions: str | None
) -> AuditReport:
    if unknown := sorted(set(config) - set(KEYS)):
        raise AuditsInputError(
            f"evaluator_config has {unknown[0]!r}; expected {', '.join(KEYS)}", "correct the name"
        )
    data = dataset.features_data
    if not isinstance(data, pd.DataFrame):
        data = pd.DataFrame(data, columns=dataset.feature_names)
    labels = dataset.labels_data
    if labels is None:
        raise AuditsInputError("the data has no targets", "pass targets=COLUMN to mlflow.models.evaluate")
    sensitive = _columns(config["sensitive_features"], data, "sensitive_features")
    output = (
        dataset.predictions_data if model is None else model.predict(_given_to_model(data, config, model))
    )
    score, predicted, threshold, notes = _decisions(output, predictions, config)
    subject = {
        "run": run_id,
        "rows": f"MLflow dataset {dataset.name or ''}".rstrip() + f" with digest {dataset.hash}",
        "capacity": config.get("capacity"),
        **config.get("subject", {}),
    }
    try:
        about = ReportSubject(**subject)
    except TypeError as error:
        raise AuditsInputError(
            f"subject has a field that a report does not: {error}", "see audits.sections.ReportSubject"
        ) from error
    baseline = config.get("baseline")
    clusters = config.get("clusters")
    needs = config.get("other_needs")
    return runner.audit(
        labels,
        predicted,
        sensitive_features=sensitive,
        lines=_lines(config.get("lines")),
        y_score=score,
        threshold=threshold,
        baseline=None
        if baseline is None
        else Baseline(np.asarray(_column(baseline, data, "baseline")), "the first version"),
        clusters=None if clusters is None else _column(clusters, data, "clusters"),
        # Not named: nothing was said of other measures. An empty list says that none is held.
        other_needs=None if needs is None else _columns(needs, data, "other_needs"),
        subject=about,
        unknowns=(*config.get("unknowns", ()), *notes),
    )


def _given_to_model(data: pd.DataFrame, config: Mapping[str, Any], model: Any) -> pd.DataFrame:
    """The columns for the model: named, or those of its signature, or all that are not named for the audit alone."""
    if (names := config.get("features")) is not None:
        return data[list(_columns(names, data, "features"))]
    signature = getattr(getattr(model, "metadata", None), "signature", None)
    if signature is not None and signature.inputs is not None and signature.inputs.has_input_names():
        return data[[name for name in signature.inputs.input_names() if name in data.columns]]
    for_audit = {
        name
        for key in ("sensitive_features", "other_needs", "baseline", "clusters")
        if not isinstance(config.get(key), (Mapping, pd.DataFrame, np.ndarray, pd.Series))
        for name in ([config[key]] if isinstance(config.get(key), str) else config.get(key) or ())
    }
    return data[[name for name in data.columns if name not in for_audit]]


def _decisions(
    output: Any, named: str | None, config: Mapping[str, Any]
) -> tuple[Any, Any, float | None, tuple[str, ...]]:
    """From a model's output to score, predictions, threshold and what the choice left open."""
    if output is None:
        raise AuditsInputError(
            "there are no predictions", "pass a model, or predictions=COLUMN to mlflow.models.evaluate"
        )
    if isinstance(output, pd.DataFrame) and named is not None:
        output = _column(named, output, "predictions")
    values = np.asarray(output)
    if values.ndim == 2 and values.shape[1] in (1, 2):  # noqa: PLR2004  predict_proba of two classes
        values = values[:, -1]
    if values.ndim != 1:
        raise AuditsInputError(
            f"the model's output has shape {values.shape}; expected one value for each person, or two probabilities",
            "name the column with predictions=, or log the model with pyfunc_predict_fn='predict_proba'",
        )
    threshold, capacity = config.get("threshold"), config.get("capacity")
    if threshold is None and capacity is None:
        if values.dtype.kind in "fc" and not np.isin(values, (0.0, 1.0)).all():
            raise AuditsInputError(
                "the model gives scores, and a score selects nobody by itself",
                "put the threshold that is deployed, or the capacity, into evaluator_config",
            )
        return None, values, None, ()
    chosen = selection.select(values, threshold=threshold, capacity=capacity)
    return values.astype(np.float64), chosen.y_pred, chosen.threshold, (chosen.note,) if chosen.note else ()


def _columns(given: Any, data: pd.DataFrame, what: str) -> dict[str, Any]:
    if isinstance(given, pd.DataFrame):
        return {str(name): given[name] for name in given.columns}
    if isinstance(given, Mapping):
        return dict(given)
    names = [given] if isinstance(given, str) else list(given)
    return {name: _column(name, data, what) for name in names}


def _column(given: Any, data: pd.DataFrame, what: str) -> Any:
    if not isinstance(given, str):
        return given
    if given not in data.columns:
        raise AuditsInputError(
            f"{what} names the column {given!r}; the data has: {', '.join(map(str, data.columns[:50]))}",
            "correct the name, or pass the values themselves",
        )
    return data[given]


def _lines(given: Any) -> Sequence[Line] | None:
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        return lines_file.read(Path(given))
    if not all(isinstance(line, Line) for line in given):
        raise AuditsInputError(
            "lines holds something that is no audits.lines.Line", "pass Lines, or the path of a TOML file"
        )
    return tuple(given)


def metrics(found: AuditReport) -> dict[str, float]:
    """Gives a report's numbers as MLflow's metrics.

    Args:
        found: The report.

    Returns:
        ``luvalla/passed`` (1 or 0), ``luvalla/failed``, ``luvalla/not_enough_evidence``, deciding lines by outcome, the chance
        that an equal model would have passed (where computed), and each line's estimate by its code; names that MLflow takes.
    """
    decides = [f for f in found.findings if f.role is Role.DECIDES]
    values = {
        f"{FOLDER}/{outcome.value}": float(found.verdict.outcome is outcome)
        for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_ENOUGH_EVIDENCE)
    }
    values |= {
        f"{FOLDER}/lines_{outcome.value}": float(sum(f.outcome is outcome for f in decides))
        for outcome in Outcome
    }
    if found.rule.chance is not None:
        values[f"{FOLDER}/chance_for_an_equal_model"] = found.rule.chance
    for f in found.findings:
        if f.estimate is not None:
            name = _name(f)
            while name in values:
                name += "_"
            values[name] = f.estimate
    return values


def _name(f: Finding) -> str:
    return f"{FOLDER}/" + re.sub(r"[^\w.\- /]", ".", f.code)[:_LONGEST]


def _log(found: AuditReport, page: str, run_id: str) -> EvaluationResult:
    client = MlflowClient()
    values = metrics(found)
    leaning = found.verdict.leaning
    verdict = found.verdict.outcome.value + (f" (leaning {leaning.value})" if leaning else "")
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, 0, 0) for name, value in values.items()],
        tags=[RunTag("luvalla.verdict", verdict), RunTag("luvalla.report", found.digest)],
    )
    artifacts: dict[str, Any] = {}
    root = client.get_run(run_id).info.artifact_uri
    with tempfile.TemporaryDirectory() as folder:
        for key, kind, name, content in (
            ("luvalla_report", ReportArtifact, "report.json", found),
            ("luvalla_page", PageArtifact, "report.html", page),
        ):
            artifact = kind(uri=f"{root}/{FOLDER}/{name}", content=content)
            artifact._save(str(Path(folder, name)))  # noqa: SLF001  MLflow's own name for it
            artifacts[key] = artifact
        client.log_artifacts(run_id, folder, FOLDER)
    return EvaluationResult(metrics=values, artifacts=artifacts, run_id=run_id)  # type: ignore[no-untyped-call]
