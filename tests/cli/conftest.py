"""The city of these tests, put back after each, and the command line in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import cli
from tests.cli.telling import Said
from tests.governance.city import Kept

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def city(played_city, tmp_path):
    kept = Kept(played_city.home, tmp_path / "kept-home")
    yield played_city
    kept.put_back()


@pytest.fixture
def luvalla(capfd, monkeypatch, tmp_path):
    """Runs the command line in this process, from an empty current folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    looking = os.open(here, os.O_RDONLY)

    def call(home: Path, *args: object) -> Said:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(home), *map(str, args)])
        out, err = capfd.readouterr()
        assert os.listdir(looking) == [], "something landed in the current folder"  # noqa: PTH208 - also where we may not enter
        return Said(int(ended.value.code or 0), out, err)

    yield call
    os.close(looking)
