from __future__ import annotations

import threading

import pytest

from consent.errors import CheckpointConflictError, CheckpointStoreError
from consent.tlog import external
from consent.tlog.external import Disk, FileCheckpointStore

STEPS = ("write", "rename", "sync_folder")


class FailingDisk(Disk):
    """A disk that fails once at one step: before doing it ("failed") or after ("failed but was written")."""

    def __init__(self, step, *, done):
        self.step = step
        self.done = done

    def _at(self, step, do):
        if step != self.step:
            return do()
        self.step = None
        if self.done:
            do()
        raise OSError(5, "Input/output error")

    def read(self, path):
        return self._at("read", lambda: super(FailingDisk, self).read(path))

    def write(self, path, content):
        return self._at("write", lambda: super(FailingDisk, self).write(path, content))

    def rename(self, source, target):
        return self._at("rename", lambda: super(FailingDisk, self).rename(source, target))

    def sync_folder(self, folder):
        return self._at("sync_folder", lambda: super(FailingDisk, self).sync_folder(folder))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint"


def test_a_new_store_holds_nothing_and_keeps_what_it_is_given(path):
    store = FileCheckpointStore(path)
    assert store.read() is None
    store.replace(None, b"one")
    store.replace(b"one", b"two")
    assert FileCheckpointStore(path).read() == b"two"


def test_a_value_is_replaced_only_by_who_knew_it(path):
    store = FileCheckpointStore(path)
    store.replace(None, b"one")
    for expected in (None, b"another"):
        with pytest.raises(CheckpointConflictError, match="not the one this writer last saw"):
            store.replace(expected, b"two")
    assert store.read() == b"one"


def test_the_same_call_again_succeeds_and_changes_nothing(path):
    store = FileCheckpointStore(path)
    store.replace(None, b"one")
    store.replace(None, b"one")
    assert store.read() == b"one"


@pytest.mark.parametrize("done", [False, True], ids=["failed", "failed-but-was-written"])
@pytest.mark.parametrize("step", STEPS)
def test_a_failing_disk_leaves_the_old_value_or_the_new_and_the_call_can_be_repeated(path, step, done):
    FileCheckpointStore(path).replace(None, b"one")
    store = FileCheckpointStore(path, FailingDisk(step, done=done))
    with pytest.raises(CheckpointStoreError, match="cannot be written: Input/output error") as caught:
        store.replace(b"one", b"two")
    assert caught.value.exit_code == 4
    renamed = STEPS.index(step) > 1 or (step == "rename" and done)
    assert FileCheckpointStore(path).read() == (b"two" if renamed else b"one")
    store.replace(b"one", b"two")
    assert store.read() == b"two"


@pytest.mark.parametrize("step", STEPS)
def test_after_an_unknown_outcome_nobody_else_can_have_slipped_in(path, step):
    FileCheckpointStore(path).replace(None, b"one")
    store = FileCheckpointStore(path, FailingDisk(step, done=True))
    with pytest.raises(CheckpointStoreError):
        store.replace(b"one", b"two")
    # Another writer goes on from whatever it reads; the first writer's repetition is then a conflict.
    other = FileCheckpointStore(path)
    other.replace(other.read(), b"three")
    with pytest.raises(CheckpointConflictError):
        store.replace(b"one", b"two")
    assert other.read() == b"three"


def test_a_half_written_file_of_a_crash_is_written_over(path):
    path.with_name("checkpoint.new").write_bytes(b"half")
    store = FileCheckpointStore(path)
    store.replace(None, b"one")
    assert store.read() == b"one"
    assert not path.with_name("checkpoint.new").exists()


def test_a_reading_failure_is_said(path):
    store = FileCheckpointStore(path, FailingDisk("read", done=False))
    with pytest.raises(CheckpointStoreError, match="cannot be read"):
        store.read()


def test_what_is_too_large_to_be_a_checkpoint_is_refused(path):
    path.write_bytes(b"a" * (external.MAX_CHECKPOINT_BYTES + 1))
    with pytest.raises(CheckpointStoreError, match="larger than"):
        FileCheckpointStore(path).read()


def test_a_folder_that_is_not_there_is_said(tmp_path):
    store = FileCheckpointStore(tmp_path / "none" / "checkpoint")
    assert store.read() is None
    with pytest.raises(CheckpointStoreError, match="cannot be locked"):
        store.replace(None, b"one")


def test_of_many_writers_each_change_is_made_by_one(path):
    FileCheckpointStore(path).replace(None, b"0")
    won: list[int] = []

    def count_up() -> None:
        store = FileCheckpointStore(path)
        for _ in range(20):
            current = store.read()
            assert current is not None
            try:
                store.replace(current, b"%d by %d" % (int(current.split()[0]) + 1, threading.get_ident()))
            except CheckpointConflictError:
                continue
            won.append(1)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = FileCheckpointStore(path).read()
    assert final is not None
    assert int(final.split()[0]) == len(won) > 0


def test_a_lock_that_is_never_freed_is_given_up(path):
    store = FileCheckpointStore(path)
    with store._lock(), pytest.raises(CheckpointStoreError, match="cannot be locked"):
        FileCheckpointStore(path, lock_seconds=0.05).replace(None, b"one")
