"""What the ledger asks of a database, and which one a home has: its SQLite file, or PostgreSQL by URL."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sqlalchemy.pool import QueuePool

from consent.errors import ConfigurationError, ConsentUnavailableError
from consent.store_sqlite import SqliteDatabase

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consent.errors import ConsentError
    from consent.home import Home
    from consent.store_condition import Condition

SCHEME = "postgresql"


def _no_interrupt(record: logging.LogRecord) -> bool:
    """Whether the pool may log it: it logs a Ctrl-C that comes while it closes a connection, with its traceback, and raises it again."""
    return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))


logging.getLogger(f"{QueuePool.__module__}.{QueuePool.__name__}").addFilter(_no_interrupt)


class Database(Protocol):
    """One kind of database.

    Attributes:
        name: What people call it in a message; never a secret.
        errors: What its driver raises, wrapped by SQLAlchemy or not.
    """

    name: str
    errors: tuple[type[Exception], ...]

    def check(self) -> None:
        """Refuse what cannot be a ledger before it is opened."""

    def condition(self, reader: Engine, *, read_only: bool) -> Condition:
        """How it was found: whether it can be written at all, and what the operator must know.

        Raises:
            LedgerNotDurableError: It is to be written, and would not keep what it confirms (exit 4).
        """

    def reading_engine(self, *, read_only: bool) -> Engine:
        """Transactions see one committed state and may write nothing."""

    def writing_engine(self) -> Engine:
        """Transactions take the one writer's lock at their begin; a commit is on disk when it returns."""

    def prepare_new(self) -> None:
        """Make what the schema of a new ledger goes into, where that is luvalla's part."""

    def discard_new(self) -> None:
        """Give back what a set-up made that failed afterwards."""

    def reclaim(self, writer: Engine) -> bool:
        """Remove freed bytes from the database's files; False when another is in the way."""

    def structural_faults(self, reader: Engine) -> list[str]:
        """What the database itself finds wrong with its structure."""

    def lacks_table(self, error: Exception) -> bool:
        """Whether an error says that there is no such table."""

    def opened_read_only(self) -> ConsentError:
        """The error of writing to a ledger that was opened for reading only."""

    def explained(self, error: Exception) -> ConsentError:
        """What an error means; never with the values of a statement."""


def database_of(home: Home, url: str | None) -> Database:
    """The database of a home.

    Args:
        home: The home.
        url: `database` of its luvalla.toml; None means the SQLite file.

    Raises:
        ConfigurationError: The URL is none for PostgreSQL, holds a password, or the driver is not installed (exit 2).
        ConsentUnavailableError: The password's file cannot be read (4).
    """
    if url is None:
        return SqliteDatabase(home.database)
    resolved = resolve(url)
    try:
        # The driver takes 40 ms to import; a home with an SQLite file never loads it.
        from consent.store_postgresql import PostgresqlDatabase  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "the ledger is in PostgreSQL, and its driver is not installed",
            "pip install 'luvalla[postgresql]'",
        ) from error
    return PostgresqlDatabase(resolved)


def resolve(url: str) -> str:
    """The URL with its password in place of the reference to it; the result is a secret.

    Args:
        url: `postgresql://USER@HOST:PORT/DATABASE`, with `?password=env:NAME` or `?password=file:PATH` where the
            server asks for a password; `?host=/folder` for a Unix socket.

    Raises:
        ConfigurationError: Another kind of URL, or a password in it (exit 2).
        ConsentUnavailableError: The password's file cannot be read (4).
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(
            "the ledger's database URL is not one", "use postgresql://USER@HOST/DATABASE"
        ) from error
    if parts.scheme != SCHEME or not parts.path.strip("/"):
        raise ConfigurationError(
            f"the ledger's database must be {SCHEME}://USER@HOST/DATABASE, the URL has another scheme or no database",
            "leave `database` out for the SQLite file of the home",
        )
    if parts.password is not None:
        raise ConfigurationError(
            "the ledger's database URL holds a password",
            "take it out and add ?password=env:NAME or ?password=file:PATH; change it, it was in a file",
        )
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "password" in query:
        query["password"] = _secret(query["password"])
    return urlunsplit(parts._replace(query=urlencode(query)))


def _secret(reference: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        found = os.environ.get(name)
        if not found:
            raise ConfigurationError(
                f"the environment has no {name}, where the database's password should be",
                "set it, or point ?password= elsewhere",
            )
        return found
    if kind == "file" and name:
        try:
            return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConsentUnavailableError(
                f"the database's password cannot be read from {name}", "check the file's owner and mode"
            ) from error
    raise ConfigurationError(
        "the database's password is not given by reference", "use ?password=env:NAME or ?password=file:PATH"
    )
