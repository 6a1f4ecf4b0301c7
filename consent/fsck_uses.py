"""Check of the runs: every chunk's slots recomputed, up to the roots that the run's entry names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_raw, store_uses
from consent.canonical import HASH_BYTES, b64u_decode, digest
from consent.errors import ConsentError, KeyMissingError
from consent.fsck_ranges import Cursor
from consent.shapes import MAX_INDEX
from consent.tlog.merkle import root_of
from consent.use_reading import open_statuses, recomputed
from consent.use_values import CHUNK, unpack
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People
    from consent.log import Log
    from consent.store_raw import RawRow


def check(log: Log, connection: Connection, content: LogContent, people: People, findings: Findings) -> None:
    """Compare `use_run`, `use_chunk`, `use_values` and `use_slot`."""
    expected = {
        b64u_decode(act.body["run"]): index for index, act in content.acts.items() if act.kind == "run"
    }
    for table in ("use_run", "use_chunk", "use_values", "use_slot"):
        for row in store_raw.rows(connection, table):
            findings.check_mac(log.pseudonym_key, table, row)
            if table == "use_chunk" and (
                row["run"] not in expected or store_raw.integer(row["chunk"]) is None
            ):
                findings.add(
                    table, store_raw.key_of(table, row), "there is no such chunk of a run in the log"
                )
    runs: dict[bytes, store_uses.Run] = {}
    for row in store_raw.rows(connection, "use_run"):
        key = store_raw.key_of("use_run", row)
        index = expected.pop(row["run"] or b"", None)
        if index is None or store_raw.integer(row["idx"]) != index:
            findings.add(
                "use_run", key, "the log has no such run at this index", store_raw.integer(row["idx"])
            )
            continue
        run = _run(row, index, content, findings)
        if run is not None:
            runs[run.run] = run
            _check_run(log, connection, run, people, content, findings)
    for run_id, index in expected.items():
        if not content.lost.holds(index):
            findings.add("use_run", run_id.hex(), "the row of the run is missing", index)
    _check_rows_of_people(connection, runs, people, findings)


def _run(row: RawRow, index: int, content: LogContent, findings: Findings) -> store_uses.Run | None:
    key = store_raw.key_of("use_run", row)
    body = content.acts[index].body
    if store_raw.integer(row["slots"]) != body["slots"]:
        findings.add("use_run", key, "the number of slots is not that of the entry", index)
    explanation = None if row["explanation"] is None else digest(row["explanation"])
    if explanation != body["explanation"]:
        findings.add("use_run", key, "the explanation is not the one that the entry binds", index)
    until = store_raw.integer(row["values_until"])
    if (until is None) != (row["values_until"] is None) or (
        until is not None and body["values_root"] is None
    ):
        findings.add("use_run", key, "the time until which values are kept is not one", index)
    return store_uses.Run(row["run"] or b"", index, body["slots"], row["secret"] or b"", until)


def _check_run(
    log: Log,
    connection: Connection,
    run: store_uses.Run,
    people: People,
    content: LogContent,
    findings: Findings,
) -> None:
    body = content.acts[run.idx].body
    try:
        secret = log.vault.open_secret(run.run, run.secret)
    except ConsentError as error:
        findings.add("use_run", run.run.hex(), error.message, run.idx)
        return
    roots: list[bytes] = []
    values_roots: list[bytes] = []
    chunks = _chunks(connection, run.run)
    with_values = _with_values(connection, run.run)
    slots_left = Cursor(store_raw.batches(connection, "use_slot", _SLOT, ("run", run.run)))
    for number in range(run.slots // CHUNK):
        key = f"{run.run.hex()}/{number}"
        row = chunks.pop(number, None)
        stored = _stored(slots_left.until((number + 1) * CHUNK))
        if row is None:
            findings.add("use_chunk", key, "the chunk is missing", run.idx)
            continue
        roots.append(row["root"] or b"")
        values_roots.append(row["values_root"] or b"")
        try:
            statuses = open_statuses(row["statuses"] or b"")
            kept = store_uses.values_of_chunk(connection, run.run, number) if number in with_values else {}
            keys, left = _at_run(run, people, number, stored)
            slots = recomputed(run, secret, number * CHUNK, statuses, keys, left, kept)
        except ConsentError as error:
            findings.add("use_chunk", key, error.message, run.idx)
            continue
        if root_of(slots.use) != row["root"]:
            findings.add("use_chunk", key, "the slots, recomputed, do not have the chunk's root", run.idx)
        if slots.values is not None and root_of(slots.values) != row["values_root"]:
            findings.add("use_chunk", key, "the values, recomputed, do not have the chunk's root", run.idx)
            if number not in with_values:
                findings.add(
                    "use_values", key, "the values that the chunk's root is over are missing", run.idx
                )
    for number in chunks:
        findings.add("use_chunk", f"{run.run.hex()}/{number}", "the run has no such chunk", run.idx)
    if root_of(roots) != b64u_decode(body["root"]):
        findings.add(
            "use_run", run.run.hex(), "the chunks' roots do not have the root that the entry names", run.idx
        )
    if body["values_root"] is None:
        if any(values_roots):
            findings.add(
                "use_run", run.run.hex(), "roots of values are there, and the entry names none", run.idx
            )
    elif root_of(values_roots) != b64u_decode(body["values_root"]):
        findings.add(
            "use_run", run.run.hex(), "the values' roots do not have the root that the entry names", run.idx
        )


def _chunks(connection: Connection, run: bytes) -> dict[int, RawRow]:
    """The rows of one run's chunks, by number: some hundred bytes for 1,024 people."""
    names = store_raw.names_of("use_chunk")
    rows = (dict(zip(names, row, strict=True)) for part in store_raw.batches(connection, "use_chunk", of=("run", run)) for row in part)  # fmt: skip
    return {number: row for row in rows if (number := store_raw.integer(row["chunk"])) is not None}


def _with_values(connection: Connection, run: bytes) -> set[int]:
    """Of which of its chunks values are kept."""
    parts = store_raw.batches(connection, "use_values", ("chunk",), ("run", run))
    numbers = (store_raw.integer(row[0]) for part in parts for row in part)
    return {number for number in numbers if number is not None}


_SLOT = ("number", "slot", "values_slot")


def _stored(rows: Sequence[store_raw.RawTuple]) -> dict[int, tuple[bytes, bytes | None]]:
    """What erasures left of a run, by number."""
    numbered = ((store_raw.integer(raw), slot or b"", of_values) for raw, slot, of_values in rows)
    return {number: (slot, of_values) for number, slot, of_values in numbered if number is not None}


def _at_run(
    run: store_uses.Run, people: People, chunk: int, stored: dict[int, tuple[bytes, bytes | None]]
) -> tuple[dict[int, bytes], dict[int, tuple[bytes, bytes | None]]]:
    """The keys of everybody on record at the run, and the slots that erasures since have left, of one chunk."""
    keys: dict[int, bytes] = {}
    left: dict[int, tuple[bytes, bytes | None]] = {}
    first, end = chunk * CHUNK, (chunk + 1) * CHUNK
    everybody = zip(
        range(first, end),
        people.enrolled.part(first, end),
        people.keys[RetentionClass.USE].part(first, end),
        strict=True,
    )
    erased, in_loss = people.erased, people.erased_in_loss
    for number, enrolled, key in everybody:
        if enrolled < 0:
            continue
        if number in stored:
            left[number] = stored[number]
        elif enrolled < run.idx < erased.get(number, in_loss.get(number, MAX_INDEX)):
            if key is None:
                raise KeyMissingError("a use key is missing", "restore the database from its backup")
            keys[number] = key
    return keys, left


def _check_rows_of_people(
    connection: Connection, runs: dict[bytes, store_uses.Run], people: People, findings: Findings
) -> None:
    """Values are of people on record at the run, and kept; stored slots of people erased after it."""
    for row in store_raw.rows(connection, "use_values"):
        run, chunk = runs.get(row["run"] or b""), store_raw.integer(row["chunk"])
        key = store_raw.key_of("use_values", row)
        index = None if run is None else run.idx
        if run is None or chunk is None or run.values_until is None or chunk >= run.slots // CHUNK:
            findings.add("use_values", key, "the run keeps no such values", index)
            continue
        try:
            numbers = [
                chunk * CHUNK + position for position in unpack(row["lengths"] or b"", row["sealed"] or b"")
            ]
        except ConsentError as error:
            findings.add("use_values", key, error.message, index)
            continue
        for each in numbers:
            enrolled = people.enrolled.get(each)
            if enrolled is None or enrolled >= run.idx or "use" in people.erased_classes.get(each, ()):
                findings.add(
                    "use_values", f"{key}/{each}", "the values are of nobody on record at the run", index
                )
    _check_slots(connection, runs, people, findings)


def _check_slots(
    connection: Connection, runs: dict[bytes, store_uses.Run], people: People, findings: Findings
) -> None:
    """The stored slots, run by run."""
    gone = [
        (number, enrolled, erasure)
        for number, erasure in people.erased.items()
        if "use" in people.erased_classes[number] and (enrolled := people.enrolled.get(number)) is not None
    ]
    to_come = dict(runs)
    at: bytes | None = None
    slots: set[int] = set()
    for row in store_raw.rows(connection, "use_slot"):
        key, number, run_id = (
            store_raw.key_of("use_slot", row),
            store_raw.integer(row["number"]),
            row["run"] or b"",
        )
        run = runs.get(run_id)
        if run_id != at:
            _say_missing(runs.get(at or b""), slots, findings)
            at, slots = run_id, _slots_of(to_come.pop(run_id, None), gone)
        index = None if run is None else run.idx
        expected = number in slots or (number in people.erased_in_loss and run is not None)
        if not expected or len(row["slot"] or b"") != HASH_BYTES:
            findings.add("use_slot", key, "the slot is not of a person erased after the run", index)
        slots.discard(-1 if number is None else number)
    _say_missing(runs.get(at or b""), slots, findings)
    for run in to_come.values():
        _say_missing(run, _slots_of(run, gone), findings)


def _slots_of(run: store_uses.Run | None, gone: list[tuple[int, int, int]]) -> set[int]:
    """Whose slots erasures should have left in a run."""
    if run is None:
        return set()
    return {number for number, first, last in gone if first < run.idx < last and number < run.slots}


def _say_missing(run: store_uses.Run | None, slots: set[int], findings: Findings) -> None:
    if run is None:
        return
    for number in sorted(slots):
        key = f"{run.run.hex()}/{number}"
        findings.add("use_slot", key, "the slot that an erasure should have left is missing", run.idx)
