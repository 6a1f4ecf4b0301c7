"""The golden vectors are what the code makes, and what a second, naive reading of the specification makes of them."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.entries import Payload
from consent.errors import ConsentError
from consent.shapes import INSTITUTIONAL, PAYLOADS
from consent.tlog import verify
from consent.tlog.verify import VerificationError, verify_consistency, verify_inclusion, verify_receipt
from consent.vocabulary import UseStatus
from tests.consent import second_verifier as naive
from tests.consent.make_vectors import changed, vectors

CODE = re.compile(r"(bad|different|malformed|not|too|unknown|wrong)-[a-z]+(-[a-z]+)?")
FOLDER = Path(__file__).parents[2] / "docs" / "spec" / "vectors"


def stored(name: str):
    return json.loads((FOLDER / name).read_text())


def b64u(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("name", vectors())
def test_the_vectors_are_made_again_byte_for_byte(name):
    assert (FOLDER / name).read_bytes() == vectors()[name]


def test_no_vector_is_left_over():
    assert {path.name for path in FOLDER.iterdir()} == vectors().keys()


def test_the_logs_roots_are_those_of_a_naive_reading():
    log = stored("log.json")
    entries = [entry.encode() for entry in log["entries"]]
    for size, root in log["roots"].items():
        assert naive.mth(entries[: int(size)]).hex() == root
    assert [naive.mth([entry]).hex() for entry in entries] == log["leaf_hashes"]


def test_every_opening_opens_its_entry():
    log = stored("log.json")
    for index, opening in log["openings"].items():
        salt = base64.urlsafe_b64decode(opening["salt"] + "=")
        label = b"luvalla/commitment/v1\0" + log["origin"].encode() + b"\0"
        committed = b64u(hashlib.sha256(label + salt + opening["payload"].encode()).digest())
        assert log["entries"][int(index)] == f'{{"c":"{committed}","t":"p","v":1}}'
        for name, detail in opening["details"].items():
            label = f"luvalla/detail/v1\0{log['origin']}\0{name}\0".encode()
            detail_salt = base64.urlsafe_b64decode(detail["salt"] + "=")
            digest = b64u(hashlib.sha256(label + detail_salt + detail["value"].encode()).digest())
            assert json.loads(opening["payload"])["details"][name] == digest


def test_slots_are_those_of_a_naive_reading():
    hashes = stored("hashes.json")
    run, key = bytes.fromhex(hashes["run"]), bytes.fromhex(hashes["use_key"])
    number = (70_000).to_bytes(4, "big")
    salt, secret = bytes.fromhex(hashes["slot_salt"]), bytes.fromhex(hashes["run_secret"])

    def slot(label: bytes, rest: bytes) -> str:
        return hashlib.sha256(b"\0" + label + b"\0" + run + number + rest).hexdigest()

    assert hashes["use_salt"] == hashlib.blake2s(run, key=key).hexdigest()
    assert hashes["values_salt"] == hashlib.blake2s(b"values" + run, key=key).hexdigest()
    assert hashes["use_slot"]["is"] == slot(b"luvalla/use/v1", b"\x02" + salt)
    assert hashes["values_slot"]["is"] == slot(b"luvalla/values/v1", salt + b"x")
    assert hashes["vacant_slot"]["is"] == slot(b"luvalla/vacant/v1", secret)
    assert hashes["vacant_values_slot"]["is"] == slot(b"luvalla/vacant-values/v1", secret)


def test_rights_are_those_of_a_naive_reading():
    rights = stored("rights.json")
    salt = bytes.fromhex(rights["salt"])
    for case in rights["accepted"]:
        assert verify.parse_right(case["payload"].encode())["kind"] == "right"
        assert Payload.parse(case["payload"].encode()).encode() == case["payload"].encode()
        label = b"luvalla/commitment/v1\0" + rights["origin"].encode() + b"\0"
        committed = b64u(hashlib.sha256(label + salt + case["payload"].encode()).digest())
        assert case["entry"] == f'{{"c":"{committed}","t":"p","v":1}}'
    for what, text in rights["refused"].items():
        with pytest.raises(VerificationError):
            verify.parse_right(text.encode())
        with pytest.raises(ConsentError):
            Payload.parse(text.encode())
        assert text != rights["accepted"][0]["payload"], what
    for slot in rights["slots"]:
        place = bytes.fromhex(rights["run"]) + slot["number"].to_bytes(4, "big") + bytes([slot["status"]])
        assert slot["is"] == hashlib.sha256(b"\0luvalla/use/v1\0" + place + salt).hexdigest()
        assert verify.STATUS_WORDS[slot["status"]] == UseStatus(slot["status"]).word


def test_the_proofs_of_the_reference_tree_verify():
    tree = stored("tree.json")
    roots = {int(size): bytes.fromhex(root) for size, root in tree["roots"].items()}
    leaves = [naive.mth([bytes.fromhex(leaf)]) for leaf in tree["leaves"]]
    assert len(tree["inclusion"]) == len(tree["consistency"]) == 36
    for case in tree["inclusion"]:
        path = [bytes.fromhex(item) for item in case["path"]]
        verify_inclusion(leaves[case["index"]], case["index"], case["size"], path, roots[case["size"]])
    for case in tree["consistency"]:
        proof = [bytes.fromhex(item) for item in case["proof"]]
        verify_consistency(case["old"], roots[case["old"]], case["size"], roots[case["size"]], proof)


@pytest.mark.parametrize("name", ["consent", "use", "left-out"])
def test_the_stored_receipts_verify(name):
    raw = (FOLDER / f"receipt-{name}.json").read_bytes()
    pin = stored("log.json")["trust_root_pin"]
    assert verify_receipt(raw, (FOLDER / "trust-root.json").read_bytes(), pin).size == 12


def test_the_stored_receipt_in_standard_form_verifies():
    raw = (FOLDER / "receipt-consent-2.json").read_bytes()
    pin = stored("log.json")["trust_root_pin"]
    proved = verify_receipt(raw, (FOLDER / "trust-root.json").read_bytes(), pin)
    assert (proved.index, proved.size, proved.details[0][0]) == (3, 4, "source")
    assert any("word for word" in sentence for sentence in proved.proved)


def test_the_stored_use_receipt_of_version_2_verifies():
    raw = (FOLDER / "receipt-use-2.json").read_bytes()
    pin = stored("log.json")["trust_root_pin"]
    proved = verify_receipt(raw, (FOLDER / "trust-root.json").read_bytes(), pin)
    assert (proved.index, proved.size, proved.use.values) == (3, 4, json.loads(raw)["values"]["bytes"])
    assert proved.use.explanation == json.loads(raw)["explanation"]
    assert proved.use.purpose_title["sv"] == "Hälsosamtal"
    assert any("explanation in the receipt is the document" in sentence for sentence in proved.proved)
    assert any("word for word" in sentence for sentence in proved.proved)


def test_the_stored_cosignature_counts_where_the_trust_root_asks_for_it():
    root = (FOLDER / "trust-root-witnesses.json").read_bytes()
    pin = stored("log.json")["trust_root_pin"]
    witnesses = stored("witnesses.json")
    proved = verify_receipt((FOLDER / "receipt-witnessed.json").read_bytes(), root, pin)
    assert [witnesses["witnesses"][0].startswith(each) for each in proved.witnessed_by] == [True]
    line = witnesses["answer"].removeprefix("\u2014 ").split()[1]
    raw = base64.b64decode(line)
    public = base64.b64decode(witnesses["witnesses"][0].split("+")[2])[1:]
    Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], witnesses["message"].encode())
    assert int.from_bytes(raw[4:12], "big") == witnesses["time"]
    with pytest.raises(VerificationError) as caught:
        verify_receipt((FOLDER / "receipt-consent.json").read_bytes(), root, pin)
    assert caught.value.code == "too-few-witnesses"


def test_the_stored_refusals_are_refused():
    trust_root = (FOLDER / "trust-root.json").read_bytes()
    for case in stored("refused.json"):
        receipt = changed(stored(f"receipt-{case['receipt']}.json"), case["change"], case["to"])
        with pytest.raises(VerificationError) as caught:
            verify_receipt(json.dumps(receipt).encode(), trust_root)
        assert caught.value.code == case["code"]


def test_the_specification_names_every_code_kind_key_and_word():
    text = (FOLDER.parent / "ledger-v1.md").read_text()
    source = ast.parse(Path(verify.__file__).read_text())
    words = {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    codes = {word for word in words if CODE.fullmatch(word)} - set(verify.STATUS_WORDS.values())
    assert len(codes) == 36
    keys = {key for kinds in (PAYLOADS, INSTITUTIONAL) for kind in kinds.values() for key in kind}
    for word in codes | keys | PAYLOADS.keys() | INSTITUTIONAL.keys() | set(verify.STATUS_WORDS.values()):
        assert f"`{word}`" in text, word
    assert {case["code"] for case in stored("refused.json")} <= codes


def test_a_succession_is_read_by_the_verifier_and_by_a_naive_reading():
    given = stored("succession.json")
    older, entry = given["older"]["trust_root"].encode(), given["entry"].encode()
    body = verify.verify_succession(entry, older)
    # Naively: the three lines, the digest of the older version 1, the signature by the named key.
    said = json.loads(given["entry"])
    assert said["t"] == "succession"
    assert said["b"] == body
    origin, size, root, *_ = body["checkpoint"].split("\n")
    assert (origin, int(size)) == (body["origin"], body["size"])
    assert base64.b64decode(root) == base64.urlsafe_b64decode(body["root"] + "=")
    first = json.loads(older)["versions"][0]["signed"]
    text = json.dumps(first, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert body["trust_root"] == f"sha256:{hashlib.sha256(text).hexdigest()}"
    vkey = next(each["vkey"] for each in first["log"] if body["keyid"] in each["vkey"])
    line = next(line for line in body["checkpoint"].split("\n") if line.startswith("\u2014"))
    signed = body["checkpoint"].split("\n\n")[0].encode() + b"\n"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vkey.split("+", 2)[2])[1:])
    key.verify(base64.b64decode(line.rsplit(" ", 1)[1])[4:], signed)
    # The new trust root names the same log.
    trust = verify.verify_trust_root(given["trust_root"].encode())
    assert dict(trust.succeeds) == {name: body[name] for name in ("origin", "root", "size", "trust_root")}
    assert json.loads(given["trust_root"])["versions"][0]["signed"]["v"] == 3
    assert given["refused"]
    for changed_entry in given["refused"].values():
        with pytest.raises(VerificationError):
            verify.verify_succession(changed_entry.encode(), older)
