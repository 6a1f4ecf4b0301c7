"""A file that somebody asks for: new, and in a folder that is there, told before anything is done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import ConsentInputError
from consent.house_files import check_place

if TYPE_CHECKING:
    from pathlib import Path


def check_new(*paths: Path | None) -> None:
    """Refuse what may not be written, before anything is recorded.

    That is a file that is there already, one in a folder that is not there, one named twice, and one that an erasure would not find.

    Args:
        paths: Where something is to be written; ``None`` is not.

    Raises:
        ConsentInputError: One of the four.
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
        check_place(path)
