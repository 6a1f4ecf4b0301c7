"""Recording consents: one code path for one event and for a thousand, in one transaction each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent import answering, representing, sealed_people, store_consents, store_log, store_people
from consent.canonical import digest, encode, format_time
from consent.errors import BadRequestError, ImpossibleTransitionError, ReturnRefusedError
from consent.purposing import find
from consent.records import ConsentEvent, ConsentReceiptRef, ConsentRequest, TransitionRefused
from consent.repeated import check_same, check_same_request
from consent.state import refused_transition, state_of
from consent.vocabulary import ConsentStatus, Language, RetentionClass, processing_mask

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from consent.entries import Payload
    from consent.log import Log
    from consent.records import Purpose
    from consent.store_people import Person
    from consent.writing import Writing

BATCH = 1_000
"""Events of one transaction in bulk: group commit pays 60 times at 1,000 and little more beyond (shared/ledger.md 2)."""
MAX_METHOD = 200
_LANGUAGES = frozenset(language.value for language in Language)
_ENDING = frozenset(
    {ConsentStatus.WITHDRAWN, ConsentStatus.REVOKED, ConsentStatus.EXPIRED, ConsentStatus.INVALIDATED}
)
"""Events that end a consent: they are recorded for the version which that consent was for."""


@dataclass
class _Known:
    """What a batch needs to know of the people in it, and learns while it goes."""

    people: dict[bytes, Person]
    keys: dict[int, bytes]
    last: dict[tuple[int, str], ConsentEvent]


def record(
    log: Log, requests: Sequence[ConsentRequest], *, first: int | None = None
) -> list[ConsentReceiptRef | TransitionRefused]:
    """Record events in one transaction.

    Args:
        log: The log.
        requests: The events, in order.
        first: Position of the first one in an import, where the first impossible event undoes the transaction; None:
            impossible events are returned as values.

    Returns:
        Aligned with `requests`.

    Raises:
        ImpossibleTransitionError: See `first`.
        UnknownPurpose: No such purpose.
        BadRequestError: A request is malformed.
        RequestConflictError: A request id was used for something else.
    """
    pseudonyms = [log.pseudonym(item.person) for item in requests]
    asked = [log.request(item.request_id) for item in requests]
    prints = [
        b"" if item.request_id is None else _fingerprint(log, item, pseudonym)
        for item, pseudonym in zip(requests, pseudonyms, strict=True)
    ]
    results: list[ConsentReceiptRef | TransitionRefused] = []
    with log.writing() as writing:
        connection = writing.connection
        purposes = store_consents.purposes(connection)
        earlier = store_log.answered(connection, [request for request in asked if request is not None])
        known = _look_up(log, connection, set(pseudonyms))
        here: dict[bytes, store_log.Answered] = {}
        made: dict[int, ConsentReceiptRef] = {}
        for position, (item, pseudonym, request, fingerprint) in enumerate(
            zip(requests, pseudonyms, asked, prints, strict=True)
        ):
            if request is not None and request in earlier:
                check_same(log.vault, connection, earlier[request], fingerprint)
                results.append(replayed(connection, earlier[request].idx))
                continue
            if request is not None and request in here:
                check_same_request(here[request], fingerprint)
                results.append(made[here[request].idx])
                continue
            purpose = find(purposes, item.purpose_id)
            check_request(item)
            representing.check(item, writing.at.date())
            person = known.people.get(pseudonym)
            last = known.last.get((person.number, purpose.id)) if person else None
            refused = refused_transition(
                state_of(last, at=writing.at),
                item.status,
                purpose_version=purpose.version,
                notice_version=purpose.notice.version,
            )
            refused = refused or log.returns.refused(
                pseudonym, item.status, state_of(last, at=writing.at).status, known=person is not None
            )
            if refused is None and item.status.permits:
                own_no = answering.own_no(log, writing, item, person)
                refused = representing.refused_answer(
                    item, state_of(last, at=writing.at).status, writing.at, own_no
                )
            if refused is not None:
                if first is not None:
                    raise ImpossibleTransitionError(
                        f"event {first + position} cannot follow the state before it: {refused.reason}",
                        "correct the import; the batches before this one are recorded, this one is not",
                        first + position,
                    )
                results.append(refused)
                continue
            if person is None:
                person, keys = writing.enrol(pseudonym, many=len(requests) > 1)
                known.people[pseudonym] = person
                known.keys[person.number] = keys[RetentionClass.EVIDENCE]
            if last is not None and item.status in _ENDING:
                purpose = find(purposes, purpose.id, last.purpose_version)
            event = _append(
                log, writing, item, purpose, person, known.keys[person.number], last, request, fingerprint
            )
            known.last[person.number, purpose.id] = event
            results.append(_ref(event, purpose.id))
            if request is not None:
                here[request] = store_log.Answered(event.index, fingerprint)
                made[event.index] = _ref(event, purpose.id)
    return results


def replayed(connection: Connection, index: int) -> ConsentReceiptRef:
    """The first result of a repeated request, from the projection or, erased since, without its content.

    Raises:
        BadRequestError: The person was erased since: the first result is not known any more.
    """
    found = store_consents.event_at(connection, index)
    if found is None:
        raise BadRequestError(
            "the request was answered before, and what it recorded was erased since",
            "use a new request id to record anew",
        )
    _, purpose_id, event = found
    return _ref(event, purpose_id, replayed=True)


def enrol(log: Log, people: Sequence[str], *, request: bytes | None = None) -> list[int]:
    """Numbers of people, in one transaction; those who have none get one."""
    pseudonyms = [log.pseudonym(person) for person in people]
    with log.store.read() as connection:
        found = sealed_people.by_pseudonym(log.vault, connection, set(pseudonyms))
    if all(pseudonym in found for pseudonym in pseudonyms):
        return [found[pseudonym].number for pseudonym in pseudonyms]
    with log.writing() as writing:
        found = sealed_people.by_pseudonym(log.vault, writing.connection, set(pseudonyms))
        for position, pseudonym in enumerate(pseudonyms, 1):
            if pseudonym not in found:
                if log.returns.forbids(pseudonym):
                    raise ReturnRefusedError(
                        f"person {position} of {len(pseudonyms)} asked, when they were erased, not to be recorded again",
                        "leave them out; where they themselves want to come back: `luvalla consent readmit`",
                    )
                found[pseudonym], _ = writing.enrol(
                    pseudonym,
                    request=request,
                    fingerprint=log.fingerprint(b"enrol", pseudonym) if request else None,
                    many=len(pseudonyms) > 1,
                )
    return [found[pseudonym].number for pseudonym in pseudonyms]


def person_and_keys(
    log: Log, writing: Writing, pseudonym: bytes
) -> tuple[Person, dict[RetentionClass, bytes]]:
    """A person and the keys of evidence and detail, enrolled if need be."""
    person = sealed_people.by_pseudonym(log.vault, writing.connection, [pseudonym]).get(pseudonym)
    if person is None:
        return writing.enrol(pseudonym)
    keys: dict[RetentionClass, bytes] = {}
    for retention in (RetentionClass.EVIDENCE, RetentionClass.DETAIL):
        rows = store_people.wrapped_keys(writing.connection, retention.code, [person.number])
        keys[retention] = log.vault.unwrap_all(retention, rows)[person.number]
    return person, keys


def covered(processing: Collection[str], categories: Collection[str], needed: Collection[str]) -> int:
    """The bits of processing that a consent covers: none where it lacks a category of data that the purpose needs."""
    return processing_mask(list(processing)) if set(categories) >= set(needed) else 0


def event_row(payload: Payload, number: int, index: int, needed: Collection[str]) -> store_log.Row:
    """The projection of a consent entry, from its payload; `at` is that of the entry.

    Args:
        payload: The payload.
        number: Whose it is.
        index: Index of the entry.
        needed: The categories of data of the purpose's version.
    """
    body = payload.body
    expires = body["expires"]
    return {
        "idx": index,
        "number": number,
        "purpose": payload.purpose,
        "purpose_version": payload.purpose_version,
        "notice_version": body["notice_version"],
        "status": ConsentStatus(body["status"]).code,
        "processing": covered(body["processing"], body["categories"], needed),
        "expires": None if expires is None else store_consents.epoch_of_text(expires),
    }


def _look_up(log: Log, connection: Connection, pseudonyms: set[bytes]) -> _Known:
    people = sealed_people.by_pseudonym(log.vault, connection, pseudonyms)
    numbers = [person.number for person in people.values()]
    wrapped = store_people.wrapped_keys(connection, RetentionClass.EVIDENCE.code, numbers)
    keys = log.vault.unwrap_all(RetentionClass.EVIDENCE, wrapped)
    return _Known(people, keys, store_consents.last_events(connection, numbers))


def _append(
    log: Log,
    writing: Writing,
    item: ConsentRequest,
    purpose: Purpose,
    person: Person,
    key: bytes,
    last: ConsentEvent | None,
    request: bytes | None,
    fingerprint: bytes,
) -> ConsentEvent:
    expires = representing.expiry(item, writing.at, purpose.consent_days)
    processing, categories = answering.scope_of(log, writing, item, purpose, last)
    body = {
        "categories": categories,
        "expires": None if expires is None else format_time(expires),
        "given_by": item.given_by.value,
        "language": item.language,
        "method": item.method,
        "notice": purpose.notice.id,
        "notice_digest": digest(purpose.notice.texts[item.language].encode()),
        "notice_version": purpose.notice.version,
        "processing": processing,
        "status": item.status.value,
    }
    details = representing.details_of(item)
    index = writing.consent(
        person,
        key,
        body,
        purpose,
        request=request,
        fingerprint=fingerprint if request is not None else None,
        details=details,
        detail_key=answering.detail_key(log, writing, person) if details else None,
    )
    mask = covered(processing, categories, purpose.categories)
    writing.project_event(
        {
            "idx": index,
            "number": person.number,
            "purpose": purpose.id,
            "purpose_version": purpose.version,
            "notice_version": purpose.notice.version,
            "status": item.status.code,
            "processing": mask,
            "expires": None if expires is None else store_consents.epoch(expires),
        }
    )
    return ConsentEvent(
        index, writing.at, item.status, purpose.version, purpose.notice.version, mask, expires
    )


def check_request(item: ConsentRequest) -> None:
    """Refuse a language or a method that no answer can have.

    Raises:
        BadRequestError: It is one of those.
    """
    if item.language not in _LANGUAGES:
        raise BadRequestError(
            "the notice has no text in this language", f"use {', '.join(each.value for each in Language)}"
        )
    if not item.method.strip() or len(item.method) > MAX_METHOD or not item.method.isprintable():
        raise BadRequestError(
            f"the method must be 1 to {MAX_METHOD} printable characters",
            "say in a few words how the answer came",
        )


def _fingerprint(log: Log, item: ConsentRequest, pseudonym: bytes) -> bytes:
    words = (item.purpose_id, item.status.value, item.language, item.given_by.value, item.method)
    more = answering.more_words(item)
    return log.fingerprint(
        b"consent",
        pseudonym,
        *(word.encode("utf-8", "surrogatepass") for word in words),
        *((encode(more),) if more else ()),
    )


def _ref(event: ConsentEvent, purpose_id: str, *, replayed: bool = False) -> ConsentReceiptRef:
    return ConsentReceiptRef(
        index=event.index,
        at=event.at,
        purpose_id=purpose_id,
        purpose_version=event.purpose_version,
        notice_version=event.notice_version,
        status=event.status,
        expires=event.expires,
        replayed=replayed,
    )
