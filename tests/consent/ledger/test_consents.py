"""Recording and reading consents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from consent.errors import (
    BadRequestError,
    ConsentError,
    ImpossibleTransitionError,
    PurposesError,
    RequestConflictError,
    UnknownPersonError,
    UnknownPurpose,
)
from consent.records import ConsentReceiptRef, ConsentRequest, Permitted, Representation, TransitionRefused
from consent.vocabulary import ConsentStatus, GivenBy, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, OFFER, START, purpose_text, purposes_text

if TYPE_CHECKING:
    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

S = ConsentStatus
PERSON = "131052-308T"


def state(ledger: Ledger, person: str = PERSON, purpose: str = OFFER) -> S:
    return next(record.status for record in ledger.consents(person) if record.purpose.id == purpose)


def test_a_consent_is_recorded_shown_and_permits(ledger: Ledger) -> None:
    got = ledger.record_consent(PERSON, OFFER, S.GIVEN, method="online form")
    assert isinstance(got, ConsentReceiptRef)
    assert got.expires == START + timedelta(days=365)
    offer = next(record for record in ledger.consents(PERSON) if record.purpose.id == OFFER)
    assert (offer.status, offer.since, offer.current_version) == (S.GIVEN, got.index, True)
    assert [event.status for event in offer.history] == [S.GIVEN]
    assert state(ledger, purpose=DEVELOPMENT) is S.UNKNOWN
    assert ledger.permit(PERSON, OFFER, "scoring") == Permitted(got.index, got.expires)
    assert ledger.permit(PERSON, DEVELOPMENT, "training").status is UseStatus.NO_CONSENT


def test_an_unknown_person_is_no_and_has_nothing(ledger: Ledger) -> None:
    assert all(record.status is S.UNKNOWN and record.history == () for record in ledger.consents("nobody"))
    assert ledger.permit("nobody", OFFER, "scoring").status is UseStatus.NO_CONSENT
    assert ledger.uses("nobody") == []
    assert ledger.number_of("nobody") is None
    with pytest.raises(UnknownPersonError):
        ledger.consent_receipt("nobody", OFFER)


def test_an_id_is_the_same_person_in_any_spelling(ledger: Ledger) -> None:
    assert ledger.enrol(" 131052-308t ") == ledger.enrol(PERSON)


@pytest.mark.parametrize("person", ["", "  ", "a\nb", "x" * 200, "\ud800"])
def test_an_id_that_is_none_is_refused(ledger: Ledger, person: str) -> None:
    with pytest.raises(BadRequestError):
        ledger.enrol(person)


def test_an_impossible_event_is_a_value_and_writes_nothing(ledger: Ledger) -> None:
    size = ledger.head().size
    got = ledger.record_consent(PERSON, OFFER, S.WITHDRAWN)
    assert isinstance(got, TransitionRefused)
    assert (got.current, got.asked) == (S.UNKNOWN, S.WITHDRAWN)
    assert ledger.head().size == size
    assert ledger.number_of(PERSON) is None


def test_a_change_of_mind_in_the_same_second_counts(ledger: Ledger) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN)
    ledger.record_consent(PERSON, OFFER, S.WITHDRAWN)
    assert state(ledger) is S.WITHDRAWN
    assert ledger.permit(PERSON, OFFER, "scoring").status is UseStatus.WITHDRAWN


def test_a_consent_expires_by_itself_and_can_be_renewed(ledger: Ledger, world: World) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN)
    world.clock.forward(days=365)
    assert state(ledger) is S.EXPIRED
    assert ledger.permit(PERSON, OFFER, "scoring").status is UseStatus.EXPIRED
    ledger.record_consent(PERSON, OFFER, S.RENEWED)
    assert state(ledger) is S.RENEWED


def test_as_of_an_index_and_of_an_instant(ledger: Ledger, world: World) -> None:
    given = ledger.record_consent(PERSON, OFFER, S.GIVEN)
    world.clock.forward(hours=1)
    withdrawn = ledger.record_consent(PERSON, OFFER, S.WITHDRAWN)
    ask = {"person": PERSON, "purpose_id": OFFER, "processing": "scoring"}
    assert ledger.permit(**ask, at=START - timedelta(seconds=1)).status is UseStatus.NO_CONSENT
    assert isinstance(ledger.permit(**ask, at=START + timedelta(minutes=59)), Permitted)
    assert ledger.permit(**ask).status is UseStatus.WITHDRAWN
    assert isinstance(ledger.permit(**ask, as_of=withdrawn.index), Permitted)
    assert ledger.permit(**ask, as_of=given.index).status is UseStatus.NO_CONSENT


def test_a_retry_returns_the_first_result_and_writes_nothing(ledger: Ledger, world: World) -> None:
    first = ledger.record_consent(PERSON, OFFER, S.GIVEN, request_id="r1")
    size = ledger.head().size
    world.clock.forward(hours=1)
    again = ledger.record_consent(PERSON, OFFER, S.GIVEN, request_id="r1")
    assert (again.index, again.at, again.expires) == (first.index, first.at, first.expires)
    assert (first.replayed, again.replayed) == (False, True)
    assert ledger.head().size == size


def test_a_request_id_of_something_else_is_refused(ledger: Ledger) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN, request_id="r1")
    for other in ((PERSON, OFFER, S.WITHDRAWN), ("another", OFFER, S.GIVEN), (PERSON, DEVELOPMENT, S.GIVEN)):
        with pytest.raises(RequestConflictError):
            ledger.record_consent(*other, request_id="r1")


def test_any_text_is_a_request_id(ledger: Ledger) -> None:
    for request_id in ("", "ä", "\ud800", "x" * 10_000):
        ledger.enrol("a" + str(len(request_id)), request_id=request_id)
    with pytest.raises(UnknownPurpose):
        ledger.record_consent(PERSON, "\ud800", S.GIVEN, request_id="\ud800")


def test_enrolling_twice_gives_one_number(ledger: Ledger) -> None:
    number = ledger.enrol(PERSON, request_id="e")
    size = ledger.head().size
    assert ledger.enrol(PERSON) == ledger.enrol(PERSON, request_id="e") == ledger.number_of(PERSON) == number
    assert ledger.head().size == size
    assert 0 <= number < 65_536


def test_many_people_get_different_numbers(ledger: Ledger) -> None:
    people = [f"p{i}" for i in range(1_500)]
    numbers = ledger.enrol_many([*people, "p0"])
    assert len(set(numbers)) == 1_500
    assert numbers[0] == numbers[-1]
    assert max(numbers) < 65_536
    assert numbers != sorted(numbers)


def test_an_unknown_purpose_names_near_ones(ledger: Ledger) -> None:
    with pytest.raises(UnknownPurpose) as caught:
        ledger.record_consent(PERSON, "reading-help.ofer", S.GIVEN)
    assert f"`{OFFER}`" in caught.value.hint
    assert caught.value.exit_code == 2
    with pytest.raises(UnknownPurpose, match="no version 7"):
        ledger.purpose(OFFER, 7)


@pytest.mark.parametrize(
    "wrong", [{"language": "de"}, {"method": ""}, {"method": "x" * 300}, {"method": "a\nb"}]
)
def test_malformed_arguments_are_refused(ledger: Ledger, wrong: dict) -> None:
    size = ledger.head().size
    with pytest.raises(BadRequestError):
        ledger.record_consent(PERSON, OFFER, S.GIVEN, **wrong)
    assert ledger.head().size == size


def test_messages_name_nobody(ledger: Ledger) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN, request_id="r1")
    attempts = (
        lambda: ledger.record_consent(PERSON, OFFER, S.WITHDRAWN, request_id="r1"),
        lambda: ledger.record_consents([ConsentRequest(PERSON, OFFER, S.GIVEN)]),
        lambda: ledger.consent_receipt("someone-else", OFFER),
        lambda: ledger.enrol(PERSON + "\n" + PERSON),
    )
    for attempt in attempts:
        with pytest.raises(ConsentError) as caught:
            attempt()
        told = f"{caught.value.message} {caught.value.hint} {caught.value!r}"
        assert PERSON not in told
        assert "someone-else" not in told


def test_a_new_version_of_a_purpose_needs_a_new_consent(ledger: Ledger) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN)
    added = ledger.adopt_purposes(purposes_text(version=2, notice_version=2))
    assert len(added) == 2
    assert ledger.purpose(OFFER).version == 2
    record = next(record for record in ledger.consents(PERSON) if record.purpose.id == OFFER)
    assert (record.status, record.current_version, record.purpose_version) == (S.GIVEN, False, 1)
    assert ledger.permit(PERSON, OFFER, "scoring").status is UseStatus.OTHER_VERSION
    assert ledger.record_consent(PERSON, OFFER, S.GIVEN).purpose_version == 2
    assert isinstance(ledger.permit(PERSON, OFFER, "scoring"), Permitted)
    assert ledger.adopt_purposes(purposes_text(version=2, notice_version=2)) == []


def test_a_withdrawal_is_of_the_version_that_was_consented_to(ledger: Ledger) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN)
    ledger.adopt_purposes(purposes_text(version=2, notice_version=2))
    assert ledger.record_consent(PERSON, OFFER, S.WITHDRAWN).purpose_version == 1


def test_what_is_on_record_never_changes(ledger: Ledger) -> None:
    with pytest.raises(PurposesError, match="on record with other content"):
        ledger.adopt_purposes(purposes_text().replace("consent_days = 365", "consent_days = 366"))
    second_with_the_first_s_notice = purpose_text(OFFER, 2, 1, '["scoring"]').replace("May we?", "We may.")
    with pytest.raises(PurposesError, match="another text"):
        ledger.adopt_purposes(second_with_the_first_s_notice)
    with pytest.raises(PurposesError, match="does not follow"):
        ledger.adopt_purposes(purpose_text(OFFER, 3, 3, '["scoring"]'))


def test_bulk_records_in_order_and_enrols(ledger: Ledger) -> None:
    events = [ConsentRequest(f"p{i}", OFFER, S.GIVEN if i % 2 else S.REFUSED) for i in range(2_300)]
    events += [ConsentRequest(f"p{i}", OFFER, S.WITHDRAWN) for i in range(1, 2_300, 2)]
    indices = ledger.record_consents(iter(events))
    assert len(indices) == len(events)
    assert indices == sorted(indices)
    assert [state(ledger, f"p{i}") for i in (0, 1, 2_298, 2_299)] == [S.REFUSED, S.WITHDRAWN] * 2
    assert ledger.head().checkpoint.size == ledger.head().size
    assert ledger.check() == []


def test_one_batch_knows_what_it_just_did(ledger: Ledger) -> None:
    events = [
        ConsentRequest(PERSON, OFFER, status) for status in (S.REQUESTED, S.GIVEN, S.WITHDRAWN, S.GIVEN)
    ]
    ledger.record_consents(events)
    assert [event.status for event in ledger.consents(PERSON)[1].history] == [
        event.status for event in events
    ]


def test_bulk_refuses_an_impossible_event_and_says_which(ledger: Ledger) -> None:
    events = [ConsentRequest(f"p{i}", OFFER, S.GIVEN) for i in range(1_200)]
    events.append(ConsentRequest("new", OFFER, S.WITHDRAWN))
    with pytest.raises(ImpossibleTransitionError) as caught:
        ledger.record_consents(events)
    assert caught.value.position == 1_200
    assert state(ledger, "p999") is S.GIVEN
    assert state(ledger, "p1000") is S.UNKNOWN
    assert ledger.head().checkpoint.size == ledger.head().size


def test_bulk_with_request_ids_can_be_repeated(ledger: Ledger) -> None:
    events = [ConsentRequest(f"p{i}", OFFER, S.GIVEN, request_id=f"r{i}") for i in range(50)]
    first = ledger.record_consents([*events, events[0]])
    size = ledger.head().size
    assert ledger.record_consents([*events, events[0]]) == first
    assert ledger.head().size == size


def test_one_request_id_for_two_things_in_a_batch_is_refused(ledger: Ledger) -> None:
    events = [ConsentRequest(person, OFFER, S.GIVEN, request_id="same") for person in ("a", "b")]
    with pytest.raises(RequestConflictError):
        ledger.record_consents(events)
    assert ledger.number_of("a") is None


def test_what_bulk_and_one_by_one_write_opens_alike(ledger: Ledger, world: World) -> None:
    mandate = Representation("guardian per population register")
    ledger.record_consent(
        "a",
        OFFER,
        S.GIVEN,
        language="sv",
        given_by=GivenBy.GUARDIAN,
        method="paper form",
        representation=mandate,
        majority=date(2040, 1, 1),
    )
    again = ConsentRequest(
        "b", OFFER, S.GIVEN, "sv", GivenBy.GUARDIAN, "paper form", representation=mandate,
        majority=date(2040, 1, 1),
    )  # fmt: skip
    ledger.record_consents([again])
    receipts = [ledger.consent_receipt(person, OFFER) for person in ("a", "b")]
    summaries = [{k: v for k, v in r["summary"].items() if k != "number"} for r in receipts]
    assert summaries[0] == summaries[1]
    assert summaries[0]["given_by"] == "guardian"


def test_a_consent_receipt_verifies_offline(ledger: Ledger, world: World) -> None:
    given = ledger.record_consent(PERSON, OFFER, S.GIVEN)
    ledger.record_consent(PERSON, DEVELOPMENT, S.REFUSED)
    ledger.record_consent(PERSON, OFFER, S.WITHDRAWN)
    for which, status in ((given.index, "given"), (OFFER, "withdrawn"), (DEVELOPMENT, "refused")):
        verified = world.verify(ledger.consent_receipt(PERSON, which))
        assert verified.consent.status == status
        assert verified.number == ledger.number_of(PERSON)
    ledger.record_consent("other", OFFER, S.GIVEN)
    with pytest.raises(UnknownPersonError):
        ledger.consent_receipt("other", given.index)


def test_a_read_only_ledger_reads_and_gives_receipts(ledger: Ledger, world: World) -> None:
    ledger.record_consent(PERSON, OFFER, S.GIVEN)
    with world.open(read_only=True) as reader:
        assert state(reader) is S.GIVEN
        assert world.verify(reader.consent_receipt(PERSON, OFFER)).consent.permits
        with pytest.raises(ConsentError, match=r"reading only|opened so"):
            reader.enrol("x")


def test_acts_of_staff_are_commitments_with_details(ledger: Ledger) -> None:
    index = ledger.append_act(
        "m1",
        "vote",
        object_digest="sha256:" + "cd" * 32,
        service="reading-help",
        details={"envelope": {"a": "b"}},
        request_id="v",
    )
    again = ledger.append_act(
        "staff:m1",
        "vote",
        object_digest="sha256:" + "cd" * 32,
        service="reading-help",
        details={"envelope": {"a": "b"}},
        request_id="v",
    )
    assert again == index
    assert ledger.number_of("m1") is None
    assert ledger.number_of("staff:m1") is not None
    assert ledger.check() == []


def test_institutional_acts_are_listed_and_checked(ledger: Ledger) -> None:
    body = {"digest": "sha256:" + "00" * 32, "name": "p", "version": "1"}
    index = ledger.append_institutional("policy", body, request_id="p")
    assert ledger.append_institutional("policy", body, request_id="p") == index
    [entry] = ledger.institutional("policy")
    assert (entry.index, entry.at, entry.body) == (index, START, body)
    for kind, wrong in (("policy", {**body, "x": 1}), ("unheard-of", body), ("run", body)):
        with pytest.raises(ConsentError) as caught:
            ledger.append_institutional(kind, wrong)
        assert caught.value.exit_code == 2
