from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.consent.ledger_world import World, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.ledger import Ledger


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    with world.open() as opened:
        yield opened
