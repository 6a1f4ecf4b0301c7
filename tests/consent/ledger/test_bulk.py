"""Permits of many are the permits of each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update

from consent import bulk, sealed_people, store, store_bulk, store_consents, store_raw
from consent.bulk import permits
from consent.errors import BadRequestError, LedgerDamagedError, LedgerUnavailableError, UnknownPurpose
from consent.records import ConsentRequest, Permitted
from consent.use_permits import refused_now
from consent.vocabulary import ConsentStatus, Processing
from tests.consent.ledger_world import DEVELOPMENT, OFFER, START, make_world, purposes_text
from tests.consent.sealed import column

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
        patch.setattr(store_bulk, "RANGE", 12)
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
        halves = np.array(
            [[int.from_bytes(key[at : at + 8], "big") for key in keys[:3]] for at in (0, 8)], np.uint64
        )
        patch.setattr(store_bulk, "pseudonyms", lambda *_, **__: iter([(*halves, np.array([7, 8, 9]))]))
        vault = ledger.log.vault
        assert cache.numbers(connection, vault, [keys[2], keys[0], keys[3], keys[1]], 1).tolist() == [
            9,
            7,
            -1,
            8,
        ]


def test_a_table_is_read_some_keys_at_a_time_and_all_of_it(ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [f"q{i}" for i in range(40)]
    numbers = {person: ledger.enrol_many([person])[0] for person in people}
    ledger.record_consents([ConsentRequest(p, OFFER, ConsentStatus.GIVEN) for p in people])
    ledger.record_consents([ConsentRequest(p, OFFER, ConsentStatus.WITHDRAWN) for p in people[::3]])
    ledger.record_consent("q1", DEVELOPMENT, ConsentStatus.GIVEN)
    ledger.erase("q2", ground="eu-gdpr:A17-1-b")
    size = ledger.head().size
    monkeypatch.setattr(store_bulk, "RANGE", 7)
    with ledger.log.store.read() as connection:
        wanted = [
            (row.number, row.status, row.purpose_version, row.notice_version, row.processing,
             row.expires if row.expires is not None else store_bulk.NO_EXPIRY)
            for row in connection.execute(select(store.consent_event).order_by(store.consent_event.c.idx))
            if row.purpose == OFFER
        ]  # fmt: skip
        blocks = list(store_bulk.events(connection, OFFER, since=0, size=size, at=None))
        assert rows_of(blocks) == wanted
        assert max(len(block[0]) for block in blocks) <= 7 < len(wanted)
        # Consents without an expiry are among them: a withdrawal has none.
        assert any(row[5] == store_bulk.NO_EXPIRY for row in wanted)
        later = list(store_bulk.events(connection, OFFER, since=size - 10, size=size, at=None))
        assert 0 < sum(len(block[0]) for block in later) < 10
        assert list(store_bulk.events(connection, OFFER, since=size, size=size, at=None)) == []
        assert list(store_bulk.events(connection, OFFER, since=0, size=size, at=0)) == []

        monkeypatch.setattr(store_bulk, "RANGE", 8_000)
        keys = sealed_people.keys_in_use(ledger.log.vault, connection)
        found = {
            high.to_bytes(8, "big") + low.to_bytes(8, "big"): number
            for block in store_bulk.pseudonyms(connection, keys, since=0, size=size)
            for high, low, number in zip(*(column.tolist() for column in block), strict=True)
        }
    assert found == {ledger.log.pseudonym(p): numbers[p] for p in people if p != "q2"}


def rows_of(blocks: list[np.ndarray]) -> list[tuple[int, ...]]:
    return [tuple(row) for block in blocks for row in block.T.tolist()]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("number", 2**32 - 1), ("number", 0), ("purpose_version", 2**31 - 1), ("notice_version", 2**20), ("processing", 2**31 - 1),
        ("processing", 0), ("expires", 2**40), ("expires", 2**40 - 2), ("expires", 0), ("expires", None), ("status", 2**15 - 1),
    ],
)  # fmt: skip
def test_an_event_comes_back_with_every_number_that_a_column_holds(
    ledger, column: str, value: int | None
) -> None:
    ledger.record_consents([ConsentRequest(f"q{i}", OFFER, ConsentStatus.GIVEN) for i in range(3)])
    size = ledger.head().size
    with ledger.log.store.write() as connection:
        connection.execute(
            update(store.consent_event).where(store.consent_event.c.idx == size - 2).values({column: value})
        )
    with ledger.log.store.read() as connection:
        blocks = list(store_bulk.events(connection, OFFER, since=0, size=size, at=None))
        asked = select(store.consent_event).order_by(store.consent_event.c.idx)
        wanted = [
            (row.number, row.status, row.purpose_version, row.notice_version, row.processing,
             store_bulk.NO_EXPIRY if row.expires is None else row.expires)
            for row in connection.execute(asked)
        ]  # fmt: skip
    assert rows_of(blocks) == wanted
    assert len(wanted) == 3


def test_an_event_that_is_not_made_of_numbers_ends_the_answer(ledger, database: str | None) -> None:
    if database is not None:
        return  # PostgreSQL's columns hold nothing else.
    ledger.record_consents([ConsentRequest(f"q{i}", OFFER, ConsentStatus.GIVEN) for i in range(3)])
    with ledger.log.store.write() as connection:
        columns = ", ".join(column.name for column in store.consent_event.columns)
        connection.exec_driver_sql("CREATE TABLE loose AS SELECT * FROM consent_event")
        connection.exec_driver_sql("DROP TABLE consent_event")
        connection.exec_driver_sql(f"CREATE TABLE consent_event ({columns}, PRIMARY KEY (idx))")
        connection.exec_driver_sql("INSERT INTO consent_event SELECT * FROM loose")
        connection.exec_driver_sql("UPDATE consent_event SET purpose_version = NULL")
    with pytest.raises(LedgerDamagedError, match="whole numbers"):
        permits(ledger, ["q0"], OFFER, "scoring")


def test_a_statement_gives_no_more_rows_than_its_range(ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.record_consents([ConsentRequest(f"q{i}", OFFER, ConsentStatus.GIVEN) for i in range(60)])
    size = ledger.head().size
    monkeypatch.setattr(store_bulk, "RANGE", 16)
    asked: list[str] = []
    with ledger.log.store.read() as connection:
        held: list[int] = []

        @event.listens_for(connection, "after_cursor_execute")
        def counted(_connection, cursor, statement, _parameters, _context, _many) -> None:
            if not statement.startswith("SELECT"):
                return  # SQLite's BEGIN.
            asked.append(statement)
            # The rows that PostgreSQL's driver holds; SQLite's holds one, and says -1.
            held.append(cursor.rowcount)

        found = store_bulk.events(connection, OFFER, since=0, size=size, at=None)
        events = sum(len(block[0]) for block in found)
    assert events == 60
    assert len(asked) == -(-size // 16)
    assert max(held) <= 1


def test_a_connection_lost_between_two_ranges_is_said(
    ledger, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database is None:
        return  # A file has no connection to lose.
    ledger.record_consents([ConsentRequest(f"q{i}", OFFER, ConsentStatus.GIVEN) for i in range(20)])
    monkeypatch.setattr(store_bulk, "RANGE", 4)
    size = ledger.head().size
    with pytest.raises(LedgerUnavailableError, match="lost"), ledger.log.store.read() as connection:  # noqa: PT012
        blocks = store_bulk.events(connection, OFFER, since=0, size=size, at=None)
        next(blocks)
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (backend,))
        list(blocks)
    assert permits(ledger, ["q1", "x"], OFFER, "scoring").counts() == {"no-consent": 1, "permitted": 1}


def test_a_pseudonym_of_a_wrong_length_ends_the_answer(ledger, monkeypatch_small) -> None:
    ledger.enrol_many(PEOPLE)
    person = store.subject.c
    with ledger.log.store.write() as connection:
        connection.execute(
            update(store.subject).where(person.pseudonym == column(ledger, "p1")).values(pseudonym=b"short")
        )
    with pytest.raises(LedgerDamagedError, match="bytes where"):
        permits(ledger, PEOPLE, OFFER, "scoring")


def test_two_pseudonyms_of_wrong_lengths_with_the_right_sum_end_the_answer(
    ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_SELECT_SINGLY", 0)
    monkeypatch.setattr(store_bulk, "RANGE", 4 * 65_536)
    ledger.enrol_many(PEOPLE)
    assert permits(ledger, PEOPLE, OFFER, "scoring").counts() == {"no-consent": len(PEOPLE)}
    bulk._CACHES.clear()
    person = store.subject.c
    for name, wrong in (("p1", b"a" * 15), ("p2", b"b" * 17)):
        with ledger.log.store.write() as connection:
            connection.execute(
                update(store.subject).where(person.pseudonym == column(ledger, name)).values(pseudonym=wrong)
            )
    with pytest.raises(LedgerDamagedError, match="bytes where"):
        permits(ledger, PEOPLE, OFFER, "scoring")


@pytest.mark.parametrize(
    ("column", "value"), [("number", -1), ("number", 2**32 - 1), ("status", -1), ("status", 2**15 - 1)]
)
def test_an_event_of_nobody_or_of_no_status_ends_the_answer(ledger, column: str, value: int) -> None:
    # Number -1 would be the last person's place, who was never asked.
    ledger.record_consents([ConsentRequest(f"q{i}", OFFER, ConsentStatus.GIVEN) for i in range(2)])
    ledger.enrol("last")
    with ledger.log.store.write() as connection:
        connection.execute(update(store.consent_event).values({column: value}))
    with pytest.raises(LedgerDamagedError, match="consent event"):
        permits(ledger, ["last"], OFFER, "scoring")


def test_the_check_holds_a_batch_of_rows(ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [f"q{i}" for i in range(30)]
    ledger.enrol_many(people)
    monkeypatch.setattr(store_raw, "BATCH", 4)
    with ledger.log.store.read() as connection:
        options: list[object] = []

        @event.listens_for(connection, "after_cursor_execute")
        def seen(_connection, cursor, _statement, _parameters, _context, _many) -> None:
            options.append(type(cursor).__name__)

        sizes = [len(batch) for batch in store_raw.batches(connection, "subject")]
        keys = store_raw.keys(connection, "subject")
    assert sum(sizes) == len(keys) == 30
    assert max(sizes) == 4
    # PostgreSQL's plain cursor would hold all rows of the table.
    wanted = "ServerCursor" if ledger.log.store.database.name.startswith("the PostgreSQL") else "Cursor"
    assert set(options) == {wanted}
