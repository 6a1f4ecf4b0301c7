"""A keyed check value beside each row whose content the log's hashes do not cover, so that a changed byte is seen.

A pseudonym, a request id, the time until which values are kept, a receipt of an erasure: nothing that was hashed says
what they were. Each such row carries a keyed BLAKE2s-128 over its columns, under the pseudonym key, which lies outside
the database. It is no proof for anybody outside: who holds the key can make it anew, and an older row put back whole
with its own value is not seen by it (the log's hashes are what proves).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, literal, select, tuple_, update

from consent.store import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from consent.store_raw import RawRow

BATCH = 20_000
"""Rows whose check values are renewed at once."""

COVERED = {
    "entry": (b"m:entry", ("idx", "at", "request", "fingerprint")),
    "subject": (b"m:subj", ("number", "pseudonym", "subject", "enrolled", "erased", "kek")),
    "erased_opening": (b"m:taken", ("idx", "erasure")),
    "erasure": (b"m:erased", ("idx", "number", "receipt")),
    "refill": (b"m:refill", ("first", "until", "numbers", "journal", "erased")),
    "lost_opening": (b"m:lost", ("idx", "first")),
    "use_run": (b"m:run", ("run", "idx", "slots", "secret", "values_until", "explanation")),
    "use_chunk": (b"m:chunk", ("run", "chunk", "statuses", "root", "values_root")),
    "use_values": (b"m:values", ("run", "chunk", "lengths", "sealed")),
    "use_slot": (b"m:slot", ("run", "number", "slot", "values_slot")),
}
"""By table: the label of its check values (BLAKE2s `person`, at most 8 bytes), and the columns they cover, in order."""


def row_mac(key: bytes, table: str, row: Mapping[str, Any]) -> bytes:
    """The check value of a row.

    Args:
        key: The pseudonym key.
        table: One of `COVERED`.
        row: Its columns: bytes, integers or None.

    Returns:
        16 bytes.
    """
    state = _start(key, table).copy()
    # Most are short bytes: a call for each would cost more than all the hashing.
    parts = [
        _SHORT[len(value)] + value if type(value) is bytes and len(value) < len(_SHORT) else _part(value)
        for value in map(row.__getitem__, COVERED[table][1])
    ]
    state.update(b"".join(parts))
    return state.digest()


def of_raw(key: bytes, table: str) -> Callable[[Sequence[bytes | None]], bytes]:
    """The check values of many rows that were read as bytes.

    Args:
        key: The pseudonym key.
        table: One of `COVERED`.

    Returns:
        From the covered columns of a row, in their order, to its check value.
    """
    start = _start(key, table)

    def value(columns: Sequence[bytes | None]) -> bytes:
        state = start.copy()
        try:
            parts = [_NULL if raw is None else _SHORT[len(raw)] + raw for raw in columns]
        except IndexError:
            parts = [_NULL if raw is None else _prefix(len(raw)) + raw for raw in columns]
        state.update(b"".join(parts))
        return state.digest()

    return value


def with_mac(key: bytes, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Put a row's check value into it as `mac`; returns the same row."""
    row["mac"] = row_mac(key, table, row)
    return row


def holds(key: bytes, table: str, row: RawRow) -> bool:
    """Whether a row, read as bytes, has the check value of its columns."""
    return row["mac"] == row_mac(key, table, row)


def renew(connection: Connection, key: bytes, name: str, *where: Any) -> None:
    """Give rows that were changed in this transaction their check values.

    Args:
        connection: A writing connection.
        key: The pseudonym key.
        name: One of `COVERED`.
        where: Conditions on its columns; all rows when none.
    """
    table = metadata.tables[name]
    keys = list(table.primary_key.columns)
    # Only what is needed, and not all at once: the bodies of a million entries would not fit in memory.
    names = dict.fromkeys([*(key.name for key in keys), *COVERED[name][1]])
    some = select(*(table.c[each] for each in names)).where(*where).order_by(*keys).limit(BATCH)
    # The type of each parameter is its column's: a BLOB key given as another type finds no row.
    its_keys = [key == bindparam(f"of_{key.name}", type_=key.type) for key in keys]
    change = update(table).where(*its_keys).values(mac=bindparam("new"))
    found = connection.execute(some).all()
    while found:
        rows = [dict(zip(names, values, strict=True)) for values in found]
        connection.execute(
            change,
            [
                {**{f"of_{each.name}": row[each.name] for each in keys}, "new": row_mac(key, name, row)}
                for row in rows
            ],
        )
        last = [literal(rows[-1][each.name], each.type) for each in keys]
        found = connection.execute(some.where(tuple_(*keys) > tuple_(*last))).all()


@lru_cache(maxsize=32)
def _start(key: bytes, table: str) -> blake2s:
    """Keying costs as much as hashing a row: it is done once."""
    return blake2s(key=key, digest_size=16, person=COVERED[table][0])


# Each column has its length in front, so that no two rows collide. An empty part is NULL; everything else has a byte in
# front, counted in the length. Integers are their decimal digits, as read raw.
_NULL = bytes(4)
_SHORT = [(length + 1).to_bytes(4, "big") + b"\x01" for length in range(256)]


def _prefix(length: int) -> bytes:
    return _SHORT[length] if length < len(_SHORT) else (length + 1).to_bytes(4, "big") + b"\x01"


def _part(value: Any) -> bytes:
    if value is None:
        return _NULL
    raw = b"%d" % value if isinstance(value, int) else bytes(value)
    return _prefix(len(raw)) + raw
