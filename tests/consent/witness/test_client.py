"""With a threshold in the trust root nothing is released before the witnesses have cosigned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from consent.errors import ConsentUnavailableError, RefusedToSignError, WitnessesMissingError
from consent.fetch import Answer as Fetched
from consent.receipt_reading import read
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import load_key
from consent.tlog.verify import VerificationError, verify_receipt
from consent.tlog.witness import WitnessState
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from consent.vocabulary import ConsentStatus
from consent.witnessed import witnesses_of_log
from consent.witnessing import Witnesses
from tests.consent.ledger.test_durable import restore, snapshot
from tests.consent.ledger_world import OFFER, ORIGIN, World, make_world, open_trust
from tests.consent.vector_log import signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger

S = ConsentStatus
KEYS = {f"https://w{number}.example": signing_key(f"w{number}.example", f"w{number}") for number in (1, 2)}
PUBLICS = tuple(WitnessKey.of(key) for key in KEYS.values())


class Outside:
    """Two witnesses at addresses; each can be made to fail before it signs, or after."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.memories = {
            url: WitnessState.create(folder / f"{key.name}.db", key.name) for url, key in KEYS.items()
        }
        self.failing: dict[str, bool] = {}
        self.asked: list[str] = []

    def __call__(self, url: str, body: bytes) -> Fetched:
        self.asked.append(url)
        if self.failing.get(url) is False:
            raise ConsentUnavailableError(f"the witness {url} cannot be reached")
        trust = TrustRoot.load(self.world.home.trust_root, open_trust(self.world.home))
        answer = self.memories[url].add(body, {ORIGIN: trust.log_vkeys}, KEYS[url], lambda: 1_800_000_000)
        if self.failing.get(url):
            raise ConsentUnavailableError(f"the witness {url} broke off its answer")
        return Fetched(answer.status, answer.content_type.partition(";")[0], answer.body.encode())

    def open(self, **how: object) -> Ledger:
        ledger = self.world.open(**how)
        ledger.log.witnesses = Witnesses(tuple(KEYS), self)
        return ledger


@pytest.fixture
def outside(tmp_path) -> Outside:
    world = make_world(tmp_path)
    with world.open() as ledger:
        ledger.record_consent("early", OFFER, S.GIVEN)
        world.early = ledger.consent_receipt("early", OFFER)
        size = ledger.head().size
    root_key = load_key(world.home.root_key, f"{ORIGIN}/root")
    trust = TrustRoot.load(world.home.trust_root, open_trust(world.home))
    trust.with_witnesses(WitnessRule(PUBLICS, 2, size + 1), [root_key]).save(world.home.trust_root)
    return Outside(world, tmp_path)


def test_receipts_carry_the_cosignatures_that_the_trust_root_asks_for(outside):
    with outside.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        receipt = ledger.consent_receipt("a", OFFER)
    proved = outside.world.verify(receipt)
    assert proved.witnessed_by == tuple(key.keyid for key in PUBLICS)
    assert any("cosigned" in sentence for sentence in proved.proved)
    assert not any("nobody but the city" in sentence for sentence in proved.not_proved)
    # One line less, and it is refused.
    text = json.dumps(receipt, ensure_ascii=False)
    line = next(
        each for each in receipt["opening"]["proof"].split("\n") if each.startswith("\u2014 w2.example")
    )
    with pytest.raises(VerificationError) as caught:
        outside.world.verify(json.loads(text.replace(json.dumps(line + "\n", ensure_ascii=False)[1:-1], "")))
    assert caught.value.code == "too-few-witnesses"


def test_people_are_told_who_has_co_signed_or_that_nobody_has(outside):
    with outside.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        receipt = ledger.consent_receipt("a", OFFER)
        assert witnesses_of_log(ledger.log) == tuple(key.name for key in PUBLICS)
    for language, no, yes in (
        (
            "fi",
            "Mikään todistaja ei ole vahvistanut",
            "Lokin vahvistaneet todistajat: w1.example, w2.example",
        ),
        ("sv", "Inget vittne har medsignerat", "Vittnen som har medsignerat loggen: w1.example, w2.example"),
        ("en", "No witness has co-signed", "Witnesses that co-signed the log: w1.example, w2.example"),
    ):
        said = [str(read(each, language)) for each in (outside.world.early, receipt)]
        assert no in said[0]
        assert yes not in said[0]
        assert yes in said[1]
        assert no not in said[1]


def test_a_receipt_from_before_the_rule_still_verifies(outside):
    assert outside.world.verify(outside.world.early).witnessed_by == ()


@pytest.mark.parametrize("signed", [False, True], ids=["failed", "failed-but-had-signed"])
def test_without_enough_witnesses_nothing_is_released_and_a_retry_finds_what_was_done(outside, signed):
    url = list(KEYS)[1]
    outside.failing[url] = signed
    with outside.open() as ledger:
        with pytest.raises(WitnessesMissingError, match="1 of the 2 witnesses") as caught:
            ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        assert caught.value.exit_code == 4
        assert url in caught.value.message
        size = ledger.head().size
        with pytest.raises(WitnessesMissingError):
            ledger.consent_receipt("a", OFFER)
    with outside.open(read_only=True) as ledger, pytest.raises(WitnessesMissingError):
        ledger.consent_receipt("a", OFFER)
    outside.failing.clear()
    with outside.open() as ledger:
        got = ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        assert got.replayed
        assert ledger.head().size == size
        assert len(outside.world.verify(ledger.consent_receipt("a", OFFER)).witnessed_by) == 2
        asked = len(outside.asked)
        ledger.checkpoint()
        assert len(outside.asked) == asked  # a checkpoint that has its cosignatures asks nobody


def test_a_witness_that_was_away_for_long_gets_the_proof_from_where_it_stood(outside):
    with outside.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        outside.failing[next(iter(KEYS))] = False
        for person in "bcd":
            with pytest.raises(WitnessesMissingError):
                ledger.record_consent(person, OFFER, S.GIVEN)
        outside.failing.clear()
        ledger.record_consent("e", OFFER, S.GIVEN)
        assert {memory.head(ORIGIN).size for memory in outside.memories.values()} == {ledger.head().size}


def test_a_witness_that_knows_more_than_we_do_stops_a_restored_log(outside, tmp_path):
    with outside.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
    snapshot(outside.world, tmp_path / "old.db")
    old_checkpoint = outside.world.home.checkpoint.read_bytes()
    with outside.open() as ledger:
        ledger.record_consent("b", OFFER, S.GIVEN)
        ledger.record_consent("c", OFFER, S.GIVEN)
    # Database and checkpoint are both put back: only the witnesses remember.
    restore(outside.world, tmp_path / "old.db")
    outside.world.home.checkpoint.write_bytes(old_checkpoint)
    with outside.open() as ledger:
        with pytest.raises(RefusedToSignError, match="has cosigned") as caught:
            ledger.record_consent("d", OFFER, S.GIVEN)
        assert caught.value.exit_code == 3
        with pytest.raises(RefusedToSignError, match="has cosigned"):
            ledger.checkpoint()
        for person in "efgh":  # and as long as, or longer than, what they know, it is another log
            with pytest.raises(RefusedToSignError, match="has cosigned"):
                ledger.record_consent(person, OFFER, S.GIVEN)


def test_the_addresses_are_read_from_the_settings(outside):
    config = outside.world.home.config
    config.write_text(config.read_text() + 'witnesses = ["http://127.0.0.1:9", "http://elsewhere.example"]\n')
    with outside.world.open() as ledger:
        with pytest.raises(WitnessesMissingError) as caught:
            ledger.record_consent("a", OFFER, S.GIVEN)
        assert "0 of the 2" in caught.value.message
        assert "127.0.0.1:9 cannot be reached" in caught.value.message
        assert "plain http" in caught.value.message


def test_the_rule_is_never_taken_back_to_format_1(outside):
    trust = TrustRoot.load(outside.world.home.trust_root, open_trust(outside.world.home))
    assert (trust.versions[0].format, trust.versions[1].format) == (1, 2)
    receipt = json.dumps(outside.world.early).encode()
    assert verify_receipt(receipt, trust.raw, trust.pin).trust_root == trust.pin
