"""A new home: keys, trust root, purposes, and a ledger with its first entries and checkpoint; all of it or nothing."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from consent.canonical import encode
from consent.errors import BadRequestError, HomeExistsError, LedgerUnavailableError
from consent.home import ConsentSettings, Home
from consent.key_ring import KeyRing, RingKeys, new_kek, save
from consent.keys import Vault, new_key_file
from consent.log import Log
from consent.migrations.upgrade import upgrade
from consent.purposes import parse
from consent.purposing import append_purposes
from consent.return_rule import ReturnRule
from consent.signing import HomeKey
from consent.store import Store, metadata
from consent.store_database import database_of
from consent.tlog.durable import sync
from consent.tlog.external import FileCheckpointStore, RelyingStore
from consent.tlog.note import generate_key, is_key_name, save_key
from consent.trust import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from consent.records import Purpose
    from consent.store_database import Database
    from consent.succession import Succession

_PRIVATE = 0o700


def create(
    path: Path,
    *,
    origin: str,
    purposes: str,
    clock: Callable[[], datetime],
    database: str | None = None,
    succeeds: Succession | None = None,
) -> Home:
    """Make a home at `path`: built beside it, then renamed, so that it is there whole or not at all.

    Args:
        path: Where; must not exist, or be an empty folder.
        origin: The log's name for ever, e.g. `city.example/consent` (no white space, no plus).
        purposes: Text of the purposes file (TOML).
        clock: What time it is.
        database: `postgresql://...` of an empty database, its password by reference (docs/ledger/databases.md);
            None: an SQLite file in the home.
        succeeds: The log that this one takes the place of, which cannot go on: its first entry says so.

    Returns:
        The home.

    Raises:
        HomeExistsError: There is something at `path`, or a ledger in the database (exit 2).
        ConfigurationError: The database's URL is none, or holds a password (2).
        BadRequestError: The origin cannot be a log's name (2).
        PurposesError: The purposes do not say what they must (2).
        LedgerUnavailableError: The folder cannot be made, or the database not be reached (4).
    """
    path = path.absolute()
    parsed = parse(purposes)
    if not is_key_name(origin):
        raise BadRequestError(
            "the origin must be 1 to 200 printable characters without white space or plus",
            "use e.g. city.example/consent",
        )
    if succeeds is not None and succeeds.trust.origin == origin:
        raise BadRequestError(
            f"the log to succeed is named {origin} too",
            "give the new log another origin: under the old name two histories would contradict",
        )
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise HomeExistsError(
            f"there is something at {path} already",
            "choose another folder; an existing home is never overwritten",
        )
    beside = path.with_name(f".{path.name}.new-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.mkdir(mode=_PRIVATE)
        ledger = database_of(Home(beside), database)
        _make_schema(ledger)
        try:
            _fill(Home(beside), origin, purposes, parsed, clock, ledger, database, succeeds)
            _sync_all(beside)
            beside.rename(path)
        except BaseException:
            ledger.discard_new()
            raise
        sync(path.parent)
    except OSError as error:
        raise LedgerUnavailableError(
            f"the home {path} cannot be made: {error.strerror}", "check the folder's permissions and space"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Home(path)


def _fill(
    home: Home,
    origin: str,
    text: str,
    purposes: tuple[Purpose, ...],
    clock: Callable[[], datetime],
    database: Database,
    url: str | None,
    succeeds: Succession | None,
) -> None:
    for folder in (home.keys, home.receipts, home.outbox):
        folder.mkdir(mode=_PRIVATE)
    pseudonym_key = new_key_file(home.pseudonym_key)
    first = new_kek(
        new_key_file(home.key_encryption_key),
        home.key_encryption_key.name,
        clock().astimezone(UTC).replace(microsecond=0),
        ConsentSettings.backup_days,
    )
    save(home, KeyRing((first,)))
    keks = RingKeys(home, ConsentSettings.backup_days)
    log_key, root_key = generate_key(origin), generate_key(f"{origin}/root")
    save_key(log_key, home.log_key)
    save_key(root_key, home.root_key)
    trust = TrustRoot.create(
        log_key=log_key.verifier,
        root_keys=[root_key],
        threshold=1,
        succeeds=None if succeeds is None else succeeds.reference(),
    )
    trust.save(home.trust_root)
    home.purposes.write_text(text, encoding="utf-8")
    # JSON's escapes are TOML's.
    database_line = "" if url is None else f"database = {encode(url).decode()}\n"
    home.config.write_text(
        f'[consent]\norigin = {encode(origin).decode()}\ntrust_root = "{trust.pin}"\n{database_line}',
        encoding="utf-8",
    )
    store = Store(database)
    try:
        log = Log(
            origin=origin,
            store=store,
            vault=Vault(keks, origin),
            keks=keks,
            pseudonym_key=pseudonym_key,
            clock=clock,
            external=RelyingStore(FileCheckpointStore(home.checkpoint)),
            trust=trust,
            returns=ReturnRule(home.erasure_journal, pseudonym_key),
            signer=HomeKey(home.log_key, origin),
        )
        with log.writing() as writing:
            if succeeds is not None:
                writing.institutional("succession", succeeds.body())
            writing.institutional("trust-root", {"digest": trust.pin, "version": 1})
            append_purposes(writing, purposes, known={})
        log.checkpoint(first=True)
    finally:
        store.close()


def _make_schema(database: Database) -> None:
    database.prepare_new()
    engine = database.writing_engine()
    try:
        with engine.begin() as connection:
            # Under the writer's lock: of two set-ups at once the second finds the first's tables.
            there = set(inspect(connection).get_table_names()) & {"alembic_version", *metadata.tables}
            if there:
                raise HomeExistsError(
                    f"{database.name} holds a ledger already, or {len(there)} tables of a ledger's names",
                    "use an empty database; a ledger is never overwritten",
                )
            upgrade(connection)
        database.reclaim(engine)
    except database.errors as error:
        raise database.explained(error) from error
    finally:
        engine.dispose()


def _sync_all(folder: Path) -> None:
    """Sync every file and folder in a folder, and itself: keys and pin are in no backup yet."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
