"""Erasing one person: the bytes are gone, everyone else's proofs hold."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import text

from consent import erasure, store_people, store_sqlite, store_uses
from consent.errors import BadRequestError, LedgerUnavailableError, RefusedToSignError, UnknownPersonError
from consent.home import read_settings
from consent.records import ConsentRequest
from consent.vocabulary import ERASABLE, ConsentStatus, RetentionClass, UseStatus
from tests.consent.ledger_world import OFFER, use_request
from tests.consent.postgresql_server import Server
from tests.consent.sealed import column

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Result

    from consent.ledger import Ledger
from tests.consent.ledger_world import World

S = ConsentStatus
GROUND = "eu-gdpr:A17-1-b"
OTHERS = [f"p{i}" for i in range(12)]
MARK = "a value nobody else would have 5520017"


@pytest.fixture
def runs(ledger: Ledger) -> list[bytes]:
    """Two runs over everybody, one with values, and an act with a detail by the one to be erased."""
    ledger.record_consents(
        [ConsentRequest(person, OFFER, S.GIVEN, request_id=f"r-{person}") for person in ["gone", *OTHERS]]
    )
    ledger.append_act(
        "staff:gone", "vote", object_digest="sha256:" + "0" * 64, service=None, details={"why": {"t": MARK}}
    )
    statuses = {"gone": UseStatus.SELECTED, **dict.fromkeys(OTHERS, UseStatus.USED)}
    done = []
    for values in (None, [f'{{"note":"{MARK if i == 0 else i}"}}'.encode() for i in range(len(statuses))]):
        use = use_request(ledger, statuses, values=values)
        ledger.append_use(use)
        done.append(use.run)
    return done


def secrets_of(ledger: Ledger, person: str) -> dict[str, list[bytes]]:
    """Every byte string kept of a person: ids, ciphertexts, wrapped keys."""
    with ledger.log.store.read() as connection:

        def raw(statement: str, **values: object) -> Result:
            return connection.execute(text(statement), values)

        [(number, subject, pseudonym)] = raw(
            "select number, subject, pseudonym from subject where pseudonym = :it",
            it=column(ledger, person),
        ).all()
        return {
            "ids": [subject, pseudonym, ledger.log.pseudonym(person)],
            "payloads": [
                row[0] for row in raw("select ciphertext from payload where number = :it", it=number)
            ],
            "details": [row[0] for row in raw("select ciphertext from detail where number = :it", it=number)],
            "keys": [row[0] for row in raw("select wrapped from subject_key where number = :it", it=number)],
            "values": [
                part
                for run in (row[0] for row in raw("select run from use_values"))
                if (part := store_uses.value_of(connection, run, number))
            ],
        }


@pytest.fixture
def searched(
    world: World, backend: str, request: pytest.FixtureRequest
) -> Callable[[list[bytes]], list[str]]:
    """Searches every file of the home and of the database; PostgreSQL's write-ahead log is left to its recycling."""

    def search(needles: list[bytes]) -> list[str]:
        hits = found_in_files(world.home.path, needles)
        if backend == "postgresql":
            server = request.getfixturevalue("postgresql")
            if not isinstance(server, Server):
                pytest.skip("the given server's files are out of reach")
            with psycopg.connect(read_settings(world.home).database, autocommit=True) as connection:
                connection.execute("CHECKPOINT")
            hits += found_in_files(server.data / "base", needles)
        return hits

    return search


def found_in_files(home: Path, needles: list[bytes]) -> list[str]:
    """Which files under the home hold any of the byte strings (or their hex or text forms)."""
    hits = []
    for path in sorted(home.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if any(needle in content or needle.hex().encode() in content for needle in needles):
                hits.append(path.name)
    return hits


def test_the_bytes_are_gone_from_every_file(
    ledger: Ledger, world: World, runs: list[bytes], searched: Callable[[list[bytes]], list[str]]
) -> None:
    for person in ("gone", "staff:gone"):
        kept = secrets_of(ledger, person)
        needles = [needle for group in kept.values() for needle in group] + [MARK.encode()]
        assert all(kept[name] for name in (("details",) if ":" in person else ("payloads", "values")))
        ledger.log.store.reclaim()
        assert searched(needles) != []
        assert ledger.erase(person, ground=GROUND).bytes_freed
        assert searched(needles) == []


def test_everyone_else_s_proofs_still_verify(ledger: Ledger, world: World, runs: list[bytes]) -> None:
    before = [ledger.use_receipt(person, run) for person in OTHERS for run in runs]
    before += [ledger.consent_receipt(person, OFFER) for person in OTHERS]
    ledger.erase("gone", ground=GROUND)
    for receipt in before:
        world.verify(receipt)
    for person in OTHERS:
        world.verify(ledger.consent_receipt(person, OFFER))
        for run in runs:
            again = world.verify(ledger.use_receipt(person, run))
            assert again.use.status == UseStatus.USED
        assert world.verify(ledger.use_receipt(person, runs[1])).use.values is not None
    assert ledger.check() == []


def test_the_erased_receipt_in_the_person_s_hands_still_verifies(
    ledger: Ledger, world: World, runs: list[bytes]
) -> None:
    mine = [ledger.use_receipt("gone", run) for run in runs]
    ledger.erase("gone", ground=GROUND)
    assert [world.verify(receipt).use.status for receipt in mine] == [UseStatus.SELECTED] * 2


def test_the_ledger_knows_the_person_no_more(ledger: Ledger, runs: list[bytes]) -> None:
    receipt = ledger.erase("gone", ground=GROUND)
    assert (receipt.payloads, receipt.runs, receipt.values, receipt.dry_run) == (2, 2, 1, False)
    assert receipt.index == ledger.head().size - 1
    assert ledger.number_of("gone") is None
    assert ledger.uses("gone") == []
    assert ledger.values("gone", runs[1]) is None
    for ask in (lambda: ledger.consent_receipt("gone", OFFER), lambda: ledger.use_receipt("gone", runs[0])):
        with pytest.raises(UnknownPersonError):
            ask()
    with pytest.raises(UnknownPersonError):
        ledger.erase("gone", ground=GROUND)


def test_a_dry_run_tells_the_same_and_changes_nothing(ledger: Ledger, runs: list[bytes]) -> None:
    size = ledger.head().size
    foreseen = ledger.erase("gone", ground=GROUND, dry_run=True)
    assert ledger.head().size == size
    assert len(ledger.uses("gone")) == 2
    done = ledger.erase("gone", ground=GROUND)
    for name in ("payloads", "details", "runs", "values", "erased", "kept", "backups_unreadable_by"):
        assert getattr(foreseen, name) == getattr(done, name)
    assert (foreseen.dry_run, foreseen.index, done.dry_run) == (True, None, False)


def test_a_run_after_an_erasure_works_and_the_number_is_vacant(
    ledger: Ledger, world: World, runs: list[bytes]
) -> None:
    number = ledger.number_of("gone")
    ledger.erase("gone", ground=GROUND)
    with pytest.raises(BadRequestError, match="nobody's"):
        ledger.append_use(use_request(ledger, {}, numbers=[number], statuses=[UseStatus.USED]))
    use = use_request(ledger, dict.fromkeys(OTHERS, UseStatus.USED), values=[b"1"] * len(OTHERS))
    ledger.append_use(use)
    assert world.verify(ledger.use_receipt("p3", use.run)).use.values == "1"
    assert ledger.check() == []


def test_the_person_can_return_and_is_not_linked(ledger: Ledger, world: World, runs: list[bytes]) -> None:
    number = ledger.number_of("gone")
    old = ledger.consent_receipt("gone", OFFER)
    ledger.erase("gone", ground=GROUND)
    # The old request id is answered already, and what it recorded is gone: it brings nobody back.
    with pytest.raises(BadRequestError, match="erased since"):
        ledger.record_consent("gone", OFFER, S.GIVEN, request_id="r-gone")
    assert ledger.number_of("gone") is None
    ledger.record_consent("gone", OFFER, S.GIVEN)
    assert ledger.number_of("gone") != number
    new = ledger.consent_receipt("gone", OFFER)
    assert world.verify(new).subject != world.verify(old).subject
    assert ledger.uses("gone") == []
    ledger.append_use(use_request(ledger, {"gone": UseStatus.USED}))
    assert len(ledger.uses("gone")) == 1
    ledger.erase("gone", ground=GROUND)
    assert ledger.check() == []


def test_kept_evidence_stays_and_says_why(ledger: Ledger, world: World, runs: list[bytes]) -> None:
    receipt = ledger.erase("gone", ground=GROUND, keep=[RetentionClass.EVIDENCE], kept_why="eu-gdpr:A17-3-e")
    assert receipt.erased == (RetentionClass.DETAIL, RetentionClass.USE)
    assert (receipt.payloads, receipt.runs) == (0, 2)
    assert ledger.number_of("gone") is None
    assert ledger.check() == []


def test_kept_use_stays_in_the_runs(ledger: Ledger, world: World, runs: list[bytes]) -> None:
    ledger.erase("gone", ground=GROUND, keep=[RetentionClass.USE], kept_why="eu-gdpr:A17-3-e")
    assert world.verify(ledger.use_receipt("p1", runs[1])).use.status == UseStatus.USED
    ledger.append_use(use_request(ledger, {"p1": UseStatus.USED}))
    assert ledger.check() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"ground": ""},
        {"ground": "a\nb"},
        {"keep": [RetentionClass.EVIDENCE]},
        {"kept_why": "because"},
        {"keep": [RetentionClass.ERASURE], "kept_why": "because"},
        {"keep": [RetentionClass.EVIDENCE, RetentionClass.DETAIL, RetentionClass.USE], "kept_why": "because"},
    ],
)
def test_an_unreasoned_decision_is_refused(ledger: Ledger, runs: list[bytes], wrong: dict) -> None:
    with pytest.raises(BadRequestError):
        ledger.erase("gone", **{"ground": GROUND, **wrong})


def test_a_repeated_request_returns_the_first_receipt(ledger: Ledger, runs: list[bytes]) -> None:
    first = ledger.erase("gone", ground=GROUND, request_id="e1")
    size = ledger.head().size
    assert ledger.erase("gone", ground=GROUND, request_id="e1") == first
    assert ledger.head().size == size


@pytest.mark.sqlite_file
def test_a_reader_in_the_way_leaves_the_freed_bytes_for_later(
    ledger: Ledger, world: World, runs: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(world.home.database)) as reader:
        reader.execute("BEGIN")
        reader.execute("select count(*) from entry").fetchone()
        monkeypatch.setattr(store_sqlite, "BUSY_SECONDS", 0.1)
        with world.open() as quick:
            assert not quick.erase("gone", ground=GROUND).bytes_freed
    assert ledger.number_of("gone") is None
    assert ledger.reclaim()


def test_the_journal_holds_random_ids_only(ledger: Ledger, world: World, runs: list[bytes]) -> None:
    subject = secrets_of(ledger, "gone")["ids"][0]
    ledger.erase("gone", ground=GROUND)
    [line] = world.home.erasure_journal.read_text().splitlines()
    known = {"at", "decision", "mac", "number", "request", "subject", "unreadable_by"}
    assert json.loads(line).keys() == known
    assert "gone" not in line
    assert subject.hex() not in line


def test_without_a_journal_nothing_is_erased(ledger: Ledger, world: World, runs: list[bytes]) -> None:
    world.home.erasure_journal.mkdir()
    with pytest.raises(LedgerUnavailableError):
        ledger.erase("gone", ground=GROUND)
    assert len(ledger.uses("gone")) == 2
    assert ledger.check()[-1].table == "erasures.journal"


@pytest.mark.parametrize(
    "keep", [(), (RetentionClass.EVIDENCE,), (RetentionClass.DETAIL, RetentionClass.USE)]
)
def test_a_crash_between_journal_and_commit_is_made_good(
    world: World,
    ledger: Ledger,
    runs: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    keep: tuple[RetentionClass, ...],
) -> None:
    number = ledger.number_of("gone") or 0
    real = erasure.append_lines

    def crash(path: Path, lines: list) -> None:
        real(path, lines)
        raise KeyboardInterrupt

    monkeypatch.setattr(erasure, "append_lines", crash)
    with pytest.raises(KeyboardInterrupt):
        ledger.erase("gone", ground=GROUND, keep=keep, kept_why="eu-gdpr:A17-3-e" if keep else None)
    monkeypatch.undo()
    assert ledger.number_of("gone") is not None
    assert [fault.table for fault in ledger.check()] == ["erasures.journal"]
    with world.open() as again:
        assert again.number_of("gone") is None
        assert again.check() == []
        assert again.head().checkpoint.size == again.head().size
        with again.log.store.read() as connection:
            left = {each for each in ERASABLE if store_people.wrapped_keys(connection, each.code, [number])}
        assert left == set(keep), "what the decision kept is kept also by whoever finishes it"


def test_a_torn_journal_line_is_no_line(world: World, ledger: Ledger, runs: list[bytes]) -> None:
    with world.home.erasure_journal.open("wb") as file:
        file.write(b'{"at":"2026-')
    with world.open() as again:
        again.erase("gone", ground=GROUND)
    with world.open() as once_more:
        assert once_more.number_of("gone") is None
        assert once_more.check() == []


@pytest.mark.sqlite_file
def test_a_restored_backup_brings_nobody_back(
    world: World, ledger: Ledger, runs: list[bytes], tmp_path: Path
) -> None:
    kept = secrets_of(ledger, "gone")
    del kept["details"]
    ledger.erase("staff:gone", ground=GROUND)
    ledger.log.store.reclaim()
    shutil.copy(world.home.database, tmp_path / "backup.db")
    ledger.erase("gone", ground=GROUND)
    ledger.close()
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (world.home.path / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", world.home.database)
    needles = [needle for group in kept.values() for needle in group] + [MARK.encode()]
    with world.open() as restored:
        assert restored.number_of("gone") is None
        assert restored.uses("gone") == []
        assert found_in_files(world.home.path, needles) == []
        assert restored.uses("p1")[0].status == UseStatus.USED
        for attempt in (lambda: restored.enrol("somebody"), lambda: restored.use_receipt("p1", runs[1])):
            with pytest.raises(RefusedToSignError):
                attempt()
        assert {"checkpoint", "subject"} <= {fault.table for fault in restored.check()}
