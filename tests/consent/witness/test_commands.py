"""New versions of the trust root by the command line: witnesses, and the log's key."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from consent.errors import RefusedToSignError
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import load_key
from consent.vocabulary import ConsentStatus
from tests.consent.ledger_world import OFFER, ORIGIN, make_world, trust
from tests.consent.vector_log import signing_key

KEY = WitnessKey.of(signing_key("ombudsman.example/witness", "witness 1"))


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def test_witnesses_are_named_in_a_new_version_and_exported_as_a_policy(world, luvalla):
    assert luvalla("ledger", "witnesses", "--policy").endswith("\nquorum none\n")
    asked = ("ledger", "witnesses", "--key", KEY.vkey, "--threshold", "1")
    before = world.home.trust_root.read_bytes()
    assert "not written" in luvalla(*asked, "--dry-run")
    assert world.home.trust_root.read_bytes() == before
    with world.open() as ledger:
        size = ledger.head().size
    # The version's own entry is the first that needs the witness: the rule is in force, and the way out is said.
    assert "0 of the 1 witnesses" in luvalla(*asked, code=4)
    assert trust(world).witnesses.first == size + 1
    policy = luvalla("ledger", "witnesses", "--policy").splitlines()
    log = trust(world).log_keys[0].key.vkey
    assert policy == [
        f"log {log}",
        f"witness witness-1 {KEY.vkey}",
        "group witnesses 1 witness-1",
        "quorum witnesses",
    ]
    luvalla("ledger", "witnesses", "--key", KEY.vkey, "--threshold", "2", code=3)
    luvalla("ledger", "witnesses", "--key", KEY.vkey, code=2)


def test_a_rotated_key_signs_from_the_next_entry_on_and_old_receipts_still_verify(world, luvalla):
    world.clock.now = datetime.now(UTC)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, ConsentStatus.GIVEN)
        old_receipt = ledger.consent_receipt("a", OFFER)
        size = ledger.head().size
    old_key = load_key(world.home.log_key, ORIGIN)
    assert "not written" in luvalla("ledger", "rotate-key", "--dry-run")
    assert load_key(world.home.log_key, ORIGIN).verifier == old_key.verifier
    said = json.loads(luvalla("ledger", "rotate-key", "--json"))
    assert (said["from"], said["version"]) == (size + 1, 2)
    world.verify(old_receipt)
    world.clock.now = datetime.now(UTC)  # the command line has the machine's clock
    with world.open() as ledger:
        assert ledger.institutional("trust-root")[-1].body == {"digest": trust(world).digest, "version": 2}
        ledger.record_consent("b", OFFER, ConsentStatus.GIVEN)
        proved = world.verify(ledger.consent_receipt("b", OFFER))
        assert proved.signed_by == (trust(world).log_keys[1].key.keyid,)
        assert ledger.check() == []
    assert "key from the last rotation" in luvalla("ledger", "rotate-key", code=2)
    # The thief of the old key, or an administrator who puts it back, signs nothing that counts.
    world.home.log_key.write_bytes(world.home.log_key.with_name("log.pem.old").read_bytes())
    with world.open() as ledger, pytest.raises(RefusedToSignError, match="trust root"):
        ledger.record_consent("c", OFFER, ConsentStatus.GIVEN)
    forged = sign_checkpoint(TreeHead(ORIGIN, 1000, b"r" * 32), old_key)
    world.home.checkpoint.write_text(forged.note)
    assert "no signature of a known key" in luvalla("ledger", "checkpoint", code=3)
