"""Reading a TOML table strictly: every key is asked for by name and type, and what was not asked for is an error."""

from __future__ import annotations

import difflib
from datetime import date, datetime
from typing import Any

from governance.errors import PolicyError


class Table:
    """One table of a file, read key by key and then closed.

    Args:
        content: What the parser gave for the table.
        path: Its name in the file, for messages.

    Raises:
        PolicyError: Not a table.
    """

    def __init__(self, content: object, path: str = "") -> None:
        if not isinstance(content, dict):
            raise PolicyError(
                f"Expected a table at [{path}], got {type(content).__name__}.", "See the shipped policy."
            )
        self._content: dict[str, Any] = content
        self._asked: dict[str, None] = {}
        self.path = path

    def names(self) -> tuple[str, ...]:
        """The keys there are, in the file's order, for tables whose keys are names; each counts as asked for."""
        self._asked.update(dict.fromkeys(self._content))
        return tuple(self._content)

    def at(self, key: str) -> str:
        """Where a key stands, for messages."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether an optional key is there."""
        self._asked[key] = None
        return key in self._content

    def text(self, key: str) -> str:
        """A text that says something."""
        value = self._value(key, str, "a text")
        if not value.strip():
            raise PolicyError(
                f"{self.at(key)} is empty.",
                "Say it in a sentence: a reader in five years has only this file.",
            )
        return str(value)

    def one_of(self, key: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text(key)
        if value not in choices:
            raise PolicyError(
                f"{self.at(key)} is {value!r}, expected {' or '.join(map(repr, choices))}.",
                nearest(value, choices),
            )
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number between two limits, both allowed."""
        value = self._value(key, (int, float), "a number")
        if not low <= value <= high:  # refuses nan as well
            raise PolicyError(f"{self.at(key)} is {value}, expected {low} to {high}.", "Correct the number.")
        return float(value)

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number between two limits, both allowed."""
        value = self._value(key, int, "a whole number")
        if not low <= value <= high:
            raise PolicyError(f"{self.at(key)} is {value}, expected {low} to {high}.", "Correct the number.")
        return int(value)

    def truth(self, key: str) -> bool:
        """True or false."""
        return bool(self._value(key, bool, "true or false"))

    def day(self, key: str) -> date:
        """A date."""
        value = self._value(key, date, "a date")
        if isinstance(value, datetime):
            raise PolicyError(
                f"{self.at(key)} has a time of day, expected a date.", "Write it as 2026-11-24."
            )
        return value  # type: ignore[no-any-return]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of different texts, at least one."""
        value = self._value(key, list, "a list of texts")
        if not value or not all(isinstance(item, str) and item.strip() for item in value):
            raise PolicyError(
                f"{self.at(key)} is not a list of texts, or an empty one.", "Name at least one."
            )
        if len(set(value)) != len(value):
            raise PolicyError(f"{self.at(key)} names something twice.", "Name each once.")
        return tuple(value)

    def table(self, key: str) -> Table:
        """A table inside."""
        return Table(self._value(key, dict, "a table"), self.at(key))

    def tables(self, key: str) -> tuple[Table, ...]:
        """A list of tables inside, at least one."""
        value = self._value(key, list, "a list of tables")
        if not value:
            raise PolicyError(f"{self.at(key)} is empty.", "Give at least one.")
        return tuple(Table(item, f"{self.at(key)}[{place}]") for place, item in enumerate(value, 1))

    def close(self) -> None:
        """Refuse whatever was not asked for.

        Raises:
            PolicyError: An unknown key; the hint names the nearest known one.
        """
        for key in self._content:
            if key not in self._asked:
                raise PolicyError(f"Unknown key {self.at(key)}.", nearest(key, tuple(self._asked)))

    def _value(self, key: str, kind: type | tuple[type, ...], what: str) -> Any:
        self._asked[key] = None
        if key not in self._content:
            misspelt = difflib.get_close_matches(key, self._content, n=1)
            raise PolicyError(
                f"{self.at(key)} is missing, expected {what}.",
                f"There is a key {misspelt[0]!r}: is it this one?" if misspelt else "Add it.",
            )
        value = self._content[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise PolicyError(
                f"{self.at(key)} is {type(value).__name__}, expected {what}.", "Correct the value."
            )
        return value


def nearest(word: str, known: tuple[str, ...]) -> str:
    """A hint that names the nearest known word, or all of them."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Expected one of: {', '.join(known)}."
