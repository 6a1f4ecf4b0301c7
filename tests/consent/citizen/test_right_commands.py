"""`luvalla consent object | restrict | lift | correct`, and the fuller `give`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consent import commands, right_commands
from consent.home import Home, open_home
from consent.ledger import Ledger, utc_now
from consent.records import Permitted
from consent.setup import create
from tests.consent.ledger_world import OFFER, ORIGIN, purposes_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    create(tmp_path / "home", origin=ORIGIN, purposes=purposes_text(), clock=utc_now)
    return open_home(tmp_path / "home")


@pytest.fixture
def ask(home: Home):
    def asked(command, *arguments: str):
        words = [*arguments, "--person", "anna", "--json"]
        return CliRunner().invoke(command, words, obj={"home": home.path})

    return asked


def permitted(home: Home) -> bool:
    with Ledger.open(home, read_only=True) as ledger:
        return isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)


def test_objecting_restricting_and_lifting(home, ask) -> None:
    assert ask(commands.give, OFFER).exit_code == 0
    dry = ask(right_commands.object_, "--purpose", OFFER, "--dry-run")
    assert (dry.exit_code, json.loads(dry.stdout)["recorded"]) == (0, False)
    assert permitted(home)
    done = ask(right_commands.object_, "--purpose", OFFER)
    assert (done.exit_code, json.loads(done.stdout)["recorded"]) == (0, True)
    assert not permitted(home)
    assert ask(right_commands.lift, "--objection", "--ground", "the person's word").exit_code == 0
    assert permitted(home)
    assert ask(right_commands.restrict, "--processing", "scoring").exit_code == 0
    assert not permitted(home)
    assert ask(right_commands.lift, "--ground", "checked").exit_code == 0
    assert permitted(home)


def test_correcting_the_newest_word(home, ask) -> None:
    given = json.loads(ask(commands.give, OFFER).stdout)
    assert ask(right_commands.correct, str(given["index"])).exit_code == 0
    assert not permitted(home)


def test_a_guardians_yes_needs_its_authority_also_dry(home, ask) -> None:
    for dry in ([], ["--dry-run"]):
        refused = ask(commands.give, OFFER, "--given-by", "guardian", *dry)
        assert (refused.exit_code, json.loads(refused.stdout)["recorded"]) == (1, False)
    done = ask(
        commands.give, OFFER, "--given-by", "guardian", "--authority", "guardian per population register",
        "--own-say", "agreed", "--majority", "2099-01-01", "--processing", "human-review",
    )  # fmt: skip
    assert done.exit_code == 0
    assert not permitted(home)
