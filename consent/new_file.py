"""A file that somebody asks for: new, and in a folder that is there, told before anything is done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import ConsentInputError

if TYPE_CHECKING:
    from pathlib import Path


def check_new(path: Path) -> None:
    """Refuse a file that is there already, or whose folder is not, before anything is recorded.

    Raises:
        ConsentInputError: One of the two.
    """
    if path.exists():
        raise ConsentInputError(
            f"there is already a file {path}", "Name a new file: an export replaces nothing."
        )
    if not path.absolute().parent.is_dir():
        raise ConsentInputError(
            f"the folder {path.absolute().parent} does not exist", "Make it first, or choose another place."
        )
