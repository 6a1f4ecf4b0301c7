"""Follow a published log from outside (C2SP tlog-tiles): recompute it, and hold it to every head that was ever seen.

  1. fetch the checkpoint and verify the log's signature;
  2. fetch the bundles that are new, hash the entries, extend the kept edge of the tree: the root must be the signed one;
  3. the served tiles must be what the entries give;
  4. every head seen elsewhere (a receipt's) that the log now covers must be one of its earlier states;
  5. only then is the new head remembered.
Leaf hashes go to the state folder as they come: memory does not grow with the log.
What does not fit is looked at once more from the first entry on, so that the log's own signatures prove what it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.errors import PublishedLogError, PublishedLogUnavailableError
from consent.tlog.bundles import DAMAGED, bundles
from consent.tlog.checkpoint import Checkpoint, open_checkpoint
from consent.tlog.contradiction import Contradiction, LeafStore, RolledBack, contradiction
from consent.tlog.merkle import HASH_SIZE, TILE_BITS, TILE_WIDTH, RightEdge, leaf_hash, root_at
from consent.tlog.note import MAX_NOTE_BYTES
from consent.tlog.tiles import CHECKPOINT, tile_bytes, tile_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consent.tlog.bundles import LogFiles
    from consent.tlog.monitor_state import KeysAt, MonitorState


MOST_NEW = 100_000_000
"""Entries followed in one call: 3.2 GB of the state folder, and hours. A log's key can sign any size, and its server can feed
entries of no bytes for ever; memory does not grow with them, and the folder by no more than this."""


@dataclass(frozen=True)
class Followed:
    """The log continues all that was seen of it.

    Attributes:
        head: The head that was verified.
        before: Entries of the head known before; None at first.
        compared: Heads seen elsewhere that are earlier states of the log.
        waiting: Heads seen elsewhere that the log does not cover yet.
    """

    head: Checkpoint
    before: int | None
    compared: int
    waiting: int


def follow(
    files: LogFiles,
    state: MonitorState,
    origin: str,
    keys_at: KeysAt,
    seen: Sequence[Checkpoint] = (),
    *,
    most_new: int = MOST_NEW,
) -> Followed | Contradiction | RolledBack:
    """Follow the log to its present head. The caller holds `state.locked()`.

    Args:
        files: The published log.
        state: What was kept of it.
        origin: Its name.
        keys_at: The keys that may sign a checkpoint of a size.
        seen: Verified heads from elsewhere; kept until they can be compared.
        most_new: Most entries that are read and kept in one call.

    Returns:
        That all is well; or evidence that it is not. Nothing is remembered of a head that contradicts.

    Raises:
        PublishedLogError: The files do not give the signed root (exit 3).
        PublishedLogUnavailableError: A file cannot be fetched, or the log grew by more than `most_new` (4).
        NoteError: The checkpoint is malformed, of another log or not signed by it (3).
        MonitorStateError: What was kept is damaged (3).
    """
    kept, edge = state.load()
    # What was compared before agrees still: the head remembered since continues it.
    compared = sum(not state.keep(each) for each in seen)
    raw = files.read(CHECKPOINT, MAX_NOTE_BYTES)
    if raw is None:
        raise PublishedLogUnavailableError(
            "no log is published there: it has no file `checkpoint`", "name the folder that holds it"
        )
    served = open_checkpoint(raw, origin, keys_at)
    if kept is not None and served.size <= kept.size:
        if served.head != kept.head:
            return _not_after(state, kept, served)
    else:
        grown = served.size - (0 if kept is None else kept.size)
        if grown > most_new:
            raise PublishedLogUnavailableError(
                f"the log says that it grew by {grown} entries, at most {most_new} are followed in one call",
                "if you believe it, name more with --most-new: 32 bytes of disk for each",
            )
        try:
            edge = _extended(files, state, edge, served)
        except PublishedLogError as error:
            # Perhaps the log has two histories: then the whole of this one, signed, shows it.
            found = None if kept is None else _other_history(files, state, kept, served)
            if found is None:
                raise error from None
            return found
    pending = state.pending()
    due = [each for each in pending if each.size <= served.size]
    with state.leaves(served.size if due else 0) as leaves:
        for each in due:
            against = contradiction(each, served, leaves) if each.size else None
            if against is not None:
                return against
    if kept is None or served.note != kept.note:
        state.advance(served, edge)
    for each in due:
        state.compared(each)
    return Followed(served, None if kept is None else kept.size, compared + len(due), len(pending) - len(due))


def _not_after(state: MonitorState, kept: Checkpoint, served: Checkpoint) -> Contradiction | RolledBack:
    """A head that is not larger than the kept one, and not the same."""
    if not served.size:
        return RolledBack(kept, served)
    with state.leaves(kept.size) as leaves:
        against = contradiction(served, kept, leaves)
    return RolledBack(kept, served) if against is None else against


def _extended(files: LogFiles, state: MonitorState, edge: RightEdge, served: Checkpoint) -> RightEdge:
    """Read what is new, and keep its leaf hashes; return the edge after them."""
    start = edge.size
    with state.extending(start) as add:
        for first, leaves in _leaves(files, start - start % TILE_WIDTH, served.size):
            known = max(0, start - first)
            if b"".join(leaves[:known]) != state.leaf_range(first, first + known):
                raise PublishedLogError("entries that were there before are others now", DAMAGED)
            _check_tile(files, 0, first // TILE_WIDTH, b"".join(leaves))
            edge, tiles = edge.extended(leaves[known:])
            for tile in tiles:
                if tile.level:
                    _check_tile(files, tile.level, tile.index, tile.hashes)
            add(b"".join(leaves[known:]))
        if edge.root() != served.root:
            raise PublishedLogError(
                f"the entries served do not give the root that was signed for {served.size} of them", DAMAGED
            )
        for level, hashes in enumerate(edge.levels):
            if level and hashes:
                _check_tile(files, level, (served.size >> (TILE_BITS * level)) // TILE_WIDTH, hashes)
    return edge


def _other_history(
    files: LogFiles, state: MonitorState, kept: Checkpoint, served: Checkpoint
) -> Contradiction | None:
    """Read the served log from its first entry: if it gives the signed root, it says what it holds at the kept size."""
    hashes = (b"".join(leaves) for _, leaves in _leaves(files, 0, served.size))
    with state.aside(served.size, hashes) as whole:
        if root_at(LeafStore(whole), served.size) != served.root or not kept.size:
            return None
        return contradiction(kept, served, whole)


def _leaves(files: LogFiles, first: int, size: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the index of each bundle's first entry, and the leaf hashes of its entries."""
    for start, entries in bundles(files, first, size):
        yield start, [leaf_hash(entry) for entry in entries]


def _check_tile(files: LogFiles, level: int, index: int, hashes: bytes) -> None:
    width = len(hashes) // HASH_SIZE
    name = tile_path(level, index, width)
    content = files.read(name, tile_bytes(TILE_WIDTH))
    if content is None and width < TILE_WIDTH:
        full = files.read(tile_path(level, index), tile_bytes(TILE_WIDTH))
        content = None if full is None else full[: len(hashes)]
    if content is None:
        raise PublishedLogUnavailableError(
            f"the published log lacks {name}", "fetch again; then ask its operator"
        )
    if content != hashes:
        raise PublishedLogError(f"{name} is not what the entries give", DAMAGED)
