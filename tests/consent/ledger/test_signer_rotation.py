"""The log's key moves into a signer, and from one to the next; settings and statements of a house with one."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent.errors import ConfigurationError, RefusedToSignError
from consent.home import parse_settings, read_settings
from consent.signer_rotation import settings_naming
from consent.tlog.checkpoint import TreeHead, open_checkpoint
from consent.tlog.signer import STATEMENT_START
from consent.vocabulary import ConsentStatus
from tests.consent.ledger_world import OFFER, ORIGIN, World, kept, trust
from tests.consent.signer_house import SignerHouse
from tests.consent.vector_log import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable


G = ConsentStatus.GIVEN


def test_the_homes_own_key_can_move_into_a_signer_that_continues_its_checkpoint(
    world: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    world.clock.now = datetime.now(UTC)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    log = ("--checkpoint", str(world.home.checkpoint), "--log")
    other = signing_key(ORIGIN, "another key").verifier.vkey
    house.run("--init", "--origin", ORIGIN, "--key", str(world.home.log_key), *log, other, code=3)
    vkey = house.init("--key", str(world.home.log_key), *log, trust(world).log_keys[0].key.vkey)
    assert vkey == trust(world).log_keys[0].key.vkey
    process = house.start()
    assert (
        process.last()[1]
        == open_checkpoint(world.home.checkpoint.read_bytes(), ORIGIN, trust(world).log_vkeys).head
    )
    said = json.loads(luvalla("ledger", "rotate-key", "--signer", house.address, "--json"))
    # The same key: no new version, and no second entry of the first one.
    assert (said["from"], said["version"]) == (0, 1)
    world.home.log_key.unlink()
    with world.open() as ledger:
        assert len(ledger.institutional("trust-root")) == 1
        ledger.record_consent("b", OFFER, G)
        assert ledger.check() == []


def test_a_rotation_says_first_what_it_would_do_and_refuses_what_would_not_be_believed(
    world: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    world.clock.now = datetime.now(UTC)
    rotate = ("ledger", "rotate-key", "--signer")
    before = (world.home.config.read_bytes(), world.home.trust_root.read_bytes(), kept(world))
    assert "expected unix:/path" in luvalla(*rotate, "/run/signer", code=2)
    assert "cannot be reached" in luvalla(*rotate, house.address, code=4)
    house.init()
    process = house.start()
    assert "not written" in luvalla(*rotate, house.address, "--dry-run")
    # It has signed a log that ours does not continue.
    process.sign(TreeHead(ORIGIN, 2, b"r" * 32), 0, [house.key()], prove=lambda *_: [], present=lambda: 2)
    assert "do not have the root" in luvalla(*rotate, house.address, code=3)
    assert before == (world.home.config.read_bytes(), world.home.trust_root.read_bytes(), kept(world))


def test_a_rotation_from_one_signer_to_the_next_and_none_back(
    signed: World, house: SignerHouse, luvalla: Callable[..., str]
) -> None:
    assert "in a signer process" in luvalla("ledger", "rotate-key", code=2)
    with signed.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        receipt = ledger.consent_receipt("a", OFFER)
    folder = Path(tempfile.mkdtemp(prefix="signer-"))
    second = SignerHouse(folder, ORIGIN)
    try:
        second.init()
        second.start()
        luvalla("ledger", "rotate-key", "--signer", second.address)
        assert read_settings(signed.home).signer == second.address
        house.stop()
        signed.clock.now = datetime.now(UTC)
        signed.verify(receipt)
        with signed.open() as ledger:
            ledger.record_consent("b", OFFER, G)
            assert signed.verify(ledger.consent_receipt("b", OFFER)).signed_by == (second.key().keyid,)
            assert [entry.body["version"] for entry in ledger.institutional("trust-root")] == [1, 2, 3]
            assert ledger.check() == []
        house.start()
        assert "was the log's before" in luvalla("ledger", "rotate-key", "--signer", house.address, code=2)
    finally:
        second.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("after", ["settings", "trust root"])
def test_a_rotation_killed_in_the_middle_is_finished_by_the_same_call(
    world: World, house: SignerHouse, luvalla: Callable[..., str], after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock.now = datetime.now(UTC)
    house.init()
    house.start()
    where = {"settings": "consent.trust.TrustRoot.save", "trust root": "consent.log.Log.adopt"}[after]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(where, killed)
        luvalla("ledger", "rotate-key", "--signer", house.address, code=130)
    size = kept(world)[0]
    world.clock.now = datetime.now(UTC)
    if after == "settings":
        with world.open() as ledger, pytest.raises(RefusedToSignError, match="does not give"):
            ledger.record_consent("a", OFFER, G)
        assert kept(world)[0] == size
    luvalla("ledger", "rotate-key", "--signer", house.address)
    world.clock.now = datetime.now(UTC)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        assert [entry.body["version"] for entry in ledger.institutional("trust-root")] == [1, 2]
        assert ledger.check() == []


@pytest.mark.sqlite_file
def test_the_settings_are_changed_in_one_line_or_not_at_all(world: World) -> None:
    text = world.home.config.read_text()
    first = settings_naming(world.home, "unix:/run/a")
    assert first == text.replace("[consent]\n", '[consent]\nsigner = "unix:/run/a"\n')
    world.home.config.write_text(first)
    assert settings_naming(world.home, "unix:/run/b") == first.replace("/run/a", "/run/b")
    world.home.config.write_text(text.replace("[consent]", "[ consent ]"))
    with pytest.raises(ConfigurationError, match="not written in the way") as caught:
        settings_naming(world.home, "unix:/run/a")
    assert 'signer = "unix:/run/a"' in caught.value.hint
    for wrong in ("7", '""', '["unix:/a"]'):
        with pytest.raises(ConfigurationError, match="signer"):
            parse_settings(world.home, text + f"signer = {wrong}\n")
    world.home.config.write_text(text + 'signer = "tcp:host"\n')
    with pytest.raises(ConfigurationError, match="expected unix:/path"):
        world.open()


@pytest.mark.sqlite_file
def test_certificates_need_a_signer_that_was_told_to_sign_statements(
    signed: World, house: SignerHouse
) -> None:
    message = STATEMENT_START + b"2 {}"
    with signed.open() as ledger:
        with pytest.raises(RefusedToSignError, match="checkpoints only") as caught:
            ledger.log.signer.statement_key().sign(message)
        assert "--statements" in caught.value.hint
        house.stop()
        house.start("--statements")
        key = ledger.log.signer.statement_key()
        assert key.verifier == trust(signed).log_keys[-1].key
        assert key.verifier.verifies(key.sign(message), message)
        with pytest.raises(RefusedToSignError, match="no in-toto statement"):
            key.sign(b"city.example/consent\n5\n")
