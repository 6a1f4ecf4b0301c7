"""The estimator of a recipe: standard scikit-learn classes only, so that skops stores it with few trusted types.

Every pipeline has the same shape: ``columns`` (per column kind), then ``scale`` (linear) or ``float32`` (boosted), then
``model``. The steps before ``model`` turn a frame into the matrix that reasons are computed on; `source_columns` says
which feature each column of that matrix came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from models.service import Family, Service

TRUSTED_TYPES: tuple[str, ...] = (
    "numpy.dtype",  # SimpleImputer keeps the dtype it was fitted on
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""What skops may load beyond its own defaults. Data only: neither runs code of its own when it is built."""

_REGULARISATION = 1.0
"""scikit-learn's default C, on standardised columns."""


def build(service: Service, family: Family, *, seed: int) -> Pipeline:
    """An unfitted pipeline from the service's raw feature columns (a frame) to a probability.

    Args:
        service: Whose features, in their order.
        family: ``linear`` or ``boosted``.
        seed: Of the boosted model; the linear one has no chance in it.
    """
    linear = family == "linear"
    kinds = {
        kind: [name for name in service.features if service.column(name).kind in names]
        for kind, names in (
            ("number", ("number", "flag")),
            ("amount", ("amount",)),
            ("category", ("category",)),
        )
    }
    # The indicator tells the model that a value is unknown: being unknown is rarely by chance.
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    logarithm = FunctionTransformer(np.log1p, feature_names_out="one-to-one")
    steps: dict[str, Any] = {
        "number": imputer if linear else "passthrough",
        "amount": Pipeline([("log", logarithm), ("impute", imputer)]) if linear else "passthrough",
        "category": _encoder(service, kinds["category"]),
    }
    columns = ColumnTransformer(
        [(kind, steps[kind], names) for kind, names in kinds.items() if names],
        verbose_feature_names_out=True,
    )
    if linear:
        return Pipeline([("columns", columns), ("scale", StandardScaler()), ("model", _logistic())])
    return Pipeline(
        [
            ("columns", columns),
            # shap rounds inputs to float32 while the trees' thresholds are double: on float64 data its values are wrong
            # by up to 0.8 in log-odds. Trained and explained on float32 values they are exact.
            ("float32", FunctionTransformer(np.float32, feature_names_out="one-to-one")),
            (
                "model",
                HistGradientBoostingClassifier(
                    max_iter=60,
                    learning_rate=0.06,
                    max_leaf_nodes=15,
                    random_state=seed,
                    monotonic_cst=_monotone(service, kinds),
                ),
            ),
        ]
    )


def _monotone(service: Service, kinds: dict[str, list[str]]) -> list[int] | None:
    """scikit-learn's constraint for each column of the matrix; None where the service declares nothing."""
    if not service.monotone:
        return None
    signs = {"increasing": 1, "decreasing": -1}
    single = [
        signs.get(service.monotone.get(name, ""), 0) for kind in ("number", "amount") for name in kinds[kind]
    ]
    # As many as `_encoder` makes: the constraint is set before anything is fitted.
    return single + [0] * sum(len(service.column(name).categories) for name in kinds["category"])


def _encoder(service: Service, names: list[str]) -> OneHotEncoder:
    """A column for each category that was seen; for each of the contract's where `_monotone` has to know how many there will be."""
    if not service.monotone:
        return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    declared = [np.array(service.column(name).categories, dtype=object) for name in names]
    return OneHotEncoder(categories=declared, handle_unknown="ignore", sparse_output=False)


def _logistic() -> LogisticRegression:
    return LogisticRegression(C=_REGULARISATION, max_iter=1000)


def logistic_member() -> LogisticRegression:
    """The learner a reduction fits many times: the same as the linear recipe's, on its matrix."""
    return _logistic()


def matrix(estimator: Pipeline, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """float64[n, columns]: what the last step of the pipeline sees."""
    return np.asarray(estimator[:-1].transform(frame), dtype=np.float64)


def source_columns(estimator: Pipeline) -> list[str]:
    """For each column of :func:`matrix`, the feature it came from (one-hot and missing-value columns included)."""
    sources: list[str] = []
    for name, step, columns in estimator.named_steps["columns"].transformers_:
        if name == "remainder":
            continue
        names = [str(column) for column in columns]
        if name == "category":
            sources += [
                column for column, values in zip(names, step.categories_, strict=True) for _ in values
            ]
            continue
        sources += names
        imputer = step.named_steps["impute"] if isinstance(step, Pipeline) else step
        if isinstance(imputer, SimpleImputer) and imputer.indicator_ is not None:
            sources += [names[index] for index in imputer.indicator_.features_]
    return sources
