"""Acts of the institution, public in full, and acts of its people, public as commitments only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent import sealed_people, store_log
from consent.canonical import encode
from consent.consenting import person_and_keys
from consent.entries import Payload
from consent.errors import BadRequestError
from consent.pseudonym import STAFF_PREFIX
from consent.receipt import open_payload
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.canonical import JSON
    from consent.log import Log

OWN_METHODS = {"purpose": "adopt_purposes", "notice": "adopt_purposes", "run": "append_use"}
"""Kinds with content of their own beside the entry."""


def append_institutional(log: Log, kind: str, body: Mapping[str, Any], request_id: str | None) -> int:
    """See `Ledger.append_institutional`."""
    if kind in OWN_METHODS:
        raise BadRequestError(
            f"an entry of kind {kind} is not appended alone", f"call `Ledger.{OWN_METHODS[kind]}`"
        )
    request = log.request(request_id)
    fingerprint = log.fingerprint(b"institutional", kind.encode(), encode(dict(body)))
    with log.writing() as writing:
        index = log.answered(writing.connection, request, fingerprint)
        if index is None:
            index = writing.institutional(
                kind, body, request=request, fingerprint=fingerprint if request else None
            )
    log.checkpoint()
    return index


def append_act(
    log: Log,
    actor: str,
    act: str,
    *,
    object_digest: str,
    service: str | None,
    details: Mapping[str, JSON],
    request_id: str | None,
) -> int:
    """See `Ledger.append_act`."""
    pseudonym = log.pseudonym(actor if actor.startswith(STAFF_PREFIX) else STAFF_PREFIX + actor)
    request = log.request(request_id)
    body = {"act": act, "object": object_digest, "service": service}
    fingerprint = log.fingerprint(b"act", pseudonym, encode(body), encode(dict(details)))
    with log.writing() as writing:
        index = log.answered(writing.connection, request, fingerprint)
        if index is None:
            person, keys = person_and_keys(log, writing, pseudonym)
            index = writing.personal(
                "act",
                person,
                keys[RetentionClass.EVIDENCE],
                body,
                details=details,
                detail_key=keys[RetentionClass.DETAIL],
                request=request,
                fingerprint=fingerprint if request else None,
            )
    log.checkpoint()
    return index


@dataclass(frozen=True)
class Act:
    """One act of a member of staff or board, as its opening says.

    Attributes:
        index: Index of the entry.
        act: What was done, a word such as `vote`.
        object: `sha256:...` of what it was done to.
        service: Id of the service concerned, or None.
    """

    index: int
    act: str
    object: str
    service: str | None


def acts_of(log: Log, actor: str) -> list[Act]:
    """See `Ledger.acts_of`."""
    pseudonym = log.pseudonym(actor if actor.startswith(STAFF_PREFIX) else STAFF_PREFIX + actor)
    with log.store.read() as connection:
        person = sealed_people.by_pseudonym(log.vault, connection, [pseudonym]).get(pseudonym)
        if person is None:
            return []
        found = []
        for index in store_log.payload_indices(connection, person.number):
            payload = Payload.parse(open_payload(log, connection, index)[2])
            if payload.kind == "act":
                body = payload.body
                found.append(Act(index, str(body["act"]), str(body["object"]), body["service"]))
        return found
