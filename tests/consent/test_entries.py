from __future__ import annotations

import copy

import pytest

from consent import canonical
from consent.entries import InstitutionalAct, Payload, PersonalEntry, UnknownEntry, parse_entry
from consent.errors import EntryFormatError, NotCanonicalError
from consent.shapes import INSTITUTIONAL, PAYLOADS
from tests.consent.make_vectors import rights_vectors, succession_vectors
from tests.consent.vector_log import world

DIGEST = canonical.digest(b"")
TIME = "2026-11-24T09:00:00Z"
BODIES = {
    "trust-root": {"digest": DIGEST, "version": 1},
    "purpose": {"digest": DIGEST, "id": "a", "version": 1},
    "notice": {"id": "a", "languages": {"fi": DIGEST}, "purpose": "a", "purpose_version": 1, "version": 2},
    "policy": {"digest": DIGEST, "name": "a", "version": "2026"},
    "run": parse_entry(world().log.entries[7]).body,
    "certificate": {
        "envelope": DIGEST,
        "expires": TIME,
        "model_digest": DIGEST,
        "model_name": "a",
        "model_version": "1",
        "policy": DIGEST,
        "report": DIGEST,
        "service": "a",
        "votes": [DIGEST],
    },
    "revocation": {"certificate": DIGEST, "kind": "revoked", "reason": DIGEST, "until": None},
    "succession": parse_entry(succession_vectors()["entry"].encode()).body,
}
PAYLOADS_MADE = {
    payload.kind: payload
    for payload in map(
        Payload.parse,
        [
            rights_vectors()["accepted"][0]["payload"].encode(),
            *(text for text, _ in world().log.openings.values()),
        ],
    )
}


def test_the_examples_cover_every_kind():
    assert BODIES.keys() == INSTITUTIONAL.keys()
    assert PAYLOADS_MADE.keys() == PAYLOADS.keys()


@pytest.mark.parametrize("kind", INSTITUTIONAL)
def test_institutional_entries_come_back(kind):
    act = InstitutionalAct(kind, TIME, BODIES[kind])
    assert parse_entry(act.encode()) == act
    assert parse_entry(act.encode()).encode() == act.encode()


@pytest.mark.parametrize("kind", INSTITUTIONAL)
def test_institutional_entries_have_exactly_their_keys(kind):
    for key in BODIES[kind]:
        body = {name: value for name, value in BODIES[kind].items() if name != key}
        with pytest.raises(EntryFormatError, match=f"missing keys \\['{key}'\\]"):
            InstitutionalAct(kind, TIME, body).encode()
        with pytest.raises(EntryFormatError):
            InstitutionalAct(kind, TIME, {**BODIES[kind], key: {"another": "form"}}).encode()
    with pytest.raises(EntryFormatError, match="unknown keys \\['people'\\]"):
        InstitutionalAct(kind, TIME, {**BODIES[kind], "people": 9}).encode()


@pytest.mark.parametrize("kind", PAYLOADS)
def test_payloads_come_back(kind):
    payload = PAYLOADS_MADE[kind]
    assert Payload.parse(payload.encode()) == payload


@pytest.mark.parametrize("kind", PAYLOADS)
def test_payload_bodies_have_exactly_their_keys(kind):
    value = canonical.decode(PAYLOADS_MADE[kind].encode())
    for key in value["body"]:
        without = copy.deepcopy(value)
        del without["body"][key]
        with pytest.raises(EntryFormatError, match="missing keys"):
            Payload.parse(canonical.encode(without))
        other = copy.deepcopy(value)
        other["body"][key] = {"another": "form"}
        with pytest.raises(EntryFormatError):
            Payload.parse(canonical.encode(other))


@pytest.mark.parametrize(
    ("key", "new"),
    [
        ("v", 2),
        ("v", True),
        ("kind", "verdict"),
        ("kind", None),
        ("at", "2026-11-24"),
        ("subject", canonical.b64u(bytes(15))),
        ("purpose", None),
        ("purpose_version", 0),
        ("details", {"Bad": canonical.b64u(bytes(32))}),
        ("details", {"a": "short"}),
        ("extra", 1),
    ],
)
def test_payloads_of_another_form_are_refused(key, new):
    value = {**canonical.decode(PAYLOADS_MADE["consent"].encode()), key: new}
    with pytest.raises((EntryFormatError, NotCanonicalError)):
        Payload.parse(canonical.encode(value))


def test_a_consent_states_sets_in_order():
    value = canonical.decode(PAYLOADS_MADE["consent"].encode())
    for processing in ([], ["scoring", "human-review"], ["scoring", "scoring"], ["selling"]):
        value["body"]["processing"] = processing
        with pytest.raises(EntryFormatError, match="'processing'"):
            Payload.parse(canonical.encode(value))


def test_a_message_about_a_payload_says_nothing_of_the_person():
    value = canonical.decode(PAYLOADS_MADE["consent"].encode())
    value["body"]["method"] = "secret words " * 100
    with pytest.raises(EntryFormatError) as caught:
        Payload.parse(canonical.encode(value))
    assert "secret" not in caught.value.message + caught.value.hint


def test_an_enrolment_has_no_purpose():
    with pytest.raises(EntryFormatError, match="purpose"):
        Payload("enrolment", TIME, bytes(16), {"number": 1}, purpose="a", purpose_version=1).encode()


def test_unknown_kinds_and_versions_are_no_evidence_but_no_error():
    for text in (b'{"t":"run","v":2}', b'{"t":"x","v":1}', b"[]", b'{"t":"p","v":true}', b'{"t":{},"v":1}'):
        assert isinstance(parse_entry(text), UnknownEntry)


def test_a_personal_entry_says_nothing_but_a_commitment():
    entry = PersonalEntry(bytes(32))
    assert entry.encode() == b'{"c":"' + b"A" * 43 + b'","t":"p","v":1}'
    assert parse_entry(entry.encode()) == entry
    with pytest.raises(EntryFormatError, match="unknown keys \\['at'\\]"):
        parse_entry(b'{"at":"x","c":"' + b"A" * 43 + b'","t":"p","v":1}')


def test_an_entry_is_at_most_65535_bytes():
    body = {
        **BODIES["certificate"],
        "votes": [canonical.digest(str(number).encode()) for number in range(900)],
    }
    with pytest.raises(EntryFormatError, match="at most 65535"):
        InstitutionalAct("certificate", TIME, body).encode()
