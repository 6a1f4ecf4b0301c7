"""A database older than what was published: the missing entries' exact bytes come back from the published copy.

What published files hold are hashed bytes: the log continues, and every proof still verifies. What they do not hold is
lost: the openings of entries about people, and the lists of people of runs. They are marked as lost, and permits that
rest on a consent before them are refused until it is confirmed anew (consent/loss.py, docs/decisions/ledger-loss.md).

  1. the published checkpoint is verified by the trust root, and is not shorter than the one kept outside the database;
  2. all bundles from the database's end on are fetched into a file, before anything is locked (consent/refill_entries.py);
  3. the database's own tree, extended by them, must have the published root; the outside checkpoint must fit too;
  4. entries, tiles, acts of the institution and what is lost are written in one transaction, range by range, and where the
     numbers of new people begin also outside the database (consent/number_floor.py);
  5. erasures of the journal that the database lacks are carried out in it, without entries of their own: theirs are
     among the lost.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent import erasure, number_floor, store_consents, store_log, store_lost, store_people
from consent.canonical import SLOT_MULTIPLE, digest, encode, parse_time
from consent.entries import InstitutionalAct, PersonalEntry
from consent.erasure_journal import verified_lines
from consent.errors import (
    PublishedLogUnavailableError,
    PurposesError,
    RefillRefusedError,
    RefusedToSignError,
)
from consent.log import too_few
from consent.purposes import encoded, notice_digests, parse
from consent.refill_entries import fetched, parsed
from consent.row_mac import with_mac
from consent.store_lost import Refill
from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.merkle import leaf_hash, load_edge, root_at
from consent.tlog.note import MAX_NOTE_BYTES
from consent.tlog.tiles import CHECKPOINT
from consent.writing import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from consent.erasure_journal import JournalLine
    from consent.home import Home
    from consent.log import Log
    from consent.records import Purpose
    from consent.refill_entries import Missing
    from consent.tlog.bundles import LogFiles
    from consent.tlog.checkpoint import Checkpoint

_SUCCESSION = "if no published copy has more, begin a new log that names this one: docs/ledger/drills.md"


@dataclass(frozen=True)
class Refilled:
    """What a refill brought back and what stays lost.

    Attributes:
        before: Entries in the database before.
        size: Entries in it now.
        openings: How many personal entries came back without their openings.
        runs: How many runs came back without their lists of people.
        erased: How many people the journal had erased again.
    """

    before: int
    size: int
    openings: int
    runs: int
    erased: int


def refill(log: Log, home: Home, files: LogFiles, *, dry_run: bool = False) -> Refilled:
    """Fill the log again from its published copy; all of it or nothing.

    Args:
        log: The log, whose database is older than what was published.
        home: Its home: the purposes file and the erasure journal are read.
        files: The published log.
        dry_run: Verify everything and write nothing.

    Raises:
        RefillRefusedError: Nothing is missing, or the published log is shorter than what was signed, or does not
            continue what is there (exit 3).
        NoteError: The published checkpoint is not this log's (3).
        PublishedLogError: The published files are damaged (3).
        PublishedLogUnavailableError: They cannot be fetched (4).
        PurposesError: The home's purposes file lacks a version that a missing entry records (2).
        RefusedToSignError: The checkpoint kept outside the database is missing (3).
        LedgerDamagedError: A line of the erasure journal does not verify (3).
    """
    verified_lines(home.erasure_journal, log.pseudonym_key)  # Also where nothing is to be written.
    served = _published(log, files)
    with log.store.read() as connection:
        first = store_log.log_end(connection).size
        edge = load_edge(store_log.SqlHashes(connection), first)
    _check_sizes(log, served, first)
    with fetched(files, edge, served.size, home.path) as missing:
        if missing.root != served.root:
            raise RefillRefusedError(
                f"the {first} entries of the database, continued by the published ones, do not have the root published "
                f"for {served.size}",
                "one of the two is another history: keep both, run `luvalla ledger check` and `luvalla ledger monitor`",
            )
        purposes = _purposes(home, missing.named)
        if dry_run:
            return Refilled(first, served.size, missing.personal, missing.runs, 0)
        erased = _write(log, home, missing, purposes)
    return Refilled(first, served.size, missing.personal, missing.runs, len(erased))


def _write(
    log: Log, home: Home, missing: Missing, purposes: list[tuple[int, Purpose | None, Purpose | None]]
) -> list[int]:
    """Step 4 and 5; whose erasure has only a lost entry."""
    first = missing.first
    with log.store.write() as connection:
        if store_log.log_end(connection).size != first:
            raise RefillRefusedError("the database grew while the published log was read", "try again")
        # Nobody writes to the journal while this lock is held.
        journal = verified_lines(home.erasure_journal, log.pseudonym_key)
        floor = _number_floor(connection, home, journal, missing)
        _insert(log, connection, missing)
        _insert_purposes(connection, purposes)
        last = log.last_checkpoint()
        if last is not None and root_at(store_log.SqlHashes(connection), last.size) != last.root:
            raise RefillRefusedError(
                f"the published log does not have the root that was signed for {last.size} entries",
                "somebody signed two histories with this log's key: keep both, and see docs/ledger/drills.md",
            )
        erased = _erase_again(log, connection, home, journal, first)
        newest = journal[-1].request if journal else None
        filled = Refill(first, missing.size, floor, newest, encode(list(erased)))
        store_lost.insert_refill(connection, filled, log.pseudonym_key)
        # Before the commit: a number too high costs vacant slots, one too low two people with one number.
        number_floor.write(home.number_floor, floor)
    return erased


def _published(log: Log, files: LogFiles) -> Checkpoint:
    raw = files.read(CHECKPOINT, MAX_NOTE_BYTES)
    if raw is None:
        raise PublishedLogUnavailableError(
            "no log is published there: it has no file `checkpoint`", "name the folder that holds it"
        )
    return open_checkpoint(raw, log.origin, log.trust.log_vkeys)


def _check_sizes(log: Log, served: Checkpoint, size: int) -> None:
    last = log.last_checkpoint()
    if last is None:
        raise RefusedToSignError(
            "the checkpoint kept outside the database is missing",
            "restore the file `checkpoint` from its copy",
        )
    if served.size < last.size:
        raise RefillRefusedError(
            f"the published log has {served.size} entries, the checkpoint kept outside the database covers {last.size}",
            _SUCCESSION,
        )
    if served.size <= size:
        raise RefillRefusedError(
            f"the published log has {served.size} entries, the database {size}: nothing is missing that it could give",
            "run `luvalla ledger check`",
        )
    missing = log.missing_witnesses(served)
    if served.size > last.size and missing:
        # Nothing but the log's key says so: where witnesses count, that is not enough.
        raise too_few(missing, log.trust.witnesses.needed(served.size), ())


def _purposes(
    home: Home, wanted: Mapping[int, InstitutionalAct]
) -> list[tuple[int, Purpose | None, Purpose | None]]:
    """Index, the purpose and the bearer of the notice that the missing entries record, from the purposes file."""
    if not wanted:
        return []
    try:
        known = parse(home.purposes.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PurposesError(
            f"{home.purposes} cannot be read, and missing entries record purposes of it", "put the file back"
        ) from error
    by_document = {digest(encoded(each)): each for each in known}
    by_notice = {encode(dict(notice_digests(each.notice))): each for each in known}
    rows: list[tuple[int, Purpose | None, Purpose | None]] = []
    for index, act in sorted(wanted.items()):
        if act.kind == "purpose":
            each = by_document.get(act.body["digest"])
            rows.append((index, each, None))
        else:
            each = by_notice.get(encode(dict(act.body["languages"])))
            rows.append((index, None, each))
        if each is None:
            raise PurposesError(
                f"entry {index} records a {act.kind} whose text is not in {home.purposes}",
                "put back the newest purposes file, with every version that was ever adopted, then try again",
            )
    return rows


def _number_floor(
    connection: Connection, home: Home, journal: Sequence[JournalLine], missing: Missing
) -> int:
    """Above every number that the lost entries may have given: each of them can be one enrolment.

    Where an earlier refill had let numbers begin higher, the lost ones went on from there. The file beside the database says
    so. Where it is missing, as in homes that are older than it, a run that had slots for higher numbers, or somebody erased
    who had one, still tells.
    """
    start, taken = store_people.current_block(connection)
    lost = _whole_blocks(missing.personal)
    floor = start + _whole_blocks(taken + missing.personal) if lost else start
    begun = number_floor.read(home.number_floor)
    if begun > start:
        floor = max(floor, begun + lost)
    erased = max((line.number + 1 for line in journal), default=0)
    given = max(missing.slots, _whole_blocks(erased))
    if given > start + SLOT_MULTIPLE:
        floor = max(floor, given - SLOT_MULTIPLE + lost)
    return floor


def _whole_blocks(numbers: int) -> int:
    return -(-numbers // SLOT_MULTIPLE) * SLOT_MULTIPLE


def _insert(log: Log, connection: Connection, missing: Missing) -> None:
    at = store_log.log_end(connection).last_at
    mark = store_lost.refilled_mark(log.pseudonym_key)
    edge = load_edge(store_log.SqlHashes(connection), missing.first)
    for start, bodies in missing.ranges():
        rows, kinds, lost = [], [], []
        for index, body in enumerate(bodies, start):
            act = parsed(body)
            if isinstance(act, InstitutionalAct):
                at = max(at, store_consents.epoch(parse_time(act.at)))
                kinds.append({"idx": index, "kind": act.kind})
            elif isinstance(act, PersonalEntry):
                lost.append(index)
            # A personal entry tells no time: that of the entry before it is a lower bound.
            row = {
                "idx": index,
                "leaf": leaf_hash(body),
                "body": body,
                "at": at,
                "request": os.urandom(REQUEST_BYTES),
                "fingerprint": mark,
            }
            rows.append(with_mac(log.pseudonym_key, "entry", row))
        edge, tiles = edge.extended([row["leaf"] for row in rows])
        store_log.insert_entries(connection, rows, tiles)
        store_log.insert_institutional(connection, kinds)
        store_lost.insert_lost(connection, missing.first, lost, log.pseudonym_key)


def _insert_purposes(
    connection: Connection, purposes: list[tuple[int, Purpose | None, Purpose | None]]
) -> None:
    known = {(each.notice.id, each.notice.version) for each in store_consents.purposes(connection).values()}
    purpose_rows, notice_rows = [], []
    for index, purpose, bearer in purposes:
        if purpose is not None:
            purpose_rows.append(
                {"id": purpose.id, "version": purpose.version, "idx": index, "document": encoded(purpose)}
            )
        elif bearer is not None and (bearer.notice.id, bearer.notice.version) not in known:
            notice = bearer.notice
            known.add((notice.id, notice.version))
            texts = encode(dict(notice.texts))
            notice_rows.append({"id": notice.id, "version": notice.version, "idx": index, "texts": texts})
    store_consents.insert_purposes(connection, purpose_rows, notice_rows)


def _erase_again(
    log: Log, connection: Connection, home: Home, journal: Sequence[JournalLine], first: int
) -> list[int]:
    """Carry out the erasures of the journal that the database lacks; whose numbers."""
    pending = erasure.waiting(connection, journal)
    erasure.destroy_without_entries(log, home, connection, pending, first)
    # Who was erased while the database was too short has the index of the outside checkpoint: now it is `first`.
    store_people.move_erasures(connection, first, log.pseudonym_key)
    return store_people.erased_at(connection, first)
