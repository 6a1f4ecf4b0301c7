"""A ledger of the first schema becomes one of this, on both databases, and nothing that was hashed changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, select, table

from consent import migrate as migrating
from consent.errors import ConsentUnavailableError, LedgerVersionError
from consent.migrate import migrate
from consent.migrations import upgrade as upgrading
from consent.records import ConsentRequest
from consent.store import SCHEMA_VERSION
from consent.vocabulary import Right
from tests.consent.ledger_world import OFFER, G, use_request
from tests.consent.restored import writing

if TYPE_CHECKING:
    from sqlalchemy import Connection

PEOPLE = {f"invented-{each}": 1 for each in range(300)}
HASHED = {
    "entry": ("idx", "leaf", "body"),
    "payload": ("idx", "ciphertext"),
    "tile": ("level", "idx", "hashes", "root"),
    "use_chunk": ("run", "chunk", "statuses", "root"),
}


@pytest.fixture
def old(world):
    """A ledger with people, a run and full tiles, taken back to the first schema."""
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(person, OFFER, G) for person in PEOPLE])
        ledger.append_use(use_request(ledger, PEOPLE))
        receipt = ledger.consent_receipt("invented-7", OFFER)
    with writing(world) as connection:
        _back_to_first(connection)
    return world, receipt


def _back_to_first(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrading.__file__).rpartition("/")[0])
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.downgrade(config, "0001")


def _hashed(world) -> dict[str, list]:
    with writing(world) as connection:
        return {
            name: sorted(
                tuple(row)
                for row in connection.execute(
                    select(*(column(each) for each in columns)).select_from(table(name))
                )
            )
            for name, columns in HASHED.items()
        }


def test_an_older_ledger_is_refused_with_the_way_out_and_then_migrated(old):
    world, receipt = old
    with pytest.raises(LedgerVersionError) as refused:
        world.open()
    assert "luvalla ledger migrate" in refused.value.hint
    before = _hashed(world)
    assert all(before.values())
    assert migrate(world.home, dry_run=True) == ("0001", SCHEMA_VERSION)
    with pytest.raises(LedgerVersionError):
        world.open()
    assert migrate(world.home) == ("0001", SCHEMA_VERSION)
    assert _hashed(world) == before
    assert migrate(world.home) == (SCHEMA_VERSION, SCHEMA_VERSION)
    with world.open() as ledger:
        assert ledger.check() == []
        assert ledger.consent_receipt("invented-7", OFFER)["opening"] == receipt["opening"]
        world.verify(receipt)
        world.verify(ledger.consent_receipt("invented-8", OFFER))
        ledger.record_right("invented-7", Right.OBJECTION, ground="my own reasons")
        assert ledger.check() == []


def test_a_migration_that_fails_leaves_the_older_ledger(old, monkeypatch):
    world, _ = old
    before = _hashed(world)

    def half(connection: Connection) -> None:
        upgrading.upgrade(connection)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrating, "upgrade", half)
    with pytest.raises(OSError, match="No space"):
        migrate(world.home)
    monkeypatch.undo()
    assert _hashed(world) == before
    assert migrate(world.home, dry_run=True).before == "0001"
    migrate(world.home)
    with world.open() as ledger:
        assert ledger.check() == []


def test_a_newer_ledger_is_left_alone(world):
    with writing(world) as connection:
        connection.execute(
            table("alembic_version", column("version_num")).update().values(version_num="9999")
        )
    with pytest.raises(ConsentUnavailableError, match="9999"):
        migrate(world.home)
