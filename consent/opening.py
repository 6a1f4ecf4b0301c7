"""From a home's files to an open log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import number_floor, store_lost
from consent.errors import ConfigurationError
from consent.home import read_settings
from consent.key_ring import RingKeys
from consent.keys import Vault, read_key_file
from consent.log import Log
from consent.return_rule import ReturnRule
from consent.signing import signer_of
from consent.store import Store
from consent.store_database import database_of
from consent.tlog.external import FileCheckpointStore, RelyingStore
from consent.trust import TrustRoot
from consent.witnessing import Witnesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from consent.home import Home
    from consent.tlog.external import CheckpointStore


def open_log(
    home: Home,
    *,
    clock: Callable[[], datetime],
    read_only: bool,
    clock_confirmed: bool,
    external: CheckpointStore | None,
) -> Log:
    """Open the log of a home; see `Ledger.open` for arguments and errors."""
    settings = read_settings(home)
    trust = TrustRoot.load(home.trust_root, settings.trust_root)
    if trust.origin != settings.origin:
        raise ConfigurationError(
            "luvalla.toml and the trust root name different logs", "restore both files from one backup"
        )
    store = Store(database_of(home, settings.database), read_only=read_only)
    try:
        store.check_version()
        if not store.read_only:
            _keep_number_floor(home, store)
        pseudonym_key = read_key_file(home.pseudonym_key)
        keks = RingKeys(home, settings.backup_days)
        return Log(
            origin=settings.origin,
            store=store,
            vault=Vault(keks, settings.origin),
            keks=keks,
            pseudonym_key=pseudonym_key,
            clock=clock,
            external=RelyingStore(external or FileCheckpointStore(home.checkpoint)),
            trust=trust,
            returns=ReturnRule(home.erasure_journal, pseudonym_key),
            signer=signer_of(settings.signer, home.log_key, settings.origin),
            clock_confirmed=clock_confirmed,
            witnesses=Witnesses(settings.witnesses),
        )
    except BaseException:
        store.close()
        raise


def _keep_number_floor(home: Home, store: Store) -> None:
    """Where numbers begin stands outside the database too; nothing is locked where it does already."""
    with store.read() as connection:
        known = store_lost.number_floor(connection)
    if known and known > number_floor.read(home.number_floor):
        # A refill writes the file under this lock: what was read before it may be the older number by now.
        with store.write() as connection:
            number_floor.keep(home.number_floor, store_lost.number_floor(connection))
