"""A file that a command writes results to: never among the files of a home, told before anything is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consent.errors import ConsentInputError
from consent.house_files import home_around

if TYPE_CHECKING:
    import os


class OutsideHome(click.Path):
    """A path of a file outside every home: results of people do not lie among a ledger's own files, and replace none."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Read the path, and look where it leads.

        Raises:
            ConsentInputError: See `check_outside` (exit 2).
        """
        path: Any = super().convert(value, param, ctx)
        check_outside(path)
        return path


def check_outside(path: Path) -> None:
    """Refuse a file inside a home, by its own name or by where links lead.

    Raises:
        ConsentInputError: It is one (exit 2).
    """
    home = home_around(path)
    if home is not None:
        raise ConsentInputError(
            f"{path} lies in the home {home.path}: results do not lie among the ledger's own files",
            "name a file outside the home; nothing was done",
        )
