"""The last signed checkpoint, kept outside the database: the memory that survives a restored or rewritten ledger."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from consent.errors import CheckpointConflictError, CheckpointStoreError
from consent.tlog.durable import sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_CHECKPOINT_BYTES = 256 * 1024
LOCK_SECONDS = 10.0
"""Replacing takes milliseconds; whoever holds the lock longer hangs."""
_LOCK_PAUSE = 0.01
_NOTHING_TO_SYNC = frozenset({errno.EROFS, errno.EINVAL})
"""What a read-only file system answers to fsync: nothing of it can be unwritten."""


class CheckpointStore(Protocol):
    """One value, the last signed checkpoint, changed only by compare-and-swap.

    Contract:
        Durability: when `replace` returns, the new bytes survive a crash and a power cut.
        Atomicity: a reader, also after a crash, sees the old bytes or the new ones, whole.
        Order: there is one history of values; a value is replaced only by somebody who knew it.
        Concurrency: any number of threads and processes; of several `replace` calls with the same `expected`, at
            most one changes the value.
        Errors: `CheckpointConflictError` means nothing was changed and the value is not `expected`.
            `CheckpointStoreError` from `replace` means that the outcome is UNKNOWN: the bytes may have been written
            all the same. The caller reads again (or repeats the same call, which then succeeds without a second
            change) and must treat a checkpoint that may have been written as signed and published.
    """

    def read(self) -> bytes | None:
        """Return the stored bytes, or None if nothing was stored yet.

        Raises:
            CheckpointStoreError: If it cannot be read.
        """

    def replace(self, expected: bytes | None, new: bytes) -> None:
        """Store `new` if the value is `expected`; if it is already `new`, make sure that it is durable.

        Args:
            expected: The value that the caller read; None for "nothing yet".
            new: The value to store.

        Raises:
            CheckpointConflictError: If the value is neither `expected` nor `new`; nothing was changed.
            CheckpointStoreError: If it failed on the way; it may have been stored.
        """

    def sync(self) -> None:
        """Make durable what was read before this call: whoever put it there may have been killed on the way.

        Nothing is changed, so nobody is in the way, and it also works where nothing can be written.

        Raises:
            CheckpointStoreError: Nothing may rest on what was read.
        """


class Disk:
    """The four things asked of the disk; the tests' disks fail in each of them."""

    def read(self, path: Path) -> bytes | None:
        """Return the file's bytes, or None if there is no such file."""
        try:
            with path.open("rb") as file:
                return file.read(MAX_CHECKPOINT_BYTES + 1)
        except FileNotFoundError:
            return None

    def write(self, path: Path, content: bytes) -> None:
        """Write the file anew and sync it."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, source: Path, target: Path) -> None:
        """Put the source in the target's place, atomically."""
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """Make renames in the folder durable."""
        sync(folder)


class FileCheckpointStore:
    """`CheckpointStore` as one file: write beside, sync, rename, sync the folder, under a lock file.

    Args:
        path: The checkpoint's file. Beside it lie `<name>.lock`, which stays, and at times `<name>.new`.
        disk: What to write with.
        lock_seconds: How long to wait for another process that is replacing the checkpoint.
    """

    def __init__(self, path: Path, disk: Disk | None = None, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self._path = path
        self._disk = disk or Disk()
        self._lock_seconds = lock_seconds

    def read(self) -> bytes | None:
        """See `CheckpointStore.read`."""
        try:
            content = self._disk.read(self._path)
        except OSError as error:
            raise self._failure("read", error) from error
        if content is not None and len(content) > MAX_CHECKPOINT_BYTES:
            message = f"the checkpoint file {self._path} is larger than {MAX_CHECKPOINT_BYTES} bytes"
            raise CheckpointStoreError(message, "it is not a checkpoint: restore the file from its copy")
        return content

    def replace(self, expected: bytes | None, new: bytes) -> None:
        """See `CheckpointStore.replace`."""
        with self._lock():
            current = self.read()
            if current not in (expected, new):
                message = "the checkpoint kept outside the database is not the one this writer last saw"
                raise CheckpointConflictError(
                    message, "another process signed, or an old copy was put back: run `luvalla ledger check`"
                )
            beside = self._path.with_name(self._path.name + ".new")
            try:
                if current != new:
                    self._disk.write(beside, new)
                    self._disk.rename(beside, self._path)
                # Also when the value was there already: the call that wrote it may have failed before this line.
                self._disk.sync_folder(self._path.parent)
            except OSError as error:
                raise self._failure("written", error) from error

    def sync(self) -> None:
        """See `CheckpointStore.sync`: without the lock, since nothing is changed, and also where nothing can be."""
        try:
            self._disk.sync_folder(self._path.parent)
        except OSError as error:
            if error.errno not in _NOTHING_TO_SYNC:
                raise self._failure("written", error) from error

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = self._path.with_name(self._path.name + ".lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failure("locked", error) from error
        try:
            self._wait_for_lock(handle)
            yield
        finally:
            os.close(handle)

    def _wait_for_lock(self, handle: int) -> None:
        until = time.monotonic() + self._lock_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise self._failure("locked", error) from error
                time.sleep(_LOCK_PAUSE)
            except OSError as error:
                raise self._failure("locked", error) from error
            else:
                return

    def _failure(self, what: str, error: OSError) -> CheckpointStoreError:
        message = (
            f"the checkpoint file {self._path} cannot be {what}: {error.strerror or type(error).__name__}"
        )
        return CheckpointStoreError(message, "check the disk and the folder's permissions, then try again")


class RelyingStore:
    """A `CheckpointStore` as one process uses it: nothing rests on a value that this process has not seen made durable.

    Args:
        store: Where the value is.
    """

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store
        self._durable: bytes | None = None

    def read(self) -> bytes | None:
        """See `CheckpointStore.read`; before anything rests on the value, `rely_on` it."""
        return self._store.read()

    def replace(self, expected: bytes | None, new: bytes) -> None:
        """See `CheckpointStore.replace`."""
        self._durable = None
        self._store.replace(expected, new)
        self._durable = new

    def rely_on(self, value: bytes) -> None:
        """Make sure that a value that was read survives a power cut; costs nothing the second time.

        Somebody may have replaced it meanwhile: they knew it, so what comes after it continues it.

        Raises:
            CheckpointStoreError: It cannot be made sure of; nothing may rest on it.
        """
        if value != self._durable:
            self._store.sync()
            self._durable = value

    def sync(self) -> None:
        """See `CheckpointStore.sync`."""
        self._store.sync()
