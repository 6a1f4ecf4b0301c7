"""The erasure journal outside the database: one line per erasure, random ids only, synced before the commit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from consent.canonical import b64u, b64u_decode, decode, encode
from consent.errors import LedgerDamagedError, LedgerUnavailableError, NotCanonicalError

if TYPE_CHECKING:
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
    """

    at: str
    request: bytes
    number: int
    subject: str
    decision: dict[str, Any]


def subject_digest(subject: bytes) -> str:
    """A digest of the random subject id; with 128 random bits nobody finds the id from it."""
    return b64u(sha256(b"luvalla/erased-subject/v1\x00" + subject).digest())


def append_line(path: Path, line: JournalLine) -> None:
    """Add a line, durable when this returns.

    Raises:
        LedgerUnavailableError: It cannot be written; then nothing may be erased.
    """
    text = encode(
        {
            "at": line.at,
            "decision": line.decision,
            "number": line.number,
            "request": b64u(line.request),
            "subject": line.subject,
        }
    )
    try:
        new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # A line cut off by a crash must not swallow this one.
            start = b"" if new or _ends_in_newline(path) else b"\n"
            os.write(handle, start + text + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise LedgerUnavailableError(
            f"the erasure journal cannot be written: {error.strerror}",
            "check the home's disk and permissions",
        ) from error


def read_lines(path: Path) -> list[JournalLine]:
    """Every line, oldest first; one cut off by a crash is no line, since its erasure was not committed.

    Raises:
        LedgerDamagedError: A whole line is not one.
    """
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
            lines.append(
                JournalLine(
                    value["at"],
                    b64u_decode(value["request"]),
                    value["number"],
                    value["subject"],
                    value["decision"],
                )
            )
        except (NotCanonicalError, KeyError, TypeError) as error:
            if position == raw.count(b"\n") + 1 or not text.endswith(b"}"):
                continue
            raise LedgerDamagedError(
                f"line {position} of the erasure journal is not one", "restore the journal from its copy"
            ) from error
    return lines


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
