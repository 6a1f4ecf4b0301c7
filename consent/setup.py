"""A new home: keys, trust root, purposes, and a ledger with its first entries and checkpoint; all of it or nothing."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from consent import signer_founding
from consent.canonical import encode
from consent.errors import (
    BadRequestError,
    ConsentError,
    FoundingUnfinishedError,
    HomeExistsError,
    LedgerUnavailableError,
)
from consent.home import ConsentSettings, Home
from consent.home_place import is_free, keep_name, make_folder, put_in_place, sync_all
from consent.key_ring import KeyRing, RingKeys, new_kek, save
from consent.keys import Vault, new_key_file
from consent.log import Log
from consent.migrations.upgrade import upgrade
from consent.new_home import Furnishing, NewHome
from consent.purposes import parse
from consent.purposing import append_purposes
from consent.return_rule import ReturnRule
from consent.signing import signer_of
from consent.store import Store, metadata
from consent.store_database import database_of
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
    from consent.tlog.note import VerifierKey

_PRIVATE = 0o700


def create(
    path: Path,
    *,
    origin: str,
    purposes: str,
    clock: Callable[[], datetime],
    database: str | None = None,
    succeeds: Succession | None = None,
    signer: str | None = None,
    furnishing: Furnishing | None = None,
) -> Home:
    """Make a home at `path`: built beside it, then renamed, so that it is there whole or not at all.

    With a signer, a failure after its first signature leaves the home at `NAME.founding`, and the same call goes on with
    that (consent/signer_founding.py).

    Args:
        path: Where; must not exist, or be an empty folder.
        origin: The log's name for ever, e.g. `city.example/consent` (no white space, no plus).
        purposes: Text of the purposes file (TOML).
        clock: What time it is.
        database: `postgresql://...` of an empty database, its password by reference (docs/ledger/databases.md);
            None: an SQLite file in the home.
        succeeds: The log that this one takes the place of, which cannot go on: its first entry says so.
        signer: `unix:/path` of a signer process that has signed nothing yet: its key is the log's, and none is made in
            the home; None: a key in the home.
        furnishing: What the caller adds to the home.

    Returns:
        The home.

    Raises:
        HomeExistsError: There is something at `path`, a ledger in the database, or a founding at `NAME.founding` that
            was begun with other arguments (exit 2).
        ConfigurationError: The database's URL is none, or holds a password; or the signer's address is none (2).
        BadRequestError: The origin cannot be a log's name (2).
        PurposesError: The purposes do not say what they must (2).
        RefusedToSignError: The signer has signed something else already, or is for another log (3).
        SignerUnavailableError: The signer does not answer; nothing was made (4).
        FoundingUnfinishedError: The home is ready but for its first checkpoint or its name; the same call goes on (4).
        LedgerUnavailableError: The folder cannot be made, or the database not be reached (4).
    """
    path = path.absolute()
    wanted = NewHome(origin, purposes, database, succeeds, signer, furnishing or Furnishing())
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
    if not is_free(path, wanted.furnishing.keep):
        raise HomeExistsError(
            f"there is something at {path} already",
            "choose another folder (on a disk of its own, one inside it); an existing home is never overwritten",
        )
    founding = signer_founding.founding_place(path)
    if signer is None and not founding.exists():
        _build(path, path, wanted, parsed, clock, None)
        keep_name(path)
        return Home(path)
    try:
        if founding.exists():
            signer_founding.check_same(Home(founding), wanted)
        else:
            key = signer_founding.unused_key(str(signer), origin)
            _build(path, founding, wanted, parsed, clock, key)
        signer_founding.finish(Home(founding), path, wanted, clock)
    except (FoundingUnfinishedError, LedgerUnavailableError):
        raise
    except ConsentError as error:
        if founding.exists() or is_free(path, wanted.furnishing.keep):
            raise
        raise HomeExistsError(
            f"another call of `luvalla init` has just made the home at {path}",
            "use that one, or choose another folder",
        ) from error
    return Home(path)


def _build(
    path: Path,
    place: Path,
    wanted: NewHome,
    purposes: tuple[Purpose, ...],
    clock: Callable[[], datetime],
    signer_key: VerifierKey | None,
) -> None:
    """Make the home for `path` beside, and put it at `place`; or leave nothing."""
    beside = path.with_name(f".{path.name}.new-{secrets.token_hex(4)}")
    try:
        make_folder(path.parent)
        beside.mkdir(mode=_PRIVATE)
        ledger = database_of(Home(beside), wanted.database)
        _make_schema(ledger)
        try:
            _fill(Home(beside), wanted, purposes, clock, ledger, signer_key)
            wanted.furnishing.files(Home(beside), path)
            sync_all(beside)
            put_in_place(beside, place, wanted.furnishing.keep if place == path else ())
        except BaseException:
            # Not once it has its place: from there on the tables are a home's.
            if beside.exists():
                # A server that is away keeps its tables, and the next call says so.
                with contextlib.suppress(*ledger.errors):
                    ledger.discard_new()
            raise
    except OSError as error:
        raise LedgerUnavailableError(
            f"the home {path} cannot be made: {error.strerror}", "check the folder's permissions and space"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(
    home: Home,
    wanted: NewHome,
    purposes: tuple[Purpose, ...],
    clock: Callable[[], datetime],
    database: Database,
    signer_key: VerifierKey | None,
) -> None:
    origin, succeeds = wanted.origin, wanted.succeeds
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
    root_key = generate_key(f"{origin}/root")
    if signer_key is None:
        log_key = generate_key(origin)
        save_key(log_key, home.log_key)
        signer_key = log_key.verifier
    save_key(root_key, home.root_key)
    trust = TrustRoot.create(
        log_key=signer_key,
        root_keys=[root_key],
        threshold=1,
        succeeds=None if succeeds is None else succeeds.reference(),
    )
    trust.save(home.trust_root)
    home.purposes.write_text(wanted.purposes, encoding="utf-8")
    settings = {
        "origin": origin,
        "trust_root": trust.pin,
        "database": wanted.database,
        "signer": wanted.signer,
    }
    # JSON's escapes are TOML's.
    lines = [f"{key} = {encode(value).decode()}\n" for key, value in settings.items() if value is not None]
    home.config.write_text("[consent]\n" + "".join(lines), encoding="utf-8")
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
            signer=signer_of(wanted.signer, home.log_key, origin),
        )
        with log.writing() as writing:
            if succeeds is not None:
                writing.institutional("succession", succeeds.body())
            writing.institutional("trust-root", {"digest": trust.pin, "version": 1})
            append_purposes(writing, purposes, known={})
            wanted.furnishing.entries(writing)
        if wanted.signer is None:
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
