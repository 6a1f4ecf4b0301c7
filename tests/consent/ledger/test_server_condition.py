"""In what condition a server is found: one that may lose what it confirms, a standby, one that takes no writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from consent.errors import ConsentError, LedgerNotDurableError, LedgerUnavailableError
from consent.home import open_home
from consent.vocabulary import ConsentStatus
from tests.consent import postgresql_server
from tests.consent.ledger_world import OFFER, World, make_world

S = ConsentStatus
LUVALLA = Path(sys.executable).parent / "luvalla"


def ask(server: postgresql_server.Server, statement: str, database: str = "postgres") -> list[tuple]:
    with psycopg.connect(server.url(database), autocommit=True) as administrator:
        cursor = administrator.execute(statement)
        return cursor.fetchall() if cursor.description else []


def configured(server: postgresql_server.Server, **settings: str) -> None:
    """Change settings of the running server, which its command line does not give."""
    for name, value in settings.items():
        ask(server, f"ALTER SYSTEM SET {name} = '{value}'" if value else f"ALTER SYSTEM RESET {name}")
    ask(server, "SELECT pg_reload_conf()")
    time.sleep(0.3)


def test_a_server_without_fsync_is_refused_unless_the_database_is_marked(tmp_path: Path) -> None:
    [binaries, *_] = [*postgresql_server.system_binaries(), *postgresql_server.wheel_binaries()]
    server = postgresql_server.Server(binaries, fsync=False)
    try:
        url = server.new_database()  # marked, as every test's database is
        world = make_world(tmp_path, database=url)
        with world.open() as ledger:
            ledger.record_consent("a", OFFER, S.GIVEN)
            [warning] = ledger.warnings
            assert "fsync=off" in warning
        ask(server, "ALTER DATABASE t1 RESET luvalla.development")
        with pytest.raises(LedgerNotDurableError, match="fsync=off") as caught:
            world.open()
        assert caught.value.exit_code == 4
        assert "luvalla.development" in caught.value.hint
        with world.open(read_only=True) as ledger:
            assert [w for w in ledger.warnings if "fsync=off" in w]
            assert ledger.check() == []
        # Nor is a new ledger made in such a database, and nothing of one is left.
        ask(server, "CREATE DATABASE unmarked TEMPLATE template0 ENCODING 'UTF8'")
        with pytest.raises(LedgerNotDurableError):
            make_world(tmp_path / "second", database=server.url("unmarked"))
        assert ask(server, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'", "unmarked") == []
        assert not (tmp_path / "second" / "home").exists()
    finally:
        server.close()


def test_weaker_settings_of_a_durable_server(tmp_path: Path, durable: postgresql_server.Server) -> None:
    url = durable.new_database()
    world = make_world(tmp_path, database=url)
    configured(durable, synchronous_commit="off", full_page_writes="off")
    try:
        with pytest.raises(LedgerNotDurableError, match="full_page_writes=off"):
            world.open()
        configured(durable, full_page_writes="")
        with world.open() as ledger:
            # Raised for the ledger's own transactions, whatever the server's default is.
            assert ledger.warnings == ()
            with ledger.log.store.write() as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
            ledger.record_consent("a", OFFER, S.GIVEN)
    finally:
        configured(durable, synchronous_commit="", full_page_writes="")


def test_a_database_that_takes_no_writes_is_opened_with_a_warning(
    tmp_path: Path, durable: postgresql_server.Server
) -> None:
    url = durable.new_database()
    world = make_world(tmp_path, database=url)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
    name = url.partition("?")[0].rpartition("/")[2]
    ask(durable, f"ALTER DATABASE {name} SET default_transaction_read_only = 'on'")
    with world.open() as ledger:
        assert ["default_transaction_read_only" in warning for warning in ledger.warnings] == [True]
        assert ledger.check() == []
        with pytest.raises(LedgerUnavailableError, match="read-only"):
            ledger.record_consent("b", OFFER, S.GIVEN)
    ask(durable, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with world.open() as ledger:
        ledger.record_consent("b", OFFER, S.GIVEN)


def until_read(world: World, person: str) -> None:
    end = time.monotonic() + 30
    while True:
        with world.open(read_only=True) as ledger:
            if ledger.number_of(person) is not None:
                return
        assert time.monotonic() < end, "the standby did not follow"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_hot_standby_is_read_with_a_warning_and_written_once_it_is_promoted(
    tmp_path: Path, durable: postgresql_server.Server
) -> None:
    url = durable.new_database()
    world = make_world(tmp_path, database=url)
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
    standby = postgresql_server.Server(durable.binaries, fsync=True, standby_of=durable)
    try:
        with world.open() as ledger:
            first = ledger.record_consent("b", OFFER, S.GIVEN, request_id="r")
        home = tmp_path / "standby"
        shutil.copytree(world.home.path, home)
        there = World(open_home(home), world.clock)
        text = there.home.config.read_text(encoding="utf-8")
        old, new = quote(str(durable.folder), safe=""), quote(str(standby.folder), safe="")
        for spelt_old, spelt_new in ((old, new), (str(durable.folder), str(standby.folder))):
            text = text.replace(spelt_old, spelt_new)
        there.home.config.write_text(text, encoding="utf-8")
        until_read(there, "b")
        with there.open() as ledger:
            [warning] = ledger.warnings
            assert "standby" in warning
            assert ledger.check() == []
            assert there.verify(ledger.consent_receipt("b", OFFER)).consent.status == "given"
            with pytest.raises(LedgerUnavailableError, match="read-only") as caught:
                ledger.record_consent("c", OFFER, S.GIVEN)
            assert caught.value.exit_code == 4
        # The primary is lost; the standby takes over, and knows what the primary was told.
        durable.kill()
        ask(standby, "SELECT pg_promote()")
        with there.open() as ledger:
            assert ledger.warnings == ()
            again = ledger.record_consent("b", OFFER, S.GIVEN, request_id="r")
            assert (again.index, again.replayed) == (first.index, True)
            ledger.record_consent("c", OFFER, S.GIVEN)
            assert ledger.check() == []
    finally:
        standby.close()
        durable.restart_if_stopped()


def luvalla(home: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [LUVALLA, "--home", home, *arguments], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.slow
def test_the_command_line_makes_a_home_with_its_ledger_in_postgresql(
    tmp_path: Path, durable: postgresql_server.Server
) -> None:
    url = durable.new_database()
    init = ("init", "--origin", "city.example/consent", "--database")
    done = luvalla(tmp_path / "home", *init, url)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "home" / "ledger.db").exists()
    assert "database = " in (tmp_path / "home" / "luvalla.toml").read_text(encoding="utf-8")
    done = luvalla(tmp_path / "home", "ledger", "check")
    assert (done.returncode, done.stderr) == (0, "")
    # A second city would write over the first one's ledger.
    done = luvalla(tmp_path / "second", *init, url)
    assert done.returncode == 2
    assert "holds a ledger already" in done.stderr
    assert not (tmp_path / "second").exists()
    done = luvalla(tmp_path / "third", *init, url.replace("/t", "/nothing_t", 1))
    assert done.returncode == 4, done.stderr
    assert "does not exist" in done.stderr
    done = luvalla(tmp_path / "fourth", *init, "postgresql://someone:secret@/ledger")
    assert done.returncode == 2
    assert "secret" not in done.stderr
    assert luvalla(tmp_path / "home", "ledger", "check").returncode == 0


def test_a_missing_server_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConsentError, match="cannot be reached") as caught:
        make_world(tmp_path, database=f"postgresql://nobody@/ledger?host={quote(str(tmp_path))}")
    assert caught.value.exit_code == 4
