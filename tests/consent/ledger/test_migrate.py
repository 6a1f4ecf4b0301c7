"""A ledger of the first schema becomes one of this, on both databases, and nothing that was hashed changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner
from sqlalchemy import column, select, table, update

from consent import consenting, kek_rotation, row_mac
from consent import migrate as migrating
from consent.canonical import encode
from consent.erasure_decision import decide
from consent.errors import ConsentUnavailableError, LedgerVersionError, RequestConflictError
from consent.home import read_settings
from consent.migrate import migrate
from consent.migrate_command import migrate as migrate_command
from consent.migrations import upgrade as upgrading
from consent.records import ConsentRequest
from consent.store import SCHEMA_VERSION, entry, subject
from consent.vocabulary import ConsentStatus, Right
from tests.consent.ledger_world import OFFER, G, use_request
from tests.consent.restored import rows, writing
from tests.consent.sealed import opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

W = ConsentStatus.WITHDRAWN
PEOPLE = {f"invented-{each}": 1 for each in range(300)}
HASHED = {
    "entry": ("idx", "leaf", "body"),
    "payload": ("idx", "ciphertext"),
    "tile": ("level", "idx", "hashes", "root"),
    "use_chunk": ("run", "chunk", "statuses", "root"),
}


@pytest.fixture
def old(world):
    """A ledger with people, a run and full tiles, taken back to the first schema."""
    return _aged(world, "0001")


def _aged(world, version: str):
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(person, OFFER, G) for person in PEOPLE])
        ledger.append_use(use_request(ledger, PEOPLE))
        ledger.record_consent("invented-7", OFFER, W, request_id="theirs")
        ledger.record_consent("invented-7", OFFER, G)
        ledger.erase("invented-9", ground="eu-gdpr:A17-1-b", request_id="erased")
        receipt = ledger.consent_receipt("invented-7", OFFER)
        _unseal(ledger)
    with writing(world) as connection:
        _back_to(connection, version)
    return world, receipt


def _unseal(ledger) -> None:
    """As an older luvalla wrote them: pseudonyms plain, and what was asked for under the pseudonym key."""
    log = ledger.log
    known = {number: pseudonym for pseudonym, number in opened(ledger).items()}
    asked = consenting._fingerprint(
        log, ConsentRequest("invented-7", OFFER, W, request_id="theirs"), log.pseudonym("invented-7")
    )
    erased = log.fingerprint(b"erase", encode(decide("eu-gdpr:A17-1-b", (), None).value()))
    with log.store.write() as connection:
        for number, pseudonym in known.items():
            connection.execute(
                update(subject).where(subject.c.number == number).values(pseudonym=pseudonym, kek=None)
            )
        for request, fingerprint in (("theirs", asked), ("erased", erased)):
            done = connection.execute(
                update(entry).where(entry.c.request == log.request(request)).values(fingerprint=fingerprint)
            )
            assert done.rowcount == 1
        former = row_mac.of_raw(log.pseudonym_key, "subject")
        for row in connection.execute(select(subject)).mappings().all():
            columns = [row[name] for name in ("number", "pseudonym", "subject", "enrolled", "erased")]
            mac = former([b"%d" % each if isinstance(each, int) else each for each in columns])
            connection.execute(update(subject).where(subject.c.number == row["number"]).values(mac=mac))
        row_mac.renew(connection, log.pseudonym_key, "entry")


def _back_to(connection: Connection, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrading.__file__).rpartition("/")[0])
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.downgrade(config, version)


def _hashed(world) -> dict[str, list]:
    with writing(world) as connection:
        return {
            name: sorted(
                tuple(row)
                for row in connection.execute(
                    select(*(column(each) for each in columns)).select_from(table(name))
                )
            )
            for name, columns in HASHED.items()
        }


def test_an_older_ledger_is_refused_with_the_way_out_and_then_migrated(old):
    world, receipt = old
    with pytest.raises(LedgerVersionError) as refused:
        world.open()
    assert "luvalla ledger migrate" in refused.value.hint
    before = _hashed(world)
    assert all(before.values())
    assert migrate(world.home, dry_run=True) == ("0001", SCHEMA_VERSION)
    with pytest.raises(LedgerVersionError):
        world.open()
    assert migrate(world.home) == ("0001", SCHEMA_VERSION)
    assert _hashed(world) == before
    assert migrate(world.home) == (SCHEMA_VERSION, SCHEMA_VERSION)
    with world.open() as ledger:
        assert ledger.check() == []
        assert ledger.consent_receipt("invented-7", OFFER)["opening"] == receipt["opening"]
        world.verify(receipt)
        world.verify(ledger.consent_receipt("invented-8", OFFER))
        ledger.record_right("invented-7", Right.OBJECTION, ground="my own reasons")
        assert ledger.check() == []


_SLOW = [pytest.param(each, marks=pytest.mark.slow) for each in ("0001", "0003")]


@pytest.mark.parametrize("version", [*_SLOW, "0005"])
def test_pseudonyms_are_sealed_and_requests_known_again(world, version):
    _aged(world, version)
    done = CliRunner().invoke(migrate_command, ["--json"], obj={"home": world.home.path})
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["before"], told["after"], told["bytes_freed"]) == (version, SCHEMA_VERSION, True)
    with world.open() as ledger:
        assert ledger.check() == []
        people = [person for person in PEOPLE if person != "invented-9"]
        assert opened(ledger).keys() == {ledger.log.pseudonym(person) for person in people}
        assert opened(ledger).keys().isdisjoint({row["pseudonym"] for row in rows(world, "subject")})
        assert [ledger.number_of(person) for person in people] == ledger.enrol_many(people)
        assert ledger.record_consent("invented-7", OFFER, W, request_id="theirs").replayed
        with pytest.raises(RequestConflictError):
            ledger.record_consent("invented-7", OFFER, G, request_id="theirs")
        with pytest.raises(RequestConflictError):
            ledger.record_consent("invented-8", OFFER, W, request_id="theirs")
        assert ledger.erase("invented-9", ground="eu-gdpr:A17-1-b", request_id="erased").index is not None
        if read_settings(world.home).database is None:
            raw = world.home.database.read_bytes()
            assert not [person for person in people if ledger.log.pseudonym(person) in raw]
        kek_rotation.rotate(ledger.log, world.home)
        assert ledger.check() == []


@pytest.mark.slow
def test_a_row_that_was_changed_before_the_migration_is_still_named(world):
    _aged(world, "0005")
    with writing(world) as connection:
        people = table("subject", column("number"), column("pseudonym"), column("erased"))
        living = select(people.c.number).where(people.c.erased.is_(None)).order_by(people.c.number)
        changed, cut = list(connection.scalars(living))[:2]
        for number, value in ((changed, b"x" * 16), (cut, b"short")):
            connection.execute(people.update().where(people.c.number == number).values(pseudonym=value))
    migrate(world.home)
    with world.open() as ledger:
        assert {(fault.table, fault.key) for fault in ledger.check()} == {
            ("subject", str(number)) for number in (changed, cut)
        }


def test_a_migration_that_fails_leaves_the_older_ledger(old, monkeypatch):
    world, _ = old
    before = _hashed(world)

    def half(connection: Connection) -> None:
        upgrading.upgrade(connection)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrating, "upgrade", half)
    with pytest.raises(OSError, match="No space"):
        migrate(world.home)
    monkeypatch.undo()
    assert _hashed(world) == before
    assert migrate(world.home, dry_run=True).before == "0001"
    migrate(world.home)
    with world.open() as ledger:
        assert ledger.check() == []


def test_a_newer_ledger_is_left_alone(world):
    with writing(world) as connection:
        connection.execute(
            table("alembic_version", column("version_num")).update().values(version_num="9999")
        )
    with pytest.raises(ConsentUnavailableError, match="9999"):
        migrate(world.home)
