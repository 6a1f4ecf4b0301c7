from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consent import canonical
from consent.errors import NotCanonicalError
from tests.consent.make_vectors import canonical_vectors

ASCII = st.text(st.characters(max_codepoint=127), max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGER = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same_value_and_bytes(value):
    text = canonical.encode(value)
    assert canonical.decode(text) == value
    assert canonical.encode(canonical.decode(text)) == text


@given(VALUES)
def test_three_writers_of_the_subset_agree(value):
    text = canonical.encode(value)
    assert text == rfc8785.dumps(value)
    assert text == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("text", canonical_vectors()["accepted"])
def test_canonical_texts_are_accepted(text):
    assert canonical.encode(canonical.decode(text.encode())) == text.encode()


@pytest.mark.parametrize(("why", "text"), canonical_vectors()["refused"].items())
def test_a_second_spelling_is_refused(why, text):
    with pytest.raises(NotCanonicalError):
        canonical.decode(text.encode())


@pytest.mark.parametrize(
    "text", [b"\xff", b"", b"{", b"[" * 60_000, b"9" * 5_000, b'"' + b"a" * 65_535 + b'"']
)
def test_bytes_that_are_no_entry_are_refused(text):
    with pytest.raises(NotCanonicalError):
        canonical.decode(text)


@pytest.mark.parametrize("value", [1.0, 2**53, -(2**53), {"å": 1}, {1: 1}, "\ud800", {"a": b"x"}, {1, 2}])
def test_values_outside_the_subset_have_no_canonical_form(value):
    with pytest.raises(NotCanonicalError):
        canonical.encode(value)


def test_deep_nesting_is_refused_before_it_recurses():
    value: object = 1
    for _ in range(5_000):
        value = [value]
    with pytest.raises(NotCanonicalError, match="nested deeper than 32"):
        canonical.encode(value)


@given(st.binary(max_size=40))
def test_base64url_comes_back(raw):
    assert canonical.b64u_decode(canonical.b64u(raw), length=len(raw)) == raw


@pytest.mark.parametrize("text", ["AA==", "AB", "A", "+w", "_w=", " AA", "AA\n", "Å"])
def test_another_spelling_of_base64url_is_refused(text):
    with pytest.raises(NotCanonicalError):
        canonical.b64u_decode(text)


def test_base64url_of_another_length_is_refused():
    with pytest.raises(NotCanonicalError, match="expected 32 bytes in base64url, got 2"):
        canonical.b64u_decode("AAA", length=32)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_to_the_second(moment):
    assert canonical.parse_time(canonical.format_time(moment)) == moment.replace(microsecond=0)


def test_times_are_written_in_utc_with_four_digit_years():
    helsinki = timezone(timedelta(hours=2))
    assert (
        canonical.format_time(datetime(2026, 11, 24, 1, 2, 3, 999, tzinfo=helsinki)) == "2026-11-23T23:02:03Z"
    )
    assert canonical.format_time(datetime(70, 1, 1, tzinfo=UTC)) == "0070-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T01:02:03",
        "2026-11-24 01:02:03Z",
        "2026-11-24T01:02:03+00:00",
        "2026-11-24T01:02:03.0Z",
        "2026-02-30T01:02:03Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T01:02:60Z",
        "2026-11-24T01:02:03Z\n",
        "٢026-11-24T01:02:03Z",
        "",
    ],
)
def test_another_spelling_of_a_time_is_refused(text):
    with pytest.raises(NotCanonicalError):
        canonical.parse_time(text)


def test_a_time_without_zone_is_refused():
    with pytest.raises(NotCanonicalError, match="without a time zone"):
        canonical.format_time(datetime(2026, 1, 1))  # noqa: DTZ001  the point of the test


def test_salts_and_detail_names_are_checked():
    with pytest.raises(NotCanonicalError, match="salt is 32 random bytes"):
        canonical.commitment("log.example", b"short", b"{}")
    with pytest.raises(NotCanonicalError, match="detail's name"):
        canonical.detail_digest("log.example", "Not A Name", bytes(32), b"1")


@pytest.mark.parametrize(
    ("highest", "slots"), [(0, 65_536), (65_535, 65_536), (65_536, 131_072), (199_999, 262_144)]
)
def test_use_trees_are_padded(highest, slots):
    assert canonical.use_tree_size(highest) == slots


def test_every_input_of_a_slot_changes_its_hash():
    run, other, salt = bytes(16), b"\x01" * 16, bytes(32)
    slots = {
        canonical.use_slot(run, 0, 0, salt),
        canonical.use_slot(other, 0, 0, salt),
        canonical.use_slot(run, 1, 0, salt),
        canonical.use_slot(run, 0, 1, salt),
        canonical.use_slot(run, 0, 0, b"\x01" * 32),
        canonical.values_slot(run, 0, salt, b""),
        *canonical.vacant_slots(run, salt, [0, 1]),
        *canonical.vacant_values_slots(run, salt, [0, 1]),
    }
    assert len(slots) == 10
