from __future__ import annotations

import ast
import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import canonical
from consent.tlog import merkle, verify
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.verify import VerificationError, verify_receipt
from consent.vocabulary import UseStatus
from tests.consent import receipt_builder, standard_vector, use_vector
from tests.consent.make_vectors import changed, refused_vectors
from tests.consent.vector_log import ISSUED, ORIGIN, MemoryLog, signing_key, world
from tests.consent.verifier_alone import run

if TYPE_CHECKING:
    import subprocess

VERIFIER = Path(verify.__file__)
RECEIPTS = {
    "consent": world().consent_receipt,
    "consent-2": standard_vector.receipt(),
    "use": world().use_receipt,
    "use-2": use_vector.receipt(),
}


def check(receipt: object, pin: str | None = None) -> verify.Verified:
    return verify_receipt(json.dumps(receipt).encode(), world().trust.raw, pin or world().trust.pin)


def code_of(receipt: object, pin: str | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        check(receipt, pin)
    return caught.value.code


def test_a_consent_receipt_proves_the_consent():
    proved = check(RECEIPTS["consent"])
    assert (proved.type, proved.origin, proved.number, proved.index, proved.size) == (
        "consent",
        ORIGIN,
        0,
        5,
        12,
    )
    assert proved.consent is not None
    assert (proved.consent.status, proved.consent.permits) == ("given", True)
    assert proved.consent.processing == ("human-review", "scoring")
    assert proved.details == (("source", '{"form":"L-12","page":3}'),)
    assert proved.root == world().log.edge.root().hex()
    assert proved.use is None


def test_a_use_receipt_proves_the_use_and_the_values():
    proved = check(RECEIPTS["use"])
    assert proved.use is not None
    assert (proved.type, proved.use.status_word, proved.use.processing) == ("use", "selected", "scoring")
    assert proved.use.model is not None
    assert proved.use.model[:2] == ("health-benefit", "4")
    assert proved.use.values == '{"age":61,"visits":2.5}'
    assert any("was selected" in sentence for sentence in proved.proved)


def test_a_person_who_said_no_can_prove_being_left_out():
    proved = check(world().left_out_receipt)
    assert proved.use is not None
    assert proved.use.status_word == "refused"
    assert "In this run, person number 1: left out: the person had said no." in proved.proved


def test_without_a_pin_the_result_says_that_the_trust_root_is_only_believed():
    unpinned = verify_receipt(json.dumps(RECEIPTS["use"]).encode(), world().trust.raw)
    assert not unpinned.pinned
    assert "no pin was given" in unpinned.not_proved[3]
    assert not any("pin" in sentence for sentence in check(RECEIPTS["use"]).not_proved)


def test_a_withheld_detail_is_named_as_not_proved():
    withheld = changed(RECEIPTS["consent"], "opening/details", {})
    assert check(withheld).details == ()
    assert "What these withheld details say: source." in check(withheld).not_proved


def test_the_verifiers_words_are_the_ledgers():
    assert {int(status): status.word for status in UseStatus} == verify.STATUS_WORDS
    assert verify._STATUS_MEANINGS.keys() == verify.STATUS_WORDS.keys()


@pytest.mark.parametrize("case", refused_vectors(), ids=lambda case: f"{case['receipt']}-{case['change']}")
def test_a_changed_receipt_is_refused_with_its_code(case):
    assert code_of(changed(RECEIPTS[case["receipt"]], case["change"], case["to"])) == case["code"]


def leaves_of(value: object, path: tuple = ()):
    """Every string of a receipt that something must prove, with the way to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves_of(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves_of(item, (*path, number))
    elif isinstance(value, str) and path[0] != "issued":
        yield path, value


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_any_changed_character_of_a_receipt_is_refused(data):
    receipt = copy.deepcopy(data.draw(st.sampled_from(list(RECEIPTS.values()))))
    path, text = data.draw(st.sampled_from(list(leaves_of(receipt))))
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda character: character != text[at]))
    place = receipt
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = text[:at] + new + text[at + 1 :]
    with pytest.raises(VerificationError):
        check(receipt)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_receipt_with_a_part_removed_added_or_of_another_type_is_refused_not_crashed_on(data):
    receipt = copy.deepcopy(data.draw(st.sampled_from(list(RECEIPTS.values()))))
    place = receipt
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        break
    old = place[key]
    new = data.draw(st.sampled_from([None, True, 0, -1, 2**60, "", "x", "\ud800", [], [None], {}, {"a": 1}]))
    withheld = (("details", {}), ("values", None), ("explanation", None))
    if (key, new) in withheld or new == old or (new is True and old == 1):
        return  # a detail or the explanation withheld, or values not opened: allowed
    place[key] = new
    with pytest.raises(VerificationError):
        check(receipt)
    del place[key]
    if key != "source":
        with pytest.raises(VerificationError):
            check(receipt)
    place[key], place["surplus"] = old, 1
    with pytest.raises(VerificationError):
        check(receipt)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_receipt_are_refused(raw):
    with pytest.raises(VerificationError):
        verify_receipt(raw, world().trust.raw)
    with pytest.raises(VerificationError):
        verify_receipt(json.dumps(RECEIPTS["use"]).encode(), raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'"' + b"a" * (4 * 1024 * 1024),
        b"1" * 1_000_000,
        b'{"luvalla_receipt":1,"luvalla_receipt":1}',
        b'{"luvalla_receipt":1.0}',
        b'{"luvalla_receipt":NaN}',
        b"\xff",
        b'"' + b'\\"' * 1_000_000,
        b"[" + b'"\\' * 1_000_000,
    ],
    ids=["brackets", "braces", "size", "digits", "twice", "float", "nan", "utf8", "quotes", "backslashes"],
)
@pytest.mark.timeout(20)
def test_bombs_are_refused_before_they_go_off(raw):
    for function in (lambda: verify_receipt(raw, world().trust.raw), lambda: verify.verify_trust_root(raw)):
        with pytest.raises(VerificationError):
            function()


def resealed(change) -> dict:
    """A use receipt of a log whose run entry was changed by `change` before it was logged: well signed, wrong."""
    made = world()
    log = MemoryLog()
    for index, entry in enumerate(made.log.entries):
        text = entry
        if index == 7:
            value = canonical.decode(entry)
            change(value)
            text = canonical.encode(value)
        log.append(text)
    log.openings, log.details = made.log.openings, made.log.details
    note = sign_checkpoint(TreeHead(ORIGIN, 12, log.edge.root()), signing_key(ORIGIN, "log")).note
    receipt = copy.deepcopy(made.use_receipt)
    receipt["enrolment"] = log.opening(2, note).value()
    receipt["run"] = {"entry": log.entries[7].decode(), "proof": log.proof(7, note).text()}
    return receipt


def test_a_log_that_is_signed_anew_still_verifies():
    assert check(resealed(dict)).index == 7


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda value: value.update(v=2), "unknown-kind"),
        (lambda value: value.update(v=True), "unknown-kind"),
        (lambda value: value.update(t="walk"), "unknown-kind"),
        (lambda value: value.update(at="yesterday"), "bad-entry"),
        (lambda value: value.update(more=1), "bad-entry"),
        (lambda value: value["b"].update(people=1), "bad-entry"),
        (lambda value: value["b"].update(slots=65_537), "bad-entry"),
        (lambda value: value["b"].update(processing="selling"), "bad-entry"),
        (lambda value: value["b"].update(processing="training"), "bad-entry"),
        (lambda value: value["b"]["state"].update(size=8), "bad-entry"),
        (lambda value: value["b"].update(model={"name": "x"}), "bad-entry"),
        (lambda value: value["b"].update(slots=131_072), "wrong-slot"),
        (lambda value: value["b"].update(values_root=None), "wrong-values"),
        (lambda value: value["b"].update(run=canonical.b64u(bytes(16))), "wrong-slot"),
        (lambda value: value["b"].update(service="another"), "wrong-summary"),
    ],
)
def test_what_the_log_says_wrongly_is_no_evidence_though_it_is_signed(change, code):
    assert code_of(resealed(change)) == code


def test_proofs_to_two_checkpoints_are_refused():
    made = world()
    log = made.log
    smaller = MemoryLog()
    for entry in log.entries[:9]:
        smaller.append(entry)
    smaller.openings, smaller.details = log.openings, log.details
    note = sign_checkpoint(TreeHead(ORIGIN, 9, smaller.edge.root()), signing_key(ORIGIN, "log")).note
    receipt = {**made.use_receipt, "enrolment": smaller.opening(2, note).value()}
    assert code_of(receipt) == "different-checkpoints"


def test_a_consent_before_the_enrolment_is_refused():
    made = world()
    log = MemoryLog()
    order = [5, 2]
    for old in order:
        log.openings[len(log.entries)] = made.log.openings[old]
        log.details[len(log.entries)] = made.log.details[old]
        log.append(made.log.entries[old])
    note = sign_checkpoint(TreeHead(ORIGIN, 2, log.edge.root()), signing_key(ORIGIN, "log")).note
    receipt = receipt_builder.consent_receipt(
        origin=ORIGIN,
        pin=made.trust.pin,
        issued=ISSUED,
        enrolment=log.opening(1, note),
        consent=log.opening(0, note),
    )
    assert code_of(receipt) == "wrong-order"


def test_a_log_key_counts_only_for_its_sizes():
    made = world()
    roots = [signing_key("city.example/root-1", "root 1"), signing_key("city.example/root-2", "root 2")]
    raw = json.dumps(RECEIPTS["use"]).encode()
    later = made.trust.rotate_log_key(signing_key(ORIGIN, "log 2").verifier, 13, roots)
    assert verify_receipt(raw, later.raw, made.trust.pin).size == 12
    earlier = made.trust.rotate_log_key(signing_key(ORIGIN, "log 2").verifier, 12, roots)
    with pytest.raises(VerificationError) as caught:
        verify_receipt(raw, earlier.raw, made.trust.pin)
    assert caught.value.code == "unknown-key"


def test_another_pin_is_refused():
    assert code_of(RECEIPTS["use"], canonical.digest(b"another")) == "wrong-pin"


def test_a_detail_with_a_well_made_digest_of_another_log_is_refused():
    salt, value = bytes(32), b"4"
    assert canonical.detail_digest(ORIGIN, "a", salt, value) != canonical.detail_digest("b", "a", salt, value)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 65_535))
def test_no_other_slot_of_the_run_can_be_passed_off_as_ones_own(number):
    receipt = copy.deepcopy(RECEIPTS["use"])
    receipt["slot"]["path"] = [canonical.b64u(item) for item in merkle.path_of(world().use_hashes, number)]
    if number == 0:
        assert check(receipt).number == 0
    else:
        assert code_of(receipt) == "wrong-slot"


def test_the_verifier_stands_alone():
    tree = ast.parse(VERIFIER.read_text())
    roots = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the one file in an empty folder, without this repository on any path."""
    (folder / "verify.py").write_bytes(VERIFIER.read_bytes())
    (folder / "receipt.json").write_text(json.dumps(RECEIPTS["use"]))
    (folder / "trust-root.json").write_bytes(world().trust.raw)
    return run(folder, *arguments)


def test_the_program_says_what_is_proved_and_what_is_not(tmp_path):
    done = run_alone(tmp_path, "receipt.json", "trust-root.json", "--pin", world().trust.pin)
    assert done.returncode == 0
    assert done.stdout.startswith(
        "The receipt verifies.\n\nProved:\n- Entry 7 of the log city.example/ledger"
    )
    assert "\nNot proved:\n- " in done.stdout
    told = json.loads(run_alone(tmp_path, "receipt.json", "trust-root.json", "--json").stdout)
    assert told["use"]["status_word"] == "selected"


def test_the_programs_exit_codes(tmp_path):
    assert run_alone(tmp_path, "none.json", "trust-root.json").returncode == 2
    assert run_alone(tmp_path).returncode == 2
    wrong = run_alone(tmp_path, "receipt.json", "trust-root.json", "--pin", canonical.digest(b""))
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert wrong.stderr == "error: the trust root's version 1 has not the pinned digest (wrong-pin)\n"
