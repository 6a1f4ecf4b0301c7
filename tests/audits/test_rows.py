"""The rows behind an audit: who is missing, who stands there twice, what should not be known, what has moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from audits import row_drift, row_leaks, row_missing, runner
from audits.fairness import FairnessCheck
from audits.finding import Leaning, Outcome, Role
from audits.html import page
from audits.row_facts import Rows
from audits.row_quality import RowsCheck

N = 1200


def made(seed=5):
    """People nobody is: two features, a group, a label that the features hardly tell."""
    rng = np.random.default_rng(seed)
    grades = rng.normal(size=N)
    return pd.DataFrame(
        {
            "who": [f"p{i}" for i in range(N)],
            "grades": grades,
            "school": rng.choice(["north", "south", "west"], N),
            "sex": rng.choice(["f", "m"], N),
            "need": (rng.random(N) < 0.3 + 0.1 * (grades > 0)).astype(float),
        }
    )


def rows(frame, **changed):
    return replace(Rows(frame, ("grades", "school"), ("sex",), "need", "who"), **changed)


def report(given):
    need = np.tile([0, 1], 600)
    return runner.audit(need, np.tile([1, 1, 0, 0], 300), sensitive_features={"sex": np.repeat(["f", "m"], 600)}, rows=given, checks=(FairnessCheck(), RowsCheck()))  # fmt: skip


def finding(given, what):
    return report(given).finding(f"rows.{what}")


def test_clean_rows_pass_what_screens_and_the_page_says_so():
    made_report = report(rows(made(), fold=np.arange(N) % 5))
    screens = {
        f.metric: f.outcome for f in made_report.findings if f.check == "rows" and f.role is Role.SCREENS
    }
    assert screens == dict.fromkeys(("duplicates", "leakage", "overlap"), Outcome.PASSED)
    assert made_report.row_quality.rows == made_report.row_quality.people == N
    assert "Who is in the rows, and what they may not know" in page(made_report)


def test_without_rows_the_check_says_nothing():
    assert not any(f.check == "rows" for f in report(None).findings)
    assert report(None).row_quality is None


def test_a_person_in_two_rows_fails_the_version_and_nobody_is_named():
    frame = made()
    frame.loc[1, "who"] = "p0"
    found = finding(rows(frame), "duplicates")
    assert (found.outcome, found.estimate) == (Outcome.FAILED, 1.0)
    assert report(rows(frame)).verdict.outcome is Outcome.FAILED
    assert b"p0" not in report(rows(frame)).to_json()


def test_rows_that_are_alike_are_counted_and_do_not_fail():
    frame = made()
    frame.loc[1, ["grades", "school", "need"]] = frame.loc[0, ["grades", "school", "need"]].to_numpy()
    found = finding(rows(frame), "duplicates")
    assert found.outcome is Outcome.PASSED
    assert "2 of 1,200 rows equal another" in found.message


def test_values_missing_in_one_group_are_told_with_the_group():
    frame = made()
    women = frame.index[frame["sex"] == "f"]
    frame.loc[women[: len(women) // 3], "grades"] = np.nan
    found = finding(rows(frame), "missing")
    assert "grades is empty for 33." in found.message
    assert found.role is Role.DESCRIBED
    assert report(rows(frame)).row_quality.missing[0].p < 1e-9


def test_values_missing_by_chance_are_not_called_uneven():
    frame = made()
    frame.loc[frame.index % 10 == 0, "grades"] = np.nan
    assert "in no group shown" in finding(rows(frame), "missing").message
    assert "empty for anybody" in finding(rows(made()), "missing").message


def test_shares_are_held_against_the_declared_population():
    like = finding(rows(made(), shares={"sex": {"f": 0.5, "m": 0.5}}), "shares:sex")
    assert "Chance could explain it" in like.message
    unlike = finding(rows(made(), shares={"sex": {"f": 0.7, "m": 0.2, "other": 0.1}}), "shares:sex")
    assert "Chance does not explain it" in unlike.message
    assert unlike.estimate == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"age": {"a": 1.0}}, "population shares of 'age'"),
        ({"sex": {"f": 0.5, "m": 0.3}}, "add up to 0.800"),
        ({"sex": {"f": 1.0}}, "no population share of sex for m"),
    ],
)
def test_shares_that_do_not_fit_could_not_run(shares, says):
    found = report(rows(made(), shares=shares)).finding("rows.could_not_run")
    assert found.outcome is Outcome.COULD_NOT_RUN
    assert says in found.message


@pytest.mark.parametrize("turned", [1, -1])
def test_a_feature_that_knows_the_label_fails_the_version(turned):
    frame = made()
    frame["grades"] = turned * (frame["need"] + np.random.default_rng(1).normal(scale=0.1, size=N))
    found = finding(rows(frame), "leakage:grades")
    assert (found.outcome, found.limit) == (Outcome.FAILED, 0.95)
    assert "ask whether it is known before" in found.message


def test_that_a_value_is_empty_can_be_the_leak():
    frame = made()
    frame.loc[frame["need"] == 1, "grades"] = np.nan
    assert finding(rows(frame), "leakage:grades (empty)").outcome is Outcome.FAILED


def test_a_category_that_tells_the_label_leaks_and_one_of_single_people_does_not():
    frame = made()
    frame["school"] = np.where(frame["need"] == 1, "helped", "other")
    assert finding(rows(frame), "leakage:school").outcome is Outcome.FAILED
    frame["school"] = [f"house {i}" for i in range(N)]
    top = {r.feature: r.area for r in row_leaks.leaks(rows(frame), 1)}
    assert top["school"] < 0.6


def test_few_people_leave_a_suspect_without_enough_evidence():
    frame = made().head(40)
    frame["need"] = [0.0] * 37 + [1.0] * 3
    frame["grades"] = np.arange(40.0)
    frame.loc[39, "grades"] = 36.5
    frame.loc[36, "grades"] = 38.5
    found = finding(rows(frame), "leakage:grades")
    assert (found.outcome, found.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)


def test_a_feature_known_only_afterwards_fails_the_version():
    late = finding(rows(made(), known_after=("school",), timed=("school", "grades")), "timing")
    assert late.outcome is Outcome.FAILED
    assert finding(rows(made(), timed=("school", "grades")), "timing").outcome is Outcome.PASSED
    assert finding(rows(made(), timed=("school",)), "timing").outcome is Outcome.NOT_APPLICABLE


def test_people_on_both_sides_are_counted():
    fold = np.arange(N) % 5
    families = np.arange(N) // 2
    assert row_leaks.overlap(rows(made(), fold=fold)) == 0
    assert row_leaks.overlap(rows(made(), fold=fold, units=families.astype(object))) == N // 2
    assert row_leaks.overlap(rows(made(), trained=made().head(7))) == 7
    assert row_leaks.overlap(rows(made())) is None
    assert finding(rows(made(), trained=made().head(7)), "overlap").outcome is Outcome.FAILED


def test_the_same_people_later_are_no_drift_and_moved_ones_lean_against():
    still = finding(rows(made(), trained=made(seed=6).assign(who="x")), "drift")
    assert still.outcome is Outcome.PASSED
    moved = made(seed=6).assign(who="x", grades=lambda f: f["grades"] + 1)
    found = finding(rows(made(), trained=moved), "drift")
    assert (found.outcome, found.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    assert "grades (index" in found.message


def test_drift_of_the_label_and_of_a_category_between_periods():
    frame = made().assign(year=np.where(np.arange(N) < 600, 2024, 2025))
    frame.loc[frame["year"] == 2025, "need"] = (np.arange(600) % 4 > 0).astype(float)
    frame.loc[frame["year"] == 2025, "school"] = "new"
    moved, words = row_drift.drift(rows(frame, period="year"))
    assert words == "the last period, against those before it"
    assert {d.column for d in moved if d.psi > row_drift.LARGE} == {"need", "school"}


def test_the_index_is_the_published_formula():
    before, now = np.array([20.0, 30.0, 50.0]), np.array([30.0, 30.0, 40.0])
    p, q = (c + 0.5 for c in (before, now))
    expected = sum(
        (b / q.sum() - a / p.sum()) * np.log((b / q.sum()) / (a / p.sum())) for a, b in zip(p, q, strict=True)
    )
    assert row_drift.psi(before, now) == pytest.approx(expected)
    assert row_drift.psi(before, before) == 0


def test_holm_is_statsmodels_own():
    values = [*np.random.default_rng(2).random(30) ** 3, 0.01, 0.01]
    assert row_missing.holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]))
    assert row_missing.holm([]) == []


def test_two_hundred_sound_samples_are_rarely_called_uneven():
    # 200 draws, family-wise 5 %: 21 or more have a chance under .001 (binomial).
    rng = np.random.default_rng(8)
    frame, called = made(), 0
    for _ in range(200):
        frame["grades"] = np.where(rng.random(N) < 0.1, np.nan, 0.0)
        called += any(r.p < 0.05 for r in row_missing.missing(rows(frame)))
    assert called <= 20


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (rows(made().drop(columns="school")), "no column school"),
        (rows(made().head(0)), "no rows"),
        (rows(made(), leak=0.4), "leak limit"),
    ],
)
def test_rows_that_do_not_fit_could_not_run(given, says):
    found = report(given).finding("rows.could_not_run")
    assert says in found.message
    assert report(given).verdict.outcome is not Outcome.PASSED
