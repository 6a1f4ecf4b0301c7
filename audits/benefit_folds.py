"""Each fold scored by a model of earlier folds only: who is ranked never taught who ranks, nor the reverse.

Ordinary cross-fitting is not a valid test: every fold's model has learnt from the people that the other folds rank. Ranked together,
a fold whose people happened to gain more is ranked lower by models that never saw them, which biases the gain downwards and finds
harm that is not there; ranked within their folds, the folds' estimates hang together and their spread is understated
(benchmarks/audits_benefit.py shows both beside this one). Wager 2024, arXiv 2405.05534.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audits import benefit
from audits.benefit_trial import FOLDS, Learner, Regressor, TrialArrays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

INNER = 3
"""Folds within the training rows, by which a learner is chosen."""
_ARM = 20
"""Fewer people than this in an arm teach no outcome model: the arm's mean stands in."""


def linear(seed: int) -> Regressor:  # noqa: ARG001  every learner takes one
    """Makes a ridge regression; its penalty is chosen by leave-one-out on the training rows.

    Args:
        seed: Not used: nothing is random.

    Returns:
        A scikit-learn pipeline; missing values become the median.
    """
    return make_pipeline(  # type: ignore[no-any-return]
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        RidgeCV(np.logspace(0, 5, 6)),
    )


def boosted(seed: int) -> Regressor:
    """Makes gradient boosted trees of four leaves, few and slow: gains differ little, and noise is large.

    Args:
        seed: Of its early choices.

    Returns:
        A scikit-learn regressor, which takes missing values as they are.
    """
    return HistGradientBoostingRegressor(  # type: ignore[no-any-return]
        max_iter=40,
        max_leaf_nodes=4,
        learning_rate=0.05,
        min_samples_leaf=40,
        early_stopping=False,
        random_state=seed,
    )


LEARNERS: Mapping[str, Learner] = MappingProxyType({"linear": linear, "boosted trees": boosted})
"""From which one is chosen, inside the training folds."""


@dataclass(frozen=True)
class ScoredFold:
    """One fold's people, ranked by a model that learnt from earlier folds.

    Args:
        rows: int64[m], their places in the trial.
        taught: Number of people the model learnt from.
        learner: Name of the learner chosen.
        prediction: float64[m], predicted gain.
        score: float64[m], doubly robust scores; their outcome models learnt from the same earlier folds.
    """

    rows: NDArray[np.int64]
    taught: int
    learner: str
    prediction: Floats
    score: Floats


def fold_of(trial: TrialArrays, n: int, seed: int, use: str = "fold") -> NDArray[np.int64]:
    """Draws everyone's fold by a keyed hash of their family, so that it depends on nobody else in the trial.

    Args:
        trial: Whose families.
        n: Folds.
        seed: The key.
        use: What the folds are for; two uses of one seed are independent.

    Returns:
        int64[n rows], 0 to ``n - 1``; a family is whole in one fold.
    """
    key, person = str(seed).encode()[:64], use.encode()[:16]
    places = np.array(
        [
            int.from_bytes(
                hashlib.blake2b(name.encode(), key=key, person=person, digest_size=8).digest(), "big"
            )
            % n
            for name in trial.names
        ],
        dtype=np.int64,
    )
    return places if trial.clusters is None else places[trial.clusters]


def sequential(
    trial: TrialArrays, learners: Mapping[str, Learner] = LEARNERS, *, folds: int = FOLDS, seed: int = 0
) -> tuple[ScoredFold, ...]:
    """Scores each fold but the first by models of the folds before it.

    Args:
        trial: The trial.
        learners: To choose from.
        folds: How many.
        seed: Of folds and learners.

    Returns:
        ``folds - 1`` scored folds, in order; a fold is left out if it, or all before it, lacks one of the arms.
    """
    fold = fold_of(trial, folds, seed)
    return tuple(
        scored
        for k in range(1, folds)
        if (scored := score_rows(trial, fold < k, fold == k, learners, seed)) is not None
    )


def score_rows(
    trial: TrialArrays, taught: Bools, asked: Bools, learners: Mapping[str, Learner], seed: int
) -> ScoredFold | None:
    """Learns from some people and scores others.

    Args:
        trial: The trial.
        taught: bool[n], to learn from.
        asked: bool[n], to score: no family of `taught` among them.
        learners: To choose from, by the squared error of their predictions against scores in folds of `taught`.
        seed: Of folds and learners.

    Returns:
        The scored people; None if an arm is missing on either side.
    """
    if any(
        trial.w[side].min(initial=1) == trial.w[side].max(initial=0) or not side.any()
        for side in (taught, asked)
    ):
        return None
    inner = np.where(taught, fold_of(trial, INNER, seed, "inner"), -1)
    target = np.zeros(len(trial.y))
    for k in range(INNER):
        held = inner == k
        target[held] = _scores(trial, taught & ~held, held, seed)
    name = _choose(trial, inner, target, learners, seed)
    model = learners[name](seed)
    model.fit(trial.x[taught], target[taught])
    return ScoredFold(
        rows=np.flatnonzero(asked),
        taught=int(taught.sum()),
        learner=name,
        prediction=np.asarray(model.predict(trial.x[asked]), dtype=np.float64),
        score=_scores(trial, taught, asked, seed),
    )


def cross_fitted_scores(trial: TrialArrays, *, folds: int = FOLDS, seed: int = 0) -> Floats:
    """Gives everyone a doubly robust score by outcome models of the other folds: for averages, where nobody is ranked.

    Args:
        trial: The trial.
        folds: How many.
        seed: Of the folds.

    Returns:
        float64[n].
    """
    fold = fold_of(trial, folds, seed)
    out = np.zeros(len(trial.y))
    for k in range(folds):
        out[fold == k] = _scores(trial, fold != k, fold == k, seed)
    return out


def _choose(
    trial: TrialArrays, inner: NDArray[np.int64], target: Floats, learners: Mapping[str, Learner], seed: int
) -> str:
    if len(learners) == 1:
        return next(iter(learners))
    losses = {}
    for name, make in learners.items():
        loss = 0.0
        for k in range(INNER):
            held, rest = inner == k, (inner >= 0) & (inner != k)
            if held.any() and rest.any():
                model = make(seed)
                model.fit(trial.x[rest], target[rest])
                loss += float(((target[held] - model.predict(trial.x[held])) ** 2).sum())
        losses[name] = loss
    return min(losses, key=lambda name: losses[name])


def _scores(trial: TrialArrays, taught: Bools, asked: Bools, seed: int) -> Floats:
    if not asked.any():
        return np.zeros(0)
    mu0, mu1 = (_outcome(trial, taught & (trial.w == arm), asked, seed) for arm in (0, 1))
    return benefit.aipw_scores(trial.y[asked], trial.w[asked], trial.e[asked], mu0, mu1)


def _outcome(trial: TrialArrays, taught: Bools, asked: Bools, seed: int) -> Floats:
    people = int(taught.sum())
    if people < _ARM:
        return np.full(int(asked.sum()), float(trial.y[taught].mean()) if people else 0.0)
    model = linear(seed)
    model.fit(trial.x[taught], trial.y[taught])
    return np.asarray(model.predict(trial.x[asked]), dtype=np.float64)
