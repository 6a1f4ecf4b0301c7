"""All that is particular to PostgreSQL: connections, the one writer's lock, space, and the meaning of its errors.

Loaded only where a home names a PostgreSQL database. Sources: PostgreSQL 15 manual, chapters 13 (isolation, advisory
locks), 30 (WAL) and appendix A (SQLSTATE codes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import psycopg.rows
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from consent.errors import (
    ConsentError,
    LedgerDamagedError,
    LedgerMissingError,
    LedgerNotDurableError,
    LedgerUnavailableError,
    LedgerVersionError,
)
from consent.store import metadata
from consent.store_condition import Condition

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUSY_SECONDS = 10.0
"""How long a writer waits for another; as for SQLite."""
CONNECT_SECONDS = 10
OLDEST = 15
"""The oldest version that is tested."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('luvalla ledger ' || current_schema(), 0))"
"""Advisory locks are per database; the key adds the schema. A statement of its own: the next one's snapshot is taken
after the lock is held, so the writer sees what the one before it committed (READ COMMITTED)."""

MARK = "ALTER DATABASE name SET luvalla.development = 'on'"
"""How an administrator says that a database may lose everything; a setting of the database, so no URL can hide it."""
_YES = frozenset({"on", "true", "yes", "1"})
_CONDITION = (
    "SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS closed,"
    " current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,"
    " lower(current_setting('luvalla.development', true)) AS development"
)

VERSION_TABLE = "alembic_version"
KEPT = frozenset({"tile", "purpose", "notice", "institutional"})
"""Tables in which no erasure deletes or overwrites; even `entry` loses the fingerprints of requests."""

_SAMPLED = (
    "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r' AND c.relname = ANY(%(names)s)"
    " AND a.atttypid = CAST('bytea' AS regtype) AND NOT a.attisdropped AND COALESCE(a.attstattarget, -1) <> 0"
    " ORDER BY 1, 2"
)
"""Columns of bytes that ANALYZE would sample."""
_LOST = "repeat the request with its request id: if it was written, you get the first result"
_IN_THE_WAY = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_xmin IS NOT NULL AND age(backend_xmin) >= age(CAST(CAST(:mark AS TEXT) AS xid))"
)


class PostgresqlDatabase:
    """The ledger in the current schema of a PostgreSQL database; what is asked of it is in `consent.store_database`.

    Args:
        url: `postgresql://...` with its password, if any; never shown.
    """

    errors: tuple[type[Exception], ...] = (SQLAlchemyError, psycopg.Error)

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self.name = f"the PostgreSQL database {self._url.database}"

    def check(self) -> None:
        """Nothing before a connection; each new one is looked at in `_look`."""

    def condition(self, reader: Engine, *, read_only: bool) -> Condition:
        """Whether this server takes writes, and keeps what it confirms."""
        with reader.connect() as connection:
            found = connection.execute(text(_CONDITION)).one()
        warnings = []
        if found.standby:
            warnings.append(
                f"{self.name} is on a standby server: what is read may be older than the primary's, and nothing can be recorded"
            )
        elif found.closed:
            warnings.append(f"{self.name} lets nothing be written (default_transaction_read_only)")
        written = not (read_only or found.standby or found.closed)
        warnings += self._durability(found, written=written)
        return Condition(read_only=found.standby or found.closed, warnings=tuple(warnings))

    def reading_engine(self, *, read_only: bool) -> Engine:  # noqa: ARG002 - a reader is a reader here
        """REPEATABLE READ READ ONLY: all statements of a transaction see the state of the first."""
        engine = self._engine("REPEATABLE READ")

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _: Any) -> None:
            self._look(connection)
            connection.read_only = True

        return engine

    def writing_engine(self) -> Engine:
        """READ COMMITTED, one writer at a time by an advisory lock that ends with the transaction."""
        engine = self._engine("READ COMMITTED")

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _: Any) -> None:
            self._look(connection)
            connection.execute(f"SET lock_timeout = {int(BUSY_SECONDS * 1000)}")
            # Anything weaker returns from a commit that a crash of the server can lose.
            found = connection.execute("SHOW synchronous_commit").fetchone()[0]
            if found not in {"on", "remote_apply"}:
                connection.execute("SET synchronous_commit = on")
            with connection.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
                self._durability(cursor.execute(_CONDITION).fetchone(), written=True)
            connection.commit()

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(LOCK)

        return engine

    def prepare_new(self) -> None:
        """Nothing: making the database and its user is the administrator's part."""

    def discard_new(self) -> None:
        """Drop the tables that this set-up made."""
        engine = self._engine("READ COMMITTED")
        try:
            with engine.begin() as connection:
                metadata.drop_all(connection)
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {VERSION_TABLE}")
        finally:
            engine.dispose()

    def reclaim(self, writer: Engine) -> bool:
        """VACUUM FULL of the tables in which an erasure deletes: their files are written anew without the freed rows.

        The planner's statistics would keep samples of ids, ciphertexts and wrapped keys (pg_statistic holds the most
        common values and bounds of each column): columns of bytes are taken out of them, once, and what was sampled goes.

        False when another transaction is older than this call (it may still see the rows, so they would be kept), or
        when one holds a table for longer than `BUSY_SECONDS`. The write-ahead log and its archive keep the bytes until
        they are recycled (docs/ledger/databases.md).
        """
        connection = writer.raw_connection()
        try:
            driver: Any = connection.driver_connection
            (mark,) = driver.execute("SELECT CAST(CAST(pg_current_xact_id() AS xid) AS TEXT)").fetchone()
            driver.commit()
        finally:
            connection.close()
        engine = writer.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as looking:
            if looking.scalar(_IN_THE_WAY, {"mark": mark}):
                return False
        connection = writer.raw_connection()
        try:
            driver = connection.driver_connection
            driver.autocommit = True
            try:
                for table, column in driver.execute(_SAMPLED, {"names": sorted(metadata.tables)}).fetchall():
                    # Naming the type again drops what was sampled of the column; nothing is rewritten.
                    driver.execute(
                        f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE bytea,'
                        f' ALTER COLUMN "{column}" SET STATISTICS 0'
                    )
                for table in sorted(metadata.tables.keys() - KEPT):
                    driver.execute(f'VACUUM (FULL) "{table}"')
                # Dropped samples are dead rows of the catalogue. Who does not own the database is refused by a warning.
                driver.execute("VACUUM (FULL) pg_statistic")
            except (psycopg.errors.LockNotAvailable, psycopg.errors.InsufficientPrivilege):
                return False
            except psycopg.Error:
                # The pool would try to roll back on a connection that is gone, and log a traceback of it.
                connection.invalidate()
                raise
            finally:
                if not driver.closed:
                    driver.autocommit = False
        finally:
            connection.close()
        return True

    def structural_faults(self, reader: Engine) -> list[str]:
        """Indexes that PostgreSQL itself calls invalid, and, where the extension amcheck may be used, broken ones."""
        indexes = text(
            "SELECT c.relname, c.oid, i.indisvalid, a.amname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_am a ON a.oid = c.relam"
            " WHERE t.relnamespace = to_regnamespace(current_schema()) AND t.relname = ANY(:names) ORDER BY 1"
        )
        usable = text(
            "SELECT COALESCE(has_function_privilege(to_regprocedure('bt_index_check(regclass,boolean)'), 'EXECUTE'), false)"
        )
        with reader.connect() as connection:
            found = list(connection.execute(indexes, {"names": [*metadata.tables, VERSION_TABLE]}))
            amcheck = bool(connection.scalar(usable))
        faults = [f"index {row.relname} is invalid" for row in found if not row.indisvalid]
        for row in found if amcheck else ():
            if not row.indisvalid or row.amname != "btree":
                continue
            try:
                with reader.connect() as connection:
                    connection.execute(
                        text("SELECT bt_index_check(CAST(:oid AS oid)::regclass, true)"), {"oid": row.oid}
                    )
            except self.errors as error:
                if _state(error)[:2] != "XX":
                    raise
                faults.append(f"index {row.relname} does not fit its table")
        return faults

    def lacks_table(self, error: Exception) -> bool:
        """Whether the schema has no such table (42P01)."""
        return _state(error) == "42P01"

    def opened_read_only(self) -> ConsentError:
        """The error of writing to a ledger that was opened for reading only, or is on a server that takes no writes."""
        return LedgerUnavailableError(
            f"{self.name} is read-only, or was opened so", "connect to the primary server, and open the ledger for writing"
        )  # fmt: skip

    def explained(self, error: Exception) -> ConsentError:
        """What an error of the driver means; never with the values of the statement, nor the server's own text."""
        state, name = _state(error), self.name
        for prefix, kind, what, hint in _BY_STATE:
            if state.startswith(prefix):
                return kind(what.format(name), hint)
        # libpq gives no SQLSTATE for a connection that was never made; its text is the only source.
        said = str(getattr(error, "orig", None) or error)
        for words, kind, what, hint in _BY_TEXT:
            if not state and any(word in said for word in words):
                return kind(what.format(name), hint)
        if not state and isinstance(getattr(error, "orig", error), psycopg.OperationalError):
            return LedgerUnavailableError(f"the connection to {name} was lost", _LOST)
        return LedgerUnavailableError(
            f"{name} failed ({state or type(error).__name__})", "look at the server's log, then run `luvalla ledger check`"
        )  # fmt: skip

    def _engine(self, isolation: Any) -> Engine:
        return create_engine(
            self._url,
            poolclass=QueuePool,
            pool_size=4,
            # A server that was restarted between two transactions is not noticed by anybody.
            pool_pre_ping=True,
            isolation_level=isolation,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "luvalla ledger"},
        )

    def _durability(self, found: Any, *, written: bool) -> list[str]:
        off = [name for name in ("fsync", "full_page_writes") if getattr(found, name) == "off"]
        if not off:
            return []
        settings = " and ".join(f"{name}=off" for name in off)
        if written and found.development not in _YES:
            raise LedgerNotDurableError(
                f"{self.name} is on a server with {settings}: a power cut could lose what was confirmed, or the database",
                f"turn it on in postgresql.conf; or, for development only, {MARK}",
            )
        return [f"{self.name} is on a server with {settings}: a power cut could lose what was confirmed"]

    def _look(self, connection: Any) -> None:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise LedgerVersionError(
                f"{self.name} is on PostgreSQL {version}, luvalla needs {OLDEST} or newer",
                "use a newer server",
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise LedgerUnavailableError(
                f"{self.name} has the encoding {encoding}, luvalla needs UTF8",
                "make the database with ENCODING 'UTF8'",
            )


_Meaning = tuple[str, type[ConsentError], str, str]
_BY_STATE: tuple[_Meaning, ...] = (
    ("55P03", LedgerUnavailableError, "{} is locked by another process", "try again when it has finished"),
    ("57014", LedgerUnavailableError, "{} ended the statement", "try again; look for a statement_timeout"),
    ("40", LedgerUnavailableError, "{} rolled the transaction back for another", "try again"),
    ("25006", LedgerUnavailableError, "{} is read-only", "connect to the primary server, or open for reading only"),
    ("53100", LedgerUnavailableError, "the disk of {} is full", "make room, then repeat the request with its request id"),
    ("53300", LedgerUnavailableError, "{} has too many connections", "try again later, or raise max_connections"),
    ("53", LedgerUnavailableError, "{} has run out of a resource", "look at the server's log, then repeat the request"),
    ("28", LedgerUnavailableError, "{} does not let this user in", "check the user, and the password that the URL refers to"),
    ("42501", LedgerUnavailableError, "{} does not allow this user to do that", "grant the ledger's user its tables"),
    ("3D000", LedgerMissingError, "there is no ledger: {} does not exist", "check the URL, or make the database"),
    ("57P", LedgerUnavailableError, "{} stopped or is starting; the connection was lost", _LOST),
    ("08", LedgerUnavailableError, "the connection to {} was lost", _LOST),
    ("58", LedgerUnavailableError, "{} cannot be read or written (disk error)", "check the server's disk, then run `luvalla ledger check`"),
    ("XX", LedgerDamagedError, "{} is damaged: PostgreSQL cannot read it", "run `luvalla ledger check`; restore the database from its backup"),
    ("23", LedgerDamagedError, "the database refused a row that contradicts another", "run `luvalla ledger check`"),
    ("42P01", LedgerDamagedError, "{} lacks a table of the ledger", "restore the database from its backup"),
    ("42703", LedgerDamagedError, "{} lacks a column of the ledger", "restore the database from its backup"),
)  # fmt: skip
_BY_TEXT: tuple[tuple[tuple[str, ...], type[ConsentError], str, str], ...] = (
    (("authentication failed", "no password supplied", "pg_hba.conf", "role "), LedgerUnavailableError, "{} does not let this user in", "check the user, and the password that the URL refers to"),
    (("too many clients", "too many connections", "remaining connection slots"), LedgerUnavailableError, "{} has too many connections", "try again later, or raise max_connections"),
    (("does not exist",), LedgerMissingError, "there is no ledger: {} does not exist", "check the URL, or make the database"),
    (("starting up", "shutting down", "recovery mode"), LedgerUnavailableError, "{} is starting or stopping", "try again shortly"),
    (("connection failed", "connection to server", "could not translate", "failed to resolve", "Connection refused", "timeout expired"), LedgerUnavailableError, "{} cannot be reached", "is the server running, and the URL right?"),
)  # fmt: skip


def _state(error: Exception) -> str:
    cause = error if isinstance(error, psycopg.Error) else getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) or ""
