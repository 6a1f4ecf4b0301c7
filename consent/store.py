"""The ledger's tables (SQLAlchemy Core) and its two engines: one that reads, one that writes.

Everything a person could be known by is a number or ciphertext here; keys lie wrapped, the wrapping key is elsewhere.
`entry`, `payload`, `detail` and `tile` are the log; the other tables are projections of it, or what was agreed to be
erasable (`subject`, `subject_key`, `use_*`). `subject.pseudonym` is encrypted, `kek` names the key (consent/pseudonym_column.py). `mac` is the check value of consent/row_mac.py. Blobs are `LargeBinary`, times are whole seconds of the Unix epoch.
"""

from __future__ import annotations

from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    insert,
    text,
)

from consent.errors import ConsentError, LedgerDamagedError, LedgerVersionError
from consent.store_sqlite import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from consent.store_database import Database

SCHEMA_VERSION = "0006"
"""The Alembic revision that this code reads and writes (consent/migrations/versions)."""

_INDEX = BigInteger().with_variant(Integer, "sqlite")
"""An entry's index. SQLite makes only an INTEGER primary key the row's own id."""
_NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A person's number, up to 2^32 - 1: more than PostgreSQL's INTEGER holds."""

metadata = MetaData()

# The log.
entry = Table(
    "entry",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("request", LargeBinary(16), nullable=False, unique=True),
    Column("fingerprint", LargeBinary(16)),
    Column("mac", LargeBinary(16)),
)
tile = Table(
    "tile",
    metadata,
    Column("level", SmallInteger, primary_key=True),
    Column("idx", BigInteger, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)
payload = Table(
    "payload",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("number", _NUMBER, nullable=False, index=True),
    Column("class", SmallInteger, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)
detail = Table(
    "detail",
    metadata,
    Column("idx", BigInteger, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("number", _NUMBER, nullable=False, index=True),
    Column("ciphertext", LargeBinary, nullable=False),
)

# People.
subject = Table(
    "subject",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("pseudonym", LargeBinary(16), unique=True),
    Column("subject", LargeBinary(16), unique=True),
    Column("enrolled", BigInteger, nullable=False),
    Column("erased", BigInteger),
    Column("kek", LargeBinary(8), index=True),
    Column("mac", LargeBinary(16)),
)
subject_key = Table(
    "subject_key",
    metadata,
    Column("class", SmallInteger, primary_key=True),
    Column("number", _NUMBER, primary_key=True),
    Column("wrapped", LargeBinary(60), nullable=False),
    sqlite_with_rowid=False,
)
erased_opening = Table(
    "erased_opening",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("erasure", BigInteger, nullable=False),
    Column("mac", LargeBinary(16)),
)
erasure = Table(
    "erasure",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("number", _NUMBER, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("mac", LargeBinary(16)),
)

# What a restore lost (consent/refill.py).
refill = Table(
    "refill",
    metadata,
    Column("first", _INDEX, primary_key=True, autoincrement=False),
    Column("until", BigInteger, nullable=False),
    Column("numbers", BigInteger, nullable=False),
    Column("journal", LargeBinary(16)),
    Column("erased", LargeBinary, nullable=False),
    Column("mac", LargeBinary(16)),
)
lost_opening = Table(
    "lost_opening",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("mac", LargeBinary(16)),
)

# Projections.
institutional = Table(
    "institutional",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False, index=True),
)
purpose = Table(
    "purpose",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("idx", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
notice = Table(
    "notice",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("idx", BigInteger, nullable=False),
    Column("texts", LargeBinary, nullable=False),
)
consent_event = Table(
    "consent_event",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("number", _NUMBER, nullable=False, index=True),
    Column("purpose", String(128), nullable=False),
    Column("purpose_version", Integer, nullable=False),
    Column("notice_version", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("processing", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Index("ix_consent_event_state", "purpose", "number", "idx"),
)

limitation = Table(
    "limitation",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("number", _NUMBER, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("purposes", Text, nullable=False),
    Column("processing", Text, nullable=False),
    Column("categories", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Uses.
use_run = Table(
    "use_run",
    metadata,
    Column("run", LargeBinary(16), primary_key=True),
    Column("idx", BigInteger, nullable=False, unique=True),
    Column("slots", BigInteger, nullable=False),
    Column("secret", LargeBinary(60), nullable=False),
    Column("values_until", BigInteger),
    Column("explanation", LargeBinary),
    Column("mac", LargeBinary(16)),
)
use_chunk = Table(
    "use_chunk",
    metadata,
    Column("run", LargeBinary(16), ForeignKey("use_run.run"), primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("statuses", LargeBinary, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("values_root", LargeBinary(32)),
    Column("mac", LargeBinary(16)),
)
use_values = Table(
    "use_values",
    metadata,
    Column("run", LargeBinary(16), ForeignKey("use_run.run"), primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("lengths", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("mac", LargeBinary(16)),
)
use_slot = Table(
    "use_slot",
    metadata,
    Column("run", LargeBinary(16), ForeignKey("use_run.run"), primary_key=True),
    Column("number", _NUMBER, primary_key=True),
    Column("slot", LargeBinary(32), nullable=False),
    Column("values_slot", LargeBinary(32)),
    Column("mac", LargeBinary(16)),
)


def insert_rows(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows; all have the columns of the first.

    The statement is SQLAlchemy's own for the database in use; its parameters go to the driver as they are, which takes
    a third of the time of the usual way and is sound for integers, text and bytes.
    """
    if not rows:
        return
    compiled = insert(into).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    statement, order = str(compiled), compiled.positiontup if compiled.positional else None
    if order is None:
        connection.exec_driver_sql(statement, [dict(row) for row in rows])
    else:
        # Every table has more than one column, so an itemgetter makes tuples.
        connection.exec_driver_sql(statement, list(map(itemgetter(*order), rows)))


class Store:
    """The ledger's database.

    Contract:
        Isolation: everything read in one `read()` or `write()` is one committed state.
        Order: one writer at a time, from any thread or process; others wait up to `BUSY_SECONDS`, then fail.
        Durability: what was written is on disk when `write()` ends without an error; with an error that names the
            commit, it may be there all the same, and a retry with the same request id finds it.
        Errors: every error of the driver leaves as a `ConsentError`.

    Attributes:
        database: Which kind.
        read_only: It was opened for reading only, or nothing can be written to it.
        warnings: What the operator must know of the database as it was found, a sentence each.

    Raises:
        LedgerNotDurableError: It is to be written, and would not keep what it confirms.
        LedgerUnavailableError: It cannot be reached or read.
    """

    def __init__(self, database: Database | Path, *, read_only: bool = False) -> None:
        self.database: Database = SqliteDatabase(database) if isinstance(database, Path) else database
        self.read_only = read_only
        self.database.check()
        self._reader = self.database.reading_engine(read_only=read_only)
        try:
            found = self.database.condition(self._reader, read_only=read_only)
        except self.database.errors as error:
            self._reader.dispose()
            raise self.database.explained(error) from error
        except ConsentError:
            self._reader.dispose()
            raise
        self.warnings = found.warnings
        if found.read_only and not read_only:
            self._reader.dispose()
            self._reader = self.database.reading_engine(read_only=True)
            self.read_only = True
        self._writer = None if self.read_only else self.database.writing_engine()

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        if self._writer is not None:
            self._writer.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one committed state.

        Raises:
            LedgerUnavailableError: Locked or gone.
            LedgerDamagedError: Not a database, or damaged.
        """
        try:
            with self._reader.connect() as connection:
                yield connection
        except self.database.errors as error:
            raise self.database.explained(error) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection that alone may write; commits at the end, rolls back at an exception.

        Raises:
            LedgerUnavailableError: Locked, read-only or full.
            LedgerDamagedError: Not a database, or damaged.
        """
        if self._writer is None:
            raise self.database.opened_read_only()
        try:
            with self._writer.begin() as connection:
                yield connection
        except self.database.errors as error:
            raise self.database.explained(error) from error

    def check_version(self) -> None:
        """Refuse a database of another schema.

        Raises:
            LedgerVersionError: A newer luvalla wrote it, or an older one whose migration has not been run.
            LedgerDamagedError: It holds no schema version.
        """
        # As text: see store_log.
        version = text("SELECT version_num FROM alembic_version")
        try:
            with self._reader.connect() as connection:
                found = [str(row[0]) for row in connection.execute(version)]
        except self.database.errors as error:
            if self.database.lacks_table(error):
                found = []
            else:
                raise self.database.explained(error) from error
        if len(found) != 1:
            raise LedgerDamagedError(
                f"{self.database.name} is a database without a ledger in it",
                "restore the ledger from its backup; `luvalla init` never overwrites one",
            )
        if found[0] != SCHEMA_VERSION:
            newer = found[0] > SCHEMA_VERSION
            raise LedgerVersionError(
                f"the ledger has schema version {found[0]}, this luvalla reads {SCHEMA_VERSION}",
                "install the newer luvalla that wrote it"
                if newer
                else "run `luvalla ledger migrate` (make a backup first)",
            )

    def structural_faults(self) -> list[str]:
        """What the database itself finds wrong with its structure; empty when all is well."""
        try:
            return self.database.structural_faults(self._reader)
        except self.database.errors as error:
            return [self.database.explained(error).message]

    def reclaim(self) -> bool:
        """Remove freed bytes from the database's files; False when another reader is in the way.

        Raises:
            LedgerUnavailableError: Locked by a writer, or read-only.
        """
        if self._writer is None:
            raise self.database.opened_read_only()
        self._reader.dispose()
        try:
            return self.database.reclaim(self._writer)
        except self.database.errors as error:
            raise self.database.explained(error) from error
