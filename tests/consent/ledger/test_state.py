"""Pure: folding events, which event may follow, and who is permitted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.permit import permit
from consent.purposes import parse
from consent.records import ConsentEvent, Permitted, Refused, TransitionRefused
from consent.state import FOLLOWS, REASONS, fold, refused_transition, state_of
from consent.vocabulary import ConsentStatus, Processing, UseStatus
from tests.consent.ledger_world import purposes_text

T0 = datetime(2026, 1, 1, tzinfo=UTC)
S = ConsentStatus
OFFER, DEVELOPMENT = parse(purposes_text())
BOTH = Processing.SCORING.bit | Processing.HUMAN_REVIEW.bit


def event(
    index: int,
    status: S,
    *,
    at: datetime = T0,
    days: int = 365,
    version: int = 1,
    notice: int = 1,
    bits: int = BOTH,
) -> ConsentEvent:
    expires = at + timedelta(days=days) if status.permits else None
    return ConsentEvent(index, at, status, version, notice, bits, expires)


events = st.lists(
    st.tuples(st.sampled_from([s for s in S if s is not S.UNKNOWN]), st.integers(0, 3), st.integers(1, 3)),
    max_size=8,
).map(
    lambda rows: [
        event(i, status, at=T0 + timedelta(days=sum(r[1] for r in rows[: i + 1])), days=days)
        for i, (status, _, days) in enumerate(rows)
    ]
)


@given(events, st.integers(-1, 30), st.none() | st.integers(0, 9), st.randoms())
def test_folding_is_the_last_known_event_and_its_expiry(history, days, as_of, random) -> None:
    at = T0 + timedelta(days=days)
    counted = [e for e in history if e.at <= at and (as_of is None or e.index < as_of)]
    shuffled = history[:]
    random.shuffle(shuffled)
    got = fold(shuffled, at=at, as_of=as_of)
    if not counted:
        assert (got.status, got.event) == (S.UNKNOWN, None)
    elif counted[-1].status.permits and counted[-1].expires <= at:
        assert (got.status, got.event) == (S.EXPIRED, counted[-1])
    else:
        assert (got.status, got.event) == (counted[-1].status, counted[-1])


def test_a_consent_never_holds_before_it_was_recorded() -> None:
    assert fold([event(5, S.GIVEN)], at=T0 - timedelta(seconds=1)).status is S.UNKNOWN


def test_withdrawn_in_the_same_second_is_withdrawn() -> None:
    assert fold([event(5, S.GIVEN), event(6, S.WITHDRAWN)], at=T0).status is S.WITHDRAWN


def test_a_consent_ends_at_its_last_second() -> None:
    given_ = event(1, S.GIVEN, days=1)
    assert fold([given_], at=given_.expires - timedelta(seconds=1)).status is S.GIVEN
    assert fold([given_], at=given_.expires).status is S.EXPIRED


@pytest.mark.parametrize("current", list(S))
@pytest.mark.parametrize("asked", list(S))
def test_every_impossible_transition_has_a_reason(current: S, asked: S) -> None:
    if current is S.EXPIRED:
        state = state_of(event(1, S.GIVEN, days=1), at=T0 + timedelta(days=2))
    else:
        state = state_of(None if current is S.UNKNOWN else event(1, current), at=T0)
    refused = refused_transition(state, asked, purpose_version=1, notice_version=1)
    if asked in FOLLOWS[current]:
        assert refused is None
    else:
        assert isinstance(refused, TransitionRefused)
        assert (refused.current, refused.asked) == (current, asked)
        assert len(refused.reason) > 10


def test_every_pair_of_state_and_event_is_decided_and_every_refused_one_has_its_own_reason() -> None:
    events = [s for s in S if s is not S.UNKNOWN]
    pairs = {(current, asked) for current in S for asked in events}
    assert len(pairs) == 72
    refused = {(current, asked) for current, asked in pairs if asked not in FOLLOWS[current]}
    assert REASONS.keys() == refused
    shared = {REASONS[S.GIVEN, asked] for asked in (S.GIVEN, S.REFUSED, S.REQUESTED, S.EXPIRED)}
    own = [reason for (current, _), reason in REASONS.items() if current is not S.RENEWED]
    assert len(set(own)) == len(own)
    assert {REASONS[S.RENEWED, asked] for asked in events if (S.RENEWED, asked) in refused} == shared


def test_saying_no_is_never_refused_to_who_has_said_yes_or_nothing() -> None:
    for current in S:
        refused = FOLLOWS[current]
        assert S.REFUSED in refused or S.WITHDRAWN in refused


def test_a_consent_for_another_version_is_no_obstacle_to_a_new_one() -> None:
    state = state_of(event(1, S.GIVEN, version=1), at=T0)
    assert refused_transition(state, S.GIVEN, purpose_version=2, notice_version=1) is None
    renewed = refused_transition(state, S.RENEWED, purpose_version=2, notice_version=1)
    assert renewed is not None
    assert "another version" in renewed.reason


@pytest.mark.parametrize(
    ("last", "want"),
    [
        (None, UseStatus.NO_CONSENT),
        (event(1, S.REFUSED), UseStatus.REFUSED),
        (event(1, S.WITHDRAWN), UseStatus.WITHDRAWN),
        (event(1, S.GIVEN, days=0), UseStatus.EXPIRED),
        (event(1, S.EXPIRED), UseStatus.EXPIRED),
        (event(1, S.GIVEN, version=2), UseStatus.OTHER_VERSION),
        (event(1, S.GIVEN, notice=2), UseStatus.OTHER_VERSION),
        (event(1, S.REQUESTED), UseStatus.ONLY_REQUESTED),
        (event(1, S.REVOKED), UseStatus.REVOKED),
        (event(1, S.INVALIDATED), UseStatus.REVOKED),
        (event(1, S.GIVEN, bits=Processing.TRAINING.bit), UseStatus.NOT_COVERED),
    ],
)
def test_every_refusal_has_its_status_byte(last: ConsentEvent | None, want: UseStatus) -> None:
    got = permit(state_of(last, at=T0), OFFER, Processing.SCORING)
    assert got == Refused(want, want.reason)
    assert want.reason


def test_only_given_and_renewed_permit() -> None:
    for status in (S.GIVEN, S.RENEWED):
        assert isinstance(permit(state_of(event(1, status), at=T0), OFFER, Processing.SCORING), Permitted)


def test_a_purpose_permits_only_its_own_processing() -> None:
    got = permit(state_of(event(1, S.GIVEN, bits=0b1111), at=T0), OFFER, Processing.TRAINING)
    assert got == Refused(UseStatus.NOT_COVERED, UseStatus.NOT_COVERED.reason)
