"""The quick ways of writing make the same bytes as the plain ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consent.entries import Payload, PersonalEntry
from consent.payload_template import EnrolmentTemplate, PayloadTemplate, personal_entry
from consent.use_values import pack, positions, unpack

ids = st.binary(min_size=16, max_size=16)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60) | st.just("A" * 22)


@given(ids, ids, texts, texts)
def test_a_filled_template_is_the_payload(first: bytes, second: bytes, method: str, purpose: str) -> None:
    body = {
        "categories": ["dpv-pd:Age"], "expires": None, "given_by": "guardian", "language": "sv", "method": method,
        "notice": purpose, "notice_digest": "sha256:" + "0" * 64, "notice_version": 1, "processing": ["audit"],
        "status": "withdrawn",
    }  # fmt: skip
    payload = Payload("consent", "2026-11-24T08:00:00Z", first, body, purpose, 3)
    template = PayloadTemplate.of(payload)
    assert template.fill(first) == payload.encode()
    assert Payload.parse(template.fill(second)).subject == second


@given(ids, ids, st.integers(0, 2**32 - 1))
def test_a_filled_enrolment_is_the_payload(first: bytes, second: bytes, number: int) -> None:
    template = EnrolmentTemplate.of(Payload("enrolment", "2026-11-24T08:00:00Z", first, {"number": 7}))
    want = Payload("enrolment", "2026-11-24T08:00:00Z", second, {"number": number})
    assert template.fill(number, second) == want.encode()


@given(st.binary(min_size=32, max_size=32))
def test_a_personal_entry_s_bytes(commitment: bytes) -> None:
    assert personal_entry(commitment) == PersonalEntry(commitment).encode()


@given(st.dictionaries(st.integers(0, 1_023), st.binary(min_size=1, max_size=40), max_size=30))
def test_packed_values_come_out_again(sealed: dict[int, bytes]) -> None:
    lengths, packed = pack(sealed)
    assert unpack(lengths, packed) == sealed
    assert positions(lengths) == sorted(sealed)
