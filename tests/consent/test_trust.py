from __future__ import annotations

import base64
import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import canonical
from consent.errors import TrustRootError
from consent.tlog import verify
from consent.tlog.cosignature import WitnessKey
from consent.trust import TrustRoot
from consent.trust_chain import LABEL, Member, WitnessRule
from tests.consent.vector_log import ORIGIN, signing_key, trust_root

ROOTS = [signing_key(f"city.example/root-{number}", f"root {number}") for number in (1, 2, 3)]
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2028, 1, 1, tzinfo=UTC)


def member(name: str, since: datetime = START, until: datetime = END, label: str | None = None) -> Member:
    return Member(
        name,
        name.title(),
        "member",
        since,
        until,
        signing_key(f"city.example/board/{name}", label or name).verifier,
    )


@pytest.fixture(scope="module")
def first() -> TrustRoot:
    return TrustRoot.create(
        log_key=signing_key(ORIGIN, "log").verifier,
        root_keys=ROOTS[:2],
        threshold=2,
        members=[member("aino")],
        quorum=2,
    )


def versions_of(root: TrustRoot) -> list[dict]:
    return canonical.decode(root.raw, limit=10**7)["versions"]


def resigned(version: dict, *keys) -> dict:
    """A version signed anew by the given keys, whatever it says."""
    message = LABEL + canonical.encode(version["signed"])
    signatures = [
        {"keyid": key.verifier.keyid, "sig": base64.b64encode(key.sign(message)).decode()} for key in keys
    ]
    return {"signatures": signatures, "signed": version["signed"]}


def refused_by_both(versions: list[dict], pin: str | None, match: str) -> None:
    raw = canonical.encode({"versions": versions})
    with pytest.raises(TrustRootError, match=match) as caught:
        TrustRoot.parse(raw, pin)
    assert caught.value.exit_code == 3
    with pytest.raises(verify.VerificationError):
        verify.verify_trust_root(raw, pin)


def test_a_trust_root_is_saved_loaded_and_pinned(first, tmp_path):
    first.save(tmp_path / "trust-root.json")
    loaded = TrustRoot.load(tmp_path / "trust-root.json", first.pin)
    assert loaded == first
    assert (loaded.origin, loaded.version, loaded.quorum, loaded.pin) == (ORIGIN, 1, 2, first.digest)
    other = verify.verify_trust_root(first.raw, first.pin)
    assert (other.pin, other.digest, other.origin, other.version) == (first.pin, first.digest, ORIGIN, 1)


def test_another_pin_or_no_pin_that_is_one_is_refused(first):
    refused_by_both(versions_of(first), canonical.digest(b""), "the pin says")
    refused_by_both(versions_of(first), "md5:1", "pin is not sha256")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(TrustRootError, match="cannot be read"):
        TrustRoot.load(tmp_path / "none", None)
    with pytest.raises(TrustRootError, match="cannot be written"):
        trust_root().save(tmp_path / "none" / "trust-root.json")


@given(st.data())
def test_any_changed_byte_of_the_file_is_refused_by_both_readers(data):
    root = trust_root()
    raw = bytearray(root.raw)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TrustRootError):
        TrustRoot.parse(bytes(raw), root.pin)
    with pytest.raises(verify.VerificationError):
        verify.verify_trust_root(bytes(raw), root.pin)


def test_members_serve_from_the_first_moment_of_their_term_to_the_last(first):
    assert [each.id for each in first.members(START)] == ["aino"]
    assert [each.id for each in first.members(END - timedelta(seconds=1))] == ["aino"]
    assert first.members(END) == first.members(START - timedelta(seconds=1)) == ()


def test_members_come_and_go_in_new_versions(first):
    second = first.add_member(member("eero"), ROOTS[:2])
    left = datetime(2026, 6, 1, tzinfo=UTC)
    third = second.retire_member("eero", left, ROOTS[:2])
    assert [root.version for root in (first, second, third)] == [1, 2, 3]
    assert {each.id for each in third.members(left - timedelta(seconds=1))} == {"aino", "eero"}
    assert {each.id for each in third.members(left)} == {"aino"}
    assert TrustRoot.parse(third.raw, first.pin) == third
    assert verify.verify_trust_root(third.raw, first.pin).version == 3
    with pytest.raises(TrustRootError, match="no board member 'eero' is serving"):
        third.retire_member("eero", left, ROOTS[:2])
    back = third.add_member(member("eero", left, END), ROOTS[:2])
    assert {each.id for each in back.members(left)} == {"aino", "eero"}


def test_a_term_ended_in_its_first_second_is_gone(first):
    assert first.retire_member("aino", START, ROOTS[:2]).board == ()


@pytest.mark.parametrize(
    ("new", "match"),
    [
        (member("aino"), "two terms at the same time"),
        (replace(member("eero"), key=member("aino").key), "the key of another member"),
        (member("eero", END, START), "ends before it starts"),
        (replace(member("eero"), role="king"), "'role'"),
    ],
)
def test_members_that_contradict_the_board_are_refused(first, new, match):
    with pytest.raises(TrustRootError, match=match):
        first.add_member(new, ROOTS[:2])


def test_too_few_signatures_make_no_version(first):
    for signers in ([], ROOTS[:1]):
        with pytest.raises(TrustRootError, match="2 are needed"):
            first.add_member(member("eero"), signers)
    with pytest.raises(TrustRootError, match="unknown key or given twice"):
        first.add_member(member("eero"), [ROOTS[0], ROOTS[0]])
    with pytest.raises(TrustRootError, match="unknown key"):
        first.add_member(member("eero"), [*ROOTS[:2], ROOTS[2]])


def test_new_root_keys_are_signed_by_the_old_and_the_new(first):
    new = [ROOTS[1].verifier, ROOTS[2].verifier]
    with pytest.raises(TrustRootError, match="its own"):
        first.with_root_keys(new, 2, ROOTS[:2])
    with pytest.raises(TrustRootError, match="the version before"):
        first.with_root_keys(new, 2, ROOTS[1:])
    second = first.with_root_keys(new, 2, ROOTS)
    assert verify.verify_trust_root(second.raw, first.pin).version == 2
    with pytest.raises(TrustRootError):
        second.with_quorum(3, ROOTS[:2])
    assert second.with_quorum(3, ROOTS[1:]).quorum == 3


def test_one_key_under_two_names_does_not_count_twice(first):
    twice = [signing_key("city.example/again", "root 1"), ROOTS[0]]
    with pytest.raises(TrustRootError, match="not distinct"):
        TrustRoot.create(log_key=signing_key(ORIGIN, "log").verifier, root_keys=twice, threshold=2)
    versions = versions_of(first)
    versions[0]["signed"]["root"]["keys"] = [key.verifier.vkey for key in twice]
    refused_by_both([resigned(versions[0], *twice)], None, "not distinct")


def test_a_rotated_log_key_counts_for_the_sizes_it_signed(first):
    new = signing_key(ORIGIN, "log 2").verifier
    second = first.rotate_log_key(new, 100, ROOTS[:2])
    old = signing_key(ORIGIN, "log").verifier
    assert second.log_vkeys(99) == (old,)
    assert second.log_vkeys(100) == (new,)
    with pytest.raises(TrustRootError, match="named as the origin"):
        first.rotate_log_key(signing_key("other.example/log", "log 2").verifier, 100, ROOTS[:2])


def test_a_chain_holds_only_as_a_whole(first):
    second = first.add_member(member("eero"), ROOTS[:2])
    versions = versions_of(second.with_quorum(3, ROOTS[:2]))
    refused_by_both([], None, "no version")
    refused_by_both(versions[1:], None, "calls itself 2")
    refused_by_both([versions[0], versions[2]], None, "calls itself 3")
    refused_by_both([versions[0], versions[0]], None, "calls itself 1")
    stranger = signing_key("stranger.example/root", "stranger")
    taken = copy.deepcopy(versions)
    taken[1]["signed"]["root"] = {"keys": [stranger.verifier.vkey], "threshold": 1}
    taken[1] = resigned(taken[1], stranger)
    refused_by_both(taken[:2], first.pin, "the version before")
    moved = copy.deepcopy(versions[:2])
    moved[1]["signed"]["origin"] = "elsewhere.example/log"
    moved[1]["signed"]["log"][0]["vkey"] = signing_key("elsewhere.example/log", "log").verifier.vkey
    moved[1] = resigned(moved[1], *ROOTS[:2])
    refused_by_both(moved, first.pin, "origin changed")


@pytest.mark.parametrize(
    ("where", "new"),
    [
        (["_type"], "root"),
        (["v"], 2),
        (["v"], True),
        (["board", "quorum"], 0),
        (["root", "threshold"], 3),
        (["root", "threshold"], 0),
        (["root", "keys"], [1]),
        (["log"], []),
        (["log", 0, "from"], -1),
        (["log", 0, "until"], 0),
        (["log", 0, "vkey"], "x"),
        (["witnesses"], {"keys": [], "threshold": False}),
        (["witnesses"], {"keys": ["a"], "threshold": 1}),
        (["board", "members", 0, "until"], "2026"),
        (["board", "members", 0, "vkey"], 3),
        (["board", "members"], [member("aino").value()] * 1_001),
        (["extra"], 1),
    ],
)
def test_a_version_of_another_form_is_refused_though_it_is_signed(first, where, new):
    versions = versions_of(first)
    place = versions[0]["signed"]
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = new
    refused_by_both([resigned(versions[0], *ROOTS[:2])], None, "root|log|verifier key|board|version 1")


def test_a_second_spelling_of_the_file_is_refused(first):
    with pytest.raises(TrustRootError, match="not spelled canonically"):
        TrustRoot.parse(first.raw + b"\n", first.pin)
    with pytest.raises(verify.VerificationError, match="not spelled canonically"):
        verify.verify_trust_root(first.raw + b"\n", first.pin)


WITNESS = WitnessKey.of(signing_key("ombudsman.example/witness", "witness 1"))


def test_a_chain_goes_on_to_format_2_and_never_back(first):
    second = first.with_witnesses(WitnessRule((WITNESS,), 1, 10), ROOTS[:2])
    assert (second.witnesses.needed(9), second.witnesses.needed(10)) == (0, 1)
    third = second.with_quorum(3, ROOTS[:2])
    assert third.witnesses == second.witnesses
    other = verify.verify_trust_root(third.raw, first.pin)
    assert other.witnesses == verify.Witnesses((WITNESS.vkey,), 1, 10)
    versions = versions_of(third)
    versions[2]["signed"] |= {"v": 1, "witnesses": {"keys": [], "threshold": 0}}
    refused_by_both([*versions[:2], resigned(versions[2], *ROOTS[:2])], first.pin, "goes back")


@pytest.mark.parametrize(
    "rule",
    [
        {"keys": [WITNESS.vkey], "threshold": 1},
        {"from": 0, "keys": [WITNESS.vkey], "threshold": 2},
        {"from": 0, "keys": [WITNESS.vkey, WITNESS.vkey], "threshold": 1},
        {"from": -1, "keys": [WITNESS.vkey], "threshold": 1},
        {"from": 0, "keys": [WITNESS.vkey], "threshold": True},
        {"from": 0, "keys": [1], "threshold": 0},
        {"from": 0, "keys": [signing_key("w.example", "w").verifier.vkey], "threshold": 1},
        {"from": 0, "keys": [WitnessKey.of(signing_key("w.example", "log")).vkey], "threshold": 1},
    ],
)
def test_a_rule_for_witnesses_of_another_form_is_refused_though_it_is_signed(first, rule):
    versions = versions_of(first.with_witnesses(WitnessRule((WITNESS,), 1, 10), ROOTS[:2]))
    versions[1]["signed"]["witnesses"] = rule
    refused_by_both([versions[0], resigned(versions[1], *ROOTS[:2])], None, "witness")
