"""A log as a folder that any static web server can serve (C2SP tlog-tiles): tiles and bundles first, the checkpoint last.

The order is what makes it safe: until the new checkpoint stands in the old one's place, nobody is pointed at what is
being written; a crash in between leaves the old checkpoint with all that it needs, and the next call goes on.
A full file that is there is compared and never changed: tiles of a log never change. One publisher at a time.
"""

from __future__ import annotations

import fcntl
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consent.errors import PublicationConflictError, PublicationError
from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.durable import sync
from consent.tlog.merkle import EMPTY_EDGE, TILE_WIDTH, load_edge, root_at
from consent.tlog.published_files import steps
from consent.tlog.tiles import CHECKPOINT, TRUST_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from consent.tlog.checkpoint import Checkpoint
    from consent.tlog.merkle import RightEdge
    from consent.tlog.note import VerifierKey
    from consent.tlog.published_files import LogSource, Step

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A bundle holds 256 entries of at most 65,537 bytes; nothing larger is read."""
WRITERS = 16
"""Files that are written and synced at a time."""


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

    def remove(self, folder: Path) -> None:
        """Delete a folder of partial files, and only those; a file of another name stays, and the folder with it."""
        with suppress(FileNotFoundError):
            for path in folder.iterdir():
                if re.fullmatch(r"[1-9][0-9]{0,2}|\.[1-9][0-9]{0,2}\.new", path.name):
                    path.unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()

    @contextmanager
    def locked(self, folder: Path) -> Iterator[None]:
        """Let one process publish in a folder, which is made when missing.

        Raises:
            BlockingIOError: Another process does.
        """
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)

    def sync(self, folder: Path) -> None:
        """Make the renames in a folder durable."""
        sync(folder)


@dataclass(frozen=True)
class Published:
    """What publishing did, or would do.

    Attributes:
        before: Size that the folder's checkpoint had; None when there was none.
        size: Size of the checkpoint that stands there now.
        written: Paths written, relative to the folder, in the order of writing.
        kept: How many files were there already, byte for byte.
        removed: Folders of partial files deleted: the full ones stood there under the checkpoint before this one.
    """

    before: int | None
    size: int
    written: tuple[str, ...]
    kept: int
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """What is published beside the tiles.

    Attributes:
        checkpoint: Signed, and compared with the ledger by the caller.
        trust_root: The trust root's file.
        keys_at: The keys that may have signed a checkpoint of a size.
        continues: Given the folder's trust root, raises `PublicationConflictError` unless the new one continues it.
    """

    checkpoint: Checkpoint
    trust_root: bytes
    keys_at: Callable[[int], Iterable[VerifierKey]]
    continues: Callable[[bytes], None]


def publish(
    folder: Path,
    source: LogSource,
    statement: Statement,
    *,
    new_only: bool = False,
    dry_run: bool = False,
    disk: Folder | None = None,
) -> Published:
    """Bring a folder to a checkpoint.

    Every entry from the first on is hashed, and what stands in the folder is compared with what they give, before the
    first file is written.

    Args:
        folder: Made if it is not there.
        source: The log, with at least as many entries as the checkpoint covers.
        statement: The checkpoint and the trust root.
        new_only: Begin at the last tile that the folder's checkpoint left partial: everything that checkpoint does not
            cover is hashed and compared, full tiles before it are not looked at, and no partial files are deleted.
        dry_run: Only say what would be written.
        disk: What to write with.

    Raises:
        PublicationConflictError: The folder holds another log, a later or contradicting checkpoint, a trust root that
            the present one does not continue, or a file that differs from the log's. Nothing was changed.
        TreeDamagedError: The ledger's entries do not give the signed root. Nothing was changed.
        PublicationError: The folder cannot be read or written, or another process publishes in it. The old checkpoint
            stands; call again.
    """
    disk = disk or Folder()
    try:
        if dry_run and not folder.exists():
            return _publish(disk, folder, source, statement, new_only=new_only, dry_run=True)
        with disk.locked(folder):
            return _publish(disk, folder, source, statement, new_only=new_only, dry_run=dry_run)
    except BlockingIOError as error:
        raise PublicationError(
            f"another process is publishing in {folder}", "wait until it has ended, then publish again"
        ) from error
    except OSError as error:
        raise PublicationError(
            f"the log cannot be published in {folder}: {error.strerror or type(error).__name__}",
            "what was published before still stands; check the disk and the folder's owner, then publish again",
        ) from error


def _publish(
    disk: Folder, folder: Path, source: LogSource, statement: Statement, *, new_only: bool, dry_run: bool
) -> Published:
    checkpoint = statement.checkpoint
    size, root = checkpoint.size, checkpoint.root
    trust_root = disk.read(folder / TRUST_ROOT)
    if trust_root is not None and trust_root != statement.trust_root:
        statement.continues(trust_root)
    before = _published_size(disk, folder, source, statement)
    edge = EMPTY_EDGE
    if new_only and before is not None:
        edge = load_edge(source, before - before % TILE_WIDTH)
    # All files are compared before the first is written: a folder of another log stays as it is.
    missing: list[str] = []
    removed: list[str] = []
    kept = 0
    first: RightEdge | None = None
    # Also of files that are there: a call that was killed may have renamed them and not come to the sync.
    unsynced: set[Path] = set()
    for step in steps(source, size, root, edge):
        if before is None or step.end > before:
            unsynced.update(parent for path, _ in step.files for parent in Path(path).parents)
        for path, content in step.files:
            found = disk.read(folder / path)
            if found is None:
                missing.append(path)
                first = first or step.edge
            elif found == content:
                kept += 1
            else:
                raise PublicationConflictError(
                    f"{folder / path} is not what the log has there",
                    "the folder was changed or is another log's: publish into an empty folder, and compare the two",
                )
        if before is not None and step.end <= before:
            removed += [path for path in step.partials if (folder / path).is_dir()]
    last = [(TRUST_ROOT, statement.trust_root), (CHECKPOINT, checkpoint.note.encode())]
    changed = [(path, content) for path, content in last if disk.read(folder / path) != content]
    if not dry_run:
        if first is not None:
            unsynced |= _write(disk, folder, steps(source, size, root, first), set(missing))
        for each in sorted(unsynced, reverse=True):
            disk.sync(folder / each)
        for path, content in changed:
            disk.put(folder / path, content)
            disk.sync(folder)
        for path in removed:
            disk.remove(folder / path)
    return Published(
        before,
        size,
        (*missing, *(path for path, _ in changed)),
        kept + len(last) - len(changed),
        tuple(removed),
    )


def _published_size(
    disk: Folder,
    folder: Path,
    source: LogSource,
    statement: Statement,
) -> int | None:
    raw = disk.read(folder / CHECKPOINT)
    if raw is None:
        return None
    checkpoint = statement.checkpoint
    there = open_checkpoint(raw, checkpoint.origin, statement.keys_at)
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


def _write(disk: Folder, folder: Path, made: Iterable[Step], missing: set[str]) -> set[Path]:
    """Write what is missing; returns the folders, relative to `folder`, whose renames are to be synced."""
    touched: set[Path] = set()
    # Files that wait for the disk together share its commits: 300 take as long as 20 one after the other.
    with ThreadPoolExecutor(WRITERS) as pool:
        # The steps end with a comparison of the root once more: what the checkpoint will cover is what was written.
        for step in made:
            new = [(folder / path, content) for path, content in step.files if path in missing]
            list(pool.map(lambda file: disk.put(*file), new))
            touched.update(parent for path, _ in new for parent in path.relative_to(folder).parents)
    return touched
