"""The drills of docs/ledger/drills.md, each by the command line alone, on both databases."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import cli
from consent import rotation
from consent.errors import RefusedToSignError, TrustRootError
from consent.ledger import Ledger
from consent.tlog.checkpoint import TreeHead, open_checkpoint, sign_checkpoint
from consent.tlog.external import FileCheckpointStore
from consent.tlog.note import generate_key, load_key, save_key
from consent.trust import TrustRoot
from consent.trust_chain import Member
from tests.consent.ledger_world import OFFER, ORIGIN, G, open_trust, trust
from tests.consent.restored import Backup

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def luvalla(world, capsys):
    """Call the command line with the machine's clock; returns stdout, or stderr where it refuses."""
    world.clock.now = datetime.now(UTC)

    def call(*args: object, code: int = 0, home: Path | None = None) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(home or world.home.path), *map(str, args)])
        said = capsys.readouterr()
        assert int(ended.value.code or 0) == code, said.err
        world.clock.now = datetime.now(UTC)
        return said.out if code == 0 else said.err

    return call


# Rotation of the log's key: killed at every step, before and after the step did its work.


class Killed(BaseException):
    """The process dies: no handler sees it."""


STEPS = {
    "the old key signs the last head": (Ledger, "checkpoint"),
    "the new key is written beside": (rotation, "save_key"),
    "the trust root is written": (TrustRoot, "save"),
    "the keys change places": (rotation, "put_in_place"),
    "the version is recorded": (Ledger, "append_institutional"),
    "the new key signs": (FileCheckpointStore, "replace"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("written", [False, True], ids=["failed", "failed but was written"])
def test_a_rotation_killed_at_any_step_is_completed_or_begun_anew_by_a_second_call(
    world, luvalla, monkeypatch, step, written
):
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        receipt = ledger.consent_receipt("a", OFFER)
    old = load_key(world.home.log_key, ORIGIN).verifier
    target, name = STEPS[step]
    real = getattr(target, name)

    def killed(*args, **words):
        if written:
            real(*args, **words)
        raise Killed

    monkeypatch.setattr(target, name, killed)
    with pytest.raises(Killed):
        cli.main(["--home", str(world.home.path), "ledger", "rotate-key"])
    monkeypatch.undo()
    world.clock.now = datetime.now(UTC)
    # In between nobody signs what nobody would believe.
    with world.open() as ledger:
        hint = ""
        try:
            ledger.record_consent("between", OFFER, G)
            world.verify(ledger.consent_receipt("between", OFFER))
        except RefusedToSignError as refused:
            hint = refused.hint
        assert hint == "" or "rotate-key" in hint
    place = world.home.log_key.with_name("log.pem.old")
    if trust(world).version == 2 and place.exists() and not rotation.new_place(world.home.log_key).exists():
        with world.open(read_only=True) as ledger:
            recorded = rotation.is_recorded(ledger, trust(world))
        luvalla("ledger", "rotate-key", code=2 if recorded else 0)
    else:
        luvalla("ledger", "rotate-key")
    assert trust(world).version == 2, "one rotation, however often it was begun"
    assert load_key(world.home.log_key, ORIGIN).verifier == trust(world).log_keys[-1].key != old
    assert load_key(place, ORIGIN).verifier == old
    with world.open() as ledger:
        ledger.record_consent("after", OFFER, G)
        proved = world.verify(ledger.consent_receipt("after", OFFER))
        assert proved.signed_by == (trust(world).log_keys[-1].key.keyid,)
        assert [each.body["version"] for each in ledger.institutional("trust-root")] == [1, 2]
        assert ledger.check() == []
    world.verify(receipt)


@pytest.mark.parametrize("first", [True, False], ids=["old key moved", "no key moved"])
def test_a_rotation_killed_between_the_two_renames_is_completed(world, luvalla, first):
    root = trust(world)
    with world.open() as ledger:
        size = ledger.checkpoint().size
    key = generate_key(ORIGIN)
    save_key(key, rotation.new_place(world.home.log_key))
    signer = load_key(world.home.root_key, f"{ORIGIN}/root")
    root.rotate_log_key(key.verifier, size + 1, [signer]).save(world.home.trust_root)
    if first:
        world.home.log_key.rename(rotation.old_place(world.home.log_key))
    said = json.loads(luvalla("ledger", "rotate-key", "--json"))
    assert (said["completed"], said["version"], said["from"]) == (True, 2, size + 1)
    with world.open() as ledger:
        ledger.record_consent("after", OFFER, G)
        assert ledger.check() == []


def test_a_key_file_that_was_cut_off_is_thrown_away(world, luvalla):
    beside = rotation.new_place(world.home.log_key)
    beside.write_bytes(b"-----BEGIN PRIV")
    assert json.loads(luvalla("ledger", "rotate-key", "--json"))["completed"] is False
    assert not beside.exists()


# Theft of the log's key.


def test_theft_of_the_log_s_key(world, luvalla, tmp_path):
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        size = ledger.head().size
    stolen = load_key(world.home.log_key, ORIGIN)
    luvalla("ledger", "rotate-key")
    # What the thief signs above the old key's last size is refused by everybody.
    forged = sign_checkpoint(TreeHead(ORIGIN, size + 5, b"r" * 32), stolen)
    (tmp_path / "seen").write_text(forged.note)
    luvalla("ledger", "publish", tmp_path / "public")
    state = ("--state", tmp_path / "state", "--trust-root", world.home.trust_root)
    told = luvalla("ledger", "monitor", tmp_path / "public", *state, "--receipt", tmp_path / "seen", code=3)
    assert "no signature of a known key" in told
    # Up to that size only somebody who compares sees it: the monitor leaves evidence that anybody can check.
    forged = sign_checkpoint(TreeHead(ORIGIN, size, b"r" * 32), stolen)
    (tmp_path / "seen").write_text(forged.note)
    told = luvalla("ledger", "monitor", tmp_path / "public", *state, "--receipt", tmp_path / "seen", code=3)
    assert "signed two histories" in told
    # The home's own file with the thief's head: nothing is signed.
    kept = world.home.checkpoint.read_bytes()
    world.home.checkpoint.write_text(sign_checkpoint(TreeHead(ORIGIN, size, b"r" * 32), stolen).note)
    assert "do not have the root that was signed" in luvalla("ledger", "checkpoint", code=3)
    world.home.checkpoint.write_bytes(kept)
    luvalla("ledger", "checkpoint")


# Theft of a root key.


def test_theft_of_one_of_several_root_keys(world, luvalla, tmp_path):
    own = load_key(world.home.root_key, f"{ORIGIN}/root")
    other, third = (generate_key(f"{ORIGIN}/root-{name}") for name in ("ombudsman", "auditor"))
    save_key(other, tmp_path / "ombudsman.pem")
    before = trust(world).with_root_keys([own.verifier, other.verifier, third.verifier], 2, [own, other])
    before.save(world.home.trust_root)
    # The thief has the home's root key alone: too few.
    with pytest.raises(TrustRootError, match="2 are needed"):
        before.with_quorum(1, [own])
    both = ("--root-key", world.home.root_key, "--root-key", tmp_path / "ombudsman.pem")
    # The first call records the version that named the three, which nobody had recorded; the second one rotates.
    assert json.loads(luvalla("ledger", "rotate-root-key", *both, "--json"))["completed"] is True
    luvalla("ledger", "rotate-root-key", *both)
    now = trust(world).versions[-1]
    assert own.verifier.public not in {key.public for key in now.root_keys}
    assert {other.verifier.public, third.verifier.public} < {key.public for key in now.root_keys}
    with pytest.raises(TrustRootError):
        trust(world).with_quorum(1, [own, load_key(tmp_path / "ombudsman.pem", other.verifier.name)])
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        world.verify(ledger.consent_receipt("a", OFFER))
        assert ledger.check() == []


def test_theft_of_the_only_root_key_ends_in_succession(world, luvalla, tmp_path):
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        receipt = ledger.consent_receipt("a", OFFER)
    # The thief's next version verifies under the old pin as well as ours: nothing in the files tells them apart.
    stolen = load_key(world.home.root_key, f"{ORIGIN}/root")
    mallory = generate_key("mallory.example/board")
    term = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    forged = trust(world).add_member(Member("m", "M", "chair", *term, mallory.verifier), [stolen])
    assert TrustRoot.parse(forged.raw, open_trust(world.home)).version == 2
    luvalla("ledger", "rotate-root-key")
    assert TrustRoot.load(world.home.trust_root, open_trust(world.home)).version == 2
    # So a new log takes the place of the old one, and its pin is told another way.
    new = tmp_path / "new"
    why = ("--reason", "the root key was stolen")
    old = ("--succeeds", world.home.trust_root, "--checkpoint", world.home.checkpoint)
    luvalla("init", "--origin", "city.example/consent-2", *old, code=2, home=new)
    said = json.loads(luvalla("init", "--origin", "city.example/consent-2", *old, *why, "--json", home=new))
    assert said["trust_root"] != open_trust(world.home)
    luvalla("ledger", "check", home=new)
    luvalla("ledger", "publish", tmp_path / "public", home=new)
    world.verify(receipt)


# A lossy restore.


def test_a_lossy_restore_is_filled_again(world, luvalla, tmp_path, capsys):
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    backup = Backup(world)
    with world.open() as ledger:
        ledger.record_consent("b", OFFER, G)
        receipt = ledger.consent_receipt("b", OFFER)
    luvalla("ledger", "publish", tmp_path / "public")
    backup.restore()
    assert "restored from an older copy" in luvalla("ledger", "checkpoint", code=3)
    luvalla("ledger", "check", code=3)
    tried = json.loads(luvalla("ledger", "refill", tmp_path / "public", "--dry-run", "--json"))
    assert (tried["openings_lost"], tried["dry_run"]) == (2, True)
    assert "restored from an older copy" in luvalla("ledger", "checkpoint", code=3)
    told = luvalla("ledger", "refill", tmp_path / "public")
    assert "lost: what 2 entries about people said" in told
    # Every command says so until it is mended.
    with pytest.raises(SystemExit):
        cli.main(["--home", str(world.home.path), "consent", "show", "--person", "a"])
    assert "warning: what 2 entries about people say was lost" in capsys.readouterr().err
    luvalla("ledger", "check")
    world.verify(receipt)
    assert "nothing is missing" in luvalla("ledger", "refill", tmp_path / "public", code=3)
    # One of the two comes back from its holder's receipt, and with it the other, the enrolment.
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    told = luvalla("ledger", "restore-opening", tmp_path / "receipt.json", "--person", "b")
    assert "2 lost openings came back" in told
    luvalla("ledger", "check")
    luvalla("consent", "give", OFFER, "--person", "a", "--renew")
    luvalla("ledger", "check")


def test_a_lossy_restore_that_was_not_published_ends_in_succession(world, luvalla, tmp_path):
    luvalla("ledger", "publish", tmp_path / "public")
    backup = Backup(world)
    with world.open() as ledger:
        ledger.record_consent("b", OFFER, G)
    backup.restore()
    told = luvalla("ledger", "refill", tmp_path / "public", code=3)
    assert "docs/ledger/drills.md" in told
    new = tmp_path / "new"
    old = ("--succeeds", world.home.trust_root, "--checkpoint", world.home.checkpoint)
    luvalla("init", "--origin", "city.example/consent-2", *old, "--reason", "entries lost", home=new)
    luvalla("ledger", "publish", tmp_path / "public-2", home=new)
    known = open_checkpoint(world.home.checkpoint.read_bytes(), ORIGIN, trust(world).log_vkeys)
    named = TrustRoot.load(new / "trust-root.json", None).succeeds
    assert (named.origin, named.size, named.root) == (ORIGIN, known.size, known.root)
    shutil.rmtree(new)
