"""Statements about limitations: objections, restrictions and their ends, projected from entries of kind `right`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from consent.limits import LIMITING, Limitation
from consent.store import insert_rows, limitation
from consent.store_consents import moment
from consent.store_log import in_parts
from consent.vocabulary import Right

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from consent.store_log import Row


def row_of(body: Mapping[str, Any], number: int, index: int) -> Row | None:
    """The projection of a `right` entry, from its payload's body (`at` is the entry's); None where it limits nothing.

    An objection or a restriction that was refused limits nothing; nor does a refused lifting lift.
    """
    if Right(body["right"]) not in LIMITING or body["answer"] == "refused":
        return None
    return {
        "idx": index,
        "number": number,
        "kind": body["right"],
        **{name: json.dumps(list(body[name])) for name in ("purposes", "processing", "categories")},
    }


def insert(connection: Connection, rows: Sequence[Row]) -> None:
    """Project entries; the rows have their `at`."""
    insert_rows(connection, limitation, rows)


def of_person(connection: Connection, number: int) -> list[Limitation]:
    """A person's limitations, oldest first."""
    query = select(limitation).where(limitation.c.number == number).order_by(limitation.c.idx)
    return [_limitation(row) for row in connection.execute(query)]


def of_everybody(connection: Connection, *, at: int, size: int) -> dict[int, list[Limitation]]:
    """Limitations in the first `size` entries and not after `at` (epoch seconds), by number, oldest first."""
    query = (
        select(limitation).where(limitation.c.idx < size, limitation.c.at <= at).order_by(limitation.c.idx)
    )
    found: dict[int, list[Limitation]] = {}
    for row in connection.execute(query):
        found.setdefault(row.number, []).append(_limitation(row))
    return found


def between(connection: Connection, start: int, end: int | None) -> dict[int, list[Limitation]]:
    """Limitations from entry `start` to `end` - 1 (to the last when None), by number, oldest first."""
    query = select(limitation).where(limitation.c.idx >= start).order_by(limitation.c.idx)
    if end is not None:
        query = query.where(limitation.c.idx < end)
    found: dict[int, list[Limitation]] = {}
    for row in connection.execute(query):
        found.setdefault(row.number, []).append(_limitation(row))
    return found


def delete_of(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete people's projected limitations."""
    for part in in_parts(numbers):
        connection.execute(delete(limitation).where(limitation.c.number.in_(part)))


def _limitation(row: Any) -> Limitation:
    return Limitation(
        index=row.idx,
        at=moment(row.at),
        right=Right(row.kind),
        purposes=tuple(json.loads(row.purposes)),
        processing=tuple(json.loads(row.processing)),
        categories=tuple(json.loads(row.categories)),
    )
