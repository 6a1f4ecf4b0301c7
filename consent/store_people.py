"""Statements about people: who has which number, and their wrapped keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update

from consent import row_mac, store_lost
from consent.canonical import SLOT_MULTIPLE
from consent.store import erased_opening, insert_rows, subject, subject_key
from consent.store_log import Row, in_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection


class Person(NamedTuple):
    """One person as the ledger knows them.

    Attributes:
        number: Dense random number, never reused.
        subject: The subject id, 16 random bytes; the only name in payloads.
        enrolled: Index of the enrolment entry.
    """

    number: int
    subject: bytes
    enrolled: int


def by_sealed_pseudonym(connection: Connection, pseudonyms: Collection[bytes]) -> dict[bytes, Person]:
    """The people who are on record and not erased, by what the column holds; see `sealed_people.by_pseudonym`."""
    found: dict[bytes, Person] = {}
    for part in in_parts(list(pseudonyms)):
        query = select(subject.c.pseudonym, subject.c.number, subject.c.subject, subject.c.enrolled).where(
            subject.c.pseudonym.in_(part)
        )
        for row in connection.execute(query):
            found[row[0]] = Person(row[1], row[2], row[3])
    return found


def keks_of_pseudonyms(connection: Connection) -> list[bytes]:
    """Names of the key-encryption keys under which pseudonyms are encrypted: a step in the index for each."""
    found: list[bytes] = []
    query = select(subject.c.kek).where(subject.c.kek.is_not(None)).order_by(subject.c.kek).limit(1)
    name = connection.scalar(query)
    while name is not None:
        found.append(name)
        name = connection.scalar(query.where(subject.c.kek > name))
    return found


def living_since(connection: Connection, index: int, low: int, high: int) -> dict[int, int | None]:
    """Numbers from `low` to `high` - 1 enrolled before an entry and not erased before it, with their erasure's index."""
    query = select(subject.c.number, subject.c.erased).where(
        subject.c.number >= low, subject.c.number < high, subject.c.enrolled < index
    )
    return {row[0]: row[1] for row in connection.execute(query) if row[1] is None or row[1] > index}


def highest_number(connection: Connection) -> int | None:
    """The highest number ever given."""
    highest: int | None = connection.scalar(select(func.max(subject.c.number)))
    return highest


def taken(connection: Connection, low: int) -> set[int]:
    """The numbers from `low` on that are or were in use."""
    return set(connection.scalars(select(subject.c.number).where(subject.c.number >= low)))


def is_taken(connection: Connection, number: int) -> bool:
    """Whether a number is or was in use."""
    return connection.scalar(select(subject.c.number).where(subject.c.number == number)) is not None


def count_from(connection: Connection, low: int) -> int:
    """How many numbers from `low` on are or were in use."""
    return connection.scalar(select(func.count()).select_from(subject).where(subject.c.number >= low)) or 0


def current_block(connection: Connection) -> tuple[int, int]:
    """Start of the block of 65,536 numbers that new people get theirs from, and how many of it are taken."""
    highest = highest_number(connection) or 0
    start = max(highest // SLOT_MULTIPLE * SLOT_MULTIPLE, store_lost.number_floor(connection))
    count = count_from(connection, start)
    return (start, count) if count < SLOT_MULTIPLE else (start + SLOT_MULTIPLE, 0)


def insert_people(connection: Connection, people: Sequence[Row], keys: Sequence[Row]) -> None:
    """Add people and their wrapped keys."""
    insert_rows(connection, subject, people)
    insert_rows(connection, subject_key, keys)


def wrapped_keys(connection: Connection, retention: int, numbers: Collection[int]) -> list[tuple[int, bytes]]:
    """Number and wrapped key of some people, for one class."""
    found: list[tuple[int, bytes]] = []
    for part in in_parts(list(numbers)):
        query = select(subject_key.c.number, subject_key.c.wrapped).where(
            subject_key.c["class"] == retention, subject_key.c.number.in_(part)
        )
        found.extend((row[0], row[1]) for row in connection.execute(query))
    return found


def wrapped_keys_between(
    connection: Connection, retention: int, low: int, high: int
) -> list[tuple[int, bytes]]:
    """The same for the numbers from `low` to `high` - 1, in order."""
    query = (
        select(subject_key.c.number, subject_key.c.wrapped)
        .where(subject_key.c["class"] == retention, subject_key.c.number >= low, subject_key.c.number < high)
        .order_by(subject_key.c.number)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def erased_numbers(connection: Connection) -> set[int]:
    """Numbers whose holders were erased."""
    return set(connection.scalars(select(subject.c.number).where(subject.c.erased.is_not(None))))


def forget(connection: Connection, erased: Mapping[int, int], mac_key: bytes) -> None:
    """Cut the link from people's external ids and subject ids to their numbers; the numbers stay taken.

    Args:
        connection: A writing connection.
        erased: Index of the erasure by number.
        mac_key: The pseudonym key.
    """
    change = (
        update(subject)
        .where(subject.c.number == bindparam("of_number"))
        .values(pseudonym=None, subject=None, kek=None, erased=bindparam("at_index"))
    )
    connection.execute(change, [{"of_number": number, "at_index": index} for number, index in erased.items()])
    for part in in_parts(sorted(erased)):
        row_mac.renew(connection, mac_key, "subject", subject.c.number.in_(part))


def erased_at(connection: Connection, index: int) -> list[int]:
    """Numbers whose erasure is noted at an index, ascending."""
    query = select(subject.c.number).where(subject.c.erased == index).order_by(subject.c.number)
    return list(connection.scalars(query))


def move_erasures(connection: Connection, beyond: int, mac_key: bytes) -> None:
    """Erasures noted at an index beyond the log are noted at `beyond`."""
    people = list(connection.scalars(select(subject.c.number).where(subject.c.erased > beyond)))
    openings = list(connection.scalars(select(erased_opening.c.idx).where(erased_opening.c.erasure > beyond)))
    for part in in_parts(people):
        connection.execute(update(subject).where(subject.c.number.in_(part)).values(erased=beyond))
        row_mac.renew(connection, mac_key, "subject", subject.c.number.in_(part))
    for part in in_parts(openings):
        connection.execute(
            update(erased_opening).where(erased_opening.c.idx.in_(part)).values(erasure=beyond)
        )
        row_mac.renew(connection, mac_key, "erased_opening", erased_opening.c.idx.in_(part))


def delete_keys(connection: Connection, numbers: Sequence[int], retentions: Collection[int]) -> None:
    """Destroy people's wrapped keys of some classes."""
    for part in in_parts(numbers):
        connection.execute(
            delete(subject_key).where(
                subject_key.c.number.in_(part), subject_key.c["class"].in_(list(retentions))
            )
        )
