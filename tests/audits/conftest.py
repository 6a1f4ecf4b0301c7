"""Made-up people for the audits' tests: counts in, arrays out. Nobody real."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from audits import runner
from audits.check import Baseline, Comparator, DataQuality, Expectation, Explanation, InventedPerson, Simpler
from audits.consent_facts import ConsentCount, ConsentCounts
from audits.probes import Deletion, Moved, Refits
from audits.robust_facts import Membership, Periods, Perturbation, Robustness
from audits.row_facts import Rows
from audits.sections import ReportSubject


@dataclass(frozen=True)
class Cells:
    """Counts of one group: true and false positives, false and true negatives."""

    tp: int
    fn: int
    fp: int
    tn: int


def rows(groups: dict[str, Cells]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y_true, y_pred and group labels that have exactly these counts."""
    y, p, g = [], [], []
    for name, c in groups.items():
        y += [1] * (c.tp + c.fn) + [0] * (c.fp + c.tn)
        p += [1] * c.tp + [0] * c.fn + [1] * c.fp + [0] * c.tn
        g += [name] * (c.tp + c.fn + c.fp + c.tn)
    return np.array(y), np.array(p), np.array(g, dtype=object)


@pytest.fixture
def make_rows():
    return rows


@pytest.fixture
def cells():
    return Cells


def _further(frame, groups, y, p, pred):
    """Rows with gaps and an earlier period, consents by group, and a version moved a little; from a generator of its own."""
    rng, n = np.random.default_rng(5), len(y)
    told = frame.assign(**groups, need=y.astype(float), year=np.where(np.arange(n) < n // 2, 2024, 2025))
    told.loc[rng.random(n) < 0.1, "moves"] = np.nan
    consents = []
    for name in groups:
        column = groups[name].fillna("unknown")
        consents += [
            ConsentCount(name, g, int((column == g).sum()), 0, 0, 0) for g in sorted(column.unique())
        ]
    consents = [replace(c, refused=40, withdrawn=9) if c.group in {"B", "man"} else c for c in consents]
    shares = {"sex": {"man": 0.4, "woman": 0.6}}
    return {
        "rows": Rows(told, tuple(frame), tuple(groups), "need", fold=np.arange(n) % 5, period="year", shares=shares),
        "consents": ConsentCounts(tuple(consents), "Act on invented statistics 1", uncounted=3, simulated=True),
        "robustness": Robustness(
            Perturbation(pred == 1, np.array([(p + rng.normal(0, 0.01, n)) >= np.quantile(p, 0.8)]), {"sex": groups["sex"].to_numpy()}, {"reading": 0.1}, ("moves",)),
            Membership(y.astype(np.int8), p, rng.random(n) < 0.5),
            Periods(told["year"].to_numpy(dtype=object), y.astype(np.int8), pred.astype(np.int8), p),
        ),
    }  # fmt: skip


@pytest.fixture(scope="session")
def _everything():
    """Inputs of an audit with every section filled, among people nobody is."""
    rng = np.random.default_rng(3)
    n = 2500
    x = rng.normal(size=(n, 3))
    margin = x @ np.array([1.0, -0.5, 0.2]) - 1.6
    p = 1 / (1 + np.exp(-margin))
    y = (rng.random(n) < p).astype(int)
    pred = (p >= np.quantile(p, 0.8)).astype(int)
    frame = pd.DataFrame(x, columns=["reading", "absence", "moves"])
    contributions = x * np.array([1.0, -0.5, 0.2])
    invented = np.array([0.5, 1.0, 2.0])
    groups = pd.DataFrame(
        {
            "origin": np.where(np.arange(n) < 30, "few", np.where(rng.random(n) < 0.3, "A <b>&", "B")),
            "sex": rng.choice(["man", "woman", None], n, p=[0.48, 0.50, 0.02]),
        }
    )
    return {
        "y_true": y,
        "y_pred": pred,
        "sensitive_features": groups,
        "y_score": p,
        "threshold": 0.3,
        "other_needs": {"asked for help": (rng.random(n) < p * 0.8).astype(int)},
        "baseline": Baseline(rng.permutation(pred)),
        "features": frame,
        "explain": Explanation(
            ("reading", "absence", "moves"),
            contributions,
            -1.6,
            margin,
            invented=InventedPerson(
                {"reading": 0.5, "absence": 1.0, "moves": 2.0},
                invented * np.array([1.0, -0.5, 0.2]),
                -1.6 + float(invented @ np.array([1.0, -0.5, 0.2])),
                ("Reads less than most in the class",),
            ),
            labels=("Reading", "Days absent", "Moves of home"),
            refits=Refits(
                np.arange(300), contributions[:300] * np.array([[[1.0, 0.9, 1.0]], [[1.0, 1.0, -1.0]]]),
                ("school", "school", "home"), {"school": "School results", "home": "Moves of home"},
            ),
            monotone=(Moved("reading", "increasing", np.array([-1.0, 1.0]), np.outer(np.ones(40), [-1.0, 1.0])),),
            deletion=Deletion("the median", margin[:40], margin[:40] - [[0.5], [0.8]], np.tile(margin[:40], (5, 2, 1))),
        ),
        "simpler": Simpler((Comparator("scorecard", "a scorecard", (x[:, 0] >= 0.84).astype(int), x[:, 0]),), "trees"),
        "data_quality": DataQuality(frame, (Expectation("not_null", "reading"), Expectation("between", "moves", -9, 9))),
        "clusters": rng.integers(0, 1200, n),
        **_further(frame, groups, y, p, pred),
        "subject": ReportSubject(
            service="youth", title="A call from a youth worker", question="May this version choose whom to call?",
            model_name="youth", model_version="2", model_digest="sha256:" + "0" * 64, capacity=0.2,
        ),
        "simulated": ("All people in this audit are invented.",),
    }  # fmt: skip


@pytest.fixture
def everything(_everything):
    return dict(_everything)


@pytest.fixture(scope="session")
def full_report(_everything):
    return runner.audit(**_everything)


@pytest.fixture
def python():
    return sys.executable
