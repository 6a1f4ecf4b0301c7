"""Whoever keeps an old backup and the pseudonym key finds nobody in it once its key-encryption key is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import update

from consent import bulk, consenting, kek_rotation, key_ring, sealed_people, store_keks, store_people
from consent.bulk import permits
from consent.errors import KeyMissingError, RequestConflictError
from consent.keys import Vault, read_key_file
from consent.pseudonym import keyed_digest, pseudonym
from consent.records import ConsentRequest
from consent.row_mac import COVERED, row_mac
from consent.store import subject
from consent.vocabulary import Right
from tests.consent.byte_search import Search
from tests.consent.ledger_world import OFFER, World
from tests.consent.restored import Backup, rows
from tests.consent.sealed import column, opened
from tests.consent.wrapped_keys import GROUND, PEOPLE, S, all_opens, record_run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consent.keys import Vault as AnyVault
    from consent.ledger import Ledger

BY_REQUEST = ["r0", "r1", "r2"]
STAFF = ["staff:kim", *(f"staff:{each}" for each in BY_REQUEST)]
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def run(ledger: Ledger) -> bytes:
    done = record_run(ledger)
    for each in BY_REQUEST:
        ledger.enrol(each, request_id=f"random-{each}-0")
        ledger.record_consent(each, OFFER, S.GIVEN, request_id=f"random-{each}-1")
        ledger.record_right(
            each, Right.OBJECTION, ground="eu-gdpr:A21", purposes=[OFFER], request_id=f"random-{each}-2"
        )
        ledger.append_act(
            each, "vote", object_digest=DIGEST, service=None, details={}, request_id=f"random-{each}-3"
        )
    return done


class Attacker:
    """Has a database, the pseudonym key and whatever key-encryption keys are given; knows how the ledger is made."""

    def __init__(self, content: dict[str, list[dict]], key: bytes, vaults: Iterable[AnyVault]) -> None:
        self.content, self.key, self.vaults = content, key, list(vaults)

    def finds(self, person: str) -> set[str]:
        """By which ways the person's id leads to a row."""
        its = pseudonym(self.key, person)
        stored = {
            value
            for name in self.content
            for row in self.content[name]
            for value in row.values()
            if isinstance(value, bytes)
        }
        found = {"plain"} & {"plain" if its in stored else ""}
        found |= {"column"} & {
            "column" if vault.column_key().seal(its) in stored else "" for vault in self.vaults
        }
        for row in self.content["subject"]:
            if row_mac(self.key, "subject", {**row, "pseudonym": its}) == row["mac"]:
                found.add("check value")
        prints = [
            keyed_digest(self.key, b"asked", b"enrol", its),
            consenting._fingerprint(_Keyed(self.key), ConsentRequest(person, OFFER, S.GIVEN), its),
        ]
        found |= {"fingerprint"} & {"fingerprint" if each in stored else "" for each in prints}
        return found


class _Keyed:
    """What a fingerprint needs of a log."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def fingerprint(self, *parts: bytes) -> bytes:
        return keyed_digest(self.key, b"asked", *parts)


def _vaults(world: World, origin: str) -> list[Vault]:
    """Of every key-encryption key whose file is still there."""
    return [
        Vault(read_key_file(path), origin)
        for path in world.home.keys.glob("kek*")
        if path.name != "keks.json"
    ]


def test_with_the_key_of_its_time_destroyed_a_backup_finds_nobody(
    ledger: Ledger, world: World, run: bytes, backend: str
) -> None:
    ledger.reclaim()
    everybody = [*PEOPLE, *BY_REQUEST, *STAFF]
    backup = Backup(world)
    raw = world.home.database.read_bytes() if backend == "sqlite" else None
    key = read_key_file(world.home.pseudonym_key)
    # Today the same attacker, with the key-encryption key, finds everybody, and by nothing else.
    today = Attacker(backup.rows, key, _vaults(world, ledger.origin))
    assert [today.finds(person) for person in everybody] == [{"column"}] * len(everybody)
    assert today.finds("stranger") == set()

    ledger.erase("gone", ground=GROUND)
    kek_rotation.rotate(ledger.log, world.home)
    world.clock.forward(days=15)
    assert len(kek_rotation.destroy_expired(ledger.log, world.home)) == 1
    late = Attacker(backup.rows, key, _vaults(world, ledger.origin))
    assert [late.finds(person) for person in everybody] == [set()] * len(everybody)
    if raw is not None:
        search = Search()
        for person in everybody:
            search.add(person, pseudonym(key, person))
            search.add(person, column(ledger, person))
        folder = world.home.path.parent / "stolen"
        folder.mkdir()
        (folder / "ledger.db").write_bytes(raw)
        assert search.found([folder]) == {}
        (folder / "ledger.db").write_bytes(raw + pseudonym(key, "p1"))
        assert search.found([folder]) == {"p1": {"ledger.db"}}
    # And the ledger in use knows everybody else.
    all_opens(ledger, world, run, PEOPLE[1:])
    assert [ledger.number_of(person) is None for person in everybody] == [True] + [False] * 12


def test_such_a_backup_put_back_says_so_and_takes_nobody_for_somebody_new(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = Backup(world)
    before = len(rows(world, "subject"))
    kek_rotation.rotate(ledger.log, world.home)
    world.clock.forward(days=15)
    kek_rotation.destroy_expired(ledger.log, world.home)
    backup.restore(checkpoint=True)
    bulk._CACHES.clear()
    with world.open() as late:
        for ask in (
            lambda: late.number_of("p0"),
            lambda: late.consents("stranger"),
            lambda: late.record_consent("p0", OFFER, S.GIVEN),
            lambda: late.enrol_many(["p0", "stranger"]),
            lambda: late.erase("p0", ground=GROUND),
            lambda: permits(late, ["p0", "stranger"], OFFER, "scoring"),
        ):
            with pytest.raises(KeyMissingError, match="not there"):
                ask()
        monkeypatch.setattr(bulk, "_SELECT_SINGLY", 0)
        with pytest.raises(KeyMissingError, match="not there"):
            permits(late, ["p0", "stranger"], OFFER, "scoring")
        named = {fault.key for fault in late.check() if fault.table == "subject"}
        assert named == {str(row["number"]) for row in rows(world, "subject")}
        with pytest.raises(KeyMissingError):
            kek_rotation.rotate(late.log, world.home)
    assert len(rows(world, "subject")) == before


@pytest.mark.slow
def test_a_backup_whose_key_is_kept_finds_everybody_and_is_sealed_by_today_s_key(
    ledger: Ledger, world: World, run: bytes
) -> None:
    numbers = {person: ledger.number_of(person) for person in [*PEOPLE, *BY_REQUEST]}
    backup = Backup(world)
    kek_rotation.rotate(ledger.log, world.home)
    backup.restore(checkpoint=True)
    with world.open() as back:
        assert {person: back.number_of(person) for person in numbers} == numbers
        assert {fault.table for fault in back.check()} == {"subject", "subject_key", "use_run"}
        # Somebody new stands under today's key, beside them.
        back.record_consents(
            [ConsentRequest("p1", OFFER, S.WITHDRAWN), ConsentRequest("new", OFFER, S.GIVEN)]
        )
        numbers["new"] = back.number_of("new")
        assert len(set(numbers.values())) == len(numbers)
        kek_rotation.rotate(back.log, world.home)
        kek_rotation.rotate(back.log, world.home)
        assert back.check() == []
        assert {person: back.number_of(person) for person in numbers} == numbers


@pytest.mark.parametrize("singly", [pytest.param(True, marks=pytest.mark.slow), False])
def test_in_the_middle_of_a_rotation_everybody_is_found_once(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch, *, singly: bool
) -> None:
    everybody = [*PEOPLE, *BY_REQUEST]
    monkeypatch.setattr(bulk, "_SELECT_SINGLY", 2_000 if singly else 0)
    numbers = [ledger.number_of(person) for person in everybody]
    real, calls = store_keks.replace_pseudonyms, []

    def killed(*args: object) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(kek_rotation, "BATCH", 4)
    with monkeypatch.context() as patch:
        patch.setattr(store_keks, "replace_pseudonyms", killed)
        with pytest.raises(KeyboardInterrupt):
            kek_rotation.rotate(ledger.log, world.home)
    for each in (ledger, world.open()):
        with each.log.store.read() as connection:
            assert len(store_people.keks_of_pseudonyms(connection)) == 2
        asked = [*everybody, "stranger"]
        assert permits(each, asked, OFFER, "scoring").numbers.tolist() == [*numbers, -1]
        assert [each.number_of(person) for person in asked] == [*numbers, None]
        assert each.check() == []
        # Nobody is enrolled a second time; who is erased is under neither.
        assert each.enrol_many(everybody) == numbers
    ledger.erase("gone", ground=GROUND)
    with world.open() as other:
        kek_rotation.rotate(other.log, world.home)
        assert other.number_of("gone") is None
        assert permits(other, everybody[1:], OFFER, "scoring").numbers.tolist() == numbers[1:]
        assert len(opened(other)) == len(everybody) + len(STAFF) - 1  # without who is gone
        assert other.check() == []
    # A map that was read before the rotation still holds: pseudonyms in it are open.
    assert permits(ledger, everybody[1:], OFFER, "scoring").numbers.tolist() == numbers[1:]


def test_a_new_ledger_is_sealed_from_its_first_row(ledger: Ledger, world: World, run: bytes) -> None:
    [name] = {row["kek"] for row in rows(world, "subject")}
    assert name.hex() == key_ring.load(world.home).current.id
    everybody = {ledger.log.pseudonym(person) for person in [*PEOPLE, *BY_REQUEST, *STAFF]}
    assert opened(ledger).keys() == everybody
    assert not everybody & {row["pseudonym"] for row in rows(world, "subject")}


@pytest.mark.slow
def test_a_request_is_known_again_and_another_with_its_id_refused(
    ledger: Ledger, world: World, run: bytes
) -> None:
    size = ledger.head().size
    kek_rotation.rotate(ledger.log, world.home)
    for each in BY_REQUEST:
        assert ledger.record_consent(each, OFFER, S.GIVEN, request_id=f"random-{each}-1").replayed
    assert ledger.head().size == size
    for person, status in (("r0", S.WITHDRAWN), ("r1", S.GIVEN), ("stranger", S.GIVEN)):
        with pytest.raises(RequestConflictError):
            ledger.record_consent(person, OFFER, status, request_id="random-r0-1")
    with pytest.raises(RequestConflictError):
        ledger.append_act(
            "r1", "vote", object_digest=DIGEST, service=None, details={}, request_id="random-r0-3"
        )
    assert ledger.head().size == size


def test_the_check_names_a_row_under_a_replaced_key_and_somebody_there_twice(
    ledger: Ledger, world: World, run: bytes
) -> None:
    old = Vault(read_key_file(world.home.key_encryption_key), ledger.origin)
    kek_rotation.rotate(ledger.log, world.home)
    log, c = ledger.log, subject.c
    numbers = {person: ledger.number_of(person) for person in ("p0", "p1")}

    def put(number: int, its: bytes) -> None:
        [row] = [row for row in rows(world, "subject") if row["number"] == number]
        row = {name: row[name] for name in COVERED["subject"][1]}
        [new] = sealed_people.sealed_rows(old, log.pseudonym_key, [{**row, "pseudonym": its}])
        with log.store.write() as connection:
            connection.execute(update(subject).where(c.number == number).values(new))

    put(numbers["p0"], log.pseudonym("p0"))
    [fault] = ledger.check()
    assert (fault.table, fault.key) == ("subject", str(numbers["p0"]))
    assert "rotate-kek" in fault.what
    # Somebody else's pseudonym under the other key: the index of the column lets it pass.
    put(numbers["p1"], log.pseudonym("p2"))
    twice = [fault for fault in ledger.check() if "another person" in fault.what]
    assert len(twice) == 1
    put(numbers["p1"], log.pseudonym("p1"))
    kek_rotation.finish(log, world.home)
    assert ledger.check() == []


@pytest.mark.slow
def test_a_row_under_an_old_key_keeps_that_key(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every wrapped key under today's, a pseudonym alone holds the old one back."""
    kek_rotation.rotate(ledger.log, world.home)
    world.clock.forward(days=15)
    old = Vault(read_key_file(world.home.key_encryption_key), ledger.origin)
    with ledger.log.store.write() as connection:
        some = store_keks.pseudonyms_not_under(connection, b"", -1, 3)
        monkeypatch.setattr(old, "column_key_of", ledger.log.vault.column_key_of)
        sealed_people.reseal(old, connection, ledger.log.pseudonym_key, some)
    with monkeypatch.context() as patch:
        patch.setattr(kek_rotation, "finish", lambda *_: 0)
        with pytest.raises(Exception, match="3 keys"):
            kek_rotation.destroy_expired(ledger.log, world.home)
    assert len(kek_rotation.destroy_expired(ledger.log, world.home)) == 1
    all_opens(ledger, world, run, PEOPLE)


def test_a_block_is_opened_by_its_own_key_only(ledger: Ledger) -> None:
    vaults = [Vault(bytes([i]) * 32, "x") for i in range(2)]
    plain = np.random.default_rng(1).bytes(16 * 1_000)
    first, second = (vault.column_key() for vault in vaults)
    assert first.open(first.seal(plain)) == plain
    assert second.open(first.seal(plain)) != plain
    sealed = {first.seal(plain)[at : at + 16] for at in range(0, len(plain), 16)}
    assert len(sealed) == 1_000
    assert first.name != second.name
