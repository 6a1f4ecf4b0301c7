"""Erasing one person: their openings, keys, values and statuses go; every proof of everybody else still verifies.

The steps, all in one transaction except where said:
  1. the person's slot hashes of every run (both trees) are stored, so that the roots can be recomputed without them;
  2. their statuses in the runs' chunks become 0x00;
  3. rows and wrapped keys of the classes that are not kept are deleted, and the link from external id to number;
  4. the erasure's entry is appended, its payload under a key of its own class;
  5. the journal outside the database is written and synced: from here on the erasure happens, also after a crash or a
     restore (it is replayed when the ledger is opened for writing);
  6. commit, checkpoint;
  7. VACUUM and an empty write-ahead log: freed bytes leave the database's files.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from consent import store_consents, store_limits, store_log, store_people, store_uses
from consent.canonical import encode, format_time, parse_time, use_salt, use_slot, values_salt, values_slot
from consent.erasure_journal import JournalLine, append_line, read_lines, subject_digest
from consent.errors import BadRequestError, LedgerDamagedError, UnknownPersonError
from consent.keys import KEY_BYTES
from consent.log import check_same_request
from consent.reading import person_of
from consent.records import ErasureReceipt
from consent.row_mac import with_mac
from consent.store_people import Person
from consent.use_reading import open_statuses, open_value, use_key
from consent.use_values import CHUNK, deflated
from consent.vocabulary import ERASABLE, RetentionClass, UseStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sqlalchemy import Connection

    from consent.log import Log
    from consent.writing import Writing

BACKUP_DAYS = 30
"""Days until backups and copies of the key-encryption key are gone or rotated (design, "Keys and erasure": at most 30)."""
MAX_GROUND = 200


@dataclass(frozen=True)
class Decision:
    """What is to be erased, by a recorded decision.

    Attributes:
        ground: The legal ground.
        erased: Classes destroyed.
        kept: Classes kept.
        kept_why: Why; None when nothing is kept.
    """

    ground: str
    erased: tuple[RetentionClass, ...]
    kept: tuple[RetentionClass, ...]
    kept_why: str | None


def decide(ground: str, keep: Collection[RetentionClass], kept_why: str | None) -> Decision:
    """The decision of a request.

    Raises:
        BadRequestError: No ground, a class that cannot be kept, everything kept, or something kept without a reason.
    """
    for text in (ground, kept_why or "-"):
        if not text.strip() or len(text) > MAX_GROUND or not text.isprintable():
            raise BadRequestError(
                f"the ground and the reason must be 1 to {MAX_GROUND} printable characters",
                "name e.g. eu-gdpr:A17-1-b",
            )
    kept = tuple(item for item in ERASABLE if item in keep)
    if len(kept) != len(set(keep)):
        raise BadRequestError(
            "a class that cannot be kept was named", f"use {', '.join(item.value for item in ERASABLE)}"
        )
    if bool(kept) != bool(kept_why):
        raise BadRequestError(
            "classes are kept without a reason, or a reason is given and nothing kept",
            "say which of GDPR 17(3) holds",
        )
    erased = tuple(item for item in ERASABLE if item not in kept)
    if not erased:
        raise BadRequestError(
            "everything would be kept: that is no erasure", "record the refusal of the request instead"
        )
    return Decision(ground, erased, kept, kept_why)


def foresee(log: Log, person: str, decision: Decision) -> ErasureReceipt:
    """The dry run: what would be erased."""
    with log.store.read() as connection:
        found = _known(person_of(log, connection, person))
        return _count(connection, found, decision, log.now(), dry_run=True)


def erase(log: Log, journal: Path, person: str, decision: Decision, request_id: str | None) -> ErasureReceipt:
    """Steps 1 to 5 and the commit; checkpoint and reclaiming are the caller's.

    Returns:
        The receipt; `bytes_freed` is False yet.
    """
    request = log.request(request_id)
    fingerprint = log.fingerprint(b"erase", encode(_decision_value(decision)))
    with log.writing() as writing:
        earlier = None if request is None else store_log.answered(writing.connection, [request]).get(request)
        if earlier is not None:
            check_same_request(earlier, fingerprint)
            return receipt_of(
                store_log.erasure_receipt(writing.connection, earlier.idx) or b"{}", earlier.idx
            )
        found = _known(person_of(log, writing.connection, person))
        request = request or os.urandom(16)
        receipt = destroy(log, writing, found, decision, request, fingerprint)
        line = JournalLine(
            at=format_time(writing.at),
            request=request,
            number=found.number,
            subject=subject_digest(found.subject),
            decision=_decision_value(decision),
        )
        append_line(journal, line)
    return receipt


def destroy(
    log: Log, writing: Writing, person: Person, decision: Decision, request: bytes, fingerprint: bytes | None
) -> ErasureReceipt:
    """Steps 1 to 4."""
    connection = writing.connection
    receipt = _count(connection, person, decision, writing.at, dry_run=False)
    indices = _destroy_rows(log, connection, person, decision)
    key = os.urandom(KEY_BYTES)
    writing.add_key(person.number, RetentionClass.ERASURE, key)
    body = {
        "backups_unreadable_by": receipt.backups_unreadable_by.isoformat(),
        "classes": [item.value for item in decision.erased],
        "ground": decision.ground,
        "kept": [item.value for item in decision.kept],
        "kept_why": decision.kept_why,
    }
    index = writing.personal(
        "erasure",
        person,
        key,
        body,
        retention=RetentionClass.ERASURE,
        request=request,
        fingerprint=fingerprint,
    )
    store_people.forget(connection, person.number, index, log.pseudonym_key)
    if RetentionClass.EVIDENCE in decision.erased:
        store_log.note_erased_openings(connection, indices, index, log.pseudonym_key)
    receipt = replace(receipt, index=index)
    store_log.insert_erasure(connection, index, person.number, _receipt_bytes(receipt), log.pseudonym_key)
    return receipt


def _destroy_rows(log: Log, connection: Connection, person: Person, decision: Decision) -> list[int]:
    """Steps 1 to 3, all but the link from external id to number; returns the entries whose openings were there."""
    if RetentionClass.USE in decision.erased:
        _leave_slots(log, connection, person)
    indices = store_log.payload_indices(connection, person.number)
    store_log.forget_fingerprints(connection, indices, log.pseudonym_key)
    if RetentionClass.EVIDENCE in decision.erased:
        store_log.delete_payloads(connection, person.number, RetentionClass.EVIDENCE.code)
        store_consents.delete_events(connection, person.number)
        store_limits.delete_of(connection, person.number)
    if RetentionClass.DETAIL in decision.erased:
        store_log.delete_details(connection, person.number)
    store_people.delete_keys(connection, person.number, [item.code for item in decision.erased])
    return indices


def replay(log: Log, journal: Path) -> int:
    """Erase again whoever the journal names and the database still holds: after a crash between steps 5 and 6, or a restore.

    Returns:
        How many.
    """
    lines = read_lines(journal)
    # The journal is written under the writers' lock, so its lines are in the order of their commits: the newest
    # suffices when the database has it.
    with log.store.read() as connection:
        pending: list[JournalLine] = []
        for line in reversed(lines):
            if store_log.answered(connection, [line.request]):
                break
            pending.append(line)
    if not pending:
        return 0
    beyond = log.shrunk_from()
    if beyond is not None:
        return _replay_without_entries(log, pending, beyond)
    done = 0
    for line in reversed(pending):
        with log.writing() as writing:
            if store_log.answered(writing.connection, [line.request]):
                continue
            person = _of_line(writing.connection, line)
            if person is None:
                continue
            destroy(log, writing, person, _decision(line.decision), line.request, None)
        done += 1
    return done


def _replay_without_entries(log: Log, pending: list[JournalLine], beyond: int) -> int:
    """In a database older than its last checkpoint nothing may be appended, but nobody erased may come back either.

    The rows say that they were erased at an index beyond the log, and the check says so too, until the newer database
    is put back.
    """
    done = 0
    with log.store.write() as connection:
        for line in pending:
            person = _of_line(connection, line)
            if person is not None:
                _destroy_rows(log, connection, person, _decision(line.decision))
                store_people.forget(connection, person.number, beyond, log.pseudonym_key)
                done += 1
    return done


def purge(log: Log, now: int) -> int:
    """Delete kept values past their time; returns how many."""
    with log.store.read() as connection:
        due = store_uses.runs_past(connection, now)
    if not due:
        return 0
    with log.store.write() as connection:
        return sum(store_uses.purge_values(connection, run, log.pseudonym_key) for run in due)


def receipt_of(text: bytes, index: int) -> ErasureReceipt:
    """A stored receipt again."""
    value = json.loads(text)
    return ErasureReceipt(
        index=index,
        at=parse_time(value["at"]),
        ground=value["ground"],
        erased=tuple(RetentionClass(word) for word in value["erased"]),
        kept=tuple(RetentionClass(word) for word in value["kept"]),
        kept_why=value["kept_why"],
        payloads=value["payloads"],
        details=value["details"],
        runs=value["runs"],
        values=value["values"],
        backups_unreadable_by=date.fromisoformat(value["backups_unreadable_by"]),
        bytes_freed=False,
        dry_run=False,
    )


def _leave_slots(log: Log, connection: Connection, person: Person) -> None:
    """Steps 1 and 2 for every run since the person's enrolment."""
    number = person.number
    position = number % CHUNK
    key = use_key(log, connection, number)
    slots: list[store_log.Row] = []
    blanked: list[tuple[bytes, int, bytes]] = []
    for run in _runs_of(connection, person):
        chunk = store_uses.chunk_of(connection, run.run, number // CHUNK)
        if chunk is None:
            raise LedgerDamagedError("a chunk of a run is missing", "run `luvalla ledger check`")
        statuses = bytearray(open_statuses(chunk.statuses))
        slot_of_values = None
        if run.values_until is not None:
            value = open_value(log, connection, run.run, number) or b""
            slot_of_values = values_slot(run.run, number, values_salt(key, run.run), value)
        slot = use_slot(run.run, number, statuses[position], use_salt(key, run.run))
        slots.append({"run": run.run, "number": number, "slot": slot, "values_slot": slot_of_values})
        if statuses[position] != UseStatus.NOT_IN_RUN:
            statuses[position] = UseStatus.NOT_IN_RUN
            blanked.append((run.run, chunk.chunk, deflated(bytes(statuses))))
        store_uses.cut_values_of(connection, number, run.run, log.pseudonym_key)
    slots_with_macs = [with_mac(log.pseudonym_key, "use_slot", slot) for slot in slots]
    store_uses.insert_slots(connection, slots_with_macs)
    store_uses.update_statuses(connection, blanked, log.pseudonym_key)


def _runs_of(connection: Connection, person: Person) -> list[store_uses.Run]:
    """The runs whose trees have a slot of the person."""
    runs = store_uses.runs_after(connection, person.enrolled)
    return [run for run in runs if run.slots > person.number]


def _count(
    connection: Connection, person: Person, decision: Decision, at: Any, *, dry_run: bool
) -> ErasureReceipt:
    payloads, details = store_log.count_openings(connection, person.number, RetentionClass.EVIDENCE.code)
    runs = values = 0
    if RetentionClass.USE in decision.erased:
        statuses = dict(store_uses.statuses_in_runs(connection, person.number // CHUNK))
        kept = store_uses.runs_with_values_of(connection, person.number)
        for run in _runs_of(connection, person):
            found = run.run in statuses and open_statuses(statuses[run.run])[person.number % CHUNK]
            runs += bool(found)
            values += run.run in kept
    return ErasureReceipt(
        index=None,
        at=at,
        ground=decision.ground,
        erased=decision.erased,
        kept=decision.kept,
        kept_why=decision.kept_why,
        payloads=payloads if RetentionClass.EVIDENCE in decision.erased else 0,
        details=details if RetentionClass.DETAIL in decision.erased else 0,
        runs=runs,
        values=values,
        backups_unreadable_by=(at + timedelta(days=BACKUP_DAYS)).date(),
        bytes_freed=False,
        dry_run=dry_run,
    )


def _of_line(connection: Connection, line: JournalLine) -> Person | None:
    for number, _, subject, enrolled, erased in store_people.people(connection):
        if subject is not None and erased is None and subject_digest(subject) == line.subject:
            return Person(number, subject, enrolled)
    return None


def _known(person: Person | None) -> Person:
    if person is None:
        raise UnknownPersonError(
            "the person is not on record", "check the id; nothing is kept of unknown people"
        )
    return person


def _decision_value(decision: Decision) -> dict[str, Any]:
    return {
        "erased": [item.value for item in decision.erased],
        "ground": decision.ground,
        "kept": [item.value for item in decision.kept],
        "kept_why": decision.kept_why,
    }


def _decision(value: dict[str, Any]) -> Decision:
    return Decision(
        value["ground"],
        tuple(RetentionClass(word) for word in value["erased"]),
        tuple(RetentionClass(word) for word in value["kept"]),
        value["kept_why"],
    )


def _receipt_bytes(receipt: ErasureReceipt) -> bytes:
    return encode(
        {
            "at": format_time(receipt.at),
            "backups_unreadable_by": receipt.backups_unreadable_by.isoformat(),
            "details": receipt.details,
            "erased": [item.value for item in receipt.erased],
            "ground": receipt.ground,
            "kept": [item.value for item in receipt.kept],
            "kept_why": receipt.kept_why,
            "payloads": receipt.payloads,
            "runs": receipt.runs,
            "values": receipt.values,
        }
    )
