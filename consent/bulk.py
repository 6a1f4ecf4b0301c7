"""Permits for a whole population at once; with `store_bulk` the only module of this room that knows numpy.

The same decision as `permit.permit`, as arrays: every event of the purpose in the order of the log is scattered by the
person's dense number, so that the last one stands, and gathered for the people asked about.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from consent import (
    sealed_people,
    store_bulk,
    store_consents,
    store_limits,
    store_log,
    store_lost,
    store_people,
)
from consent.errors import BadRequestError, LedgerDamagedError
from consent.limits import limited_people
from consent.permit import REFUSAL_BY_CODE
from consent.purposing import in_force
from consent.reading import check_aware, parse_processing
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from consent.keys import Vault
    from consent.ledger import Ledger
    from consent.log import Log
    from consent.store import Store
    from consent.tlog.checkpoint import Checkpoint

_COLUMNS = 6
_STATUSES = tuple(status.code for status in ConsentStatus)
_SELECT_SINGLY = 2_000
"""Up to so many people are looked up by their pseudonyms; more are found in a map of everybody (one scan)."""


@dataclass(frozen=True)
class Permits:
    """Who of a population may be processed.

    Attributes:
        numbers: int64[n], each person's number; -1 for people who are not on record.
        permitted: bool[n].
        status: uint8[n], 0 where permitted, else the `UseStatus` code of the reason (0x10 to 0x1A).
        state: The checkpoint of the log that was read; goes into the run's `UseRequest`.
    """

    numbers: NDArray[np.int64]
    permitted: NDArray[np.bool_]
    status: NDArray[np.uint8]
    state: Checkpoint

    def counts(self) -> dict[str, int]:
        """How many people are permitted, and how many refused for each reason, by word; reasons of nobody are left out."""
        codes, counts = np.unique(self.status, return_counts=True)
        words = ["permitted" if code == 0 else UseStatus(int(code)).word for code in codes]
        return {word: int(count) for word, count in zip(words, counts, strict=True)}


def permits(
    ledger: Ledger,
    people: Sequence[str],
    purpose_id: str,
    processing: str,
    *,
    at: datetime | None = None,
    as_of: int | None = None,
) -> Permits:
    """Permitted or refused, with the reason, for every person of a population.

    Args:
        ledger: An open ledger.
        people: n external ids, in the order of the population; unknown people are refused.
        purpose_id: Id of a purpose; its newest version is meant, of those on record at `at`.
        processing: A word of `Processing`.
        at: The instant at which the consents must hold; now by default. Only what was recorded by then counts.
        as_of: Only entries with a smaller index count; all by default. A question about the past: whoever records a run on it is
            held to the present state (`Ledger.append_use`).

    Returns:
        Arrays aligned with `people`, and the checkpoint they were read at.

    Raises:
        UnknownPurpose: The purpose is not on record (exit 2).
        BadRequestError: The processing is not a word, or a person's id is none (2).
        RefusedToSignError: The log does not continue its last checkpoint (3).
        KeyMissingError: People are there whose key-encryption key is not (3).
    """
    pseudonyms = [ledger.log.pseudonym(person) for person in people]
    return permits_of_pseudonyms(ledger, pseudonyms, purpose_id, processing, at=at, as_of=as_of)


def permits_of_pseudonyms(
    ledger: Ledger,
    pseudonyms: Sequence[bytes],
    purpose_id: str,
    processing: str,
    *,
    at: datetime | None = None,
    as_of: int | None = None,
) -> Permits:
    """The same for a population known by its keyed pseudonyms (`consent.pseudonym.pseudonym`, 16 bytes each).

    A second question in the same process reads only what was appended since the first: see `_Cache`.
    """
    log = ledger.log
    kind = parse_processing(processing)
    check_aware(at)
    if not set(map(len, pseudonyms)) <= {store_bulk.PSEUDONYM_BYTES}:
        raise BadRequestError(
            f"a pseudonym is not {store_bulk.PSEUDONYM_BYTES} bytes",
            "make it with `Log.pseudonym` from the external id",
        )
    state = ledger.checkpoint() if not log.store.read_only else log.covering(-1)
    with log.store.read() as connection:
        known_at = None if at is None else store_consents.epoch(at)
        purpose = in_force(connection, purpose_id, size=as_of, at=known_at)
        size = state.size if as_of is None else min(as_of, state.size)
        end = store_log.log_end(connection)
        instant = (
            store_consents.epoch(at) if at is not None else max(store_consents.epoch(log.now()), end.last_at)
        )
        cache = _cache_of(log, (*store_bulk.erasures(connection), store_lost.count(connection)))
        if len(pseudonyms) <= _SELECT_SINGLY:
            found = sealed_people.by_pseudonym(log.vault, connection, set(pseudonyms))
            numbers = np.fromiter(
                (found[key].number if key in found else -1 for key in pseudonyms), np.int64, len(pseudonyms)
            )
        else:
            numbers = cache.numbers(connection, log.vault, pseudonyms, end.size)
        highest = store_people.highest_number(connection)
        people = 0 if highest is None else highest + 1
        last = (
            cache.last(connection, purpose_id, size, people)
            if instant >= end.last_at and as_of is None
            # Of the past nothing is kept: it is asked about rarely.
            else _Last.empty().with_events(connection, purpose_id, size, people, at=instant)
        ).columns[:, :people]
        limitations = store_limits.of_everybody(connection, at=instant, size=size)
        unconfirmed = store_lost.events_not_after_loss(
            connection, purpose_id, size=size, at=None if instant >= end.last_at else instant
        )
    # Somebody that another thread's newer read knows is not yet there for this one.
    numbers[numbers >= people] = -1
    covered = kind.bit if kind.value in purpose.processing else 0
    codes = _codes(last, instant, purpose.version, purpose.notice.version, covered)
    for number, standing in limited_people(
        limitations, purpose, kind, at=store_consents.moment(instant)
    ).items():
        if codes[number] == 0:
            codes[number] = standing
    codes[(codes == 0) & (last[0] < unconfirmed)] = UseStatus.RECORD_LOST
    # One place more at the end: number -1 is nobody, who has no consent.
    status = np.append(codes, np.uint8(UseStatus.NO_CONSENT))[numbers].astype(np.uint8)
    return Permits(numbers, status == 0, status, state)


@dataclass(frozen=True)
class _Last:
    """The last event of each number for one purpose, in the first `size` entries.

    Attributes:
        size: Number of entries read.
        count: Number of events among them.
        columns: int64[6, n]: which event it is (-1 without one), status, versions, processing bits and expiry.
    """

    size: int
    count: int
    columns: NDArray[np.int64]

    @classmethod
    def empty(cls) -> _Last:
        return cls(0, 0, np.zeros((_COLUMNS, 0), np.int64))

    def with_events(
        self, connection: Connection, purpose_id: str, size: int, people: int, *, at: int | None = None
    ) -> _Last:
        """With the events from `self.size` to `size` - 1 put on top; a new object, as readers may hold the old one."""
        width = max(people, self.columns.shape[1])
        columns = np.zeros((_COLUMNS, width), np.int64)
        columns[0] = -1
        columns[:, : self.columns.shape[1]] = self.columns
        count = self.count
        for part in store_bulk.events(connection, purpose_id, since=self.size, size=size, at=at):
            number = part[0]
            # A negative number would be somebody else's place, counted from the end.
            if number.min() < 0 or number.max() >= width or not np.isin(part[1], _STATUSES).all():
                raise LedgerDamagedError(
                    "a consent event of the ledger is nobody's, or has a status that there is not",
                    "run `luvalla ledger check`",
                )
            place = np.arange(count, count + len(number))
            count += len(number)
            # Not by plain assignment with repeated indices: which of them wins is promised for none but a unique one.
            np.maximum.at(columns[0], number, place)
            stands = columns[0, number] == place
            who = number[stands]
            # Column by column: numpy takes three times as long for all at once.
            for column, values in zip(columns[1:], part[1:], strict=True):
                column[who] = values[stands]
        return _Last(size, count, columns)


@dataclass
class _Cache:
    """What one open log has read before; only entries appended since are read again.

    It is void after an erasure, which deletes events and people, and after a lost opening came back, which adds one. The log's own checkpoint, compared before every use,
    says that what was appended before is what it was.
    """

    erasures: tuple[int, int, int]
    enrolled: int = 0
    block: int = 0
    high: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    low: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    number: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    by_purpose: dict[str, _Last] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def last(self, connection: Connection, purpose_id: str, size: int, people: int) -> _Last:
        """The last event of each number in the first `size` entries."""
        with self.lock:
            known = self.by_purpose.get(purpose_id, _Last.empty())
            if known.size > size:
                # Another thread has read further: this answer is of its own checkpoint all the same.
                return _Last.empty().with_events(connection, purpose_id, size, people)
            if known.size < size or known.columns.shape[1] < people:
                known = known.with_events(connection, purpose_id, size, people)
                self.by_purpose[purpose_id] = known
            return known

    def numbers(
        self, connection: Connection, vault: Vault, pseudonyms: Sequence[bytes], size: int
    ) -> NDArray[np.int64]:
        """int64[n]: the number of each pseudonym, -1 for nobody's.

        Args:
            connection: A reading connection.
            vault: Its keys open the column of pseudonyms; what is kept here is open, whatever key comes next.
            pseudonyms: n pseudonyms, 16 bytes each.
            size: Size of the log that this connection sees.
        """
        with self.lock:
            if self.enrolled < size:
                self._read_people(connection, vault, size)
            high, low, number = self.high, self.low, self.number
        asked = np.frombuffer(b"".join(pseudonyms), ">u8").reshape(-1, 2)
        asked_high, asked_low = asked[:, 0].astype(np.uint64), asked[:, 1].astype(np.uint64)
        found = np.full(len(asked), -1, np.int64)
        # In the order of the keys the search walks through memory once; as asked it would jump for every person.
        order = np.argsort(asked_high)
        asked_high, asked_low = asked_high[order], asked_low[order]
        place = np.searchsorted(high, asked_high)
        open_ = np.arange(len(asked))
        while len(open_):
            at = place[open_]
            open_, at = open_[at < len(high)], at[at < len(high)]
            same = high[at] == asked_high[open_]
            open_, at = open_[same], at[same]
            hit = low[at] == asked_low[open_]
            found[open_[hit]] = number[at[hit]]
            open_ = open_[~hit]
            place[open_] += 1
        result = np.empty_like(found)
        result[order] = found
        return result

    def _read_people(self, connection: Connection, vault: Vault, size: int) -> None:
        highs, lows, numbers = [self.high], [self.low], [self.number]
        # Whoever was enrolled since has a number of the block that was then the last, or of a later one.
        keys = sealed_people.keys_in_use(vault, connection)
        found = store_bulk.pseudonyms(connection, keys, since=self.enrolled, size=size, lowest=self.block)
        for high, low, number in found:
            highs.append(high)
            lows.append(low)
            numbers.append(number)
        if len(highs) > 1:
            all_high = np.concatenate(highs)
            order = np.argsort(all_high)
            self.high = all_high[order]
            self.low, self.number = np.concatenate(lows)[order], np.concatenate(numbers)[order]
        self.block = store_people.current_block(connection)[0]
        self.enrolled = size


_CACHES: WeakKeyDictionary[Store, _Cache] = WeakKeyDictionary()
_CACHES_LOCK = threading.Lock()


def _cache_of(log: Log, erasures: tuple[int, int, int]) -> _Cache:
    with _CACHES_LOCK:
        cache = _CACHES.get(log.store)
        if cache is None or cache.erasures != erasures:
            cache = _CACHES[log.store] = _Cache(erasures)
        return cache


def _codes(last: NDArray[np.int64], at: int, version: int, notice: int, covered: int) -> NDArray[np.uint8]:
    """uint8[size]: 0 where permitted, else the reason; in the order in which `permit.permit` asks."""
    which, status, row_version, row_notice, bits, expires = last
    permitting = np.isin(status, [ConsentStatus.GIVEN.code, ConsentStatus.RENEWED.code])
    by_status = np.full(len(ConsentStatus), UseStatus.NO_CONSENT, np.uint8)
    for code, reason in REFUSAL_BY_CODE.items():
        by_status[code] = reason
    return np.select(
        [
            which < 0,
            ~permitting,
            expires <= at,
            (row_version != version) | (row_notice != notice),
            (bits & covered) == 0,
        ],
        [
            np.full(which.shape, UseStatus.NO_CONSENT, np.uint8),
            by_status[status],
            np.full(which.shape, UseStatus.EXPIRED, np.uint8),
            np.full(which.shape, UseStatus.OTHER_VERSION, np.uint8),
            np.full(which.shape, UseStatus.NOT_COVERED, np.uint8),
        ],
        default=np.uint8(0),
    )
