"""How often the decision rule errs, by simulation: `python benchmarks/audits_errors.py [replicates]`.

Three tables: a line passes although the truth lies on its limit (at most 5 %, and a little for the grid of counts); one of m
lines fails although every truth lies on its limit (at most 5 % together); an audit of an equal model passes (its power).
"""

from __future__ import annotations

import sys

import numpy as np

from audits import intervals

REPLICATES = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
RATES = (0.21, 0.35, 0.50, 0.65, 0.80)
SIZES = ((20, 500), (50, 500), (150, 800), (400, 400), (1000, 4000))


def main() -> None:
    """Prints the three tables."""
    rng = np.random.default_rng(20261124)
    error = 3 * np.sqrt(0.05 * 0.95 / REPLICATES)
    print(f"{REPLICATES} replicates; three Monte-Carlo standard errors of 5 % are {error:.4f}")
    print("\nA line TPR gap >= -.10 passes although the truth is -.10 exactly")
    for n1, n2 in SIZES:
        row = []
        for p in RATES:
            x1, x2 = rng.binomial(n1, p - 0.1, REPLICATES), rng.binomial(n2, p, REPLICATES)
            row.append(float((intervals.difference_score(x1, n1, x2, n2, -0.1) >= 1.6449).mean()))
        print(
            f"  n {n1:>4} v {n2:>4}: "
            + "  ".join(f"rate {p:.2f} {v:.3f}" for p, v in zip(RATES, row, strict=True))
        )
    print("\nA line ratio >= .80 passes although the truth is .80 exactly (rare rates)")
    for n1, n2 in SIZES:
        row = []
        for p in (0.05, 0.10, 0.19):
            x1, x2 = rng.binomial(n1, 0.8 * p, REPLICATES), rng.binomial(n2, p, REPLICATES)
            row.append(float(((intervals.ratio_score(x1, n1, x2, n2, 0.8) >= 1.6449) & (x2 > 0)).mean()))
        print(
            f"  n {n1:>4} v {n2:>4}: "
            + "  ".join(f"rate {p:.2f} {v:.3f}" for p, v in zip((0.05, 0.10, 0.19), row, strict=True))
        )
    print(
        "\nSome line of m fails although every truth is on its limit, -.10 (independent lines: the worst case)"
    )
    for m in (2, 6, 12, 24):
        level, failed = 1 - 2 * 0.05 / m, np.zeros(REPLICATES, dtype=bool)
        for k in range(m):
            n1, p = 30 + 25 * k, 0.25 + 0.5 * k / m
            x1, x2 = rng.binomial(n1, p - 0.1, REPLICATES), rng.binomial(1500, p, REPLICATES)
            failed |= intervals.newcombe_difference(x1, n1, x2, 1500, level).high < -0.1
        print(f"  m {m:>2}: {failed.mean():.4f}")
    print("\nAn equal model passes a line TPR gap >= -.10: how many people in need a group must have")
    for n1 in (20, 50, 100, 150, 200, 300, 500, 1000):
        x1, x2 = rng.binomial(n1, 0.5, REPLICATES), rng.binomial(1000, 0.5, REPLICATES)
        print(
            f"  n {n1:>4} v 1000: {float((intervals.difference_score(x1, n1, x2, 1000, -0.1) >= 1.6449).mean()):.2f}"
        )


if __name__ == "__main__":
    main()
