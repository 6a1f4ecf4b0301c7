"""Statements of a rotation of the key-encryption key: what it wraps, and the same wrapped anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, literal, select, tuple_, update

from consent.row_mac import COVERED
from consent.store import subject, subject_key, use_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.store_log import Row

_CLASS = subject_key.c["class"]


def wrapped_after(connection: Connection, after: tuple[int, int], limit: int) -> list[tuple[int, int, bytes]]:
    """Class, number and wrapped key of the next people's keys in the order of the table's key."""
    keys = (_CLASS, subject_key.c.number)
    last = [literal(value, key.type) for value, key in zip(after, keys, strict=True)]
    query = (
        select(*keys, subject_key.c.wrapped).where(tuple_(*keys) > tuple_(*last)).order_by(*keys).limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def replace_wrapped(connection: Connection, rows: Sequence[tuple[int, int, bytes]]) -> None:
    """Put newly wrapped keys in place of the old: class, number, wrapped key."""
    if not rows:
        return
    change = (
        update(subject_key)
        .where(bindparam("of_class") == _CLASS, subject_key.c.number == bindparam("of_number"))
        .values(wrapped=bindparam("anew"))
    )
    connection.execute(
        change, [{"of_class": code, "of_number": number, "anew": wrapped} for code, number, wrapped in rows]
    )


def pseudonyms_not_under(connection: Connection, name: bytes, after: int, limit: int) -> list[Row]:
    """What the check values of the next living people cover whose pseudonyms are encrypted under another key, by number."""
    c = subject.c
    columns = [c[each] for each in COVERED["subject"][1]]
    other = c.pseudonym.is_not(None), (c.kek.is_(None) | (c.kek != name))
    query = select(*columns).where(c.number > after, *other).order_by(c.number).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def replace_pseudonyms(connection: Connection, rows: Sequence[Row]) -> None:
    """Put newly encrypted pseudonyms in place of the old: number, pseudonym, kek, mac."""
    if not rows:
        return
    change = (
        update(subject)
        .where(subject.c.number == bindparam("of_number"))
        .values(pseudonym=bindparam("anew"), kek=bindparam("by"), mac=bindparam("check_value"))
    )
    connection.execute(
        change,
        [
            {
                "of_number": row["number"],
                "anew": row["pseudonym"],
                "by": row["kek"],
                "check_value": row["mac"],
            }
            for row in rows
        ],
    )


def runs(connection: Connection) -> list[Row]:
    """What the check value of each run covers, its wrapped secret included."""
    columns = [use_run.c[name] for name in COVERED["use_run"][1]]
    return [dict(row) for row in connection.execute(select(*columns).order_by(use_run.c.idx)).mappings()]


def replace_secret(connection: Connection, run: bytes, secret: bytes, mac: bytes) -> None:
    """Put a newly wrapped secret in place of a run's old one."""
    connection.execute(update(use_run).where(use_run.c.run == run).values(secret=secret, mac=mac))
