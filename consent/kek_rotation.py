"""Replacing the key-encryption key, and destroying old ones on the day that receipts of erasures give.

The steps of a rotation; killed after any of them, the same call completes it:
  1. a new key's file is written and synced;
  2. under the writers' lock the list of keys names it as the one that wraps: from here on every writer wraps by it, and
     everybody opens by either;
  3. every wrapped key and secret is wrapped anew, and every pseudonym encrypted anew, `BATCH` rows a transaction, so that
     others write in between; each row of a pseudonym names its key, so that none is encrypted twice;
  4. the list says that nothing is wrapped by the old one any more;
  5. VACUUM: what the old one wrapped leaves the database's files.

The old key's file stays until its `destroy_by`, for backups. Then `destroy_expired` looks at every wrapped key once more,
under the writers' lock, and destroys the file; no copy of the database from before step 3 opens any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from consent import key_ring, sealed_people, store_keks
from consent.erasure_journal import read_lines
from consent.errors import LedgerUnavailableError
from consent.row_mac import row_mac
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.home import Home
    from consent.key_ring import Kek
    from consent.log import Log

BATCH = 20_000
"""Wrapped keys of one transaction: about a second in which nobody else writes."""


class Rotated(NamedTuple):
    """What a rotation did.

    Attributes:
        new: The key that wraps now, where it is new; None: an earlier rotation was completed.
        retired: The keys that are kept for backups, with their days.
        rewrapped: How many keys and secrets were wrapped anew, and pseudonyms encrypted anew.
    """

    new: Kek | None
    retired: tuple[Kek, ...]
    rewrapped: int


def rotate(log: Log, home: Home) -> Rotated:
    """Steps 1 to 4; where a rotation is unfinished, that one's.

    Raises:
        KeyFileError: A key's file or the list cannot be read or written.
        KeyMissingError: A wrapped key opens by no key there is; nothing is destroyed.
    """
    new = None if key_ring.load(home).unfinished else _begin(log, home)
    rewrapped = finish(log, home)
    return Rotated(new, key_ring.load(home).retired, rewrapped)


def finish(log: Log, home: Home) -> int:
    """Steps 3 and 4; how many were wrapped anew."""
    log.vault.refresh()
    rewrapped = _rewrap_keys(log) + _reseal_pseudonyms(log) + _rewrap_secrets(log)
    with log.store.write():
        ring = key_ring.load(home)
        for kek in ring.unfinished:
            ring = ring.changed(replace(kek, rewrapped=log.now()))
        if ring != key_ring.load(home):
            key_ring.save(home, ring)
    return rewrapped


def destroy_expired(log: Log, home: Home) -> tuple[Kek, ...]:
    """Destroy every key whose day has come; returns them.

    Raises:
        KeyMissingError: A wrapped key opens by no key there is: nothing is destroyed.
        LedgerUnavailableError: Something is still wrapped by an old key, because it was written meanwhile.
    """
    today = log.now().date()
    if not any(kek.destroy_by is not None and kek.destroy_by <= today for kek in key_ring.load(home).retired):
        return ()
    finish(log, home)
    with log.store.write() as connection:
        log.vault.refresh()
        _check_none_left(log, connection)
        ring = key_ring.load(home)
        expired = [kek for kek in ring.keks if kek.expired(today)]
        for kek in expired:
            key_ring.destroy_file(home.keys / kek.file)
            ring = ring.changed(replace(kek, destroyed=log.now()))
            key_ring.save(home, ring)
    log.vault.refresh()
    return tuple(kek for kek in ring.keks if kek.id in {each.id for each in expired})


def _begin(log: Log, home: Home) -> Kek | None:
    """Steps 1 and 2; None where another process was faster."""
    before = key_ring.load(home)
    with log.store.write():
        ring = key_ring.load(home)
        if ring.current.id != before.current.id:
            return None
        key, file = key_ring.new_or_begun_key(home, ring)
        now, days = log.now(), log.keks.backup_days
        new = key_ring.new_kek(key, file, now, days)
        made = key_ring.promises(ring.current, read_lines(home.erasure_journal))
        key_ring.save(home, ring.rotated(new, made, now, days))
    return new


def _rewrap_keys(log: Log) -> int:
    done = 0
    after = (0, -1)
    while True:
        with log.store.write() as connection:
            log.vault.refresh()
            rows = store_keks.wrapped_after(connection, after, BATCH)
            if not rows:
                return done
            changed = []
            for code, number, wrapped in rows:
                retention = RetentionClass.from_code(code)
                key, current = log.vault.unwrap_telling(number, retention, wrapped)
                if not current:
                    changed.append((code, number, log.vault.wrap(number, retention, key)))
            store_keks.replace_wrapped(connection, changed)
            done += len(changed)
            after = rows[-1][:2]


def _reseal_pseudonyms(log: Log) -> int:
    done, after = 0, -1
    while True:
        with log.store.write() as connection:
            log.vault.refresh()
            name = log.vault.column_key().name
            rows = store_keks.pseudonyms_not_under(connection, name, after, BATCH)
            if not rows:
                return done
            sealed_people.reseal(log.vault, connection, log.pseudonym_key, rows)
            done += len(rows)
            after = rows[-1]["number"]


def _rewrap_secrets(log: Log) -> int:
    done = 0
    with log.store.write() as connection:
        log.vault.refresh()
        for row in store_keks.runs(connection):
            secret, current = log.vault.open_secret_telling(row["run"], row["secret"])
            if current:
                continue
            new = {**row, "secret": log.vault.seal_secret(row["run"], secret)}
            store_keks.replace_secret(
                connection, row["run"], new["secret"], row_mac(log.pseudonym_key, "use_run", new)
            )
            done += 1
    return done


def _check_none_left(log: Log, connection: Connection) -> None:
    left = 0
    after = (0, -1)
    while rows := store_keks.wrapped_after(connection, after, BATCH):
        for code, number, wrapped in rows:
            left += not log.vault.unwrap_telling(number, RetentionClass.from_code(code), wrapped)[1]
        after = rows[-1][:2]
    for row in store_keks.runs(connection):
        left += not log.vault.open_secret_telling(row["run"], row["secret"])[1]
    name = log.vault.column_key().name
    left += len(store_keks.pseudonyms_not_under(connection, name, -1, BATCH))
    if left:
        raise LedgerUnavailableError(
            f"{left} keys are still wrapped by an old key-encryption key", "run the command again"
        )
