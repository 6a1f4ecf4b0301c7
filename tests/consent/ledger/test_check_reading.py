"""What the check reads fast, it reads as the strict parsers read it, and takes nothing that they refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.entries import Payload, PersonalEntry, parse_entry
from consent.errors import ConsentError
from consent.fsck_payloads import PayloadReader
from consent.row_mac import COVERED, of_raw, row_mac

AT = "2026-11-24T10:00:00Z"
ENROLMENT = Payload("enrolment", AT, bytes(16), {"number": 7})
ACT = Payload("act", AT, bytes(16), {"act": "vote", "object": "sha256:" + "0" * 64, "service": None})
subjects = st.binary(min_size=16, max_size=16)
changes = st.tuples(st.integers(0, 400), st.integers(0, 255))


@given(st.binary(min_size=32, max_size=32), changes)
def test_a_commitment_is_read_from_the_bytes_of_a_personal_entry_and_of_no_others(
    commitment: bytes, change: tuple[int, int]
) -> None:
    text = PersonalEntry(commitment).encode()
    assert PersonalEntry.commitment_in(text) == commitment
    changed = _changed(text, change)
    found = PersonalEntry.commitment_in(changed)
    if found is not None:
        assert parse_entry(changed) == PersonalEntry(found)


def test_base64url_with_stray_bits_is_no_commitment() -> None:
    text = PersonalEntry(bytes(32)).encode()
    assert PersonalEntry.commitment_in(text.replace(b'A"', b'B"')) is None


@given(subjects, st.integers(0, 2**32 - 1), changes)
def test_a_payload_is_read_as_the_strict_parser_reads_it(
    subject: bytes, number: int, change: tuple[int, int]
) -> None:
    reader = PayloadReader()
    for known in (ENROLMENT, ACT):
        reader.read(known.encode())
    for payload in (
        replace(ENROLMENT, subject=subject, body={"number": number}),
        replace(ACT, subject=subject),
    ):
        text = payload.encode()
        read = reader.read(text)
        assert (read.subject, read.payload.kind, read.at) == (subject, payload.kind, 1795514400)
        assert read.number == (number if payload.kind == "enrolment" else None)
        changed = _changed(text, change)
        try:
            strict = Payload.parse(changed)
        except ConsentError:
            with pytest.raises(ConsentError):
                reader.read(changed)
        else:
            again = reader.read(changed)
            assert again.subject == strict.subject
            assert again.payload.body.keys() == strict.body.keys()
            assert again.payload.kind == "enrolment" or again.payload.body == strict.body


def test_a_number_beyond_four_bytes_is_refused() -> None:
    text = ENROLMENT.encode().replace(b'"number":7', b'"number":4294967296')
    reader = PayloadReader()
    reader.read(ENROLMENT.encode())
    with pytest.raises(ConsentError):
        reader.read(text)


def test_an_act_whose_words_look_like_an_enrolment_is_none() -> None:
    text = replace(ACT, body={**ACT.body, "act": '"kind":"enrolment"'}).encode()
    read = PayloadReader().read(text)
    assert (read.payload.kind, read.number) == ("act", None)


@given(st.data())
def test_the_check_value_of_a_row_read_as_bytes_is_that_of_the_row(data: st.DataObject) -> None:
    key = data.draw(st.binary(min_size=32, max_size=32))
    for table, (_, names) in COVERED.items():
        row = {
            name: data.draw(st.one_of(st.none(), st.integers(0, 2**62), st.binary(max_size=300)))
            for name in names
        }
        raw = [str(value).encode() if isinstance(value, int) else value for value in row.values()]
        assert of_raw(key, table)(raw) == row_mac(key, table, row)


def _changed(text: bytes, change: tuple[int, int]) -> bytes:
    place, value = change
    raw = bytearray(text)
    raw[place % len(raw)] = value
    return bytes(raw)
