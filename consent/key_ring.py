"""The key-encryption keys (KEKs) of a home: which wraps now, which are only kept for backups, and until when.

`keys/keks.json` lists them; each is a file of 32 bytes beside it. The list is replaced by rename, so it is there whole or
not at all, and a key is in the list before anything is wrapped by it. A home without the list has one key, `keys/kek`.

The dates are a promise to whoever was erased. A copy of the database made before the erasure holds their wrapped keys; it
becomes unreadable when the KEK of that day is destroyed. So every KEK is replaced `rotate_by` and destroyed `destroy_by`,
at most `PROMISE_DAYS` after it was made; between the two it is kept, so that any backup can be restored for `backup_days`.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from consent.canonical import format_time, parse_time
from consent.erasure_journal import read_lines
from consent.errors import KeyFileError, NotCanonicalError
from consent.keys import KEY_BYTES, key_id, new_key_file, read_key_file
from consent.tlog.durable import replace_file, sync

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from consent.erasure_journal import JournalLine
    from consent.home import Home

PROMISE_DAYS = 30
"""From a KEK's making to its destruction, at most (design, "Keys and erasure")."""
_FIRST = "kek"
_PREFIX = "kek-"
_HINT = "restore the folder `keys` from its own backup"


@dataclass(frozen=True)
class Kek:
    """One key-encryption key.

    Attributes:
        id: 16 hexadecimal digits of a digest of the key: names it, and says nothing of it.
        file: Name of its file in the keys folder.
        made: When; None where the home is older than this list.
        rotate_by: The day by which another is to replace it; None like `made`.
        destroy_by: The day by which it is to be destroyed; of a retired one, the real day. None like `made`.
        retired: When another took its place; None: it is the one that wraps.
        rewrapped: When nothing in the database was wrapped by it any more.
        destroyed: When its file was destroyed.
    """

    id: str
    file: str
    made: datetime | None
    rotate_by: date | None
    destroy_by: date | None
    retired: datetime | None = None
    rewrapped: datetime | None = None
    destroyed: datetime | None = None

    def promise(self, at: datetime, backup_days: int) -> date:
        """The day that a receipt of an erasure at this instant gives: this key is destroyed by then."""
        if self.destroy_by is None:
            return (at + timedelta(days=PROMISE_DAYS)).date()
        return max(self.destroy_by, (at + timedelta(days=backup_days)).date())

    def expired(self, today: date) -> bool:
        """Whether it may be destroyed: retired, nothing wrapped by it, and its day has come."""
        return (
            self.destroyed is None
            and self.rewrapped is not None
            and self.destroy_by is not None
            and self.destroy_by <= today
        )


@dataclass(frozen=True)
class KeyRing:
    """Every KEK there is or was, oldest first; the last one wraps."""

    keks: tuple[Kek, ...]

    @property
    def current(self) -> Kek:
        """The one that wraps."""
        return self.keks[-1]

    @property
    def retired(self) -> tuple[Kek, ...]:
        """Those kept for backups, oldest first."""
        return tuple(kek for kek in self.keks[:-1] if kek.destroyed is None)

    @property
    def unfinished(self) -> tuple[Kek, ...]:
        """Retired ones by which something may still be wrapped."""
        return tuple(kek for kek in self.retired if kek.rewrapped is None)

    def rotated(self, new: Kek, promises: Iterable[date], at: datetime, backup_days: int) -> KeyRing:
        """The ring after a new key took the current one's place.

        Args:
            new: The new key.
            promises: Days that receipts gave while the current one wrapped: it is destroyed by the earliest.
            at: When.
            backup_days: How long backups are to be restorable.
        """
        day = min([(at + timedelta(days=backup_days)).date(), *promises])
        old = replace(self.current, retired=at, destroy_by=max(day, at.date()))
        return KeyRing((*self.keks[:-1], old, new))

    def changed(self, kek: Kek) -> KeyRing:
        """The ring with one key's dates changed."""
        return KeyRing(tuple(kek if each.id == kek.id else each for each in self.keks))


def new_kek(key: bytes, file: str, at: datetime, backup_days: int) -> Kek:
    """A key that begins to wrap now."""
    return Kek(
        id=key_id(key),
        file=file,
        made=at,
        rotate_by=(at + timedelta(days=PROMISE_DAYS - backup_days)).date(),
        destroy_by=(at + timedelta(days=PROMISE_DAYS)).date(),
    )


def promises(kek: Kek, lines: Iterable[JournalLine]) -> list[date]:
    """The days that the receipts of erasures gave while a key wrapped, from the erasure journal."""
    found = []
    for line in lines:
        at = parse_time(line.at)
        if (kek.made is None or at >= kek.made) and (kek.retired is None or at <= kek.retired):
            late = (at + timedelta(days=PROMISE_DAYS)).date()
            found.append(late if line.unreadable_by is None else date.fromisoformat(line.unreadable_by))
    return found


def overdue(ring: KeyRing, lines: Iterable[JournalLine], today: date) -> list[tuple[Kek, date]]:
    """Keys that receipts say are destroyed, and that are not, with the day they give."""
    lines = list(lines)
    late = []
    for kek in ring.keks:
        if kek.destroyed is None:
            days = promises(kek, lines)
            if kek.retired is not None and kek.destroy_by is not None:
                days.append(kek.destroy_by)
            if days and min(days) < today:
                late.append((kek, min(days)))
    return late


# Files


def load(home: Home) -> KeyRing:
    """The ring of a home.

    Raises:
        KeyFileError: The list is none, or the only key of a home without a list cannot be read.
    """
    try:
        text = home.key_ring.read_text(encoding="utf-8")
    except FileNotFoundError:
        key = read_key_file(home.key_encryption_key)
        return KeyRing((Kek(key_id(key), _FIRST, None, None, None),))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"the list of keys {home.key_ring} cannot be read", _HINT) from error
    try:
        value = json.loads(text)
        ring = KeyRing(tuple(_kek(item) for item in value["keks"]))
        sound = value["v"] == 1 and bool(ring.keks)
    except (ValueError, KeyError, TypeError, NotCanonicalError) as error:
        raise KeyFileError(f"the list of keys {home.key_ring} is not one", _HINT) from error
    if not sound or [kek.id for kek in ring.keks if kek.retired is None] != [ring.current.id]:
        raise KeyFileError(f"the list of keys {home.key_ring} does not end with the one that wraps", _HINT)
    return ring


def save(home: Home, ring: KeyRing) -> None:
    """Replace the list, durably.

    Raises:
        KeyFileError: It cannot be written.
    """
    text = json.dumps({"keks": [_value(kek) for kek in ring.keks], "v": 1}, indent=1, sort_keys=True) + "\n"
    try:
        replace_file(home.key_ring, text.encode(), mode=0o600)
    except OSError as error:
        raise KeyFileError(
            f"the list of keys {home.key_ring} cannot be written: {error.strerror}", "check the folder"
        ) from error


def new_or_begun_key(home: Home, ring: KeyRing) -> tuple[bytes, str]:
    """A key for the next rotation, and its file's name, synced.

    A file that the list does not name is from a rotation that ended before it was listed: nothing was wrapped by it, and it
    is as random as a new one, so it is used. The caller holds the writers' lock: else a file that another process is just
    making would be taken for one that was cut off.

    Raises:
        KeyFileError: It cannot be made, or such a file is not a key.
    """
    known = {kek.file for kek in ring.keks}
    begun = sorted(path.name for path in home.keys.glob(_PREFIX + "*") if path.name not in known)
    for file in begun:
        if (home.keys / file).stat().st_size == KEY_BYTES:
            key = read_key_file(home.keys / file)
            # Whoever made it may have been killed before it was on disk, and soon everything depends on it.
            sync(home.keys / file)
            sync(home.keys)
            return key, file
        # Cut off while it was made: no key.
        (home.keys / file).unlink()
    name = _PREFIX + os.urandom(8).hex()
    key = new_key_file(home.keys / name)
    sync(home.keys)
    return key, name


def destroy_file(path: Path) -> None:
    """Rename a key's file aside, overwrite it, then remove it, each step synced; a file that is not there is as good.

    Aside first: killed in the middle, what is left under the key's own name is the key or nothing, never another's bytes,
    with which no ledger would open. What lies aside is destroyed by the next call.

    Overwriting reaches no copy: not a snapshot's, not a solid-state disk's spare blocks, not the keys' own backup.

    Raises:
        KeyFileError: It cannot be destroyed.
    """
    aside = path.with_name(f".{path.name}.destroyed")
    try:
        with suppress(FileNotFoundError):
            path.replace(aside)
            sync(path.parent)
        try:
            handle = os.open(aside, os.O_WRONLY)
        except FileNotFoundError:
            return
        try:
            os.write(handle, os.urandom(max(1, os.fstat(handle).st_size)))
            os.fsync(handle)
        finally:
            os.close(handle)
        aside.unlink()
        sync(path.parent)
    except OSError as error:
        raise KeyFileError(
            f"the key file {path} cannot be destroyed: {error.strerror}", "check the folder"
        ) from error


class RingKeys:
    """The keys of a home's ring, read again when the list has changed; what `Vault` asks.

    Args:
        home: The home.
        backup_days: How long backups are to be restorable.
    """

    def __init__(self, home: Home, backup_days: int) -> None:
        self._home = home
        self.backup_days = backup_days
        self.ring = KeyRing(())
        self._signature: tuple[int, int, int] | None = None

    def signature(self) -> tuple[int, int, int]:
        """Another one whenever the list was replaced."""
        try:
            found = self._home.key_ring.stat()
        except OSError:
            return 0, 0, 0
        return found.st_ino, found.st_size, found.st_mtime_ns

    def changed(self) -> bool:
        """Whether the list is another than that read last."""
        return self.signature() != self._signature

    def read(self) -> list[bytes]:
        """The keys, the one that wraps first; a retired one whose file is gone is left out.

        Raises:
            KeyFileError: The list or a file is not what it should be.
        """
        for _ in range(3):
            before = self.signature()
            ring = load(self._home)
            keys = [self._key(ring.current)]
            keys += [
                self._key(kek) for kek in reversed(ring.retired) if (self._home.keys / kek.file).exists()
            ]
            if self.signature() == before:
                break
        self.ring, self._signature = ring, before
        return keys

    def promise(self, at: datetime) -> date:
        """The day that a receipt of an erasure at this instant gives for backups."""
        return self.ring.current.promise(at, self.backup_days)

    def _key(self, kek: Kek) -> bytes:
        key = read_key_file(self._home.keys / kek.file)
        if key_id(key) != kek.id:
            raise KeyFileError(
                f"the key file {self._home.keys / kek.file} is not the key that the list names", _HINT
            )
        return key


def late(home: Home, ring: KeyRing, now: datetime) -> list[tuple[Kek, date]]:
    """`overdue`, by the home's journal."""
    return overdue(ring, read_lines(home.erasure_journal), now.astimezone(UTC).date())


_TIMES = ("made", "retired", "rewrapped", "destroyed")
_DATES = ("rotate_by", "destroy_by")


def _value(kek: Kek) -> dict[str, Any]:
    value: dict[str, Any] = {"file": kek.file, "id": kek.id}
    for name in _TIMES:
        at = getattr(kek, name)
        value[name] = None if at is None else format_time(at)
    for name in _DATES:
        day = getattr(kek, name)
        value[name] = None if day is None else day.isoformat()
    return value


def _kek(value: dict[str, Any]) -> Kek:
    if not (isinstance(value["id"], str) and isinstance(value["file"], str)) or "/" in value["file"]:
        raise TypeError
    times = {name: None if value[name] is None else parse_time(value[name]) for name in _TIMES}
    dates = {name: None if value[name] is None else date.fromisoformat(value[name]) for name in _DATES}
    return Kek(id=value["id"], file=value["file"], **times, **dates)  # type: ignore[arg-type]
