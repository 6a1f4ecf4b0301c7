"""Take consent/ and cli.py from the tree above, or, in an unpacked source distribution, from beside this file."""

# ruff: noqa: INP001 - hatchling loads this file by its path
from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("consent", "cli.py")


class CitizenBuildHook(BuildHookInterface):
    """Adds the citizen's part of the tree to wheel and source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to include; an editable install would hide the other rooms of a tree that has them."""
        if version == "editable":
            message = "luvalla-citizen has no editable install: the tree's own is `pip install -e .`"
            raise RuntimeError(message)
        here = Path(self.root)
        source = here if (here / "consent").is_dir() else here.parent.parent
        build_data["force_include"].update({str(source / part): part for part in PARTS})
