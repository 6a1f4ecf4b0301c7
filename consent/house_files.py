"""Files about people inside a home: all in its receipts folder, where an erasure finds them, also one that comes in between.

A file is made from what was read of the ledger, and saved a moment later; somebody may be erased in that moment. So
  - a file about people inside a home goes into its receipts folder or nowhere;
  - whoever saves one holds that folder's lock, shared, and asks the erasure journal about everybody named in it;
  - an erasure writes its lines into the journal first, and then deletes under the same lock, alone.
Either the file is there when the erasure looks, or the journal has the line when the file would be saved.
Standard library only: the citizen's own commands save files too, mostly where there is no home around.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from consent.canonical import b64u, b64u_decode
from consent.erasure_journal import read_lines, subject_digest
from consent.errors import (
    ConsentInputError,
    ConsentUnavailableError,
    NotCanonicalError,
    UnknownPersonError,
)
from consent.home import Home
from consent.tlog.durable import sync

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PART: Final = ".part"
"""How the name of a file ends that is not whole yet."""
LOCK_SECONDS: Final = 30.0
"""Saving an export of 1,000 runs takes some 0.1 s; whoever holds the lock longer hangs."""
_LOCK_PAUSE: Final = 0.01
_SUBJECT: Final = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")
"""What may be a subject id: in an opening's escaped text, in a record's names, or on a page for people."""


def home_around(path: Path) -> Home | None:
    """The home that a path lies in, by its own name or by where links lead; None outside every home."""
    for each in _names(path):
        for folder in each.parents:
            if Home(folder).config.is_file():
                return Home(folder)
    return None


def check_place(path: Path) -> None:
    """Refuse a file about a person inside a home but outside its receipts folder: no erasure would find it.

    Raises:
        ConsentInputError: It is such a place (exit 2).
    """
    home = home_around(path)
    if home is None:
        return
    ours = _names(home.receipts)
    for each in _names(path):
        around = home_around(each)
        if around is not None and not any(each.is_relative_to(folder) for folder in ours):
            raise ConsentInputError(
                f"{path} lies in the home {around.path}, outside its folder for receipts: an erasure would not find it there",
                f"name a file in {home.receipts}, or one outside the home",
            )


@contextmanager
def saving(path: Path, text: bytes) -> Iterator[None]:
    """Hold off erasures while a file is saved; outside every home there is nothing to hold off.

    Args:
        path: The file.
        text: What will be in it.

    Raises:
        UnknownPersonError: Somebody named in it was erased: it is not to be saved (exit 2).
        ConsentInputError: See `check_place` (2).
        ConsentUnavailableError: The folder cannot be locked (4).
        LedgerUnavailableError: The erasure journal cannot be read (4).
        LedgerDamagedError: A line of it is not one (3).
    """
    check_place(path)
    home = home_around(path)
    if home is None:
        yield
        return
    with _locked(home, alone=False):
        named = {subject_digest(subject) for subject in _subjects(text)}
        if any(line.subject in named for line in read_lines(home.erasure_journal)):
            raise UnknownPersonError(
                "the person was erased meanwhile", "nothing is kept of them, and nothing was saved"
            )
        yield


def delete_copies(home: Home, subjects: Collection[bytes]) -> int:
    """Delete the house's own files about erased people; their lines are in the journal already.

    These are receipts, exports and pages of them in the receipts folder and its folders, and offers in the outbox that a
    run which died released to nobody: the next run would delete them. Of a run under way the outbox is left to it.

    Args:
        home: The home.
        subjects: Subject ids, 16 bytes each.

    Returns:
        How many files.

    Raises:
        ConsentUnavailableError: One cannot be read or deleted.
    """
    wanted = {b64u(subject).encode() for subject in subjects}
    deleted = 0
    if home.receipts.is_dir():
        with _locked(home, alone=True):
            for path in sorted(home.receipts.rglob("*")):
                # Nobody saves now: what is not whole is of somebody who was killed, and may name anybody.
                if path.is_file() and (
                    _is_part(path) or not wanted.isdisjoint(_SUBJECT.findall(_read(path)))
                ):
                    deleted += _delete(path)
    return deleted + _clear_outbox(home)


def _clear_outbox(home: Home) -> int:
    """Delete what dead runs left (governance/release.py), where no run is under way."""
    import fcntl  # noqa: PLC0415 - see `_locked`

    try:
        left = list(home.outbox.glob("*.jsonl"))
        if not left:
            return 0
        with (home.outbox / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            return sum(_delete(path) for path in left if path.exists())
    except OSError as error:
        raise _failure(home.outbox, error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _failure(path.parent, error) from error


def _delete(path: Path) -> int:
    """Delete a file, on disk when this returns: a power cut must not bring back what an erasure says is gone."""
    try:
        path.unlink()
        sync(path.parent)
    except OSError as error:
        raise _failure(path.parent, error) from error
    return 1


def _failure(folder: Path, error: OSError) -> ConsentUnavailableError:
    return ConsentUnavailableError(
        f"a file about a person in {folder} cannot be deleted: {error.strerror}",
        "check the folder's owner and mode, then erase again with the same request id",
    )


@contextmanager
def _locked(home: Home, *, alone: bool) -> Iterator[None]:
    """Hold the receipts folder's own lock; the folder is there."""
    import fcntl  # noqa: PLC0415 - a house has it; a citizen's own computer need not

    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    try:
        handle = os.open(home.receipts, os.O_RDONLY)
    except OSError as error:
        raise _not_locked(home, error) from error
    try:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
                break
            except OSError as error:
                if not isinstance(error, BlockingIOError) or time.monotonic() > until:
                    raise _not_locked(home, error) from error
                time.sleep(_LOCK_PAUSE)
        yield
    finally:
        os.close(handle)


def _not_locked(home: Home, error: OSError) -> ConsentUnavailableError:
    return ConsentUnavailableError(
        f"the folder {home.receipts} cannot be locked: {error.strerror}",
        "another process saves a receipt or erases somebody: try again; else check the folder's owner and mode",
    )


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(PART)


def _subjects(text: bytes) -> Iterator[bytes]:
    for found in set(_SUBJECT.findall(text)):
        try:
            yield b64u_decode(found.decode())
        except NotCanonicalError:
            continue


def _names(path: Path) -> list[Path]:
    """A path without dots, and where links lead from it."""
    return [Path(os.path.abspath(path)), path.resolve()]  # noqa: PTH100 - pathlib's keeps dots
