"""People found by their pseudonyms, which the database holds encrypted, each row under the key that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_keks, store_people
from consent.errors import KeyMissingError
from consent.row_mac import with_mac

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from consent.keys import Vault
    from consent.pseudonym_column import ColumnKey
    from consent.store_log import Row
    from consent.store_people import Person

PSEUDONYM_BYTES = 16


def by_pseudonym(vault: Vault, connection: Connection, pseudonyms: Collection[bytes]) -> dict[bytes, Person]:
    """The people who are on record and not erased, by pseudonym.

    Raises:
        KeyMissingError: Somebody was not found, and people are there whose key-encryption key is not: whether it is
            one of them cannot be known.
    """
    first = vault.column_key()
    found = _under(first, connection, pseudonyms)
    missing = [each for each in pseudonyms if each not in found]
    if missing:
        for key in keys_in_use(vault, connection):
            if key.name != first.name:
                found |= _under(key, connection, missing)
    return found


def keys_in_use(vault: Vault, connection: Connection) -> list[ColumnKey]:
    """The keys under which pseudonyms are encrypted: one, or more while a rotation is under way.

    Raises:
        KeyMissingError: One of them is not there.
    """
    return [key_of(vault, name) for name in store_people.keks_of_pseudonyms(connection)]


def key_of(vault: Vault, name: bytes | None) -> ColumnKey:
    """The key that a row names.

    Raises:
        KeyMissingError: It is not there.
    """
    key = None if name is None else vault.column_key_of(name)
    if key is None:
        raise KeyMissingError(
            "people of this database can be found only with a key-encryption key that is not there",
            "a backup from before its destruction finds nobody: restore a newer one; else run `luvalla ledger check`",
        )
    return key


def sealed_rows(vault: Vault, mac_key: bytes, people: Sequence[Row]) -> list[Row]:
    """Rows of new people as they are stored: pseudonyms encrypted under the key of today, with check values."""
    key = vault.column_key()
    column = key.seal(b"".join(row["pseudonym"] for row in people))
    return [
        with_mac(mac_key, "subject", {**row, "pseudonym": sealed, "kek": key.name})
        for row, sealed in zip(people, _blocks(column), strict=True)
    ]


def reseal(vault: Vault, connection: Connection, mac_key: bytes, rows: Sequence[Row]) -> None:
    """Encrypt under the key of today what another key encrypted, and put it in its place.

    Args:
        vault: Has both keys.
        connection: A writing connection.
        mac_key: The pseudonym key.
        rows: What the check values cover of some rows of `subject`.

    Raises:
        KeyMissingError: A row names a key that is not there.
    """
    by_key: dict[bytes | None, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row["kek"], []).append(row)
    for name, some in by_key.items():
        column = key_of(vault, name).open(b"".join(row["pseudonym"] for row in some))
        opened = [{**row, "pseudonym": each} for row, each in zip(some, _blocks(column), strict=True)]
        store_keks.replace_pseudonyms(connection, sealed_rows(vault, mac_key, opened))


def _under(key: ColumnKey, connection: Connection, pseudonyms: Collection[bytes]) -> dict[bytes, Person]:
    asked = list(pseudonyms)
    sealed = dict(zip(_blocks(key.seal(b"".join(asked))), asked, strict=True))
    return {
        sealed[each]: person for each, person in store_people.by_sealed_pseudonym(connection, sealed).items()
    }


def _blocks(column: bytes) -> list[bytes]:
    return [column[at : at + PSEUDONYM_BYTES] for at in range(0, len(column), PSEUDONYM_BYTES)]
