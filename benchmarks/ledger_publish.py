"""What publishing costs: every entry hashed and every file compared, against only what is new.

    .venv/bin/python benchmarks/ledger_publish.py [--size ENTRIES]

Invented personal entries in a plain SQLite file, published into a temporary folder: first, again with nothing new, and
after 1,000 more entries; each in full and with --new-only. The ledger's own look-ups and checks are not in it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import sqlite3
import tempfile
import time
from pathlib import Path

from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.merkle import EMPTY_EDGE, leaf_hash
from consent.tlog.note import generate_key
from consent.tlog.publish import Statement, publish

ORIGIN = "benchmark.example/log"
BATCH = 100_000


class Source:
    """A log of invented entries."""

    def __init__(self, path: Path) -> None:
        self.sql = sqlite3.connect(path)
        self.sql.execute("create table entry (idx integer primary key, body blob)")
        self.sql.execute("create table tile (level, idx, hashes, root, primary key (level, idx))")
        self.edge = EMPTY_EDGE

    def entries(self, start: int, end: int) -> list[bytes]:
        """See `LogSource`."""
        query = "select body from entry where idx >= ? and idx < ? order by idx"
        return [row[0] for row in self.sql.execute(query, (start, end))]

    def tile(self, level: int, index: int) -> bytes:
        """See `HashStore`."""
        query = "select hashes from tile where level = ? and idx = ?"
        return self.sql.execute(query, (level, index)).fetchone()[0]

    def span(self, level: int, start: int, end: int) -> bytes:
        """See `HashStore`."""
        if level == 0:
            return b"".join(leaf_hash(entry) for entry in self.entries(start, end))
        query = "select root from tile where level = ? and idx >= ? and idx < ? order by idx"
        return b"".join(row[0] for row in self.sql.execute(query, (level - 1, start, end)))

    def grow(self, count: int) -> None:
        """Append invented entries."""
        start = self.edge.size
        bodies = [self._body(index) for index in range(start, start + count)]
        self.sql.executemany("insert into entry values (?, ?)", list(enumerate(bodies, start)))
        self.edge, tiles = self.edge.extended([leaf_hash(body) for body in bodies])
        rows = [(tile.level, tile.index, tile.hashes, tile.root) for tile in tiles]
        self.sql.executemany("insert into tile values (?, ?, ?, ?)", rows)
        self.sql.commit()

    @staticmethod
    def _body(index: int) -> bytes:
        commitment = base64.urlsafe_b64encode(hashlib.sha256(str(index).encode()).digest()).rstrip(b"=")
        return b'{"c":"' + commitment + b'","t":"p","v":1}'


def main(count: int) -> None:
    key = generate_key(ORIGIN)
    with tempfile.TemporaryDirectory() as folder:
        source = Source(Path(folder) / "log.db")

        def run(what: str, *, new_only: bool = False) -> None:
            head = TreeHead(ORIGIN, source.edge.size, source.edge.root())
            statement = Statement(sign_checkpoint(head, key), b"{}", lambda _: [key.verifier], lambda _: None)
            wall, processor = time.perf_counter(), time.process_time()
            done = publish(Path(folder) / "public", source, statement, new_only=new_only)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            counts = f"{len(done.written)} written, {done.kept} compared"
            print(f"{wall:7.2f} s wall {processor:7.2f} s processor  {what}: {counts}", flush=True)

        for at in range(0, count, BATCH):
            source.grow(min(BATCH, count - at))
        print(f"{count:,} entries", flush=True)
        run("first")
        run("nothing new, in full")
        run("nothing new, --new-only", new_only=True)
        source.grow(1000)
        run("1,000 more, --new-only", new_only=True)
        source.grow(1000)
        run("1,000 more, in full")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=100_000, help="entries")
    main(parser.parse_args().size)
