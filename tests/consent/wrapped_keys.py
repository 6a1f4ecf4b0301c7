"""A ledger in which everything that a key-encryption key stands before is there, and whether all of it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from consent.records import ConsentRequest
from consent.store import metadata
from consent.vocabulary import ConsentStatus, UseStatus
from tests.consent.ledger_world import OFFER, World, use_request

if TYPE_CHECKING:
    from consent.ledger import Ledger

S = ConsentStatus
GROUND = "eu-gdpr:A17-1-b"
PEOPLE = ["gone", *(f"p{i}" for i in range(5))]


def record_run(ledger: Ledger) -> bytes:
    """Something under every class of key; returns the run's id."""
    ledger.record_consents([ConsentRequest(person, OFFER, S.GIVEN) for person in PEOPLE])
    ledger.append_act(
        "staff:kim", "vote", object_digest="sha256:" + "0" * 64, service=None, details={"why": "because"}
    )
    use = use_request(ledger, dict.fromkeys(PEOPLE, UseStatus.USED), values=[b'{"a":1}'] * len(PEOPLE))
    ledger.append_use(use)
    return use.run


def all_opens(ledger: Ledger, world: World, run: bytes, people: list[str]) -> None:
    """Everything that a key-encryption key stands before: payloads, values, slots, secrets, new people."""
    for person in people:
        world.verify(ledger.consent_receipt(person, OFFER))
        assert world.verify(ledger.use_receipt(person, run)).use.values == '{"a":1}'
    assert ledger.check() == []


def wrapped(ledger: Ledger) -> dict[tuple[int, int], bytes]:
    table = metadata.tables["subject_key"]
    with ledger.log.store.read() as connection:
        return {
            (row[0], row[1]): row[2]
            for row in connection.execute(select(table.c["class"], table.c.number, table.c.wrapped))
        }
