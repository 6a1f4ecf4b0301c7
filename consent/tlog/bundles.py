"""The entries of a published log (C2SP tlog-tiles), read bundle by bundle from a folder or a web server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consent.errors import PublishedLogError, PublishedLogUnavailableError, TreeDamagedError
from consent.tlog.merkle import TILE_WIDTH
from consent.tlog.tiles import bundle_path, parse_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + 65_535)
"""256 entries of the longest kind, each after its length."""
DAMAGED = "fetch again; if it stays so, keep what was served and ask the log's operator: this is no proof yet"


class LogFiles(Protocol):
    """Where a published log is read: a folder or a web server."""

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file's bytes, None when there is none.

        Raises:
            PublishedLogUnavailableError: No answer, or more than `limit` bytes.
        """


def bundles(files: LogFiles, first: int, size: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the index of each bundle's first entry, and its entries.

    Args:
        files: The published log.
        first: Index of the first entry of the first bundle, a multiple of 256.
        size: Number of entries in the log.

    Raises:
        PublishedLogError: A bundle holds more or fewer entries than it must.
        PublishedLogUnavailableError: One is missing or cannot be fetched.
    """
    for start in range(first, size, TILE_WIDTH):
        width = min(TILE_WIDTH, size - start)
        index = start // TILE_WIDTH
        content = files.read(bundle_path(index, width), MAX_BUNDLE_BYTES)
        try:
            if content is not None:
                entries = parse_bundle(content, width)
            else:
                # A partial bundle may be gone once the full one is there (C2SP tlog-tiles, "Partial Tiles").
                content = files.read(bundle_path(index), MAX_BUNDLE_BYTES) if width < TILE_WIDTH else None
                entries = [] if content is None else parse_bundle(content, TILE_WIDTH)[:width]
        except TreeDamagedError as error:
            raise PublishedLogError(f"{bundle_path(index, width)}: {error.message}", DAMAGED) from error
        if len(entries) != width:
            raise PublishedLogUnavailableError(
                f"the published log lacks {bundle_path(index, width)}", "fetch again; then ask its operator"
            )
        yield start, entries
