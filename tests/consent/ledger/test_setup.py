"""A new home is there whole or not at all."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from consent.errors import (
    BadRequestError,
    ConfigurationError,
    HomeExistsError,
    HomeMissing,
    KeyFileError,
    PurposesError,
    TrustRootError,
)
from consent.home import open_home, read_settings
from consent.setup import create
from consent.store import SCHEMA_VERSION, metadata
from tests.consent.ledger_world import ORIGIN, Clock, World, make_world, purposes_text

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_home_holds_everything_and_is_private(world: World) -> None:
    home = world.home
    for folder in (home.path, home.keys, home.outbox, home.receipts):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for secret in (home.pseudonym_key, home.key_encryption_key, home.log_key, home.root_key):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    if read_settings(home).database is None:
        assert stat.S_IMODE(home.database.stat().st_mode) == 0o600
    assert home.purposes.read_text(encoding="utf-8") == purposes_text()
    assert read_settings(home).origin == ORIGIN
    with world.open() as ledger:
        assert [entry.kind for entry in ledger.institutional("trust-root")] == ["trust-root"]
        assert ledger.institutional("trust-root")[0].body["digest"] == read_settings(home).trust_root
        assert len(ledger.institutional("purpose")) == len(ledger.institutional("notice")) == 2
        head = ledger.head()
        assert head.checkpoint is not None
        assert (head.checkpoint.size, head.checkpoint.root) == (head.size, head.root)
        assert ledger.check() == []


def test_an_existing_home_is_never_overwritten(world: World) -> None:
    before = world.home.config.read_bytes()
    with pytest.raises(HomeExistsError):
        create(world.home.path, origin=ORIGIN, purposes=purposes_text(), clock=Clock())
    assert world.home.config.read_bytes() == before


def test_an_empty_folder_becomes_the_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert make_world(tmp_path).home.config.is_file()


@pytest.mark.parametrize(
    ("origin", "text", "error"),
    [
        ("not a name", purposes_text(), BadRequestError),
        (ORIGIN, "nonsense", PurposesError),
        (ORIGIN, purposes_text(version=2).replace("version = 2", "version = 3"), PurposesError),
    ],
)
def test_a_failed_start_leaves_nothing(
    tmp_path: Path, origin: str, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        create(tmp_path / "home", origin=origin, purposes=text, clock=Clock())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_home_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HomeMissing) as caught:
        open_home(tmp_path / "nowhere")
    assert "luvalla init" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[consent]\norigin = 'a'\ntrust_rot = 'b'\n", "unknown key `trust_rot`"),
        ("[consent]\norigin = 'a'\n", "lacks"),
        ("x = 1\n", "no table [consent]"),
        ("[[[", "not TOML"),
    ],
)
def test_a_broken_configuration_is_named(world: World, text: str, says: str) -> None:
    world.home.config.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        world.open()
    assert says in caught.value.message


def test_a_trust_root_other_than_the_pinned_one_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_world(tmp_path / "other")
    world.home.trust_root.write_bytes(other.home.trust_root.read_bytes())
    with pytest.raises(TrustRootError):
        world.open()


def test_a_key_that_others_can_read_is_refused(world: World) -> None:
    world.home.key_encryption_key.chmod(0o644)
    with pytest.raises(KeyFileError, match="mode 644"):
        world.open()


def test_the_migrations_make_the_tables_that_the_code_uses(world: World) -> None:
    with world.open() as ledger, ledger.log.store.read() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == SCHEMA_VERSION
        assert compare_metadata(context, metadata) == []
