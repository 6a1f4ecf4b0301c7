"""Putting a new home in its place: its parents on disk, itself on disk, then its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import LedgerUnavailableError
from consent.tlog.durable import sync

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def is_free(path: Path, keep: Collection[str] = ()) -> bool:
    """Whether a home can be made at a path: nothing is there, or a folder with nothing but the names to keep.

    A link or a mounted disk is in the way: a finished home is renamed to the path, and neither can be renamed over.
    """
    if path.is_symlink() or path.is_mount():
        return False
    return not path.exists() or (path.is_dir() and {entry.name for entry in path.iterdir()} <= set(keep))


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it, each on disk in the one above it; one that is there stays as it is.

    Args:
        path: The folder.
        mode: Its permission bits, less the process's umask; those above it get the usual ones.

    Raises:
        OSError: It cannot be made.
    """
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode, exist_ok=True)
        sync(path.parent)


def put_in_place(source: Path, path: Path, keep: Collection[str] = ()) -> None:
    """Give a home its name; what is to be kept of its folder moves into it first.

    Args:
        source: The home, whole and on disk, in the same folder as `path`.
        path: Free (`is_free`).
        keep: Names in the folder at `path` that move.

    Raises:
        OSError: It does not have its name, and what was to be kept is where it was.
    """
    moved = []
    try:
        for name in keep:
            if (path / name).exists():
                (path / name).rename(source / name)
                moved.append(name)
        source.rename(path)
    except BaseException:
        for name in moved:
            if (source / name).exists():
                (source / name).rename(path / name)
        raise


def keep_name(path: Path) -> None:
    """Make a home's name durable.

    Raises:
        LedgerUnavailableError: It has its name, and that may not survive a power cut.
    """
    try:
        sync(path.parent)
    except OSError as error:
        raise LedgerUnavailableError(
            f"the home {path} is made, and its name may not be on disk: {error.strerror}",
            "check the disk; the home is whole, so go on with it when the disk is sound",
        ) from error


def sync_all(folder: Path) -> None:
    """Sync every file and folder in a folder, and itself: keys and pin are in no backup yet.

    Raises:
        OSError: It cannot be.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
