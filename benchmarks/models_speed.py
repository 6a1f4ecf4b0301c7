"""What a run costs in the models' room alone, a step at a time, at 100,000 invented residents.

Run: ``OMP_NUM_THREADS=2 python -P benchmarks/models_speed.py [--people 100000]``.

"Bare scoring and shap" is what governance's run is measured against: the pipeline's predict_proba and shap's values on
the prepared matrix, with nothing of ours around them.

Measured (two shared cores under load, OMP_NUM_THREADS=1, 100,000 people, microseconds a person, November 2026):

                                  linear   boosted (60 trees of 15 leaves)
population.check                    3.1      3.1
scoring.score                        .4      1.9   (bare predict_proba: .3-2.0, 1.9)
reasons.explain                      .6     81     (bare shap: .05 + .25 preparation, 89)
reasons.leading, for 20 % of people  .2       .2   (reasons.text, one person and language at a time: 10.8)
Training on the 3,205 real rows: .06-.10 s linear, .12-.36 s boosted, .6-.9 s with a fairlearn reduction.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import shap

from models import datasets, estimators, population, reasons, scoring, synthetic, training
from models.health_benefit import SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(name: str, people: int, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    print(f"    {name:<44} {seconds:8.3f} s  {seconds / people * 1e6:8.2f} us a person")
    return result


def bare_shap(estimator: Any, matrix: np.ndarray) -> np.ndarray:
    model = estimator.named_steps["model"]
    if hasattr(model, "coef_"):
        masker = shap.maskers.Independent(np.zeros((1, matrix.shape[1])))
        return shap.LinearExplainer(model, masker).shap_values(matrix)
    return shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values(
        matrix, check_additivity=False
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=100_000)
    n = parser.parse_args().people
    rows = datasets.health_benefit()
    residents = timed(
        "synthetic.residents", n, lambda: synthetic.residents(SERVICE, n, seed=1, outcome=False)
    )
    timed("population.check", n, lambda: population.check(residents, SERVICE, outcome=False))
    features = residents[list(SERVICE.features)]
    for recipe in ("need", "need-boosted"):
        print(f"  {recipe}")
        fitted = timed(
            "training.fit (on the real rows)",
            len(rows),
            lambda name=recipe: training.fit(SERVICE, name, rows, seed=1),
        )
        estimator = fitted.estimator
        warm = features.head(100)
        estimator.predict_proba(warm)
        bare_shap(estimator, estimators.matrix(estimator, warm))
        timed("bare predict_proba", n, lambda e=estimator: e.predict_proba(features)[:, 1])
        timed("scoring.score", n, lambda e=estimator: scoring.score(e, SERVICE, residents))
        matrix = timed("bare preparation", n, lambda e=estimator: estimators.matrix(e, features))
        timed("bare shap values", n, lambda e=estimator, m=matrix: bare_shap(e, m))
        explained = timed("reasons.explain", n, lambda e=estimator: reasons.explain(e, SERVICE, residents))
        chosen = explained.contributions[: n // 5]
        timed("reasons.leading, 20 % of people", n, lambda c=chosen: reasons.leading(SERVICE, c))
    print(f"  Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
