"""From which number on people got theirs after the last refill, kept outside the database.

A refill gives new people numbers above all that the lost entries can have given. That number stands in the database, so a
second restore of a backup from before the refill forgets it, and would begin at the same number again: two people with one
number would prove each other's uses. This file remembers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import LedgerDamagedError, LedgerUnavailableError
from consent.tlog.durable import replace_file

if TYPE_CHECKING:
    from pathlib import Path

_MOST_DIGITS = 18


def read(path: Path) -> int:
    """The number that is remembered; 0 where no refill was ever done.

    Raises:
        LedgerUnavailableError: The file cannot be read (exit 4).
        LedgerDamagedError: It does not hold a number (3).
    """
    try:
        text = path.read_bytes().strip()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise LedgerUnavailableError(
            f"{path} cannot be read: {error.strerror}", "check the home's permissions"
        ) from error
    if not text.isdigit() or len(text) > _MOST_DIGITS:
        raise LedgerDamagedError(f"{path} does not hold a number", "put back its newest copy")
    return int(text)


def keep(path: Path, number: int) -> None:
    """See that at least this number is remembered: in homes older than the file, or where it was lost, the database knows it.

    The caller holds the writers' lock, as a refill does: else an older number could be written over a newer one.

    Args:
        path: The file.
        number: From which number on the database gives people theirs; 0 where it knows of no refill.

    Raises:
        LedgerUnavailableError: It cannot be read or written (exit 4).
        LedgerDamagedError: It does not hold a number (3).
    """
    if number and number > read(path):
        write(path, number)


def write(path: Path, number: int) -> None:
    """Remember a number, durably when this returns; the file has the old one or the new one, whole.

    Raises:
        LedgerUnavailableError: It cannot be written.
    """
    try:
        replace_file(path, b"%d\n" % number, mode=0o600)
    except OSError as error:
        raise LedgerUnavailableError(
            f"{path} cannot be written: {error.strerror}", "check the home's disk and permissions"
        ) from error
