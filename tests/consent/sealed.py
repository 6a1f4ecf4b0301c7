"""What the column of pseudonyms holds of somebody, and what it opens to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from consent.sealed_people import keys_in_use
from consent.store import subject

if TYPE_CHECKING:
    from consent.ledger import Ledger


def column(ledger: Ledger, person: str) -> bytes:
    """What stands in the column for a person, under the key of today."""
    return ledger.log.vault.column_key().seal(ledger.log.pseudonym(person))


def opened(ledger: Ledger) -> dict[bytes, int]:
    """Number of every living person by pseudonym, each opened by the key that its row names."""
    vault = ledger.log.vault
    with ledger.log.store.read() as connection:
        keys = {key.name: key for key in keys_in_use(vault, connection)}
        rows = connection.execute(select(subject).where(subject.c.pseudonym.is_not(None))).all()
    return {keys[row.kek].open(row.pseudonym): row.number for row in rows}
