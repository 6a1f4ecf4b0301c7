"""The one file checks a published log and a tlog-proof from the command line, with nothing else of luvalla."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from consent.records import ConsentRequest
from consent.tlog import verify
from consent.tlog.proof import Proof
from tests.consent import second_verifier
from tests.consent.ledger_world import OFFER, G, make_world, open_trust
from tests.consent.published import flips, needed
from tests.consent.verifier_alone import run


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A folder with verify.py, a published log, an older checkpoint, a proof and its entry; and the pin."""
    folder = tmp_path_factory.mktemp("city")
    world = make_world(folder / "city")
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(f"invented-{each}", OFFER, G) for each in range(40)])
        (folder / "older").write_text(ledger.checkpoint().note)
        ledger.record_consents([ConsentRequest(f"invented-{each}", OFFER, G) for each in range(40, 300)])
        ledger.publish(folder / "public")
        vkey = next(iter(ledger.log.trust.log_vkeys(1))).vkey
        (folder / "proof").write_text(ledger.prove(500))
    (folder / "entry").write_bytes(second_verifier.published(folder / "public", vkey)[500])
    shutil.copy(world.home.trust_root, folder / "trust-root.json")
    shutil.copy(Path(verify.__file__), folder / "verify.py")
    return folder, open_trust(world.home)


def test_a_published_log_is_checked_from_its_folder_alone(city):
    folder, pin = city
    said = run(folder, "public", "--pin", pin, "--older", "older")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("The published log verifies.")
    size = int((folder / "public" / "checkpoint").read_text().split("\n")[1])
    assert f"The {size} entries published" in said.stdout
    assert "It begins with the" in said.stdout
    assert "nobody but the city has signed it" in said.stdout
    assert "no pin was given" in run(folder, "public").stdout
    told = json.loads(run(folder, "public", "trust-root.json", "--json").stdout)
    assert (told["size"], told["older"]) == (size, None)


def test_a_proof_is_checked_with_its_entry(city, tmp_path):
    folder, pin = city
    said = run(folder, "proof", "trust-root.json", "--entry", "entry", "--pin", pin, "--json")
    assert (said.returncode, json.loads(said.stdout)["index"]) == (0, 500)
    other = run(folder, "proof", "trust-root.json", "--entry", "older")
    assert (other.returncode, other.stdout) == (3, "")
    assert "(wrong-inclusion)" in other.stderr
    # An `extra` line is allowed by the format, and is nobody's word.
    proof = Proof.parse((folder / "proof").read_text())
    with_extra = Proof(proof.index, proof.path, proof.checkpoint, b"anything").text().encode()
    trust = (folder / "trust-root.json").read_bytes()
    assert verify.verify_proof(with_extra, (folder / "entry").read_bytes(), trust, pin).index == 500


def test_wrong_use_is_told_apart_from_wrong_evidence(city):
    folder, _ = city
    assert run(folder, "proof", "trust-root.json").returncode == 2
    assert run(folder, "proof").returncode == 2
    assert run(folder, "public", "--entry", "entry").returncode == 2
    assert run(folder, "none", "trust-root.json").returncode == 2
    wrong = run(folder, "public", "--pin", "sha256:" + "0" * 64)
    assert (wrong.returncode, wrong.stdout) == (3, "")


def test_one_flipped_bit_is_refused(city, tmp_path):
    folder, pin = city
    public = tmp_path / "public"
    shutil.copytree(folder / "public", public)
    read = verify._folder(public)
    trust = (folder / "trust-root.json").read_bytes()
    assert len(needed(public)) > 5
    for seed, name in enumerate(needed(public)):
        whole = (public / name).read_bytes()
        for flipped in flips(whole, 12, seed):
            (public / name).write_bytes(flipped)
            with pytest.raises(verify.VerificationError):
                verify.verify_published(read, trust, pin)
        (public / name).write_bytes(whole)
    verify.verify_published(read, trust, pin)
    entry = (folder / "entry").read_bytes()
    proof = (folder / "proof").read_bytes()
    chance = random.Random(8)  # noqa: S311 - which bit is no secret
    for flipped in flips(proof, 60, chance.randrange(99)):
        with pytest.raises(verify.VerificationError):
            verify.verify_proof(flipped, entry, trust, pin)


def test_missing_files_other_histories_and_an_older_head_than_the_given_one_are_refused(city, tmp_path):
    folder, pin = city
    trust = (folder / "trust-root.json").read_bytes()
    public = tmp_path / "public"
    shutil.copytree(folder / "public", public)
    read = verify._folder(public)

    def code(older: bytes | None = None) -> str:
        with pytest.raises(verify.VerificationError) as caught:
            verify.verify_published(read, trust, pin, older)
        return caught.value.code

    newest = (public / "checkpoint").read_bytes()
    shutil.copy(folder / "older", public / "checkpoint")
    assert code(newest) == "wrong-consistency"
    # The same tree is there with its full files alone, as the specification lets a log delete the partial ones.
    for partial in list((public / "tile").rglob("000.p")):
        shutil.rmtree(partial)
    verify.verify_published(read, trust, pin, (folder / "older").read_bytes())
    (public / "checkpoint").write_bytes(newest)
    (public / "tile/entries/001").unlink()
    assert code() == "not-published"
    (public / "checkpoint").unlink()
    assert code() == "not-published"


def test_a_log_that_does_not_begin_with_the_older_checkpoint_is_refused(tmp_path):
    """The same home, copied, goes on two ways: both are signed, and only one continues what was seen."""
    world = make_world(tmp_path / "city")
    shutil.copytree(world.home.path, tmp_path / "copy" / "home")
    with world.open() as ledger:
        ledger.record_consent("invented-a", OFFER, G)
        older = ledger.checkpoint().note.encode()
    fork = type(world)(type(world.home)(tmp_path / "copy" / "home"), world.clock)
    with fork.open() as ledger:
        ledger.record_consents([ConsentRequest(f"invented-{each}", OFFER, G) for each in "bcd"])
        ledger.publish(tmp_path / "public")
    trust = world.home.trust_root.read_bytes()
    read = verify._folder(tmp_path / "public")
    verify.verify_published(read, trust)
    with pytest.raises(verify.VerificationError) as caught:
        verify.verify_published(read, trust, older=older)
    assert caught.value.code == "wrong-consistency"
