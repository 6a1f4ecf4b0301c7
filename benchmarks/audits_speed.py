"""How long an audit takes, by people: `python benchmarks/audits_speed.py [10000 100000 1000000]`.

Two sensitive features (2 and 4 groups), a score, a first version, another measure of need, families of three, an
explanation of 10 features and a data-quality suite of 8 expectations: every check runs. Prints one line a size.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd

from audits import html
from audits.check import Baseline, DataQuality, Expectation, Explanation
from audits.runner import audit


def people(n: int) -> dict[str, object]:
    """Invented people, seeded."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 10))
    weights = np.linspace(1, -0.5, 10)
    margin = x @ weights - 1.5
    p = 1 / (1 + np.exp(-margin))
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(10)])
    return {
        "y_true": rng.random(n) < p,
        "y_pred": p >= np.quantile(p, 0.8),
        "y_score": p,
        "sensitive_features": {
            "sex": rng.choice(["man", "woman"], n),
            "origin": rng.choice(["a", "b", "c", None], n, p=[0.6, 0.3, 0.08, 0.02]),
        },
        "other_needs": {"other": rng.random(n) < p},
        "baseline": Baseline(rng.permutation(p >= np.quantile(p, 0.8))),
        "features": frame,
        "explain": Explanation(tuple(frame.columns), x * weights, -1.5, margin),
        "data_quality": DataQuality(frame, tuple(Expectation("between", f"x{j}", -9, 9) for j in range(8))),
        "clusters": rng.integers(0, max(1, n // 3), n),
    }


def main() -> None:
    """Times an audit at each size, warm (a small one runs first)."""
    started = time.perf_counter()
    audit(**people(2000))  # type: ignore[arg-type]
    print(
        f"first audit in this process, 2,000 people: {time.perf_counter() - started:.2f} s (imports great-expectations)"
    )
    for n in [int(a) for a in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        given = people(n)
        started = time.perf_counter()
        report = audit(**given)  # type: ignore[arg-type]
        audited = time.perf_counter() - started
        page = html.page(report)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{n:>9,} people: audit {audited:6.2f} s, page {time.perf_counter() - started - audited:.2f} s, "
            f"facts {len(report.to_json()) / 1024:.0f} KB, page {len(page) / 1024:.0f} KB, peak {peak:.0f} MB"
        )


if __name__ == "__main__":
    main()
