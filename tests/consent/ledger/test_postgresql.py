"""What only a server can do to a ledger: lost connections, restarts, users, and several versions."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import event

from consent.errors import ConfigurationError, ConsentError, HomeExistsError, LedgerUnavailableError
from consent.store_database import resolve
from consent.vocabulary import ConsentStatus
from tests.consent import postgresql_server
from tests.consent.ledger_world import OFFER, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.consent.ledger_world import World

S = ConsentStatus


@pytest.fixture
def url(postgresql: postgresql_server.Server) -> str:
    return postgresql.new_database()


@pytest.fixture
def city(tmp_path: Path, url: str) -> World:
    return make_world(tmp_path, database=url)


def end_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_database_that_holds_a_ledger_is_refused_and_kept(city: World, url: str, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with pytest.raises(HomeExistsError) as caught:
        make_world(tmp_path / "second", database=url)
    assert caught.value.exit_code == 2
    assert list((tmp_path / "second").iterdir()) == []
    with city.open() as ledger:
        assert ledger.check() == []


def test_a_set_up_that_fails_gives_the_database_back(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("consent.setup.append_purposes", broken)
        with pytest.raises(KeyboardInterrupt):
            make_world(tmp_path, database=url)
    with make_world(tmp_path, database=url).open() as ledger:
        assert ledger.check() == []


@pytest.mark.parametrize("written", [False, True])
def test_a_connection_lost_at_the_commit_is_made_good_by_a_retry(
    city: World, url: str, *, written: bool
) -> None:
    with city.open() as ledger:
        size = ledger.head().size
        engine, armed = ledger.log.store._writer, [True]

        def lose(connection: object) -> None:
            if not armed:
                return
            armed.clear()
            if written:
                connection.connection.driver_connection.commit()
            end_connections(url)

        event.listen(engine, "commit", lose)
        if written:
            # The commit was done before: what SQLAlchemy sends after it must fail, as a lost answer would.
            original = engine.dialect.do_commit

            def lost_answer(connection: object) -> None:
                engine.dialect.do_commit = original
                raise psycopg.OperationalError("server closed the connection unexpectedly")

            engine.dialect.do_commit = lost_answer
        with pytest.raises(LedgerUnavailableError) as caught:
            ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        assert caught.value.exit_code == 4
        assert "request id" in caught.value.hint
        got = ledger.record_consent("a", OFFER, S.GIVEN, request_id="r")
        assert got.replayed is written
        assert ledger.head().size == size + 2
        assert ledger.check() == []


def test_a_server_restarted_in_mid_append_loses_nothing_that_was_said(tmp_path: Path) -> None:
    [binaries, *_] = [*postgresql_server.system_binaries(), *postgresql_server.wheel_binaries()]
    server = postgresql_server.Server(binaries, fsync=True)
    try:
        city = make_world(tmp_path, database=server.new_database())
        with city.open() as ledger:
            first = ledger.record_consent("a", OFFER, S.GIVEN, request_id="a")

            def crash() -> None:
                with ledger.log.writing() as writing:
                    writing.enrol(b"p" * 16)
                    writing.write_pending()
                    server.stop(signal.SIGQUIT)

            with pytest.raises(LedgerUnavailableError):
                crash()
            with pytest.raises(ConsentError):
                ledger.head()
            server.start()
            again = ledger.record_consent("a", OFFER, S.GIVEN, request_id="a")
            assert (again.index, again.replayed) == (first.index, True)
            assert ledger.head().size == first.index + 1
            assert ledger.check() == []
    finally:
        server.close()


def test_a_wrong_password_and_a_missing_database_are_said_without_the_secret(
    postgresql: postgresql_server.Server, city: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(postgresql, postgresql_server.Server):
        pytest.skip("the given server's users are not ours to make")
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("CREATE ROLE with_password LOGIN SUPERUSER PASSWORD 'right-one'")
    text = city.home.config.read_text()
    monkeypatch.setenv("LEDGER_PASSWORD", "wrong-one")
    named = text.replace("postgres@", "with_password@").replace("?host", "?password=env:LEDGER_PASSWORD&host")
    city.home.config.write_text(named)
    with pytest.raises(LedgerUnavailableError, match="does not let this user in") as caught:
        city.open()
    assert "wrong-one" not in str(caught.value) + caught.value.hint
    monkeypatch.setenv("LEDGER_PASSWORD", "right-one")
    with city.open() as ledger:
        assert ledger.check() == []
    city.home.config.write_text(text.replace("/t", "/nothing-t", 1))
    with pytest.raises(ConsentError, match="does not exist") as caught:
        city.open()
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("url", ["mysql://a@b/c", "postgresql://a@b/", "postgresql://u:p4ss@b/c", "postgresql://u@b/c?password=p4ss"])  # fmt: skip
def test_a_url_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(url)
    assert "p4ss" not in str(caught.value) + caught.value.hint


VERSIONS = {
    str(folder): folder
    for folder in [*postgresql_server.system_binaries(), *postgresql_server.wheel_binaries()]
}


@pytest.fixture(params=VERSIONS or ["none"])
def any_version(request: pytest.FixtureRequest) -> Iterator[postgresql_server.Server]:
    if not VERSIONS:
        (pytest.fail if postgresql_server.required() else pytest.skip)("no PostgreSQL binaries")
    server = postgresql_server.Server(VERSIONS[request.param])
    yield server
    server.close()


def test_every_version_at_hand_records_erases_and_checks(
    any_version: postgresql_server.Server, tmp_path: Path
) -> None:
    with make_world(tmp_path, database=any_version.new_database()).open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        ledger.record_consent("b", OFFER, S.GIVEN)
        assert ledger.erase("a", ground="eu-gdpr:A17-1-b").bytes_freed
        assert ledger.check() == []
