"""A ledger whose checkpoints are signed by a process apart: what it signs, what it refuses, and what survives its death."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from consent.errors import RefusedToSignError, SignerUnavailableError
from consent.published_log import FolderFiles
from consent.records import ConsentRequest
from consent.refill import refill
from consent.tlog.checkpoint import TreeHead
from consent.vocabulary import ConsentStatus
from tests.consent.ledger.test_durable import restore, snapshot
from tests.consent.ledger_world import OFFER, ORIGIN, World, kept
from tests.consent.signer_house import ENVIRONMENT, ROOT, SignerHouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

G = ConsentStatus.GIVEN


def test_a_ledger_without_a_key_writes_proves_and_checks_through_the_signer(
    signed: World, house: SignerHouse
) -> None:
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(300)])
        proved = signed.verify(ledger.consent_receipt("a", OFFER))
        assert proved.signed_by == (house.key().keyid,)
        assert ledger.check() == []
        assert ledger.head().checkpoint.size == ledger.head().size
    assert not signed.home.log_key.exists()
    # The signer's own copy is the same text, whatever lines of witnesses the house's copy carries more.
    assert house.memory.read_bytes() == signed.home.checkpoint.read_bytes()


def test_a_signer_that_is_away_stops_writing_before_anything_is_written(
    signed: World, house: SignerHouse
) -> None:
    house.stop()
    before = kept(signed)
    with signed.open() as ledger:
        for attempt in (
            lambda: ledger.record_consent("a", OFFER, G, request_id="r"),
            lambda: ledger.enrol("a"),
            lambda: ledger.record_consents([ConsentRequest("a", OFFER, G)]),
        ):
            with pytest.raises(SignerUnavailableError, match="cannot be reached") as caught:
                attempt()
            assert caught.value.exit_code == 4
        assert ledger.number_of("a") is None
        assert ledger.check() == []
    assert kept(signed) == before
    house.start()
    with signed.open() as ledger:
        assert not ledger.record_consent("a", OFFER, G, request_id="r").replayed


@pytest.mark.parametrize("when", ["asked", "persisted"])
def test_kill_9_around_the_signature_then_a_retry_gives_one_history(
    signed: World, house: SignerHouse, when: str
) -> None:
    house.stop()
    house.start_dying(when)
    memory = house.memory.read_bytes()
    with signed.open() as ledger:
        with pytest.raises(SignerUnavailableError):
            ledger.record_consent("a", OFFER, G, request_id="r")
        assert house.died() == -signal.SIGKILL
        # "failed", or "failed but was written": the signer's file has the old head or the new one, whole.
        assert (house.memory.read_bytes() == memory) == (when == "asked")
        after_death = house.memory.read_bytes()
        house.start()
        size = ledger.head().size
        got = ledger.record_consent("a", OFFER, G, request_id="r")
        assert got.replayed
        assert ledger.head().size == size == ledger.head().checkpoint.size
        if when == "persisted":
            assert house.memory.read_bytes() == after_death == signed.home.checkpoint.read_bytes()
        ledger.record_consent("b", OFFER, G)
        assert ledger.check() == []


def test_another_writer_makes_good_what_a_lost_answer_left(signed: World, house: SignerHouse) -> None:
    house.stop()
    house.start_dying("persisted")
    with signed.open() as ledger, pytest.raises(SignerUnavailableError):
        ledger.record_consent("a", OFFER, G)
    house.died()
    house.start()
    with signed.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        assert ledger.head().checkpoint.size == ledger.head().size
        assert ledger.check() == []


@pytest.mark.sqlite_file
def test_a_restored_database_is_refused_by_the_signer_although_the_checkpoint_was_restored_too(
    signed: World, house: SignerHouse, tmp_path: Path, luvalla: Callable[..., str]
) -> None:
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    snapshot(signed, tmp_path / "old.db")
    old_checkpoint = signed.home.checkpoint.read_bytes()
    with signed.open() as ledger:
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(5)])
    newer = house.memory.read_bytes()
    restore(signed, tmp_path / "old.db")
    signed.home.checkpoint.write_bytes(old_checkpoint)
    before = kept(signed)
    with signed.open() as ledger, pytest.raises(RefusedToSignError, match="has signed") as caught:
        ledger.record_consent("b", OFFER, G)
    assert caught.value.exit_code == 3
    assert "restored" in caught.value.hint
    assert kept(signed) == before
    assert "signer.md" in luvalla("consent", "give", "--person", "b", OFFER, code=3)
    assert house.memory.read_bytes() == newer


@pytest.mark.sqlite_file
def test_a_restored_database_that_grew_another_way_is_refused(
    signed: World, house: SignerHouse, tmp_path: Path
) -> None:
    snapshot(signed, tmp_path / "old.db")
    old_checkpoint, old_memory = signed.home.checkpoint.read_bytes(), house.memory.read_bytes()
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    newer = house.memory.read_bytes()
    restore(signed, tmp_path / "old.db")
    signed.home.checkpoint.write_bytes(old_checkpoint)
    # A thief of the signer's machine lets it sign the other history, then puts the memory back.
    house.memory.write_bytes(old_memory)
    with signed.open() as ledger:
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(5)])
    house.memory.write_bytes(newer)
    before = kept(signed)
    with signed.open() as ledger, pytest.raises(RefusedToSignError, match="do not have the root"):
        ledger.record_consent("b", OFFER, G)
    assert kept(signed) == before


@pytest.mark.sqlite_file
@pytest.mark.parametrize("published", ["all", "part"])
def test_a_restored_ledger_goes_on_once_it_is_filled_again_up_to_what_the_signer_signed(
    signed: World, house: SignerHouse, tmp_path: Path, published: str
) -> None:
    snapshot(signed, tmp_path / "old.db")
    old_checkpoint = signed.home.checkpoint.read_bytes()
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        ledger.publish(tmp_path / "public")
        if published == "part":
            ledger.record_consent("b", OFFER, G)
        elsewhere = ledger.head()
    memory = house.memory.read_bytes()
    restore(signed, tmp_path / "old.db")
    signed.home.checkpoint.write_bytes(old_checkpoint)
    with signed.open() as ledger:
        refill(ledger.log, signed.home, FolderFiles(tmp_path / "public"))
        if published == "part":
            with pytest.raises(RefusedToSignError, match="has signed"):
                ledger.checkpoint()
            with pytest.raises(RefusedToSignError, match="has signed"):
                ledger.record_consent("c", OFFER, G)
            assert house.memory.read_bytes() == memory
        else:
            assert ledger.checkpoint().head == elsewhere.checkpoint.head
            ledger.record_consent("c", OFFER, G)
            assert ledger.check() == []


def test_a_signer_that_is_behind_signs_with_a_proof_from_where_it_stands(
    signed: World, house: SignerHouse
) -> None:
    old = house.memory.read_bytes()
    with signed.open() as ledger:
        ledger.record_consents([ConsentRequest(f"p{i}", OFFER, G) for i in range(20)])
    house.stop()
    house.memory.write_bytes(old)
    process = house.start()
    _, last = process.last()
    # Not from its older state either is anything signed that does not continue that.
    forged = TreeHead(ORIGIN, last.size + 9, b"f" * 32)
    for old_size in (last.size, last.size + 5):
        with pytest.raises(RefusedToSignError, match="does not continue"):
            process.sign(
                forged, old_size, [house.key()], prove=lambda *_: [bytes(32)] * 3, present=lambda: 10**6
            )
    with signed.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        assert ledger.head().checkpoint.size == ledger.head().size
        assert ledger.check() == []


def test_writers_in_several_processes_and_threads_share_one_signer(signed: World, house: SignerHouse) -> None:
    start_size = kept(signed)[0]
    signed.clock.now = datetime.now(UTC)
    processes = [writer(signed, f"w{i}") for i in range(2)]
    with signed.open() as ledger:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: ledger.record(ConsentRequest(f"t{i}", OFFER, G)), range(24)))
        for process in processes:
            process.communicate(timeout=120)
            assert process.returncode == 0
        head = ledger.head()
        people = 2 * (2 * 40 + 4) + 24
        assert head.size == start_size + 2 * people
        assert head.checkpoint.size == head.size
        assert ledger.check() == []
    assert house.memory.read_bytes() == signed.home.checkpoint.read_bytes()


WRITER = """
import sys
from datetime import datetime
from pathlib import Path
from consent.home import open_home
from consent.ledger import Ledger
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus
name, home, at = sys.argv[1], open_home(Path(sys.argv[2])), datetime.fromisoformat(sys.argv[3])
with Ledger.open(home, clock=lambda: at) as ledger:
    for i in range(6):
        if i % 3 == 2:
            ledger.record_consents([ConsentRequest(f"{name}-{i}-{j}", sys.argv[4], ConsentStatus.GIVEN) for j in range(40)])
        else:
            ledger.record_consent(f"{name}-{i}", sys.argv[4], ConsentStatus.GIVEN)
"""


def writer(world: World, name: str) -> subprocess.Popen[str]:
    """A process that records 84 consents at this moment's clock."""
    words = [name, str(world.home.path), world.clock.now.isoformat(), OFFER]
    return subprocess.Popen([sys.executable, "-c", WRITER, *words], cwd=ROOT, env=ENVIRONMENT, text=True)
