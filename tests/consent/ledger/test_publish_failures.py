"""A publication that fails or is killed, wherever it is: the old checkpoint stands, and the next call finishes."""

from __future__ import annotations

import shutil
import threading
from typing import ClassVar

import pytest

from consent.errors import (
    PublicationError,
)
from consent.publication import publish_log
from consent.tlog import publish as publishing
from consent.tlog.tiles import CHECKPOINT
from tests.consent import second_verifier
from tests.consent.published import give, vkey


class _Failing(publishing.Folder):
    """The n-th write fails: before anything was written, or after all of it was."""

    def __init__(self, at: int, *, written: bool) -> None:
        self._left = at
        self._written = written
        self._lock = threading.Lock()

    def put(self, path, content):
        with self._lock:  # several files are written at a time
            self._left -= 1
            fails = self._left == 0
        if not fails:
            super().put(path, content)
            return
        if self._written:
            super().put(path, content)
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("written", [False, True])
def test_wherever_writing_fails_the_old_checkpoint_stands_and_the_next_call_finishes(
    ledger, tmp_path, monkeypatch, written
):
    give(ledger, 100)
    public = tmp_path / "public"
    ledger.publish(public)
    give(ledger, 200, start=100)
    steps = len(ledger.publish(public, dry_run=True).written)
    assert steps > 100
    for at in (1, 2, 3, steps // 3, steps - 2, steps - 1, steps):
        folder = tmp_path / f"public-{at}"
        shutil.copytree(public, folder)
        monkeypatch.setattr(publishing, "Folder", lambda at=at: _Failing(at, written=written))
        with pytest.raises(PublicationError, match="No space left"):
            publish_log(ledger.log, ledger.home, folder, dry_run=False)
        second_verifier.published(folder, vkey(ledger))
        assert not list(folder.rglob(".*"))
        monkeypatch.undo()
        ledger.publish(folder)
        assert len(second_verifier.published(folder, vkey(ledger))) == ledger.head().size


def test_what_a_killed_publication_left_is_synced_before_the_checkpoint_stands(ledger, tmp_path, monkeypatch):
    class Killed(publishing.Folder):
        def sync(self, folder):  # noqa: ARG002
            raise KeyboardInterrupt

    class Watched(publishing.Folder):
        done: ClassVar[list] = []

        def put(self, path, content):
            super().put(path, content)
            self.done.append(path)

        def sync(self, folder):
            super().sync(folder)
            self.done.append(folder)

    give(ledger, 300)
    public = tmp_path / "public"
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "Folder", Killed)
        with pytest.raises(KeyboardInterrupt):
            ledger.publish(public)
    assert not (public / CHECKPOINT).exists()
    monkeypatch.setattr(publishing, "Folder", Watched)
    ledger.publish(public)
    before = Watched.done[: Watched.done.index(public / CHECKPOINT)]
    assert {path for path in public.rglob("*") if path.is_dir()} <= set(before)
