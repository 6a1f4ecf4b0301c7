"""Which witnesses have cosigned, for people who read a list or a receipt: names, nothing verified anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.tlog.cosignature import COSIGNATURE_BYTES, cosigned
from consent.tlog.note import Note
from consent.tlog.proof import Proof

if TYPE_CHECKING:
    from consent.log import Log


def witnesses_of_log(log: Log) -> tuple[str, ...]:
    """Names of the trust root's witnesses that cosigned the log's last checkpoint; none where there is none.

    Raises:
        NoteError: The external checkpoint is not one of this log's, or a witness's line does not verify.
    """
    last = log.last_checkpoint()
    if last is None:
        return ()
    return tuple(
        sorted(key.name for key in cosigned(Note.parse(last.note.encode()), log.trust.witnesses.keys))
    )


def witnesses_of_proof(proof: str, origin: str) -> tuple[str, ...]:
    """Names on the lines of a proof's checkpoint that have the form of a cosignature; whoever verifies counts them.

    Args:
        proof: A tlog-proof.
        origin: The log's name, whose own lines do not count.

    Raises:
        NoteError: It is no proof.
    """
    lines = Note.parse(Proof.parse(proof).checkpoint.encode()).signatures
    names = {line.name for line in lines if len(line.signature) == COSIGNATURE_BYTES}
    return tuple(sorted(names - {origin}))
