"""Reasons over refits and baselines, on the shipped rows, for plain and boosted versions (docs/audits/reasons.md, baselines.md).

Run: ``OMP_NUM_THREADS=1 python benchmarks/audits_reasons.py``. Prints the figures of both pages and what each part costs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from audits import runner
from audits.baselines import BaselinesCheck
from audits.explainability import ExplainabilityCheck
from governance import baseline_input, explanation_input
from models import datasets, plugins, training

if TYPE_CHECKING:
    from audits.report import AuditReport

SEED = 1
VERSIONS = (
    ("youth-talk", "leaving"),
    ("youth-talk", "leaving-boosted"),
    ("health-benefit", "need"),
    ("health-benefit", "need-boosted"),
)


def report(service_id: str, name: str) -> tuple[AuditReport, dict[str, float]]:
    """Audits a version's reasons and baselines, and takes the time of each part in seconds."""
    service = plugins.service(service_id)
    recipe, rows = service.recipes[name], datasets.load(service)
    fitted = training.fit(service, recipe, rows, seed=SEED)
    crossed = training.cross_fit(service, recipe, rows, seed=SEED, refit=fitted.estimator)
    need = rows[service.need.column].to_numpy(dtype=np.float64)
    took, start = {}, time.perf_counter()
    explain = explanation_input.explanation(service, fitted.estimator, rows, crossed.refits, SEED)
    took["explaining, by version and refits"] = time.perf_counter() - start
    start = time.perf_counter()
    simpler = baseline_input.simpler(service, recipe, rows, crossed, fitted.facts(service))
    took["fitting baselines"] = time.perf_counter() - start
    start = time.perf_counter()
    made = runner.audit(
        need,
        crossed.selected.astype(np.int8),
        sensitive_features=rows[list(service.sensitive_features)],
        y_score=crossed.scores,
        explain=explain,
        simpler=simpler,
        checks=[ExplainabilityCheck(), BaselinesCheck()],
    )
    took["both checks"] = time.perf_counter() - start
    return made, took


def main() -> None:
    """Prints every finding."""
    for service_id, name in VERSIONS:
        made, took = report(service_id, name)
        print(
            f"{service_id} {name}: {made.population.n} people; "
            + ", ".join(f"{k} {v:.2f} s" for k, v in took.items())
        )
        for row in made.baselines.rows if made.baselines else ():
            print(f"  {row.name}: area {row.area:.3f}, found {row.found:.3f}")
        for finding in made.findings:
            print(f"  {finding.outcome} {finding.code}: {finding.message}")


if __name__ == "__main__":
    main()
