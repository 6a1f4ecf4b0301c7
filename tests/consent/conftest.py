"""A signer apart, and the command line at a world's home, for whoever asks for them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cli
from tests.consent.ledger_world import ORIGIN, World
from tests.consent.signer_house import SignerHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def house() -> Iterator[SignerHouse]:
    folder = Path(tempfile.mkdtemp(prefix="signer-"))
    made = SignerHouse(folder, ORIGIN)
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture
def luvalla(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call it; returns standard output, or standard error where it must fail."""

    def call(*args: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(world.home.path), *args])
        said = capsys.readouterr()
        assert int(ended.value.code or 0) == code, said.err
        return said.out if code == 0 else said.err

    return call
