"""Writers of one process share transactions: nothing is lost, nothing mixed up, everybody's own error is their own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from consent.errors import (
    BadRequestError,
    CheckpointStoreError,
    ConsentError,
    LedgerUnavailableError,
    UnknownPurpose,
)
from consent.records import ConsentReceiptRef, ConsentRequest
from consent.vocabulary import ConsentStatus
from tests.consent.ledger_world import OFFER

if TYPE_CHECKING:
    from consent.ledger import Ledger

G = ConsentStatus.GIVEN


def at_once(ledger: Ledger, requests: list[ConsentRequest]) -> list[Any]:
    """What each of many threads, started together, got or raised."""
    start = threading.Barrier(len(requests))

    def ask(request: ConsentRequest) -> Any:
        start.wait(30)
        try:
            return ledger.record(request)
        except ConsentError as error:
            return error

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(ask, requests))


def indices_of(ledger: Ledger, person: str) -> list[int]:
    return [
        e.index for record in ledger.consents(person) if record.purpose.id == OFFER for e in record.history
    ]


@pytest.mark.parametrize(("writers", "share"), [(8, 3), (64, 16)])
def test_everybody_gets_their_own_durable_result_and_commits_are_shared(
    ledger: Ledger, writers: int, share: int
) -> None:
    before = ledger.group.transactions
    results = at_once(ledger, [ConsentRequest(f"p{i}", OFFER, G, request_id=f"r{i}") for i in range(writers)])
    assert all(isinstance(result, ConsentReceiptRef) for result in results)
    last = ledger.log.last_checkpoint()
    assert last is not None
    for i, result in enumerate(results):
        assert indices_of(ledger, f"p{i}") == [result.index]
        assert result.index < last.size
    # The barrier lets one go first, alone; the others wait for it together.
    assert ledger.group.transactions - before <= writers // share
    assert ledger.check() == []


def test_a_wrong_request_fails_alone(ledger: Ledger) -> None:
    requests = [ConsentRequest(f"p{i}", OFFER, G) for i in range(10)]
    requests[3] = ConsentRequest("p3", "no.such.purpose", G)
    requests[7] = ConsentRequest(" ", OFFER, G)
    results = at_once(ledger, requests)
    assert isinstance(results[3], UnknownPurpose)
    assert isinstance(results[7], BadRequestError)
    for i in set(range(10)) - {3, 7}:
        assert isinstance(results[i], ConsentReceiptRef)
        assert indices_of(ledger, f"p{i}") == [results[i].index]


def test_a_failed_commit_reaches_everybody_and_nothing_is_written(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked() -> None:
        raise LedgerUnavailableError("locked", "try again")

    size = ledger.head().size
    monkeypatch.setattr(ledger.log.store, "write", locked)
    results = at_once(ledger, [ConsentRequest(f"p{i}", OFFER, G, request_id=f"r{i}") for i in range(6)])
    assert all(isinstance(result, LedgerUnavailableError) for result in results)
    assert len({id(result) for result in results}) == len(results)
    monkeypatch.undo()
    assert ledger.head().size == size


def test_failed_but_written_is_found_again_by_request_id(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> None:
        raise CheckpointStoreError("the checkpoint could not be stored", "try again")

    requests = [ConsentRequest(f"p{i}", OFFER, G, request_id=f"r{i}") for i in range(6)]
    monkeypatch.setattr(ledger.log, "checkpoint", lost)
    assert all(isinstance(result, CheckpointStoreError) for result in at_once(ledger, requests))
    monkeypatch.undo()
    again = at_once(ledger, requests)
    assert all(isinstance(result, ConsentReceiptRef) and result.replayed for result in again)
    assert len({result.index for result in again}) == len(requests)
    assert ledger.check() == []


def test_the_same_request_from_several_threads_is_recorded_once(ledger: Ledger) -> None:
    results = at_once(ledger, [ConsentRequest("p", OFFER, G, request_id="same")] * 8)
    assert len({result.index for result in results}) == 1
