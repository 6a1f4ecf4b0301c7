"""A PostgreSQL server of a benchmark's own, and what it costs: memory and processor time of all its processes (Linux)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "maintenance_work_mem": "512MB"}
"""All that differs from PostgreSQL's defaults, beside the socket; fsync and full_page_writes are on."""
KIB_PER_GB = 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")


class Postmaster:
    """A server's first process, and what it and all that it started cost.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def processor(self) -> float:
        """Seconds of processor time of its living processes and of those that have ended."""
        # proc(5): fields 14 and 15 are its own, 16 and 17 those of ended children.
        stats = {pid: _stat(pid) for pid in self.processes()}
        ended = sum(map(int, stats.get(self.pid, [])[13:15]))
        return (ended + sum(sum(map(int, stat[11:13])) for stat in stats.values())) / TICKS

    def processes(self) -> list[int]:
        """The process ids of all of them."""
        children = [
            int(each.name)
            for each in Path("/proc").glob("[0-9]*")
            if _stat(int(each.name))[1:2] == [str(self.pid)]
        ]
        return [self.pid, *children]


class Server(Postmaster):
    """A running server with its data in a temporary folder and one empty database, and a watch over its memory.

    Attributes:
        url: Of the database.
        peak_gb: The most memory that its processes had together, shared pages counted once, looked at twice a second.
    """

    def __init__(self, folder: Path, postmaster: int) -> None:
        super().__init__(postmaster)
        self.url = f"postgresql://postgres@/ledger?host={quote(str(folder))}"
        self.peak_gb = 0.0
        self._end = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def close(self) -> None:
        """Stop the watch."""
        self._end.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._end.wait(0.5):
            kib = sum(_pss(pid) for pid in self.processes())
            self.peak_gb = max(self.peak_gb, kib / KIB_PER_GB)


def _stat(pid: int) -> list[str]:
    """Fields 3 and on of /proc/PID/stat; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _pss(pid: int) -> int:
    """KiB of memory, of shared pages only its share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


QUIET = {"autovacuum": "off", "wal_writer_delay": "10s", "checkpoint_timeout": "1h"}
"""For counting: what the server would write of itself, and when, stays out of it."""


def wal_syncs(url: str) -> int:
    """How often the server has synced its write-ahead log, once its sessions that have ended have reported it."""
    found = [-1, -2]
    with psycopg.connect(url, autocommit=True) as raw:
        # PostgreSQL 18 moved the count, and tells who synced.
        query = (
            "SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal' AND backend_type = 'client backend'"
            if raw.info.server_version >= 180_000
            else "SELECT wal_sync FROM pg_stat_wal"
        )
        while found[-1] != found[-2]:
            time.sleep(REPORTED_S)
            [(count,)] = raw.execute(query).fetchall()
            found.append(int(count))
    return found[-1]


REPORTED_S = 1.5
"""A session reports what it did at its end, or once a second (PostgreSQL 15 manual, 28.2)."""


@contextmanager
def server(binaries: Path, more: Mapping[str, str] = MappingProxyType({})) -> Iterator[Server]:
    """Start one from a folder of PostgreSQL's programs; stopped and removed at the end. Runs as `nobody` if we are root.

    Args:
        binaries: The folder.
        more: Settings beside `SETTINGS`.
    """
    folder = Path(tempfile.mkdtemp(prefix="luvalla-bench-"))
    data, who = folder / "data", {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody")
    process = None
    try:
        initdb = [
            binaries / "initdb",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "-D",
            data,
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **who)
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), **SETTINGS, **more}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who,
        )  # fmt: skip
        _make_database(folder, process)
        running = Server(folder, process.pid)
        try:
            yield running
        finally:
            running.close()
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _make_database(folder: Path, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            with psycopg.connect(
                f"postgresql://postgres@/postgres?host={quote(str(folder))}", autocommit=True
            ) as raw:
                raw.execute("CREATE DATABASE ledger ENCODING 'UTF8' TEMPLATE template0")
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise SystemExit("the PostgreSQL server of the benchmark does not start") from None
            time.sleep(0.1)
        else:
            return
