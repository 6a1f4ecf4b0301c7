"""Who may come back after an erasure: everybody, as a new subject, but for those who asked not to be asked again.

What is remembered of these is a tombstone: a keyed BLAKE2s-128, under the pseudonym key, of their pseudonym. It stands in
the erasure journal, outside the database, so that a restored backup does not forget it. It finds nobody: whoever holds
the key and knows an id can ask whether that id is among them, and that is what it is for. When the person says otherwise,
it is taken out of the journal, nothing of it stays, and a mark says that this was no accident: `luvalla ledger check`
asks for one of the two wherever the erasure's receipt says that the person asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from consent.erasure_journal import read_lines
from consent.errors import LedgerUnavailableError
from consent.pseudonym import keyed_digest
from consent.records import TransitionRefused
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from consent.erasure_journal import JournalLine

CODE = "no-return"
_ASKING = frozenset({ConsentStatus.REQUESTED, ConsentStatus.GIVEN, ConsentStatus.RENEWED})
REASON = (
    "the person asked, when they were erased, not to be asked again; "
    "where they themselves want to come back, record that first: `luvalla consent readmit`"
)

NO_RETURN: Final[Mapping[str, str]] = {
    "fi": "Henkilö on pyytänyt, ettei häneltä kysytä uudelleen",
    "sv": "Personen har bett att inte bli tillfrågad igen",
    "en": "The person asked not to be asked again",
}
"""The same for people."""


def tombstone(key: bytes, pseudonym: bytes) -> bytes:
    """What is kept of somebody who asked not to be asked again.

    Args:
        key: The pseudonym key.
        pseudonym: The person's.

    Returns:
        16 bytes; another label than any other digest of the ledger, so that they cannot be compared.
    """
    return keyed_digest(key, b"noreturn", pseudonym)


def readmission(key: bytes, request: bytes) -> bytes:
    """What stands in a line of the journal instead of a tombstone that was taken out because the person said so.

    It is made of the line's own random request, so it says nothing of the person.

    Args:
        key: The pseudonym key.
        request: The erasure's request.

    Returns:
        16 bytes; nobody makes it without the key, so a line that was changed by hand does not have it.
    """
    return keyed_digest(key, b"readmit", request)


def readmitted(key: bytes, line: JournalLine) -> JournalLine:
    """A line of the journal with the mark instead of its tombstone, and its new check value."""
    return replace(line, no_return=None, readmitted=readmission(key, line.request)).sealed(key)


class ReturnRule:
    """The tombstones of a journal, read again whenever the file has changed.

    Args:
        path: The erasure journal.
        key: The pseudonym key.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._read_at: tuple[int, int, int] | None = None
        self._tombstones: frozenset[bytes] = frozenset()

    def forbids(self, pseudonym: bytes) -> bool:
        """Whether this person asked not to be asked again.

        Raises:
            LedgerUnavailableError: The journal cannot be read.
            LedgerDamagedError: A line of it is not one.
        """
        self._refresh()
        return bool(self._tombstones) and tombstone(self._key, pseudonym) in self._tombstones

    def refused(
        self, pseudonym: bytes, asked: ConsentStatus, current: ConsentStatus, *, known: bool
    ) -> TransitionRefused | None:
        """Why an answer may not be recorded; None when it may.

        A no of somebody who is on record again (for a right they exercised) always counts.
        """
        if (asked in _ASKING or not known) and self.forbids(pseudonym):
            return TransitionRefused(current, asked, REASON, CODE)
        return None

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._read_at, self._tombstones = None, frozenset()
            return
        except OSError as error:
            raise LedgerUnavailableError(
                f"the erasure journal cannot be read: {error.strerror}", "check the home's permissions"
            ) from error
        now = (found.st_ino, found.st_size, found.st_mtime_ns)
        if now != self._read_at:
            lines = read_lines(self._path)
            self._tombstones = frozenset(line.no_return for line in lines if line.no_return is not None)
            self._read_at = now
