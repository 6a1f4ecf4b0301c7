"""Checkpoints: the signed head of the log (C2SP tlog-checkpoint), three lines, no extension lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.errors import NoteError
from consent.tlog.merkle import EMPTY_ROOT, HASH_SIZE
from consent.tlog.note import Note, Signs, VerifierKey, b64, b64_decode, is_key_name, sign_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_TREE_SIZE = 2**53 - 1
"""Sizes are also written as JSON integers (run entries)."""
MAX_PROOF_LINES = 63
"""C2SP tlog-witness, add-checkpoint: a consistency proof between two sizes below 2^63 is not longer."""

_HINT = "the text was changed or is not a checkpoint (C2SP tlog-checkpoint)"


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint says.

    Attributes:
        origin: The log's name.
        size: Number of entries.
        root: 32-byte root hash of the tree of this size.
    """

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """Parse a note's text; `TreeHead.parse(text).text() == text` for everything accepted.

        Raises:
            NoteError: If the text is not the three lines of a checkpoint.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:  # noqa: PLR2004  three lines, each ended by a newline
            raise NoteError("a checkpoint is three lines: origin, size, root", _HINT)
        head = cls(lines[0], parse_decimal(lines[1]), b64_decode(lines[2]))
        head.check()
        return head

    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    def check(self) -> None:
        """Refuse what no log can have signed.

        Raises:
            NoteError: If origin, size or root is impossible.
        """
        if not is_key_name(self.origin):
            raise NoteError("the checkpoint's origin is not a proper name", _HINT)
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise NoteError("the checkpoint's size is out of range", _HINT)
        if len(self.root) != HASH_SIZE:
            message = f"the checkpoint's root should be {HASH_SIZE} bytes, got {len(self.root)}"
            raise NoteError(message, _HINT)
        if (self.size == 0) != (self.root == EMPTY_ROOT):
            raise NoteError("the checkpoint's size and root disagree on whether the log is empty", _HINT)


@dataclass(frozen=True)
class Checkpoint:
    """A head and the signed note that says it.

    Attributes:
        head: What the note says.
        note: The whole note, exactly as signed.
    """

    head: TreeHead
    note: str

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.head.origin

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.head.size

    @property
    def root(self) -> bytes:
        """32-byte root hash of the tree of this size."""
        return self.head.root


def sign_checkpoint(head: TreeHead, key: Signs) -> Checkpoint:
    """Sign a head. Whether it may be signed is the caller's decision (`consent/ledger.py`).

    Raises:
        NoteError: If the head is impossible or the key's name is not the origin.
    """
    head.check()
    if key.name != head.origin:
        raise NoteError("a checkpoint is signed by a key named as its origin", "load the log's own key")
    return Checkpoint(head, sign_note(head.text(), [key]).encode().decode())


def open_checkpoint(note: bytes, origin: str, keys_at: Callable[[int], Iterable[VerifierKey]]) -> Checkpoint:
    """Parse and verify a checkpoint.

    Args:
        note: The signed note.
        origin: The only origin accepted.
        keys_at: The log keys valid for a tree size, as `TrustRoot.log_vkeys`.

    Raises:
        NoteError: If it is malformed, of another log, or not signed by a key valid for its size.
    """
    parsed = Note.parse(note)
    head = TreeHead.parse(parsed.text)
    if head.origin != origin:
        raise NoteError("the checkpoint is of another log", "compare the origin in the trust root")
    parsed.signed_by(keys_at(head.size))
    return Checkpoint(head, note.decode())


def parse_decimal(text: str) -> int:
    """Parse ASCII decimal without leading zeroes, up to `MAX_TREE_SIZE`.

    Raises:
        NoteError: If it is spelled otherwise or too large.
    """
    if (
        not (text.isascii() and text.isdigit())
        or (text[0] == "0" and text != "0")
        or len(text) > len(str(MAX_TREE_SIZE))
    ):
        raise NoteError("expected a decimal number without leading zeroes", _HINT)
    number = int(text)
    if number > MAX_TREE_SIZE:
        raise NoteError("the number is 2^53 or more", _HINT)
    return number


def parse_old_size(text: str, hint: str) -> tuple[int, tuple[bytes, ...]]:
    """Parse the first lines of a request to sign or to cosign (C2SP tlog-witness): the old size, then the proof from it.

    Args:
        text: The lines, without the newline that ends the last one.
        hint: Where the request's form is written down.

    Returns:
        The old size, and the consistency proof, one hash a line. What `old_size_text` makes of them is what was parsed.

    Raises:
        NoteError: They are not in their form.
    """
    first, *lines = text.split("\n")
    if not first.startswith("old "):
        raise NoteError("the request does not begin with the line of the old size", hint)
    if len(lines) > MAX_PROOF_LINES:
        raise NoteError(f"the proof has {len(lines)} lines, at most {MAX_PROOF_LINES} are possible", hint)
    return parse_decimal(first.removeprefix("old ")), tuple(b64_decode(line) for line in lines)


def old_size_text(old_size: int, proof: Sequence[bytes]) -> str:
    """Write the lines that `parse_old_size` reads, each with its newline."""
    return "".join(f"{line}\n" for line in (f"old {old_size}", *map(b64, proof)))
