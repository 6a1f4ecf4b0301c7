"""The trust root as a monitor follows it: given once, then by what the log publishes, version after version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.errors import LogContradictionError, MonitorStateError, PublishedLogError, TrustRootError
from consent.tlog.cosignature import cosigned
from consent.tlog.note import MAX_NOTE_BYTES, Note
from consent.tlog.tiles import CHECKPOINT, TRUST_ROOT
from consent.trust import MAX_BYTES, TrustRoot

if TYPE_CHECKING:
    from consent.tlog.bundles import LogFiles
    from consent.tlog.checkpoint import Checkpoint
    from consent.tlog.monitor_state import MonitorState

OTHER = "trust-root-other.json"


@dataclass(frozen=True)
class Snapshot:
    """A published log whose checkpoint was read once, before its trust root.

    The log replaces the trust root first and the checkpoint after it. Read in the other order, the key that signed the
    checkpoint is always in the trust root.
    """

    files: LogFiles
    checkpoint: bytes | None

    @classmethod
    def of(cls, files: LogFiles) -> Snapshot:
        """Read the checkpoint now."""
        return cls(files, files.read(CHECKPOINT, MAX_NOTE_BYTES))

    def read(self, name: str, limit: int) -> bytes | None:
        """See `LogFiles.read`."""
        return self.checkpoint if name == CHECKPOINT else self.files.read(name, limit)


def newest_trust_root(files: LogFiles, state: MonitorState, given: TrustRoot) -> TrustRoot:
    """Return the newest version of the given trust root, the remembered one and the published one; remember it.

    Args:
        files: The published log.
        state: What was kept of it, locked by the caller.
        given: The trust root that the monitor was started with.

    Raises:
        LogContradictionError: The published one is no continuation: root keys signed two next versions. It is kept.
        PublishedLogError: The published file does not verify.
        MonitorStateError: The remembered one does not.
    """
    newest = given
    kept = state.trust_root()
    if kept is not None:
        try:
            newest = _newer(newest, TrustRoot.parse(kept, given.pin))
        except TrustRootError as error:
            raise MonitorStateError(
                f"the trust root kept in {state.path} is not one of the log that is followed: {error.message}",
                "keep the folder as it is, and follow the log anew with an empty --state folder",
            ) from error
    raw = files.read(TRUST_ROOT, MAX_BYTES)
    if raw is not None:
        try:
            published = TrustRoot.parse(raw, given.pin)
        except TrustRootError as error:
            raise PublishedLogError(
                f"the published {TRUST_ROOT} does not verify: {error.message}",
                "fetch again; if it stays so, keep what was served and ask the log's operator",
            ) from error
        try:
            newest = _newer(newest, published)
        except TrustRootError as error:
            path = state.write(OTHER, raw.decode())
            raise LogContradictionError(
                f"the published {TRUST_ROOT} is another continuation of the trust root than the one known",
                f"{path}: root keys signed both; publish the two files, and ask the operator",
            ) from error
    if newest.raw != kept:
        state.write(TRUST_ROOT, newest.raw.decode())
    return newest


def witnesses_of(head: Checkpoint, trust: TrustRoot) -> tuple[str, ...]:
    """Return who of the trust root's witnesses cosigned a head, `name+id`.

    Raises:
        PublishedLogError: Fewer than the trust root asks for at this size.
        NoteError: A line of a witness does not verify.
    """
    rule = trust.witnesses
    found = tuple(sorted(key.keyid for key in cosigned(Note.parse(head.note.encode()), rule.keys)))
    needed = rule.needed(head.size)
    if len(found) < needed:
        raise PublishedLogError(
            f"the published checkpoint of {head.size} entries is cosigned by {len(found)} of the trust root's "
            f"witnesses, {needed} are needed",
            "ask the witnesses what they know of this log, and its operator why it was published without them",
        )
    return found


def _newer(one: TrustRoot, other: TrustRoot) -> TrustRoot:
    if one.continues(other):
        return one
    if other.continues(one):
        return other
    raise TrustRootError(
        "neither trust root continues the other",
        "keep both, publish them, and ask the log's operator which one the root keys meant",
    )
