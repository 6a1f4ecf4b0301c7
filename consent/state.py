"""Pure: what a sequence of consent events amounts to, and which event may follow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.records import TransitionRefused
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from consent.records import ConsentEvent

S = ConsentStatus
_ANSWERS = frozenset({S.REQUESTED, S.REFUSED, S.GIVEN})
_IN_FORCE = frozenset({S.RENEWED, S.WITHDRAWN, S.REVOKED, S.INVALIDATED})

FOLLOWS: dict[ConsentStatus, frozenset[ConsentStatus]] = {
    S.UNKNOWN: _ANSWERS,
    S.REQUESTED: _ANSWERS,
    S.REFUSED: _ANSWERS,
    S.GIVEN: _IN_FORCE,
    S.RENEWED: _IN_FORCE,
    # Withdrawing and refusing are never made hard: an expired consent can still be withdrawn.
    S.EXPIRED: _ANSWERS | {S.RENEWED, S.WITHDRAWN, S.INVALIDATED, S.EXPIRED},
    S.WITHDRAWN: _ANSWERS | {S.INVALIDATED},
    S.REVOKED: _ANSWERS | {S.INVALIDATED},
    S.INVALIDATED: _ANSWERS,
}
"""Which events may follow each state. Recording `expired` is only the note of what already is."""

REASONS: dict[tuple[ConsentStatus, ConsentStatus], str] = {
    (S.GIVEN, S.GIVEN): "consent is already given; renew it to extend it, or withdraw it",
    (S.RENEWED, S.GIVEN): "consent is already given; renew it to extend it, or withdraw it",
    (S.GIVEN, S.REFUSED): "consent is in force: record its withdrawal instead of a refusal",
    (S.RENEWED, S.REFUSED): "consent is in force: record its withdrawal instead of a refusal",
    (S.GIVEN, S.REQUESTED): "consent is already given; there is nothing to ask for",
    (S.RENEWED, S.REQUESTED): "consent is already given; there is nothing to ask for",
    (S.GIVEN, S.EXPIRED): "the consent has not reached the end of its duration",
    (S.RENEWED, S.EXPIRED): "the consent has not reached the end of its duration",
    (S.WITHDRAWN, S.WITHDRAWN): "the consent is withdrawn already",
    (S.WITHDRAWN, S.RENEWED): "a withdrawn consent cannot be renewed; it can be given anew",
    (S.REVOKED, S.RENEWED): "a revoked consent cannot be renewed; it can be given anew",
    (S.UNKNOWN, S.RENEWED): "nothing was ever given that could be renewed; record it as given",
    (S.UNKNOWN, S.WITHDRAWN): "nothing was ever given that could be withdrawn; record a refusal",
    (S.UNKNOWN, S.REVOKED): "there is no consent on record that the controller could end",
    (S.UNKNOWN, S.EXPIRED): "there is no consent on record that could have run out",
    (S.UNKNOWN, S.INVALIDATED): "there is no consent on record that could be found invalid",
    (
        S.REQUESTED,
        S.RENEWED,
    ): "the person was asked and has not answered: there is nothing to renew; record it as given",
    (S.REQUESTED, S.WITHDRAWN): "the person was asked and has not answered: record their no as a refusal",
    (S.REQUESTED, S.REVOKED): "the person was asked and has not answered: there is no consent to end",
    (S.REQUESTED, S.EXPIRED): "the person was asked and has not answered: a question does not run out",
    (
        S.REQUESTED,
        S.INVALIDATED,
    ): "the person was asked and has not answered: there is no consent to find invalid",
    (S.REFUSED, S.RENEWED): "the person said no: there is nothing to renew; a yes is recorded as given",
    (S.REFUSED, S.WITHDRAWN): "the person said no already: there is nothing to withdraw",
    (S.REFUSED, S.REVOKED): "the person said no: there is no consent to end",
    (S.REFUSED, S.EXPIRED): "the person said no: a refusal does not run out",
    (
        S.REFUSED,
        S.INVALIDATED,
    ): "the person said no: a refusal is never found invalid; a new answer replaces it",
    (S.EXPIRED, S.REVOKED): "the consent has run out by itself: there is nothing left to end",
    (S.WITHDRAWN, S.REVOKED): "the person withdrew the consent: there is nothing left to end",
    (S.WITHDRAWN, S.EXPIRED): "the person withdrew the consent: it can no longer run out",
    (
        S.REVOKED,
        S.WITHDRAWN,
    ): "the controller has ended the consent already: there is nothing left to withdraw",
    (S.REVOKED, S.REVOKED): "the controller has ended the consent already",
    (S.REVOKED, S.EXPIRED): "the controller has ended the consent: it can no longer run out",
    (S.INVALIDATED, S.RENEWED): "an invalid consent cannot be renewed; it can be given anew",
    (
        S.INVALIDATED,
        S.WITHDRAWN,
    ): "the consent was found invalid and never held: there is nothing to withdraw",
    (S.INVALIDATED, S.REVOKED): "the consent was found invalid and never held: there is nothing to end",
    (S.INVALIDATED, S.EXPIRED): "the consent was found invalid and never held: it cannot run out",
    (S.INVALIDATED, S.INVALIDATED): "the consent is found invalid already",
}
"""Why, for every pair that `FOLLOWS` does not hold: each pair its own sentence."""


@dataclass(frozen=True)
class ConsentState:
    """The state of one person and purpose at an instant.

    Attributes:
        status: The state, expiry counted in; `unknown` while nothing is on record.
        event: The event it rests on; None while nothing is on record.
    """

    status: ConsentStatus
    event: ConsentEvent | None


NOTHING_ON_RECORD = ConsentState(S.UNKNOWN, None)


def fold(events: Iterable[ConsentEvent], *, at: datetime, as_of: int | None = None) -> ConsentState:
    """The state at an instant, as known at a size of the log.

    A consent never holds before it was recorded: events after `at` do not count. The order is the index: of two
    events in one second the later in the log stands.

    Args:
        events: Events of one person and purpose, in any order.
        at: The instant at which it must hold.
        as_of: Only events with a smaller index count; all when None.
    """
    last: ConsentEvent | None = None
    for event in events:
        if event.at > at or (as_of is not None and event.index >= as_of):
            continue
        if last is None or event.index > last.index:
            last = event
    return state_of(last, at=at)


def state_of(last: ConsentEvent | None, *, at: datetime) -> ConsentState:
    """The state that a last event makes at an instant."""
    if last is None:
        return NOTHING_ON_RECORD
    if last.status.permits and last.expires is not None and last.expires <= at:
        return ConsentState(S.EXPIRED, last)
    return ConsentState(last.status, last)


def refused_transition(
    state: ConsentState, asked: ConsentStatus, *, purpose_version: int, notice_version: int
) -> TransitionRefused | None:
    """Why an event cannot follow a state; None when it can.

    Args:
        state: The state now.
        asked: The event.
        purpose_version: The version that the event is about; a consent to another version is no obstacle to giving,
            refusing or asking for this one.
        notice_version: The same for its notice.
    """
    if asked is S.UNKNOWN:
        return TransitionRefused(state.status, asked, "`unknown` is the absence of events, not an event")
    event = state.event
    other_version = event is not None and (event.purpose_version, event.notice_version) != (
        purpose_version,
        notice_version,
    )
    if other_version and asked in _ANSWERS:
        return None
    if other_version and asked is S.RENEWED:
        reason = "the consent is for another version of the purpose or its notice: it cannot be renewed, only given anew"
        return TransitionRefused(state.status, asked, reason)
    if asked in FOLLOWS[state.status]:
        return None
    return TransitionRefused(state.status, asked, REASONS[state.status, asked])
