"""Consents that end without an answer: found invalid (GDPR 16), or run out, which is noted in the log by a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_consents
from consent.entries import Payload
from consent.receipt import class_key, open_payload
from consent.state import state_of
from consent.store_people import Person
from consent.vocabulary import ConsentStatus, RetentionClass

if TYPE_CHECKING:
    from consent.log import Log
    from consent.records import ConsentEvent
    from consent.writing import Writing

BATCH = 1_000
"""Events of one transaction, as in `consent.consenting`."""


def append_ending(
    log: Log, writing: Writing, number: int, purpose_id: str, event: ConsentEvent, status: ConsentStatus
) -> int:
    """Append that a consent ended, in the words of the consent itself; returns the index.

    Args:
        log: The log.
        writing: The transaction.
        number: Whose consent it is.
        purpose_id: Id of the purpose.
        event: The consent that ends.
        status: `EXPIRED` or `INVALIDATED`.

    Raises:
        KeyMissingError: The consent's opening is erased or broken.
    """
    ended = Payload.parse(open_payload(log, writing.connection, event.index)[2])
    key = class_key(log, writing.connection, number, RetentionClass.EVIDENCE)
    index = writing.personal(
        "consent",
        Person(number, ended.subject, -1),
        key,
        {**ended.body, "expires": None, "status": status.value},
        purpose=ended.purpose,
        purpose_version=ended.purpose_version,
    )
    writing.project_event(
        {
            "idx": index,
            "number": number,
            "purpose": purpose_id,
            "purpose_version": event.purpose_version,
            "notice_version": event.notice_version,
            "status": status.code,
            "processing": event.processing,
            "expires": None,
        }
    )
    return index


def run_out(log: Log) -> dict[str, int]:
    """How many consents have run out and are not noted yet, by purpose id; nothing is written."""
    with log.store.read() as connection:
        found = store_consents.run_out(connection, at=store_consents.epoch(log.now()))
    counts: dict[str, int] = {}
    for _, purpose_id in found:
        counts[purpose_id] = counts.get(purpose_id, 0) + 1
    return dict(sorted(counts.items()))


def note_run_out(log: Log) -> dict[str, int]:
    """Note in the log which consents have run out; the checkpoint is the caller's.

    It changes no answer: a consent permits nothing from its last second on, noted or not. What was noted is not found again, so
    a repetition after a failure goes on where it stopped. An answer given meanwhile stands.

    Returns:
        How many were noted now, by purpose id.
    """
    with log.store.read() as connection:
        found = store_consents.run_out(connection, at=store_consents.epoch(log.now()))
    counts: dict[str, int] = {}
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        with log.writing() as writing:
            last = store_consents.last_events(writing.connection, {number for number, _ in batch})
            for number, purpose_id in batch:
                event = last.get((number, purpose_id))
                if event is None or not event.status.permits:
                    continue
                if state_of(event, at=writing.at).status is not ConsentStatus.EXPIRED:
                    continue
                append_ending(log, writing, number, purpose_id, event, ConsentStatus.EXPIRED)
                counts[purpose_id] = counts.get(purpose_id, 0) + 1
    return dict(sorted(counts.items()))
