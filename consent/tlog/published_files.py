"""Which files a published tree has (C2SP tlog-tiles), made from the entries' exact bytes and from nothing stored beside them.

Every hash is computed again, so that a body or a tile that was changed in the ledger never leaves the house under a
signed root. At the right edge there is a partial file for every width up to the present one: whatever checkpoint left
the house since the tile began (in a receipt, to a witness, to one reader), its partial tiles are there, and nobody
needs to remember which sizes were signed. That no size stands out also tells nobody when the city signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from consent.errors import TreeDamagedError
from consent.tlog.merkle import EMPTY_EDGE, HASH_SIZE, TILE_BITS, TILE_WIDTH, HashStore, RightEdge, leaf_hash
from consent.tlog.tiles import bundle, bundle_path, tile_path

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAMAGED = "run `luvalla ledger check` to see which; nothing of them was published"


class LogSource(HashStore, Protocol):
    """Where a log's hashes and entries come from."""

    def entries(self, start: int, end: int) -> list[bytes]:
        """The exact bytes of entries `start` to `end` - 1."""
        ...


@dataclass(frozen=True)
class Step:
    """The files that up to 256 entries bring.

    Attributes:
        edge: The right edge before them; its size is the index of the first.
        end: The index after the last.
        files: Path relative to the folder, and content.
        partials: Folders of partial files that the full ones of this step replace.
    """

    edge: RightEdge
    end: int
    files: tuple[tuple[str, bytes], ...]
    partials: tuple[str, ...]


def steps(source: LogSource, size: int, root: bytes, edge: RightEdge = EMPTY_EDGE) -> Iterator[Step]:
    """Make the files of a tree, bundle by bundle.

    Args:
        source: The log.
        size: Number of entries.
        root: 32-byte root that was signed for them.
        edge: Where to begin, at a multiple of 256: its hashes are believed, and all entries after it are hashed.

    Yields:
        A step for every bundle; the last one has the partial files.

    Raises:
        TreeDamagedError: After the last step: the entries do not give the root. Or there are too few of them.
    """
    for start in range(edge.size, size, TILE_WIDTH):
        width = min(TILE_WIDTH, size - start)
        entries = source.entries(start, start + width)
        if len(entries) != width:
            raise TreeDamagedError(
                f"entries {start} to {start + width - 1} should be {width}, {len(entries)} are there",
                _DAMAGED,
            )
        before = edge
        edge, tiles = edge.extended([leaf_hash(entry) for entry in entries])
        number = start // TILE_WIDTH
        files: list[tuple[str, bytes]] = []
        partials: list[str] = []
        if width == TILE_WIDTH:
            files.append((bundle_path(number), bundle(entries)))
            partials.append(bundle_path(number) + ".p")
        else:
            files += [(bundle_path(number, cut), bundle(entries[:cut])) for cut in range(1, width + 1)]
        for tile in tiles:
            files.append((tile_path(tile.level, tile.index), tile.hashes))
            partials.append(tile_path(tile.level, tile.index) + ".p")
        if start + width == size:
            files += _partial_tiles(edge)
        yield Step(before, start + width, tuple(files), tuple(partials))
    if edge.size != size or edge.root() != root:
        raise TreeDamagedError(
            f"the {size} entries in the ledger do not give the root that was signed for them", _DAMAGED
        )


def _partial_tiles(edge: RightEdge) -> Iterator[tuple[str, bytes]]:
    for level, hashes in enumerate(edge.levels):
        index = (edge.size >> (TILE_BITS * level)) // TILE_WIDTH
        for width in range(1, len(hashes) // HASH_SIZE + 1):
            yield tile_path(level, index, width), hashes[: width * HASH_SIZE]
