"""golang.org/x/mod/sumdb, the original of signed notes and tiles, reads our files unchanged, and ours read its files.

The Go compiler and the library come from the system (Debian: `golang-go golang-golang-x-mod-dev`); nothing is downloaded.
Where they are missing the tests are skipped and say so; with LUVALLA_REQUIRE_GO=1, as in `.ci/run`, they fail.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.merkle import leaf_hash
from consent.tlog.note import VerifierKey
from consent.tlog.proof import Proof
from consent.tlog.verify import VerificationError, verify_consistency, verify_inclusion
from tests.consent import second_verifier
from tests.consent.published import flips, needed

GOPATH = Path("/usr/share/gocode")
LIBRARY = GOPATH / "src" / "golang.org" / "x" / "mod" / "sumdb" / "tlog"
SOURCE = Path(__file__).parent / "tlogcheck" / "main.go"
ORIGIN = "example.org/made-by-go"


@pytest.fixture(scope="module")
def tlogcheck(tmp_path_factory):
    """Runs the Go program; returns what it ended with."""
    go = shutil.which("go")
    if go is None or not LIBRARY.is_dir():
        why = "no Go compiler with golang.org/x/mod: apt-get install golang-go golang-golang-x-mod-dev"
        if os.environ.get("LUVALLA_REQUIRE_GO"):
            pytest.fail(why)
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("go")
    program = folder / "tlogcheck"
    building = {
        **os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "", "GOPROXY": "off", "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "cache"),
    }  # fmt: skip
    subprocess.run([go, "build", "-o", str(program), str(SOURCE)], check=True, env=building, timeout=300)

    def call(*args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *map(str, args)], capture_output=True, text=True, check=False, timeout=60
        )

    return call


def test_go_accepts_what_we_publish(tlogcheck, city):
    folder, vkey, size = city
    said = tlogcheck("read", folder / "public", vkey)
    root = (folder / "public" / "checkpoint").read_text().split("\n")[2]
    assert (said.returncode, said.stdout, said.stderr) == (0, f"{size} {root}\n", "")


def test_go_accepts_that_the_log_continues_an_earlier_checkpoint(tlogcheck, city):
    folder, vkey, size = city
    said = tlogcheck("older", folder / "public", vkey, folder / "older")
    assert said.returncode == 0, said.stderr
    assert said.stdout.endswith(f" {size}\n")


def test_go_accepts_our_proof_and_no_other_entry(tlogcheck, city, tmp_path):
    folder, vkey, size = city
    said = tlogcheck("proof", vkey, folder / "entry", folder / "proof")
    assert (said.returncode, said.stdout) == (0, f"{size - 3} {size}\n"), said.stderr
    (tmp_path / "entry").write_bytes((folder / "entry").read_bytes() + b" ")
    assert tlogcheck("proof", vkey, tmp_path / "entry", folder / "proof").returncode == 1


def test_go_refuses_a_copy_with_one_flipped_bit(tlogcheck, city, tmp_path):
    folder, vkey, _ = city
    public = tmp_path / "public"
    shutil.copytree(folder / "public", public)
    names = [public / name for name in needed(public)]
    assert len(names) > 5
    for seed, path in enumerate(names):
        whole = path.read_bytes()
        for flipped in flips(whole, 8, seed):
            path.write_bytes(flipped)
            assert tlogcheck("read", public, vkey).returncode == 1, f"{path}: a flipped bit went unseen"
        path.write_bytes(whole)
    assert tlogcheck("read", public, vkey).returncode == 0
    for flipped in flips((folder / "proof").read_bytes(), 40, 99):
        (tmp_path / "proof").write_bytes(flipped)
        assert tlogcheck("proof", vkey, folder / "entry", tmp_path / "proof").returncode == 1, flipped


@pytest.mark.parametrize("count", [1, 255, 256, 700])
def test_ours_accept_a_log_that_go_made(tlogcheck, tmp_path, count):
    said = tlogcheck("make", tmp_path, ORIGIN, count)
    assert said.returncode == 0, said.stderr
    vkey = VerifierKey.parse(said.stdout.strip())
    entries = second_verifier.published(tmp_path, vkey.vkey)
    assert entries == [b"entry %d of a log made by golang.org/x/mod" % each for each in range(count)]
    checkpoint = open_checkpoint((tmp_path / "checkpoint").read_bytes(), ORIGIN, lambda _: [vkey])
    assert checkpoint.size == count

    text = (tmp_path / "proof.txt").read_text()
    proof = Proof.parse(text)
    assert proof.text() == text
    assert proof.checkpoint == checkpoint.note
    leaf = leaf_hash(entries[proof.index])
    verify_inclusion(leaf, proof.index, count, proof.path, checkpoint.root)
    with pytest.raises(VerificationError):
        verify_inclusion(leaf_hash(b"another entry"), proof.index, count, proof.path, checkpoint.root)

    size, *lines = (tmp_path / "consistency.txt").read_text().splitlines()
    old_root, *hashes = [base64.b64decode(line) for line in lines]
    verify_consistency(int(size), old_root, count, checkpoint.root, hashes)
    with pytest.raises(VerificationError):
        verify_consistency(int(size), bytes(32), count, checkpoint.root, hashes)
