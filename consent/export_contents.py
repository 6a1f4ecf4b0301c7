"""What the ledger holds about one person, as one JSON document: for access (GDPR 15) all of it, for portability (20) what they provided.

Read and arranged, nothing is computed anew, and nothing written. The document holds no fractions (they are texts), so that it
has canonical bytes and a digest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent import (
    answers,
    export_words,
    lost_runs,
    store_consents,
    store_limits,
    store_log,
    store_people,
    store_uses,
    use_reading,
    why,
)
from consent.canonical import b64u, digest, format_time, parse_time
from consent.entries import Payload
from consent.errors import ConsentEvidenceError, LedgerDamagedError, UnknownPersonError
from consent.purposes import document
from consent.purposing import newest
from consent.reading import consents, permitted, person_of
from consent.receipt import class_key, open_payload
from consent.records import Permitted
from consent.representing import DETAIL_OWN_SAY, DETAIL_REPRESENTATION, DETAIL_SIGNED_ON
from consent.right_words import right as right_words
from consent.vocabulary import ConsentStatus, GivenBy, RetentionClass, Right
from consent.witnessed import witnesses_of_log
from consent.words import not_proved, pick
from consent.words import status as status_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from consent.limits import Limitation
    from consent.log import Log
    from consent.purposing import Purposes
    from consent.records import Purpose
    from consent.store_people import Person
    from consent.uses import UseView

EXPORTED = "export"
"""The detail of a `right` entry that says what an export gave: digest of the content, size of the log, time."""
_PROVIDED = frozenset(
    {ConsentStatus.GIVEN, ConsentStatus.RENEWED, ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN}
)
"""What a person says; the other events are the controller's, or time's."""
_NOT_PROVIDED = frozenset({Right.ERASURE_REFUSED})


@dataclass(frozen=True)
class _Opened:
    """One entry about the person, opened."""

    index: int
    salt: bytes
    text: bytes
    payload: Payload
    details: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)

    def detail(self, name: str) -> Any:
        """A detail's value; None where there is none (any more)."""
        return json.loads(self.details[name][1]) if name in self.details else None


def of_access(log: Log, person: str, *, size: int, at: datetime, language: str) -> dict[str, Any]:
    """Everything that the ledger holds about a person, as known at a size of the log.

    Args:
        log: The log.
        person: The external id; it is not in the document.
        size: Only entries with a smaller index count.
        at: The instant at which states are told.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        JSON values without fractions; docs/schemas/export.schema.json, `access`.

    Raises:
        UnknownPersonError: Nothing is on record.
        KeyMissingError: An opening is erased or broken.
        LedgerDamagedError: What opens is not what the log commits to.
    """
    records = consents(log, person, at=at, as_of=size)
    states = [
        {**answers.consent(each, language), "permit": _permits(log, person, each.purpose, at, size)}
        for each in records
    ]
    views = [view for view in use_reading.uses(log, person) if view.index < size]
    lost = [lost_runs.answer(each, language) for each in lost_runs.lost_runs(log) if each.index < size]
    with log.store.read() as connection:
        found, opened = _entries(log, connection, person, size)
        limitations = [each for each in store_limits.of_person(connection, found.number) if each.index < size]
        purposes = store_consents.purposes(connection, size=size)
        told = [_use(log, connection, found, view, language) for view in views]
        kept = [_kept(connection, found, retention, opened, language) for retention in RetentionClass]
    concerned = {(each["purpose"], each["purpose_version"]) for each in told}
    concerned |= {(one.payload.purpose or "", one.payload.purpose_version or 0) for one in opened}
    concerned |= {(purpose.id, purpose.version) for purpose in newest(purposes).values()}
    return {
        **_head(log, found, Right.ACCESS, size=size, at=at, language=language),
        "consents": [_consent(one, purposes, language) for one in opened if one.payload.kind == "consent"],
        "entries": [_entry(one) for one in opened],
        "information": {
            "complaint": pick(export_words.COMPLAINT, language),
            "not_proved": [
                *(each["words"] for each in lost),
                *not_proved(language, witnesses_of_log(log)),
            ],
            "rights": pick(export_words.RIGHTS, language),
            "source": pick(export_words.SOURCE, language),
        },
        "limitations": [_limitation(each) for each in limitations],
        "purposes": [_purpose(purposes[key]) for key in sorted(concerned & purposes.keys())],
        "retention": [each for each in kept if each["key_kept"] or each["entries"]],
        "rights": [_right(one, language) for one in opened if one.payload.kind == "right"],
        "states": states,
        "uses": told,
    }


def of_portability(log: Log, person: str, *, size: int, at: datetime, language: str) -> dict[str, Any]:
    """What the person provided, or somebody for them: their answers and the rights that they exercised.

    Arguments and errors as of `of_access`. What was derived (states, results of runs, contributions) is not in it, nor what the
    controller said; for those there is access.
    """
    with log.store.read() as connection:
        found, opened = _entries(log, connection, person, size)
        purposes = store_consents.purposes(connection, size=size)
    answered = [one for one in opened if one.payload.kind == "consent"]
    asked = [one for one in opened if one.payload.kind == "right"]
    return {
        **_head(log, found, Right.PORTABILITY, size=size, at=at, language=language),
        "consents": [
            _consent(one, purposes, language)
            for one in answered
            if ConsentStatus(one.payload.body["status"]) in _PROVIDED
        ],
        "rights": [
            {
                key: value
                for key, value in _right(one, language).items()
                if key not in ("answer", "reason", "given", "ground")
            }
            for one in asked
            if Right(one.payload.body["right"]) not in _NOT_PROVIDED
        ],
    }


def _entries(log: Log, connection: Connection, person: str, size: int) -> tuple[Person, list[_Opened]]:
    found = person_of(log, connection, person)
    if found is None:
        raise UnknownPersonError(
            "the person is not on record", "check the id; nothing is kept of unknown people"
        )
    opened = []
    for index in store_log.payload_indices(connection, found.number):
        if index >= size:
            continue
        _, salt, text = open_payload(log, connection, index)
        details = {}
        for name, sealed in store_log.sealed_details(connection, index):
            key = class_key(log, connection, found.number, RetentionClass.DETAIL)
            detail_salt, value = log.vault.open_detail(key, index, name, sealed)
            details[name] = (detail_salt, value.decode())
        opened.append(_Opened(index, salt, text, Payload.parse(text), details))
    return found, opened


def _head(
    log: Log, person: Person, right: Right, *, size: int, at: datetime, language: str
) -> dict[str, Any]:
    return {
        "as_of": {"at": format_time(at), "size": size},
        "language": language,
        "origin": log.origin,
        "person": {"enrolled": person.enrolled, "number": person.number, "subject": b64u(person.subject)},
        "right": right.value,
        "trust_root": log.trust.pin,
    }


def _entry(one: _Opened) -> dict[str, Any]:
    """The opening: with it anybody who has the log can check that this is what the log commits to."""
    return {
        "at": one.payload.at,
        "details": {
            name: {"salt": b64u(salt), "value": value} for name, (salt, value) in one.details.items()
        },
        "index": one.index,
        "kind": one.payload.kind,
        "payload": one.text.decode(),
        "salt": b64u(one.salt),
    }


def _consent(one: _Opened, purposes: Purposes, language: str) -> dict[str, Any]:
    body, payload = one.payload.body, one.payload
    purpose = purposes.get((payload.purpose or "", payload.purpose_version or 0))
    texts = {(each.notice.id, each.notice.version): each.notice.texts for each in purposes.values()}
    text = texts.get((body["notice"], body["notice_version"]), {}).get(body["language"])
    if purpose is None or text is None or digest(text.encode()) != body["notice_digest"]:
        raise LedgerDamagedError(
            f"the notice that the consent in entry {one.index} names is not there as it was shown",
            "run `luvalla ledger check`",
        )
    status = ConsentStatus(body["status"])
    return {
        "at": payload.at,
        "categories": list(body["categories"]),
        "expires": body["expires"],
        "given_by": body["given_by"],
        "index": one.index,
        "language": body["language"],
        "legal_basis": purpose.legal_basis,
        "method": body["method"],
        "notice": {
            "digest": body["notice_digest"],
            "id": body["notice"],
            "text": text,
            "version": body["notice_version"],
        },
        "own_say": one.detail(DETAIL_OWN_SAY),
        "processing": list(body["processing"]),
        "purpose": payload.purpose,
        "purpose_version": payload.purpose_version,
        "represented": GivenBy(body["given_by"]) in (GivenBy.GUARDIAN, GivenBy.AUTHORISED_REPRESENTATIVE),
        "representation": one.detail(DETAIL_REPRESENTATION),
        "signed_on": one.detail(DETAIL_SIGNED_ON),
        "status": status.value,
        "status_term": status.iri,
        "status_words": status_words(status, language),
        "title": pick(purpose.title, language),
    }


def _right(one: _Opened, language: str) -> dict[str, Any]:
    body = one.payload.body
    return {
        "answer": body["answer"],
        "at": one.payload.at,
        "categories": list(body["categories"]),
        "corrects": body["corrects"],
        "given": one.detail(EXPORTED),
        "ground": body["ground"],
        "index": one.index,
        "processing": list(body["processing"]),
        "purposes": list(body["purposes"]),
        "reason": body["reason"],
        "right": body["right"],
        "right_words": right_words(body["right"], language),
    }


def _limitation(each: Limitation) -> dict[str, Any]:
    return {
        "at": format_time(each.at),
        "categories": list(each.categories),
        "index": each.index,
        "processing": list(each.processing),
        "purposes": list(each.purposes),
        "right": each.right.value,
    }


def _permits(log: Log, person: str, purpose: Purpose, at: datetime, size: int) -> dict[str, str]:
    """For each processing of a purpose: `permitted`, or the word of the status byte that a run would record."""
    said = {}
    for word in purpose.processing:
        decision = permitted(log, person, purpose.id, word, at=at, as_of=size)
        said[word] = "permitted" if isinstance(decision, Permitted) else decision.status.word
    return said


def _use(log: Log, connection: Connection, person: Person, view: UseView, language: str) -> dict[str, Any]:
    run = use_reading.find_run(connection, view.run)
    values = use_reading.open_value(log, connection, view.run, person.number) if view.values_kept else None
    text = store_uses.explanation_of(connection, view.run)
    told = answers.use(view, language)
    try:
        answer = why.explain(
            values,
            None if text is None else json.loads(text),
            code=view.status,
            processing=view.processing,
            controller=view.controller,
            language=language,
        )
    except ConsentEvidenceError:
        reasons = None  # what was kept is given all the same; that it does not fit is for the check to say
    else:
        reasons = answers.why(answer, view, full=True)
        del reasons["use"], reasons["strongest"]
    return {
        **told,
        "status_byte": int(view.status),
        "values": None if not values else values.decode(),
        "values_until": None
        if not values or run.values_until is None
        else format_time(store_consents.moment(run.values_until)),
        "why": _without_fractions(reasons),
    }


def _without_fractions(value: Any) -> Any:
    """The same with each fraction as the text that JSON would have for it."""
    if isinstance(value, float):
        return json.dumps(value)
    if isinstance(value, dict):
        return {key: _without_fractions(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_fractions(each) for each in value]
    return value


def _purpose(purpose: Purpose) -> dict[str, Any]:
    whole = document(purpose)
    whole["notice"] = {**whole["notice"], "texts": dict(purpose.notice.texts)}
    return whole


def _kept(
    connection: Connection,
    person: Person,
    retention: RetentionClass,
    opened: Sequence[_Opened],
    language: str,
) -> dict[str, Any]:
    """One retention class: whether its key is kept, how many entries (or details) it opens, and how long that lasts."""
    details = sum(len(one.details) for one in opened)
    erasures = sum(one.payload.kind == "erasure" for one in opened)
    entries = {
        RetentionClass.EVIDENCE: len(opened) - erasures,
        RetentionClass.DETAIL: details,
        RetentionClass.ERASURE: erasures,
    }
    return {
        "class": retention.value,
        "entries": entries.get(retention, 0),
        "key_kept": bool(store_people.wrapped_keys(connection, retention.code, [person.number])),
        "until_words": export_words.kept(retention.value, language),
    }


def exported_of(
    log: Log, connection: Connection, number: int, index: int
) -> tuple[str, int, datetime] | None:
    """Digest, size and time that an earlier export recorded; None where that detail is erased."""
    for name, sealed in store_log.sealed_details(connection, index):
        if name == EXPORTED:
            key = class_key(log, connection, number, RetentionClass.DETAIL)
            value = json.loads(log.vault.open_detail(key, index, name, sealed)[1])
            return value["digest"], value["size"], parse_time(value["at"])
    return None
