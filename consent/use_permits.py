"""Who of a run may still be used: decided from the log's own events, whatever the caller says that it decided.

Two readings, so that the transaction that writes, which keeps every other writer waiting, reads little: all events up to the
run's state before it begins; in it, only those that were appended since. Nothing in the first `size` entries changes but
by an erasure, and the erased are nobody's numbers any more (`use_recording` refuses those); and by a lost opening that came
back, after which all is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent import store_consents, store_limits, store_lost
from consent.errors import ConsentChanged
from consent.limits import limited_people
from consent.permit import REFUSAL_BY_CODE
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from consent.limits import Limitation
    from consent.log import Log
    from consent.records import Purpose
    from consent.vocabulary import Processing

_PERMITTING = frozenset({ConsentStatus.GIVEN.code, ConsentStatus.RENEWED.code})


def read(log: Log, purpose_id: str, size: int, used: Sequence[int]) -> PermitsBefore:
    """What the first `size` entries say about a purpose; for the check in the transaction that follows.

    Args:
        log: The log.
        purpose_id: The purpose.
        size: How many entries are read.
        used: The numbers used, selected or sampled; of nobody else is anything kept in memory.
    """
    numbers = frozenset(used)
    with log.store.read() as connection:
        last = _last_of(connection, purpose_id, size, numbers)
        limitations = store_limits.between(connection, 0, size)
        return PermitsBefore(purpose_id, size, numbers, last, limitations, store_lost.count(connection))


def _last_of(
    connection: Connection, purpose_id: str, size: int, numbers: frozenset[int]
) -> dict[int, store_consents.StateRow]:
    rows = store_consents.last_states(connection, purpose_id, size=size)
    return {row[0]: row for row in rows if row[0] in numbers}


@dataclass(frozen=True)
class PermitsBefore:
    """What was on record at a run's state.

    Attributes:
        purpose_id: The purpose.
        size: How many entries were read.
        used: The numbers used, selected or sampled.
        last: The last event of the purpose by number, of these.
        limitations: Everybody's limitations by number, oldest first.
        lost: How many openings were lost.
    """

    purpose_id: str
    size: int
    used: frozenset[int]
    last: Mapping[int, store_consents.StateRow]
    limitations: Mapping[int, Sequence[Limitation]]
    lost: int

    def check(self, connection: Connection, purpose: Purpose, processing: Processing, at: int) -> None:
        """Refuse a run that uses somebody who has no permission now, counting what was appended since.

        Args:
            connection: The transaction that will record the run.
            purpose: The version that the run processes for.
            processing: What the run does.
            at: The time of the run's entry, epoch seconds.

        Raises:
            ConsentChanged: It does.
        """
        last = dict(self.last)
        if store_lost.count(connection) != self.lost:
            last = _last_of(connection, self.purpose_id, self.size, self.used)
        last.update(
            (row[0], row) for row in store_consents.states_since(connection, self.purpose_id, self.size)
        )
        refused = refused_now(last, purpose, processing, at, self.used)
        limitations = {number: list(records) for number, records in self.limitations.items()}
        for number, records in store_limits.between(connection, self.size, None).items():
            limitations.setdefault(number, []).extend(records)
        of_used = {number: limitations[number] for number in limitations.keys() & self.used}
        limited = limited_people(of_used, purpose, processing, at=store_consents.moment(at))
        last_lost = store_lost.last_lost(connection)
        if last_lost >= 0:
            confirmed = store_lost.confirmed_since(connection, self.purpose_id, last_lost)
            refused = {**dict.fromkeys(self.used - confirmed, UseStatus.RECORD_LOST), **refused}
        refused = {**limited, **refused}
        if refused:
            raise ConsentChanged(
                f"{len(refused)} of the {len(self.used)} people used have no permission now; nothing was recorded",
                "leave them out and run again",
                tuple(sorted(refused)),
            )


def refused_now(
    last: Mapping[int, store_consents.StateRow],
    purpose: Purpose,
    processing: Processing,
    at: int,
    numbers: Collection[int],
) -> dict[int, UseStatus]:
    """Which of some numbers have no permission, and why; the same decision as `permit.permit`, for many.

    Args:
        last: The last event of the purpose by number.
        purpose: The purpose, in the version that the run processes for.
        processing: What the run does.
        at: The instant, epoch seconds.
        numbers: The numbers asked about.
    """
    covered = processing.bit if processing.value in purpose.processing else 0
    version, notice = purpose.version, purpose.notice.version
    refused: dict[int, UseStatus] = {}
    for number in numbers:
        row = last.get(number)
        if row is None:
            refused[number] = UseStatus.NO_CONSENT
            continue
        _, status, row_version, row_notice, bits, expires = row
        if status not in _PERMITTING:
            refused[number] = REFUSAL_BY_CODE[status]
        elif expires is not None and expires <= at:
            refused[number] = UseStatus.EXPIRED
        elif row_version != version or row_notice != notice:
            refused[number] = UseStatus.OTHER_VERSION
        elif not bits & covered:
            refused[number] = UseStatus.NOT_COVERED
    return refused
