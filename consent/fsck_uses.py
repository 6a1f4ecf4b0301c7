"""Check of the runs: every chunk's slots recomputed, up to the roots that the run's entry names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent import store_raw, store_uses
from consent.canonical import HASH_BYTES, b64u_decode, digest
from consent.errors import ConsentError, KeyMissingError
from consent.shapes import MAX_INDEX
from consent.tlog.merkle import root_of
from consent.use_reading import open_statuses, recomputed
from consent.use_values import CHUNK, unpack
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_people import People
    from consent.log import Log
    from consent.store_raw import RawRow


_Holder = tuple[int, int, int, "bytes | None"]
"""Number, index of enrolment, index of erasure (or `MAX_INDEX`), use key."""


@dataclass(frozen=True)
class _Basis:
    """What every run's slots are made of.

    Attributes:
        kept: Keys of the rows of kept values.
        slots: What erasures left, by run and number.
        people: Everybody ever enrolled, by chunk.
    """

    kept: set[str]
    slots: dict[bytes, dict[int, tuple[bytes, bytes | None]]]
    people: dict[int, list[_Holder]]


def check(log: Log, connection: Connection, content: LogContent, people: People, findings: Findings) -> None:
    """Compare `use_run`, `use_chunk`, `use_values` and `use_slot`."""
    for table in ("use_run", "use_chunk", "use_values", "use_slot"):
        for row in store_raw.rows(connection, table):
            findings.check_mac(log.pseudonym_key, table, row)
    expected = {
        b64u_decode(act.body["run"]): index for index, act in content.acts.items() if act.kind == "run"
    }
    chunks: dict[bytes, dict[int, RawRow]] = {}
    for row in store_raw.rows(connection, "use_chunk"):
        number = store_raw.integer(row["chunk"])
        if row["run"] not in expected or number is None:
            findings.add(
                "use_chunk", store_raw.key_of("use_chunk", row), "there is no such chunk of a run in the log"
            )
        else:
            chunks.setdefault(row["run"], {})[number] = row
    runs: dict[bytes, store_uses.Run] = {}
    basis = _Basis(store_raw.keys(connection, "use_values"), _slots(connection), _by_chunk(people))
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
            of_run = chunks.pop(run.run, {})
            _check_run(log, connection, run, of_run, basis, content, findings)
    for run_id, index in expected.items():
        if not content.lost.holds(index):
            findings.add("use_run", run_id.hex(), "the row of the run is missing", index)
    _check_rows_of_people(connection, runs, people, findings)


def _slots(connection: Connection) -> dict[bytes, dict[int, tuple[bytes, bytes | None]]]:
    """What erasures left, by run and number."""
    found: dict[bytes, dict[int, tuple[bytes, bytes | None]]] = {}
    for row in store_raw.rows(connection, "use_slot"):
        number = store_raw.integer(row["number"])
        if number is not None:
            found.setdefault(row["run"] or b"", {})[number] = (row["slot"] or b"", row["values_slot"])
    return found


def _by_chunk(people: People) -> dict[int, list[_Holder]]:
    found: dict[int, list[_Holder]] = {}
    keys, erased = people.keys[RetentionClass.USE], {**people.erased_in_loss, **people.erased}
    for number, enrolled in people.enrolled.items():
        holder = (number, enrolled, erased.get(number, MAX_INDEX), keys.get(number))
        found.setdefault(number // CHUNK, []).append(holder)
    return found


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
    chunks: dict[int, RawRow],
    basis: _Basis,
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
    stored = basis.slots.get(run.run, {})
    for number in range(run.slots // CHUNK):
        key = f"{run.run.hex()}/{number}"
        row = chunks.pop(number, None)
        if row is None:
            findings.add("use_chunk", key, "the chunk is missing", run.idx)
            continue
        roots.append(row["root"] or b"")
        values_roots.append(row["values_root"] or b"")
        try:
            statuses = open_statuses(row["statuses"] or b"")
            kept = store_uses.values_of_chunk(connection, run.run, number) if key in basis.kept else {}
            keys, left = _at_run(run, basis.people.get(number, ()), stored)
            slots = recomputed(run, secret, number * CHUNK, statuses, keys, left, kept)
        except ConsentError as error:
            findings.add("use_chunk", key, error.message, run.idx)
            continue
        if root_of(slots.use) != row["root"]:
            findings.add("use_chunk", key, "the slots, recomputed, do not have the chunk's root", run.idx)
        if slots.values is not None and root_of(slots.values) != row["values_root"]:
            findings.add("use_chunk", key, "the values, recomputed, do not have the chunk's root", run.idx)
            if key not in basis.kept:
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


def _at_run(
    run: store_uses.Run, holders: Iterable[_Holder], stored: dict[int, tuple[bytes, bytes | None]]
) -> tuple[dict[int, bytes], dict[int, tuple[bytes, bytes | None]]]:
    """The keys of everybody on record at the run, and the slots that erasures since have left, of one chunk."""
    keys: dict[int, bytes] = {}
    left: dict[int, tuple[bytes, bytes | None]] = {}
    for number, enrolled, erased, key in holders:
        if number in stored:
            left[number] = stored[number]
        elif enrolled < run.idx < erased:
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
            if people.enrolled.get(each, run.idx) >= run.idx or "use" in people.erased_classes.get(
                each, set()
            ):
                findings.add(
                    "use_values", f"{key}/{each}", "the values are of nobody on record at the run", index
                )
    slots = {
        (run.run, number)
        for number, erasure in people.erased.items()
        for run in runs.values()
        if "use" in people.erased_classes[number]
        and people.enrolled.get(number, erasure) < run.idx < erasure
        and number < run.slots
    }
    for row in store_raw.rows(connection, "use_slot"):
        key, number, run_id = (
            store_raw.key_of("use_slot", row),
            store_raw.integer(row["number"]),
            row["run"] or b"",
        )
        place = (run_id, -1 if number is None else number)
        index = runs[run_id].idx if run_id in runs else None
        expected = place in slots or (number in people.erased_in_loss and run_id in runs)
        if not expected or len(row["slot"] or b"") != HASH_BYTES:
            findings.add("use_slot", key, "the slot is not of a person erased after the run", index)
        slots.discard(place)
    for run_id, number in sorted(slots):
        key = f"{run_id.hex()}/{number}"
        findings.add(
            "use_slot", key, "the slot that an erasure should have left is missing", runs[run_id].idx
        )
