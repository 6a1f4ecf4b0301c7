"""Why a score came out as it did: shap values, checked against the model itself, and said in words a person can use.

shap's own additivity check compares shap with shap's walk of the trees, not with the model: it passes on values that are
off by 11 in log-odds. So every explanation is added up here and compared with the model's decision function, and one
that does not match is refused, never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shap
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from models import estimators
from models.errors import ExplanationRefusedError, ModelsInputError
from models.service import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt
    import pandas as pd

    from models.service import Service

TOLERANCE = 1e-6
"""Largest difference, in log-odds, between an explanation's sum and the model's own output (facts measured for exact
explainers: 1e-13)."""


@dataclass(frozen=True)
class Reasons:
    """What each feature added to or took from each row's score.

    Args:
        contributions: float64[n, features] in log-odds, in the order of `features`; a row's sum plus `expected` is the
            model's decision function.
        expected: Log-odds of the starting point: the average training row, or the background's.
        features: The service's features.
    """

    contributions: npt.NDArray[np.float64]
    expected: float
    features: tuple[str, ...]


def explain(
    estimator: Any, service: Service, frame: pd.DataFrame, background: pd.DataFrame | None = None
) -> Reasons:
    """Contributions of every feature for every row, checked against the model.

    Args:
        estimator: A pipeline of :mod:`models.estimators`.
        service: Whose features.
        frame: n rows with the feature columns.
        background: Rows to compare with, for linear models. None: the average training row, which the pipeline itself
            holds (the scaler's mean), so that no real person's row has to be kept for explaining. Boosted models compare
            with the paths of their own training and take none.

    Raises:
        ExplanationRefusedError: The sum differs from the model's own output, or the model is of another family.
    """
    names = list(service.features)
    if frame.empty:
        return Reasons(np.zeros((0, len(names))), float("nan"), service.features)
    prepared = estimators.matrix(estimator, frame[names])
    model = estimator.named_steps["model"]
    if isinstance(model, LogisticRegression):
        mean = (
            np.zeros((1, prepared.shape[1]))
            if background is None
            else estimators.matrix(estimator, background[names])
        )
        explainer = shap.LinearExplainer(model, shap.maskers.Independent(mean, max_samples=len(mean)))
        values, expected = explainer.shap_values(prepared), explainer.expected_value
    elif isinstance(model, HistGradientBoostingClassifier):
        explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        values, expected = explainer.shap_values(prepared, check_additivity=False), explainer.expected_value
    else:
        raise _unknown(model)
    start = float(np.ravel(expected)[0])
    off = float(np.abs(values.sum(axis=1) + start - model.decision_function(prepared)).max())
    if not off < TOLERANCE:
        raise ExplanationRefusedError(
            f"The explanation misses the model's own output by {off:.2g} in log-odds, less than {TOLERANCE:g} was expected.",
            "Do not show it. Check the versions of shap and scikit-learn against requirements.lock.",
        )
    sources = estimators.source_columns(estimator)
    gather = np.zeros((prepared.shape[1], len(names)))
    gather[np.arange(len(sources)), [names.index(source) for source in sources]] = 1.0
    return Reasons(np.asarray(values @ gather, dtype=np.float64), start, service.features)


def _unknown(model: Any) -> ExplanationRefusedError:
    return ExplanationRefusedError(
        f"No exact explanation is known for a {type(model).__name__}.",
        "Use a linear or a boosted recipe.",
    )


def choice(estimator: Any) -> str:
    """Which explainer :func:`explain` takes for this model and why, for the report; English sentences.

    Raises:
        ExplanationRefusedError: A model of a family that no exact explanation is known for.
    """
    model = estimator.named_steps["model"]
    if isinstance(model, LogisticRegression):
        return (
            "shap's LinearExplainer against the average training row: for a linear model a contribution is the coefficient times the "
            "distance from that average, which is exact. The average is no real person's row, and none has to be kept to explain by"
        )
    if isinstance(model, HistGradientBoostingClassifier):
        return (
            "shap's TreeExplainer along the trees' own paths (tree_path_dependent): exact for trees, and it keeps no real person's row. "
            "Its other way, against background rows, rounds inputs to float32 and was off by up to 0.85 log-odds without saying so; this "
            "model is trained on float32 values, without native categories, so that neither fault can occur"
        )
    raise _unknown(model)


def output(estimator: Any, service: Service, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The model's own log-odds, float64[n], asked of the whole pipeline and not of shap.

    Args:
        estimator: A pipeline of :mod:`models.estimators`.
        service: Whose features.
        frame: n rows with the feature columns, n at least 1.
    """
    return np.asarray(estimator.decision_function(frame[list(service.features)]), dtype=np.float64)


def by_family(
    service: Service, contributions: npt.NDArray[np.float64]
) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Contributions added up over the service's families of reasons.

    A model may split one circumstance between related columns with opposite signs (visits and their cost): one by one
    they mislead, together they do not.

    Args:
        service: Whose families.
        contributions: float64[n, features] or float64[features].

    Returns:
        The families' names, and float64[n, families] or float64[families].
    """
    families = tuple(dict.fromkeys(service.feature_families[name] for name in service.features))
    gather = np.zeros((len(service.features), len(families)))
    for row, name in enumerate(service.features):
        gather[row, families.index(service.feature_families[name])] = 1.0
    return families, contributions @ gather


def leading(
    service: Service,
    contributions: npt.NDArray[np.float64],
    k: int = 3,
    *,
    direction: Literal["for", "against"] = "for",
    stable: Collection[str] | None = None,
) -> list[tuple[str, ...]]:
    """For each row the families of facts that spoke most for (or against) an offer, most first.

    For many people at once: about a microsecond a row. Texts: ``service.family_texts[family][language]``.

    Args:
        service: Whose families.
        contributions: float64[n, features] in log-odds.
        k: At most so many a row; a family that spoke the other way is never named.
        direction: ``for`` the offer, or ``against`` it (for those not selected who ask why).
        stable: Families whose reason holds over refits that way, as the version's audit found: of the k strongest no other is
            told, and where none is left the row's are empty. None: all are told.
    """
    families, sums = by_family(service, np.atleast_2d(np.asarray(contributions, dtype=np.float64)))
    signed = sums if direction == "for" else -sums
    order = np.argsort(-signed, axis=1, kind="stable")[:, :k]
    spoke = np.take_along_axis(signed, order, axis=1) > 0
    told = set(families if stable is None else stable)
    return [
        tuple(families[place] for place in places[:count] if families[place] in told)
        for places, count in zip(order.tolist(), spoke.sum(axis=1).tolist(), strict=True)
    ]


def text(
    service: Service,
    contributions: npt.NDArray[np.float64] | Sequence[float],
    language: str,
    k: int = 3,
    *,
    direction: Literal["for", "against"] = "for",
) -> list[str]:
    """The families of facts that spoke most for (or against) one person's offer, most first, in their language.

    Names which facts were looked at, never what they say about the person. For many people use :func:`leading`.

    Args:
        service: Whose texts.
        contributions: float64[features] of one row, in log-odds.
        language: ``fi``, ``sv`` or ``en``.
        k: At most so many.
        direction: ``for`` the offer, or ``against`` it (for those not selected who ask why).

    Raises:
        ModelsInputError: Another language.
    """
    if language not in LANGUAGES:
        raise ModelsInputError(f"There are no texts in '{language}'.", f"Use {', '.join(LANGUAGES)}.")
    [families] = leading(service, np.asarray(contributions, dtype=np.float64), k, direction=direction)
    return [service.family_texts[family][language] for family in families]
