"""Evidence that a log signed two histories: two signed heads, and the proof that one does not begin with the other.

docs/spec/ledger-v1.md, section 15, says how anybody checks it; `tests/consent/second_verifier.py` does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.tlog.merkle import (
    HASH_SIZE,
    TILE_BITS,
    TILE_WIDTH,
    consistency_proof,
    root_at,
    root_of,
    split_hashes,
)
from consent.tlog.note import b64

if TYPE_CHECKING:
    from mmap import mmap

    from consent.tlog.checkpoint import Checkpoint


@dataclass(frozen=True)
class Contradiction:
    """Two checkpoints of one log that cannot both be true.

    Attributes:
        older: The smaller one; of two of one size, the one seen first.
        newer: The other.
        prefix_root: Root of the first `older.size` entries of the newer one's tree, 32 bytes; not `older.root`.
        consistency: Proof (RFC 6962 section 2.1.2) that leads from `prefix_root` to the newer root.
    """

    older: Checkpoint
    newer: Checkpoint
    prefix_root: bytes
    consistency: tuple[bytes, ...]

    def text(self) -> str:
        """Return the JSON document to publish."""
        return _document(
            {
                "luvalla_contradiction": 1,
                "origin": self.newer.origin,
                "older": self.older.note,
                "newer": self.newer.note,
                "prefix_root": b64(self.prefix_root),
                "consistency": [b64(item) for item in self.consistency],
            }
        )


@dataclass(frozen=True)
class RolledBack:
    """A genuine older head that was served after a newer one. A stale copy of the files looks the same.

    Attributes:
        kept: The newer head, kept from before.
        served: The older one, served now.
    """

    kept: Checkpoint
    served: Checkpoint

    def text(self) -> str:
        """Return the JSON document to publish."""
        return _document(
            {
                "luvalla_rollback": 1,
                "origin": self.kept.origin,
                "kept": self.kept.note,
                "served": self.served.note,
            }
        )


class LeafStore:
    """A `HashStore` over leaf hashes: those of the levels above are kept in memory, an eighth of a byte for each entry.

    Args:
        leaves: The 32-byte leaf hashes, concatenated; a file's are read where they lie.
    """

    def __init__(self, leaves: bytes | mmap) -> None:
        self._levels: list[bytes | mmap] = [leaves]

    def tile(self, level: int, index: int) -> bytes:
        """See `HashStore.tile`."""
        start = index * TILE_WIDTH
        return self._hashes(level, start, start + TILE_WIDTH)

    def span(self, level: int, start: int, end: int) -> bytes:
        """See `HashStore.span`."""
        return self._hashes(level, start, end)

    def _hashes(self, level: int, start: int, end: int) -> bytes:
        while len(self._levels) <= level:
            below = self._levels[-1]
            step = HASH_SIZE << TILE_BITS
            self._levels.append(
                b"".join(
                    root_of(split_hashes(below[at : at + step]))
                    for at in range(0, len(below) - step + 1, step)
                )
            )
        return self._levels[level][start * HASH_SIZE : end * HASH_SIZE]


def contradiction(older: Checkpoint, newer: Checkpoint, leaves: bytes | mmap) -> Contradiction | None:
    """Compare two heads by the leaves of the newer one.

    Args:
        older: Of at least 1 entry, and not larger than `newer`.
        newer: Its root must be that of `leaves`.
        leaves: The newer tree's 32-byte leaf hashes, concatenated.

    Returns:
        The evidence, or None when the newer head continues the older one.
    """
    store = LeafStore(leaves)
    prefix_root = root_at(store, older.size)
    if prefix_root == older.root:
        return None
    return Contradiction(older, newer, prefix_root, tuple(consistency_proof(store, older.size, newer.size)))


def _document(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
