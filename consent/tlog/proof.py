"""Offline proofs that an entry is in the log (C2SP tlog-proof v1): format and parse, strict both ways."""

from __future__ import annotations

from dataclasses import dataclass

from consent.errors import NoteError
from consent.tlog.checkpoint import parse_decimal
from consent.tlog.merkle import HASH_SIZE
from consent.tlog.note import MAX_NOTE_BYTES, b64, b64_decode

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63
"""No tree of less than 2^63 leaves has a longer path."""

_HINT = "the text was changed or is not a proof (C2SP tlog-proof v1)"


@dataclass(frozen=True)
class Proof:
    """An inclusion proof with the checkpoint it leads to; parsing alone verifies nothing.

    Attributes:
        index: The entry's index in the log.
        path: 32-byte hashes, the leaf's sibling first.
        checkpoint: The signed note, exactly as signed.
        extra: Opaque data that nothing authenticates; luvalla writes none.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Parse a proof; `Proof.parse(text).text() == text` for everything accepted.

        Raises:
            NoteError: If the text is not a proof.
        """
        if len(text) > MAX_NOTE_BYTES:
            message = f"a proof of {len(text)} characters, at most {MAX_NOTE_BYTES} are read"
            raise NoteError(message, _HINT)
        head, separator, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or not checkpoint or lines.pop(0) != HEADER:
            message = f"a proof starts with {HEADER!r} and holds a checkpoint after an empty line"
            raise NoteError(message, _HINT)
        extra = (
            b64_decode(lines.pop(0).removeprefix("extra "))
            if lines and lines[0].startswith("extra ")
            else None
        )
        if not lines or not lines[0].startswith("index "):
            raise NoteError("the proof has no line with the entry's index", _HINT)
        index = parse_decimal(lines.pop(0).removeprefix("index "))
        if len(lines) > MAX_PATH:
            message = f"the proof has {len(lines)} hashes, at most {MAX_PATH} are possible"
            raise NoteError(message, _HINT)
        path = tuple(b64_decode(line) for line in lines)
        if any(len(item) != HASH_SIZE for item in path):
            message = f"the proof holds a hash that is not {HASH_SIZE} bytes"
            raise NoteError(message, _HINT)
        return cls(index, path, checkpoint, extra)

    def text(self) -> str:
        """Return the proof's text, ending with the checkpoint's last newline."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(b64(item) for item in self.path)
        return "\n".join(lines) + "\n\n" + self.checkpoint
