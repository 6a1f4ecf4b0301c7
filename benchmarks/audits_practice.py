"""Which limits the rows that come with luvalla can decide: `python -P benchmarks/audits_practice.py REPORT`.

REPORT is `home/reports/health-benefit-3.json` of a folder that `luvalla demo --keep FOLDER` made. For each limit: the chance that a
model alike in every group passes all lines of one metric, with the people of that report.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from audits import chance
from audits.finding import Direction, Role
from audits.lines import Line

LIMITS = {
    "tpr_gap": (-0.10, -0.125, -0.14, -0.15, -0.16),
    "observed_expected": (1.25, 1.30, 1.33, 1.40, 1.50),
    "selection_ratio": (0.80, 0.75, 0.70, 0.67, 0.60),
}


def main() -> None:
    """Prints a table per metric."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = [f for f in report["findings"] if f["line"] and f["attribute"] in {"sex", "race"}]
    print(f"the report's own chance: {report['rule']['chance']:.3f}")
    for metric, limits in LIMITS.items():
        of = [f for f in found if f["metric"] == metric]
        for limit in limits:
            rng = np.random.default_rng(1)
            if metric == "observed_expected":
                passed = [_expected(f, limit, rng) for f in of]
            else:
                passed = [
                    _rates(metric, [f for f in of if f["attribute"] == a], limit, rng)
                    for a in ("sex", "race")
                ]
            print(f"{metric:<18} {limit:>6}  {math.prod(passed):.2f}")


def _line(metric: str, limit: float) -> Line:
    direction = Direction.AT_MOST if metric == "observed_expected" else Direction.AT_LEAST
    return Line(metric, "", "", direction, limit, Role.DECIDES, "", "")


def _expected(found: dict[str, Any], limit: float, rng: np.random.Generator) -> float:
    due = found["counts"]["group_hits"] / found["estimate"] / found["design_effect"]
    return float(chance.expected(_line("observed_expected", limit), due, rng).mean())


def _rates(metric: str, of: list[dict[str, Any]], limit: float, rng: np.random.Generator) -> float:
    counts = [f["counts"] for f in of]
    everybody = [counts[0][f"group_{k}"] + counts[0][f"rest_{k}"] for k in ("hits", "of")]
    people = [c["group_of"] / f["design_effect"] for c, f in zip(counts, of, strict=True)]
    people.append(everybody[1] - sum(c["group_of"] for c in counts))  # whose group is unknown
    # A group whose measured need is lower is not asked about offers.
    asked = [(_line(metric, limit), g) for g, f in enumerate(of) if f["outcome"] != "not_applicable"]
    family = chance.Family(np.array(people), everybody[0] / everybody[1], tuple(asked))
    return float(chance.rates(family, rng).all(axis=1).mean())


if __name__ == "__main__":
    main()
