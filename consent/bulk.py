"""Permits for a whole population at once; the only module of this room that knows numpy.

The same decision as `permit.permit`, as arrays: every event of the purpose in the order of the log is scattered by the
person's dense number, so that the last one stands, and gathered for the people asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consent import store_consents, store_limits, store_log, store_people
from consent.limits import limited_people
from consent.permit import REFUSAL_BY_CODE
from consent.purposing import find
from consent.reading import check_aware, parse_processing
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from consent.ledger import Ledger
    from consent.tlog.checkpoint import Checkpoint

_NEVER = np.iinfo(np.int64).max
_COLUMNS = 6
_SELECT_SINGLY = 2_000
"""Up to so many people are looked up by their pseudonyms; more are found in a map of everybody (one scan)."""


@dataclass(frozen=True)
class Permits:
    """Who of a population may be processed.

    Attributes:
        numbers: int64[n], each person's number; -1 for people who are not on record.
        permitted: bool[n].
        status: uint8[n], 0 where permitted, else the `UseStatus` code of the reason (0x10 to 0x19).
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
    ledger: Ledger, people: Sequence[str], purpose_id: str, processing: str, *, at: datetime | None = None
) -> Permits:
    """Permitted or refused, with the reason, for every person of a population.

    Args:
        ledger: An open ledger.
        people: n external ids, in the order of the population; unknown people are refused.
        purpose_id: Id of a purpose; its newest version is meant.
        processing: A word of `Processing`.
        at: The instant at which the consents must hold; now by default. Only consents recorded by then count.

    Returns:
        Arrays aligned with `people`, and the checkpoint they were read at.

    Raises:
        UnknownPurpose: The purpose is not on record (exit 2).
        BadRequestError: The processing is not a word, or a person's id is none (2).
        RefusedToSignError: The log does not continue its last checkpoint (3).
    """
    log = ledger.log
    kind = parse_processing(processing)
    check_aware(at)
    state = ledger.checkpoint() if not log.store.read_only else log.covering(-1)
    pseudonyms = [log.pseudonym(person) for person in people]
    with log.store.read() as connection:
        purpose = find(store_consents.purposes(connection), purpose_id)
        end = store_log.log_end(connection)
        instant = (
            store_consents.epoch(at) if at is not None else max(store_consents.epoch(log.now()), end.last_at)
        )
        if len(pseudonyms) <= _SELECT_SINGLY:
            by_pseudonym = {
                key: person.number
                for key, person in store_people.by_pseudonym(connection, set(pseudonyms)).items()
            }
        else:
            by_pseudonym = store_people.numbers_by_pseudonym(connection)
        highest = store_people.highest_number(connection)
        rows = store_consents.states(connection, purpose_id, at=instant, size=state.size)
        limitations = store_limits.of_everybody(connection, at=instant, size=state.size)
    numbers = np.fromiter((by_pseudonym.get(key, -1) for key in pseudonyms), np.int64, len(pseudonyms))
    last = _last_of_each(rows, 0 if highest is None else highest + 1)
    covered = kind.bit if kind.value in purpose.processing else 0
    codes = _codes(last, instant, purpose.version, purpose.notice.version, covered)
    for number, standing in limited_people(
        limitations, purpose, kind, at=store_consents.moment(instant)
    ).items():
        if codes[number] == 0:
            codes[number] = standing
    # One place more at the end: number -1 is nobody, who has no consent.
    status = np.append(codes, np.uint8(UseStatus.NO_CONSENT))[numbers].astype(np.uint8)
    return Permits(numbers, status == 0, status, state)


def _last_of_each(rows: list[store_consents.StateRow], size: int) -> NDArray[np.int64]:
    """int64[6, size]: whether there is an event (0 or 1), then status, versions, processing bits and expiry of the last."""
    table = np.zeros((_COLUMNS, size), np.int64)
    if not rows:
        return table
    columns = list(zip(*rows, strict=True))
    number = np.fromiter(columns[0], np.int64, len(rows))
    # Not by assignment with repeated indices: which of them wins is promised for none but a unique one.
    unique, from_the_end = np.unique(number[::-1], return_index=True)
    last = len(rows) - 1 - from_the_end
    table[0, unique] = 1
    for place, values in enumerate(columns[1:5], 1):
        table[place, unique] = np.fromiter(values, np.int64, len(rows))[last]
    expires = np.fromiter((_NEVER if value is None else value for value in columns[5]), np.int64, len(rows))
    table[5, unique] = expires[last]
    return table


def _codes(last: NDArray[np.int64], at: int, version: int, notice: int, covered: int) -> NDArray[np.uint8]:
    """uint8[size]: 0 where permitted, else the reason; in the order in which `permit.permit` asks."""
    there, status, row_version, row_notice, bits, expires = last
    permitting = np.isin(status, [ConsentStatus.GIVEN.code, ConsentStatus.RENEWED.code])
    by_status = np.full(len(ConsentStatus), UseStatus.NO_CONSENT, np.uint8)
    for code, reason in REFUSAL_BY_CODE.items():
        by_status[code] = reason
    return np.select(
        [
            there == 0,
            ~permitting,
            expires <= at,
            (row_version != version) | (row_notice != notice),
            (bits & covered) == 0,
        ],
        [
            np.full(there.shape, UseStatus.NO_CONSENT, np.uint8),
            by_status[status],
            np.full(there.shape, UseStatus.EXPIRED, np.uint8),
            np.full(there.shape, UseStatus.OTHER_VERSION, np.uint8),
            np.full(there.shape, UseStatus.NOT_COVERED, np.uint8),
        ],
        default=np.uint8(0),
    )
