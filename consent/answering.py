"""What recording an answer asks of the ledger: its scope, whose word stands, and keys for its details."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consent import representing, store_consents, store_log, store_people
from consent.entries import Payload
from consent.errors import BadRequestError
from consent.reading import person_of
from consent.receipt import class_key, open_payload
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, RetentionClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from consent.canonical import JSON
    from consent.log import Log
    from consent.records import ConsentEvent, ConsentRequest, Purpose
    from consent.store_people import Person
    from consent.writing import Writing


def scope_of(
    log: Log, writing: Writing, item: ConsentRequest, purpose: Purpose, last: ConsentEvent | None
) -> tuple[list[str], list[str]]:
    """Processing and categories that an answer is about, sorted.

    A renewal that names none has those of the consent renewed: it never widens.

    Raises:
        BadRequestError: Something named is not of the purpose, or nothing is named.
    """
    processing, categories = purpose.processing, purpose.categories
    if (
        item.status is ConsentStatus.RENEWED
        and last is not None
        and None in (item.processing, item.categories)
    ):
        writing.write_pending()
        body = Payload.parse(open_payload(log, writing.connection, last.index)[2]).body
        processing, categories = body["processing"], body["categories"]
    return (
        _subset("processing", item.processing, purpose.processing, processing),
        _subset("category", item.categories, purpose.categories, categories),
    )


def check_scope(item: ConsentRequest, purpose: Purpose) -> None:
    """Refuse what `scope_of` would refuse, before anything is written.

    Raises:
        BadRequestError: Something named is not of the purpose, or nothing is named.
    """
    _subset("processing", item.processing, purpose.processing, purpose.processing)
    _subset("category", item.categories, purpose.categories, purpose.categories)


def _subset(
    what: str, named: Sequence[str] | None, whole: Sequence[str], default: Sequence[str]
) -> list[str]:
    if named is None:
        return sorted(default)
    if not named or not set(named) <= set(whole):
        raise BadRequestError(
            f"the answer names a {what} that is none of the purpose's, or names nothing",
            f"name some of {', '.join(whole)}",
        )
    return sorted(set(named))


def own_no(log: Log, writing: Writing, item: ConsentRequest, person: Person | None) -> ConsentStatus | None:
    """The young person's own no to this purpose where it stands; looked for only when a guardian says yes."""
    if person is None or not _asks_for_own_no(item):
        return None
    writing.write_pending()
    return representing.standing_own_no(_words(log, writing.connection, person, item.purpose_id))


def own_no_on_record(log: Log, item: ConsentRequest) -> ConsentStatus | None:
    """The same from what is on record, before anything is written."""
    if not _asks_for_own_no(item):
        return None
    with log.store.read() as connection:
        person = person_of(log, connection, item.person)
        if person is None:
            return None
        return representing.standing_own_no(_words(log, connection, person, item.purpose_id))


def _asks_for_own_no(item: ConsentRequest) -> bool:
    return item.given_by is GivenBy.GUARDIAN and item.status.permits and item.own_say is not OwnSay.AGREED


def _words(
    log: Log, connection: Connection, person: Person, purpose_id: str
) -> Iterator[tuple[ConsentStatus, GivenBy, OwnSay | None]]:
    for event in reversed(store_consents.events_of(connection, person.number).get(purpose_id, [])):
        payload = Payload.parse(open_payload(log, connection, event.index)[2])
        own_say = None
        for name, sealed in store_log.sealed_details(connection, event.index):
            if name == representing.DETAIL_OWN_SAY:
                key = class_key(log, connection, person.number, RetentionClass.DETAIL)
                own_say = OwnSay(json.loads(log.vault.open_detail(key, event.index, name, sealed)[1]))
        yield event.status, GivenBy(payload.body["given_by"]), own_say


def detail_key(log: Log, writing: Writing, person: Person) -> bytes:
    """The person's key of the class detail, also when they were enrolled in this transaction.

    Raises:
        BadRequestError: It was erased: nothing can be kept beside their answers any more.
    """
    writing.write_pending()
    rows = store_people.wrapped_keys(writing.connection, RetentionClass.DETAIL.code, [person.number])
    if not rows:
        raise BadRequestError(
            "the person's key for details was erased", "record the answer without representation and own say"
        )
    return log.vault.unwrap(person.number, RetentionClass.DETAIL, rows[0][1])


def more_words(item: ConsentRequest) -> dict[str, JSON]:
    """What a request asks for beyond the usual, for its fingerprint; ages are in none."""
    found: dict[str, JSON] = dict(representing.details_of(item))
    if item.processing is not None:
        found["processing"] = sorted(item.processing)
    if item.categories is not None:
        found["categories"] = sorted(item.categories)
    return found
