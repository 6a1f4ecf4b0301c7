"""2,000 of 20,000 people are erased, and every file is searched for their bytes, before and after."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest

from consent import receipt_files, store_uses
from consent.canonical import b64u
from consent.home import read_settings
from consent.receipt import open_payload
from consent.records import ConsentRequest
from consent.store import metadata
from consent.use_reading import open_value
from consent.vocabulary import ConsentStatus, RetentionClass, UseStatus
from tests.consent import postgresql_server
from tests.consent.byte_search import Search
from tests.consent.ledger_world import OFFER, make_world, use_request
from tests.consent.sealed import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.ledger import Ledger
from tests.consent.ledger_world import World

GROUND = "eu-gdpr:A17-1-b"
ALL, GONE, WITH_RECEIPTS = 20_000, 2_000, 20
KEPT_IN_DATABASE = ("pseudonym", "subject id", "payload", "detail", "wrapped key", "kept value")
"""What the database holds of a person, as bytes that can be looked for."""
NEVER_ANYWHERE = ("external id", "unwrapped key")
"""What no file holds at any time, but for the keys' folder, which holds keys of the house."""
IN_RECEIPTS_ONLY = ("words of the answer", "words of the value")
"""What is encrypted in the database, and in the clear in receipts."""


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    needles = {f"{i}": os.urandom(60) for i in range(500)}
    search = Search()
    for label, needle in needles.items():
        search.add(label, needle)
    noise = os.urandom(300_000)
    written = {
        "whole": needles["1"],
        "first half, then a page's end": needles["2"][:20],
        "last part": needles["3"][-17:],
        "hexadecimal": needles["4"].hex().encode(),
        "base64url": b64u(needles["5"]).encode(),
    }
    for name, part in written.items():
        (tmp_path / name).write_bytes(noise[: os.urandom(1)[0]] + part)
    (tmp_path / "noise").write_bytes(noise)
    assert search.found([tmp_path]) == dict(zip("12345", ({name} for name in written), strict=True))


@pytest.fixture
def server() -> Iterator[postgresql_server.Server]:
    """A server of its own: every file of it is searched, and the administrator's settings are those of the docs."""
    for binaries in [*postgresql_server.system_binaries(), *postgresql_server.wheel_binaries()]:
        with_log = {"logging_collector": "on", "log_min_messages": "warning", "log_statement": "none"}
        made = postgresql_server.Server(
            binaries, wal_recycle="off", min_wal_size="2MB", max_wal_size="4GB", **with_log
        )
        yield made
        made.close()
        return
    assert not postgresql_server.required(), "no PostgreSQL"
    pytest.skip("no PostgreSQL: install the test group")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_of_two_thousand_is_left_in_any_file(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("server") if kind == "postgresql" else None
    world = make_world(tmp_path, database=None if server is None else server.new_database())
    published = tmp_path / "published"
    gone = [f"gone-{i}-{os.urandom(6).hex()}" for i in range(GONE)]
    with world.open() as ledger:
        run = _history(ledger, gone)
        ledger.publish(published)
        search = _all_of(ledger, gone, run)
        for person in gone[:WITH_RECEIPTS]:
            for receipt in (ledger.consent_receipt(person, OFFER), ledger.use_receipt(person, run)):
                receipt_files.save(receipt, receipt_files.default_path(world.home, receipt, OFFER))
        others = [ledger.use_receipt(f"p{i}", run) for i in range(0, ALL - GONE, 6_000)]

        # Proven able to find: each of them, before.
        _flush(ledger, world)
        before = _found(search, world, server)
        for number in range(GONE):
            for name in KEPT_IN_DATABASE:
                assert f"{number} {name}" in before, name
        for name in IN_RECEIPTS_ONLY:
            inside = {label: files for label, files in before.items() if label.endswith(name)}
            assert len(inside) == WITH_RECEIPTS
            assert all(file.startswith("receipts/") for files in inside.values() for file in files)
        assert not [label for label in before if label.endswith(NEVER_ANYWHERE)]

        done = ledger.erase_many(gone, ground=GROUND)
        assert all(each is not None and each.bytes_freed and each.values == 1 for each in done)
        if server is not None:
            # Truthfully: the write-ahead log still has them, until it is recycled (docs/ledger/erasure.md).
            left = _found(search, world, server, settled=False)
            assert {file.split("/")[1] for files in left.values() for file in files} == {"pg_wal"}
            _recycle_wal(server)
        ledger.publish(published)
        assert _found(search, world, server) == {}

        # And everybody else's is as it was.
        for receipt in others:
            world.verify(receipt)
        for i in range(0, ALL - GONE, 6_000):
            assert world.verify(ledger.use_receipt(f"p{i}", run)).use.values == f'{{"of":{i}}}'
        assert ledger.number_of(gone[0]) is None
        assert ledger.check() == []


@pytest.mark.parametrize("erased", [False, True])
def test_the_planner_s_statistics_keep_no_sample_of_anybody(
    ledger: Ledger, world: World, backend: str, *, erased: bool
) -> None:
    if backend == "sqlite":
        assert "sqlite_stat1" not in metadata.tables
        return
    with psycopg.connect(read_settings(world.home).database, autocommit=True) as connection:
        if erased:
            # As an older luvalla left it.
            connection.execute("ALTER TABLE subject ALTER COLUMN subject SET STATISTICS 100")
        ledger.enrol_many([f"p{i}" for i in range(300)])
        connection.execute("ANALYZE")
        sampled = (
            "SELECT attname FROM pg_stats WHERE tablename = 'subject' AND attname IN ('subject', 'pseudonym')"
        )
        assert [row[0] for row in connection.execute(sampled)] == (["subject"] if erased else [])
        if erased:
            ledger.erase("p0", ground=GROUND)
            connection.execute("ANALYZE")
            assert connection.execute(sampled).fetchall() == []


def _history(ledger: Ledger, gone: list[str]) -> bytes:
    """Everybody consents, those to be erased in words of their own and with a detail; one run with values."""
    people = [*gone, *(f"p{i}" for i in range(ALL - GONE))]
    requests = [
        ConsentRequest(
            person,
            OFFER,
            ConsentStatus.GIVEN,
            method=_words(person),
            signed_on=ledger.log.now().date(),
        )
        for person in gone
    ]
    requests += [ConsentRequest(person, OFFER, ConsentStatus.GIVEN) for person in people[GONE:]]
    ledger.record_consents(requests)
    values = [f'{{"of":"{_value(person)}"}}'.encode() for person in gone]
    values += [f'{{"of":{i}}}'.encode() for i in range(ALL - GONE)]
    numbers = _numbers(ledger, people)
    use = use_request(ledger, {}, numbers=numbers, statuses=[UseStatus.USED] * ALL, values=values)
    ledger.append_use(use)
    return use.run


def _words(person: str) -> str:
    return f"said at the desk {person[::-1]}"


def _value(person: str) -> str:
    return f"value {person[::-1]}"


def _numbers(ledger: Ledger, people: list[str]) -> list[int]:
    found = opened(ledger)
    return [found[ledger.log.pseudonym(person)] for person in people]


def _all_of(ledger: Ledger, gone: list[str], run: bytes) -> Search:
    """Every byte string that is kept of the people, and what it opens to."""
    place = {number: i for i, number in enumerate(_numbers(ledger, gone))}
    search = Search()
    tables = metadata.tables
    log = ledger.log
    with log.store.read() as connection:
        for row in connection.execute(tables["subject"].select()):
            if row.number in place:
                search.add(f"{place[row.number]} pseudonym", row.pseudonym)
                search.add(f"{place[row.number]} open pseudonym", log.pseudonym(gone[place[row.number]]))
                search.add(f"{place[row.number]} subject id", row.subject)
        for table, name in (("payload", "payload"), ("detail", "detail")):
            for row in connection.execute(tables[table].select()):
                if row.number in place:
                    search.add(f"{place[row.number]} {name}", row.ciphertext)
        for code, number, wrapped in connection.execute(tables["subject_key"].select()):
            if number in place:
                search.add(f"{place[number]} wrapped key", wrapped)
                key = log.vault.unwrap(number, RetentionClass.from_code(code), wrapped)
                search.add(f"{place[number]} unwrapped key", key)
        for number, i in place.items():
            search.add(f"{i} kept value", store_uses.value_of(connection, run, number) or b"")
            search.add(f"{i} external id", gone[i].encode())
            search.add(f"{i} words of the answer", _words(gone[i]).encode()[-16:])
            search.add(f"{i} words of the value", _value(gone[i]).encode()[:16])
        first = next(iter(place))
        # The words are really inside what was encrypted.
        rows = connection.execute(tables["payload"].select().where(tables["payload"].c.number == first))
        texts = [open_payload(log, connection, row.idx)[2] for row in rows]
        assert any(_words(gone[place[first]]).encode() in text for text in texts)
        assert _value(gone[place[first]]).encode() in (open_value(log, connection, run, first) or b"")
    return search


def _flush(ledger: Ledger, world: World) -> None:
    """Everything written so far is in the database's files, and the planner has looked at all of it."""
    url = read_settings(world.home).database
    if url is not None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")
            connection.execute("CHECKPOINT")
    else:
        assert ledger.reclaim()


def _found(
    search: Search, world: World, server: postgresql_server.Server | None, *, settled: bool = True
) -> dict[str, set[str]]:
    folders = [world.home.path, world.home.path.parent / "published"]
    if server is not None:
        if settled:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("CHECKPOINT")
        folders.append(server.folder)
    return search.found(folders)


def _recycle_wal(server: postgresql_server.Server) -> None:
    """What docs/ledger/erasure.md tells the administrator to do; `wal_recycle` is off."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for _ in range(2):
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
