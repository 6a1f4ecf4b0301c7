"""How offers leave: the place is tried before anything is recorded, and what is not released at once never is."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from consent.outside_home import check_outside
from governance.errors import GovernanceInputError, GovernanceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from governance.house import House


def check_place(out: Path) -> None:
    """See that offers can be put there, before anything is scored or recorded; leaves nothing behind.

    Raises:
        ConsentInputError: It lies in a home (exit 2).
        GovernanceInputError: There is something under that name (2).
        GovernanceUnavailableError: Nothing can be written in its folder, or in the one that it would be made in (4).
    """
    check_outside(out)
    if out.exists() or out.is_symlink():
        message = f"{out} exists: a run never overwrites"
        raise GovernanceInputError(message, "name a new file")
    standing = next(folder for folder in out.absolute().parents if folder.exists())
    probe = _beside(standing / out.name)
    try:
        probe.touch(mode=0o600, exist_ok=False)
        probe.unlink()
    except OSError as error:
        message = f"the offers cannot be written to {out}: {error.strerror}"
        raise GovernanceUnavailableError(
            message, "name a file in a folder that may be written; nothing was scored or recorded"
        ) from error


def release(waiting: Path, out: Path) -> None:
    """Put a recorded run's offers where they were asked for, whole or not at all; nothing is overwritten.

    Raises:
        GovernanceUnavailableError: They cannot be put there: the use stands recorded, and reached no one (exit 4).
    """
    there = False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(waiting, out)  # one step, no second copy: nothing half-written, wherever the process dies
        except FileExistsError:
            raise
        except OSError:  # another file system, or one without hard links
            _copy(waiting, out)
        there = True
        _sync_folder(out.parent)
    except OSError as error:
        if there:
            out.unlink(missing_ok=True)
        message = f"the run is recorded, but its offers could not be written to {out}: {error.strerror}"
        raise GovernanceUnavailableError(
            message, "they reached no one and are deleted; see to the place, then run again"
        ) from error


def _copy(waiting: Path, out: Path) -> None:
    beside = _beside(out)
    try:
        with waiting.open("rb") as source, beside.open("xb") as target:
            beside.chmod(0o600)
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        if out.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out))
        beside.rename(out)
    finally:
        beside.unlink(missing_ok=True)


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}.{secrets.token_hex(4)}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def alone(house: House) -> Iterator[None]:
    """One recorded run at a time; what an earlier one left unreleased, because it died, is removed first.

    A file still in the outbox was either never recorded, or recorded and released to no one: in both cases it may not leave now.
    """
    house.home.outbox.mkdir(mode=0o700, exist_ok=True)
    with (house.home.outbox / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = "another run of this home is under way"
            raise GovernanceUnavailableError(message, "wait until it ends") from error
        for left in house.home.outbox.glob("*.jsonl"):
            left.unlink()
        yield
