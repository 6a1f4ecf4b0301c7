"""A log as files (C2SP tlog-tiles): paths, entry bundles, and which files a tree of a size has. Bytes only, no disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consent.errors import TreeDamagedError
from consent.tlog.merkle import HASH_SIZE, TILE_BITS, TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHECKPOINT = "checkpoint"
TRUST_ROOT = "trust-root.json"
MAX_ENTRY_BYTES = 65_535
"""The length of an entry in a bundle is a uint16 (C2SP tlog-tiles, "Log Entries")."""
_PATH = re.compile(
    r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Path of a tile, `tile/<L>/<N>[.p/<W>]`.

    Args:
        level: 0 for leaf hashes.
        index: Position within the level, from 0.
        width: Hashes in it, 1 to 256; 256 is the full tile.
    """
    return f"tile/{level}/{_numbered(index, width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Path of an entry bundle, `tile/entries/<N>[.p/<W>]`; the arguments are those of `tile_path`."""
    return f"tile/entries/{_numbered(index, width)}"


def is_tile_path(path: str) -> bool:
    """Tell whether a path is the one spelling of a tile or a bundle."""
    match = _PATH.fullmatch(path)
    if match is None or (match[3] is not None and int(match[3]) >= TILE_WIDTH):
        return False
    number = int(match[2].replace("/", "").replace("x", ""))
    return _numbered(number, TILE_WIDTH) == match[2]


def bundle(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as a big-endian uint16.

    Raises:
        TreeDamagedError: An entry is longer than 65,535 bytes, which the ledger never writes.
    """
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        message = f"an entry has more than {MAX_ENTRY_BYTES} bytes"
        raise TreeDamagedError(message, "run `luvalla ledger check` to see which")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(content: bytes, width: int) -> list[bytes]:
    """Cut a bundle into its entries.

    Args:
        content: The file's bytes.
        width: Entries that it must hold.

    Raises:
        TreeDamagedError: It holds fewer or more.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(content) and len(entries) < width:
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if end > len(content) or at + 2 > len(content):
            break
        entries.append(content[at + 2 : end])
        at = end
    if len(entries) != width or at != len(content):
        message = (
            f"an entry bundle should hold {width} entries and nothing else, {len(entries)} could be read"
        )
        raise TreeDamagedError(
            message, "the file was changed or cut: fetch it again, and ask the log's operator"
        )
    return entries


def partial_tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, index, width) of the partial tiles of a tree of `size` leaves."""
    level = 0
    while size >> (TILE_BITS * level):
        index, width = divmod(size >> (TILE_BITS * level), TILE_WIDTH)
        if width:
            yield level, index, width
        level += 1


def tile_bytes(width: int) -> int:
    """Size in bytes of a tile of `width` hashes."""
    return width * HASH_SIZE


def _numbered(index: int, width: int) -> str:
    digits = f"{index % 1000:03}"
    while index >= 1000:  # noqa: PLR2004  three digits a path element (C2SP tlog-tiles, "Merkle Tree")
        index //= 1000
        digits = f"x{index % 1000:03}/{digits}"
    return digits if width == TILE_WIDTH else f"{digits}.p/{width}"
