"""All that is particular to SQLite: connections, locking, the file itself, and the meaning of its errors."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from consent import sqlite_wal
from consent.errors import ConsentError, LedgerDamagedError, LedgerMissingError, LedgerUnavailableError
from consent.store_condition import SOUND, Condition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

DriverError = sqlite3.Error

BUSY_SECONDS = 10.0
"""How long a writer waits for another; an append takes milliseconds, a run over 100,000 people about two seconds."""
CACHE_KIB = 64 * 1024
_HEADER_BYTES = 100
_FILE = "file"
_MAGIC = b"SQLite format 3\x00"


class SqliteDatabase:
    """The ledger in one SQLite file; what is asked of it is in `consent.store_database`."""

    # The driver decodes SQLite's own message: damage that the message quotes is a UnicodeDecodeError.
    errors: tuple[type[Exception], ...] = (SQLAlchemyError, DriverError, UnicodeDecodeError)

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    def check(self) -> None:
        """See `check_file`."""
        check_file(self.path)

    def condition(self, reader: Engine, *, read_only: bool) -> Condition:  # noqa: ARG002 - the file says it
        """See `condition`."""
        return condition(self.path, read_only=read_only)

    def reading_engine(self, *, read_only: bool) -> Engine:
        """See `reading_engine`."""
        return reading_engine(self.path, read_only=read_only)

    def writing_engine(self) -> Engine:
        """See `writing_engine`."""
        return writing_engine(self.path)

    def prepare_new(self) -> None:
        """Make the file, mode 600; there may be none."""
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def discard_new(self) -> None:
        """Nothing: the file goes with the folder that it was made in."""

    def reclaim(self, writer: Engine) -> bool:
        """See `reclaim`."""
        return reclaim(writer)

    def structural_faults(self, reader: Engine) -> list[str]:
        """See `structural_faults`."""
        return structural_faults(reader)

    def lacks_table(self, error: Exception) -> bool:
        """See `lacks_table`."""
        return lacks_table(error)

    def opened_read_only(self) -> ConsentError:
        """See `opened_read_only`."""
        return opened_read_only(self.path)

    def explained(self, error: Exception) -> ConsentError:
        """See `explained`."""
        return explained(error, self.path)


def check_file(path: Path) -> None:
    """Look at the file itself before SQLite does: it would create a missing one and read a truncated one for a while.

    Raises:
        LedgerMissingError: There is none.
        LedgerUnavailableError: It may not be read.
        LedgerDamagedError: It is not an SQLite database, or shorter than its header says and the rest is not in its write-ahead log.
    """
    try:
        header, length = _head(path)
        if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
            raise LedgerDamagedError(f"{path} is not an SQLite database", "restore ledger.db from its backup")
        # SQLite file format, section 1.3: page size at offset 16 (1 means 65,536), size in pages at offset 28.
        page = int.from_bytes(header[16:18], "big")
        page = 65_536 if page == 1 else page
        pages = int.from_bytes(header[28:32], "big")
        # A checkpoint writes the first page first: until it has ended, or been done again after a kill, the rest is in the
        # write-ahead log. If it ends while that is read, the file has grown.
        while length < page * pages and not sqlite_wal.pages(path).issuperset(
            range(length // page + 1, pages + 1)
        ):
            before, length = length, path.stat().st_size
            if length == before:
                raise LedgerDamagedError(
                    f"{path} is truncated: {length} bytes where its header says {page * pages}",
                    "restore ledger.db from its backup",
                )
    except FileNotFoundError as error:
        raise LedgerMissingError(
            f"there is no ledger at {path}",
            "restore ledger.db from its backup, or run `luvalla init` for a new home",
        ) from error
    except OSError as error:
        raise LedgerUnavailableError(
            f"{path} cannot be read: {error.strerror}", "check the file's owner and mode"
        ) from error


def _head(path: Path) -> tuple[bytes, int]:
    """The file's first bytes, and how many there are in all."""
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES), file.seek(0, 2)


def condition(path: Path, *, read_only: bool) -> Condition:
    """Whether the file can be written here: not on read-only media, nor by a user who may not.

    Args:
        path: The file.
        read_only: Nobody wants to write it; then only the media are worth a warning.
    """
    if _writable(path):
        return SOUND
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        what = f"{path.name} is on read-only media: it is as old as they are, and nothing can be recorded"
        return Condition(read_only=True, warnings=(what,))
    what = f"{path.name} or its folder may not be written by this user: opened for reading only, nothing can be recorded"
    return Condition(read_only=True, warnings=() if read_only else (what,))


def writing_engine(path: Path) -> Engine:
    """Transactions start with BEGIN IMMEDIATE, so two writers queue and never fail half-way."""
    return _engine(
        path,
        str(path),
        begin="BEGIN IMMEDIATE",
        pragmas=(
            "journal_mode=WAL",
            # FULL: a commit is on disk when it returns, also at a power cut.
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ),
    )


def reading_engine(path: Path, *, read_only: bool) -> Engine:
    """Transactions see one committed state and may write nothing.

    A `read_only` one also works where the folder may not be written; there SQLite cannot share memory with a writer,
    so the file is taken as immutable, which is true on such media when no write-ahead log lies beside it.
    """
    name, options = str(path), {}
    if read_only:
        name, options = f"file:{path}", {"mode": "ro", "uri": "true"}
        wal = path.with_name(path.name + "-wal")
        if not _writable(path) and not (wal.exists() and wal.stat().st_size):
            options["immutable"] = "1"
    return _engine(path, name, options, begin="BEGIN", pragmas=("query_only=ON",))


def reclaim(writer: Engine) -> bool:
    """VACUUM, then empty the write-ahead log: freed bytes are gone from both files when this returns True.

    `secure_delete` alone left copies in a trial (shared/design.md, "Keys and erasure").
    """
    # Not through a Connection: that would begin a transaction, in which neither statement may run.
    connection = writer.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, *_) = cursor.fetchone() or (1,)
        cursor.close()
    finally:
        connection.close()
    return bool(busy == 0)


def structural_faults(reader: Engine) -> list[str]:
    """SQLite's own check of pages, records and indexes."""
    with reader.connect() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    return [] if found == ["ok"] else found


def lacks_table(error: Exception) -> bool:
    """Whether the database has no such table."""
    return "no such table" in str(getattr(error, "orig", ""))


def opened_read_only(path: Path) -> ConsentError:
    """The error of writing to a ledger that was opened for reading only."""
    if not _writable(path):
        return LedgerUnavailableError(
            f"{path.name} is read-only here: read-only media, or another user's file",
            "check the owner and mode of the file and its folder, and how the disk is mounted",
        )
    return LedgerUnavailableError(f"{path.name} was opened for reading only", "open the ledger for writing")


def explained(error: Exception, path: Path) -> ConsentError:
    """What an error of the driver means; never with the values of the statement."""
    cause = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None)
    text = str(cause) if cause is not None else type(error).__name__
    name = getattr(cause, "sqlite_errorname", "") or ""
    known: tuple[tuple[str, ConsentError], ...] = (
        ("SQLITE_BUSY", LedgerUnavailableError(f"{path} is locked by another process", "try again when it has finished")),
        ("SQLITE_LOCKED", LedgerUnavailableError(f"{path} is locked", "try again when the other work has finished")),
        ("SQLITE_READONLY", LedgerUnavailableError(f"{path} is read-only", "check the owner and mode of the file and its folder")),
        ("SQLITE_CANTOPEN", LedgerUnavailableError(f"{path} cannot be opened", "check the owner and mode of the file and its folder")),
        ("SQLITE_FULL", LedgerUnavailableError(f"the disk of {path} is full", "make room, then repeat the request with its request id")),
        ("SQLITE_IOERR", LedgerUnavailableError(f"{path} cannot be read or written (disk error)", "check the disk, then run `luvalla ledger check`")),
        ("SQLITE_NOTADB", LedgerDamagedError(f"{path} is not an SQLite database", "restore ledger.db from its backup")),
        ("SQLITE_CORRUPT", LedgerDamagedError(f"{path} is damaged: SQLite cannot read it", "run `luvalla ledger check`; restore ledger.db from its backup")),
        ("SQLITE_CONSTRAINT", LedgerDamagedError("the database refused a row that contradicts another", "run `luvalla ledger check`")),
    )  # fmt: skip
    for prefix, meaning in known:
        if name.startswith(prefix):
            return meaning
    if isinstance(error, UnicodeDecodeError) or "decode to UTF-8" in text:
        return LedgerDamagedError(f"{path} holds text that is not UTF-8", "run `luvalla ledger check`")
    if lacks_table(error):
        return LedgerDamagedError(f"{path} lacks a table of the ledger", "restore ledger.db from its backup")
    return LedgerUnavailableError(
        f"{path}: the database failed ({name or type(error).__name__})", "run `luvalla ledger check`"
    )


def _engine(
    path: Path, name: str, options: Mapping[str, str] | None = None, *, begin: str, pragmas: Sequence[str]
) -> Engine:
    # Made of its parts, not parsed: that costs a process which proves one entry a tenth of its time.
    url = URL.create("sqlite+pysqlite", database=name, query=dict(options or {}))
    # isolation_level None: the driver starts no transactions of its own; the "begin" event does.
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=4,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def remember(_: Any, record: Any) -> None:
        record.info[_FILE] = _identity(path)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        # VACUUM and large sorts must leave no copies in the system's temporary folder.
        for pragma in (*pragmas, "temp_store=MEMORY", f"cache_size=-{CACHE_KIB}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        _check_same_file(connection, path)
        connection.exec_driver_sql(begin)

    return engine


def _check_same_file(connection: Connection, path: Path) -> None:
    """Refuse a file that was moved away or replaced since it was opened.

    SQLite goes on with the file that it has open, which nobody finds again: what is written there would be signed and
    lost. The new file is not opened in its place either, since the write-ahead log beside it is still the old one's.

    Raises:
        LedgerUnavailableError: It was.
    """
    if connection.info.get(_FILE) != _identity(path):
        raise LedgerUnavailableError(
            f"{path.name} was moved away or replaced while it was open",
            "stop every process that has the ledger open, put the right file in its place, without the -wal and -shm "
            "files of another one beside it, and start again",
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
