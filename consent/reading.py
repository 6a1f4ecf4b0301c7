"""What the ledger says of one person's consents, and of the institution's own acts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from consent import sealed_people, store_consents, store_limits, store_log, store_lost
from consent.canonical import parse_time
from consent.entries import InstitutionalAct, PersonalEntry, UnknownEntry, parse_entry
from consent.errors import BadRequestError, LedgerDamagedError
from consent.limits import limited, with_limits
from consent.loss import with_loss
from consent.permit import permit
from consent.purposing import in_force, newest
from consent.records import ConsentRecord, InstitutionalEntry
from consent.state import fold
from consent.vocabulary import Processing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from consent.limits import Limitation
    from consent.log import Log
    from consent.records import ConsentEvent, Permitted, Purpose, Refused
    from consent.store_people import Person


def person_of(log: Log, connection: Connection, person: str) -> Person | None:
    """The person as the ledger knows them; None when unknown."""
    pseudonym = log.pseudonym(person)
    return sealed_people.by_pseudonym(log.vault, connection, [pseudonym]).get(pseudonym)


def consents(
    log: Log, person: str, *, at: datetime | None = None, as_of: int | None = None
) -> list[ConsentRecord]:
    """See `Ledger.consents`."""
    check_aware(at)
    now = log.now()
    with log.store.read() as connection:
        found = person_of(log, connection, person)
        events = {} if found is None else store_consents.events_of(connection, found.number)
        known_at = None if at is None else store_consents.epoch(at)
        purposes = newest(store_consents.purposes(connection, size=as_of, at=known_at))
    events = {
        purpose_id: [each for each in of_purpose if _known(each, at, as_of)]
        for purpose_id, of_purpose in events.items()
    }
    return [_record(purpose, events.get(purpose_id, []), now, at) for purpose_id, purpose in purposes.items()]


def permitted(
    log: Log, person: str, purpose_id: str, processing: str, *, at: datetime | None, as_of: int | None
) -> Permitted | Refused:
    """See `Ledger.permit`."""
    kind = parse_processing(processing)
    check_aware(at)
    with log.store.read() as connection:
        purpose = in_force(
            connection, purpose_id, size=as_of, at=None if at is None else store_consents.epoch(at)
        )
        found = person_of(log, connection, person)
        events = (
            [] if found is None else store_consents.events_of(connection, found.number).get(purpose_id, [])
        )
        limitations = [] if found is None else store_limits.of_person(connection, found.number)
        known_at = None if at is None else store_consents.epoch(at)
        last_lost = store_lost.last_lost(connection, size=as_of, at=known_at)
    instant = at or log.now()
    standing = limited(limitations, purpose, kind, at=instant, as_of=as_of)
    decision = with_limits(permit(fold(events, at=instant, as_of=as_of), purpose, kind), standing)
    return with_loss(decision, last_lost)


def institutional(log: Log, kind: str) -> list[InstitutionalEntry]:
    """See `Ledger.institutional`."""
    with log.store.read() as connection:
        rows = store_log.bodies_of_kind(connection, kind)
    return [_institutional(index, body) for index, body in rows]


@lru_cache(maxsize=4_096)
def _parsed(body: bytes) -> PersonalEntry | InstitutionalAct | UnknownEntry:
    """Everybody who asks about their uses asks for the same runs."""
    return parse_entry(body)


def institutional_act(index: int, body: bytes | None) -> InstitutionalAct:
    """The institution's act at an index.

    Raises:
        LedgerDamagedError: The entry is missing or not one.
    """
    act = None if body is None else _parsed(body)
    if not isinstance(act, InstitutionalAct):
        raise LedgerDamagedError(
            f"entry {index} is not the act that it is listed as", "run `luvalla ledger check`"
        )
    return act


def parse_processing(word: str) -> Processing:
    """The processing of a word.

    Raises:
        BadRequestError: It is not one.
    """
    try:
        return Processing(word)
    except ValueError as error:
        raise BadRequestError(
            f"unknown processing `{word[:40]}`", f"use {', '.join(item.value for item in Processing)}"
        ) from error


def check_aware(at: datetime | None) -> None:
    """Refuse an instant that could mean several.

    Raises:
        BadRequestError: It carries no time zone.
    """
    if at is not None and at.tzinfo is None:
        raise BadRequestError(
            "the instant asked about has no time zone", "pass an aware datetime, e.g. in UTC"
        )


def _institutional(index: int, body: bytes) -> InstitutionalEntry:
    act = institutional_act(index, body)
    return InstitutionalEntry(index, parse_time(act.at), act.kind, act.body)


def limitations(
    log: Log, person: str, *, at: datetime | None = None, as_of: int | None = None
) -> list[Limitation]:
    """See `Ledger.limitations`."""
    check_aware(at)
    with log.store.read() as connection:
        found = person_of(log, connection, person)
        records = [] if found is None else store_limits.of_person(connection, found.number)
    return [each for each in records if _known(each, at, as_of)]


def _known(record: ConsentEvent | Limitation, at: datetime | None, as_of: int | None) -> bool:
    return (at is None or record.at <= at) and (as_of is None or record.index < as_of)


def _record(
    purpose: Purpose, events: list[ConsentEvent], now: datetime, at: datetime | None
) -> ConsentRecord:
    # A clock a few seconds behind must not hide what was recorded last.
    state = fold(events, at=at or max([now, *(event.at for event in events[-1:])]))
    event = state.event
    return ConsentRecord(
        purpose=purpose,
        status=state.status,
        since=None if event is None else event.index,
        expires=None if event is None else event.expires,
        purpose_version=None if event is None else event.purpose_version,
        current_version=event is not None
        and (event.purpose_version, event.notice_version) == (purpose.version, purpose.notice.version),
        history=tuple(events),
    )
