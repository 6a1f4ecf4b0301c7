"""`luvalla init --signer`, killed at every step, on full and failing disks, and without its database: failed, and failed but was written."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from consent.errors import (
    ConsentError,
    FoundingUnfinishedError,
    HomeExistsError,
    LedgerUnavailableError,
    RefusedToSignError,
)
from consent.home import open_home
from consent.new_home import Furnishing
from consent.setup import create
from consent.signer_client import SignerProcess
from consent.tlog.external import Disk
from tests.consent.ledger.test_power_cut import Synced
from tests.consent.ledger.test_refusals import said_on_the_page
from tests.consent.ledger_world import OFFER, Clock, G, World
from tests.consent.signer_founded import Founding
from tests.consent.small_disk import small_disk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.consent.postgresql_server import Server
    from tests.consent.signer_house import SignerHouse


@pytest.mark.parametrize("when", ["asked", "persisted"])
def test_a_signer_killed_around_its_first_signature(founding: Founding, when: str) -> None:
    founding.house.stop()
    founding.house.start_dying(when)
    before = founding.house.memory.read_bytes()
    with pytest.raises(FoundingUnfinishedError) as caught:
        founding.make()
    assert founding.house.died() == -signal.SIGKILL
    assert said_on_the_page(caught.value)
    assert caught.value.exit_code == 4
    assert str(founding.begun) in caught.value.hint
    # "failed", or "failed but was written"; in both there is no home, and what was begun is kept.
    assert (founding.house.memory.read_bytes() == before) == (when == "asked")
    assert founding.names() == {"home.founding"}
    assert said_on_the_page(founding.refused(FoundingUnfinishedError, 4))
    founding.house.start()
    signed = founding.house.memory.read_bytes()
    world = founding.make()
    if when == "persisted":
        assert world.home.checkpoint.read_bytes() == signed
    founding.whole(world)


@pytest.mark.parametrize("when", ["kept", "signed", "written"])
def test_a_set_up_killed_after_the_home_was_ready_is_finished_by_the_same_call(
    founding: Founding, when: str
) -> None:
    founding.killed(when)
    assert founding.names() == {"home.founding"}
    assert (founding.house_last().size > 0) == (when != "kept")
    before = founding.house.memory.read_bytes()
    # Under the founding's own name nothing can be done with it until then.
    half = World(open_home(founding.begun), founding.clock)
    if when != "written":
        with half.open() as ledger, pytest.raises(RefusedToSignError, match="is missing"):
            ledger.record_consent("a", OFFER, G)
    world = founding.make()
    if when != "kept":
        assert founding.house.memory.read_bytes() == before
    founding.whole(world)


def test_a_set_up_killed_before_the_home_was_ready_leaves_the_signer_new(founding: Founding) -> None:
    founding.killed("filled")
    assert founding.house_last().size == 0
    assert not founding.begun.exists()
    if founding.database is not None:
        assert "holds a ledger already" in founding.refused(HomeExistsError, 2).message
        founding.empty_database()
    founding.whole(founding.make())


def test_a_set_up_killed_after_the_home_has_its_name_is_finished(founding: Founding) -> None:
    founding.killed("named")
    assert founding.names() == {"home"}
    assert "already" in founding.refused(HomeExistsError, 2).message
    founding.whole(World(open_home(founding.path), founding.clock))


def test_a_disk_that_is_full_after_the_signature(
    signing: SignerHouse, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SignerProcess.sign
    with small_disk(8) as disk:
        founding = Founding(disk.folder / "city", signing, database, Clock())

        def signs_and_fills(*args: Any, **words: Any) -> Any:
            made = real(*args, **words)
            disk.fill()
            return made

        with monkeypatch.context() as patched:
            patched.setattr(SignerProcess, "sign", signs_and_fills)
            with pytest.raises(FoundingUnfinishedError, match="No space left") as caught:
                founding.make()
            assert said_on_the_page(caught.value)
            assert founding.house_last().size > 0
            before = signing.memory.read_bytes()
            with pytest.raises(FoundingUnfinishedError, match="No space left"):
                founding.make()
        assert founding.names() == {"home.founding"}
        disk.make_room()
        world = founding.make()
        assert signing.memory.read_bytes() == before == world.home.checkpoint.read_bytes()
        founding.whole(world)


@pytest.mark.parametrize("written", [False, True], ids=["failed", "failed but was written"])
def test_a_checkpoint_file_that_fails(
    founding: Founding, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(Disk, "sync_folder" if written else "rename", fails)
        with pytest.raises(FoundingUnfinishedError, match="Input/output error"):
            founding.make()
    assert (founding.begun / "checkpoint").exists() == written
    founding.whole(founding.make())


@pytest.mark.parametrize(
    ("where", "error", "left"),
    [
        ("consent.setup.sync_all", LedgerUnavailableError, set()),
        ("consent.setup.put_in_place", LedgerUnavailableError, set()),
        ("consent.signer_founding.sync", FoundingUnfinishedError, {"home.founding"}),
        ("consent.signer_founding.sync_all", FoundingUnfinishedError, {"home.founding"}),
        ("consent.signer_founding.put_in_place", FoundingUnfinishedError, {"home.founding"}),
        ("pathlib.Path.rename", LedgerUnavailableError, set()),
    ],
)
def test_a_disk_that_fails_leaves_nothing_or_a_founding(
    founding: Founding, monkeypatch: pytest.MonkeyPatch, where: str, error: type[ConsentError], left: set[str]
) -> None:
    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(where, fails)
        with pytest.raises(error, match="Input/output error") as caught:
            founding.make()
        assert caught.value.exit_code == 4
    assert founding.names() == left
    assert (founding.tables() > 0) == bool(left and founding.database)
    assert (founding.house_last().size > 0) == (bool(left) and not where.endswith("founding.sync"))
    founding.whole(founding.make())


@pytest.mark.parametrize("with_signer", [True, False])
def test_a_database_server_that_is_lost_when_the_entries_are_committed(
    tmp_path: Path, signing: SignerHouse, durable: Server, *, with_signer: bool
) -> None:
    founding = Founding(tmp_path, signing, durable.new_database(), Clock())
    words = {} if with_signer else {"signer": None}

    def lost(*_: object) -> None:
        durable.stop(signal.SIGQUIT)
        raise OSError(5, "Input/output error")

    with pytest.raises(LedgerUnavailableError, match="Input/output error"):
        founding.make(furnishing=Furnishing(files=lost), **words)
    durable.restart_if_stopped()
    assert founding.names() == set()
    # Its tables stay, since nobody could drop them, and the signer is new.
    assert "holds a ledger already" in founding.refused(HomeExistsError, 2, **words).message
    founding.empty_database()
    if with_signer:
        founding.whole(founding.make())


def test_a_database_server_that_is_lost_before_the_signature(
    tmp_path: Path, signing: SignerHouse, durable: Server
) -> None:
    founding = Founding(tmp_path, signing, durable.new_database(), Clock())
    with pytest.raises(FoundingUnfinishedError) as caught:
        founding.make(furnishing=Furnishing(files=lambda *_: durable.stop(signal.SIGQUIT)))
    assert said_on_the_page(caught.value)
    durable.restart_if_stopped()
    assert founding.names() == {"home.founding"}
    assert founding.house_last().size == 0
    founding.whole(founding.make())


@pytest.mark.sqlite_file
def test_a_place_that_cannot_be_renamed_over_is_refused_before_anything_is_signed(founding: Founding) -> None:
    (founding.folder / "elsewhere").mkdir()
    for target in ("elsewhere", "nowhere"):
        founding.path.symlink_to(founding.folder / target)
        assert "already" in founding.refused(HomeExistsError, 2).message
        founding.path.unlink()
    with small_disk(1) as disk, pytest.raises(HomeExistsError, match="already"):
        create(disk.folder, clock=founding.clock, **founding.words())
    assert founding.house_last().size == 0


@pytest.mark.parametrize("with_signer", [True, False])
def test_a_name_that_may_not_be_on_disk_is_said_and_the_home_is_whole(
    founding: Founding, monkeypatch: pytest.MonkeyPatch, *, with_signer: bool
) -> None:
    real = os.fsync

    def fails_when_named(handle: int) -> None:
        if founding.path.exists() and os.path.samestat(os.fstat(handle), founding.folder.stat()):
            raise OSError(5, "Input/output error")
        real(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails_when_named)
        with pytest.raises(LedgerUnavailableError, match="is made, and its name may not be on disk"):
            founding.make(signer=founding.house.address if with_signer else None)
    assert founding.names() == {"home"}
    world = World(open_home(founding.path), founding.clock)
    with world.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        assert ledger.check() == []


def test_everything_is_on_disk_before_the_signer_signs_and_before_the_home_has_its_name(
    founding: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = Synced(monkeypatch)
    real, seen = SignerProcess.sign, []

    def signs(*args: Any, **words: Any) -> Any:
        seen.append(founding.begun)
        for path in [founding.begun, *founding.begun.rglob("*")]:
            # SQLite's own helpers come and go with a connection; the entries are in the file.
            assert synced.file(path) or path.name in {"ledger.db-shm", "ledger.db-wal"}, path
        assert synced.names(founding.folder) == {"home.founding"}
        return real(*args, **words)

    monkeypatch.setattr(SignerProcess, "sign", signs)
    world = founding.make()
    assert seen
    for path in [world.home.path, *world.home.path.rglob("*")]:
        assert synced.file(path), path
    assert "checkpoint" in synced.names(world.home.path)
    assert synced.names(founding.folder) == {"home"}
