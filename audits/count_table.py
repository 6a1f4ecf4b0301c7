"""A table of counts per group, read strictly: CSV, JSON, a data frame or a list of rows. Counts only: no row is a person."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from audits import completions
from audits.completions import COUNTS, Row
from audits.errors import AuditsInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "true_positives": "tp",
        "false_positives": "fp",
        "false_negatives": "fn",
        "true_negatives": "tn",
        "people": "n",
        "total": "n",
        **{name: name for name in COUNTS},
    }
)
"""Columns as they may be written, upper or lower case."""
OUTCOMES = ("tp", "fp", "fn", "tn", "in_need", "not_in_need")
"""A table with none of these knows who was selected, and not who was in need."""
DEFAULT_ATTRIBUTE = "group"
MOST_BYTES = 10_000_000
"""No table of counts is larger; a file of people may be."""
_HINT = "give a column group, and tp, fp, fn, tn (or n and selected); attribute where there is more than one"


@dataclass(frozen=True)
class CountTable:
    """Counts per group.

    Args:
        attributes: Sensitive feature -> group -> what each of `audits.completions.COUNTS` can be.
        outcomes: Whether the table knows who was in need, per attribute.
        given: Cells of counts given.
        ranges: Of these, the ones that were withheld, rounded or given as a range.
    """

    attributes: Mapping[str, Mapping[str, Row]]
    outcomes: Mapping[str, bool]
    given: int
    ranges: int


def read(path: Path, rounded_to: int | None = None) -> CountTable:
    """Reads a file: JSON if its name ends so, else CSV.

    Args:
        path: CSV with a header, or JSON: a list of objects, or ``{"rounded_to": 10, "groups": [...]}``.
        rounded_to: Plain numbers were rounded to a multiple of this. None: as the file says, else exact.

    Returns:
        The table.

    Raises:
        AuditsInputError: The file cannot be read or is no table of counts; the message names the row, and no value.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AuditsInputError(
            f"cannot read {path.name}: {error.strerror}", "give the path of a table of counts"
        ) from error
    if len(data) > MOST_BYTES:
        raise AuditsInputError(f"{path.name} has {len(data):,} bytes: no table of counts is so large", _HINT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AuditsInputError(f"{path.name} is not UTF-8", "save it as UTF-8") from error
    if path.suffix.lower() != ".json":
        return table(_csv(text, path.name), rounded_to=rounded_to or 1)
    try:
        given = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AuditsInputError(f"{path.name} is not JSON", "correct the file, or name it .csv") from error
    if isinstance(given, dict):
        if unknown := set(given) - {"rounded_to", "groups"}:
            raise AuditsInputError(f"{path.name} has {len(unknown)} keys beside rounded_to and groups", _HINT)
        rounded_to = given.get("rounded_to") if rounded_to is None else rounded_to
        given = given.get("groups")
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise AuditsInputError(f"{path.name} is not a list of objects, a group each", _HINT)
    return table(given, rounded_to=1 if rounded_to is None else rounded_to)


def table(given: Any, *, rounded_to: int = 1) -> CountTable:
    """Reads rows of counts.

    Args:
        given: A list of mappings, a data frame, or group -> mapping. Keys: ``group``, ``attribute`` (may be left out), and
            counts by the names of `NAMES`: whole numbers, or text as `audits.completions.span` reads it. What is left out or
            empty is not given.
        rounded_to: Plain numbers were rounded to a multiple of this.

    Returns:
        The table.

    Raises:
        AuditsInputError: Unknown columns, a group twice, a cell that is no count, counts that contradict each other.
    """
    if isinstance(rounded_to, bool) or not isinstance(rounded_to, int) or rounded_to < 1:
        raise AuditsInputError("rounded_to is not a whole number from 1", "10 if counts were rounded to tens")
    attributes: dict[str, dict[str, Row]] = {}
    outcomes: dict[str, bool] = {}
    spans: list[completions.Span] = []
    for number, row in enumerate(_rows(given), 1):
        try:
            attribute, group, counts = _row(row, rounded_to)
            tight = completions.tighten(counts)
        except AuditsInputError as error:
            raise AuditsInputError(
                f"row {number} of the table of counts: {error.message}", error.hint
            ) from None
        groups = attributes.setdefault(attribute, {})
        if group in groups:
            raise AuditsInputError(
                f"row {number} of the table of counts: its group was already there", "give each group one row"
            )
        groups[group] = tight
        outcomes[attribute] = outcomes.get(attribute, False) or any(name in counts for name in OUTCOMES)
        spans += counts.values()
    if not attributes:
        raise AuditsInputError("the table of counts has no rows", _HINT)
    return CountTable(
        {
            a: {g: r if outcomes[a] else completions.without_outcomes(r) for g, r in sorted(groups.items())}
            for a, groups in attributes.items()
        },
        outcomes,
        len(spans),
        sum(not s.exact for s in spans),
    )


def _csv(text: str, name: str) -> list[dict[str, Any]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise AuditsInputError(f"{name} is not CSV", "separate cells by commas") from error
    if not lines:
        raise AuditsInputError(f"{name} is empty", _HINT)
    header = [cell.strip() for cell in lines[0]]
    if len(set(header)) != len(header):
        raise AuditsInputError(f"{name} has a column twice", _HINT)
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(header):
            raise AuditsInputError(
                f"row {number} of {name} has {len(line)} cells; its header has {len(header)}", _HINT
            )
    return [dict(zip(header, line, strict=True)) for line in lines[1:]]


def _rows(given: Any) -> Sequence[Mapping[Any, Any]]:
    if hasattr(given, "to_dict") and hasattr(given, "columns"):
        return [{k: v for k, v in row.items() if v == v} for row in given.to_dict(orient="records")]  # noqa: PLR0124  NaN: not given
    if isinstance(given, Mapping):
        given = [{"group": group, **row} for group, row in given.items()]
    rows = list(given)
    if not all(isinstance(row, Mapping) for row in rows):
        raise AuditsInputError("the table of counts is not a list of rows, a mapping each", _HINT)
    return rows


def _row(row: Mapping[Any, Any], rounded_to: int) -> tuple[str, str, dict[str, completions.Span]]:
    attribute, group, counts = DEFAULT_ATTRIBUTE, "", {}
    for column, value in row.items():
        name = str(column).strip().lower()
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if name == "attribute":
            attribute = str(value).strip()
        elif name == "group":
            group = str(value).strip()
        elif name not in NAMES:
            raise AuditsInputError(
                f"no column of counts is called {name[:40]!r}; expected {', '.join(NAMES)}", _HINT
            )
        elif NAMES[name] in counts:
            raise AuditsInputError(f"{NAMES[name]} is given twice", _HINT)
        else:
            counts[NAMES[name]] = completions.span(_text(value), rounded_to)
    if not group:
        raise AuditsInputError("it names no group", _HINT)
    if not counts:
        raise AuditsInputError("it holds no counts", _HINT)
    return attribute, group, counts


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "no count"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
