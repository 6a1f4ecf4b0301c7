"""The tree's version, so that the two wheels never differ: read from its pyproject.toml, or as the source distribution says."""

# ruff: noqa: INP001 - hatchling loads this file by its path
from __future__ import annotations

import tomllib
from pathlib import Path


def _read() -> str:
    here = Path(__file__).parent
    tree = here.parent.parent / "pyproject.toml"
    if tree.is_file():
        project = tomllib.loads(tree.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == "luvalla":
            return str(project["version"])
    for line in (here / "PKG-INFO").read_text(encoding="utf-8").splitlines():
        if line.startswith("Version: "):
            return line.removeprefix("Version: ")
    message = "neither the tree's pyproject.toml nor PKG-INFO names a version"
    raise RuntimeError(message)


__version__ = _read()
