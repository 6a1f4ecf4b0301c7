"""A population file in, valid rows and rejected rows out: the data contract, checked with pandera.

Nothing is dropped in silence: a row that breaks the contract comes back as a :class:`RejectedRow` with row number,
column and reason. No message ever carries a cell's value, which may be personal data (pandera's own failure cases do).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pandera.pandas as pa

from models import population_files
from models.errors import PopulationRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from models.service import Column, Service

_SHOWN_DUPLICATES = 3


@dataclass(frozen=True)
class RejectedRow:
    """A row that breaks the data contract.

    Args:
        row: 1 is the first row of data (a CSV's header line is not counted).
        column: The column at fault.
        reason: What was expected, in words; never the value found.
    """

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class Population:
    """A population file after its check.

    Args:
        frame: Valid rows, columns in the contract's order, index = row number in the file (1-based). Numbers and flags
            are float64 (NaN = unknown), identifiers and categories are text.
        rejected: Reasons by row number; a row with two faults stands here twice.
        digest: ``sha256:`` digest of the file's bytes, exactly those that were checked.
        rows: Rows in the file.
        ignored_columns: Columns of the file that were not read: the contract does not name them, or scoring may not.
    """

    frame: pd.DataFrame
    rejected: tuple[RejectedRow, ...]
    digest: str
    rows: int
    ignored_columns: tuple[str, ...] = ()


def load(path: Path, service: Service, *, outcome: bool) -> Population:
    """Read a CSV or Parquet file and check every row against the service's data contract.

    Args:
        path: A ``.csv`` (UTF-8, comma, header line) or ``.parquet`` file.
        service: Whose contract holds.
        outcome: True for training and audit (all columns), False for scoring (person and features only).

    Raises:
        PopulationUnreadableError: No such file, or no permission (exit 4).
        PopulationRefusedError: Not CSV or Parquet, empty, a column missing, or a column whose type is wrong throughout
            (exit 2).
    """
    content = population_files.read(path)
    raw = population_files.parse(content, path.suffix, text=_text_columns(service))
    wanted = {column.name for column in service.columns(outcome=outcome)}
    frame, rejected = check(raw, service, outcome=outcome)
    return Population(
        frame=frame,
        rejected=rejected,
        digest="sha256:" + hashlib.sha256(content).hexdigest(),
        rows=len(raw),
        ignored_columns=tuple(str(name) for name in raw.columns if name not in wanted),
    )


def check(
    frame: pd.DataFrame, service: Service, *, outcome: bool
) -> tuple[pd.DataFrame, tuple[RejectedRow, ...]]:
    """Check a frame that is already in memory.

    Returns:
        The valid rows (index = 1-based position in `frame`), and the rejected with their reasons.

    Raises:
        PopulationRefusedError: No rows, a column missing, or a column whose type is wrong throughout.
    """
    columns = service.columns(outcome=outcome)
    missing = [column.name for column in columns if column.name not in frame.columns]
    if missing:
        raise PopulationRefusedError(
            f"Column{'s' * (len(missing) > 1)} missing for '{service.id}': {', '.join(missing)}.",
            f"The contract asks for {', '.join(column.name for column in columns)}.",
        )
    if frame.empty:
        raise PopulationRefusedError(
            "The population has no rows, at least one was expected.", "Check the export."
        )

    rows = pd.RangeIndex(1, len(frame) + 1)
    rejected: list[RejectedRow] = []
    typed: dict[str, pd.Series] = {}
    for column in columns:
        values, wrong = _typed(frame[column.name], column)
        if wrong.all():
            raise PopulationRefusedError(
                f"Column '{column.name}': no row holds {_expected(column)}.",
                "Check that the columns are in the right order and the decimal mark is a point.",
            )
        typed[column.name] = pd.Series(np.asarray(values), index=rows, dtype=values.dtype)
        rejected += [RejectedRow(int(row), column.name, f"not {_expected(column)}") for row in rows[wrong]]

    checked = pd.DataFrame(typed, index=rows)
    seen = {(fault.row, fault.column) for fault in rejected}
    rejected += [fault for fault in _faults(checked, columns) if (fault.row, fault.column) not in seen]
    rejected += _duplicates(checked[service.person_column])
    rejected.sort(key=lambda fault: (fault.row, fault.column))
    valid = checked.drop(index=sorted({fault.row for fault in rejected}))
    return valid, tuple(rejected)


def schema(columns: tuple[Column, ...]) -> pa.DataFrameSchema:
    """The contract's columns as a pandera schema, on typed values (see :class:`Population`)."""
    return pa.DataFrameSchema({column.name: _pandera_column(column) for column in columns}, strict=True)


def frame_digest(frame: pd.DataFrame) -> str:
    """``sha256:`` digest of a frame's columns and values: which rows a version was trained on, in which order.

    Numbers enter as little-endian float64, text as length-prefixed UTF-8; the index does not enter.
    """
    state = hashlib.sha256(b"luvalla/frame/v1\x00")
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            state.update(f"{name}\x00f8\x00{len(values)}\x00".encode())
            state.update(values.to_numpy(dtype="<f8").tobytes())
        else:
            state.update(f"{name}\x00text\x00{len(values)}\x00".encode())
            encoded = [str(value).encode() for value in values]
            state.update(b"".join(len(text).to_bytes(4, "big") + text for text in encoded))
    return "sha256:" + state.hexdigest()


def _text_columns(service: Service) -> tuple[str, ...]:
    return tuple(column.name for column in service.contract if column.kind in ("identifier", "category"))


def _typed(values: pd.Series, column: Column) -> tuple[pd.Series, npt.NDArray[np.bool_]]:
    """Values in the contract's type, and which cells (not counting empty ones) are of another."""
    empty = values.isna()
    if column.kind in ("identifier", "category"):
        is_text = pd.api.types.is_string_dtype(values) or isinstance(values.dtype, pd.CategoricalDtype)
        wrong = np.zeros(len(values), dtype=bool) if is_text or values.isna().all() else ~empty.to_numpy()
        return values.astype("str").where(~empty, None), wrong
    types = pd.api.types
    # to_numeric would make nanoseconds of a date or a duration, and 1 of a yes where a measure is expected.
    no_number = (
        types.is_datetime64_any_dtype(values)
        or types.is_timedelta64_dtype(values)
        or types.is_complex_dtype(values)
    )
    if no_number or (types.is_bool_dtype(values) and column.kind != "flag"):
        return pd.Series(np.nan, index=values.index), np.ones(len(values), dtype=bool)
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = (~empty & ~np.isfinite(numbers)).to_numpy()
    return numbers.where(np.isfinite(numbers)), wrong


def _pandera_column(column: Column) -> pa.Column:
    checks = []
    if column.kind == "identifier":
        checks.append(
            pa.Check(lambda s: (s.str.strip() == s) & (s != ""), error="empty, or with spaces around it")
        )
        return pa.Column(str, checks, nullable=column.nullable)
    if column.kind == "category":
        checks.append(pa.Check.isin(column.categories, error=f"not one of {', '.join(column.categories)}"))
        return pa.Column(str, checks, nullable=column.nullable)
    if column.kind == "flag":
        checks.append(pa.Check.isin([0.0, 1.0], error="not 0 or 1"))
    low = 0.0 if column.kind == "amount" and column.low is None else column.low
    if low is not None:
        checks.append(pa.Check.ge(low, error=f"below {low:g}, the smallest the contract allows"))
    if column.high is not None:
        checks.append(
            pa.Check.le(column.high, error=f"above {column.high:g}, the largest the contract allows")
        )
    return pa.Column(float, checks, nullable=column.nullable)


def _faults(frame: pd.DataFrame, columns: tuple[Column, ...]) -> list[RejectedRow]:
    try:
        schema(columns).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases  # holds the cells' values in `failure_case`: never read here
        return [
            RejectedRow(
                int(row), str(name), "empty, a value was expected" if check == "not_nullable" else str(check)
            )
            for row, name, check in zip(cases["index"], cases["column"], cases["check"], strict=True)
        ]
    return []


def _duplicates(people: pd.Series) -> list[RejectedRow]:
    """Every row of a person who stands in the file more than once: nobody can say which one is right."""
    repeated = people[people.duplicated(keep=False) & people.notna()]
    faults = []
    for rows in repeated.groupby(repeated, sort=False).groups.values():
        numbers = [int(row) for row in rows]
        for number in numbers:
            others = [str(other) for other in numbers if other != number]
            more = " and more" * (len(others) > _SHOWN_DUPLICATES)
            faults.append(
                RejectedRow(
                    number,
                    str(people.name),
                    f"the same person also stands in row {', '.join(others[:_SHOWN_DUPLICATES])}{more}",
                )
            )
    return faults


def _expected(column: Column) -> str:
    return {
        "identifier": "text",
        "category": "text",
        "flag": "0 or 1",
        "number": "a number",
        "amount": "a number",
    }[column.kind]
