"""The column of pseudonyms, encrypted: a pseudonym is one AES block under a key made of the key-encryption key (KEK).

Pseudonyms are pseudorandom and unique, so a single block under one key is a random-looking permutation of them: equal
to nothing but itself, which looking somebody up needs. With the KEK goes the way from an id to a number in every copy
of the database from its time, also for whoever holds the pseudonym key (docs/decisions/pseudonyms-in-backups.md).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_INFO = b"luvalla/pseudonym-column/v1"
_KEY_BYTES = 32


class ColumnKey:
    """The key of the column under one KEK.

    Args:
        name: 8 bytes that name the KEK (`consent.keys.key_id`); stands beside each row that it encrypts.
        kek: The KEK, 32 bytes.
    """

    def __init__(self, name: bytes, kek: bytes) -> None:
        self.name = name
        key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(kek)
        # One block of pseudorandom bytes each: what ECB would show of longer texts is not there.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305

    def seal(self, pseudonyms: bytes) -> bytes:
        """Pseudonyms, 16 bytes each, one after another, as the column holds them."""
        return self._cipher.encryptor().update(pseudonyms)

    def open(self, column: bytes) -> bytes:
        """The pseudonyms again; other bytes where another key encrypted them."""
        return self._cipher.decryptor().update(column)
