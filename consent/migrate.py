"""Bring an older ledger to this luvalla's schema: in one transaction, without changing a byte that was hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import column, select, table

from consent import row_mac
from consent.errors import LedgerDamagedError, LedgerVersionError
from consent.home import read_settings
from consent.key_ring import RingKeys
from consent.keys import Vault, read_key_file
from consent.migrate_sealing import seal
from consent.migrations.upgrade import upgrade
from consent.store import SCHEMA_VERSION
from consent.store_database import database_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.home import Home


ROW_MACS = "0004"
"""The revision whose check values need a key, which a revision of Alembic does not have."""
SEALED = "0006"
"""The revision that encrypts pseudonyms, which needs keys too."""


class Migrated(NamedTuple):
    """Schema versions before and after; equal when there was nothing to do."""

    before: str
    after: str


def migrate(home: Home, *, dry_run: bool = False) -> Migrated:
    """Apply every revision that the home's ledger lacks; all of them or none.

    Args:
        home: The home.
        dry_run: Only say what would be done.

    Raises:
        LedgerVersionError: A newer luvalla wrote the ledger (exit 4).
        LedgerDamagedError: The database holds no ledger (3).
        LedgerUnavailableError: Locked, read-only, full, or not to be reached (4).
        KeyFileError: The pseudonym key, or a key-encryption key, cannot be read (2).
    """
    settings = read_settings(home)
    database = database_of(home, settings.database)
    database.check()
    engine = database.writing_engine()
    try:
        with engine.begin() as connection:
            before = _version(connection, database.name)
            if before > SCHEMA_VERSION:
                raise LedgerVersionError(
                    f"the ledger has schema version {before}, this luvalla writes {SCHEMA_VERSION}",
                    "install the newer luvalla that wrote it",
                )
            if before != SCHEMA_VERSION and not dry_run:
                mac_key = read_key_file(home.pseudonym_key)
                upgrade(connection)
                if before < SEALED:
                    # Under the writers' lock: a rotation lists its new key under the same.
                    vault = Vault(RingKeys(home, settings.backup_days), settings.origin)
                    seal(connection, vault, mac_key, checked=before >= ROW_MACS)
                if before < ROW_MACS:
                    _fill_row_macs(connection, mac_key)
    except database.errors as error:
        if database.lacks_table(error):
            raise _no_ledger(database.name) from error
        raise database.explained(error) from error
    finally:
        engine.dispose()
    return Migrated(before, SCHEMA_VERSION)


def free(home: Home) -> bool:
    """Remove from the database's files what a migration replaced; False when another reader is in the way.

    Raises:
        LedgerUnavailableError: Locked, read-only, full, or not to be reached (exit 4).
    """
    database = database_of(home, read_settings(home).database)
    engine = database.writing_engine()
    try:
        return database.reclaim(engine)
    except database.errors as error:
        raise database.explained(error) from error
    finally:
        engine.dispose()


def _fill_row_macs(connection: Connection, key: bytes) -> None:
    for name in row_mac.COVERED:
        row_mac.renew(connection, key, name)


def _version(connection: Connection, name: str) -> str:
    versions = table("alembic_version", column("version_num"))
    found = [str(row[0]) for row in connection.execute(select(versions.c.version_num))]
    if len(found) != 1:
        raise _no_ledger(name)
    return found[0]


def _no_ledger(name: str) -> LedgerDamagedError:
    return LedgerDamagedError(
        f"{name} is a database without a ledger in it", "restore the ledger from its backup"
    )
