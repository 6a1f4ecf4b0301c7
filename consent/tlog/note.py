"""Signed notes and Ed25519 keys (C2SP signed-note, signature type 0x01 only): strict both ways."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from consent.errors import KeyFileError, NoteError
from consent.tlog.durable import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ED25519 = b"\x01"
"""Signature type identifier byte, C2SP signed-note "Signature types"."""
PUBLIC_KEY_BYTES = 32
KEY_ID_BYTES = 4
MAX_NAME_CHARACTERS = 200
MAX_NOTE_BYTES = 256 * 1024
"""Room for the 16 signatures that C2SP asks every verifier to accept, each up to 5 kB (ML-DSA-44)."""
MAX_SIGNATURES = 64

_SIGNATURE_MARK = "\u2014 "
_KEY_HINT = "a verifier key looks like name+12345678+base64; copy it whole"
_NOTE_HINT = "the text was changed or is not a signed note (C2SP signed-note)"


@dataclass(frozen=True)
class VerifierKey:
    """A public Ed25519 key with its name, spelled as a C2SP vkey.

    Attributes:
        name: Key name: not empty, no white space, no plus, no control characters.
        public: The 32-byte key of RFC 8032.
    """

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Parse `name+hex key id+base64`; only the one spelling of each key is accepted.

        Raises:
            KeyFileError: If the text is no vkey, has another signature type, or its id does not match the key.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = b64_decode(encoded)
        except NoteError as error:
            raise KeyFileError("the verifier key's last part is not base64", _KEY_HINT) from error
        if not is_key_name(name):
            raise KeyFileError("the verifier key has no proper name before the first plus", _KEY_HINT)
        if len(raw) != 1 + PUBLIC_KEY_BYTES or raw[:1] != ED25519:
            raise KeyFileError("the verifier key is not an Ed25519 key (type 0x01)", _KEY_HINT)
        key = cls(name, raw[1:])
        if key_id != key.key_id.hex():
            raise KeyFileError("the verifier key's id does not belong to its name and key", _KEY_HINT)
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || 0x01 || key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_ID_BYTES]

    @property
    def keyid(self) -> str:
        """`name+hex key id`: how trust-root signatures name the key."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def vkey(self) -> str:
        """The C2SP spelling, `name+hex key id+base64(0x01 || key)`."""
        return f"{self.keyid}+{b64(ED25519 + self.public)}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether this key made the signature over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True


class Signs(Protocol):
    """A named Ed25519 key that signs, wherever its private half lies: a file, a token, another process.

    Contract:
        `sign` gives the 64 bytes of RFC 8032 over exactly the message (no prehash, no context), which `verifier` accepts.
        Errors: the room's own; a key that cannot be reached raises `ConsentUnavailableError`.
    """

    @property
    def name(self) -> str:
        """The name it signs under."""

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of RFC 8032."""


@dataclass(frozen=True)
class SigningKey:
    """A private Ed25519 key with the name it signs under; its text form shows no secret."""

    name: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier.keyid})"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of RFC 8032."""
        return self.private.sign(message)


def generate_key(name: str) -> SigningKey:
    """Make a new key.

    Raises:
        KeyFileError: If the name cannot be a key name.
    """
    _check_name(name)
    return SigningKey(name, Ed25519PrivateKey.generate())


def save_key(key: SigningKey, path: Path) -> None:
    """Write the private key as PKCS8 PEM, mode 600, synced; never over an existing file.

    Raises:
        KeyFileError: If the file exists or cannot be written. Nothing is left behind then.
    """
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        message = f"there is already a file {path.name}"
        raise KeyFileError(
            message, "a key is never overwritten: choose another name or move the file"
        ) from error
    except OSError as error:
        message = f"the key file {path} cannot be written: {error.strerror}"
        raise KeyFileError(message, "check the folder and its permissions") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A trust root that names the key may be on disk soon: the key must not be gone then.
        sync(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        message = f"the key file {path} cannot be written: {error.strerror}"
        raise KeyFileError(message, "check the space left on the disk") from error


def load_key(path: Path, name: str) -> SigningKey:
    """Read a private key written by `save_key`.

    Args:
        path: PKCS8 PEM file, readable by its owner only.
        name: The name it signs under; a PEM file does not hold one.

    Raises:
        KeyFileError: If the file is missing, readable by others, or holds no Ed25519 private key.
    """
    _check_name(name)
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except OSError as error:
        message = f"the key file {path} cannot be read: {error.strerror}"
        raise KeyFileError(message, "check the path and its permissions") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        message = f"the key file {path} can be read by others (mode {stat.S_IMODE(mode):03o})"
        raise KeyFileError(message, f"run: chmod 600 {path}")
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"the file {path} holds no unencrypted private key in PEM"
        raise KeyFileError(message, "name the file that the key was saved to") from error
    if not isinstance(private, Ed25519PrivateKey):
        message = f"the file {path} holds a private key that is not Ed25519"
        raise KeyFileError(message, "make a key with luvalla: other kinds are not used")
    return SigningKey(name, private)


@dataclass(frozen=True)
class NoteSignature:
    """One signature line.

    Attributes:
        name: Key name.
        key_id: Four bytes.
        signature: What the key made of the text; 64 bytes for Ed25519, other lengths for keys unknown to us.
    """

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A text and the signature lines under it; parsing alone says nothing about their validity.

    Attributes:
        text: Ends in a newline.
        signatures: At least one.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Note:
        """Parse a note; `Note.parse(raw).encode() == raw` for everything accepted.

        Raises:
            NoteError: If the bytes are not a note.
        """
        if len(raw) > MAX_NOTE_BYTES:
            message = f"a note of {len(raw)} bytes, at most {MAX_NOTE_BYTES} are read"
            raise NoteError(message, _NOTE_HINT)
        try:
            whole = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NoteError("the note is not UTF-8", _NOTE_HINT) from error
        if any(character < " " and character != "\n" for character in whole):
            raise NoteError("the note holds control characters", _NOTE_HINT)
        before, separator, after = whole.rpartition("\n\n")
        if not separator or not after.endswith("\n"):
            raise NoteError("the note has no signature lines after an empty line", _NOTE_HINT)
        lines = after[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            message = f"a note of {len(lines)} signatures, at most {MAX_SIGNATURES} are read"
            raise NoteError(message, _NOTE_HINT)
        return cls(before + "\n", tuple(_parse_signature(line) for line in lines))

    def encode(self) -> bytes:
        """Return the note's bytes."""
        lines = [
            f"{_SIGNATURE_MARK}{item.name} {b64(item.key_id + item.signature)}\n" for item in self.signatures
        ]
        return (self.text + "\n" + "".join(lines)).encode()

    def signed_by(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Return the given keys whose signature is on the note.

        Lines of keys not given are ignored, as C2SP asks.

        Raises:
            NoteError: If a line names a given key and does not verify, or none of the given keys signed.
        """
        known = {(key.name, key.key_id): key for key in keys}
        signers: list[VerifierKey] = []
        for item in self.signatures:
            key = known.get((item.name, item.key_id))
            if key is None:
                continue
            if not key.verifies(item.signature, self.text.encode()):
                message = f"the signature of {key.keyid} does not belong to the note's text"
                raise NoteError(message, _NOTE_HINT)
            if key not in signers:
                signers.append(key)
        if not signers:
            raise NoteError(
                "the note carries no signature of a known key", "compare the log's keys in the trust root"
            )
        return tuple(signers)


def sign_note(text: str, keys: Sequence[Signs]) -> Note:
    """Sign a text.

    Args:
        text: UTF-8 text without control characters, ending in a newline.
        keys: At least one, in the order of the signature lines.

    Raises:
        NoteError: If the text cannot be a note's, or no key was given.
    """
    if not text.endswith("\n") or not keys:
        raise NoteError("a note needs a text that ends in a newline, and a key", "give both")
    note = Note(
        text, tuple(NoteSignature(key.name, key.verifier.key_id, key.sign(text.encode())) for key in keys)
    )
    if Note.parse(note.encode()) != note:
        raise NoteError("the text cannot be a note's", "leave out control characters")
    return note


def is_key_name(name: str) -> bool:
    """Tell whether a text may name a key or an origin: no white space, no plus, no control characters."""
    return (
        0 < len(name) <= MAX_NAME_CHARACTERS
        and not any(character.isspace() or character < " " or character == "+" for character in name)
        and name.isprintable()
    )


def _check_name(name: str) -> None:
    if not is_key_name(name):
        raise KeyFileError(
            "a key's name must be 1 to 200 printable characters without white space or plus",
            "use a name like city.example/ledger",
        )


def _parse_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    if not line.startswith(_SIGNATURE_MARK) or not is_key_name(name):
        raise NoteError("a signature line is not a dash, a key name and base64", _NOTE_HINT)
    raw = b64_decode(encoded)
    if len(raw) <= KEY_ID_BYTES:
        raise NoteError("a signature line is too short", _NOTE_HINT)
    return NoteSignature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def b64(raw: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 section 4), as C2SP formats use it."""
    return base64.b64encode(raw).decode("ascii")


def b64_decode(text: str) -> bytes:
    """Return the bytes of strict standard base64.

    Raises:
        NoteError: If the text is not the canonical spelling of any bytes.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("expected base64", _NOTE_HINT) from error
    if b64(raw) != text:
        raise NoteError("base64 is not in its canonical spelling", _NOTE_HINT)
    return raw
