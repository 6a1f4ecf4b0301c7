"""Files that are there after a power cut: written beside, synced, renamed, and the folder synced."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Give a file its content, durably when this returns; at every moment it has the old one or the new one, whole.

    Args:
        path: The file. Beside it lies `.<name>.new` meanwhile; what a killed process left there is removed.
        content: All of it.
        mode: Permission bits; None: what the process gives to new files.

    Raises:
        OSError: It failed; the file has the old content, or the new one that may not be durable yet.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    with os.fdopen(handle, "wb") as file:
        if mode is not None:
            os.fchmod(handle, mode)
        file.write(content)
        file.flush()
        os.fsync(handle)
    beside.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file's content durable, or what was made, renamed and removed in a folder.

    Raises:
        OSError: It failed.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
