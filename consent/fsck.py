"""The check of a whole ledger: everything recomputed from the stored bytes, every fault listed, never only the first.

Order of the parts: the database's own structure; the log (entries, tiles, root, checkpoint); openings, people and keys;
projections; runs. Each later part uses what the log's own bytes said, never a projection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import fsck_people, fsck_projections, fsck_uses, store_raw
from consent.canonical import parse_time
from consent.entries import InstitutionalAct, PersonalEntry, UnknownEntry, parse_entry
from consent.errors import ConsentError
from consent.fsck_findings import Findings
from consent.store_consents import epoch
from consent.tlog.merkle import EMPTY_EDGE, HASH_SIZE, leaf_hash

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.home import Home
    from consent.log import Log
    from consent.records import Fault

REQUEST_BYTES = 16


@dataclass
class LogContent:
    """What the log's own bytes say.

    Attributes:
        leaves: Leaf hash per entry as stored.
        personal: Commitment by index.
        acts: The institution's acts by index.
        times: Time of each entry by index, epoch seconds, as stored.
        requests: Request ids in use.
    """

    leaves: list[bytes] = field(default_factory=list)
    personal: dict[int, bytes] = field(default_factory=dict)
    acts: dict[int, InstitutionalAct] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    requests: set[bytes] = field(default_factory=set)


def check(log: Log, home: Home) -> list[Fault]:
    """See `Ledger.check`."""
    findings = Findings()
    for problem in log.store.structural_faults():
        findings.add("ledger.db", "structure", problem)
    try:
        with log.store.read() as connection:
            content = _read_log(connection, findings, log.pseudonym_key)
            _check_tiles(connection, content, findings)
            _check_checkpoint(log, content, findings)
            people = fsck_people.check(log, connection, content, findings)
            fsck_people.check_journal(home.erasure_journal, connection, content, findings)
            fsck_projections.check(connection, content, people, findings)
            fsck_uses.check(log, connection, content, people, findings)
    except ConsentError as error:
        findings.add("ledger.db", "reading", f"the check could not go on: {error.message}")
    return findings.faults


def _read_log(connection: Connection, findings: Findings, mac_key: bytes) -> LogContent:
    content = LogContent()
    before = 0
    for expected, row in enumerate(store_raw.rows(connection, "entry")):
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
            findings.add(
                "entry", key, "the entry's bytes do not have the leaf hash stored beside them", index
            )
        content.leaves.append(leaf if len(leaf) == HASH_SIZE else leaf_hash(body))
        at = store_raw.integer(row["at"])
        if at is None or at < before:
            findings.add(
                "entry", key, "the entry's time is not one, or is before that of the entry before it", index
            )
        before = before if at is None else max(at, before)
        content.times[index] = -1 if at is None else at
        request = row["request"] or b""
        if len(request) != REQUEST_BYTES or len(row["fingerprint"] or request) != REQUEST_BYTES:
            findings.add("entry", key, f"the request or its fingerprint is not {REQUEST_BYTES} bytes", index)
        content.requests.add(request)
        _read_entry(content, index, body, findings)
    return content


def _read_entry(content: LogContent, index: int, body: bytes, findings: Findings) -> None:
    try:
        entry = parse_entry(body)
    except ConsentError as error:
        findings.add("entry", str(index), f"the entry is not of its form: {error.message}", index)
        return
    if isinstance(entry, PersonalEntry):
        content.personal[index] = entry.commitment
    elif isinstance(entry, InstitutionalAct):
        content.acts[index] = entry
        if epoch(parse_time(entry.at)) != content.times[index]:
            findings.add(
                "entry", str(index), "the time stored beside the entry is not the one it says", index
            )
    elif isinstance(entry, UnknownEntry):
        findings.add(
            "entry", str(index), "the entry is of a version or kind that this luvalla does not know", index
        )


def _check_tiles(connection: Connection, content: LogContent, findings: Findings) -> None:
    _, tiles = EMPTY_EDGE.extended(content.leaves)
    expected = {(tile.level, tile.index): tile for tile in tiles}
    for row in store_raw.rows(connection, "tile"):
        key = store_raw.key_of("tile", row)
        place = (store_raw.integer(row["level"]), store_raw.integer(row["idx"]))
        tile = expected.pop(place, None) if None not in place else None  # type: ignore[arg-type]
        if tile is None:
            findings.add("tile", key, "there is no such full tile in a tree of these entries")
        elif row["hashes"] != tile.hashes or row["root"] != tile.root:
            findings.add("tile", key, "the tile's hashes or root are not those of the entries below it")
    for level, number in sorted(expected):
        findings.add("tile", f"{level}/{number}", "the tile is missing")


def _check_checkpoint(log: Log, content: LogContent, findings: Findings) -> None:
    size = len(content.leaves)
    try:
        last = log.last_checkpoint()
    except ConsentError as error:
        findings.add(
            "checkpoint", "file", f"the checkpoint outside the database does not verify: {error.message}"
        )
        return
    if last is None:
        findings.add("checkpoint", "file", "the checkpoint outside the database is missing")
    elif last.size > size:
        findings.add(
            "checkpoint", "file", f"the checkpoint outside covers {last.size} entries, the log has {size}"
        )
    elif EMPTY_EDGE.extended(content.leaves[: last.size])[0].root() != last.root:
        findings.add(
            "checkpoint", "file", f"the first {last.size} entries do not have the root that was signed"
        )
