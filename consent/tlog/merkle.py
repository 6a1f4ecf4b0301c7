"""RFC 6962 trees for the writer: roots and proofs at any size, over full tiles of 256 hashes (C2SP tlog-tiles).

Nothing here verifies a proof: that is `consent/tlog/verify.py`, which shares no code with this file.

How a ledger uses it, all inside one transaction (see `HashStore` for what it must be able to read):

    edge = load_edge(store, size)                # or the edge kept from the last append
    edge, tiles = edge.extended(leaf_hashes)     # pure: the new edge, and the tiles that became full
    ...insert the leaf rows and `tiles`, commit...
    edge.size, edge.root()                       # what the next checkpoint signs

    root_at(store, size)                         # any size up to the committed one
    inclusion_proof(store, index, size)          # list of 32-byte hashes, sibling of the leaf first
    consistency_proof(store, old_size, size)

Trees that are not stored as tiles, such as the use tree of a run, are plain sequences of 32-byte hashes:
`root_of`, `path_of`, `chunk_roots_of`, `path_in_chunks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from consent.errors import ProofRangeError, TreeDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HASH_SIZE = 32
TILE_BITS = 8
"""A tile spans a subtree of height 8 (C2SP tlog-tiles, "Merkle Tree")."""
TILE_WIDTH = 1 << TILE_BITS
TILE_BYTES = TILE_WIDTH * HASH_SIZE
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962, section 2.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry), RFC 6962 section 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class FullTile:
    """A tile that has just become full and must be stored.

    Attributes:
        level: 0 for leaf hashes; at level l each hash is the root of a full tile of level l-1.
        index: Position within the level, from 0.
        hashes: The 256 hashes, concatenated: 8,192 bytes, what `tile/<level>/<index>` serves.
        root: Root of the subtree of these 256 hashes, 32 bytes: hash number `index` of level `level` + 1.
    """

    level: int
    index: int
    hashes: bytes
    root: bytes


class HashStore(Protocol):
    """What the tree must be able to read. The SQL ledger and the tests' dictionary both implement it.

    Contract:
        Durability: the store keeps, for a tree of `size` entries, the leaf hash of every entry 0..size-1 and every
            `FullTile` ever handed out by `RightEdge.extended` (its `hashes` and its `root`), written in the same
            transaction as the entries that completed it. Partial tiles are never stored.
        Order: indices are dense from 0; a stored hash or tile never changes.
        Concurrency: all reads of one call must see one committed state (one transaction or snapshot). Readers at an
            older size work while a writer appends, since nothing they read changes. `RightEdge` is a value: two
            writers that start from the same edge collide on the primary key of the entries, never here.
        Errors: a hash or tile that should exist and does not, or has another length, is answered with fewer bytes
            (or none); the caller raises `TreeDamagedError`. Errors of the database pass through as the room's own.
    """

    def tile(self, level: int, index: int) -> bytes:
        """Return the 256 hashes of a full tile (8,192 bytes)."""

    def span(self, level: int, start: int, end: int) -> bytes:
        """Return hashes start..end-1 of a level, concatenated; never more than 255, all within one tile.

        At level 0 these are leaf hashes of the entries `start`..`end`-1; at level l, the roots of the full tiles
        `start`..`end`-1 of level l-1. Must answer also where the surrounding tile has become full since.
        """


@dataclass(frozen=True)
class RightEdge:
    """The partial tiles of a tree: all that appending needs to know about what is already there.

    Attributes:
        size: Number of leaves.
        levels: For each level l with at least one hash so far, the partial tile: (size >> 8*l) % 256 hashes,
            concatenated; may be empty.
    """

    size: int
    levels: tuple[bytes, ...]

    def extended(self, leaves: Sequence[bytes]) -> tuple[RightEdge, tuple[FullTile, ...]]:
        """Append leaf hashes.

        Args:
            leaves: 32-byte leaf hashes, in order; may be empty.

        Returns:
            The edge after them, and the tiles that became full, to be stored with the entries.
        """
        tiles: list[FullTile] = []
        levels: list[bytes] = []
        carry: list[bytes] = list(leaves)
        level = 0
        while carry or level < len(self.levels):
            blob = (self.levels[level] if level < len(self.levels) else b"") + b"".join(carry)
            first = self.size >> (TILE_BITS * (level + 1))
            carry = []
            full = len(blob) // TILE_BYTES
            for number in range(full):
                hashes = blob[number * TILE_BYTES : (number + 1) * TILE_BYTES]
                root = root_of(split_hashes(hashes))
                tiles.append(FullTile(level, first + number, hashes, root))
                carry.append(root)
            levels.append(blob[full * TILE_BYTES :])
            level += 1
        return RightEdge(self.size + len(leaves), tuple(levels)), tuple(tiles)

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        if self.size == 0:
            return EMPTY_ROOT
        # The partial tiles, lowest level first, are the tree's perfect subtrees from right to left.
        return _fold_right(
            [peak for blob in self.levels for peak in _peaks_right_to_left(split_hashes(blob))]
        )


EMPTY_EDGE = RightEdge(0, ())


def load_edge(store: HashStore, size: int) -> RightEdge:
    """Read the right edge of the tree of `size` leaves: at most one short read per level.

    Raises:
        TreeDamagedError: If the store lacks hashes that a tree of this size has.
    """
    levels: list[bytes] = []
    level = 0
    while size >> (TILE_BITS * level):
        end = size >> (TILE_BITS * level)
        levels.append(_read_span(store, level, end - end % TILE_WIDTH, end))
        level += 1
    return RightEdge(size, tuple(levels))


def root_at(store: HashStore, size: int) -> bytes:
    """Return the root of the first `size` leaves, for any size up to the stored one.

    Raises:
        TreeDamagedError: If the store lacks hashes that a tree of this size has.
    """
    return load_edge(store, size).root()


def inclusion_proof(store: HashStore, index: int, size: int) -> list[bytes]:
    """Return PATH(index, D[size]) of RFC 6962 section 2.1.1, the leaf's sibling first.

    Raises:
        ProofRangeError: If not 0 <= index < size.
        TreeDamagedError: If the store lacks hashes that a tree of this size has.
    """
    if not 0 <= index < size:
        message = f"no inclusion proof of entry {index} in a tree of {size} entries"
        raise ProofRangeError(message, "ask for an index from 0 to the size minus one")
    reader = _SubtreeReader(store, size)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split_point(end - start)
        if index < middle:
            path.append(reader.range_root(middle, end))
            end = middle
        else:
            path.append(reader.range_root(start, middle))
            start = middle
    path.reverse()
    return path


def consistency_proof(store: HashStore, old_size: int, size: int) -> list[bytes]:
    """Return PROOF(old_size, D[size]) of RFC 6962 section 2.1.2; empty when the sizes are equal.

    Raises:
        ProofRangeError: If not 0 < old_size <= size; nothing can be proved about the empty tree.
        TreeDamagedError: If the store lacks hashes that a tree of this size has.
    """
    if not 0 < old_size <= size:
        message = f"no consistency proof from size {old_size} to size {size}"
        raise ProofRangeError(message, "ask for an old size from 1 to the new size")
    reader = _SubtreeReader(store, size)
    proof: list[bytes] = []
    start, end = 0, size
    while old_size != end:
        middle = start + _split_point(end - start)
        if old_size <= middle:
            proof.append(reader.range_root(middle, end))
            end = middle
        else:
            proof.append(reader.range_root(start, middle))
            start = middle
    # What remains is a subtree of both trees; the verifier knows it only if it is the whole old tree.
    if start > 0:
        proof.append(reader.range_root(start, end))
    proof.reverse()
    return proof


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 root over given 32-byte leaf hashes, in memory (about 0.8 us a leaf).

    Args:
        hashes: Leaf hashes, or the roots of equal perfect subtrees in order.
    """
    if not hashes:
        return EMPTY_ROOT
    level = hashes
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def path_of(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion proof of leaf `index` over given 32-byte leaf hashes, sibling first.

    Raises:
        ProofRangeError: If not 0 <= index < len(hashes).
    """
    if not 0 <= index < len(hashes):
        message = f"no path of leaf {index} in a tree of {len(hashes)} leaves"
        raise ProofRangeError(message, "ask for an index from 0 to the number of leaves minus one")
    path: list[bytes] = []
    level = hashes
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index >>= 1
        level = _parents(level)
    return path


def chunk_roots_of(hashes: Sequence[bytes], chunk: int) -> list[bytes]:
    """Return the roots of consecutive chunks; `root_of` them is `root_of(hashes)`.

    Args:
        hashes: 32-byte leaf hashes, their number a multiple of `chunk`.
        chunk: Leaves in a chunk, a power of two (1,024 in use trees).

    Raises:
        ProofRangeError: If `chunk` is not a power of two or does not divide the number of leaves.
    """
    if chunk < 1 or chunk & (chunk - 1) or len(hashes) % chunk:
        message = f"{len(hashes)} leaves cannot be cut into chunks of {chunk}"
        raise ProofRangeError(message, "use a power of two that divides the number of leaves")
    level = hashes
    while chunk > 1:
        level = _parents(level)
        chunk >>= 1
    return list(level)


def path_in_chunks(chunk: Sequence[bytes], chunk_roots: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion proof of leaf `index` from its own chunk and the roots of all chunks.

    Args:
        chunk: The 32-byte leaf hashes of the chunk that holds the leaf (a power of two of them).
        chunk_roots: Roots of all chunks, as of `chunk_roots_of`.
        index: Position of the leaf in the whole tree.

    Raises:
        ProofRangeError: If the index is outside the tree.
    """
    number, position = divmod(index, len(chunk))
    return path_of(chunk, position) + path_of(chunk_roots, number)


def split_hashes(blob: bytes) -> list[bytes]:
    """Cut concatenated 32-byte hashes into a list."""
    return [blob[at : at + HASH_SIZE] for at in range(0, len(blob), HASH_SIZE)]


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """Hash pairs; an odd last one moves up unchanged, which is what RFC 6962's split amounts to."""
    pairs = iter(level)
    parents = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
    if len(level) % 2:
        parents.append(level[-1])
    return parents


def _split_point(count: int) -> int:
    """Return the largest power of two smaller than `count` (> 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _peaks_right_to_left(hashes: list[bytes]) -> Iterable[bytes]:
    """Yield the roots of the perfect subtrees that a partial tile falls into, smallest (rightmost) first."""
    end = len(hashes)
    while end:
        width = end & -end
        yield root_of(hashes[end - width : end])
        end -= width


def _fold_right(peaks_right_to_left: Sequence[bytes]) -> bytes:
    root = peaks_right_to_left[0]
    for peak in peaks_right_to_left[1:]:
        root = node_hash(peak, root)
    return root


def _read_span(store: HashStore, level: int, start: int, end: int) -> bytes:
    if start == end:
        return b""
    hashes = store.span(level, start, end)
    if len(hashes) != (end - start) * HASH_SIZE:
        message = (
            f"the tree's hashes {start} to {end - 1} of level {level} should be {(end - start) * HASH_SIZE} bytes, "
            f"got {len(hashes)}"
        )
        raise TreeDamagedError(message, "run `luvalla ledger check` to see which entries are damaged")
    return hashes


class _SubtreeReader:
    """Roots of ranges of a tree of one size; reads each tile at most once."""

    def __init__(self, store: HashStore, size: int) -> None:
        self._store = store
        self._size = size
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def range_root(self, start: int, end: int) -> bytes:
        """Return MTH(D[start:end]) for a range of the tree's recursion."""
        peaks: list[bytes] = []
        at = end
        while at > start:
            width = (at - start) & -(at - start)
            peaks.append(self._perfect_root(at - width, width))
            at -= width
        return _fold_right(peaks)

    def _perfect_root(self, start: int, width: int) -> bytes:
        """Return the root of a perfect subtree, from the hashes of one tile."""
        level = (width.bit_length() - 1) // TILE_BITS
        first = start >> (TILE_BITS * level)
        count = width >> (TILE_BITS * level)
        hashes = self._tile(level, first // TILE_WIDTH)
        return root_of(hashes[first % TILE_WIDTH : first % TILE_WIDTH + count])

    def _tile(self, level: int, index: int) -> list[bytes]:
        known = self._tiles.get((level, index))
        if known is None:
            start = index * TILE_WIDTH
            end = min(start + TILE_WIDTH, self._size >> (TILE_BITS * level))
            if end - start < TILE_WIDTH:
                blob = _read_span(self._store, level, start, end)
            else:
                blob = self._store.tile(level, index)
                if len(blob) != TILE_BYTES:
                    message = f"tile {index} of level {level} should be {TILE_BYTES} bytes, got {len(blob)}"
                    raise TreeDamagedError(
                        message, "run `luvalla ledger check` to see which entries are damaged"
                    )
            known = self._tiles[level, index] = split_hashes(blob)
        return known
