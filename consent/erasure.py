"""Erasing people: their openings, keys, values and statuses go; every proof of everybody else still verifies.

The steps, all in one transaction except where said, for one person or for thousands:
  1. the people's slot hashes of every run (both trees) are stored, so that the roots can be recomputed without them;
  2. their statuses in the runs' chunks become 0x00;
  3. rows and wrapped keys of the classes that are not kept are deleted, and the link from external id to number;
  4. the erasures' entries are appended, each payload under a key of its own class;
  5. the journal outside the database is written and synced: from here on the erasure happens, also after a crash or a
     restore (it is replayed when the ledger is opened for writing);
  6. files about the people that lie in the home are deleted (consent/house_files.py);
  7. commit, checkpoint;
  8. VACUUM and an empty write-ahead log: freed bytes leave the database's files.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from consent import (
    erasure_rows,
    house_files,
    sealed_people,
    store_consents,
    store_erasure,
    store_log,
    store_people,
    store_uses,
)
from consent.canonical import encode, format_time
from consent.entries import Payload
from consent.erasure_decision import Decision, receipt_bytes, receipt_of
from consent.erasure_grounds import to_weigh
from consent.erasure_journal import JournalLine, append_lines, subject_digest, verified_lines
from consent.errors import BadRequestError, RequestConflictError
from consent.keys import KEY_BYTES
from consent.pseudonym import keyed_digest
from consent.receipt import open_payload
from consent.records import ErasureReceipt
from consent.repeated import check_same
from consent.return_rule import tombstone
from consent.store_people import Person
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from consent.home import Home
    from consent.log import Log
    from consent.writing import Writing

BATCH = 5_000
"""Most people of one transaction; while it runs nobody else writes."""


class Target(NamedTuple):
    """Whom to erase, and by which request."""

    person: Person
    request: bytes
    fingerprint: bytes | None = None
    no_return: bytes | None = None
    unreadable_by: date | None = None


def foresee(log: Log, people: Sequence[str], decision: Decision) -> list[ErasureReceipt | None]:
    """The dry run: what would be erased of each, and what speaks for keeping something; None: not on record."""
    pseudonyms = check_list(log, people)
    now = log.now()
    with log.store.read() as connection:
        found = sealed_people.by_pseudonym(log.vault, connection, pseudonyms)
        known = list(found.values())
        if not known:
            return [None] * len(people)
        counted = erasure_rows.count(connection, known, decision)
        purposes = store_consents.purposes(connection)
        about = store_erasure.payload_indices(connection, [person.number for person in known])
        receipts = {}
        for person in known:
            payloads = [
                Payload.parse(open_payload(log, connection, index)[2])
                for index in about.get(person.number, ())
            ]
            receipts[person.number] = replace(
                _receipt(decision, now, counted[person.number], log.keks.promise(now)),
                dry_run=True,
                weigh=to_weigh(payloads, purposes),
            )
    return [receipts[found[each].number] if each in found else None for each in pseudonyms]


def erase(
    log: Log,
    home: Home,
    people: Sequence[str],
    decision: Decision,
    requests: Sequence[bytes] | None,
) -> list[ErasureReceipt | None]:
    """Steps 1 to 6 and the commit, in one transaction; checkpoint and reclaiming are the caller's.

    Args:
        log: The log.
        home: Where journal and receipts are.
        people: External ids.
        decision: What is erased and kept.
        requests: Request ids as stored, aligned with `people`; None: random ones.

    Returns:
        Aligned with `people`: the receipts, whose `bytes_freed` is False yet; None for who is not on record.

    Raises:
        RequestConflictError: A request id was used for something else, or for somebody else.
    """
    pseudonyms = check_list(log, people)
    fingerprint = log.fingerprint(
        b"erase", encode(decision.value()), *([b"no-return"] if decision.no_return else [])
    )
    asked = requests or [os.urandom(16) for _ in people]
    with log.writing() as writing:
        connection = writing.connection
        earlier = store_log.answered(connection, asked) if requests else {}
        found = sealed_people.by_pseudonym(log.vault, connection, pseudonyms)
        stored = store_erasure.erasure_receipts(connection, [each.idx for each in earlier.values()])
        results: list[ErasureReceipt | None] = []
        targets: dict[int, Target] = {}
        for position, (pseudonym, request) in enumerate(zip(pseudonyms, asked, strict=True)):
            person = found.get(pseudonym)
            if request in earlier:
                check_same(log.vault, connection, earlier[request], fingerprint)
                if person is not None:
                    # A receipt of somebody else's erasure, or of an earlier one of theirs, would be a lie.
                    raise RequestConflictError(
                        "the request id was used before, and the person is on record",
                        "give every request an id of its own",
                    )
                idx = earlier[request].idx
                results.append(receipt_of(stored[idx], idx))
                continue
            results.append(None)
            if person is not None:
                stone = tombstone(log.pseudonym_key, pseudonym) if decision.no_return else None
                targets[position] = Target(person, request, fingerprint, stone)
        if targets:
            aimed = list(targets.values())
            receipts = destroy(log, writing, aimed, decision)
            append_lines(home.erasure_journal, _lines(log.pseudonym_key, aimed, receipts, decision))
            house_files.delete_copies(home, {target.person.subject for target in aimed})
            for position, receipt in zip(targets, receipts, strict=True):
                results[position] = receipt
    return results


def requests_of(log: Log, request_id: str | None, first: int, count: int) -> list[bytes] | None:
    """Request ids of the people of a list, by their places: they recognise a place, and say nothing of a person."""
    request = log.request(request_id)
    if request is None:
        return None
    places = range(first, first + count)
    return [
        keyed_digest(log.pseudonym_key, b"erase-n", request, place.to_bytes(4, "big")) for place in places
    ]


def destroy(
    log: Log, writing: Writing, targets: Sequence[Target], decision: Decision
) -> list[ErasureReceipt]:
    """Steps 1 to 4; the receipts, aligned with `targets`."""
    connection = writing.connection
    people = [target.person for target in targets]
    counted = erasure_rows.count(connection, people, decision)
    about = erasure_rows.destroy(log, connection, people, decision)
    receipts: list[ErasureReceipt] = []
    erased: dict[int, int] = {}
    openings: dict[int, int] = {}
    for target in targets:
        number = target.person.number
        by = target.unreadable_by or log.keks.promise(writing.at)
        key = os.urandom(KEY_BYTES)
        writing.add_key(number, RetentionClass.ERASURE, key)
        body = {"backups_unreadable_by": by.isoformat(), "classes": [item.value for item in decision.erased]}
        index = writing.personal(
            "erasure",
            target.person,
            key,
            {
                **body,
                "ground": decision.ground,
                "kept": [item.value for item in decision.kept],
                "kept_why": decision.kept_why,
            },
            retention=RetentionClass.ERASURE,
            request=target.request,
            fingerprint=target.fingerprint,
        )
        erased[number] = index
        openings.update(dict.fromkeys(about.get(number, ()), index))
        receipts.append(replace(_receipt(decision, writing.at, counted[number], by), index=index))
    store_people.forget(connection, erased, log.pseudonym_key)
    if RetentionClass.EVIDENCE in decision.erased:
        store_erasure.note_erased_openings(connection, openings, log.pseudonym_key)
    rows = [
        (
            receipt.index or 0,
            target.person.number,
            receipt_bytes(receipt, tombstone=target.no_return is not None),
        )
        for receipt, target in zip(receipts, targets, strict=True)
    ]
    store_erasure.insert_erasures(connection, rows, log.pseudonym_key)
    return receipts


def replay(log: Log, home: Home) -> int:
    """Erase again whoever the journal names and the database still holds: after a crash between steps 5 and 7, or a restore.

    Returns:
        How many.

    Raises:
        LedgerDamagedError: A line of the journal does not verify; nothing was written (exit 3).
    """
    lines = {line.request: line for line in verified_lines(home.erasure_journal, log.pseudonym_key)}
    with log.store.read() as connection:
        pending = waiting(connection, list(lines.values()))
    if not pending:
        return 0
    beyond = log.shrunk_from()
    if beyond is not None:
        return _replay_without_entries(log, home, pending, beyond)
    done = 0
    with log.writing() as writing:
        for decision, targets in waiting(writing.connection, list(lines.values())).items():
            destroy(log, writing, targets, decision)
            house_files.delete_copies(home, {target.person.subject for target in targets})
            done += len(targets)
    return done


def _replay_without_entries(log: Log, home: Home, pending: dict[Decision, list[Target]], beyond: int) -> int:
    with log.store.write() as connection:
        return destroy_without_entries(log, home, connection, pending, beyond)


def destroy_without_entries(
    log: Log, home: Home, connection: Connection, pending: dict[Decision, list[Target]], beyond: int
) -> int:
    """In a database older than its last checkpoint nothing may be appended, but nobody erased may come back either.

    The rows say that they were erased at an index beyond the log, and the check says so too, until the newer database
    is put back or the log is filled again from its published copy (consent/refill.py).
    """
    done = 0
    for decision, targets in pending.items():
        people = [target.person for target in targets]
        about = erasure_rows.destroy(log, connection, people, decision)
        if RetentionClass.EVIDENCE in decision.erased:
            openings = {index: beyond for indices in about.values() for index in indices}
            store_erasure.note_erased_openings(connection, openings, log.pseudonym_key)
        store_people.forget(
            connection, dict.fromkeys((person.number for person in people), beyond), log.pseudonym_key
        )
        house_files.delete_copies(home, {person.subject for person in people})
        done += len(people)
    return done


def purge(log: Log, now: int) -> int:
    """Delete kept values past their time; returns how many."""
    with log.store.read() as connection:
        due = store_uses.runs_past(connection, now)
    if not due:
        return 0
    with log.store.write() as connection:
        return sum(store_uses.purge_values(connection, run, log.pseudonym_key) for run in due)


def waiting(connection: Connection, lines: Sequence[JournalLine]) -> dict[Decision, list[Target]]:
    """Whom the journal names, the database still holds, and no entry of that request erased; by decision."""
    answered = store_log.answered(connection, [line.request for line in lines])
    unanswered = [line for line in lines if line.request not in answered]
    living = store_erasure.living(connection, [line.number for line in unanswered])
    found: dict[Decision, list[Target]] = {}
    for line in unanswered:
        subject, enrolled = living.get(line.number, (b"", 0))
        # A number may be somebody else's in a database that lost its end: the subject id tells.
        if subject_digest(subject) != line.subject:
            continue
        del living[line.number]
        decision = Decision.of_value(line.decision, no_return=line.no_return is not None)
        by = None if line.unreadable_by is None else date.fromisoformat(line.unreadable_by)
        target = Target(Person(line.number, subject, enrolled), line.request, unreadable_by=by)
        found.setdefault(decision, []).append(target)
    return found


def _lines(
    key: bytes, targets: Sequence[Target], receipts: Sequence[ErasureReceipt], decision: Decision
) -> list[JournalLine]:
    return [
        JournalLine(
            at=format_time(receipt.at),
            request=target.request,
            number=target.person.number,
            subject=subject_digest(target.person.subject),
            decision=decision.value(),
            unreadable_by=receipt.backups_unreadable_by.isoformat(),
            no_return=target.no_return,
        ).sealed(key)
        for target, receipt in zip(targets, receipts, strict=True)
    ]


def check_list(log: Log, people: Sequence[str]) -> list[bytes]:
    """The pseudonyms of a list in which nobody stands twice.

    Raises:
        BadRequestError: Somebody does, or an id is none.
    """
    pseudonyms = [log.pseudonym(person) for person in people]
    seen: dict[bytes, int] = {}
    for position, each in enumerate(pseudonyms, 1):
        if each in seen:
            raise BadRequestError(
                f"the list names the same person twice, at places {seen[each]} and {position}",
                "leave one of them out",
            )
        seen[each] = position
    return pseudonyms


def _receipt(
    decision: Decision, at: datetime, counted: erasure_rows.Counted, unreadable_by: date
) -> ErasureReceipt:
    return ErasureReceipt(
        index=None,
        at=at,
        ground=decision.ground,
        erased=decision.erased,
        kept=decision.kept,
        kept_why=decision.kept_why,
        payloads=counted.payloads,
        details=counted.details,
        runs=counted.runs,
        values=counted.values,
        backups_unreadable_by=unreadable_by,
        bytes_freed=False,
        dry_run=False,
        no_return=decision.no_return,
    )
