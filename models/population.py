"""A population file in, valid rows and rejected rows out: the data contract, checked with pandera.

Nothing is dropped in silence: a row that breaks the contract comes back as a :class:`RejectedRow` with row number,
column and reason. No message ever carries a cell's value: it may be personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from models.service import Service


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
        frame: Valid rows, columns in the contract's order, index = row number in the file (1-based).
        rejected: Rows that broke the contract, by row number.
        digest: ``sha256:`` digest of the file's bytes, exactly as checked.
        ignored_columns: Columns of the file that the contract does not name, or that scoring may not read.
    """

    frame: pd.DataFrame
    rejected: tuple[RejectedRow, ...]
    digest: str
    ignored_columns: tuple[str, ...] = ()


def load(path: Path, service: Service, *, outcome: bool) -> Population:
    """Read a CSV or Parquet file and check every row against the service's data contract.

    Args:
        path: A ``.csv`` (UTF-8, comma, header line) or ``.parquet`` file.
        service: Whose contract holds.
        outcome: True for training and audit (all columns), False for scoring (person and features only).

    Raises:
        PopulationUnreadable: No such file, no permission, or not CSV/Parquet (exit 4 or 2).
        PopulationRefused: An empty file, a missing column, or a column whose type is wrong throughout (exit 2).
    """
    raise NotImplementedError


def check(frame: pd.DataFrame, service: Service, *, outcome: bool) -> tuple[pd.DataFrame, tuple[RejectedRow, ...]]:
    """Check a frame that is already in memory: the valid rows, and the rejected with their reasons."""
    raise NotImplementedError
