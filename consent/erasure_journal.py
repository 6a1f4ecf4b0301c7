"""The erasure journal outside the database: one line per erasure, synced before the commit.

Random ids only; where a person asked not to be asked again, also their keyed tombstone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from consent.canonical import b64u, b64u_decode, decode, encode
from consent.errors import LedgerDamagedError, LedgerUnavailableError, NotCanonicalError
from consent.pseudonym import keyed_digest
from consent.tlog.durable import replace_file, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class JournalLine:
    """One erasure that must never be undone by a restore.

    Attributes:
        at: When.
        request: The request of the erasure's entry: tells whether a database has it.
        number: The person's number, not to be given again.
        subject: `subject_digest` of the subject id: recognised by whoever still has the id, and by nobody else.
        decision: What was erased and kept, and why.
        unreadable_by: The day that the receipt gives for backups; None in lines of older ledgers.
        no_return: Keyed tombstone of somebody who asked not to be asked again (consent/return_rule.py); None: may return.
        readmitted: Keyed digest of the request, where a tombstone was taken out because the person said so: the check
            asks for one or the other.
        mac: Keyed check value of all the rest, under the pseudonym key: a changed byte is seen, and a tombstone that somebody
            else wrote. None in lines of older ledgers.
    """

    at: str
    request: bytes
    number: int
    subject: str
    decision: dict[str, Any]
    unreadable_by: str | None = None
    no_return: bytes | None = None
    readmitted: bytes | None = None
    mac: bytes | None = None

    def sealed(self, key: bytes) -> JournalLine:
        """The line with its check value.

        Args:
            key: The pseudonym key.
        """
        return replace(self, mac=keyed_digest(key, b"m:line", replace(self, mac=None).encode()))

    def verifies(self, key: bytes) -> bool:
        """Whether the line has the check value of all the rest.

        Args:
            key: The pseudonym key.
        """
        return self.mac is not None and self == self.sealed(key)

    def encode(self) -> bytes:
        """One line, without its end."""
        value: dict[str, Any] = {
            "at": self.at,
            "decision": self.decision,
            "number": self.number,
            "request": b64u(self.request),
            "subject": self.subject,
        }
        if self.unreadable_by is not None:
            value["unreadable_by"] = self.unreadable_by
        if self.no_return is not None:
            value["no_return"] = b64u(self.no_return)
        if self.readmitted is not None:
            value["readmitted"] = b64u(self.readmitted)
        if self.mac is not None:
            value["mac"] = b64u(self.mac)
        return encode(value)


def subject_digest(subject: bytes) -> str:
    """A digest of the random subject id; with 128 random bits nobody finds the id from it."""
    return b64u(sha256(b"luvalla/erased-subject/v1\x00" + subject).digest())


def append_lines(path: Path, lines: Sequence[JournalLine]) -> None:
    """Add lines, durable when this returns.

    Raises:
        LedgerUnavailableError: They cannot be written; then nothing may be erased. What was written of them is taken
            back, or, where the disk refuses even that, is replayed when the ledger is next opened.
    """
    text = b"".join(line.encode() + b"\n" for line in lines)
    try:
        new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.lseek(handle, 0, os.SEEK_END)
            # A line cut off by a crash must not swallow the first of these.
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            try:
                _write_all(handle, b"\n" + text if torn else text)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                os.fsync(handle)
                raise
        finally:
            os.close(handle)
        if new:
            sync(path.parent)
    except OSError as error:
        raise LedgerUnavailableError(
            f"the erasure journal cannot be written: {error.strerror}",
            "check the home's disk and permissions",
        ) from error


def verified_lines(path: Path, key: bytes) -> list[JournalLine]:
    """Every line, oldest first, for whoever acts on what they say: none that somebody changed or added by hand.

    Lines of older ledgers have no check value; they stand before the first that has one, and nowhere else.

    Args:
        path: The journal.
        key: The pseudonym key.

    Raises:
        LedgerUnavailableError: The journal cannot be read (exit 4).
        LedgerDamagedError: A line is not one, or lacks its check value (3).
    """
    lines = []
    begun = False
    for position, line in _numbered(path):
        begun = begun or line.mac is not None
        if begun and not line.verifies(key):
            raise LedgerDamagedError(
                f"line {position} of the erasure journal does not have its check value: it was changed or added by hand, "
                "and nobody is erased, and no number given, on its word",
                f"put back the newest copy of {path.name}; only if there is none: keep this file, take the line out, and "
                "`luvalla ledger check` names every erasure that the journal then lacks",
            )
        lines.append(line)
    return lines


def without_tombstone(
    path: Path, key: bytes, tombstone: bytes, readmit: Callable[[JournalLine], JournalLine]
) -> bool:
    """Take a tombstone out of every line that has it, durably; the erasures themselves stay.

    The caller holds the writers' lock, so nobody appends meanwhile.

    Args:
        path: The journal.
        key: The pseudonym key: a line that does not verify would get a new check value here.
        tombstone: 16 bytes.
        readmit: From a line to the one that says that its tombstone was taken out by us (`return_rule.readmitted`).

    Returns:
        Whether there was one.

    Raises:
        LedgerUnavailableError: The journal cannot be read or written.
        LedgerDamagedError: A whole line is not one, or lacks its check value.
    """
    lines = verified_lines(path, key)
    if not any(line.no_return == tombstone for line in lines):
        return False
    kept = [readmit(line) if line.no_return == tombstone else line for line in lines]
    try:
        replace_file(path, b"".join(line.encode() + b"\n" for line in kept), mode=0o600)
    except OSError as error:
        raise LedgerUnavailableError(
            f"the erasure journal cannot be written: {error.strerror}",
            "check the home's disk and permissions",
        ) from error
    return True


def read_lines(path: Path) -> list[JournalLine]:
    """Every line, oldest first; one cut off by a crash is no line, since its erasure was not committed.

    Raises:
        LedgerDamagedError: A whole line is not one.
    """
    return [line for _, line in _numbered(path)]


def _numbered(path: Path) -> list[tuple[int, JournalLine]]:
    """Every line, with its place in the file, from 1."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerUnavailableError(
            f"the erasure journal cannot be read: {error.strerror}", "check the home's permissions"
        ) from error
    lines = []
    for position, text in enumerate(raw.split(b"\n"), 1):
        if not text:
            continue
        try:
            value = decode(text)
            line = JournalLine(
                value["at"],
                b64u_decode(value["request"]),
                value["number"],
                value["subject"],
                value["decision"],
                value.get("unreadable_by"),
                b64u_decode(value["no_return"]) if "no_return" in value else None,
                b64u_decode(value["readmitted"]) if "readmitted" in value else None,
                b64u_decode(value["mac"]) if "mac" in value else None,
            )
            lines.append((position, line))
        except (NotCanonicalError, KeyError, TypeError) as error:
            if position == raw.count(b"\n") + 1 or not text.endswith(b"}"):
                continue
            raise LedgerDamagedError(
                f"line {position} of the erasure journal is not one", "restore the journal from its copy"
            ) from error
    return lines


def _write_all(handle: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(handle, rest) :]
