"""A trust root's file that is read again when it has changed, for a process that runs for months (the witness)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from consent.errors import TrustRootError
from consent.trust import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class FollowedTrustRoot:
    """The newest version of a trust root that was ever read from a file; any number of threads.

    Only a longer chain that begins with every version known so far takes the place of the known one. Whatever else lies
    in the file is told and not believed: a missing file, a broken one, an older version, another history.

    Args:
        path: trust-root.json.
        pin: The digest of version 1.
        tell: Takes one sentence about a file that is not believed, once for each state of the file.

    Raises:
        TrustRootError: The file cannot be read or does not verify at the start (exit 3).
    """

    def __init__(self, path: Path, pin: str, tell: Callable[[str], None]) -> None:
        self._path, self._pin, self._tell = path, pin, tell
        self._lock = threading.Lock()
        self._seen = self._state()
        self._root = TrustRoot.load(path, pin)

    def newest(self) -> TrustRoot:
        """The trust root in force; looks at the file first, and reads it only if it was changed since."""
        with self._lock:
            # Its state is taken before it is read: a change in between is read the next time.
            state = self._state()
            if state != self._seen:
                self._seen = state
                self._read()
            return self._root

    def _read(self) -> None:
        try:
            found = TrustRoot.load(self._path, self._pin)
        except TrustRootError as error:
            self._tell(f"{error.message}; version {self._root.version} stays in force")
            return
        if not found.continues(self._root):
            self._tell(
                f"the trust root {self._path} is older than version {self._root.version} or contradicts it, "
                "which stays in force"
            )
            return
        self._root = found

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
