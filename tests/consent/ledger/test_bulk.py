"""Permits of many are the permits of each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import bulk, store_bulk, store_consents
from consent.bulk import permits
from consent.errors import BadRequestError, UnknownPurpose
from consent.records import Permitted
from consent.use_permits import refused_now
from consent.vocabulary import ConsentStatus, Processing
from tests.consent.ledger_world import OFFER, START, make_world, purposes_text

PEOPLE = [f"p{i}" for i in range(5)]
steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(PEOPLE),
            st.sampled_from([s for s in ConsentStatus if s is not ConsentStatus.UNKNOWN]),
        ),
        st.tuples(st.just("days"), st.integers(1, 200)),
        st.tuples(st.just("version"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None)
@given(steps, st.integers(0, 400))
def test_all_three_ways_decide_alike(done, days: int) -> None:
    with TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        with world.open() as ledger:
            version = 1
            for what, how in done:
                if what == "days":
                    world.clock.forward(days=how)
                    # An entry now and then keeps the clock believed.
                    ledger.enrol(f"other{world.clock.now}")
                elif what == "version":
                    version += 1
                    ledger.adopt_purposes(purposes_text(version=version, notice_version=1))
                else:
                    ledger.record_consent(what, OFFER, how)
            asked = [*PEOPLE, "stranger"]
            for at in (None, START + timedelta(days=days)):
                many = permits(ledger, asked, OFFER, "scoring", at=at)
                one = [ledger.permit(person, OFFER, "scoring", at=at) for person in asked]
                assert many.permitted.tolist() == [isinstance(answer, Permitted) for answer in one]
                assert many.status.tolist() == [0 if isinstance(a, Permitted) else int(a.status) for a in one]
            many = permits(ledger, asked, OFFER, "scoring")
            with ledger.log.store.read() as connection:
                last = {row[0]: row for row in store_consents.last_states(connection, OFFER, size=2**40)}
            numbers = [n for n in many.numbers.tolist() if n >= 0]
            now = store_consents.epoch(world.clock.now)
            third = refused_now(last, ledger.purpose(OFFER), Processing.SCORING, now, numbers)
            assert [third.get(n, 0) for n in numbers] == [
                s for s, n in zip(many.status, many.numbers, strict=True) if n >= 0
            ]


def test_types_and_shapes(ledger) -> None:
    ledger.enrol_many(PEOPLE)
    got = permits(ledger, PEOPLE, OFFER, "scoring")
    assert (got.numbers.dtype, got.permitted.dtype, got.status.dtype) == (np.int64, np.bool_, np.uint8)
    assert got.numbers.shape == got.permitted.shape == got.status.shape == (5,)
    assert (got.state.size, got.state.root) == (ledger.head().size, ledger.head().root)


def test_nobody_and_strangers(ledger) -> None:
    assert permits(ledger, [], OFFER, "scoring").counts() == {}
    assert permits(ledger, ["x"], OFFER, "scoring").counts() == {"no-consent": 1}


def test_a_whole_register_is_looked_up_in_one_scan(ledger) -> None:
    people = [f"q{i}" for i in range(2_100)]
    ledger.enrol_many(people)
    assert permits(ledger, people, OFFER, "scoring").numbers.tolist() == ledger.enrol_many(people)


def test_wrong_questions(ledger) -> None:
    with pytest.raises(UnknownPurpose):
        permits(ledger, PEOPLE, "other", "scoring")
    with pytest.raises(BadRequestError):
        permits(ledger, PEOPLE, OFFER, "gossip")
    for ask in (permits, lambda ledger, people, *rest, at: ledger.permit(people[0], *rest, at=at)):
        with pytest.raises(BadRequestError, match="time zone"):
            ask(ledger, PEOPLE, OFFER, "scoring", at=START.replace(tzinfo=None))


asked_again = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from([ConsentStatus.GIVEN, ConsentStatus.WITHDRAWN])),
        st.tuples(st.sampled_from(PEOPLE), st.just("erase")),
        st.tuples(st.just("ask"), st.just("")),
    ),
    max_size=20,
)


@settings(max_examples=12, deadline=None)
@given(asked_again)
def test_what_was_read_before_never_changes_an_answer(monkeypatch_small, done) -> None:
    with TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        with world.open() as ledger:
            for what, how in [*done, ("ask", "")]:
                if what == "ask":
                    warm = permits(ledger, [*PEOPLE, "stranger"], OFFER, "scoring")
                    with world.open() as other:
                        cold = permits(other, [*PEOPLE, "stranger"], OFFER, "scoring")
                    one = [ledger.permit(person, OFFER, "scoring") for person in [*PEOPLE, "stranger"]]
                    assert warm.permitted.tolist() == [isinstance(answer, Permitted) for answer in one]
                    assert warm.status.tolist() == cold.status.tolist()
                    assert warm.numbers.tolist() == cold.numbers.tolist()
                elif how == "erase":
                    if ledger.number_of(what) is not None:
                        ledger.erase(what, ground="eu-gdpr:A17-1-b")
                else:
                    ledger.record_consent(what, OFFER, how)


@pytest.fixture(scope="module")
def monkeypatch_small():
    """Everybody is looked up in the map of everybody, which small populations otherwise are not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "_SELECT_SINGLY", 0)
        patch.setattr(bulk, "_EVENTS", 3)
        yield


def test_pseudonyms_and_external_ids_are_answered_alike(ledger) -> None:
    ledger.record_consent("p1", OFFER, ConsentStatus.GIVEN)
    keys = [ledger.log.pseudonym(person) for person in PEOPLE]
    by_key, by_id = (
        bulk.permits_of_pseudonyms(ledger, keys, OFFER, "scoring"),
        permits(ledger, PEOPLE, OFFER, "scoring"),
    )
    assert by_key.status.tolist() == by_id.status.tolist()
    assert by_key.counts() == {"permitted": 1, "no-consent": 4}


def test_a_pseudonym_of_another_length_is_refused(ledger) -> None:
    with pytest.raises(BadRequestError, match="16 bytes"):
        bulk.permits_of_pseudonyms(ledger, [b"short"], OFFER, "scoring")


def test_two_pseudonyms_with_the_same_beginning_are_told_apart(ledger, monkeypatch_small) -> None:
    cache = bulk._Cache((0, -1))
    keys = [bytes(8) + bytes([i]) * 8 for i in range(4)]
    with pytest.MonkeyPatch.context() as patch, ledger.log.store.read() as connection:
        patch.setattr(store_bulk, "pseudonyms", lambda *_, **__: iter(zip(keys[:3], (7, 8, 9), strict=True)))
        assert cache.numbers(connection, [keys[2], keys[0], keys[3], keys[1]], 1).tolist() == [9, 7, -1, 8]
