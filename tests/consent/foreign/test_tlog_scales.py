"""tlog-scales (PyPI, Apache-2.0) reads our files unchanged, and ours read its files; with a real ML-DSA-44 line.

It was written by others from the C2SP documents, and needs no Go: these tests run wherever the test group is installed.
Its reader is lenient about base64 and does not compare bundles with tiles; `read` does what its callers are left to do.
"""

from __future__ import annotations

import json
import shutil

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales import signing
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.tiles import leaf_hash as their_leaf_hash
from tlog_scales.tlog import (
    Checkpoint,
    ConsistencyProof,
    ConsistencyProofInvalid,
    InclusionProof,
    InclusionProofInvalid,
)
from tlog_scales.writer import TilesWriter

from consent.errors import NoteError
from consent.published_log import FolderFiles
from consent.tlog.checkpoint import TreeHead, open_checkpoint, sign_checkpoint
from consent.tlog.contradiction import LeafStore
from consent.tlog.cosignature import WitnessKey, cosign, cosigned, with_cosignatures
from consent.tlog.merkle import consistency_proof, inclusion_proof, leaf_hash, root_at
from consent.tlog.monitor import Followed, follow
from consent.tlog.monitor_state import MonitorState
from consent.tlog.note import Note, VerifierKey, generate_key
from consent.tlog.proof import Proof
from consent.tlog.verify import (
    VerificationError,
    verify_consistency,
    verify_cosignatures,
    verify_inclusion,
    verify_note,
)
from consent.witnessed import witnesses_of_proof
from tests.consent import second_verifier
from tests.consent.ledger_world import OFFER, G, make_world
from tests.consent.ledger_world import ORIGIN as ORIGIN_OF_WORLD
from tests.consent.published import flips, needed

ORIGIN = "example.org/made-by-tlog-scales"


def read(folder, vkey: str) -> Checkpoint:
    """Everything that tlog-scales can check of a published log: signature, root, and every entry in the tree."""
    reader = TilesReader(LocalBackend(folder))
    head = reader.get_checkpoint()
    head.verify(signing.Vkey.from_string(vkey))
    assert reader.calculate_root_hash() == head.root_hash
    for index in range(head.size):
        proof = reader.get_inclusion_proof(index, head.size)
        proof.check(their_leaf_hash(reader.get_entry(index)), head.root_hash)
    return head


def test_it_accepts_what_we_publish(city):
    folder, vkey, size = city
    head = read(folder / "public", vkey)
    ours = TreeHead.parse(Note.parse((folder / "public" / "checkpoint").read_bytes()).text)
    assert (head.origin, head.size, head.root_hash) == (ours.origin, size, ours.root)


def test_it_reads_the_tree_of_an_earlier_checkpoint_and_its_consistency_proof_is_ours(city, tmp_path):
    folder, vkey, size = city
    shutil.copytree(folder / "public", tmp_path / "then")
    (tmp_path / "then" / "checkpoint").write_bytes((folder / "older").read_bytes())
    older = read(tmp_path / "then", vkey)
    assert 0 < older.size < size
    reader = TilesReader(LocalBackend(folder / "public"))
    newer = reader.get_checkpoint()
    proof = reader.get_consistency_proof(older.size, newer.size)
    proof.check(older.root_hash, newer.root_hash)
    verify_consistency(older.size, older.root_hash, newer.size, newer.root_hash, proof.node_hashes)
    leaves = [leaf_hash(entry) for entry in second_verifier.published(folder / "public", vkey)]
    assert consistency_proof(LeafStore(b"".join(leaves)), older.size, newer.size) == proof.node_hashes


def test_it_accepts_our_proof_and_refuses_one_with_a_flipped_bit(city):
    folder, vkey, size = city
    ours = Proof.parse((folder / "proof").read_text())
    head = Checkpoint.from_text(ours.checkpoint)
    head.verify(signing.Vkey.from_string(vkey))
    leaf = their_leaf_hash((folder / "entry").read_bytes())
    InclusionProof(ours.index, head.size, list(ours.path)).check(leaf, head.root_hash)
    for at in range(len(ours.path)):
        for flipped in flips(ours.path[at], 5, at):
            path = [*ours.path[:at], flipped, *ours.path[at + 1 :]]
            with pytest.raises(InclusionProofInvalid):
                InclusionProof(ours.index, size, path).check(leaf, head.root_hash)
    for index in {0, ours.index - 1, size - 1} - {ours.index}:
        with pytest.raises(InclusionProofInvalid):
            InclusionProof(index, size, list(ours.path)).check(leaf, head.root_hash)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 600), st.data())
def test_each_accepts_the_others_proofs_at_any_size_and_neither_a_flipped_bit(size, data):
    leaves = [leaf_hash(b"%d" % each) for each in range(size)]
    store = LeafStore(b"".join(leaves))
    root = root_at(store, size)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(store, index, size)
    InclusionProof(index, size, list(path)).check(leaves[index], root)
    old = data.draw(st.integers(1, size))
    old_root = root_at(store, old)
    proof = consistency_proof(store, old, size)
    ConsistencyProof(old, size, list(proof)).check(old_root, root)
    bit = data.draw(st.integers(0, 255))
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        bad = [*path[:at], _flipped(path[at], bit), *path[at + 1 :]]
        with pytest.raises(InclusionProofInvalid):
            InclusionProof(index, size, list(bad)).check(leaves[index], root)
        with pytest.raises(VerificationError):
            verify_inclusion(leaves[index], index, size, bad, root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bad = [*proof[:at], _flipped(proof[at], bit), *proof[at + 1 :]]
        with pytest.raises(ConsistencyProofInvalid):
            ConsistencyProof(old, size, list(bad)).check(old_root, root)
        with pytest.raises(VerificationError):
            verify_consistency(old, old_root, size, root, bad)


def _flipped(hashed: bytes, bit: int) -> bytes:
    return (int.from_bytes(hashed, "big") ^ (1 << bit)).to_bytes(32, "big")


def test_it_refuses_a_copy_of_our_log_with_one_flipped_bit(city, tmp_path):
    folder, vkey, _ = city
    public = tmp_path / "public"
    shutil.copytree(folder / "public", public)
    whole_head = read(public, vkey)
    for seed, name in enumerate(needed(public)):
        whole = (public / name).read_bytes()
        for flipped in flips(whole, 6, seed):
            (public / name).write_bytes(flipped)
            try:
                head = read(public, vkey)
            except Exception:  # noqa: BLE001, S112 - however it refuses
                continue
            # Python's base64 skips what is not in its alphabet, and the spare bits: then the checkpoint is the same.
            assert name == "checkpoint", f"{name}: a flipped bit went unseen"
            assert head.serialize_body() == whole_head.serialize_body()
        (public / name).write_bytes(whole)


def test_it_accepts_our_cosignatures_and_refuses_other_ones():
    log, witness = generate_key("example.org/log"), generate_key("example.org/witness")
    signed = Note.parse(sign_checkpoint(TreeHead("example.org/log", 7, b"r" * 32), log).note.encode())
    note = with_cosignatures(signed, [cosign(signed.text, witness, 1_800_000_000)])
    head = Checkpoint.from_text(note.encode().decode())
    key = signing.Vkey.from_string(WitnessKey.of(witness).vkey)
    head.verify(key)
    assert key.serialize() == WitnessKey.of(witness).vkey
    line = next(each for each in head.signatures if key.match(each))
    assert key.get_verifier().get_timestamp(line.payload) == 1_800_000_000
    for flipped in flips(line.payload, 30, 1):
        with pytest.raises(InvalidSignature):
            key.get_verifier().verify(flipped, head)


@pytest.fixture(params=[1, 255, 256, 700])
def theirs(request, tmp_path):
    """A log that tlog-scales made in two commits, signed with Ed25519 and cosigned with ML-DSA-44: folder, vkeys."""
    folder = tmp_path / "theirs"
    log = signing.PlainEd25519Signer(ORIGIN, Ed25519PrivateKey.generate())
    second = signing.MLDSA44CosignatureSigner("example.org/second", MLDSA44PrivateKey.generate())
    writer = TilesWriter.create(folder, ORIGIN)
    for start, end in ((0, request.param // 2), (request.param // 2, request.param)):
        for each in range(start, end):
            writer.add_leaf(b"entry %d of a log made by tlog-scales" % each)
        if start < end:
            writer.commit([log, second])
    return folder, log.vkey.serialize(), second.vkey.serialize()


def test_ours_accept_a_log_that_it_made(theirs, tmp_path):
    folder, vkey, _ = theirs
    key = VerifierKey.parse(vkey)
    entries = second_verifier.published(folder, vkey)
    assert entries[-1] == b"entry %d of a log made by tlog-scales" % (len(entries) - 1)
    memory = MonitorState(tmp_path / "state", ORIGIN, lambda _: [key])
    with memory.locked():
        found = follow(FolderFiles(folder), memory, ORIGIN, lambda _: [key])
    assert isinstance(found, Followed)
    assert found.head.size == len(entries)
    reader = TilesReader(LocalBackend(folder))
    reader.get_checkpoint()
    for index in {0, len(entries) // 3, len(entries) - 1}:
        path = reader.get_inclusion_proof(index, len(entries)).node_hashes
        verify_inclusion(leaf_hash(entries[index]), index, len(entries), path, found.head.root)
        # Its command line prints this text (tlog-proof v1).
        text = Proof(index, tuple(path), found.head.note).text()
        assert Proof.parse(text).path == tuple(path)


def test_a_line_of_an_ml_dsa_44_key_is_room_for_later_and_disturbs_nobody(theirs):
    """Type 0x06, a key that we do not use: every reader of ours ignores its line, and still refuses a changed text."""
    folder, vkey, second = theirs
    raw = (folder / "checkpoint").read_bytes()
    note = Note.parse(raw)
    assert note.encode() == raw
    assert len(note.signatures) == 2
    assert len(note.signatures[1].signature) == 8 + 2420
    key = VerifierKey.parse(vkey)
    assert open_checkpoint(raw, ORIGIN, lambda _: [key]).note.encode() == raw
    assert verify_note(raw, [vkey]) == (key.keyid,)
    assert verify_cosignatures(raw, []) == ()
    assert cosigned(note, []) == {}
    second_verifier.published(folder, vkey)
    Checkpoint.from_text(raw.decode()).verify(signing.Vkey.from_string(second))
    # The line alone is nobody's word, and one byte of the text less is not what was signed.
    alone = Note(note.text, note.signatures[1:]).encode()
    with pytest.raises(NoteError, match="no signature of a known key"):
        open_checkpoint(alone, ORIGIN, lambda _: [key])
    with pytest.raises(VerificationError):
        verify_note(alone, [vkey])
    changed = raw.replace(note.text.split("\n")[2][:8].encode(), b"AAAAAAAA", 1)
    with pytest.raises(VerificationError):
        verify_note(changed, [vkey])


def test_a_receipt_with_an_ml_dsa_44_line_verifies_and_names_it_as_no_witness(tmp_path):
    world = make_world(tmp_path)
    second = signing.MLDSA44CosignatureSigner("example.org/second", MLDSA44PrivateKey.generate())
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        receipt = ledger.consent_receipt("a", OFFER)
    checkpoint = Proof.parse(receipt["opening"]["proof"]).checkpoint
    line = second.sign(Checkpoint.from_text(checkpoint)).serialize() + "\n"
    text = json.dumps(receipt)
    old, new = json.dumps(checkpoint)[1:-1], json.dumps(checkpoint + line)[1:-1]
    assert text.count(old) >= 2
    longer = json.loads(text.replace(old, new))
    proved = world.verify(longer)
    assert (proved.index, proved.witnessed_by) == (world.verify(receipt).index, ())
    assert witnesses_of_proof(longer["opening"]["proof"], ORIGIN_OF_WORLD) == ()
