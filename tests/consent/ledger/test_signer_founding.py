"""`luvalla init --signer`: a home whose log key was never in it, and every failure on the way to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import cli
from consent.errors import (
    BadRequestError,
    ConfigurationError,
    ConsentError,
    ConsentUnavailableError,
    FoundingUnfinishedError,
    HomeExistsError,
    LedgerUnavailableError,
    RefusedToSignError,
    SignerUnavailableError,
)
from consent.home import open_home, read_settings
from consent.new_home import Furnishing
from consent.setup import create
from consent.signer_client import SignerProcess
from consent.signer_founding import founding_place
from consent.succession import read_succession
from consent.tlog.external import Disk
from consent.tlog.verify import verify_proof
from consent.trust import TrustRoot
from tests.consent.ledger.test_power_cut import Synced
from tests.consent.ledger.test_refusals import said_on_the_page
from tests.consent.ledger_world import OFFER, ORIGIN, Clock, G, World, make_world, purposes_text
from tests.consent.ledger_writers import stored_entries
from tests.consent.second_verifier import mth
from tests.consent.signer_house import ENVIRONMENT, ROOT, SignerHouse
from tests.consent.small_disk import small_disk

if TYPE_CHECKING:
    from tests.consent.postgresql_server import Server

KILLED = """
import json, os, signal, sys
from datetime import datetime
from pathlib import Path
from consent import home_place, setup, signer_founding
from consent.tlog.external import FileCheckpointStore

def dies(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def then_dies(real):
    def both(*args):
        real(*args)
        dies()
    return both

when, words = sys.argv[1], json.loads(sys.argv[2])
if when == "filled":
    setup.sync_all = dies
elif when == "kept":
    setup.put_in_place = then_dies(home_place.put_in_place)
elif when == "signed":
    FileCheckpointStore.replace = dies
elif when == "written":
    FileCheckpointStore.replace = then_dies(FileCheckpointStore.replace)
elif when == "named":
    signer_founding.put_in_place = then_dies(home_place.put_in_place)
words["clock"] = lambda at=datetime.fromisoformat(words["clock"]): at
setup.create(Path(words.pop("path")), **words)
"""
"""A set-up that dies: the entries are committed, the founding has its name, the signer has signed, the checkpoint is
written, the home has its name."""


@dataclass
class Founding:
    """A home that is to be made with a signer, and what it is to be made of."""

    folder: Path
    house: SignerHouse
    database: str | None
    clock: Clock

    @property
    def path(self) -> Path:
        return self.folder / "home"

    @property
    def begun(self) -> Path:
        return founding_place(self.path)

    def words(self) -> dict[str, Any]:
        return {
            "origin": ORIGIN,
            "purposes": purposes_text(),
            "database": self.database,
            "signer": self.house.address,
        }

    def make(self, **changes: Any) -> World:
        return World(create(self.path, clock=self.clock, **{**self.words(), **changes}), self.clock)

    def start(self, when: str) -> subprocess.Popen[str]:
        """A process that makes the home, and is killed at a moment of `KILLED`."""
        words = {**self.words(), "path": str(self.path), "clock": self.clock.now.isoformat()}
        return subprocess.Popen(
            [sys.executable, "-c", KILLED, when, json.dumps(words)],
            env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def killed(self, when: str) -> None:
        """The same to its end."""
        process = self.start(when)
        said = process.communicate(timeout=120)[1]
        assert process.returncode == -signal.SIGKILL, said

    def refused(self, error: type[ConsentError], code: int, **changes: Any) -> ConsentError:
        """It is refused, there is no home, and what was there before is there as it was."""
        before = (self.names(), self.house.memory.read_bytes(), self.tables())
        with pytest.raises(error) as caught:
            self.make(**changes)
        assert caught.value.exit_code == code
        assert caught.value.hint
        assert (self.names(), self.house.memory.read_bytes(), self.tables()) == before
        return caught.value

    def names(self) -> set[str]:
        return {entry.name for entry in self.folder.iterdir()}

    def tables(self) -> int:
        """Tables in the PostgreSQL database."""
        if self.database is None:
            return 0
        with psycopg.connect(self.database) as connection:
            query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            return connection.execute(query).fetchone()[0]

    def empty_database(self) -> None:
        """What the page tells to do with the database of a founding that is given up."""
        if self.database is not None:
            with psycopg.connect(self.database, autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")

    def whole(self, world: World) -> None:
        """The home is the one history that its signer signed, and it goes on."""
        assert self.names() >= {"home"}
        assert not self.begun.exists()
        bodies = [body for _, body in stored_entries(world, self.database)]
        with world.open() as ledger:
            head = ledger.head()
            assert (head.size, head.root) == (len(bodies), mth(bodies))
            assert head.checkpoint.head == self.house_last()
            assert (head.checkpoint.size, head.checkpoint.root) == (head.size, head.root)
            assert ledger.check() == []
            assert not ledger.record_consent("a", OFFER, G, request_id="r").replayed
            receipt = ledger.consent_receipt("a", OFFER)
            assert world.verify(receipt).signed_by == (self.house.key().keyid,)
            assert ledger.check() == []
        assert {path.name for path in world.home.keys.iterdir()} == {
            "kek", "keks.json", "pseudonym", "root.pem",
        }  # fmt: skip

    def house_last(self) -> Any:
        return SignerProcess(str(self.house.socket), ORIGIN).last()[1]


@pytest.fixture
def house(house: SignerHouse) -> SignerHouse:
    """New, and running."""
    house.init()
    house.start()
    return house


@pytest.fixture
def founding(tmp_path: Path, house: SignerHouse, database: str | None) -> Founding:
    folder = tmp_path / "city"
    folder.mkdir()
    return Founding(folder, house, database, Clock())


def another_signer(founding: Founding) -> SignerHouse:
    """Another signer at another socket, running."""
    house = SignerHouse(Path(tempfile.mkdtemp(prefix="other-", dir=founding.house.folder)), ORIGIN)
    house.init()
    house.start()
    return house


def test_a_home_is_made_with_a_key_that_was_never_in_it(founding: Founding, tmp_path: Path) -> None:
    world = founding.make()
    settings = read_settings(world.home)
    assert (settings.signer, settings.database) == (founding.house.address, founding.database)
    trust = TrustRoot.load(world.home.trust_root, settings.trust_root)
    assert [item.key for item in trust.log_keys] == [founding.house.key()]
    assert founding.house.memory.read_bytes() == world.home.checkpoint.read_bytes()
    founding.whole(world)
    private = (founding.house.state / "signer.pem").read_bytes().splitlines()[1]
    assert all(private not in path.read_bytes() for path in world.home.path.rglob("*") if path.is_file())
    # The verifier that stands alone: a receipt as a stranger checks it, and the proof of an entry.
    with world.open() as ledger:
        receipt = ledger.consent_receipt("a", OFFER)
        entries = dict(stored_entries(world, founding.database))
        for index, entry in entries.items():
            proof = ledger.prove(index).encode()
            verify_proof(proof, entry, world.home.trust_root.read_bytes(), settings.trust_root)
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "consent" / "tlog" / "verify.py", tmp_path / "receipt.json",
         world.home.trust_root, "--pin", settings.trust_root],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_its_key_is_rotated_to_another_signer(founding: Founding) -> None:
    founding.clock.now = datetime.now(UTC)  # the command line has the machine's clock
    world = founding.make()
    second = another_signer(founding)
    try:
        for words in (("--dry-run",), ()):
            with pytest.raises(SystemExit) as ended:
                cli.main(
                    [
                        "--home",
                        str(world.home.path),
                        "ledger",
                        "rotate-key",
                        "--signer",
                        second.address,
                        *words,
                    ]
                )
            assert not ended.value.code
        world.clock.now = datetime.now(UTC)
        with world.open() as ledger:
            ledger.record_consent("a", OFFER, G)
            receipt = ledger.consent_receipt("a", OFFER)
            assert world.verify(receipt).signed_by == (second.key().keyid,)
            assert ledger.check() == []
    finally:
        second.close()


def test_a_successor_with_a_signer_names_the_log_before(founding: Founding, tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    older = make_world(tmp_path / "older")
    home = older.home
    (why, other) = (
        read_succession(home.trust_root, home.checkpoint, reason) for reason in ("entries lost", "other")
    )
    house = SignerHouse(Path(tempfile.mkdtemp(prefix="other-", dir=founding.house.folder)), "city.example/2")
    house.init()
    house.start_dying("asked")
    founding.house = house
    words = {"origin": "city.example/2", "succeeds": why}
    try:
        with pytest.raises(FoundingUnfinishedError):
            founding.make(**words)
        house.died()
        house.start()
        for wrong in ({"succeeds": other}, {"succeeds": None}):
            assert "another --" in founding.refused(HomeExistsError, 2, **{**words, **wrong}).message
        world = founding.make(**words)
        with world.open() as ledger:
            assert ledger.institutional("succession")[0].body["reason"] == "entries lost"
            assert ledger.check() == []
        assert not world.home.log_key.exists()
    finally:
        house.close()


def test_nobody_listens_and_nothing_is_made(founding: Founding) -> None:
    founding.house.stop()
    assert said_on_the_page(founding.refused(SignerUnavailableError, 4))
    assert (founding.names(), founding.tables()) == (set(), 0)
    founding.house.start()
    founding.whole(founding.make())


def test_a_signer_that_signed_before_is_refused(founding: Founding, tmp_path: Path) -> None:
    other = tmp_path / "other"
    create(other, clock=founding.clock, **{**founding.words(), "database": None})
    error = founding.refused(RefusedToSignError, 3)
    assert said_on_the_page(error)
    assert "already" in error.message
    assert (founding.names(), founding.tables()) == (set(), 0)


@pytest.mark.sqlite_file
def test_a_signer_that_is_to_continue_a_checkpoint_is_refused(founding: Founding, tmp_path: Path) -> None:
    older = make_world(tmp_path).home
    vkey = TrustRoot.load(older.trust_root, None).log_keys[0].key.vkey
    house = SignerHouse(Path(tempfile.mkdtemp(prefix="other-", dir=founding.house.folder)), ORIGIN)
    house.init("--key", str(older.log_key), "--checkpoint", str(older.checkpoint), "--log", vkey)
    house.start()
    try:
        assert "already" in founding.refused(RefusedToSignError, 3, signer=house.address).message
    finally:
        house.close()


@pytest.mark.sqlite_file
def test_wrong_addresses_and_names_are_refused(founding: Founding) -> None:
    founding.refused(ConfigurationError, 2, signer="tcp:host")
    error = founding.refused(RefusedToSignError, 3, origin="city.example/other")
    assert said_on_the_page(error)
    assert "--origin" in error.hint
    founding.refused(BadRequestError, 2, origin="not a name")
    assert founding.names() == set()


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
    house: SignerHouse, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SignerProcess.sign
    with small_disk(8) as disk:
        founding = Founding(disk.folder / "city", house, database, Clock())

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
            before = house.memory.read_bytes()
            with pytest.raises(FoundingUnfinishedError, match="No space left"):
                founding.make()
        assert founding.names() == {"home.founding"}
        disk.make_room()
        world = founding.make()
        assert house.memory.read_bytes() == before == world.home.checkpoint.read_bytes()
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
    tmp_path: Path, house: SignerHouse, durable: Server, *, with_signer: bool
) -> None:
    founding = Founding(tmp_path, house, durable.new_database(), Clock())
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
    tmp_path: Path, house: SignerHouse, durable: Server
) -> None:
    founding = Founding(tmp_path, house, durable.new_database(), Clock())
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


def half_made(founding: Founding, **changes: Any) -> None:
    """A founding that waits for its signer, which did not sign and runs again."""
    founding.house.stop()
    founding.house.start_dying("asked")
    with pytest.raises(FoundingUnfinishedError):
        founding.make(**changes)
    founding.house.died()
    founding.house.start()


def test_a_founding_goes_on_only_as_it_was_begun(founding: Founding) -> None:
    policy = Furnishing(difference=lambda home: None if home.purposes.exists() else "--policy")
    half_made(founding)
    for option, change in (
        ("--signer", {"signer": None}),
        ("--signer", {"signer": "unix:/run/other"}),
        ("--origin", {"origin": "city.example/other"}),
        ("--purposes", {"purposes": purposes_text(version=2)}),
        ("--database", {"database": "postgresql://other@/other"}),
        ("--policy", {"furnishing": replace(policy, difference=lambda _: "--policy")}),
    ):
        error = founding.refused(HomeExistsError, 2, **change)
        assert f"was begun with another {option}" in error.message
        assert "signer.md" in error.hint
    assert founding.house_last().size == 0
    founding.whole(founding.make(furnishing=policy))


def test_a_signer_that_began_another_log_meanwhile_and_the_way_out(
    founding: Founding, tmp_path: Path
) -> None:
    half_made(founding)
    create(tmp_path / "other", clock=founding.clock, **{**founding.words(), "database": None})
    error = founding.refused(RefusedToSignError, 3)
    assert said_on_the_page(error)
    assert "not those of the founding" in error.message
    give_up(founding)


def test_a_signer_with_another_key_and_the_way_out(founding: Founding) -> None:
    half_made(founding)
    founding.house.stop()
    shutil.move(founding.house.state, founding.house.folder / "first")
    founding.house.init()
    founding.house.start()
    error = founding.refused(RefusedToSignError, 3)
    assert said_on_the_page(error)
    assert "another key" in error.message
    give_up(founding)


def give_up(founding: Founding) -> None:
    """The way out of docs/ledger/signer.md: the founding, the database and the signer are made anew."""
    shutil.rmtree(founding.begun)
    founding.empty_database()
    founding.house.stop()
    shutil.rmtree(founding.house.state)
    founding.house.init()
    founding.house.start()
    founding.whole(founding.make())


def test_a_lost_founding_leaves_a_signer_that_is_refused_and_the_way_out(founding: Founding) -> None:
    founding.killed("signed")
    shutil.rmtree(founding.begun)
    error = founding.refused(RefusedToSignError, 3)
    assert said_on_the_page(error)
    assert "lost after that signature" in error.hint
    founding.begun.mkdir()
    give_up(founding)


@pytest.mark.sqlite_file
def test_something_else_at_the_founding_s_place_is_not_taken_for_one(founding: Founding) -> None:
    founding.begun.mkdir()
    for change in ({}, {"signer": None}):
        assert "no founding" in founding.refused(HomeExistsError, 2, **change).message


def test_two_that_finish_one_founding_at_once_make_one_home(founding: Founding) -> None:
    founding.killed("signed")

    def one(_: int) -> int:
        try:
            founding.make()
        except (ConsentUnavailableError, HomeExistsError) as error:
            return error.exit_code
        return 0

    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(one, range(3)))
    assert codes.count(0) >= 1
    founding.whole(World(open_home(founding.path), founding.clock))


def test_two_new_homes_with_one_signer_get_one_log(founding: Founding, tmp_path: Path) -> None:
    other = replace(founding, folder=tmp_path / "other", database=None)
    other.folder.mkdir()
    processes = [each.start("never") for each in (founding, other)]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1]
    won, lost = (founding, other) if processes[0].returncode == 0 else (other, founding)
    assert "RefusedToSignError" in "".join(said)
    assert not lost.path.exists()
    won.whole(World(open_home(won.path), won.clock))
