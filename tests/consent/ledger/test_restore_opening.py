"""Whoever holds a receipt brings a lost opening back; when the last one is back, nobody has to confirm anything."""

from __future__ import annotations

import json
from datetime import date

import pytest

from consent import kek_rotation, store_people
from consent.errors import BadRequestError, ConsentEvidenceError
from consent.published_log import FolderFiles
from consent.records import Permitted, Refused, Representation
from consent.refill import refill
from consent.restoring import restore
from consent.vocabulary import ConsentStatus, GivenBy, RetentionClass, UseStatus
from tests.consent.ledger_world import OFFER, G
from tests.consent.restored import Backup, content

S = ConsentStatus


@pytest.fixture
def receipts(world, tmp_path):
    """The database has lost b's enrolment and guardian's yes, and a's withdrawal; both have receipts."""
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
        ledger.record_consent("c", OFFER, G)
    backup = Backup(world)
    world.clock.forward(hours=1)
    with world.open() as ledger:
        ledger.record_consent(
            "b",
            OFFER,
            G,
            given_by=GivenBy.GUARDIAN,
            representation=Representation("register"),
            majority=date(2035, 1, 1),
        )
        world.clock.forward(hours=1)
        ledger.record_consent("a", OFFER, S.WITHDRAWN)
        numbers = {person: ledger.number_of(person) for person in "abc"}
        found = {each: json.dumps(ledger.consent_receipt(each, OFFER)).encode() for each in "abc"}
        ledger.publish(tmp_path / "public")
    backup.restore()
    with world.open() as ledger:
        refill(ledger.log, world.home, FolderFiles(tmp_path / "public"))
        ledger.checkpoint()
        assert ledger.lost_openings() == 3
        assert ledger.number_of("b") is None
    return found, numbers


def test_openings_come_back_and_the_rule_asks_for_nothing_more(world, receipts):
    found, numbers = receipts
    with world.open() as ledger:
        assert ledger.permit("c", OFFER, "scoring").status is UseStatus.RECORD_LOST
        assert len(restore(ledger.log, world.home, "b", found["b"])) == 2
        assert ledger.check() == []
        assert ledger.number_of("b") == numbers["b"]
        # The last lost entry is a's withdrawal: it may still be anybody's.
        assert ledger.permit("b", OFFER, "scoring").status is UseStatus.RECORD_LOST
        assert len(restore(ledger.log, world.home, "a", found["a"])) == 1
        assert ledger.lost_openings() == 0
        assert ledger.check() == []
        assert isinstance(ledger.permit("b", OFFER, "scoring"), Permitted)
        assert isinstance(ledger.permit("c", OFFER, "scoring"), Permitted)
        said = ledger.permit("a", OFFER, "scoring")
        assert isinstance(said, Refused)
        assert said.status is UseStatus.WITHDRAWN
        assert restore(ledger.log, world.home, "a", found["a"]) == []
        world.verify(ledger.consent_receipt("b", OFFER))
        ledger.record_consent("b", OFFER, S.WITHDRAWN)
        ledger.erase("a", ground="eu-gdpr:A17-1-b")
        assert ledger.check() == []


def test_what_is_no_proof_or_somebody_else_s_brings_nothing_back(world, receipts):
    found, _ = receipts
    before = content(world)
    with world.open() as ledger:
        forged = found["b"].replace(b"guardian", b"staff-assisted")
        for person, receipt, error in (
            ("b", forged, ConsentEvidenceError),
            ("b", b"{}", ConsentEvidenceError),
            ("a", found["b"], BadRequestError),
            ("stranger", found["a"], BadRequestError),
        ):
            with pytest.raises(error):
                restore(ledger.log, world.home, person, receipt)
        assert content(world) == before
        # Enrolled anew since: two numbers for one person would follow.
        ledger.record_consent("b", OFFER, G)
        with pytest.raises(BadRequestError, match="enrolled anew"):
            restore(ledger.log, world.home, "b", found["b"])
        assert ledger.check() == []


def test_what_comes_back_is_wrapped_by_a_key_that_was_replaced_meanwhile(world, receipts):
    found, numbers = receipts
    with world.open() as ledger:
        with world.open() as other:
            kek_rotation.rotate(other.log, world.home)
        restore(ledger.log, world.home, "b", found["b"])
    with world.open() as ledger:
        with ledger.log.store.read() as connection:
            [(number, wrapped)] = store_people.wrapped_keys(
                connection, RetentionClass.EVIDENCE.code, [numbers["b"]]
            )
        assert ledger.log.vault.unwrap_telling(number, RetentionClass.EVIDENCE, wrapped)[1]
        assert ledger.check() == []


def test_the_erased_are_not_brought_back(world, receipts):
    found, _ = receipts
    with world.open() as ledger:
        ledger.erase("a", ground="eu-gdpr:A17-1-b")
        with pytest.raises(BadRequestError, match="erased"):
            restore(ledger.log, world.home, "a", found["a"])
        assert ledger.check() == []
