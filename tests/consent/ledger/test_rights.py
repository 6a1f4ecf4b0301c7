"""Objections, restrictions and corrections: they block or correct for their scope, from their own entry on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.bulk import permits
from consent.errors import BadRequestError, ConsentChanged, RequestConflictError, UnknownPurpose
from consent.records import ConsentReceiptRef, Permitted
from consent.vocabulary import ConsentStatus, Right, RightAnswer, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, OFFER, START, World, make_world, use_request

S = ConsentStatus
AGE, EDUCATION = "dpv-pd:Age", "dpv-pd:Education"
PURPOSES = {OFFER: ("human-review", "scoring"), DEVELOPMENT: ("audit", "training")}


def status(answer: object) -> int:
    return 0 if isinstance(answer, Permitted) else int(answer.status)  # type: ignore[attr-defined]


def test_an_objection_blocks_its_scope_until_it_is_withdrawn(ledger, world: World) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN)
    world.clock.forward(seconds=5)
    index = ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21", processing=["scoring"])
    assert status(ledger.permit("anna", OFFER, "scoring")) == UseStatus.OBJECTED
    assert isinstance(ledger.permit("anna", OFFER, "human-review"), Permitted)
    assert isinstance(ledger.permit("anna", OFFER, "scoring", as_of=index), Permitted)
    assert isinstance(ledger.permit("anna", OFFER, "scoring", at=START), Permitted)
    ledger.record_right("anna", Right.OBJECTION_WITHDRAWN, ground="the person's word")
    assert isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)
    assert [each.right for each in ledger.rights_of("anna")] == [Right.OBJECTION, Right.OBJECTION_WITHDRAWN]
    assert ledger.check() == []


def test_one_category_of_data_that_is_restricted_blocks_a_purpose_that_needs_it(ledger) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN)
    ledger.record_right("anna", Right.RESTRICTION, ground="eu-gdpr:A18-1-a", categories=[AGE, EDUCATION])
    ledger.record_right("anna", Right.RESTRICTION_LIFTED, ground="checked", categories=[AGE])
    assert status(ledger.permit("anna", OFFER, "scoring")) == UseStatus.RESTRICTED
    ledger.record_right("anna", Right.RESTRICTION_LIFTED, ground="checked", categories=[EDUCATION])
    assert isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)


def test_a_refused_objection_limits_nothing_and_needs_its_reason(ledger) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN)
    with pytest.raises(BadRequestError, match="reason"):
        ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21", answer=RightAnswer.REFUSED)
    ledger.record_right(
        "anna", Right.OBJECTION, ground="eu-gdpr:A21", answer=RightAnswer.REFUSED, reason="legal claim"
    )
    assert isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)
    assert ledger.check() == []


def test_whoever_objects_before_ever_answering_is_on_record(ledger) -> None:
    ledger.record_right("bo", Right.OBJECTION, ground="eu-gdpr:A21")
    ledger.record_consent("bo", OFFER, S.GIVEN)
    assert permits(ledger, ["bo"], OFFER, "scoring").counts() == {"objected": 1}


def test_an_objection_after_the_runs_state_stops_the_run(ledger) -> None:
    ledger.record_consent("anna", OFFER, S.GIVEN)
    run = use_request(ledger, {"anna": UseStatus.SELECTED})
    ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21")
    with pytest.raises(ConsentChanged):
        ledger.append_use(run)
    left_out = use_request(ledger, {"anna": UseStatus.OBJECTED})
    ledger.append_use(left_out)
    assert [view.status for view in ledger.uses("anna")] == [UseStatus.OBJECTED]


def test_the_receipt_of_being_left_out_for_an_objection_verifies(ledger, world: World) -> None:
    ledger.record_right("anna", Right.RESTRICTION, ground="eu-gdpr:A18-1-b")
    use = use_request(ledger, {"anna": UseStatus.RESTRICTED})
    ledger.append_use(use)
    proved = world.verify(ledger.use_receipt("anna", use.run))
    assert any("restricted" in line for line in proved.proved)


def test_a_correction_invalidates_the_consent_that_was_recorded_wrongly(ledger) -> None:
    wrong = ledger.record_consent("anna", OFFER, S.GIVEN)
    assert isinstance(wrong, ConsentReceiptRef)
    index = ledger.record_right("anna", Right.RECTIFICATION, ground="eu-gdpr:A16", corrects=wrong.index)
    [record] = [each for each in ledger.consents("anna") if each.purpose.id == OFFER]
    assert (record.status, record.since) == (S.INVALIDATED, index + 1)
    assert status(ledger.permit("anna", OFFER, "scoring")) == UseStatus.REVOKED
    assert ledger.rights_of("anna")[0].corrects == wrong.index
    assert ledger.check() == []


def test_a_correction_of_an_older_word_leaves_the_newest_standing(ledger) -> None:
    wrong = ledger.record_consent("anna", OFFER, S.REFUSED)
    ledger.record_consent("anna", OFFER, S.GIVEN)
    ledger.record_right("anna", Right.RECTIFICATION, ground="eu-gdpr:A16", corrects=wrong.index)
    assert isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)


def test_nobody_corrects_another_persons_entry(ledger) -> None:
    other = ledger.record_consent("bo", OFFER, S.GIVEN)
    size = ledger.head().size
    with pytest.raises(BadRequestError, match="no consent of this person"):
        ledger.record_right("anna", Right.RECTIFICATION, ground="eu-gdpr:A16", corrects=other.index)
    assert ledger.head().size == size


def test_wrong_scopes_are_refused(ledger) -> None:
    for scope in ({"processing": ["gossip"]}, {"categories": ["dpv-pd:Shoe"]}, {"corrects": 3}):
        with pytest.raises(BadRequestError):
            ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21", **scope)
    with pytest.raises(UnknownPurpose):
        ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21", purposes=["other"])


def test_a_repeated_request_returns_the_first_result(ledger) -> None:
    first = ledger.record_right("anna", Right.ACCESS, ground="eu-gdpr:A15", request_id="r")
    size = ledger.head().size
    assert ledger.record_right("anna", Right.ACCESS, ground="eu-gdpr:A15", request_id="r") == first
    assert ledger.head().size == size
    with pytest.raises(RequestConflictError):
        ledger.record_right("anna", Right.PORTABILITY, ground="eu-gdpr:A20", request_id="r")


def test_an_erased_persons_limitations_are_gone(ledger) -> None:
    ledger.record_right("anna", Right.OBJECTION, ground="eu-gdpr:A21")
    ledger.erase("anna", ground="eu-gdpr:A17-1-b")
    assert ledger.rights_of("anna") == []
    assert ledger.check() == []


acts = st.lists(
    st.tuples(
        st.sampled_from(
            [Right.OBJECTION, Right.OBJECTION_WITHDRAWN, Right.RESTRICTION, Right.RESTRICTION_LIFTED]
        ),
        st.sets(st.sampled_from(list(PURPOSES)), max_size=1),
        st.sets(st.sampled_from(["scoring", "training"]), max_size=1),
        st.sets(st.sampled_from([AGE, EDUCATION]), max_size=1),
        st.sampled_from(["p0", "p1"]),
    ),
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(acts, st.integers(0, 14), st.integers(0, 14))
def test_every_way_of_asking_agrees_with_sets_of_blocked_points(done, seconds: int, entries: int) -> None:
    """The naive model: a set of blocked (purpose, processing, category) for each pair, person and moment."""
    with TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        with world.open() as ledger:
            for person in ("p0", "p1"):
                for purpose in PURPOSES:
                    ledger.record_consent(person, purpose, S.GIVEN)
            begin = ledger.head().size
            for right, purposes, processing, categories, person in done:
                world.clock.forward(seconds=1)
                ledger.record_right(
                    person, right, ground="g", purposes=purposes, processing=processing, categories=categories
                )
            at = START + timedelta(seconds=seconds)
            for person in ("p0", "p1"):
                for known, when in ((None, None), (begin + entries, None), (None, at)):
                    held = {Right.OBJECTION: set(), Right.RESTRICTION: set()}
                    for place, (right, purposes, processing, categories, who) in enumerate(done):
                        if who != person or (known is not None and place >= entries):
                            continue
                        if when is not None and place + 1 > seconds:
                            continue
                        points = {
                            (purpose, kind, category)
                            for purpose, kinds in PURPOSES.items()
                            for kind in kinds
                            for category in (AGE, EDUCATION)
                            if (not purposes or purpose in purposes)
                            and (not processing or kind in processing)
                            and (not categories or category in categories)
                        }
                        if right in held:
                            held[right] |= points
                        else:
                            ended = right is Right.OBJECTION_WITHDRAWN
                            held[Right.OBJECTION if ended else Right.RESTRICTION] -= points
                    for purpose, kinds in PURPOSES.items():
                        for kind in kinds:
                            touched = {(purpose, kind, AGE), (purpose, kind, EDUCATION)}
                            want = 0
                            if held[Right.OBJECTION] & touched:
                                want = UseStatus.OBJECTED
                            if held[Right.RESTRICTION] & touched:
                                want = UseStatus.RESTRICTED
                            assert status(ledger.permit(person, purpose, kind, at=when, as_of=known)) == want
                            if known is None:
                                assert permits(ledger, [person], purpose, kind, at=when).status[0] == want
