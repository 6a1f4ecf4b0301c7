"""The log's key in a token, through a real PKCS#11 library (SoftHSM2)."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent.errors import ConsentInputError, ConsentUnavailableError, FoundingUnfinishedError
from consent.setup import create
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.pkcs11_key import TokenKey
from tests.consent.ledger_world import OFFER, Clock, G, World, purposes_text
from tests.consent.signer_house import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consent.tlog.note import Signs

REQUIRED = "LUVALLA_REQUIRE_SOFTHSM" in os.environ
pkcs11 = importlib.import_module("pkcs11") if REQUIRED else pytest.importorskip("pkcs11")
ORIGIN = "city.example/consent"
PIN = "4321"
LABEL = "luvalla"
MODULES = [
    Path(folder) / "softhsm" / "libsofthsm2.so"
    for folder in ("/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib", "/opt/homebrew/lib")
]  # fmt: skip
MODULE = next((path for path in MODULES if path.exists()), None)
ED25519_PARAMETERS = bytes.fromhex("130c") + b"edwards25519"
"""CKA_EC_PARAMS: DER of the PrintableString (PKCS#11 3.0, 2.3.5)."""


@dataclass
class Token:
    """A token in software, with one key pair `log`."""

    folder: Path
    module: Path

    def key(self, label: str = "log", pin: str = PIN, name: str = LABEL) -> TokenKey:
        return TokenKey(ORIGIN, self.module, name, label, pin)


@pytest.fixture(scope="module")
def token() -> Iterator[Token]:
    if MODULE is None or shutil.which("softhsm2-util") is None:
        if REQUIRED:
            pytest.fail("no SoftHSM: install softhsm2")
        pytest.skip("no SoftHSM: install softhsm2")
    folder = Path(tempfile.mkdtemp(prefix="token-"))
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    # The library reads this once, when it is loaded.
    os.environ["SOFTHSM2_CONF"] = ENVIRONMENT["SOFTHSM2_CONF"] = str(configuration)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "luvalla", "--so-pin", "12345678", "--pin", PIN],
        check=True, capture_output=True,
    )  # fmt: skip
    with pkcs11.lib(str(MODULE)).get_token(token_label=LABEL).open(user_pin=PIN, rw=True) as session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS, {pkcs11.Attribute.EC_PARAMS: ED25519_PARAMETERS}, local=True
        )
        for label in ("log", "next"):
            parameters.generate_keypair(
                mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=label
            )
    yield Token(folder, MODULE)
    shutil.rmtree(folder)


def test_a_token_signs_as_a_key_file_does(token):
    head = TreeHead(ORIGIN, 3, b"r" * 32)
    made = []
    for _ in range(2):
        with closing(token.key()) as key:
            signs: Signs = key
            made.append(sign_checkpoint(head, signs).note)
            assert signs.verifier.verifies(signs.sign(b"message"), b"message")
            assert PIN not in repr(key)
    assert made[0] == made[1]
    with closing(token.key("next")) as other:
        assert other.verifier != key.verifier


def test_several_threads_sign_with_one_session(token):
    messages = [f"message {i}".encode() for i in range(60)]
    with closing(token.key()) as key, ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(key.sign, messages))
    assert all(map(key.verifier.verifies, signatures, messages))


def test_a_session_that_broke_is_opened_anew(token):
    with closing(token.key()) as key:
        key.sign(b"one")
        key._session.close()
        with pytest.raises(ConsentUnavailableError, match="does not answer"):
            key.sign(b"two")
        assert key.verifier.verifies(key.sign(b"two"), b"two")


def test_wrong_words_and_a_wrong_pin_are_told_apart_and_the_pin_is_never_shown(token):
    for key, message in (
        (token.key("no-such-key"), "no single token luvalla with one Ed25519 key no-such-key"),
        (token.key(name="other"), "no single token other"),
        (token.key(pin="9999"), "does not take this PIN"),
    ):
        with closing(key), pytest.raises(ConsentInputError, match=message) as caught:
            key.sign(b"message")
        assert "9999" not in f"{caught.value.message} {caught.value.hint}"
    nowhere = TokenKey(ORIGIN, Path("/no/such/library.so"), "luvalla", "log", PIN)
    with closing(nowhere), pytest.raises(ConsentUnavailableError, match="does not answer"):
        nowhere.sign(b"message")


@pytest.mark.parametrize("killed", [None, "asked", "persisted"])
def test_a_new_home_gets_its_key_from_a_token(token, house, tmp_path, killed):
    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    words = ["--pkcs11-module", str(token.module), "--pkcs11-token", "luvalla", "--pkcs11-key", "log", "--pkcs11-pin-file", str(pin)]  # fmt: skip
    vkey = house.init(*words)
    asked = {"origin": ORIGIN, "purposes": purposes_text(), "clock": Clock(), "signer": house.address}
    if killed:
        house.start_dying(killed, *words)
        with pytest.raises(FoundingUnfinishedError):
            create(tmp_path / "home", **asked)
        house.died()
        signed = house.memory.read_bytes()
    house.start(*words)
    world = World(create(tmp_path / "home", **asked))
    if killed == "persisted":
        assert signed == world.home.checkpoint.read_bytes()
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        assert vkey.startswith(world.verify(ledger.consent_receipt("a", OFFER)).signed_by[0])
        assert ledger.check() == []
    assert not world.home.log_key.exists()


def test_the_signer_process_signs_with_a_token_and_keeps_no_key(token, house, tmp_path):
    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    words = [
        "--pkcs11-module", str(token.module), "--pkcs11-token", "luvalla", "--pkcs11-key", "log", "--pkcs11-pin-file", str(pin),
    ]  # fmt: skip
    pin.chmod(0o644)
    assert "chmod 600" in house.run("--init", "--origin", ORIGIN, *words, code=2)
    pin.chmod(0o600)
    assert "belong together" in house.run("--init", "--origin", ORIGIN, *words[:-2], code=2)
    vkey = house.init(*words)
    with closing(token.key()) as key:
        assert vkey == key.verifier.vkey
    assert {path.name for path in house.state.iterdir()} == {"last", "last.lock", "signer.vkey"}
    process = house.start(*words)
    head = TreeHead(ORIGIN, 1, b"r" * 32)
    made = process.sign(head, 0, [house.key()], prove=lambda *_: [], present=lambda: 1)
    with closing(token.key()) as key:
        assert made.note == sign_checkpoint(head, key).note == house.memory.read_text()
    house.stop()
    words[5] = "next"
    assert "is not" in house.run("--socket", str(house.socket), *words, code=2)
