"""A log as a folder that any static web server can serve (C2SP tlog-tiles): tiles and bundles first, the checkpoint last.

The order is what makes it safe: until the new checkpoint stands in the old one's place, nobody is pointed at what is
being written; a crash in between leaves the old checkpoint with all that it needs, and the next call goes on.
A file that is there is compared and never changed: tiles of a log never change.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from consent.errors import PublicationConflictError, PublicationError
from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.merkle import TILE_BITS, TILE_WIDTH, HashStore, root_at
from consent.tlog.tiles import CHECKPOINT, TRUST_ROOT, bundle, bundle_path, tile_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from consent.tlog.checkpoint import Checkpoint
    from consent.tlog.note import VerifierKey

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A bundle holds 256 entries of at most 65,537 bytes; nothing larger is read."""


class LogSource(HashStore, Protocol):
    """Where a log's hashes and entries come from."""

    def entries(self, start: int, end: int) -> list[bytes]:
        """The exact bytes of entries `start` to `end` - 1."""
        ...


class Folder:
    """The file operations that publishing needs, so that a test can make each of them fail."""

    def read(self, path: Path) -> bytes | None:
        """Return the file's bytes, or None if there is no such file."""
        try:
            with path.open("rb") as file:
                return file.read(MAX_FILE_BYTES)
        except FileNotFoundError:
            return None

    def put(self, path: Path, content: bytes) -> None:
        """Write beside, sync, and rename into place; readable by everyone."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.chmod(0o644)
            beside.replace(path)
        except OSError:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise

    def sync(self, folder: Path) -> None:
        """Make the renames in a folder durable."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True)
class Published:
    """What publishing did, or would do.

    Attributes:
        before: Size that the folder's checkpoint had; None when there was none.
        size: Size of the checkpoint that stands there now.
        written: Paths written, relative to the folder, in the order of writing.
        kept: How many files were there already, byte for byte.
    """

    before: int | None
    size: int
    written: tuple[str, ...]
    kept: int


def publish(
    folder: Path,
    source: LogSource,
    checkpoint: Checkpoint,
    trust_root: bytes,
    keys_at: Callable[[int], Iterable[VerifierKey]],
    *,
    dry_run: bool = False,
    disk: Folder | None = None,
) -> Published:
    """Bring a folder to a checkpoint.

    Args:
        folder: Made if it is not there.
        source: The log, with at least as many entries as the checkpoint covers.
        checkpoint: Signed, and compared with the source by the caller.
        trust_root: The trust root's file.
        keys_at: The keys that may have signed a checkpoint of a size.
        dry_run: Only say what would be written.
        disk: What to write with.

    Raises:
        PublicationConflictError: The folder holds another log, a later or contradicting checkpoint, or a file that
            differs from the log's. Nothing was changed.
        PublicationError: The folder cannot be read or written. The old checkpoint stands; call again.
    """
    disk = disk or Folder()
    try:
        before = _published_size(disk, folder, source, checkpoint, keys_at)
        # All files are compared before the first is written: a folder of another log stays as it is.
        missing: list[str] = []
        kept = 0
        for path, content in files(source, checkpoint.size):
            found = disk.read(folder / path)
            if found is None:
                missing.append(path)
            elif found == content:
                kept += 1
            else:
                raise PublicationConflictError(
                    f"{folder / path} is not what the log has there",
                    "the folder was changed or is another log's: publish into an empty folder, and compare the two",
                )
        last: list[tuple[str, bytes]] = []
        for path, content in ((TRUST_ROOT, trust_root), (CHECKPOINT, checkpoint.note.encode())):
            if disk.read(folder / path) == content:
                kept += 1
            else:
                last.append((path, content))
        if not dry_run:
            _write(disk, folder, source, checkpoint.size, set(missing))
            for path, content in last:
                disk.put(folder / path, content)
                disk.sync(folder)
    except OSError as error:
        raise PublicationError(
            f"the log cannot be published in {folder}: {error.strerror or type(error).__name__}",
            "what was published before still stands; check the disk and the folder's owner, then publish again",
        ) from error
    return Published(before, checkpoint.size, (*missing, *(path for path, _ in last)), kept)


def files(source: LogSource, size: int) -> Iterator[tuple[str, bytes]]:
    """Every entry bundle and tile of a tree of `size` leaves, full ones and the partial ones at the right edge.

    Args:
        source: The log.
        size: Number of entries.

    Yields:
        Path relative to the folder, and content.
    """
    for start in range(0, size, TILE_WIDTH):
        width = min(TILE_WIDTH, size - start)
        yield bundle_path(start // TILE_WIDTH, width), bundle(source.entries(start, start + width))
    level = 0
    while (count := size >> (TILE_BITS * level)) > 0:
        for start in range(0, count, TILE_WIDTH):
            width = min(TILE_WIDTH, count - start)
            index = start // TILE_WIDTH
            full = width == TILE_WIDTH
            yield (
                tile_path(level, index, width),
                source.tile(level, index) if full else source.span(level, start, count),
            )
        level += 1


def _published_size(
    disk: Folder,
    folder: Path,
    source: LogSource,
    checkpoint: Checkpoint,
    keys_at: Callable[[int], Iterable[VerifierKey]],
) -> int | None:
    raw = disk.read(folder / CHECKPOINT)
    if raw is None:
        return None
    there = open_checkpoint(raw, checkpoint.head.origin, keys_at)
    if there.size > checkpoint.size:
        raise PublicationConflictError(
            f"{folder} holds a checkpoint of {there.size} entries, the ledger's last one covers {checkpoint.size}",
            "the ledger was restored from an older copy: put the newer database back; never delete what was published",
        )
    if root_at(source, there.size) != there.root:
        raise PublicationConflictError(
            f"the checkpoint published in {folder} has another root for its {there.size} entries than the ledger",
            "one of the two was rewritten: keep both, and run `luvalla ledger check`",
        )
    return there.size


def _write(disk: Folder, folder: Path, source: LogSource, size: int, missing: set[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    touched: set[Path] = set()
    for path, content in files(source, size) if missing else ():
        if path in missing:
            disk.put(folder / path, content)
            parent = (folder / path).parent
            while parent != folder:
                touched.add(parent)
                parent = parent.parent
    for each in sorted(touched, reverse=True):
        disk.sync(each)
