"""A log that cannot go on under its name, and the new one that takes its place and says so in its first entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.canonical import b64u
from consent.errors import BadRequestError, CheckpointStoreError
from consent.shapes import MAX_NOTE_CHARACTERS
from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.note import Note
from consent.trust import TrustRoot
from consent.trust_chain import Succeeded

if TYPE_CHECKING:
    from pathlib import Path

    from consent.canonical import JSON
    from consent.tlog.checkpoint import Checkpoint

MAX_REASON = 200


@dataclass(frozen=True)
class Succession:
    """The log that is succeeded, as far as it is known.

    Attributes:
        trust: Its trust root.
        checkpoint: The last checkpoint that is known of it, signed by a key of its trust root.
        reason: Why it cannot go on, in public: no personal data.
    """

    trust: TrustRoot
    checkpoint: Checkpoint
    reason: str

    def body(self) -> dict[str, JSON]:
        """The body of the `succession` entry (docs/spec/ledger-v1.md, section 5)."""
        signers = Note.parse(self.checkpoint.note.encode()).signed_by(
            self.trust.log_vkeys(self.checkpoint.size)
        )
        return {
            "checkpoint": self.checkpoint.note,
            "keyid": min(key.keyid for key in signers),
            "origin": self.trust.origin,
            "reason": self.reason,
            "root": b64u(self.checkpoint.root),
            "size": self.checkpoint.size,
            "trust_root": self.trust.pin,
        }

    def reference(self) -> Succeeded:
        """What the new trust root says of it."""
        return Succeeded(self.trust.origin, self.trust.pin, self.checkpoint.size, self.checkpoint.root)


def read_succession(trust_root: Path, checkpoint: Path, reason: str) -> Succession:
    """Read and verify what the succeeded log left.

    Args:
        trust_root: Its trust-root.json. What it says is believed: compare its digest with a receipt's.
        checkpoint: Its last known checkpoint: the home's file, the published one, or a witness's.
        reason: Why it cannot go on, 1 to 200 printable characters.

    Raises:
        TrustRootError: The trust root does not verify (exit 3).
        NoteError: The checkpoint is not one of that log's (3).
        CheckpointStoreError: The checkpoint's file cannot be read (4).
        BadRequestError: The checkpoint is empty or too long, or the reason is (2).
    """
    if not reason.strip() or len(reason) > MAX_REASON or not reason.isprintable():
        raise BadRequestError(
            f"the reason must be 1 to {MAX_REASON} printable characters",
            "say in public why the log cannot go on",
        )
    trust = TrustRoot.load(trust_root, None)
    try:
        with checkpoint.open("rb") as file:
            raw = file.read(MAX_NOTE_CHARACTERS + 1)
    except OSError as error:
        raise CheckpointStoreError(
            f"the checkpoint {checkpoint} cannot be read: {error.strerror}",
            "name the old home's file `checkpoint`",
        ) from error
    if len(raw) > MAX_NOTE_CHARACTERS:
        raise BadRequestError(
            f"the checkpoint has more than {MAX_NOTE_CHARACTERS} bytes", "leave out lines of unknown keys"
        )
    opened = open_checkpoint(raw, trust.origin, trust.log_vkeys)
    if not opened.size:
        raise BadRequestError("the checkpoint is of an empty log", "a log without entries has no successor")
    return Succession(trust, opened, reason)
