"""Permits of many are the permits of each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import store_consents
from consent.bulk import permits
from consent.errors import BadRequestError, UnknownPurpose
from consent.records import Permitted
from consent.use_recording import refused_now
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
                rows = store_consents.states(connection, OFFER, at=2**40, size=2**40)
            numbers = [n for n in many.numbers.tolist() if n >= 0]
            now = store_consents.epoch(world.clock.now)
            third = refused_now(rows, ledger.purpose(OFFER), Processing.SCORING, now, numbers)
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
