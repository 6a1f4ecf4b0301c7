"""Who answers, for whom and for how much: scope, guardians, own say, age, paper."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.bulk import permits
from consent.errors import BadRequestError
from consent.records import ConsentReceiptRef, ConsentRequest, Permitted, Representation, TransitionRefused
from consent.representing import birthday
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, UseStatus
from tests.consent.ledger_world import OFFER, START, World, make_world

S = ConsentStatus
MANDATE = Representation("guardian per population register", "ref 17")
MAJORITY = date(2028, 5, 1)
GUARDIAN = {"given_by": GivenBy.GUARDIAN, "representation": MANDATE, "majority": MAJORITY}
AGE, EDUCATION = "dpv-pd:Age", "dpv-pd:Education"


def permitted(ledger, person: str = "anna", processing: str = "scoring", **when: object) -> bool:
    return isinstance(ledger.permit(person, OFFER, processing, **when), Permitted)


def test_a_consent_covers_the_processing_it_names(ledger) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN, processing=["human-review"])
    assert not permitted(ledger)
    assert permitted(ledger, processing="human-review")
    assert permits(ledger, ["anna"], OFFER, "scoring").counts() == {"not-covered": 1}


def test_a_consent_that_lacks_a_category_covers_nothing(ledger) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN, categories=[AGE])
    assert permits(ledger, ["anna"], OFFER, "scoring").status[0] == UseStatus.NOT_COVERED
    assert not permitted(ledger)
    assert ledger.consent_receipt("anna", OFFER)["summary"]["categories"] == [AGE]
    assert ledger.check() == []


def test_a_renewal_never_widens_unless_it_says_so(ledger, world: World) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN, processing=["human-review"])
    ledger.record_consent("anna", OFFER, S.RENEWED)
    assert not permitted(ledger)
    ledger.record_consent("anna", OFFER, S.RENEWED, processing=["human-review", "scoring"])
    assert permitted(ledger)


def test_an_answer_names_only_what_the_purpose_has(ledger) -> None:
    for scope in ({"processing": ["training"]}, {"processing": []}, {"categories": ["dpv-pd:Shoe"]}):
        with pytest.raises(BadRequestError, match="none of the purpose's"):
            ledger.record_consent("anna", OFFER, S.GIVEN, **scope)
    assert ledger.number_of("anna") is None


scopes = st.tuples(
    st.sampled_from([None, ("scoring",), ("human-review",), ("human-review", "scoring")]),
    st.sampled_from([None, (AGE,), (AGE, EDUCATION)]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(scopes, min_size=1, max_size=6))
def test_single_and_bulk_permits_agree_on_every_scope(asked) -> None:
    with TemporaryDirectory() as folder, make_world(Path(folder)).open() as ledger:
        people = [f"p{i}" for i in range(len(asked))]
        ledger.record_consents(
            [
                ConsentRequest(person, OFFER, S.GIVEN, processing=processing, categories=categories)
                for person, (processing, categories) in zip(people, asked, strict=True)
            ]
        )
        for kind in ("scoring", "human-review"):
            want = [
                (processing is None or kind in processing) and categories in (None, (AGE, EDUCATION))
                for processing, categories in asked
            ]
            assert permits(ledger, people, OFFER, kind).permitted.tolist() == want
            assert [permitted(ledger, person, kind) for person in people] == want
        assert ledger.check() == []


@pytest.mark.parametrize("who", [GivenBy.GUARDIAN, GivenBy.AUTHORISED_REPRESENTATIVE])
def test_a_yes_for_another_needs_what_it_rests_on_and_a_no_does_not(ledger, who: GivenBy) -> None:
    refused = ledger.record_consent("anna", OFFER, S.GIVEN, given_by=who)
    assert isinstance(refused, TransitionRefused)
    assert refused.code == "no-authority"
    assert ledger.number_of("anna") is None
    ledger.record_consent("anna", OFFER, S.GIVEN, given_by=who, representation=MANDATE, majority=MAJORITY)
    assert permitted(ledger)
    assert isinstance(ledger.record_consent("anna", OFFER, S.WITHDRAWN, given_by=who), ConsentReceiptRef)
    assert not permitted(ledger)


def test_representation_and_own_say_are_details_and_not_in_the_body(ledger, world: World) -> None:
    ledger.record_consent(
        "anna", OFFER, S.GIVEN, own_say=OwnSay.AGREED, signed_on=date(2026, 11, 1), **GUARDIAN
    )
    receipt = ledger.consent_receipt("anna", OFFER)
    assert dict(world.verify(receipt).details) == {
        "own-say": '"agreed"',
        "representation": '{"authority":"guardian per population register","reference":"ref 17"}',
        "signed-on": '"2026-11-01"',
    }
    assert "ref 17" not in receipt["opening"]["payload"]
    assert "ref 17" not in repr(ConsentRequest("anna", OFFER, S.GIVEN, **GUARDIAN))
    assert ledger.check() == []


def test_a_guardians_yes_is_not_recorded_against_the_young_persons_no(ledger) -> None:
    opposed = ledger.record_consent("anna", OFFER, S.GIVEN, own_say=OwnSay.OPPOSED, **GUARDIAN)
    assert isinstance(opposed, TransitionRefused)
    assert opposed.code == "own-say-opposed"
    ledger.record_consent("anna", OFFER, S.REFUSED)
    ledger.record_consent(
        "anna", OFFER, S.REQUESTED, given_by=GivenBy.GUARDIAN
    )  # asking again changes nothing
    for own_say in (None, OwnSay.NOT_ASKED, OwnSay.NOT_ABLE):
        stands = ledger.record_consent("anna", OFFER, S.GIVEN, own_say=own_say, **GUARDIAN)
        assert isinstance(stands, TransitionRefused)
        assert stands.code == "own-no-stands"
    ledger.record_consent("anna", OFFER, S.GIVEN, own_say=OwnSay.AGREED, **GUARDIAN)
    assert permitted(ledger)
    ledger.record_consent("anna", OFFER, S.WITHDRAWN, given_by=GivenBy.GUARDIAN)
    # The young person has agreed since, so the guardian's own withdrawal can be taken back.
    ledger.record_consent("anna", OFFER, S.GIVEN, **GUARDIAN)
    assert permitted(ledger)


def test_both_can_withdraw_and_in_one_batch_the_young_persons_no_counts_too(ledger) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN, **GUARDIAN)
    ledger.record_consent("anna", OFFER, S.WITHDRAWN)
    assert not permitted(ledger)
    with pytest.raises(Exception, match="own answer"):
        ledger.record_consents(
            [ConsentRequest("bo", OFFER, S.REFUSED), ConsentRequest("bo", OFFER, S.GIVEN, **GUARDIAN)]
        )
    assert ledger.number_of("bo") is None
    assert ledger.check() == []


def test_a_guardians_consent_ends_at_majority(ledger, world: World) -> None:
    majority = (START + timedelta(days=40)).date()
    made = ledger.record_consent("anna", OFFER, S.GIVEN, **{**GUARDIAN, "majority": majority})
    assert made.expires == datetime(majority.year, majority.month, majority.day, tzinfo=UTC)
    world.clock.forward(days=40)
    refused = ledger.record_consent("anna", OFFER, S.RENEWED, **{**GUARDIAN, "majority": majority})
    assert isinstance(refused, TransitionRefused)
    assert refused.code == "of-age"
    assert not permitted(ledger)
    ledger.record_consent("anna", OFFER, S.GIVEN)
    assert permitted(ledger)


def test_at_majority_the_person_confirms_anew_and_no_guardian_can_outlast_it(ledger, world: World) -> None:
    born = date(START.year - 18, 12, 24)
    majority = date(START.year, 12, 24)
    without = {key: value for key, value in GUARDIAN.items() if key != "majority"}
    for status in (S.GIVEN, S.RENEWED):
        refused = ledger.record_consent("anna", OFFER, status, **without)
        assert isinstance(refused, TransitionRefused)
    assert ledger.record_consent("anna", OFFER, S.GIVEN, **without).code == "no-majority"
    ledger.record_consent("anna", OFFER, S.GIVEN, born=born, **without)
    world.clock.forward(days=20)
    renewed = ledger.record_consent("anna", OFFER, S.RENEWED, born=born, **without)
    assert renewed.expires.date() == majority
    assert ledger.record_consent("anna", OFFER, S.RENEWED, **without).code == "no-majority"
    assert permitted(ledger, at=datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC))
    world.clock.forward(days=11)
    [record] = [each for each in ledger.consents("anna") if each.purpose.id == OFFER]
    assert record.status is S.EXPIRED
    assert permits(ledger, ["anna"], OFFER, "scoring").counts() == {"expired": 1}
    assert ledger.record_consent("anna", OFFER, S.GIVEN, born=born, **without).code == "of-age"
    confirmed = ledger.record_consent("anna", OFFER, S.GIVEN, born=born)
    assert isinstance(confirmed, ConsentReceiptRef)
    assert (permitted(ledger), confirmed.expires.date() > majority) == (True, True)


def test_under_thirteen_the_child_alone_is_not_enough(ledger) -> None:
    born = date(START.year - 13, START.month, START.day + 1)
    refused = ledger.record_consent("anna", OFFER, S.GIVEN, born=born)
    assert isinstance(refused, TransitionRefused)
    assert refused.code == "under-age"
    assert isinstance(ledger.record_consent("anna", OFFER, S.REFUSED, born=born), ConsentReceiptRef)
    day_before = born - timedelta(days=1)
    assert isinstance(ledger.record_consent("anna", OFFER, S.GIVEN, born=day_before), ConsentReceiptRef)


def test_birthdays_of_the_29th_of_february() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 16) == date(2024, 2, 29)


def test_a_paper_form_never_makes_a_consent_hold_before_it_was_recorded(ledger, world: World) -> None:
    before = ledger.head().size
    world.clock.forward(days=10)
    made = ledger.record_consent("anna", OFFER, S.GIVEN, method="paper form", signed_on=START.date())
    world.clock.forward(days=1)
    for days in range(10):
        assert not permitted(ledger, at=START + timedelta(days=days))
        assert permits(ledger, ["anna"], OFFER, "scoring", at=START + timedelta(days=days)).counts() == {
            "no-consent": 1
        }
    for size in range(before, made.index + 1):
        assert not permitted(ledger, as_of=size)
    assert permitted(ledger, as_of=made.index + 1)
    with pytest.raises(BadRequestError, match="future"):
        ledger.record_consent("bo", OFFER, S.GIVEN, signed_on=date(2027, 1, 1))
