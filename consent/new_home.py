"""What is asked for when a home is made, and what another room adds to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.home import Home
    from consent.succession import Succession
    from consent.writing import Writing


def _no_entries(_: Writing) -> None:
    """Append nothing."""


def _no_files(_: Home, __: Path) -> None:
    """Make nothing."""


def _no_difference(_: Home) -> str | None:
    """Nothing was added, so nothing can differ."""
    return None


@dataclass(frozen=True)
class Furnishing:
    """What the caller of `setup.create` adds; nothing by default.

    Attributes:
        entries: Appends to the new log, in the transaction of its first entries, after them.
        files: Makes files in the home, which lies beside its final place (the second argument) until it is whole.
        difference: In which of the caller's own arguments a founding that was begun earlier differs, such as
            `--policy`; None: in none.
        keep: Names that may be in the home's folder before; they stay there.
    """

    entries: Callable[[Writing], None] = _no_entries
    files: Callable[[Home, Path], None] = _no_files
    difference: Callable[[Home], str | None] = _no_difference
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NewHome:
    """A home as it is asked for; see `setup.create`.

    Attributes:
        origin: The log's name.
        purposes: Text of the purposes file.
        database: URL of its PostgreSQL database; None: an SQLite file in the home.
        succeeds: The log that its log takes the place of.
        signer: `unix:/path` of the process that has the log's key; None: a key in the home.
        furnishing: What the caller adds.
    """

    origin: str
    purposes: str
    database: str | None = None
    succeeds: Succession | None = None
    signer: str | None = None
    furnishing: Furnishing = field(default_factory=Furnishing)
