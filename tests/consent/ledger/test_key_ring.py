"""The list of keys that wrap, and for how many days backups are to be restorable."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consent import kek_rotation
from consent.errors import ConfigurationError, KeyFileError
from consent.home import read_settings
from tests.consent.ledger_world import START, World


@pytest.mark.parametrize(
    "spoiled",
    ["", "[]", '{"v":2,"keks":[]}', '{"v":1,"keks":[]}', '{"v":1,"keks":[{}]}'],
)
def test_a_spoiled_list_of_keys_is_refused(world: World, spoiled: str) -> None:
    world.home.key_ring.write_text(spoiled)
    with pytest.raises(KeyFileError):
        world.open()


def test_another_key_s_bytes_in_a_file_of_the_list_are_refused(world: World) -> None:
    world.home.key_encryption_key.write_bytes(bytes(32))
    with pytest.raises(KeyFileError, match="not the key that the list names"):
        world.open()


@pytest.mark.parametrize(
    ("words", "days"), [("15", 15), ("29", 29), ("0", None), ("30", None), ('"x"', None)]
)
def test_how_long_backups_are_restorable_is_one_setting(world: World, words: str, days: int | None) -> None:
    world.home.config.write_text(world.home.config.read_text() + f"backup_days = {words}\n")
    if days is None:
        with pytest.raises(ConfigurationError):
            read_settings(world.home)
        return
    with world.open() as ledger:
        done = kek_rotation.rotate(ledger.log, world.home)
        assert done.new.rotate_by == (START + timedelta(days=30 - days)).date()
        assert done.retired[0].destroy_by == (START + timedelta(days=days)).date()
