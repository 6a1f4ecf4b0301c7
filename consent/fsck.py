"""The check of a whole ledger: everything recomputed from the stored bytes, every fault listed, never only the first.

Order of the parts: the database's own structure; the log (entries, tiles, root, checkpoint); openings, people and keys;
projections; runs. Each later part uses what the log's own bytes said, never a projection.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from consent import (
    fsck_journal,
    fsck_keys,
    fsck_people,
    fsck_projections,
    fsck_uses,
    row_mac,
    store_lost,
    store_raw,
)
from consent.canonical import parse_time
from consent.entries import InstitutionalAct, PersonalEntry, UnknownEntry, parse_entry
from consent.errors import ConsentError
from consent.fsck_findings import Findings
from consent.fsck_lost import Lost
from consent.store import SCHEMA_VERSION
from consent.store_consents import epoch
from consent.tlog.merkle import EMPTY_EDGE, HASH_SIZE, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from consent.home import Home
    from consent.log import Log
    from consent.records import Fault
    from consent.tlog.checkpoint import Checkpoint
    from consent.tlog.merkle import RightEdge

REQUEST_BYTES = 16


@dataclass
class LogContent:
    """What the log's own bytes say, but for what `fsck_ranges` reads again, a range at a time.

    Attributes:
        checkpoint: The checkpoint outside, read before the log; None when it could not be.
        wanted: Request ids that it matters to find.
        edge: The tree of the leaf hashes as stored.
        signed: The tree at the checkpoint's size; None while the log has not that many entries.
        tiles: Digest of hashes and root of each full tile, by level and index: 32 bytes for 256 entries.
        acts: The institution's acts by index.
        requests: Which of the wanted request ids are in use.
        last_at: The latest time so far.
        refilled: Where stretches of entries begin that came back from the published copy.
        lost: What a restore lost; read with the openings.
    """

    checkpoint: Checkpoint | None = None
    wanted: frozenset[bytes] = frozenset()
    edge: RightEdge = EMPTY_EDGE
    signed: RightEdge | None = None
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    acts: dict[int, InstitutionalAct] = field(default_factory=dict)
    requests: set[bytes] = field(default_factory=set)
    last_at: int = 0
    refilled: list[int] = field(default_factory=list)
    lost: Lost = field(default_factory=Lost)

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.edge.size

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take the leaf hashes of the next entries."""
        # At the checkpoint's size the tree is looked at once, on the way.
        cut = 0 if self.checkpoint is None else min(max(self.checkpoint.size - self.size, 0), len(leaves))
        for part in (leaves[:cut], leaves[cut:]):
            self.edge, full = self.edge.extended(part)
            self.tiles.update(
                ((tile.level, tile.index), tile_digest(tile.hashes, tile.root)) for tile in full
            )
            if self.checkpoint is not None and self.size == self.checkpoint.size:
                self.signed = self.edge


def tile_digest(hashes: bytes | None, root: bytes | None) -> bytes:
    """What two tiles have in common only where they are the same: the hash of their hashes and root."""
    parts = [b"\x00" if part is None else b"\x01%d:%b" % (len(part), part) for part in (hashes, root)]
    return sha256(b"".join(parts)).digest()


def check(log: Log, home: Home) -> list[Fault]:
    """See `Ledger.check`."""
    findings = Findings()
    log.vault.refresh()
    # What lies outside is read before the database: what is written meanwhile belongs to a later check.
    checkpoint, wanted = _checkpoint(log), fsck_journal.requests(home.erasure_journal)
    for problem in log.store.structural_faults():
        findings.add("ledger.db", "structure", problem)
    try:
        with log.store.read() as connection, uncollected():
            _check_version(connection, findings)
            content = read_log(connection, findings, log.pseudonym_key, checkpoint, wanted)
            check_tree(log, connection, content, findings)
            people = fsck_people.check(log, connection, content, findings)
            fsck_journal.check(log, home.erasure_journal, connection, content, findings)
            fsck_keys.check(log, connection, home, findings)
            fsck_projections.check(connection, content, findings)
            fsck_uses.check(log, connection, content, people, findings)
    except ConsentError as error:
        findings.add("ledger.db", "reading", f"the check could not go on: {error.message}")
    return findings.faults


def _check_version(connection: Connection, findings: Findings) -> None:
    """The schema's version: who changes it makes every luvalla refuse the ledger, or a migration run anew."""
    found = store_raw.versions(connection)
    if found != [SCHEMA_VERSION]:
        said = "/".join(found) or "missing"
        findings.add("alembic_version", said, f"the schema's version should be {SCHEMA_VERSION}, once")


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles: it would look through millions of objects again and again, and there are none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def read_log(
    connection: Connection,
    findings: Findings,
    mac_key: bytes,
    checkpoint: Checkpoint | None = None,
    wanted: frozenset[bytes] = frozenset(),
) -> LogContent:
    """Read the entries, many at a time; where something is wrong among them, one by one, to say where.

    Args:
        connection: A transaction.
        findings: Where faults are noted.
        mac_key: The pseudonym key.
        checkpoint: The checkpoint outside.
        wanted: Request ids that it matters to find.
    """
    content = LogContent(checkpoint, wanted)
    names = store_raw.names_of("entry")
    mac_of = row_mac.of_raw(mac_key, "entry")
    refilled, before = store_lost.refilled_mark(mac_key), False
    content.extend(())
    for rows in store_raw.batches(connection, "entry"):
        first = content.size
        for place, row in enumerate(rows, first):
            marked = row[_FINGERPRINT] == refilled
            if marked and not before:
                content.refilled.append(place)
            before = marked
        leaves = _sound_rows(rows, first, content, mac_of)
        damaged: list[bytes] = []
        for place, row in enumerate(rows, first):
            body = row[_BODY] or b""
            if leaves is None:
                index, leaf, at = _read_row(
                    content, place, dict(zip(names, row, strict=True)), findings, mac_key
                )
                damaged.append(leaf)
                _read_entry(content, index, body, at, findings)
            elif PersonalEntry.commitment_in(body) is None:
                _read_entry(content, place, body, store_raw.integer(row[_AT]), findings)
        content.extend(damaged if leaves is None else leaves)
    return content


_BODY, _AT, _FINGERPRINT = 2, 3, 5
"""Where the entry's bytes, its time, and what its request asked for, are in a row."""


def _sound_rows(
    rows: Sequence[store_raw.RawTuple],
    first: int,
    content: LogContent,
    mac_of: Callable[[Sequence[bytes | None]], bytes],
) -> Sequence[bytes] | None:
    """Take rows in which `_read_row` would find nothing; None, and nothing taken, where it would find something."""
    indices, leaves, bodies, times, requests, fingerprints, macs = zip(*rows, strict=True)
    at = store_raw.integers(times)
    sound = (
        at is not None
        and list(indices) == [b"%d" % index for index in range(first, first + len(rows))]
        and None not in bodies
        and list(leaves) == [leaf_hash(body) for body in bodies]
        and at[0] >= content.last_at
        and at == sorted(at)
        and all(request is not None and len(request) == REQUEST_BYTES for request in requests)
        and all(each is None or len(each) == REQUEST_BYTES for each in fingerprints)
        and list(macs) == [mac_of(row) for row in zip(indices, times, requests, fingerprints, strict=True)]
    )
    if not sound or at is None:
        return None
    content.requests |= content.wanted.intersection(requests)
    content.last_at = at[-1]
    return leaves


def _read_row(
    content: LogContent, expected: int, row: store_raw.RawRow, findings: Findings, mac_key: bytes
) -> tuple[int, bytes, int]:
    """The row's index, leaf hash and time."""
    key = store_raw.key_of("entry", row)
    index = store_raw.integer(row["idx"])
    findings.check_mac(mac_key, "entry", row)
    if index != expected:
        findings.add(
            "entry", key, f"expected index {expected}: entries are missing or out of order", expected
        )
    index = expected if index is None else index
    body, leaf = row["body"] or b"", row["leaf"] or b""
    if len(leaf) != HASH_SIZE or leaf_hash(body) != leaf:
        findings.add("entry", key, "the entry's bytes do not have the leaf hash stored beside them", index)
    at = store_raw.integer(row["at"])
    if at is None or at < content.last_at:
        findings.add(
            "entry", key, "the entry's time is not one, or is before that of the entry before it", index
        )
    content.last_at = content.last_at if at is None else max(at, content.last_at)
    request = row["request"] or b""
    if len(request) != REQUEST_BYTES or len(row["fingerprint"] or request) != REQUEST_BYTES:
        findings.add("entry", key, f"the request or its fingerprint is not {REQUEST_BYTES} bytes", index)
    content.requests |= content.wanted & {request}
    return index, leaf if len(leaf) == HASH_SIZE else leaf_hash(body), -1 if at is None else at


def _read_entry(content: LogContent, index: int, body: bytes, at: int | None, findings: Findings) -> None:
    try:
        entry = parse_entry(body)
    except ConsentError as error:
        findings.add("entry", str(index), f"the entry is not of its form: {error.message}", index)
        return
    if isinstance(entry, InstitutionalAct):
        content.acts[index] = entry
        if epoch(parse_time(entry.at)) != at:
            findings.add(
                "entry", str(index), "the time stored beside the entry is not the one it says", index
            )
    elif isinstance(entry, UnknownEntry):
        findings.add(
            "entry", str(index), "the entry is of a version or kind that this luvalla does not know", index
        )


def check_tree(log: Log, connection: Connection, content: LogContent, findings: Findings) -> None:
    """The tree built anew: its root at the external checkpoint's size, and every full tile."""
    last = _last_checkpoint(log, content, findings)
    if last is not None:
        signed = content.signed
        if signed is None or signed.size != last.size:
            signed = read_log(connection, Findings(), log.pseudonym_key, last).signed
        if signed is None or signed.root() != last.root:
            findings.add(
                "checkpoint", "file", f"the first {last.size} entries do not have the root that was signed"
            )
    expected = dict(content.tiles)
    for row in store_raw.rows(connection, "tile"):
        key = store_raw.key_of("tile", row)
        place = (store_raw.integer(row["level"]), store_raw.integer(row["idx"]))
        tile = expected.pop(place, None) if None not in place else None  # type: ignore[arg-type]
        if tile is None:
            findings.add("tile", key, "there is no such full tile in a tree of these entries")
        elif tile != tile_digest(row["hashes"], row["root"]):
            findings.add("tile", key, "the tile's hashes or root are not those of the entries below it")
    for level, number in sorted(expected):
        findings.add("tile", f"{level}/{number}", "the tile is missing")


def _checkpoint(log: Log) -> Checkpoint | None:
    """The checkpoint outside; None where there is none that verifies, which `check_tree` reports."""
    try:
        return log.last_checkpoint()
    except ConsentError:
        return None


def _last_checkpoint(log: Log, content: LogContent, findings: Findings) -> Checkpoint | None:
    """The checkpoint outside; None where it cannot be compared with the entries, which is a fault."""
    try:
        last = content.checkpoint or log.last_checkpoint()
    except ConsentError as error:
        findings.add(
            "checkpoint", "file", f"the checkpoint outside the database does not verify: {error.message}"
        )
        return None
    if last is None:
        findings.add("checkpoint", "file", "the checkpoint outside the database is missing")
    elif last.size > content.size:
        findings.add(
            "checkpoint",
            "file",
            f"the checkpoint outside covers {last.size} entries, the log has {content.size}",
        )
        return None
    return last
