"""Encryption of what is about a person: a random key per person and retention class, wrapped by a key outside the database.

All AES-256-GCM with 96-bit random nonces in front of the ciphertext. The associated data binds each ciphertext to its
place (number and class, entry index, run), so that a row copied to another place does not open.
"""

from __future__ import annotations

import os
import stat
from hashlib import blake2s, sha256
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.canonical import SALT_BYTES
from consent.errors import KeyFileError, KeyMissingError
from consent.pseudonym_column import ColumnKey
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

KEY_BYTES = 32
NONCE_BYTES = 12
NEW_PERSON_CLASSES = (RetentionClass.EVIDENCE, RetentionClass.DETAIL, RetentionClass.USE)
"""The keys a person gets at enrolment; the erasure key is made when they are erased."""

_DAMAGED = "run `luvalla ledger check`; if the key-encryption key was replaced, restore the right one"


def new_key_file(path: Path) -> bytes:
    """Write 32 random bytes, mode 600, synced; never over an existing file.

    Raises:
        KeyFileError: The file exists or cannot be written.
    """
    key = os.urandom(KEY_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyFileError(
            f"the key file {path} cannot be made: {error.strerror}",
            "a key is never overwritten; check the folder",
        ) from error
    return key


def read_key_file(path: Path) -> bytes:
    """The 32 bytes of a key file.

    Raises:
        KeyFileError: It is missing, readable by others, or not 32 bytes.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"the key file {path} cannot be read: {error.strerror}", "restore it from the keys' backup"
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise KeyFileError(
            f"the key file {path} can be read by others (mode {mode:03o})", f"run: chmod 600 {path}"
        )
    if len(key) != KEY_BYTES:
        raise KeyFileError(
            f"the key file {path} holds {len(key)} bytes, not {KEY_BYTES}", "restore it from the keys' backup"
        )
    return key


def key_id(key: bytes) -> str:
    """The name of a key-encryption key: 16 hexadecimal digits, which say nothing of it."""
    return sha256(b"luvalla/kek-id/v1\x00" + key).hexdigest()[:16]


class KeySource(Protocol):
    """Where a vault's key-encryption keys come from, and whether they are others by now."""

    def changed(self) -> bool:
        """Whether `read` would return others than last time."""

    def read(self) -> list[bytes]:
        """The keys, the one that wraps first, then those that only open."""


class Vault:
    """Wraps people's keys, and seals with them.

    Args:
        keys: 32 bytes, from a file outside the database and its backups; or where they come from, if they can be rotated.
        origin: The log's name; bound into payloads.
    """

    def __init__(self, keys: bytes | KeySource, origin: str) -> None:
        self._source = None if isinstance(keys, bytes) else keys
        self._payload_label = b"luvalla/payload/v1\x00" + origin.encode() + b"\x00"
        self._ciphers: tuple[AESGCM, ...] = ()
        self._columns: tuple[ColumnKey, ...] = ()
        self._take([keys] if isinstance(keys, bytes) else keys.read())

    def refresh(self) -> None:
        """Take the keys of a rotation that happened meanwhile; every writing transaction begins with this.

        Raises:
            KeyFileError: A key's file is not what it should be.
        """
        if self._source is not None and self._source.changed():
            self._take(self._source.read())

    def wrap(self, number: int, retention: RetentionClass, key: bytes) -> bytes:
        """60 bytes that only this vault opens, and only for this person and class."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, key, _key_label(number, retention))

    def unwrap(self, number: int, retention: RetentionClass, wrapped: bytes) -> bytes:
        """The key again.

        Raises:
            KeyMissingError: It was wrapped by another key, for another place, or was changed.
        """
        return self.unwrap_telling(number, retention, wrapped)[0]

    def unwrap_telling(self, number: int, retention: RetentionClass, wrapped: bytes) -> tuple[bytes, bool]:
        """The key again, and whether the key-encryption key of today wraps it.

        Raises:
            KeyMissingError: As for `unwrap`.
        """
        return self._opened_by_any(wrapped, _key_label(number, retention), "a wrapped key")

    def unwrap_all(
        self, retention: RetentionClass, rows: Iterable[tuple[int, bytes]], *, only_current: bool = False
    ) -> dict[int, bytes]:
        """The same for many people of one class, in a tight loop (about 2 us a key).

        Args:
            retention: The class.
            rows: Number and wrapped key.
            only_current: Those that an older key-encryption key wraps do not count as opening.

        Returns:
            Key by number.

        Raises:
            KeyMissingError: One of them does not open.
        """
        rows = list(rows)
        decrypt: Callable[[bytes, bytes, bytes], bytes] = self._ciphers[0].decrypt
        prefix = b"luvalla/key/v1\x00"
        suffix = bytes([retention.code])
        cut = NONCE_BYTES
        try:
            return {
                number: decrypt(wrapped[:cut], wrapped[cut:], prefix + number.to_bytes(4, "big") + suffix)
                for number, wrapped in rows
            }
        except (InvalidTag, ValueError) as error:
            if only_current:
                raise KeyMissingError("a wrapped key does not open", _DAMAGED) from error
            # In the middle of a rotation, or in a restored backup: one by one, by whichever key there is.
            return {number: self.unwrap(number, retention, wrapped) for number, wrapped in rows}

    def seal_secret(self, run: bytes, secret: bytes) -> bytes:
        """Wrap a run's secret."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, secret, _secret_label(run))

    def open_secret(self, run: bytes, wrapped: bytes) -> bytes:
        """A run's secret again.

        Raises:
            KeyMissingError: It does not open.
        """
        return self.open_secret_telling(run, wrapped)[0]

    def open_secret_telling(self, run: bytes, wrapped: bytes) -> tuple[bytes, bool]:
        """A run's secret again, and whether the key-encryption key of today wraps it.

        Raises:
            KeyMissingError: It does not open.
        """
        return self._opened_by_any(wrapped, _secret_label(run), "a run's secret")

    def seal_payload(self, key: bytes, index: int, salt: bytes, payload: bytes) -> bytes:
        """Encrypt salt and payload of one entry, bound to its index."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(
            nonce, salt + payload, self._payload_label + index.to_bytes(8, "big")
        )

    def open_payload(self, key: bytes, index: int, sealed: bytes) -> tuple[bytes, bytes]:
        """Salt and payload.

        Raises:
            KeyMissingError: It does not open.
        """
        plain = _opened(AESGCM(key), sealed, self._payload_label + index.to_bytes(8, "big"), "a payload")
        return plain[:SALT_BYTES], plain[SALT_BYTES:]

    def plain_payload(self, key: bytes, index: int, sealed: bytes) -> bytes | None:
        """Salt and payload in one, 32 bytes and the rest; None where `open_payload` would raise."""
        try:
            return AESGCM(key).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._payload_label + index.to_bytes(8, "big")
            )
        except (InvalidTag, ValueError):
            return None

    def seal_detail(self, key: bytes, index: int, name: str, salt: bytes, value: bytes) -> bytes:
        """Encrypt salt and value of one named detail of an entry."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, salt + value, self._detail_label(index, name))

    def open_detail(self, key: bytes, index: int, name: str, sealed: bytes) -> tuple[bytes, bytes]:
        """Salt and value.

        Raises:
            KeyMissingError: It does not open.
        """
        plain = _opened(AESGCM(key), sealed, self._detail_label(index, name), "a detail")
        return plain[:SALT_BYTES], plain[SALT_BYTES:]

    def column_key(self) -> ColumnKey:
        """Encrypts the pseudonyms of new people."""
        return self._columns[0]

    def column_key_of(self, name: bytes) -> ColumnKey | None:
        """The key of the pseudonyms under the key-encryption key of a name; None where that is not there.

        Raises:
            KeyFileError: As for `refresh`.
        """
        for _ in range(2):
            for key in self._columns:
                if key.name == name:
                    return key
            if self._source is None or not self._source.changed():
                break
            self.refresh()
        return None

    def _take(self, keys: list[bytes]) -> None:
        self._ciphers = tuple(AESGCM(key) for key in keys)
        self._columns = tuple(ColumnKey(bytes.fromhex(key_id(key)), key) for key in keys)

    def _opened_by_any(self, wrapped: bytes, label: bytes, what: str) -> tuple[bytes, bool]:
        for _ in range(2):
            for position, cipher in enumerate(self._ciphers):
                try:
                    plain = cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], label)
                except (InvalidTag, ValueError):
                    continue
                return plain, position == 0
            if self._source is None or not self._source.changed():
                break
            self.refresh()
        raise KeyMissingError(f"{what} does not open", _DAMAGED)

    def _detail_label(self, index: int, name: str) -> bytes:
        return self._payload_label + index.to_bytes(8, "big") + b"detail\x00" + name.encode()


def new_keys() -> dict[RetentionClass, bytes]:
    """A new person's keys."""
    return {retention: os.urandom(KEY_BYTES) for retention in NEW_PERSON_CLASSES}


def values_key(use_key: bytes, run: bytes) -> bytes:
    """The key of one person's kept values of one run: derived, so each key seals one text only."""
    return blake2s(b"luvalla/values-key/v1\x00" + run, key=use_key, digest_size=32).digest()


def seal_values(use_key: bytes, run: bytes, number: int, values: bytes, nonce: bytes) -> bytes:
    """Encrypt the values that a run saw of one person.

    Args:
        use_key: The person's.
        run: The run's id.
        number: The person's number.
        values: What is kept.
        nonce: 12 random bytes.
    """
    key = blake2s(b"luvalla/values-key/v1\x00" + run, key=use_key, digest_size=32).digest()
    return nonce + AESGCM(key).encrypt(nonce, values, number.to_bytes(4, "big"))


def open_values(use_key: bytes, run: bytes, number: int, sealed: bytes) -> bytes:
    """The values again.

    Raises:
        KeyMissingError: They do not open.
    """
    return _opened(AESGCM(values_key(use_key, run)), sealed, number.to_bytes(4, "big"), "kept values")


def _secret_label(run: bytes) -> bytes:
    return b"luvalla/run-secret/v1\x00" + run


def _key_label(number: int, retention: RetentionClass) -> bytes:
    return b"luvalla/key/v1\x00" + number.to_bytes(4, "big") + bytes([retention.code])


def _opened(cipher: AESGCM, sealed: bytes, label: bytes, what: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label)
    except (InvalidTag, ValueError) as error:
        raise KeyMissingError(f"{what} does not open", _DAMAGED) from error
