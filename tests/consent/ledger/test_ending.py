"""Every event of a consent's life is recorded as the law knows it; what has run out is noted once, by a job that may stop anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consent import ending
from consent.bulk import permits
from consent.canonical import decode, digest
from consent.errors import LedgerUnavailableError
from consent.records import ConsentReceiptRef, ConsentRequest
from consent.vocabulary import ConsentStatus, Right
from tests.consent.ledger_world import DEVELOPMENT, OFFER, World

if TYPE_CHECKING:
    from consent.ledger import Ledger

S = ConsentStatus


def status(ledger: Ledger, person: str, purpose: str = OFFER) -> ConsentStatus:
    return next(each.status for each in ledger.consents(person) if each.purpose.id == purpose)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_event_binds_the_exact_text_of_the_notice_in_the_language_shown(
    ledger: Ledger, world: World, language: str
) -> None:
    life = (S.REQUESTED, S.REFUSED, S.GIVEN, S.RENEWED, S.WITHDRAWN, S.GIVEN, S.REVOKED)
    text = ledger.purpose(OFFER).notice.texts[language]
    for event in life:
        made = ledger.record_consent("anna", OFFER, event, language=language)
        assert isinstance(made, ConsentReceiptRef)
        receipt = ledger.consent_receipt("anna", made.index)
        assert world.verify(receipt).consent.status == event.value
        body = decode(receipt["opening"]["payload"].encode())["body"]
        assert (body["notice_digest"], body["language"]) == (digest(text.encode()), language)
    assert [event.status for each in ledger.consents("anna") for event in each.history] == list(life)
    assert ledger.check() == []


def test_what_has_run_out_is_noted_once_and_changes_no_answer(ledger: Ledger, world: World) -> None:
    for person in ("a", "b", "c", "d"):
        ledger.record_consent(person, OFFER, S.GIVEN, language="sv", processing=["scoring"])
    ledger.record_consent("a", DEVELOPMENT, S.GIVEN)
    ledger.record_consent("d", OFFER, S.WITHDRAWN)
    world.clock.forward(days=300)
    ledger.record_consent("c", OFFER, S.RENEWED)
    assert ending.note_run_out(ledger.log) == {}
    world.clock.forward(days=65)
    before = permits(ledger, ["a", "b", "c", "d"], OFFER, "scoring").status.tolist()
    assert ending.run_out(ledger.log) == {DEVELOPMENT: 1, OFFER: 2}
    assert ending.note_run_out(ledger.log) == {DEVELOPMENT: 1, OFFER: 2}
    ledger.checkpoint()
    size = ledger.head().size
    assert ending.note_run_out(ledger.log) == {}
    assert ledger.head().size == size
    assert permits(ledger, ["a", "b", "c", "d"], OFFER, "scoring").status.tolist() == before
    assert (status(ledger, "a"), status(ledger, "c"), status(ledger, "d")) == (
        S.EXPIRED, S.RENEWED, S.WITHDRAWN,
    )  # fmt: skip
    proved = world.verify(ledger.consent_receipt("a", OFFER)).consent
    assert (proved.status, proved.expires) == ("expired", None)
    assert ledger.check() == []
    renewed = ledger.record_consent("a", OFFER, S.RENEWED)
    assert isinstance(renewed, ConsentReceiptRef)
    assert permits(ledger, ["a"], OFFER, "scoring").permitted.all()
    assert not permits(ledger, ["a"], OFFER, "human-review").permitted.any()  # a renewal never widens


def test_an_answer_that_came_meanwhile_is_not_ended(
    ledger: Ledger, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record_consents([ConsentRequest(person, OFFER, S.GIVEN) for person in ("a", "b")])
    world.clock.forward(days=365)
    real = ending.store_consents.last_events

    def renewed_meanwhile(connection, numbers):
        events = real(connection, numbers)
        key = (ledger.number_of("a"), OFFER)
        return {**events, key: None} if key in events else events

    monkeypatch.setattr(ending.store_consents, "last_events", renewed_meanwhile)
    assert ending.note_run_out(ledger.log) == {OFFER: 1}
    assert ledger.check() == []


def test_a_job_that_failed_goes_on_where_it_stopped(
    ledger: Ledger, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record_consents([ConsentRequest(f"p{i}", OFFER, S.GIVEN) for i in range(5)])
    world.clock.forward(days=365)
    monkeypatch.setattr(ending, "BATCH", 2)
    real, calls = ledger.log.store.write, []

    def fails_at_the_second():
        calls.append(1)
        if len(calls) == 2:
            raise LedgerUnavailableError("locked", "try again")
        return real()

    monkeypatch.setattr(ledger.log.store, "write", fails_at_the_second)
    with pytest.raises(LedgerUnavailableError):
        ending.note_run_out(ledger.log)
    assert ending.run_out(ledger.log) == {OFFER: 3}
    assert ending.note_run_out(ledger.log) == {OFFER: 3}
    ledger.checkpoint()
    assert ledger.check() == []


def test_a_consent_found_invalid_says_so_in_the_words_it_was_given_in(ledger: Ledger, world: World) -> None:
    wrong = ledger.record_consent("anna", OFFER, S.GIVEN, language="en", processing=["scoring"])
    ledger.record_right("anna", Right.RECTIFICATION, ground="eu-gdpr:A16", corrects=wrong.index)
    receipt = ledger.consent_receipt("anna", OFFER)
    assert world.verify(receipt).consent.status == "invalidated"
    body = decode(receipt["opening"]["payload"].encode())["body"]
    assert (body["language"], body["processing"], body["expires"]) == ("en", ["scoring"], None)
    assert ledger.check() == []
