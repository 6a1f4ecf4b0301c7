"""A witness of logs (C2SP tlog-witness): what it answers, and the one file in which it remembers.

`decide` is pure. `WitnessState.add` runs it and stores the new head in one transaction, so that of two requests that
race only one can be answered from the same old size; the cosignature is made after the commit and never before.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.errors import ConsentUnavailableError, NoteError
from consent.tlog.checkpoint import TreeHead, old_size_text, parse_old_size
from consent.tlog.cosignature import cosign, signature_lines
from consent.tlog.merkle import EMPTY_ROOT
from consent.tlog.note import MAX_NOTE_BYTES, Note, VerifierKey
from consent.tlog.verify import VerificationError, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from consent.tlog.note import SigningKey

    LogKeys = Mapping[str, Callable[[int], Iterable[VerifierKey]]]

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4096
"""A checkpoint, 63 lines of 45 bytes, and the line of the old size."""
MAX_CONFLICTS = 100
"""Requests kept as evidence against a log; more would only fill the disk."""
SIZE_TYPE = "text/x.tlog.size"
_TEXT = "text/plain; charset=utf-8"
_BUSY_SECONDS = 5.0
OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 200, 400, 403, 404, 409, 422
_HINT = "see C2SP tlog-witness, add-checkpoint"


@dataclass(frozen=True)
class AddCheckpoint:
    """The body of a request `add-checkpoint`.

    Attributes:
        old_size: The size that the log believes the witness cosigned last; 0 for none.
        proof: RFC 6962 consistency proof, 32-byte hashes.
        note: The checkpoint.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Parse a body; `AddCheckpoint.parse(body).encode() == body` for everything accepted.

        Raises:
            NoteError: If it is not in its form.
        """
        head, separator, note = body.partition(b"\n\n")
        if not separator or len(body) > MAX_REQUEST_BYTES:
            raise NoteError("the request is not an old size, a proof, an empty line and a checkpoint", _HINT)
        try:
            before = head.decode("ascii")
        except UnicodeDecodeError as error:
            raise NoteError("the request's first lines are not ASCII", _HINT) from error
        return cls(*parse_old_size(before, _HINT), Note.parse(note))

    def encode(self) -> bytes:
        """Return the body's bytes."""
        return f"{old_size_text(self.old_size, self.proof)}\n".encode() + self.note.encode()


@dataclass(frozen=True)
class Answer:
    """What the witness answers.

    Attributes:
        status: HTTP status.
        body: The answer's body.
        content_type: Its media type.
        evidence: Whether the request, signed by the log, shows that the log may have forked.
    """

    status: int
    body: str
    content_type: str = _TEXT
    evidence: bool = False


def opened(request: AddCheckpoint, logs: LogKeys) -> TreeHead | Answer:
    """Check what needs no memory: the form, the origin, the log's signature, and the order of the sizes.

    Args:
        request: The request.
        logs: By origin, the log's keys that may sign a checkpoint of a size.

    Returns:
        The head that the log signed, or the refusal.
    """
    try:
        head = TreeHead.parse(request.note.text)
    except NoteError as error:
        return Answer(BAD_REQUEST, error.message + "\n")
    if head.origin not in logs:
        return Answer(NOT_FOUND, "this witness does not know the log\n")
    try:
        request.note.signed_by(logs[head.origin](head.size))
    except NoteError as error:
        return Answer(FORBIDDEN, error.message + "\n")
    if request.old_size > head.size:
        return Answer(BAD_REQUEST, "the old size is larger than the checkpoint's\n")
    return head


def decide(known: TreeHead, head: TreeHead, old_size: int, proof: Sequence[bytes]) -> Answer | None:
    """Decide whether a head continues the one cosigned last.

    Args:
        known: The head cosigned last; size 0 when there was none.
        head: What the log signed now.
        old_size: What the request says was cosigned last.
        proof: Consistency proof from it.

    Returns:
        None when it may be cosigned; else the refusal.
    """
    if old_size != known.size:
        return Answer(CONFLICT, f"{known.size}\n", SIZE_TYPE)
    if head.size == known.size and head.root != known.root:
        return Answer(CONFLICT, f"{known.size}\n", SIZE_TYPE, evidence=True)
    if known.size == 0:
        if proof:
            return Answer(UNPROCESSABLE, "the proof from size 0 is not empty\n")
        return None
    try:
        verify_consistency(known.size, known.root, head.size, head.root, proof)
    except VerificationError as error:
        return Answer(UNPROCESSABLE, error.message + "\n", evidence=True)
    return None


class WitnessState:
    """The heads that a witness cosigned last, in one SQLite file; any number of threads and processes.

    A witness whose file is lost or restored from a copy must not go on under its old key: it could cosign a history
    that it had refused. So a file is only ever made by `create`.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise ConsentUnavailableError(
                f"the witness's memory {path} is not there",
                "a witness that forgot must be retired: make a new one with --init, and a new key",
            )

    @classmethod
    def create(cls, path: Path, name: str) -> WitnessState:
        """Make an empty memory; the file must not exist.

        Raises:
            ConsentUnavailableError: It exists or cannot be made.
        """
        try:
            path.open("xb").close()
            path.chmod(0o600)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.executescript(
                    "CREATE TABLE witness (name TEXT NOT NULL) STRICT;"
                    "CREATE TABLE head (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL) STRICT;"
                    "CREATE TABLE conflict (at INTEGER NOT NULL, request BLOB NOT NULL UNIQUE) STRICT;"
                )
                connection.execute("INSERT INTO witness VALUES (?)", (name,))
        except (OSError, sqlite3.Error) as error:
            raise ConsentUnavailableError(
                f"the witness's memory {path} cannot be made: {type(error).__name__}",
                "a memory is never written over: name a new folder",
            ) from error
        return cls(path)

    def name(self) -> str:
        """The name that the witness was made with."""
        with self._connection() as connection:
            return str(connection.execute("SELECT name FROM witness").fetchone()[0])

    def head(self, origin: str) -> TreeHead:
        """The head cosigned last for a log; size 0 when there was none."""
        with self._connection() as connection:
            return _head(connection, origin)

    def conflicts(self) -> list[bytes]:
        """Requests signed by a log that do not continue what it signed before: evidence to publish."""
        with self._connection() as connection:
            return [row[0] for row in connection.execute("SELECT request FROM conflict ORDER BY rowid")]

    def add(self, body: bytes, logs: LogKeys, key: SigningKey, now: Callable[[], int]) -> Answer:
        """Answer one request `add-checkpoint`.

        Args:
            body: The request's body.
            logs: By origin, the log's keys that may sign a checkpoint of a size.
            key: The witness's private key.
            now: The time, POSIX seconds.

        Raises:
            ConsentUnavailableError: The memory cannot be read or written; nothing was signed. The head may have been
                stored all the same: the same request again, with the size that the witness then names, gets its answer.
        """
        try:
            request = AddCheckpoint.parse(body)
        except NoteError as error:
            return Answer(BAD_REQUEST, error.message + "\n")
        head = opened(request, logs)
        if isinstance(head, Answer):
            return head
        with self._connection() as connection:
            # The check and the new size in one transaction: two requests from one old size cannot both pass.
            connection.execute("BEGIN IMMEDIATE")
            refusal = decide(_head(connection, head.origin), head, request.old_size, request.proof)
            if refusal is None:
                connection.execute(
                    "INSERT INTO head VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE "
                    "SET size = excluded.size, root = excluded.root, note = excluded.note",
                    (head.origin, head.size, head.root, request.note.encode()),
                )
            elif refusal.evidence:
                connection.execute(
                    "INSERT OR IGNORE INTO conflict SELECT ?, ? WHERE (SELECT count(*) FROM conflict) < ?",
                    (now(), body, MAX_CONFLICTS),
                )
            self._commit(connection)
        if refusal is not None:
            return refusal
        return Answer(OK, signature_lines([cosign(request.note.text, key, now())]))

    def _commit(self, connection: sqlite3.Connection) -> None:
        connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=rw",
                    uri=True,
                    isolation_level=None,
                    timeout=_BUSY_SECONDS,
                )
            ) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise ConsentUnavailableError(
                f"the witness's memory {self._path} cannot be read or written: {type(error).__name__}",
                "check the disk; nothing was signed",
            ) from error


def _head(connection: sqlite3.Connection, origin: str) -> TreeHead:
    row = connection.execute("SELECT size, root FROM head WHERE origin = ?", (origin,)).fetchone()
    return TreeHead(origin, 0, EMPTY_ROOT) if row is None else TreeHead(origin, row[0], row[1])
