"""What an erasure does to the rows of many people at once; each chunk of a run is rewritten once, whoever is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent import store_consents, store_erasure, store_limits, store_log, store_people, store_uses
from consent.canonical import use_salt, use_slot, values_salt, values_slot
from consent.errors import KeyMissingError, LedgerDamagedError
from consent.keys import open_values
from consent.row_mac import with_mac
from consent.use_reading import open_statuses
from consent.use_values import CHUNK, deflated
from consent.vocabulary import RetentionClass, UseStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.erasure_decision import Decision
    from consent.log import Log
    from consent.store_people import Person

_DAMAGED = "run `luvalla ledger check`"


@dataclass
class Counted:
    """What is kept of one person.

    Attributes:
        payloads: Payloads of the class evidence.
        details: Named details.
        runs: Runs with a status other than "not in the run".
        values: Runs with kept values.
    """

    payloads: int = 0
    details: int = 0
    runs: int = 0
    values: int = 0


def count(connection: Connection, people: Sequence[Person], decision: Decision) -> dict[int, Counted]:
    """What an erasure would destroy of each person, by number."""
    numbers = [person.number for person in people]
    found = {number: Counted() for number in numbers}
    if RetentionClass.EVIDENCE in decision.erased:
        for number, payloads in store_erasure.count_payloads(
            connection, numbers, RetentionClass.EVIDENCE.code
        ):
            found[number].payloads = payloads
    if RetentionClass.DETAIL in decision.erased:
        for number, details in store_erasure.count_details(connection, numbers):
            found[number].details = details
    if RetentionClass.USE in decision.erased:
        _count_uses(connection, people, found)
    return found


def destroy(
    log: Log, connection: Connection, people: Sequence[Person], decision: Decision
) -> dict[int, list[int]]:
    """Steps 1 to 3 of an erasure, all but the link from external id to number; the entries about each, by number."""
    numbers = [person.number for person in people]
    if RetentionClass.USE in decision.erased:
        _leave_slots(log, connection, people)
    about = store_erasure.payload_indices(connection, numbers)
    every = sorted(index for indices in about.values() for index in indices)
    store_log.forget_fingerprints(connection, every, log.pseudonym_key)
    if RetentionClass.EVIDENCE in decision.erased:
        store_erasure.delete_payloads(connection, numbers, RetentionClass.EVIDENCE.code)
        store_consents.delete_events(connection, numbers)
        store_limits.delete_of(connection, numbers)
    if RetentionClass.DETAIL in decision.erased:
        store_erasure.delete_details(connection, numbers)
    store_people.delete_keys(connection, numbers, [item.code for item in decision.erased])
    return about


def _count_uses(connection: Connection, people: Sequence[Person], found: dict[int, Counted]) -> None:
    runs = {run.run: run for run in store_uses.runs_after(connection, _first(people))}
    for chunk, inside in _by_chunk(people).items():
        kept = store_uses.positions_with_values(connection, chunk)
        for run_id, compressed, _ in store_uses.statuses_in_runs(connection, chunk):
            run = runs.get(run_id)
            if run is None:
                continue
            statuses = open_statuses(compressed)
            for person in inside:
                if _has_slot(run, person):
                    position = person.number % CHUNK
                    found[person.number].runs += bool(statuses[position])
                    found[person.number].values += position in kept.get(run_id, ())


def _leave_slots(log: Log, connection: Connection, people: Sequence[Person]) -> None:
    """Steps 1 and 2 for every run since the people's enrolment."""
    wrapped = store_people.wrapped_keys(
        connection, RetentionClass.USE.code, [person.number for person in people]
    )
    keys = log.vault.unwrap_all(RetentionClass.USE, wrapped)
    chunks = _by_chunk(people)
    slots: list[store_log.Row] = []
    blanked: list[tuple[bytes, int, bytes]] = []
    for run in store_uses.runs_after(connection, _first(people)):
        for number, everybody in chunks.items():
            inside = [person for person in everybody if _has_slot(run, person)]
            if not inside:
                continue
            chunk = store_uses.chunk_of(connection, run.run, number)
            if chunk is None:
                raise LedgerDamagedError("a chunk of a run is missing", _DAMAGED)
            statuses = bytearray(open_statuses(chunk.statuses))
            before = bytes(statuses)
            packed = store_uses.values_of_chunk(connection, run.run, number)
            left = dict(packed)
            for person in inside:
                key = keys.get(person.number)
                if key is None:
                    raise KeyMissingError("a use key is missing", _DAMAGED)
                position = person.number % CHUNK
                sealed = left.pop(position, None)
                of_values = None
                if run.values_until is not None:
                    value = b"" if sealed is None else open_values(key, run.run, person.number, sealed)
                    of_values = values_slot(run.run, person.number, values_salt(key, run.run), value)
                slot = use_slot(run.run, person.number, statuses[position], use_salt(key, run.run))
                slots.append(
                    {"run": run.run, "number": person.number, "slot": slot, "values_slot": of_values}
                )
                statuses[position] = UseStatus.NOT_IN_RUN
            if statuses != before:
                blanked.append((run.run, number, deflated(bytes(statuses))))
            if len(left) != len(packed):
                store_uses.replace_values(connection, run.run, number, left, log.pseudonym_key)
    store_uses.insert_slots(connection, [with_mac(log.pseudonym_key, "use_slot", slot) for slot in slots])
    store_uses.update_statuses(connection, blanked, log.pseudonym_key)


def _has_slot(run: store_uses.Run, person: Person) -> bool:
    """Whether the run's trees have a slot of the person."""
    return run.idx > person.enrolled and run.slots > person.number


def _first(people: Sequence[Person]) -> int:
    return min(person.enrolled for person in people)


def _by_chunk(people: Sequence[Person]) -> dict[int, list[Person]]:
    chunks: dict[int, list[Person]] = {}
    for person in sorted(people):
        chunks.setdefault(person.number // CHUNK, []).append(person)
    return chunks
