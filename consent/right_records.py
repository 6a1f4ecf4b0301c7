"""Rights exercised, in the log: access, portability, rectification, restriction, objection, and erasure refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent import consenting, store_consents, store_limits, store_log
from consent.canonical import encode, parse_time
from consent.ending import append_ending
from consent.entries import Payload
from consent.errors import BadRequestError
from consent.purposing import find
from consent.reading import person_of
from consent.receipt import open_payload
from consent.shapes import MAX_TEXT_CHARACTERS
from consent.state import FOLLOWS, state_of
from consent.store_people import Person
from consent.vocabulary import ConsentStatus, Processing, RetentionClass, Right, RightAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from consent.log import Log
    from consent.writing import Writing


@dataclass(frozen=True)
class RightRequest:
    """One right that a person exercises, and the answer.

    Attributes:
        person: The external id.
        right: Which right.
        ground: On what ground, in words or as a DPV term such as `eu-gdpr:A21`; no names.
        purposes: Ids of the purposes concerned; empty: all.
        processing: Words of `Processing` concerned; empty: all.
        categories: DPV terms of the data concerned; empty: all.
        answer: What was decided.
        reason: Why; asked for when it was refused.
        corrects: For a rectification: index of the person's consent entry that is wrong.
        request_id: The caller's id of this request; a retry changes nothing.
    """

    person: str = field(repr=False)
    right: Right
    ground: str
    purposes: tuple[str, ...] = ()
    processing: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    answer: RightAnswer = RightAnswer.RECORDED
    reason: str | None = None
    corrects: int | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class RightRecord:
    """One right exercised, as its opening says.

    Attributes:
        index: Index of the entry.
        at: When it was recorded, UTC.
        right: Which right.
        purposes: Ids of the purposes concerned; empty: all.
        processing: Words of `Processing` concerned; empty: all.
        categories: DPV terms of the data concerned; empty: all.
        ground: On what ground.
        answer: What was decided.
        reason: Why; None when there is no more to say.
        corrects: Index of the consent entry that a rectification corrects.
    """

    index: int
    at: datetime
    right: Right
    purposes: tuple[str, ...]
    processing: tuple[str, ...]
    categories: tuple[str, ...]
    ground: str
    answer: RightAnswer
    reason: str | None
    corrects: int | None


@dataclass(frozen=True)
class RightRef:
    """Where a right exercised stands in the log.

    Attributes:
        index: Index of the entry.
        replayed: True when this request id had been recorded before, and nothing was written now.
    """

    index: int
    replayed: bool = False


def record(log: Log, asked: RightRequest, *, scoped: Callable[[int], str] | None = None) -> RightRef:
    """Record it in one transaction; see `Ledger.record_right`. The checkpoint is the caller's.

    Args:
        log: The log.
        asked: The right, and the answer.
        scoped: From the person's number to the request id, instead of `asked.request_id`: for a caller whose request ids are
            each person's own, and who must not put anybody on record for a right that is not recorded.
    """
    body = _body(asked)
    pseudonym = log.pseudonym(asked.person)
    request = log.request(asked.request_id)
    fingerprint = log.fingerprint(b"right", pseudonym, encode(body))
    with log.writing() as writing:
        if scoped is not None:
            known = person_of(log, writing.connection, asked.person)
            request = None if known is None else log.request(scoped(known.number))
        index = log.answered(writing.connection, request, fingerprint)
        if index is not None:
            return RightRef(index, replayed=True)
        _check_scope(writing.connection, asked)
        person, keys = consenting.person_and_keys(log, writing, pseudonym)
        key = keys[RetentionClass.EVIDENCE]
        if scoped is not None:
            request = log.request(scoped(person.number))
        corrected = None if asked.corrects is None else _corrected(writing.connection, person, asked.corrects)
        index = writing.personal(
            "right", person, key, body, request=request, fingerprint=fingerprint if request else None
        )
        row = store_limits.row_of(body, person.number, index)
        if row is not None:
            writing.project_limitation(row)
        if corrected is not None and asked.answer is not RightAnswer.REFUSED:
            _invalidate(log, writing, person, corrected)
    return RightRef(index)


def foresee(log: Log, asked: RightRequest) -> None:
    """Check everything that recording would check, and write nothing; errors as `Ledger.record_right`'s."""
    _body(asked)
    with log.store.read() as connection:
        _check_scope(connection, asked)
        if asked.corrects is not None:
            person = person_of(log, connection, asked.person)
            _corrected(connection, Person(-1, b"", 0) if person is None else person, asked.corrects)


def records_of(log: Log, person: str) -> list[RightRecord]:
    """See `Ledger.rights_of`."""
    with log.store.read() as connection:
        found = person_of(log, connection, person)
        if found is None:
            return []
        records = []
        for index in store_log.payload_indices(connection, found.number):
            payload = Payload.parse(open_payload(log, connection, index)[2])
            if payload.kind == "right":
                records.append(_record(index, payload))
        return records


def _body(asked: RightRequest) -> dict[str, Any]:
    for text in (asked.ground, asked.reason or "-"):
        if not text.strip() or len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
            raise BadRequestError(
                f"the ground and the reason must be 1 to {MAX_TEXT_CHARACTERS} printable characters",
                "name e.g. eu-gdpr:A21, and no person",
            )
    if asked.answer is RightAnswer.REFUSED and asked.reason is None:
        raise BadRequestError("a refusal needs its reason", "say why (GDPR 12(4))")
    if (asked.corrects is not None) and asked.right is not Right.RECTIFICATION:
        raise BadRequestError("only a rectification corrects an entry", "leave the index out")
    return {
        "answer": asked.answer.value,
        "categories": sorted(set(asked.categories)),
        "corrects": asked.corrects,
        "ground": asked.ground,
        "processing": sorted(set(asked.processing)),
        "purposes": sorted(set(asked.purposes)),
        "reason": asked.reason,
        "right": asked.right.value,
    }


def _check_scope(connection: Connection, asked: RightRequest) -> None:
    words = {item.value for item in Processing}
    if not words.issuperset(asked.processing):
        raise BadRequestError(
            "the scope names a processing that is none", f"use {', '.join(item.value for item in Processing)}"
        )
    purposes = store_consents.purposes(connection)
    for purpose_id in asked.purposes:
        find(purposes, purpose_id)
    known = {category for purpose in purposes.values() for category in purpose.categories}
    if not known.issuperset(asked.categories):
        raise BadRequestError(
            "the scope names a category of data that no purpose processes", f"use {', '.join(sorted(known))}"
        )


def _corrected(connection: Connection, person: Person, index: int) -> int:
    found = store_consents.event_at(connection, index)
    if found is None or found[0] != person.number:
        raise BadRequestError(
            f"entry {index} is no consent of this person", "`luvalla consent show --json` lists the indices"
        )
    return index


def _invalidate(log: Log, writing: Writing, person: Person, index: int) -> None:
    """Record that a wrong consent never held, where it is still the person's newest word."""
    found = store_consents.event_at(writing.connection, index)
    if found is None:
        return
    _, purpose_id, event = found
    last = store_consents.last_events(writing.connection, [person.number])[person.number, purpose_id]
    if last.index != index or ConsentStatus.INVALIDATED not in FOLLOWS[state_of(last, at=writing.at).status]:
        return
    append_ending(log, writing, person.number, purpose_id, event, ConsentStatus.INVALIDATED)


def _record(index: int, payload: Payload) -> RightRecord:
    body = payload.body
    return RightRecord(
        index=index,
        at=parse_time(payload.at),
        right=Right(body["right"]),
        purposes=tuple(body["purposes"]),
        processing=tuple(body["processing"]),
        categories=tuple(body["categories"]),
        ground=body["ground"],
        answer=RightAnswer(body["answer"]),
        reason=body["reason"],
        corrects=body["corrects"],
    )
