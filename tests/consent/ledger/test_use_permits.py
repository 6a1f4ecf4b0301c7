"""The transaction that records a run looks again at who may be used, and reads only what came after the run's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from consent import store_consents, use_permits
from consent.errors import BadRequestError, ConsentChanged
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus, Right, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, OFFER, World, use_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consent.ledger import Ledger
    from consent.uses import UseRequest

S = ConsentStatus
PEOPLE = [f"p{i}" for i in range(60)]


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    """Three events a person; the last of everybody permits."""
    with world.open() as ledger:
        for status in (S.GIVEN, S.WITHDRAWN, S.GIVEN):
            ledger.record_consents([ConsentRequest(p, OFFER, status) for p in PEOPLE])
        ledger.record_consents([ConsentRequest(p, DEVELOPMENT, S.REFUSED) for p in PEOPLE])
        yield ledger


def everybody(ledger: Ledger) -> UseRequest:
    return use_request(ledger, dict.fromkeys(PEOPLE, UseStatus.USED))


def test_who_withdrew_between_the_run_s_state_and_its_record_is_dropped_and_nobody_else(
    ledger: Ledger,
) -> None:
    use = everybody(ledger)
    ledger.record_consent("p7", OFFER, S.WITHDRAWN)
    ledger.record_consent("p8", DEVELOPMENT, S.GIVEN)
    ledger.record_right("p9", Right.OBJECTION, ground="eu-gdpr:A21", purposes=[OFFER])
    with pytest.raises(ConsentChanged) as caught:
        ledger.append_use(use)
    assert set(caught.value.numbers) == {ledger.number_of("p7"), ledger.number_of("p9")}
    assert ledger.institutional("run") == []


def test_who_withdrew_and_gave_again_meanwhile_may_be_used(ledger: Ledger) -> None:
    use = everybody(ledger)
    ledger.record_consent("p7", OFFER, S.WITHDRAWN)
    ledger.record_consent("p7", OFFER, S.GIVEN)
    ledger.record_right("p9", Right.OBJECTION, ground="eu-gdpr:A21", purposes=[OFFER])
    ledger.record_right("p9", Right.OBJECTION_WITHDRAWN, ground="eu-gdpr:A21", purposes=[OFFER])
    assert ledger.append_use(use).index == ledger.head().size - 1


def test_what_stood_at_the_run_s_state_is_decided_from_the_log_not_by_the_caller(ledger: Ledger) -> None:
    ledger.record_consent("p7", OFFER, S.WITHDRAWN)
    ledger.record_right("p9", Right.OBJECTION, ground="eu-gdpr:A21", purposes=[OFFER])
    with pytest.raises(ConsentChanged) as caught:
        ledger.append_use(everybody(ledger))
    assert set(caught.value.numbers) == {ledger.number_of("p7"), ledger.number_of("p9")}


def test_who_was_erased_meanwhile_is_nobody(ledger: Ledger) -> None:
    use = everybody(ledger)
    ledger.erase("p7", ground="eu-gdpr:A17-1-b")
    with pytest.raises(BadRequestError, match="1 of the run's numbers are nobody's"):
        ledger.append_use(use)


@pytest.mark.parametrize("later", [0, 1, 3])
def test_the_transaction_reads_no_event_before_the_run_s_state(ledger: Ledger, later: int) -> None:
    use = everybody(ledger)
    for i in range(later):
        ledger.record_consent(f"new-{i}", OFFER, S.GIVEN)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and (
            "FROM consent_event" in statement or "FROM limitation" in statement
        ):
            asked.append((statement, parameters))

    writer = ledger.log.store._writer
    assert writer is not None
    event.listen(writer, "before_cursor_execute", note)
    ledger.append_use(use)
    event.remove(writer, "before_cursor_execute", note)
    assert len(asked) == 2
    with ledger.log.store.read() as connection:
        rows = [len(connection.exec_driver_sql(*each).all()) for each in asked]
        assert rows == [later, 0]
        if connection.dialect.name == "sqlite":
            for statement, parameters in asked:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                # Found by their index, not by looking at all of them.
                assert [row[-1].split(" USING ")[1] for row in plan] == ["INTEGER PRIMARY KEY (rowid>?)"]


def test_last_words_are_read_range_by_range_and_kept_of_those_used_only(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record_consents(ConsentRequest(person, OFFER, S.WITHDRAWN) for person in PEOPLE[::3])
    size = ledger.head().size
    numbers = [ledger.number_of(person) or 0 for person in PEOPLE]
    with ledger.log.store.read() as connection:
        whole = list(store_consents.last_states(connection, OFFER, size=size))
        monkeypatch.setattr(store_consents, "RANGE", 5_000)
        queries: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *said: queries.append(said[2]))
        in_ranges = list(store_consents.last_states(connection, OFFER, size=size))
    assert len(queries) == 1 + (max(numbers) // 5_000 + 1)
    assert sorted(in_ranges) == sorted(whole)
    assert {row[0]: row[1] for row in whole} == {
        number: (S.WITHDRAWN if place % 3 == 0 else S.GIVEN).code for place, number in enumerate(numbers)
    }
    before = use_permits.read(ledger.log, OFFER, size, numbers[:2])
    assert before.last.keys() == set(numbers[:2])
    assert use_permits.read(ledger.log, OFFER, size, []).last == {}
