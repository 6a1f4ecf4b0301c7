"""What the revision 0006 needs keys for: pseudonyms encrypted, and fingerprints of requests put under the people's keys.

No byte that was hashed is touched. A row whose check value did not hold keeps it, so that `luvalla ledger check` still names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update

from consent import row_mac, sealed_people, store_lost, store_people
from consent.errors import KeyMissingError
from consent.repeated import sealed_fingerprint
from consent.store import entry, payload, subject
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from consent.keys import Vault
    from consent.store_log import Row

BATCH = 20_000
"""Rows changed at once."""


def seal(connection: Connection, vault: Vault, mac_key: bytes, *, checked: bool) -> None:
    """Encrypt every living person's pseudonym, and put every request's fingerprint under its person's key.

    Args:
        connection: A writing connection to a ledger that has the columns of revision 0006.
        vault: Wraps and opens people's keys.
        mac_key: The pseudonym key.
        checked: The rows have check values of before.
    """
    _seal_pseudonyms(connection, vault, mac_key, checked=checked)
    _seal_fingerprints(connection, vault, mac_key, checked=checked)


def _seal_pseudonyms(connection: Connection, vault: Vault, mac_key: bytes, *, checked: bool) -> None:
    c = subject.c
    names = ("number", "pseudonym", "subject", "enrolled", "erased", "mac")
    query = select(*(c[name] for name in names)).order_by(c.number).limit(BATCH)
    change = (
        update(subject)
        .where(c.number == bindparam("of_number"))
        .values({name: bindparam(f"new_{name}") for name in ("pseudonym", "kek", "mac")})
    )
    mac_of = row_mac.of_raw(mac_key, "subject")
    rows = [dict(row) for row in connection.execute(query).mappings()]
    while rows:
        # Of another length it is damaged, and left to the check.
        living = [row for row in rows if len(row["pseudonym"] or b"") == sealed_people.PSEUDONYM_BYTES]
        sealed = {
            row["number"]: row
            for row in sealed_people.sealed_rows(vault, mac_key, [_plain(row) for row in living])
        }
        changes = []
        for row in rows:
            new = sealed.get(row["number"])
            if new is None:
                new = row_mac.with_mac(mac_key, "subject", {**_plain(row), "kek": None})
            held = not checked or row["mac"] == mac_of(_raw(row, names[:-1]))
            changes.append(
                {
                    "of_number": row["number"],
                    "new_pseudonym": new["pseudonym"],
                    "new_kek": new["kek"],
                    "new_mac": new["mac"] if held else row["mac"],
                }
            )
        connection.execute(change, changes)
        after = rows[-1]["number"]
        rows = [dict(row) for row in connection.execute(query.where(c.number > after)).mappings()]


def _seal_fingerprints(connection: Connection, vault: Vault, mac_key: bytes, *, checked: bool) -> None:
    c = entry.c
    names = (*row_mac.COVERED["entry"][1], "mac")
    query = (
        select(*(c[name] for name in names), payload.c.number, payload.c["class"].label("retention"))
        .join(payload, payload.c.idx == c.idx)
        # Where an opening was lost and came back, nobody knows what was asked for.
        .where(c.fingerprint.is_not(None), c.fingerprint != store_lost.refilled_mark(mac_key))
        .order_by(c.idx)
        .limit(BATCH)
    )
    change = (
        update(entry)
        .where(c.idx == bindparam("of_idx"))
        .values(fingerprint=bindparam("new_fingerprint"), mac=bindparam("new_mac"))
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    while rows:
        keys = _keys(connection, vault, rows)
        changes = []
        for row in rows:
            key = keys.get((row["retention"], row["number"]))
            # Where no key opens what was asked for is not known any more, as after an erasure.
            asked = None if key is None else sealed_fingerprint(key, row["fingerprint"])
            held = not checked or row["mac"] == row_mac.row_mac(mac_key, "entry", row)
            new = row_mac.row_mac(mac_key, "entry", {**row, "fingerprint": asked})
            changes.append(
                {"of_idx": row["idx"], "new_fingerprint": asked, "new_mac": new if held else row["mac"]}
            )
        connection.execute(change, changes)
        rows = [dict(row) for row in connection.execute(query.where(c.idx > rows[-1]["idx"])).mappings()]


def _keys(connection: Connection, vault: Vault, rows: list[Row]) -> dict[tuple[int, int], bytes]:
    found: dict[tuple[int, int], bytes] = {}
    for code in {row["retention"] for row in rows}:
        numbers = {row["number"] for row in rows if row["retention"] == code}
        for number, wrapped in store_people.wrapped_keys(connection, code, numbers):
            try:
                found[code, number] = vault.unwrap(number, RetentionClass.from_code(code), wrapped)
            except KeyMissingError:
                continue  # the check reports it
    return found


def _plain(row: Row) -> Row:
    return {name: row[name] for name in ("number", "pseudonym", "subject", "enrolled", "erased")}


def _raw(row: Row, names: Iterable[str]) -> list[bytes | None]:
    return [b"%d" % row[name] if isinstance(row[name], int) else row[name] for name in names]
