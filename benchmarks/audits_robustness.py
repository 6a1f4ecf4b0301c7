"""Seconds and figures of the check `robustness` on the shipped services' real rows, recipe by recipe."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

os.environ.setdefault("OMP_NUM_THREADS", "1")

from audits.robustness import RobustnessCheck
from governance.robust_input import robustness
from models import datasets, health_benefit, population, training, youth_exclusion


def main() -> None:
    for service in (health_benefit.SERVICE, youth_exclusion.SERVICE):
        rows, _ = population.check(datasets.load(service), service, outcome=True)
        for recipe in service.recipes.values():
            fitted = training.fit(service, recipe, rows, seed=1)
            crossed = training.cross_fit(service, recipe, rows, seed=1, refit=fitted.estimator)
            start = time.perf_counter()
            asked = robustness(service, fitted.estimator, rows, crossed, fitted.facts(service))
            middle = time.perf_counter()
            found = RobustnessCheck().run(SimpleNamespace(robustness=asked)).robustness
            end = time.perf_counter()
            memory = found.membership
            print(
                f"{service.id} {recipe.name}: {len(rows):,} rows, models asked in {middle - start:.3f} s, checked in {end - middle:.3f} s; "
                f"flips {found.flips[0].share:.3%} ({len(found.steps)} features moved); membership {memory.auc:.3f} "
                f"({memory.low:.3f} to {memory.high:.3f}), advantage {memory.advantage:.3f}, at 1% {memory.at_one_percent:.3f}"
            )


if __name__ == "__main__":
    main()
