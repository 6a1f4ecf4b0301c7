from __future__ import annotations

import hashlib
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import population, synthetic
from models.errors import PopulationRefusedError, PopulationUnreadableError
from models.health_benefit import SERVICE as HEALTH
from models.youth_exclusion import SERVICE as YOUTH

if TYPE_CHECKING:
    from pathlib import Path

    from models.service import Service

PLANTED = "salaisuus-4711"


@pytest.fixture
def pupils() -> pd.DataFrame:
    return synthetic.residents(YOUTH, 30, seed=4)


def reasons(
    frame: pd.DataFrame, service: Service = YOUTH, *, outcome: bool = True
) -> list[tuple[int, str, str]]:
    return [
        (each.row, each.column, each.reason) for each in population.check(frame, service, outcome=outcome)[1]
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet", "CSV"])
def test_a_file_comes_back_whole_with_its_digest(tmp_path: Path, pupils: pd.DataFrame, ending: str) -> None:
    path = tmp_path / f"pupils.{ending}"
    pupils.to_parquet(path) if ending == "parquet" else pupils.to_csv(path, index=False)
    loaded = population.load(path, YOUTH, outcome=True)
    pd.testing.assert_frame_equal(loaded.frame.reset_index(drop=True), pupils, check_dtype=False)
    assert list(loaded.frame.index) == list(range(1, 31))
    assert (loaded.rejected, loaded.rows, loaded.ignored_columns) == ((), 30, ())
    assert loaded.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_scoring_does_not_read_sensitive_or_outcome_columns(tmp_path: Path, pupils: pd.DataFrame) -> None:
    pupils.assign(religion="x").to_csv(tmp_path / "p.csv", index=False)
    loaded = population.load(tmp_path / "p.csv", YOUTH, outcome=False)
    assert list(loaded.frame.columns) == ["person_id", *YOUTH.features]
    assert loaded.ignored_columns == ("sex", "origin", "income_group", "left_school", "religion")


def test_a_missing_column_is_named(pupils: pd.DataFrame) -> None:
    with pytest.raises(
        PopulationRefusedError, match="Columns missing for 'youth-talk': math12, motheduc"
    ) as caught:
        population.check(pupils.drop(columns=["math12", "motheduc"]), YOUTH, outcome=False)
    assert caught.value.exit_code == 2
    assert "person_id, read12" in caught.value.hint


def test_rows_outside_the_contract_are_rejected_one_by_one_with_reasons(pupils: pd.DataFrame) -> None:
    frame = pupils.astype({"read12": object, "sex": object})
    frame.loc[0, "read12"] = PLANTED
    frame.loc[1, "math12"] = 101.0
    frame.loc[2, "math12"] = -0.5
    frame.loc[3, "sex"] = PLANTED
    frame.loc[4, "person_id"] = None
    frame.loc[5, "lfaminc"] = np.inf
    frame.loc[6, "fatheduc"] = np.nan
    frame.loc[7, "left_school"] = 0.5
    frame.loc[8, "person_id"] = " 010101-9XXX"
    assert reasons(frame) == [
        (1, "read12", "not a number"),
        (2, "math12", "above 100, the largest the contract allows"),
        (3, "math12", "below 0, the smallest the contract allows"),
        (4, "sex", "not one of female, male"),
        (5, "person_id", "empty, a value was expected"),
        (6, "lfaminc", "not a number"),
        (7, "fatheduc", "empty, a value was expected"),
        (8, "left_school", "not 0 or 1"),
        (9, "person_id", "empty, or with spaces around it"),
    ]
    valid, _ = population.check(frame, YOUTH, outcome=True)
    assert list(valid.index) == list(range(10, 31))


def test_every_row_of_a_person_who_stands_twice_is_rejected(pupils: pd.DataFrame) -> None:
    frame = pupils.copy()
    frame.loc[[3, 8, 12], "person_id"] = "010101-9999"
    assert reasons(frame) == [
        (4, "person_id", "the same person also stands in row 9, 13"),
        (9, "person_id", "the same person also stands in row 4, 13"),
        (13, "person_id", "the same person also stands in row 4, 9"),
    ]


def test_an_unknown_outcome_is_unknown_and_not_rejected(pupils: pd.DataFrame) -> None:
    frame = pupils.assign(left_school=np.nan)
    valid, rejected = population.check(frame, YOUTH, outcome=True)
    assert rejected == ()
    assert valid["left_school"].isna().all()


@pytest.mark.parametrize(
    "values",
    [
        ["x"] * 30,
        pd.date_range("2020-01-01", periods=30),
        pd.to_timedelta([1] * 30, unit="s"),
        [True] * 30,
        [1j] * 30,
    ],
    ids=["text", "dates", "durations", "yes and no", "complex"],
)
def test_a_column_of_the_wrong_type_throughout_is_refused_as_such(
    pupils: pd.DataFrame, values: object
) -> None:
    with pytest.raises(PopulationRefusedError, match="Column 'read12': no row holds a number"):
        population.check(pupils.assign(read12=values), YOUTH, outcome=True)


@pytest.mark.parametrize(
    "values",
    [[Decimal("12.5")] * 30, pd.array([12] * 30, dtype="Int64"), ["12.5"] * 30],
    ids=["decimal", "Int64", "text"],
)
def test_numbers_of_other_types_are_numbers(pupils: pd.DataFrame, values: object) -> None:
    valid, rejected = population.check(pupils.assign(read12=values), YOUTH, outcome=True)
    assert rejected == ()
    assert valid["read12"].dtype == np.float64


def test_numbers_where_text_was_expected_are_refused(pupils: pd.DataFrame) -> None:
    with pytest.raises(PopulationRefusedError, match="Column 'person_id': no row holds text"):
        population.check(pupils.assign(person_id=range(30)), YOUTH, outcome=True)


def test_a_code_of_digits_keeps_its_zeros(tmp_path: Path, pupils: pd.DataFrame) -> None:
    pupils.assign(person_id=[f"{n:05d}" for n in range(30)]).to_csv(tmp_path / "p.csv", index=False)
    loaded = population.load(tmp_path / "p.csv", YOUTH, outcome=True)
    assert loaded.frame["person_id"].iloc[7] == "00007"


BAD_FILES = {
    "no bytes": (b"", "empty"),
    "header only": (b"person_id,read12,math12,motheduc,fatheduc,lfaminc\n", "no rows"),
    "blank lines": (b"\n\n\n", "no header"),
    "semicolons": (b"person_id;read12;math12\n1;2;3\n", "semicolons"),
    "a column without a name": (b"person_id,,read12\na,1,2\n", "has no name"),
    "a column named twice": (b"person_id,read12,read12\na,1,2\n", "named twice: read12"),
    "Latin-1": ("person_id,read12\nä,1\n".encode("latin-1"), "Line 2 of the CSV is not UTF-8"),
    "a zero byte": (b"person_id,read12\n\x00,1\n", "zero byte"),
    "an open quote": (b'person_id,read12\n"a,1\nb,2\n', "quote|parsed|missing"),
    "a line too long": (
        f"person_id,read12,math12,motheduc,fatheduc,lfaminc\na,1,2,3,4,5\n{PLANTED},1,2,3,4,5,6\n".encode(),
        "line 3 has 7 cells, 6 were expected",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_csv_files_are_refused_without_a_cells_value(tmp_path: Path, case: str) -> None:
    content, message = BAD_FILES[case]
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with pytest.raises(PopulationRefusedError, match=message) as caught:
        population.load(path, YOUTH, outcome=False)
    assert PLANTED not in caught.value.message + caught.value.hint
    assert caught.value.exit_code == 2


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(PopulationRefusedError, match="not readable as Parquet"):
        population.load(tmp_path / "p.parquet", YOUTH, outcome=False)


def test_lists_in_parquet_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"person_id": ["a"], "read12": [[1.0, 2.0]]}).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(PopulationRefusedError, match="read12 holds lists"):
        population.load(tmp_path / "p.parquet", YOUTH, outcome=False)


def test_other_endings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.xlsx").write_bytes(b"x")
    with pytest.raises(PopulationRefusedError, match=r"'\.xlsx' was given, \.csv or \.parquet was expected"):
        population.load(tmp_path / "p.xlsx", YOUTH, outcome=False)


@pytest.mark.parametrize(
    "make", [lambda _: None, lambda path: path.mkdir()], ids=["nothing there", "a folder"]
)
def test_a_file_that_cannot_be_read_is_another_fault(tmp_path: Path, make) -> None:
    make(tmp_path / "p.csv")
    with pytest.raises(PopulationUnreadableError) as caught:
        population.load(tmp_path / "p.csv", YOUTH, outcome=False)
    assert caught.value.exit_code == 4


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_cells_value_ever_stands_in_a_reason(pupils: pd.DataFrame, data: st.DataObject) -> None:
    frame = pupils.astype(object)
    for _ in range(data.draw(st.integers(1, 5))):
        row = data.draw(st.integers(0, 29))
        column = data.draw(st.sampled_from([column.name for column in YOUTH.contract]))
        frame.loc[row, column] = PLANTED + data.draw(st.text(max_size=5))
    _, rejected = population.check(frame, YOUTH, outcome=True)
    assert PLANTED not in repr(rejected)
    assert all(1 <= each.row <= 30 for each in rejected)


def test_every_row_is_either_valid_or_rejected(health: pd.DataFrame) -> None:
    frame = health.copy()
    frame.loc[::7, "xage"] = 4.0
    frame.loc[::11, "mdvis"] = -1.0
    valid, rejected = population.check(frame, HEALTH, outcome=True)
    assert set(valid.index) | {each.row for each in rejected} == set(range(1, len(frame) + 1))
    assert not set(valid.index) & {each.row for each in rejected}


def test_a_hundred_thousand_rows_are_checked_in_seconds() -> None:
    frame = synthetic.residents(HEALTH, 100_000, seed=1, outcome=False)
    started = time.perf_counter()
    valid, rejected = population.check(frame, HEALTH, outcome=False)
    assert (len(valid), rejected) == (100_000, ())
    assert time.perf_counter() - started < 5


def test_the_frame_digest_follows_values_order_and_columns(pupils: pd.DataFrame) -> None:
    digest = population.frame_digest(pupils)
    assert digest == population.frame_digest(pupils.set_index(pupils.index + 7))
    changed = pupils.copy()
    changed.loc[3, "read12"] += 1e-9
    others = [
        changed,
        pupils.iloc[::-1],
        pupils[list(pupils.columns)[::-1]],
        pupils.rename(columns={"sex": "Sex"}),
    ]
    assert len({digest, *(population.frame_digest(other) for other in others)}) == 5
