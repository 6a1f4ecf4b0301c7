"""Bytes of a population file to a raw table. Strict about form, silent about content: no message holds a cell's value."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from models.errors import PopulationRefusedError, PopulationUnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUFFIXES = (".csv", ".parquet")


def read(path: Path) -> bytes:
    """The file's bytes, read once: what is digested is what is parsed.

    Raises:
        PopulationUnreadableError: No such file, a folder, or no permission.
        PopulationRefusedError: The file is empty.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PopulationUnreadableError(f"There is no file '{path}'.", "Check the path.") from error
    except OSError as error:
        raise PopulationUnreadableError(
            f"'{path}' cannot be read: {error.strerror}.", "Check that it is a file you may read."
        ) from error
    if not content:
        raise PopulationRefusedError(f"'{path}' is empty (0 bytes).", "Check the export.")
    return content


def parse(content: bytes, suffix: str, *, text: Sequence[str]) -> pd.DataFrame:
    """Parse by the file's ending.

    Args:
        content: The file's bytes.
        suffix: ``.csv`` or ``.parquet``, any case.
        text: Columns that are text whatever their cells look like (a code such as 0123 keeps its zero).

    Raises:
        PopulationRefusedError: Another ending, or bytes that are not what the ending says.
    """
    kind = suffix.lower()
    if kind == ".csv":
        return _csv(content, text)
    if kind == ".parquet":
        return _parquet(content)
    raise PopulationRefusedError(
        f"A file ending in '{suffix}' was given, {' or '.join(SUFFIXES)} was expected.",
        "Export as CSV or Parquet.",
    )


def _csv(content: bytes, text: Sequence[str]) -> pd.DataFrame:
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PopulationRefusedError(
            f"Line {line} of the CSV is not UTF-8.", "Save the file as UTF-8."
        ) from error
    if "\x00" in decoded:
        raise PopulationRefusedError(
            "The CSV holds a zero byte: it is no text file.", "Export it again as CSV."
        )
    header = next(csv.reader(io.StringIO(decoded)), [])
    if len(header) == 1 and ";" in header[0]:
        raise PopulationRefusedError(
            "The CSV's columns are separated by semicolons, commas were expected.",
            "Export with commas and a decimal point, or as Parquet.",
        )
    if any(not name.strip() for name in header):
        raise PopulationRefusedError(
            "A column of the CSV has no name.", "Give each column a name in the first line."
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise PopulationRefusedError(
            f"Column named twice: {', '.join(repeated)}.", "Give each column its own name."
        )
    try:
        return pd.read_csv(
            io.StringIO(decoded),
            dtype=dict.fromkeys([name for name in text if name in header], "str"),
            keep_default_na=False,  # only an empty cell is unknown; the word "NA" is a wrong number
            na_values=[""],
            index_col=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError as error:
        raise PopulationRefusedError("The CSV has no header line.", "Check the export.") from error
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        where = (
            f"line {found[2]} has {found[3]} cells, {found[1]} were expected"
            if found
            else "a quote is opened and never closed"
        )
        raise PopulationRefusedError(
            f"The CSV cannot be parsed: {where}.", "Mend the line or export again."
        ) from None


def _parquet(content: bytes) -> pd.DataFrame:
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise PopulationRefusedError(
            "The file is not readable as Parquet.", "Write it again as Parquet."
        ) from error
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise PopulationRefusedError(
            f"Column named twice: {', '.join(repeated)}.", "Give each column its own name."
        )
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise PopulationRefusedError(
            f"Column {nested[0]} holds lists or structures, one value a cell was expected.", "Flatten it."
        )
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame
