"""A file of lines: the ones that decide an audit where no service's policy does. Read strictly, and before any count."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from audits.errors import AuditsInputError
from audits.finding import Direction, Role
from audits.lines import FOUR_FIFTHS, MOST_DECIDING, Line

if TYPE_CHECKING:
    from pathlib import Path

_HINT = 'write [[line]] with metric, attribute, direction (">=", "<=" or "within"), limit, role, source, why; group if it is about one'
_KEYS = {
    "metric", "attribute", "group", "direction", "limit", "role", "source", "why", "ratio_limit", "unless_need_is_lower",
}  # fmt: skip
_Word = TypeVar("_Word", bound=StrEnum)


def read(path: Path) -> tuple[Line, ...]:
    """Reads lines from TOML.

    Args:
        path: ``[[line]]`` tables with the arguments of `audits.lines.Line`.

    Returns:
        At least one line.

    Raises:
        AuditsInputError: No such file, no TOML, an unknown or missing key, a value of the wrong kind, more than
            `audits.lines.MOST_DECIDING` that decide.
    """
    try:
        given = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise AuditsInputError(
            f"cannot read {path.name}: {error.strerror}", "give the path of a file of lines"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AuditsInputError(f"{path.name} is not TOML: {error}", _HINT) from error
    rows = given.pop("line", None)
    if given or not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        raise AuditsInputError(f"{path.name} is not a list of [[line]] tables and nothing else", _HINT)
    lines = tuple(_line(row, f"{path.name}, line {number}") for number, row in enumerate(rows, 1))
    deciding = sum(line.role is Role.DECIDES for line in lines)
    if deciding > MOST_DECIDING:
        raise AuditsInputError(
            f"{path.name} draws {deciding} deciding lines; expected at most {MOST_DECIDING}",
            "let some of them screen",
        )
    return lines


def _line(row: dict[str, Any], where: str) -> Line:
    if unknown := sorted(set(row) - _KEYS):
        raise AuditsInputError(
            f"{where}: unknown key {unknown[0]!r}; expected {', '.join(sorted(_KEYS))}", _HINT
        )
    group = row.get("group")
    return Line(
        metric=_text(row, "metric", where),
        attribute=_text(row, "attribute", where),
        group=None if group is None else _text(row, "group", where),
        direction=_one_of(row, "direction", Direction, where),
        limit=_number(row, "limit", where),
        role=_one_of(row, "role", Role, where),
        source=_text(row, "source", where),
        why=_text(row, "why", where),
        ratio_limit=_number(row, "ratio_limit", where) if "ratio_limit" in row else FOUR_FIFTHS,
        unless_need_is_lower=_flag(row, "unless_need_is_lower", where),
    )


def _text(row: dict[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AuditsInputError(f"{where}: {key} is missing or no text", _HINT)
    return value.strip()


def _number(row: dict[str, Any], key: str, where: str) -> float:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AuditsInputError(f"{where}: {key} is missing or no number", _HINT)
    return float(value)


def _flag(row: dict[str, Any], key: str, where: str) -> bool:
    value = row.get(key, False)
    if not isinstance(value, bool):
        raise AuditsInputError(f"{where}: {key} is neither true nor false", _HINT)
    return value


def _one_of(row: dict[str, Any], key: str, words: type[_Word], where: str) -> _Word:
    value = _text(row, key, where)
    try:
        return words(value)
    except ValueError:
        raise AuditsInputError(f"{where}: {key} is none of {', '.join(words)}", _HINT) from None
