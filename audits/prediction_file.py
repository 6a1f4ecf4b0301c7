"""A file of predictions, one person a row: only the columns that were named are read, and no value of anybody is repeated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from pyarrow import parquet as parquet_file

from audits.errors import AuditsInputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_GROUPS = 50
"""A sensitive column of more values is no column of groups: it may be a name, an id or an age, and a report names groups."""
_FLAGS = {"true": "1", "false": "0", "yes": "1", "no": "0"}
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Columns:
    """Which column of the file is what.

    Args:
        outcome: In need by the declared measure: 0 or 1.
        sensitive: Sensitive features, at least one.
        prediction: Selected: 0 or 1. Either this or `score` is given, or both.
        score: Probability of need or another score.
        cluster: Family, or whatever makes rows depend on each other.
        baseline: Selected by the first version: 0 or 1.
        other_needs: Other measures of need: 0 or 1 each.
    """

    outcome: str
    sensitive: tuple[str, ...]
    prediction: str | None = None
    score: str | None = None
    cluster: str | None = None
    baseline: str | None = None
    other_needs: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Every column that is needed, once."""
        single = (self.outcome, self.prediction, self.score, self.cluster, self.baseline)
        return tuple(dict.fromkeys([*(n for n in single if n), *self.sensitive, *self.other_needs]))


@dataclass(frozen=True)
class Predictions:
    """What was read.

    Args:
        frame: The named columns; missing values are missing.
        digest: ``sha256:...`` of the file's bytes.
    """

    frame: pd.DataFrame
    digest: str

    def binary(self, column: str) -> pd.Series:
        """A column of yes and no, as numbers; text such as ``true`` and ``no`` is read as well.

        Raises:
            AuditsInputError: Values are missing, or are neither 0 nor 1; the message counts them, and repeats none.
        """
        values = self.frame[column]
        if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
            values = values.map(
                lambda v: _FLAGS.get(str(v).strip().lower(), v) if v is not None else v, na_action="ignore"
            )
        numbers = pd.to_numeric(values, errors="coerce")
        missing = int(self.frame[column].isna().sum())
        if missing:
            raise AuditsInputError(
                f"column {column!r} is empty in {missing} of {len(numbers)} rows; expected 0 or 1 in each",
                "leave these people out of the file, and say how many with --unknown",
            )
        wrong = int((~numbers.isin((0, 1))).sum())
        if wrong:
            raise AuditsInputError(
                f"column {column!r} is neither 0 nor 1 in {wrong} of {len(numbers)} rows",
                "code yes as 1 and no as 0; a column of scores is named with --score",
            )
        return numbers.astype("int8")

    def numbers(self, column: str) -> pd.Series:
        """A column of numbers.

        Raises:
            AuditsInputError: A value is missing or no number.
        """
        values = pd.to_numeric(self.frame[column], errors="coerce")
        wrong = int(values.isna().sum())
        if wrong:
            raise AuditsInputError(
                f"column {column!r} is no number in {wrong} of {len(values)} rows",
                "correct them, or leave these people out of the file and say how many with --unknown",
            )
        return values.astype("float64")

    def groups(self, columns: tuple[str, ...]) -> Mapping[str, pd.Series]:
        """Sensitive columns, as groups.

        Raises:
            AuditsInputError: A column has more values than groups that an audit could judge.
        """
        found = {}
        for column in columns:
            values = self.frame[column]
            if (many := int(values.nunique())) > MOST_GROUPS:
                raise AuditsInputError(
                    f"sensitive column {column!r} has {many:,} different values; expected groups, at most {MOST_GROUPS}",
                    "group its values first (age in bands, for example); a report names every group",
                )
            found[column] = values.astype(object).where(values.notna(), None)
        return found

    def clusters(self, column: str) -> pd.Series:
        """A column that says which rows belong together.

        Raises:
            AuditsInputError: A value is missing.
        """
        if missing := int(self.frame[column].isna().sum()):
            raise AuditsInputError(
                f"column {column!r} is empty in {missing} of {len(self.frame)} rows",
                "give a person without a family a cluster of their own",
            )
        return self.frame[column]


def read(path: Path, columns: Columns) -> Predictions:
    """Reads the named columns, and no other.

    Args:
        path: Parquet if its name ends in .parquet or .pq, else CSV with a header, UTF-8.
        columns: What to read.

    Returns:
        The rows.

    Raises:
        AuditsInputError: The file cannot be read, has no rows, or lacks a column. Messages name columns, never values.
    """
    try:
        with path.open("rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        parquet = path.suffix.lower() in _PARQUET
        there = _names(path, parquet=parquet)
        wanted = columns.names()
        _all_there(path.name, wanted, there)
        frame = (
            pd.read_parquet(path, columns=list(wanted))
            if parquet
            else pd.read_csv(
                path,
                usecols=list(wanted),
                dtype=str,
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
            )
        )
    except AuditsInputError:
        raise
    except OSError as error:
        reason = error.strerror or "it is no file of that kind"
        raise AuditsInputError(
            f"cannot read {path.name}: {reason}", "give the path of a file of predictions"
        ) from error
    except (ValueError, ImportError) as error:  # pandas' and pyarrow's own errors of reading are ValueErrors
        raise AuditsInputError(
            f"{path.name} is neither CSV in UTF-8 with a header nor Parquet",
            "save it as one of the two; Parquet by the ending .parquet",
        ) from error
    if frame.empty:
        raise AuditsInputError(f"{path.name} has no rows", "one person a row")
    return Predictions(frame, digest)


def _all_there(name: str, wanted: tuple[str, ...], there: list[str]) -> None:
    if lacking := [column for column in wanted if column not in there]:
        raise AuditsInputError(
            f"{name} has no column {', '.join(map(repr, lacking))}; it has: {', '.join(there) or 'none'}",
            "name the columns: --outcome, --prediction or --score, --sensitive",
        )


def _names(path: Path, *, parquet: bool) -> list[str]:
    if parquet:
        return [str(name) for name in parquet_file.read_schema(path).names]
    header = pd.read_csv(path, nrows=0, dtype=str, encoding="utf-8-sig")
    return [str(c) for c in header.columns]
