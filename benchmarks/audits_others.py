"""The same rates by group, got with fairlearn, aequitas and AIF360 in each one's own way, against ours.

    .venv/bin/python -P benchmarks/audits_others.py [ROWS ...]          (default 10000 100000 1000000)

aequitas and AIF360 are no dependencies of luvalla: `pip install aequitas aif360` first; what is absent is left out and said. Seven rates
of two attributes (2 and 4 groups): selection, true and false positive, false negative, precision, false discovery, accuracy.
Everyone's figures are compared with ours and must agree to 1e-9. Ours are counted once and come with their intervals, lines and
verdict (`FairnessCheck`); the others give the rates alone, fairlearn's intervals are in `audits_bootstrap.py`. Medians of three.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from fairlearn import metrics as fairlearn_metrics
from sklearn.metrics import accuracy_score, precision_score

from audits import inputs
from audits.fairness import FairnessCheck
from audits.lines import default_lines

if TYPE_CHECKING:
    from collections.abc import Callable

Rates = dict[tuple[str, str, str], float]
"""By attribute, group, metric."""
METRICS = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "accuracy",
)
ROUNDS = 3
TOLERANCE = 1e-9


def people(n: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(20261124)
    groups = pd.DataFrame(
        {
            "sex": rng.choice(["man", "woman"], n),
            "origin": rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.25, 0.1, 0.05]),
        }
    )
    need = rng.random(n) < 0.2
    chosen = rng.random(n) < np.where(need, 0.6, 0.1)
    return need.astype(np.int64), chosen.astype(np.int64), groups


def ours(need: np.ndarray, chosen: np.ndarray, groups: pd.DataFrame) -> Rates:
    """The whole check: rates, intervals, lines, their outcomes and the chance of passing an equal model."""
    nothing = dict.fromkeys(
        ("y_score", "threshold", "other_needs", "baseline", "features", "explain", "data_quality", "clusters")
    )
    given = inputs.check(need, chosen, groups, lines=default_lines(list(groups)), seed=1, **nothing)
    found = FairnessCheck().run(given)
    return {
        (row.attribute, row.group, name): float(row.metrics[name] or 0.0)
        for row in found.groups
        for name in METRICS
        if row.metrics.get(name) is not None
    }


def fairlearn(need: np.ndarray, chosen: np.ndarray, groups: pd.DataFrame) -> Rates:
    rates: Rates = {}
    functions = {
        "selection_rate": fairlearn_metrics.selection_rate,
        "true_positive_rate": fairlearn_metrics.true_positive_rate,
        "false_positive_rate": fairlearn_metrics.false_positive_rate,
        "false_negative_rate": fairlearn_metrics.false_negative_rate,
        "precision": precision_score,
        "accuracy": accuracy_score,
    }
    for attribute in groups:
        frame = fairlearn_metrics.MetricFrame(
            metrics=functions, y_true=need, y_pred=chosen, sensitive_features=groups[attribute]
        )
        for group, row in frame.by_group.iterrows():
            rates |= {(str(attribute), str(group), name): float(row[name]) for name in METRICS}
    return rates


def aequitas(need: np.ndarray, chosen: np.ndarray, groups: pd.DataFrame) -> Rates:
    from aequitas.group import Group  # noqa: PLC0415

    names = {"pprev": "selection_rate", "tpr": "true_positive_rate", "fpr": "false_positive_rate",
             "fnr": "false_negative_rate", "precision": "precision", "accuracy": "accuracy"}  # fmt: skip
    frame = groups.assign(score=chosen, label_value=need)
    table, _ = Group().get_crosstabs(frame, attr_cols=list(groups))
    table["accuracy"] = (table["tp"] + table["tn"]) / table["group_size"]
    return {
        (row["attribute_name"], row["attribute_value"], name): float(row[theirs])
        for _, row in table.iterrows()
        for theirs, name in names.items()
    }


def aif360(need: np.ndarray, chosen: np.ndarray, groups: pd.DataFrame) -> Rates:
    from aif360.datasets import BinaryLabelDataset  # noqa: PLC0415
    from aif360.metrics import ClassificationMetric  # noqa: PLC0415

    rates: Rates = {}
    for attribute in groups:
        codes, names = pd.factorize(groups[attribute], sort=True)
        frame = pd.DataFrame({"group": codes, "label": need})
        truth = BinaryLabelDataset(df=frame, label_names=["label"], protected_attribute_names=["group"])
        said = truth.copy()
        said.labels = chosen.reshape(-1, 1).astype(float)
        for code, group in enumerate(names):
            others = [{"group": k} for k in range(len(names)) if k != code]
            m = ClassificationMetric(
                truth, said, privileged_groups=[{"group": code}], unprivileged_groups=others
            )
            key = str(attribute), str(group)
            rates[(*key, "selection_rate")] = m.selection_rate(privileged=True)
            rates[(*key, "true_positive_rate")] = m.true_positive_rate(privileged=True)
            rates[(*key, "false_positive_rate")] = m.false_positive_rate(privileged=True)
            rates[(*key, "false_negative_rate")] = m.false_negative_rate(privileged=True)
            rates[(*key, "precision")] = m.precision(privileged=True)
            rates[(*key, "accuracy")] = m.accuracy(privileged=True)
    return rates


def timed(work: Callable[[], Rates]) -> tuple[float, Rates]:
    laps = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        rates = work()
        laps.append(time.perf_counter() - started)
    return statistics.median(laps), rates


def main() -> int:
    """Prints the times and the ratios; 1 where anybody's figures are not ours."""
    differ = 0
    for n in [int(a) for a in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        given = people(n)
        took, mine = timed(lambda given=given: ours(*given))  # type: ignore[misc]
        print(f"{n:,} rows: ours, with intervals, lines and verdict {took * 1000:.0f} ms")
        for other in (fairlearn, aequitas, aif360):
            try:
                # aequitas prints and AIF360 warns about what it is not asked for.
                with (
                    contextlib.redirect_stdout(io.StringIO()),
                    contextlib.redirect_stderr(io.StringIO()),
                    warnings.catch_warnings(),
                ):
                    warnings.simplefilter("ignore")
                    seconds, theirs = timed(lambda other=other, given=given: other(*given))  # type: ignore[misc]
            except ImportError as error:
                print(f"  {other.__name__}: absent ({error.name})")
                continue
            shared = mine.keys() & theirs.keys()
            worst = max(abs(mine[key] - theirs[key]) for key in shared)
            differ |= worst > TOLERANCE or len(shared) != len(mine)
            print(
                f"  {other.__name__}, the rates alone: {seconds * 1000:,.0f} ms, {seconds / took:.2f} times ours; "
                f"{len(shared)} of {len(mine)} figures shared, largest difference {worst:.0e}"
            )
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
