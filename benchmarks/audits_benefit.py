"""How often the benefit audit finds a gain where there is none: `python benchmarks/audits_benefit.py [trials] [re-randomisations] [judged]`.

1,000 simulated trials without any effect, 1,000 with the same effect for everybody, and 200 re-randomisations of the RAND
experiment's families within their site, each through the whole audit. A share above its limit (5 % and two Monte-Carlo standard
errors: 6.4 % of 1,000, 8 % of 200) exits with 1. Beside them, not judged: what ordinary 5-fold cross-fitting would have found in
the trials without effect, and the power where there is a gain; `judged` leaves these out. Two processes.
"""

from __future__ import annotations

import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import stats

from audits import benefit, benefit_folds
from audits.benefit_folds import LEARNERS
from audits.benefit_trial import FOLDS, Trial, TrialArrays, check
from audits.runner import SEED
from models.insurance_trial import FEATURES, insurance_trial

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
SHUFFLES = int(sys.argv[2]) if len(sys.argv) > 2 else 200
CAPACITY = 0.20
CRITICAL = float(stats.norm.ppf(1 - benefit.ERROR))
TWO_SIDED = float(stats.norm.ppf(1 - benefit.ERROR / 2))


def limit(n: int) -> float:
    """The most that n trials may reject: issue 4's limits at full size, else 5 % and two standard errors."""
    error = math.sqrt(benefit.ERROR * (1 - benefit.ERROR) / n)
    return {1000: 0.064, 200: 0.08}.get(n, benefit.ERROR + 2 * error)


def simulated(seed: int, effect: str) -> Trial:
    """About 2,000 invented people in families of one to four, randomised by family within three strata of unequal shares.

    The outcome is yes or no; it depends on features, on an interaction of them and on the family.
    """
    rng = np.random.default_rng([seed, {"none": 0, "constant": 1, "gain": 2}[effect]])
    sizes = rng.integers(1, 5, 800)
    families = np.repeat(np.arange(800), sizes)
    stratum = rng.integers(0, 3, 800)
    treated = np.zeros(800, dtype=int)
    for s, share in enumerate((0.25, 0.35, 0.50)):
        members = np.flatnonzero(stratum == s)
        treated[rng.permutation(members)[: round(share * len(members))]] = 1
    share = np.array([treated[stratum == s].mean() for s in range(3)])
    n = len(families)
    x = rng.normal(size=(n, 8)) + 0.5 * rng.normal(size=(800, 8))[families]
    base = stats.norm.cdf(0.5 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2] + 0.5 * rng.normal(size=800)[families])
    gains = {"none": np.zeros(n), "constant": np.full(n, 0.10), "gain": 0.15 * (1 + np.tanh(x[:, 3]))}[effect]
    p = 0.1 + 0.6 * base
    y = (rng.random(n) < p + treated[families] * gains).astype(float)
    return Trial(
        y,
        treated[families],
        share[stratum][families],
        x,
        CAPACITY,
        stratum=stratum[families],
        clusters=families,
    )


def combined(arrays: TrialArrays, seed: int) -> benefit.Estimate | None:
    """The audit's own estimate: sequential folds combined."""
    parts = [
        part
        for s in benefit_folds.sequential(arrays, LEARNERS, seed=seed)
        if (part := benefit.gain(s.score, benefit.chosen(s.prediction, CAPACITY), _of(arrays, s.rows)))
        is not None
    ]
    return benefit.combine(parts)


def z_score(arrays: TrialArrays, seed: int) -> float:
    """Its z-score; 0 where nothing could be ranked."""
    total = combined(arrays, seed)
    return 0.0 if total is None else total.value / total.error


def cross_fitted(arrays: TrialArrays, seed: int, *, within: bool) -> float:
    """What is not valid: every fold ranked by a model of all the others, within itself or all folds together; one regression."""
    fold = benefit_folds.fold_of(arrays, FOLDS, seed)
    prediction, score, choice = np.zeros(len(fold)), np.zeros(len(fold)), np.zeros(len(fold))
    for k in range(FOLDS):
        s = benefit_folds.score_rows(arrays, fold != k, fold == k, LEARNERS, seed)
        if s is not None:
            prediction[s.rows], score[s.rows] = s.prediction, s.score
            choice[s.rows] = benefit.chosen(s.prediction, CAPACITY)
    found = benefit.gain(score, choice if within else benefit.chosen(prediction, CAPACITY), arrays.clusters)
    return 0.0 if found is None else found.value / found.error


def one(job: tuple[str, int]) -> float:
    """Runs one trial; its z-score."""
    kind, seed = job
    if kind == "rand":
        return z_score(check(shuffled(seed)), seed)
    if kind in {"pooled", "within"}:
        return cross_fitted(check(simulated(seed, "none")), seed, within=kind == "within")
    return z_score(check(simulated(seed, kind)), seed)


def shuffled(seed: int) -> Trial:
    """The RAND adults with free care given to other families of the same site: as many as there were."""
    rows = insurance_trial()
    rng = np.random.default_rng(seed)
    once = rows.drop_duplicates("family").set_index("family")
    drawn = once.groupby("site")["free_care"].transform(lambda w: rng.permutation(w.to_numpy()))
    share = once["free_care"].groupby(once["site"]).mean()
    return Trial(
        rows["any_care"],
        rows["family"].map(drawn),
        rows["site"].map(share),
        rows[list(FEATURES)],
        CAPACITY,
        stratum=rows["site"],
        clusters=rows["family"],
    )


def describe_rand(*, children: bool) -> None:
    """Prints the RAND experiment's own gain by the audit's seed, and how it moves with the drawing of the folds."""
    rows = insurance_trial(children=children)
    arrays = check(
        Trial(
            rows["any_care"],
            rows["free_care"],
            rows["share"],
            rows[list(FEATURES)],
            CAPACITY,
            stratum=rows["site"],
            clusters=rows["family"],
        )
    )
    found = combined(arrays, SEED)
    if found is None:
        return
    low, high = found.interval(0.90)
    average = benefit.average(benefit_folds.cross_fitted_scores(arrays, seed=SEED), arrays.clusters)
    if average is not None:
        least, most = average.interval(0.95)
        print(f"free care adds {average.value:+.3f} on average (95 % {least:+.3f} to {most:+.3f})")
    others = [z_score(arrays, seed) for seed in range(20)]
    print(
        f"RAND, {len(rows)} {'people' if children else 'adults'}: gain {found.value:+.3f} (90 % {low:+.3f} to {high:+.3f}), smallest "
        f"detectable {benefit.smallest_detectable(found.error):.3f}; by 20 other draws of folds z {min(others):.2f} to {max(others):.2f}, "
        f"median {np.median(others):.2f}, mean {np.mean(others):.2f}, {sum(z >= CRITICAL for z in others)} of 20 above {CRITICAL:.2f}"
    )


def _of(arrays: TrialArrays, rows: np.ndarray) -> np.ndarray | None:
    return None if arrays.clusters is None else arrays.clusters[rows]


def main() -> int:
    """Prints the shares against their limits; 1 if one is above."""
    os.nice(10)
    judged = (
        ("none", TRIALS, "no effect"),
        ("constant", TRIALS, "the same effect for all"),
        ("rand", SHUFFLES, "RAND re-randomised"),
    )
    shown = (
        ("pooled", TRIALS, "no effect, 5-fold, ranked together (not valid)"),
        ("within", TRIALS, "no effect, 5-fold, ranked by fold (not valid)"),
        ("gain", max(1, TRIALS // 5), "a gain of .13 among the chosen at most"),
    )
    broken = False
    with ProcessPoolExecutor(2) as pool:
        for kind, n, words in judged if "judged" in sys.argv else (*judged, *shown):
            if n == 0:
                continue
            z = np.array(list(pool.map(one, [(kind, seed) for seed in range(n)], chunksize=5)))
            found, either = int((z >= CRITICAL).sum()), float((np.abs(z) >= TWO_SIDED).mean())
            most = limit(n) if (kind, n, words) in judged else None
            bad = most is not None and found / n > most
            broken |= bad
            print(
                f"{words:<47} {found:>4} of {n:>4}: {found / n:6.1%}; either side {either:.1%}; z {z.mean():+.2f} sd {z.std():.2f}"
                + (
                    f"  at most {most:.1%}  {'BROKEN' if bad else 'kept'}"
                    if most is not None
                    else "  not judged"
                ),
                flush=True,
            )
    if "judged" not in sys.argv:
        for children in (False, True):
            describe_rand(children=children)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
