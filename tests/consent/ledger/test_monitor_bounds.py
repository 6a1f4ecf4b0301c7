"""A hostile log with a key of its own: whatever it signs and serves, the monitor's memory does not grow with it."""

from __future__ import annotations

import resource
import tracemalloc
from functools import cache
from typing import TYPE_CHECKING

import pytest

from consent.errors import ConsentUnavailableError, PublishedLogUnavailableError
from consent.tlog.checkpoint import MAX_TREE_SIZE, Checkpoint, TreeHead, sign_checkpoint
from consent.tlog.contradiction import Contradiction
from consent.tlog.merkle import EMPTY_EDGE, TILE_WIDTH, RightEdge, leaf_hash
from consent.tlog.monitor import Followed, follow
from consent.tlog.monitor_state import MonitorState
from consent.tlog.note import generate_key
from consent.tlog.tiles import bundle, tile_path

if TYPE_CHECKING:
    from pathlib import Path

KEY = generate_key("hostile.example/log")
MOST_BYTES = 2 * 1024 * 1024
LARGE = 70_000
"""Entries of no bytes: 140 kB to serve, 2.2 MB of leaf hashes."""


class Endless:
    """A log of one and the same entry, made up as it is asked for; `signed` is the size that it claims."""

    def __init__(self, size: int, entry: bytes = b"", *, signed: int | None = None) -> None:
        self.checkpoint, self.files = made(size, entry)
        self.entry, self.size = entry, size
        self.read_files = 0
        if signed is not None:
            self.checkpoint = sign_checkpoint(TreeHead(KEY.name, signed, bytes(32)), KEY)

    def read(self, name: str, limit: int) -> bytes | None:  # noqa: ARG002 - a log's files have it
        if name == "checkpoint":
            return self.checkpoint.note.encode()
        self.read_files += 1
        if not name.startswith("tile/entries/"):
            return self.files.get(name, self.files["tile/0/"])
        width = int(name.rpartition(".p/")[2]) if ".p/" in name else TILE_WIDTH
        return bundle([self.entry] * width)


@cache
def made(size: int, entry: bytes) -> tuple[Checkpoint, dict[str, bytes]]:
    """The signed head of so many equal entries, and the tiles that are not 256 times their leaf hash."""
    leaf = leaf_hash(entry)
    edge: RightEdge = EMPTY_EDGE
    files = {"tile/0/": leaf * TILE_WIDTH}
    for start in range(0, size, TILE_WIDTH):
        edge, tiles = edge.extended([leaf] * min(TILE_WIDTH, size - start))
        files |= {tile_path(tile.level, tile.index): tile.hashes for tile in tiles if tile.level}
    for level, hashes in enumerate(edge.levels):
        if hashes:
            index = (size >> (8 * level)) // TILE_WIDTH
            files[tile_path(level, index, len(hashes) // 32)] = hashes
    return sign_checkpoint(TreeHead(KEY.name, size, edge.root()), KEY), files


def followed(folder: Path, files: Endless, seen: tuple[Checkpoint, ...] = (), **how: int) -> object:
    state = MonitorState(folder, KEY.name, lambda _: [KEY.verifier])
    with state.locked():
        return follow(files, state, KEY.name, lambda _: [KEY.verifier], seen, **how)


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    receipt, log, other = made(50_000, b"")[0], Endless(LARGE), Endless(LARGE + 1_000, b"other")
    elsewhere = made(60_000, b"other")[0]
    tracemalloc.start()
    try:
        found = followed(tmp_path, log, (receipt,))
        assert isinstance(found, Followed)
        assert (found.head.size, found.compared) == (LARGE, 1)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
        # Read whole a second time: the log shows another history, and its own signatures prove it.
        assert isinstance(followed(tmp_path, other), Contradiction)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
        # And a head of another history, seen elsewhere.
        assert isinstance(followed(tmp_path, log, (elsewhere,)), Contradiction)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "other-leaves").exists()
    assert (tmp_path / "leaves").stat().st_size == 32 * LARGE


def test_more_than_was_allowed_is_not_even_asked_for(tmp_path: Path) -> None:
    endless = Endless(10, signed=MAX_TREE_SIZE)
    with pytest.raises(
        PublishedLogUnavailableError, match=f"grew by {MAX_TREE_SIZE} entries, at most 100000000"
    ):
        followed(tmp_path, endless)
    assert endless.read_files == 0
    with pytest.raises(PublishedLogUnavailableError, match="grew by 300 entries, at most 299"):
        followed(tmp_path, Endless(300), most_new=299)
    assert isinstance(followed(tmp_path, Endless(300), most_new=300), Followed)
    # It is what is new that counts.
    assert isinstance(followed(tmp_path, Endless(600), most_new=300), Followed)


def test_what_was_written_of_a_log_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    assert isinstance(followed(tmp_path, Endless(300)), Followed)
    with pytest.raises(Exception, match="do not give the root"):
        followed(tmp_path, Endless(900, signed=900))
    assert (tmp_path / "leaves").stat().st_size == 32 * 300
    assert isinstance(followed(tmp_path, Endless(900)), Followed)


def test_a_full_disk_leaves_what_was_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(followed(tmp_path, Endless(300)), Followed)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 50_000, hard))
    try:
        with pytest.raises(ConsentUnavailableError, match="File too large"):
            followed(tmp_path, Endless(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(followed(tmp_path, Endless(100_000)), Followed)
