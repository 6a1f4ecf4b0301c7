"""A file that somebody asks for: new, and in a folder that is there, told before anything is done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import ConsentInputError

if TYPE_CHECKING:
    from pathlib import Path


def check_new(*paths: Path | None) -> None:
    """Refuse files that are there already, whose folder is not, or that are one file named twice, before anything is recorded.

    Args:
        paths: Where something is to be written; ``None`` is not.

    Raises:
        ConsentInputError: One of the three.
    """
    named: set[Path] = set()
    for path in (each for each in paths if each is not None):
        if path.exists():
            raise ConsentInputError(
                f"there is already a file {path}", "Name a new file: an export replaces nothing."
            )
        if not path.absolute().parent.is_dir():
            raise ConsentInputError(
                f"the folder {path.absolute().parent} does not exist",
                "Make it first, or choose another place.",
            )
        if path.resolve() in named:
            raise ConsentInputError(f"the copy and its page would be the same file {path}", "Name two files.")
        named.add(path.resolve())
