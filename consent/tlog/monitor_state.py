"""What a monitor remembers of a log, as files: the last head it verified, every leaf hash, and heads seen elsewhere.

`head.json` is the only file that is believed, and it is replaced by rename, last. Leaf hashes beyond its size are left
over from a crash and are written over. A leaf takes 32 bytes: 10 million entries, 320 MB. They are written as they come and
read where they lie: a log makes this folder grow, and not the monitor's memory.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING

from consent.errors import ConsentUnavailableError, MonitorStateError, NoteError
from consent.tlog.checkpoint import Checkpoint, open_checkpoint
from consent.tlog.durable import replace_file
from consent.tlog.merkle import EMPTY_EDGE, HASH_SIZE, RightEdge
from consent.tlog.note import b64, b64_decode
from consent.tlog.tiles import TRUST_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from consent.tlog.note import VerifierKey

    KeysAt = Callable[[int], Iterable[VerifierKey]]
    Leaves = bytes | mmap

_HEAD = "head.json"
_LEAVES = "leaves"
_ASIDE = "other-leaves"
_PENDING = "pending"
_CHECKPOINTS = "checkpoints"
_HINT = "keep the folder as it is, and follow the log anew with an empty --state folder"


class MonitorState:
    """The state folder; used under `locked`.

    Args:
        path: The folder; made when missing.
        origin: The log followed.
        keys_at: The log's keys that may sign a checkpoint of a size.
    """

    def __init__(self, path: Path, origin: str, keys_at: KeysAt) -> None:
        self.path = path
        self._origin = origin
        self._keys_at = keys_at

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process use the folder.

        Raises:
            ConsentUnavailableError: Another one does, or the folder cannot be made, read or written.
        """
        try:
            for folder in (self.path, self.path / _PENDING, self.path / _CHECKPOINTS):
                folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield
            finally:
                os.close(handle)
        except BlockingIOError as error:
            message = f"another monitor uses {self.path}"
            raise ConsentUnavailableError(message, "give each its own --state folder") from error
        except OSError as error:
            message = f"the state in {self.path} cannot be read or written: {error.strerror or type(error).__name__}"
            hint = "check the disk and the folder's owner; the next call goes on from the last verified head"
            raise ConsentUnavailableError(message, hint) from error

    def load(self) -> tuple[Checkpoint | None, RightEdge]:
        """Return the last verified head and the right edge of its tree; None and the empty edge at first.

        Raises:
            MonitorStateError: The files do not fit together, or are of another log.
        """
        try:
            raw = (self.path / _HEAD).read_bytes()
        except FileNotFoundError:
            return None, EMPTY_EDGE
        try:
            value = json.loads(raw)
            head = open_checkpoint(value["note"].encode(), self._origin, self._keys_at)
            edge = RightEdge(head.size, tuple(b64_decode(level) for level in value["levels"]))
            if head.size and edge.root() != head.root:
                raise MonitorStateError("the kept edge of the tree does not give the kept root", _HINT)
        except (ValueError, KeyError, TypeError, AttributeError, NoteError, IndexError) as error:
            message = f"{self.path / _HEAD} does not hold a head of the log that is followed"
            raise MonitorStateError(message, _HINT) from error
        leaves = self.path / _LEAVES
        if head.size and (not leaves.exists() or leaves.stat().st_size < head.size * HASH_SIZE):
            raise MonitorStateError(f"{leaves} holds fewer hashes than the kept head covers", _HINT)
        return head, edge

    def trust_root(self) -> bytes | None:
        """Return the newest trust root seen, None at first."""
        try:
            return (self.path / TRUST_ROOT).read_bytes()
        except FileNotFoundError:
            return None

    @contextmanager
    def leaves(self, size: int) -> Iterator[Leaves]:
        """The first `size` leaf hashes, concatenated; they stay on disk."""
        with _mapped(self.path / _LEAVES, size) as leaves:
            yield leaves

    @contextmanager
    def extending(self, start: int) -> Iterator[Callable[[bytes], object]]:
        """Write leaf hashes after the first `start` as they come; on disk when the block ends, taken back when it fails."""
        with _writing(self.path / _LEAVES, start) as add:
            yield add

    @contextmanager
    def aside(self, size: int, hashes: Iterable[bytes]) -> Iterator[Leaves]:
        """All leaf hashes of another history, in a file that is there as long as the block."""
        path = self.path / _ASIDE
        try:
            with _writing(path, 0) as add:
                for each in hashes:
                    add(each)
            with _mapped(path, size) as leaves:
                yield leaves
        finally:
            path.unlink(missing_ok=True)

    def leaf_range(self, start: int, end: int) -> bytes:
        """Return the leaf hashes `start`..`end`-1, concatenated; fewer where the file ends."""
        if end <= start:
            return b""
        with (self.path / _LEAVES).open("rb") as file:
            file.seek(start * HASH_SIZE)
            return file.read((end - start) * HASH_SIZE)

    def advance(self, head: Checkpoint, edge: RightEdge) -> None:
        """Remember a verified head by rename; its leaves were written before (`extending`)."""
        value = {"note": head.note, "levels": [b64(level) for level in edge.levels]}
        self.write(_HEAD, json.dumps(value, ensure_ascii=False, indent=1) + "\n")
        # Only after it: what lies there counts as compared.
        self.write(f"{_CHECKPOINTS}/{_name(head)}", head.note)

    def keep(self, seen: Checkpoint) -> bool:
        """Remember a head seen elsewhere until the log covers it; False when it was compared before, and agreed."""
        if (self.path / _CHECKPOINTS / _name(seen)).exists():
            return False
        self.write(f"{_PENDING}/{_name(seen)}", seen.note)
        return True

    def pending(self) -> list[Checkpoint]:
        """Return the heads seen elsewhere and not compared yet, smallest first.

        Raises:
            MonitorStateError: A file is not a checkpoint of the log.
        """
        found = []
        for path in sorted((self.path / _PENDING).iterdir()):
            if path.name.endswith(".new"):
                continue
            try:
                found.append(open_checkpoint(path.read_bytes(), self._origin, self._keys_at))
            except NoteError as error:
                raise MonitorStateError(
                    f"{path} is not a checkpoint of the log: {error.message}", _HINT
                ) from error
        return sorted(found, key=lambda each: (each.size, each.root))

    def compared(self, seen: Checkpoint) -> None:
        """Move a head that was compared to those that agree."""
        (self.path / _PENDING / _name(seen)).replace(self.path / _CHECKPOINTS / _name(seen))

    def write(self, name: str, text: str) -> Path:
        """Write a file beside, sync, rename, sync the folder; return its path."""
        path = self.path / name
        replace_file(path, text.encode())
        return path


@contextmanager
def _writing(path: Path, start: int) -> Iterator[Callable[[bytes], object]]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.truncate(start * HASH_SIZE)
        file.seek(start * HASH_SIZE)
        try:
            yield file.write
            file.flush()
            os.fsync(handle)
        except BaseException:
            with suppress(OSError):
                file.flush()
                file.truncate(start * HASH_SIZE)
            raise


@contextmanager
def _mapped(path: Path, size: int) -> Iterator[Leaves]:
    if not size:
        yield b""
        return
    with path.open("rb") as file, mmap(file.fileno(), size * HASH_SIZE, access=ACCESS_READ) as leaves:
        yield leaves


def _name(seen: Checkpoint) -> str:
    return f"{seen.size}-{seen.root.hex()}"
