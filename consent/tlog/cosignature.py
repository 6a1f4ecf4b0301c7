"""Cosignatures of checkpoints (C2SP tlog-cosignature, Ed25519, type 0x04): what a witness signs, and how it is checked."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from consent.errors import KeyFileError, NoteError
from consent.tlog.note import (
    KEY_ID_BYTES,
    MAX_SIGNATURES,
    PUBLIC_KEY_BYTES,
    Note,
    NoteSignature,
    SigningKey,
    VerifierKey,
    b64,
    b64_decode,
    is_key_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COSIGNATURE_ED25519 = b"\x04"
"""Signature type identifier byte (C2SP tlog-cosignature, "Format")."""
TIME_BYTES = 8
MAX_TIME = 2**63 - 1
_SIGNATURE_BYTES = 64
COSIGNATURE_BYTES = TIME_BYTES + _SIGNATURE_BYTES
"""Length of what a line carries after the key id: the time, and the signature of RFC 8032."""
_HINT = (
    "a witness's key looks like name+12345678+base64 and is of type 0x04: `luvalla ledger witness` prints it"
)


@dataclass(frozen=True)
class WitnessKey:
    """The public key of a witness, spelled as a C2SP vkey of type 0x04.

    Attributes:
        name: Key name, e.g. `ombudsman.example/witness`.
        public: The 32-byte Ed25519 key of RFC 8032.
    """

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> WitnessKey:
        """Parse `name+hex key id+base64(0x04 || key)`; only the one spelling of each key is accepted.

        Raises:
            KeyFileError: If the text is no vkey, of another type, or its id does not match the key.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = b64_decode(encoded)
        except NoteError as error:
            raise KeyFileError("the witness key's last part is not base64", _HINT) from error
        if not is_key_name(name):
            raise KeyFileError("the witness key has no proper name before the first plus", _HINT)
        if len(raw) != 1 + PUBLIC_KEY_BYTES or raw[:1] != COSIGNATURE_ED25519:
            raise KeyFileError("the witness key is not an Ed25519 cosignature key (type 0x04)", _HINT)
        key = cls(name, raw[1:])
        if key_id != key.key_id.hex():
            raise KeyFileError("the witness key's id does not belong to its name and key", _HINT)
        return key

    @classmethod
    def of(cls, key: SigningKey) -> WitnessKey:
        """The public half of a witness's private key."""
        return cls(key.name, key.verifier.public)

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || 0x04 || key)."""
        return sha256(self.name.encode() + b"\n" + COSIGNATURE_ED25519 + self.public).digest()[:KEY_ID_BYTES]

    @property
    def keyid(self) -> str:
        """`name+hex key id`."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def vkey(self) -> str:
        """The C2SP spelling."""
        return f"{self.keyid}+{b64(COSIGNATURE_ED25519 + self.public)}"

    def cosigned_at(self, signature: bytes, text: str) -> int | None:
        """The time (POSIX seconds) of a valid cosignature over a checkpoint's text; None when it is not valid."""
        if len(signature) != COSIGNATURE_BYTES:
            return None
        at = int.from_bytes(signature[:TIME_BYTES], "big")
        message = _message(text, at)
        if at > MAX_TIME or not VerifierKey(self.name, self.public).verifies(signature[TIME_BYTES:], message):
            return None
        return at


def cosign(text: str, key: SigningKey, at: int) -> NoteSignature:
    """Make a cosignature. Whether it may be made is the caller's decision (`consent/tlog/witness.py`).

    Args:
        text: The checkpoint's three lines.
        key: The witness's private key.
        at: Now, POSIX seconds.

    Raises:
        NoteError: If the time is out of range.
    """
    if not 0 < at <= MAX_TIME:
        raise NoteError("a cosignature needs a time after 1970", "set the witness's clock")
    signature = at.to_bytes(TIME_BYTES, "big") + key.sign(_message(text, at))
    return NoteSignature(key.name, WitnessKey.of(key).key_id, signature)


def cosigned(note: Note, keys: Iterable[WitnessKey]) -> Mapping[WitnessKey, int]:
    """Return the given witnesses that cosigned a checkpoint, each with its newest time; perhaps none.

    Lines of keys not given are ignored, as C2SP asks.

    Raises:
        NoteError: If a line names a given witness and does not verify.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[WitnessKey, int] = {}
    for item in note.signatures:
        key = known.get((item.name, item.key_id))
        if key is None:
            continue
        at = key.cosigned_at(item.signature, note.text)
        if at is None:
            raise NoteError(
                f"the cosignature of {key.keyid} does not belong to the checkpoint", "ask the witness again"
            )
        found[key] = max(at, found.get(key, 0))
    return found


def signature_lines(signatures: Iterable[NoteSignature]) -> str:
    """Spell signature lines as a note carries them and a witness answers them."""
    return Note("", tuple(signatures)).encode().decode()[1:]


def cosignatures_in(answer: bytes, note: Note, keys: Iterable[WitnessKey]) -> tuple[NoteSignature, ...]:
    """Read a witness's answer: the valid cosignatures of given witnesses; everything else in it is ignored.

    Args:
        answer: The body of the witness's answer with status 200: signature lines.
        note: The checkpoint that was sent.
        keys: The witnesses that count.

    Raises:
        NoteError: If the answer is not signature lines.
    """
    parsed = Note.parse(note.text.encode() + b"\n" + answer)
    if parsed.text != note.text:
        raise NoteError("the witness's answer is not signature lines", "check the witness's address")
    known = {(key.name, key.key_id): key for key in keys}
    return tuple(
        item
        for item in parsed.signatures
        if (key := known.get((item.name, item.key_id))) is not None
        and key.cosigned_at(item.signature, note.text) is not None
    )


def with_cosignatures(note: Note, signatures: Iterable[NoteSignature]) -> Note:
    """Return the note with more lines; a key that has a line already keeps it.

    Raises:
        NoteError: If the lines become more than a reader accepts.
    """
    lines = list(note.signatures)
    for item in signatures:
        if not any((line.name, line.key_id) == (item.name, item.key_id) for line in lines):
            lines.append(item)
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note carries at most {MAX_SIGNATURES} signatures", "configure fewer witnesses")
    return Note(note.text, tuple(lines))


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
