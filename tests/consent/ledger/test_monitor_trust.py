"""A monitor follows the trust root that the log publishes, and holds the checkpoint to the witnesses that it asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import cli
from consent.records import ConsentRequest
from consent.tlog.cosignature import WitnessKey, cosign, with_cosignatures
from consent.tlog.note import Note, generate_key, load_key, save_key
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from tests.consent.ledger_world import OFFER, ORIGIN, G, World, make_world, open_trust
from tests.consent.vector_log import signing_key

if TYPE_CHECKING:
    from pathlib import Path

WITNESS = signing_key("ombudsman.example/witness", "witness 1")


class Town:
    """A city that publishes, what its monitor was given at the start, and the root key."""

    def __init__(self, folder: Path) -> None:
        self.world: World = make_world(folder)
        self.public = folder / "public"
        self.given = folder / "given.json"
        self.given.write_bytes(self.world.home.trust_root.read_bytes())
        self.pin = open_trust(self.world.home)
        self.signers = [load_key(self.world.home.root_key, f"{ORIGIN}/root")]
        self.people = 0

    def give(self, count: int = 3) -> int:
        asked = [ConsentRequest(f"invented-{self.people + each}", OFFER, G) for each in range(count)]
        self.people += count
        with self.world.open() as ledger:
            ledger.record_consents(asked)
            ledger.publish(self.public)
            return ledger.head().size

    @property
    def trust(self) -> TrustRoot:
        return TrustRoot.load(self.world.home.trust_root, self.pin)

    def rotate(self, size: int) -> None:
        key = generate_key(ORIGIN)
        self.world.home.log_key.unlink()
        save_key(key, self.world.home.log_key)
        self.trust.rotate_log_key(key.verifier, size, self.signers).save(self.world.home.trust_root)


@pytest.fixture
def town(tmp_path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def monitor(town, tmp_path, capfd):
    """`luvalla ledger monitor` in this process: exit code, JSON, errors."""

    def call(state: str = "state", given: Path | None = None, *more: object) -> tuple[int, dict, str]:
        capfd.readouterr()
        arguments = [
            "--home", tmp_path / "nowhere", "ledger", "monitor", town.public, "--state", tmp_path / state,
            "--trust-root", given or town.given, "--pin", town.pin, "--json", *more,
        ]  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            cli.main([str(each) for each in arguments])
        out, err = capfd.readouterr()
        code = int(ended.value.code or 0)
        return code, json.loads(out) if code == 0 else {}, out + err

    return call


def test_a_rotated_key_is_known_from_the_trust_root_that_is_published(town, monitor, tmp_path):
    size = town.give()
    assert monitor()[1]["trust_root_version"] == 1
    old_key = load_key(town.world.home.log_key, ORIGIN)
    town.rotate(size + 1)
    size = town.give()
    code, told, said = monitor()
    assert (code, told.get("size"), told.get("trust_root_version")) == (0, size, 2), said
    # It is remembered: an older copy of the file beside the log takes nothing back.
    assert (tmp_path / "state" / "trust-root.json").read_bytes() == town.trust.raw
    (town.public / "trust-root.json").write_bytes(town.given.read_bytes())
    assert monitor()[1]["trust_root_version"] == 2
    # A monitor that starts with that older copy cannot know the key.
    code, _, said = monitor("new")
    assert code == 3
    assert "no signature of a known key" in said
    assert old_key.verifier != town.trust.log_keys[-1].key


def test_a_trust_root_that_does_not_continue_the_known_one_is_refused_and_kept(town, monitor, tmp_path):
    size = town.give()
    first = town.trust
    town.rotate(size + 1)
    town.give()
    assert monitor()[0] == 0
    other = first.with_quorum(2, town.signers)
    (town.public / "trust-root.json").write_bytes(other.raw)
    code, _, said = monitor()
    assert code == 3
    assert "another continuation" in said
    assert (tmp_path / "state" / "trust-root-other.json").read_bytes() == other.raw
    (town.public / "trust-root.json").write_bytes(make_world(tmp_path / "x").home.trust_root.read_bytes())
    code, _, said = monitor()
    assert code == 3
    assert "does not verify" in said
    (town.public / "trust-root.json").unlink()
    assert monitor()[0] == 0


def test_a_published_checkpoint_needs_the_witnesses_of_the_trust_root(town, monitor):
    size = town.give()
    key = WitnessKey.of(WITNESS)
    rule = WitnessRule((key,), 1, size + 1)
    town.trust.with_witnesses(rule, town.signers).save(town.world.home.trust_root)
    # The city publishes without the witness: a program of ours refuses, so the files are put there by hand.
    (town.public / "trust-root.json").write_bytes(town.trust.raw)
    assert monitor()[1]["witnessed_by"] == []  # the present size is below the rule's
    quiet = town.trust
    town.world.home.trust_root.write_bytes(town.given.read_bytes())
    (town.public / "trust-root.json").unlink()
    town.give()
    (town.public / "trust-root.json").write_bytes(quiet.raw)
    code, _, said = monitor()
    assert code == 3
    assert "cosigned by 0 of the trust root's witnesses, 1 are needed" in said
    path = town.public / "checkpoint"
    plain = Note.parse(path.read_bytes())
    path.write_bytes(with_cosignatures(plain, [cosign(plain.text, WITNESS, 1_800_000_000)]).encode())
    assert monitor()[1]["witnessed_by"] == [key.keyid]
    # Its name on something that it did not sign is no cosignature.
    forged = cosign(plain.text.replace("\n", "x\n", 1), WITNESS, 1_800_000_000)
    path.write_bytes(with_cosignatures(plain, [forged]).encode())
    code, _, said = monitor()
    assert code == 3
    assert "does not belong to the checkpoint" in said
