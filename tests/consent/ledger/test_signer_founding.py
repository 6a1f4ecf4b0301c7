"""`luvalla init --signer`: a home whose log key was never in it, what is refused, and a second call that goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cli
from consent import signer_founding
from consent.errors import (
    BadRequestError,
    ConfigurationError,
    ConsentUnavailableError,
    FoundingUnfinishedError,
    HomeExistsError,
    RefusedToSignError,
    SignerUnavailableError,
)
from consent.home import open_home, read_settings
from consent.keys import read_key_file
from consent.new_home import Furnishing
from consent.setup import create
from consent.succession import read_succession
from consent.tlog.verify import verify_proof
from consent.trust import TrustRoot
from tests.consent.ledger.test_refusals import said_on_the_page
from tests.consent.ledger_world import OFFER, ORIGIN, G, World, make_world, purposes_text
from tests.consent.ledger_writers import stored_entries
from tests.consent.signer_house import ROOT, SignerHouse

if TYPE_CHECKING:
    from tests.consent.signer_founded import Founding


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


def test_who_loses_the_race_to_finish_a_founding_is_told_so(
    founding: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other call renames the folder while this one still reads in it."""
    founding.killed("signed")
    finish = signer_founding.finish

    def late(*given: Any) -> None:
        finish(*given)
        read_key_file(given[0].path / "none.key")

    monkeypatch.setattr(signer_founding, "finish", late)
    with pytest.raises(HomeExistsError, match="another call"):
        founding.make()
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
