"""A fitted model as the folder that MLflow keeps: skops, signature, requirements, an invented example, and our own facts."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import mlflow.sklearn
from mlflow.models import infer_signature

# First: MLflow reads its settings when it is imported.
from models import (
    artifact,
    estimators,
    mlflow_settings,  # noqa: F401  # isort: split
)

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from models.service import Service
    from models.training import FittedModel

_REQUIREMENTS = ("scikit-learn", "skops", "numpy", "pandas")
"""What the estimator needs to run. Given to MLflow by name: left alone it starts a process of 4-8 s to find out."""


def save(service: Service, fitted: FittedModel, example: pd.DataFrame, folder: Path) -> None:
    """The artifact: MLflow's own files (signature, requirements, invented example) and the facts a run needs."""
    requirements = [f"{name}=={metadata.version(name)}" for name in _REQUIREMENTS]
    mlflow.sklearn.save_model(
        fitted.estimator,
        str(folder),
        serialization_format="skops",
        skops_trusted_types=list(estimators.TRUSTED_TYPES),
        signature=infer_signature(example, fitted.estimator.predict_proba(example)),
        input_example=example,
        pip_requirements=requirements,
        pyfunc_predict_fn="predict_proba",
    )
    artifact.write_facts(folder, fitted.facts(service))
