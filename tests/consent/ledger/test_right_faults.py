"""Rights, changed purposes and what ran out, at every fault of storage: "failed" leaves nothing, "failed but was written" is found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consent import ending
from consent.errors import CheckpointStoreError, LedgerUnavailableError
from consent.foresight import people_to_ask
from consent.vocabulary import ConsentStatus, Right, RightAnswer
from tests.consent.ledger_world import OFFER, World, purposes_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.ledger import Ledger

S = ConsentStatus


def objection(ledger: Ledger) -> Any:
    return ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21", request_id="r")


def correction(ledger: Ledger) -> Any:
    [record] = [each for each in ledger.consents("anna") if each.purpose.id == OFFER]
    first = record.history[0].index
    return ledger.record_right("anna", Right.RECTIFICATION, ground="g", corrects=first, request_id="r")


def refusal(ledger: Ledger) -> Any:
    return ledger.record_right(
        "anna", Right.RESTRICTION, ground="g", answer=RightAnswer.REFUSED, reason="checked", request_id="r"
    )


def adoption(ledger: Ledger) -> Any:
    ledger.adopt_purposes(purposes_text(version=2, notice_version=2))
    return {purpose.id: purpose.version for purpose in ledger.purposes()}


def run_out(ledger: Ledger) -> Any:
    ending.note_run_out(ledger.log)
    ledger.checkpoint()
    return [each.status for each in ledger.consents("anna")[-1].history]


ACTS: list[Callable[[Ledger], Any]] = [objection, correction, refusal, adoption, run_out]


@pytest.fixture
def prepared(ledger: Ledger, world: World) -> Ledger:
    ledger.record_consent("anna", OFFER, S.GIVEN)
    world.clock.forward(days=366)
    return ledger


@pytest.mark.parametrize("do", ACTS)
def test_failed_leaves_nothing(
    prepared: Ledger, monkeypatch: pytest.MonkeyPatch, do: Callable[[Ledger], Any]
) -> None:
    before = prepared.head()

    def locked() -> None:
        raise LedgerUnavailableError("locked", "try again")

    monkeypatch.setattr(prepared.log.store, "write", locked)
    with pytest.raises(LedgerUnavailableError):
        do(prepared)
    monkeypatch.undo()
    assert prepared.head() == before
    assert prepared.rights_of("anna") == prepared.limitations("anna") == []
    do(prepared)
    assert prepared.head().size > before.size
    assert prepared.check() == []


@pytest.mark.parametrize("do", ACTS)
def test_failed_but_written_is_found_again_and_made_durable(
    prepared: Ledger, monkeypatch: pytest.MonkeyPatch, do: Callable[[Ledger], Any]
) -> None:
    before = prepared.head().size

    def lost() -> None:
        raise CheckpointStoreError("the checkpoint could not be stored", "try again")

    monkeypatch.setattr(prepared.log, "checkpoint", lost)
    with pytest.raises(CheckpointStoreError):
        do(prepared)
    monkeypatch.undo()
    size = prepared.head().size
    assert size > before
    first = do(prepared)
    assert do(prepared) == first
    head = prepared.head()
    assert head.size == size == head.checkpoint.size
    assert len(prepared.rights_of("anna")) <= 1
    assert people_to_ask(prepared, OFFER) == 0
    assert prepared.check() == []
