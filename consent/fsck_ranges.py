"""The log and what belongs to its entries, a range of indices at a time: a check never holds more than one range."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import store_raw
from consent.entries import PersonalEntry, parse_entry
from consent.errors import ConsentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from consent.entries import InstitutionalAct, Payload
    from consent.fsck import LogContent


@dataclass
class Range:
    """Some entries, one after the other, and what their openings say.

    Attributes:
        end: Index after the last; None of what comes after the log's last entry.
        personal: Commitment by index.
        acts: The institution's acts by index.
        times: Time by index, epoch seconds, as stored; -1 where it is none.
        payloads: Payload by index; the subject in it does not count, nor the number in an enrolment.
        subject_of: The subject id in it, by index.
        number_of: Whose payload it is, by index.
    """

    end: int | None = None
    personal: dict[int, bytes] = field(default_factory=dict)
    acts: dict[int, InstitutionalAct] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    payloads: dict[int, Payload] = field(default_factory=dict)
    subject_of: dict[int, bytes] = field(default_factory=dict)
    number_of: dict[int, int] = field(default_factory=dict)


class Cursor:
    """Rows in the order of an integer of their key, up to one value after the other.

    Args:
        batches: Rows in the order of their key.
        column: Which column is that integer.
    """

    def __init__(self, batches: Iterator[Sequence[store_raw.RawTuple]], column: int = 0) -> None:
        self._batches = batches
        self._column = column
        self._rows: Sequence[store_raw.RawTuple] = ()
        self._at: list[int] = []
        self._place = 0

    def until(self, end: int | None) -> list[store_raw.RawTuple]:
        """The next rows below `end`, and those among them whose integer is none; with None at most one batch."""
        found: list[store_raw.RawTuple] = []
        while self._place < len(self._rows) or self._read():
            stop = len(self._rows) if end is None else bisect_left(self._at, end, self._place)
            found += self._rows[self._place : stop]
            self._place = stop
            if stop < len(self._rows) or end is None:
                break
        return found

    def _read(self) -> bool:
        last = self._at[-1] if self._at else 0
        self._rows, self._place = next(self._batches, ()), 0
        column = [row[self._column] for row in self._rows]
        at = store_raw.integers(column)
        if at is None:
            at = []
            for raw in column:
                value = store_raw.integer(raw)
                last = last if value is None else max(last, value)
                at.append(last)
        self._at = at
        return bool(self._rows)


def ranges(connection: Connection, content: LogContent) -> Iterator[Range]:
    """The entries again, as `fsck.read_log` understood them.

    What was wrong with them is not said a second time.
    """
    place = 0
    for rows in store_raw.batches(connection, "entry", ("idx", "body", "at")):
        part = Range(0)
        for raw, raw_body, raw_at in rows:
            index, at = store_raw.integer(raw), store_raw.integer(raw_at)
            part.end = max(part.end or 0, 0 if index is None else index + 1)
            index = place if index is None else index
            place += 1
            part.times[index] = -1 if at is None else at
            commitment = _commitment(raw_body or b"")
            if commitment is not None:
                part.personal[index] = commitment
            elif index in content.acts:
                part.acts[index] = content.acts[index]
        yield part


def _commitment(body: bytes) -> bytes | None:
    found = PersonalEntry.commitment_in(body)
    if found is not None:
        return found
    try:
        entry = parse_entry(body)
    except ConsentError:
        return None
    return entry.commitment if isinstance(entry, PersonalEntry) else None
