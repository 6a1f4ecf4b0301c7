"""A ledger's database put back as it was: the restore of an older backup, on both databases."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, delete, insert, select

from consent.home import read_settings
from consent.published_log import FolderFiles
from consent.records import ConsentRequest
from consent.refill import refill
from consent.store import metadata
from consent.store_database import database_of
from tests.consent.ledger_world import OFFER, G

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.consent.ledger_world import World


class Backup:
    """The whole content of a world's database, and its checkpoint, at one moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.checkpoint = world.home.checkpoint.read_bytes()
        with writing(world) as connection:
            self.rows = {
                table.name: [dict(row._mapping) for row in connection.execute(select(table))]
                for table in metadata.sorted_tables
            }

    def restore(self, *, checkpoint: bool = False) -> None:
        """Put the database back; the checkpoint kept outside it only where asked."""
        with writing(self.world) as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
            for table in metadata.sorted_tables:
                if self.rows[table.name]:
                    connection.execute(insert(table), self.rows[table.name])
        if checkpoint:
            self.world.home.checkpoint.write_bytes(self.checkpoint)


def rows(world: World, name: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    with writing(world) as connection:
        return [dict(row._mapping) for row in connection.execute(select(metadata.tables[name]))]


def content(world: World) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table: what must not change where nothing may be written."""
    return {table.name: sorted(rows(world, table.name), key=repr) for table in metadata.sorted_tables}


def lose_and_refill(world: World) -> None:
    """An older database is put back and filled again: an enrolment, a consent and an erasure are lost."""
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(f"q{i}", OFFER, G) for i in range(3)])
    backup = Backup(world)
    public = world.home.path.parent / "public"
    with world.open() as ledger:
        ledger.record_consent("q3", OFFER, G)
        ledger.erase("q0", ground="eu-gdpr:A17-1-b")
        ledger.publish(public)
    backup.restore()
    with world.open() as ledger:
        refill(ledger.log, world.home, FolderFiles(public))
        ledger.checkpoint()


@contextmanager
def writing(world: World) -> Iterator[Connection]:
    """The database itself, open to be written by somebody who knows it."""
    url = read_settings(world.home).database
    engine = (
        create_engine(f"sqlite:///{world.home.database}")
        if url is None
        else database_of(world.home, url).writing_engine()
    )
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        # Else its connection is left to the garbage collector, which complains in whatever test comes next.
        engine.dispose()
