"""docs/ledger/when-it-refuses.md, where others sign too: witnesses in processes of their own, and a signer apart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from consent.errors import (
    CheckpointConflictError,
    ConsentError,
    RefusedToSignError,
    SignerUnavailableError,
    WitnessesMissingError,
)
from consent.signer_client import SignerProcess
from consent.tlog.checkpoint import TreeHead
from consent.tlog.external import FileCheckpointStore
from consent.tlog.note import Note, load_key
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from tests.consent.ledger.test_refusals import give, luvalla, refused, said_on_the_page, sound
from tests.consent.ledger_world import OFFER, ORIGIN, G, World, open_trust
from tests.consent.signer_house import SignerHouse, impostor, posing_as
from tests.consent.vector_log import signing_key
from tests.consent.witness.test_processes import WitnessProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.tlog.cosignature import WitnessKey


@pytest.fixture
def city(world: World) -> World:
    """With one consent, and the machine's clock: ways out are commands."""
    world.clock.now = datetime.now(UTC)
    give(world, "a")
    return world


@pytest.fixture
def witness(city: World, tmp_path: Path) -> Iterator[WitnessProcess]:
    """A running witness that the city's trust root asks for, from the next entry on."""
    trust = TrustRoot.load(city.home.trust_root, open_trust(city.home))
    process = WitnessProcess(tmp_path / "witness", "--log", trust.log_keys[0].key.vkey)
    with city.open() as ledger:
        size = ledger.head().size
    root = load_key(city.home.root_key, f"{ORIGIN}/root")
    trust.with_witnesses(WitnessRule((process.key,), 1, size + 1), [root]).save(city.home.trust_root)
    city.home.config.write_text(
        city.home.config.read_text() + f'witnesses = ["http://127.0.0.1:{process.port}"]\n'
    )
    yield process
    process.kill()


def cosigners(world: World, key: WitnessKey) -> int:
    """How many lines of a witness the checkpoint outside has."""
    note = Note.parse(world.home.checkpoint.read_bytes())
    return sum(line.name == key.name for line in note.signatures)


def test_a_witness_that_is_away_and_comes_back(city: World, witness: WitnessProcess) -> None:
    give(city, "b")
    witness.kill()
    with city.open() as ledger:
        with pytest.raises(WitnessesMissingError) as caught:
            ledger.record_consent("c", OFFER, G)
        assert said_on_the_page(caught.value), caught.value.message
        refused(city, WitnessesMissingError, lambda: ledger.consent_receipt("c", OFFER))
        refused(city, WitnessesMissingError, ledger.checkpoint)
    assert cosigners(city, witness.key) == 0
    witness.start()
    luvalla(city, "ledger", "checkpoint")
    assert cosigners(city, witness.key) == 1
    with city.open(read_only=True) as ledger:
        proved = city.verify(ledger.consent_receipt("c", OFFER))
    assert proved.witnessed_by == (witness.key.keyid,)
    sound(city)


def test_too_many_sign_while_witnesses_are_asked(city: World, witness: WitnessProcess) -> None:
    class Raced(FileCheckpointStore):
        """Somebody else is quicker whenever a checkpoint comes back from the witnesses."""

        def replace(self, expected: bytes | None, new: bytes) -> None:
            if len(Note.parse(new).signatures) > 1:
                raise CheckpointConflictError("somebody was quicker", "")
            super().replace(expected, new)

    with city.open(external=Raced(city.home.checkpoint)) as ledger:
        with pytest.raises(RefusedToSignError, match="while witnesses were being asked") as caught:
            ledger.record_consent("b", OFFER, G)
        assert said_on_the_page(caught.value), caught.value.message
        assert caught.value.hint
        refused(city, RefusedToSignError, lambda: ledger.consent_receipt("b", OFFER))
    assert cosigners(city, witness.key) == 0
    give(city, "b")
    assert cosigners(city, witness.key) == 1
    sound(city)


@pytest.fixture
def signed(city: World, house: SignerHouse) -> World:
    """The city, whose key is in a running signer and nowhere else."""
    house.init()
    house.start()
    luvalla(city, "ledger", "rotate-key", "--signer", house.address)
    city.home.log_key.unlink()
    return city


def test_what_the_signer_says_before_anything_is_written(signed: World, house: SignerHouse) -> None:
    key, last = SignerProcess(str(house.socket), ORIGIN).last()
    other = signing_key(ORIGIN, "another key").verifier
    elsewhere = signing_key("other.example/log", "log").verifier

    def told(of: str, head: TreeHead) -> str:
        return f"last {of}\n\n{head.text()}"

    cases: list[tuple[type[ConsentError], str, str]] = [
        (
            RefusedToSignError,
            told(key.vkey, TreeHead(ORIGIN, last.size + 9, last.root)),
            "has signed",
        ),
        (RefusedToSignError, told(key.vkey, TreeHead(ORIGIN, last.size, b"r" * 32)), "do not have the root"),
        (RefusedToSignError, told(other.vkey, last), "does not give"),
        (
            RefusedToSignError,
            told(elsewhere.vkey, TreeHead(elsewhere.name, last.size, last.root)),
            "another log",
        ),
        (SignerUnavailableError, "failed\nthe disk is full\n", "failed: the disk is full"),
        (SignerUnavailableError, "HTTP/1.1 400 Bad Request\r\n", "in another form"),
    ]
    house.stop()
    with signed.open() as ledger:

        def record() -> object:
            return ledger.record_consent("b", OFFER, G)

        assert "cannot be reached" in refused(signed, SignerUnavailableError, record).message
        for error, answer, words in cases:
            with impostor(house.socket, lambda _, answer=answer: answer):  # type: ignore[misc]
                assert words in refused(signed, error, record).message
    house.start()
    sound(signed)


@pytest.mark.parametrize(
    ("error", "answered", "words"),
    [
        (RefusedToSignError, "refused wrong-proof\nno\n", "does not continue"),
        (RefusedToSignError, "refused other-root\nit is not\n", "refuses: it is not"),
        (RefusedToSignError, "refused malformed\nno head\n", "refuses: no head"),
        (RefusedToSignError, "forged", "is not signed by a key"),
        (SignerUnavailableError, "failed\nthe token is gone\n", "failed: the token is gone"),
        (SignerUnavailableError, "", "does not answer in time"),
    ],
)
def test_what_the_signer_says_when_it_is_to_sign(
    signed: World, house: SignerHouse, error: type[ConsentError], answered: str, words: str
) -> None:
    known = posing_as(house, answered)

    def answer(request: bytes) -> str:
        said = known(request)
        if not said:
            released.wait(5)
        return said

    released = threading.Event()
    house.stop()
    with signed.open() as ledger, impostor(house.socket, answer):
        ledger.log.signer = SignerProcess(str(house.socket), ORIGIN, seconds=0.5)
        told = refused(signed, error, lambda: ledger.record_consent("b", OFFER, G), recorded=True)
        assert words in told.message
        released.set()
    house.start()
    luvalla(signed, "ledger", "checkpoint")
    give(signed, "b")
    sound(signed)
