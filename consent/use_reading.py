"""What one person is told of the runs they were in; and their slots, recomputed from one chunk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent import store_consents, store_people, store_uses
from consent.canonical import (
    ID_BYTES,
    b64u,
    b64u_decode,
    parse_time,
    use_slots,
    vacant_slots,
    vacant_values_slots,
    values_salt,
    values_slot,
)
from consent.errors import (
    BadRequestError,
    KeyMissingError,
    LedgerDamagedError,
    RunPeopleLostError,
    UnknownPersonError,
    UnknownRunError,
)
from consent.keys import open_values
from consent.purposing import find
from consent.reading import institutional_act, person_of
from consent.use_values import CHUNK, inflated
from consent.uses import ModelRef, UseView
from consent.vocabulary import Processing, RetentionClass, UseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from consent.entries import InstitutionalAct
    from consent.log import Log
    from consent.purposing import Purposes
    from consent.store_people import Person
    from consent.store_uses import Run

_DAMAGED = "run `luvalla ledger check`"


@dataclass(frozen=True)
class ChunkSlots:
    """The slots of one chunk of a run, recomputed.

    Attributes:
        first: Number of the first slot.
        use: 1,024 leaf hashes of the use tree.
        values: 1,024 leaf hashes of the values tree; None when no values were kept, or they are purged.
    """

    first: int
    use: list[bytes]
    values: list[bytes] | None


def uses(log: Log, person: str) -> list[UseView]:
    """See `Ledger.uses`."""
    with log.store.read() as connection:
        found = person_of(log, connection, person)
        if found is None:
            return []
        runs = {run.run: run for run in store_uses.runs_after(connection, found.enrolled)}
        purposes = store_consents.purposes(connection)
        explained = store_uses.explained_runs(connection)
        kept = store_uses.runs_with_values_of(connection, found.number)
        views = []
        for run_id, compressed, body in store_uses.statuses_in_runs(connection, found.number // CHUNK):
            run = runs.get(run_id)
            status = UseStatus(open_statuses(compressed)[found.number % CHUNK])
            if run is None or status is UseStatus.NOT_IN_RUN:
                continue
            act = institutional_act(run.idx, body)
            views.append(
                _view(run, act, purposes, status, kept=run_id in kept, explained=run_id in explained)
            )
    return views


def values(log: Log, person: str, run: bytes) -> bytes | None:
    """See `Ledger.values`."""
    with log.store.read() as connection:
        found = person_of(log, connection, person)
        if found is None:
            return None
        return open_value(log, connection, run, found.number)


def open_value(log: Log, connection: Connection, run: bytes, number: int) -> bytes | None:
    """The kept values of one number in one run; None when there are none."""
    sealed = store_uses.value_of(connection, run, number)
    if sealed is None:
        return None
    return open_values(use_key(log, connection, number), run, number, sealed)


def use_key(log: Log, connection: Connection, number: int) -> bytes:
    """A person's use key.

    Raises:
        KeyMissingError: It is not there, or does not open.
    """
    rows = store_people.wrapped_keys(connection, RetentionClass.USE.code, [number])
    if not rows:
        raise KeyMissingError("a use key is missing", _DAMAGED)
    return log.vault.unwrap(number, RetentionClass.USE, rows[0][1])


def explanation(log: Log, run: bytes) -> dict[str, Any] | None:
    """See `Ledger.explanation`."""
    with log.store.read() as connection:
        find_run(connection, run)
        text = store_uses.explanation_of(connection, run)
    if text is None:
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def find_run(connection: Connection, run: bytes) -> Run:
    """A recorded run.

    Raises:
        BadRequestError: The id is not 16 bytes.
        UnknownRunError: It is not on record.
        RunPeopleLostError: It is, and the people in it were lost in a restore.
    """
    if len(run) != ID_BYTES:
        raise BadRequestError(
            f"a run's id is {ID_BYTES} bytes, got {len(run)}", "`luvalla consent uses` lists the runs"
        )
    found = store_uses.run_of(connection, run)
    if found is None:
        for index, body in store_uses.entries_without_run(connection):
            if institutional_act(index, body).body["run"] == b64u(run):
                raise RunPeopleLostError(
                    f"the run is on record in entry {index}, and its list of people is lost: nobody can say whom it used",
                    "it was lost in a restore (docs/decisions/ledger-loss.md), or run `luvalla ledger check`",
                )
        raise UnknownRunError("there is no run with this id", "`luvalla consent uses` lists the runs")
    return found


def status_of(connection: Connection, run: Run, person: Person) -> UseStatus:
    """A person's status in a run.

    Raises:
        UnknownPersonError: Enrolled after the run.
    """
    if person.enrolled > run.idx:
        raise UnknownPersonError(
            "the person was not on record at the time of the run", "there is nothing to prove about it"
        )
    chunk = store_uses.chunk_of(connection, run.run, person.number // CHUNK)
    if chunk is None:
        raise LedgerDamagedError("a chunk of the run is missing", _DAMAGED)
    return UseStatus(open_statuses(chunk.statuses)[person.number % CHUNK])


def chunk_slots(log: Log, connection: Connection, run: Run, chunk: int, statuses: bytes) -> ChunkSlots:
    """Recompute the slots of one chunk: from keys, from what an erasure left, or as vacant.

    Args:
        log: The log.
        connection: A transaction of it.
        run: The run.
        chunk: Which chunk.
        statuses: The chunk's statuses, one byte a slot.

    Raises:
        KeyMissingError: A key is missing or does not open.
    """
    first = chunk * CHUNK
    end = first + CHUNK
    living = store_people.living_since(connection, run.idx, first, end)
    stored = store_uses.slots_between(connection, run.run, first, end)
    opened = log.vault.unwrap_all(
        RetentionClass.USE,
        store_people.wrapped_keys_between(connection, RetentionClass.USE.code, first, end),
    )
    keyed = [number for number in living if number not in stored]
    if any(number not in opened for number in keyed):
        raise KeyMissingError("a use key is missing", _DAMAGED)
    keys = {number: opened[number] for number in keyed}
    kept = {} if run.values_until is None else store_uses.values_of_chunk(connection, run.run, chunk)
    return recomputed(run, log.vault.open_secret(run.run, run.secret), first, statuses, keys, stored, kept)


def recomputed(
    run: Run,
    secret: bytes,
    first: int,
    statuses: bytes,
    keys: Mapping[int, bytes],
    stored: Mapping[int, tuple[bytes, bytes | None]],
    kept: Mapping[int, bytes],
) -> ChunkSlots:
    """The slots of one chunk, from all that they are made of.

    Args:
        run: The run.
        secret: Its secret, opened.
        first: Number of the chunk's first slot.
        statuses: One byte a slot.
        keys: Use key by number, of everybody on record at the run whose slots are not stored.
        stored: What an erasure left, by number.
        kept: Kept values by position in the chunk, encrypted.

    Raises:
        KeyMissingError: Kept values do not open.
    """
    vacant = [number for number in range(first, first + CHUNK) if number not in keys and number not in stored]
    use = [b""] * CHUNK
    for number, slot in zip(vacant, vacant_slots(run.run, secret, vacant), strict=True):
        use[number - first] = slot
    for number, slot in use_slots(run.run, keys, statuses, first):
        use[number - first] = slot
    for number, (slot, _) in stored.items():
        use[number - first] = slot
    if run.values_until is None:
        return ChunkSlots(first, use, None)
    of_values = [b""] * CHUNK
    vacant += [number for number, (_, slot) in stored.items() if slot is None]
    for number, slot in zip(vacant, vacant_values_slots(run.run, secret, vacant), strict=True):
        of_values[number - first] = slot
    for number, key in keys.items():
        value = _opened(key, run.run, number, kept.get(number - first))
        of_values[number - first] = values_slot(run.run, number, values_salt(key, run.run), value)
    for number, (_, slot_of_values) in stored.items():
        if slot_of_values is not None:
            of_values[number - first] = slot_of_values
    return ChunkSlots(first, use, of_values)


def _opened(key: bytes, run: bytes, number: int, sealed: bytes | None) -> bytes:
    return b"" if sealed is None else open_values(key, run, number, sealed)


def open_statuses(compressed: bytes) -> bytes:
    """The statuses of a chunk, one byte a slot.

    Raises:
        LedgerDamagedError: They are not what was stored.
    """
    return inflated(compressed, CHUNK, "statuses of a chunk")


def result_word(status: UseStatus, processing: Processing) -> str:
    """The result as one word; a run that selects says `not-selected` where one that does not says `used`."""
    if status.left_out:
        return "left-out"
    if status is UseStatus.USED:
        return "not-selected" if processing in (Processing.SCORING, Processing.HUMAN_REVIEW) else "used"
    return {
        UseStatus.SELECTED: "selected",
        UseStatus.SAMPLED: "not-selected-reviewed",
        UseStatus.NOT_IN_RUN: "not-in-run",
    }[status]


def _view(
    run: Run, act: InstitutionalAct, purposes: Purposes, status: UseStatus, *, kept: bool, explained: bool
) -> UseView:
    body = act.body
    if b64u_decode(body["run"]) != run.run:
        raise LedgerDamagedError(f"entry {run.idx} is of another run than its row", _DAMAGED)
    purpose = find(purposes, body["purpose"], body["purpose_version"])
    model = body["model"]
    return UseView(
        run=run.run,
        index=run.idx,
        at=parse_time(act.at),
        controller=purpose.controller,
        service=body["service"],
        purpose_id=purpose.id,
        purpose_version=purpose.version,
        purpose_title=purpose.title,
        basis=body["basis"],
        processing=body["processing"],
        model=None if model is None else ModelRef(model["name"], model["version"], model["digest"]),
        certificate=body["certificate"],
        status=status,
        result=result_word(status, Processing(body["processing"])),
        left_out_reason=status.reason or None,
        values_kept=kept,
        explained=explained,
    )
