"""Which pages SQLite's write-ahead log holds: a checkpoint that is under way, or was killed, has not copied them all yet.

Source: SQLite file format, section 4 (https://www.sqlite.org/fileformat2.html#walformat).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = struct.Struct(">IIIIIIII")
"""Magic, version, page size, sequence, two salts, two checksums."""
_FRAME = struct.Struct(">IIIIII")
"""Page, size after a commit, two salts, two checksums; then the page itself."""
_MAGIC = (0x377F0682, 0x377F0683)


def pages(database: Path) -> frozenset[int]:
    """Numbers of the pages in the write-ahead log beside a database file; empty where there is none.

    Frames count up to the first of an older log (its salts differ). Checksums are left to SQLite, which reads the pages.

    Raises:
        OSError: It may not be read.
    """
    found = set()
    try:
        with database.with_name(database.name + "-wal").open("rb") as log:
            header = log.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return frozenset()
            magic, _, page_bytes, _, *salts, _, _ = _HEADER.unpack(header)
            if magic not in _MAGIC:
                return frozenset()
            while len(frame := log.read(_FRAME.size)) == _FRAME.size:
                number, _, *of_frame, _, _ = _FRAME.unpack(frame)
                if of_frame != salts:
                    break
                found.add(number)
                log.seek(page_bytes, 1)
    except FileNotFoundError:
        return frozenset()
    return frozenset(found)
