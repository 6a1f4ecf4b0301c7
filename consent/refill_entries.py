"""The entries that a database lacks, fetched from the published log and kept in a file until they are written: memory does not grow."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

from consent.entries import InstitutionalAct, PersonalEntry, UnknownEntry, parse_entry
from consent.errors import ConsentError, LedgerUnavailableError
from consent.tlog.bundles import bundles
from consent.tlog.merkle import TILE_WIDTH, leaf_hash
from consent.tlog.tiles import bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.tlog.bundles import LogFiles
    from consent.tlog.merkle import RightEdge

RANGE = 16 * TILE_WIDTH
"""Entries that are in memory at a time when they are written: some 4 MB of rows."""
_LENGTH = 2


@dataclass(frozen=True)
class Missing:
    """What the published log has after the database's end.

    Attributes:
        first: Index of the first missing entry.
        size: Entries of the log with them.
        root: Root of the database's own tree, extended by them.
        personal: How many of them are about people.
        runs: How many record a run.
        slots: The most slots that a run among them has: every number that was given before it is smaller.
        named: The purposes and notices that they record, by index.
    """

    first: int
    size: int
    root: bytes
    personal: int
    runs: int
    slots: int
    named: dict[int, InstitutionalAct]
    _file: IO[bytes]

    def ranges(self) -> Iterator[tuple[int, list[bytes]]]:
        """Index of the first entry, and the exact bytes, of each range, in order."""
        self._file.seek(0)
        rest = self._entries()
        start = self.first
        while bodies := list(islice(rest, RANGE)):
            yield start, bodies
            start += len(bodies)

    def _entries(self) -> Iterator[bytes]:
        for _ in range(self.size - self.first):
            yield self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))


@contextmanager
def fetched(files: LogFiles, edge: RightEdge, size: int, folder: Path) -> Iterator[Missing]:
    """Fetch the missing entries; the root is the caller's to compare.

    Args:
        files: The published log.
        edge: The right edge of the database's tree.
        size: Entries of the published log.
        folder: Where the file is while the block lasts; it has no name there, and nothing in it is personal.

    Raises:
        PublishedLogError: The published files are damaged (exit 3).
        PublishedLogUnavailableError: They cannot be fetched (4).
        LedgerUnavailableError: The file cannot be written (4).
    """
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below, where other failures are not of it
    except OSError as error:
        raise _not_kept(folder, error) from error
    with file:
        try:
            missing = _fetch(files, edge, size, file)
        except OSError as error:
            raise _not_kept(folder, error) from error
        yield missing


def _fetch(files: LogFiles, edge: RightEdge, size: int, file: IO[bytes]) -> Missing:
    first, personal, runs, slots = edge.size, 0, 0, 0
    named: dict[int, InstitutionalAct] = {}
    for at, whole in bundles(files, first - first % TILE_WIDTH, size):
        bodies = whole[max(0, first - at) :]
        edge, _ = edge.extended([leaf_hash(body) for body in bodies])
        file.write(bundle(bodies))
        for index, body in enumerate(bodies, max(first, at)):
            act = parsed(body)
            personal += isinstance(act, PersonalEntry)
            if not isinstance(act, InstitutionalAct):
                continue
            if act.kind == "run":
                runs, slots = runs + 1, max(slots, act.body["slots"])
            elif act.kind in ("purpose", "notice"):
                named[index] = act
    file.flush()
    return Missing(first, size, edge.root(), personal, runs, slots, named, file)


def _not_kept(folder: Path, error: OSError) -> LedgerUnavailableError:
    return LedgerUnavailableError(
        f"what is fetched cannot be kept in {folder}: {error.strerror}",
        "check the home's disk and permissions",
    )


def parsed(body: bytes) -> PersonalEntry | InstitutionalAct | UnknownEntry | None:
    """An entry, or None: in the tree, and no evidence of anything; the check names it."""
    try:
        return parse_entry(body)
    except ConsentError:
        return None
