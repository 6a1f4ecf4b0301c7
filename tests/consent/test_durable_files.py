"""Files that are replaced: what a reader finds at every moment, and who may read it."""

from __future__ import annotations

import os
import stat

import pytest

from consent.tlog.durable import replace_file


def test_a_file_gets_its_content_and_its_mode(tmp_path):
    path = tmp_path / "file"
    replace_file(path, b"old", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    replace_file(path, b"new", mode=0o664)
    assert path.read_bytes() == b"new"
    # Exactly these, whatever the process's umask.
    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_process_left_beside_is_neither_kept_nor_followed(tmp_path):
    path, other = tmp_path / "file", tmp_path / "other"
    other.write_bytes(b"of somebody else")
    (tmp_path / ".file.new").symlink_to(other)
    replace_file(path, b"new", mode=0o600)
    assert (path.read_bytes(), other.read_bytes()) == (b"new", b"of somebody else")
    assert not path.is_symlink()


@pytest.mark.parametrize(("failing", "found"), [(1, b"old"), (2, b"new")])
def test_a_sync_that_fails_is_told_and_the_file_is_whole(tmp_path, monkeypatch, failing, found):
    """The first sync is the content's, the second the folder's: failed, and failed but written."""
    path = tmp_path / "file"
    replace_file(path, b"old")
    calls = []

    def fsync(handle):
        calls.append(handle)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output"):
        replace_file(path, b"new")
    assert path.read_bytes() == found
    monkeypatch.undo()
    replace_file(path, b"again")
    assert path.read_bytes() == b"again"
