"""Kept values of one chunk of a run, packed: each person's own ciphertext, side by side, and their lengths.

One row per 1,024 people instead of one per person: writing a row through SQLAlchemy costs more than all the hashing of
that person. Each ciphertext has a key of its own (`keys.values_key`), so one can be cut out without touching the others.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

from consent.errors import LedgerDamagedError

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 1_024
"""Slots of one chunk row: a proof recomputes one chunk and takes the others' roots (design, "A run over a million")."""
CHECKSUM_BYTES = 8
_ITEM = 4
_DAMAGED = "run `luvalla ledger check`"


def pack(sealed: Mapping[int, bytes]) -> tuple[bytes, bytes]:
    """Pack ciphertexts.

    Args:
        sealed: Ciphertext by position in the chunk, 0 to 1,023; positions without kept values are left out.

    Returns:
        The compressed lengths, and the ciphertexts in the order of their positions.
    """
    lengths = array("I", bytes(CHUNK * _ITEM))
    for position, ciphertext in sealed.items():
        lengths[position] = len(ciphertext)
    return deflated(_portable(lengths).tobytes()), b"".join(sealed[position] for position in sorted(sealed))


def positions(lengths: bytes) -> list[int]:
    """At which positions values are kept.

    Raises:
        LedgerDamagedError: The lengths are not what was stored.
    """
    return [position for position, length in enumerate(_lengths(lengths)) if length]


def unpack(lengths: bytes, sealed: bytes) -> dict[int, bytes]:
    """The ciphertexts by position again.

    Raises:
        LedgerDamagedError: The lengths are not what was stored, or not those of the ciphertexts.
    """
    each = _lengths(lengths)
    ends = list(accumulate(each))
    if ends[-1] != len(sealed):
        raise LedgerDamagedError("packed values are not as long as their lengths say", _DAMAGED)
    return {
        position: sealed[end - length : end]
        for position, (end, length) in enumerate(zip(ends, each, strict=True))
        if length
    }


def _lengths(compressed: bytes) -> array[int]:
    raw = inflated(compressed, CHUNK * _ITEM, "lengths of packed values")
    return _portable(array("I", raw))


def deflated(raw: bytes) -> bytes:
    """Compress bytes for a column, with a checksum over the compressed form.

    zlib's own checksum is over the content: in a run of equal bytes a changed bit can say the same in another way and go unseen,
    and the check is to report every changed byte.
    """
    compressed = min((_compressed(raw, strategy) for strategy in _STRATEGIES), key=len)
    return compressed + _checksum(compressed)


_STRATEGIES = (zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY)
"""Of the statuses of a chunk the first is the smallest where few differ, the others where many do: up to a tenth less."""


def _compressed(raw: bytes, strategy: int) -> bytes:
    writer = zlib.compressobj(level=9, strategy=strategy)
    return writer.compress(raw) + writer.flush()


def _checksum(compressed: bytes) -> bytes:
    return hashlib.blake2s(compressed, digest_size=CHECKSUM_BYTES).digest()


def inflated(stored: bytes, size: int, what: str) -> bytes:
    """Decompress what `deflated` made, of a known size; never more, whatever the row says.

    Raises:
        LedgerDamagedError: They were changed, or do not decompress to that size.
    """
    compressed, checksum = stored[:-CHECKSUM_BYTES], stored[-CHECKSUM_BYTES:]
    if checksum != _checksum(compressed):
        raise LedgerDamagedError(f"the {what} do not have their checksum", _DAMAGED)
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(compressed, size + 1)
    except zlib.error as error:
        raise LedgerDamagedError(f"the {what} do not decompress", _DAMAGED) from error
    if len(raw) != size or not reader.eof or reader.unused_data:
        raise LedgerDamagedError(f"the {what} are not {size} bytes", _DAMAGED)
    return raw


def _portable(lengths: array[int]) -> array[int]:
    """Big-endian in the database, on any machine."""
    if sys.byteorder == "little":
        lengths = lengths[:]
        lengths.byteswap()
    return lengths
