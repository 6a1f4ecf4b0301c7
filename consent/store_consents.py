"""Statements about consents: purposes, notices and the projection of consent events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select

from consent.canonical import decode, parse_time
from consent.purposes import from_document
from consent.records import ConsentEvent, Purpose
from consent.store import consent_event, entry, insert_rows, notice, purpose
from consent.store_log import Row, in_parts
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection, Select

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024

RANGE = 65_536
"""Numbers of which the last events are in memory at a time."""
_PERMITTING = tuple(status.code for status in ConsentStatus if status.permits)
_EVENT = (
    consent_event.c.number,
    consent_event.c.purpose,
    consent_event.c.idx,
    consent_event.c.at,
    consent_event.c.status,
    consent_event.c.purpose_version,
    consent_event.c.notice_version,
    consent_event.c.processing,
    consent_event.c.expires,
)


def purposes(
    connection: Connection, *, size: int | None = None, at: int | None = None
) -> dict[tuple[str, int], Purpose]:
    """Every version of every purpose; of the first `size` entries, and not after `at` (epoch seconds), where given."""
    texts = {
        (row.id, row.version): decode(row.texts, limit=MAX_DOCUMENT_BYTES)
        for row in connection.execute(select(notice.c.id, notice.c.version, notice.c.texts))
    }
    found: dict[tuple[str, int], Purpose] = {}
    query = select(purpose.c.id, purpose.c.version, purpose.c.document)
    if size is not None:
        query = query.where(purpose.c.idx < size)
    if at is not None:
        query = query.join(entry, entry.c.idx == purpose.c.idx).where(entry.c.at <= at)
    for row in connection.execute(query):
        document = decode(row.document, limit=MAX_DOCUMENT_BYTES)
        key = (document["notice"]["id"], document["notice"]["version"])
        found[row.id, row.version] = from_document(document, texts[key])
    return found


def purpose_document(
    connection: Connection, purpose_id: str, version: int
) -> tuple[int, bytes, bytes] | None:
    """Of one version of a purpose: index of its entry, exact bytes of its document, its notice's texts as JSON."""
    row = connection.execute(
        select(purpose.c.idx, purpose.c.document).where(
            purpose.c.id == purpose_id, purpose.c.version == version
        )
    ).one_or_none()
    if row is None:
        return None
    named = decode(row.document, limit=MAX_DOCUMENT_BYTES)["notice"]
    texts = connection.execute(
        select(notice.c.texts).where(notice.c.id == named["id"], notice.c.version == named["version"])
    ).scalar_one()
    return row.idx, row.document, texts


def insert_purposes(connection: Connection, purposes: Sequence[Row], notices: Sequence[Row]) -> None:
    """Add versions of purposes and notices."""
    insert_rows(connection, purpose, purposes)
    insert_rows(connection, notice, notices)


def insert_events(connection: Connection, rows: Sequence[Row]) -> None:
    """Project consent entries."""
    insert_rows(connection, consent_event, rows)


def events_of(connection: Connection, number: int) -> dict[str, list[ConsentEvent]]:
    """A person's events by purpose, oldest first."""
    query = select(*_EVENT).where(consent_event.c.number == number).order_by(consent_event.c.idx)
    found: dict[str, list[ConsentEvent]] = {}
    for row in connection.execute(query):
        found.setdefault(row[1], []).append(_event(row))
    return found


def last_events(connection: Connection, numbers: Collection[int]) -> dict[tuple[int, str], ConsentEvent]:
    """The newest event of each of some people, by number and purpose."""
    found: dict[tuple[int, str], ConsentEvent] = {}
    for part in in_parts(list(numbers)):
        query = select(*_EVENT).where(consent_event.c.number.in_(part)).order_by(consent_event.c.idx)
        for row in connection.execute(query):
            found[row[0], row[1]] = _event(row)
    return found


def event_at(connection: Connection, index: int) -> tuple[int, str, ConsentEvent] | None:
    """Number, purpose and event of one entry."""
    row = connection.execute(select(*_EVENT).where(consent_event.c.idx == index)).one_or_none()
    return None if row is None else (row[0], row[1], _event(row))


StateRow = tuple[int, int, int, int, int, int | None]
"""Number, status code, purpose version, notice version, processing bits, expiry (epoch seconds)."""


_STATE = (
    consent_event.c.number,
    consent_event.c.status,
    consent_event.c.purpose_version,
    consent_event.c.notice_version,
    consent_event.c.processing,
    consent_event.c.expires,
)


def last_states(connection: Connection, purpose_id: str, *, size: int) -> Iterator[StateRow]:
    """The last event of each number for a purpose in the first `size` entries; read range by range of numbers."""
    event = consent_event.c
    highest = connection.scalar(select(func.max(event.number)).where(event.purpose == purpose_id))
    for low in range(0, 0 if highest is None else highest + 1, RANGE):
        newest = (
            select(func.max(event.idx))
            .where(event.purpose == purpose_id, event.number >= low, event.number < low + RANGE)
            .where(event.idx < size)
            .group_by(event.number)
        )
        # Rows are only unpacked: plain tuples in all but name.
        rows: Any = connection.execute(select(*_STATE).where(event.idx.in_(newest))).all()
        yield from rows


def states_since(connection: Connection, purpose_id: str, size: int) -> list[StateRow]:
    """The events of a purpose from entry `size` on, oldest first; reads no event before it."""
    event = consent_event.c
    # `coalesce` keeps the planner from the index on the purpose, which would read all its events.
    of_purpose = func.coalesce(event.purpose, "") == purpose_id
    rows: Any = connection.execute(
        select(*_STATE).where(event.idx >= size, of_purpose).order_by(event.idx)
    ).all()
    return list(rows)


def count_in_force(connection: Connection, purpose_id: str, *, at: int) -> int:
    """How many people's newest word on a purpose is a yes that has not run out, for whatever version."""
    event = consent_event.c
    query = (
        select(func.count())
        .select_from(consent_event)
        .where(event.idx.in_(_newest().where(event.purpose == purpose_id)), event.status.in_(_PERMITTING))
        .where(or_(event.expires.is_(None), event.expires > at))
    )
    return connection.scalar(query) or 0


def run_out(connection: Connection, *, at: int) -> list[tuple[int, str]]:
    """Number and purpose of every newest word that is a yes and has run out, in the order of the log."""
    event = consent_event.c
    query = (
        select(event.number, event.purpose)
        .where(event.idx.in_(_newest()), event.status.in_(_PERMITTING), event.expires <= at)
        .order_by(event.idx)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def _newest() -> Select[tuple[int]]:
    event = consent_event.c
    return select(func.max(event.idx)).group_by(event.purpose, event.number)


def delete_events(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete people's projected events."""
    for part in in_parts(numbers):
        connection.execute(delete(consent_event).where(consent_event.c.number.in_(part)))


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())


def epoch_of_text(text: str) -> int:
    """Whole seconds since 1970 of `YYYY-MM-DDThh:mm:ssZ`."""
    return epoch(parse_time(text))


def moment(seconds: int) -> datetime:
    """The moment, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _event(row: Any) -> ConsentEvent:
    return ConsentEvent(
        index=row[2],
        at=moment(row[3]),
        status=ConsentStatus.from_code(row[4]),
        purpose_version=row[5],
        notice_version=row[6],
        processing=row[7],
        expires=None if row[8] is None else moment(row[8]),
    )
