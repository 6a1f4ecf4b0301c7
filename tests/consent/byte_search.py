"""Searches every file of folders for many byte strings at once, whole or in part, as bytes, hexadecimal or base64url."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SLICE = 16
"""A long string is looked for by three slices of this length, so that one cut by a page of the database is found too."""
WINDOW = 8
PREFIX = 3


@dataclass
class Search:
    """What is looked for, and whose it is.

    Attributes:
        by_window: The first eight bytes of each pattern to the patterns and their labels.
    """

    by_window: dict[bytes, list[tuple[bytes, str]]] = field(default_factory=dict)

    def add(self, label: str, needle: bytes) -> None:
        """Look for a byte string of at least eight bytes under a label."""
        assert len(needle) >= WINDOW, label
        middle = max(0, len(needle) // 2 - SLICE // 2)
        forms = {needle[:SLICE], needle[middle : middle + SLICE], needle[-SLICE:]}
        # Twelve bytes are sixteen letters of base64, whatever follows.
        start = needle[:12]
        forms |= {
            start.hex().encode(),
            base64.urlsafe_b64encode(start).rstrip(b"="),
            base64.b64encode(start).rstrip(b"="),
        }
        for form in forms:
            self.by_window.setdefault(form[:WINDOW], []).append((form, label))

    def found(self, folders: Iterable[Path]) -> dict[str, set[str]]:
        """Labels that some file holds, with the files' names."""
        table = np.zeros(256**PREFIX, dtype=bool)
        windows = np.array(
            [int.from_bytes(window.ljust(WINDOW, b"\0"), "little") for window in self.by_window],
            dtype=np.uint64,
        )
        windows.sort()
        mask = np.uint64(256**PREFIX - 1)
        table[(windows & mask).astype(np.int64)] = True
        hits: dict[str, set[str]] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    for label in self._in(path.read_bytes(), table, windows, mask):
                        hits.setdefault(label, set()).add(path.relative_to(folder).as_posix())
        return hits

    def _in(self, content: bytes, table: np.ndarray, windows: np.ndarray, mask: np.uint64) -> set[str]:
        labels: set[str] = set()
        # So that a pattern at the very end has a whole window too.
        data = content + bytes(WINDOW)
        for offset in range(WINDOW):
            numbers = np.frombuffer(data, dtype="<u8", offset=offset, count=(len(data) - offset) // WINDOW)
            near = np.nonzero(table[(numbers & mask).astype(np.int64)])[0]
            exact = near[
                windows[np.minimum(np.searchsorted(windows, numbers[near]), len(windows) - 1)]
                == numbers[near]
            ]
            for at in (exact * WINDOW + offset).tolist():
                for form, label in self.by_window[data[at : at + WINDOW]]:
                    if data.startswith(form, at):
                        labels.add(label)
        return labels
