"""`luvalla consent object | restrict | lift | correct | rights`, the fuller `give`, `adopt`, and questions as of then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consent import adopt_command, commands, permit_command, right_commands
from consent.home import Home, open_home
from consent.ledger import Ledger, utc_now
from consent.records import Permitted
from consent.setup import create
from consent.vocabulary import ConsentStatus, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, OFFER, ORIGIN, purposes_text, use_request

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


def test_a_guardians_yes_against_the_young_persons_own_no_is_foreseen(home, ask) -> None:
    assert ask(commands.refuse, OFFER).exit_code == 0
    guardian = (
        OFFER, "--given-by", "guardian", "--authority", "guardian per population register", "--majority", "2099-01-01",
    )  # fmt: skip
    for dry in (["--dry-run"], []):
        refused = ask(commands.give, *guardian, *dry)
        assert (refused.exit_code, json.loads(refused.stdout)["recorded"]) == (1, False)
        assert "own answer (refused) stands" in json.loads(refused.stdout)["reason"]
    for dry in (["--dry-run"], []):
        assert ask(commands.give, *guardian, "--own-say", "agreed", *dry).exit_code == 0
    assert permitted(home)


def test_a_dry_run_refuses_what_recording_would_refuse(ask) -> None:
    for wrong in (("--category", "dpv-pd:Shoe"), ("--processing", "training"), ("--method", "\t")):
        codes = {
            getattr(ask(commands.give, OFFER, *wrong, *dry).exception, "exit_code", 0)
            for dry in ([], ["--dry-run"])
        }
        assert codes == {2}


def test_permit_uses_and_rights_as_of_an_index_and_an_instant(home, ask) -> None:
    def said(command, *words: str):
        done = ask(command, *words)
        return done.exit_code, json.loads(done.stdout)

    with Ledger.open(home) as ledger:
        before = ledger.head().size
        given = ledger.record_consent("anna", OFFER, ConsentStatus.GIVEN, method="paper form")
        ledger.append_use(use_request(ledger, {"anna": UseStatus.USED}))
    asked = (OFFER, "scoring")
    code, answer = said(permit_command.permit, *asked)
    assert (code, answer["permitted"], answer["index"]) == (0, True, given.index)
    assert ask(right_commands.object_, "--processing", "scoring").exit_code == 0
    code, answer = said(permit_command.permit, *asked)
    assert (code, answer["status"]) == (1, "objected")
    code, answer = said(permit_command.permit, *asked, "--as-of-index", str(given.index + 1))
    assert (code, answer["permitted"]) == (0, True)
    for then in (("--as-of-index", str(before)), ("--at", "2020-01-01")):
        code, answer = said(permit_command.permit, *asked, *then)
        assert (code, answer["status"]) == (1, "no-consent")
        assert said(commands.uses, *then)[1]["uses"] == []
        assert said(right_commands.rights, *then) == (0, {"rights": [], "standing": []})
    assert len(said(commands.uses, "--as-of-index", "9999")[1]["uses"]) == 1
    rights = said(right_commands.rights)[1]
    assert [(each["right"], each["answer"]) for each in rights["rights"]] == [("objection", "recorded")]
    assert [(each["purpose"], each["status"]) for each in rights["standing"]] == [(OFFER, "objected")]


def test_adopting_a_changed_purpose_says_how_many_are_asked_anew(home, tmp_path) -> None:
    with Ledger.open(home) as ledger:
        for number in range(5):
            ledger.record_consent(f"p{number}", OFFER, ConsentStatus.GIVEN)
        ledger.record_consent("p0", OFFER, ConsentStatus.RENEWED)
        ledger.record_consent("p1", OFFER, ConsentStatus.WITHDRAWN)
        ledger.record_consent("p5", OFFER, ConsentStatus.REFUSED)
        ledger.record_consent("p2", DEVELOPMENT, ConsentStatus.GIVEN)
    file = tmp_path / "purposes.toml"
    file.write_text(purposes_text(version=3, notice_version=2))
    for dry in (["--dry-run"], []):
        done = CliRunner().invoke(adopt_command.adopt, [str(file), "--json", *dry], obj={"home": home.path})
        versions = json.loads(done.stdout)["versions"]
        assert [(each["version"], each["people_to_ask"]) for each in versions] == [(2, 0), (3, 4)]
    again = CliRunner().invoke(adopt_command.adopt, [str(file), "--json"], obj={"home": home.path})
    assert json.loads(again.stdout) == {"adopted": True, "indices": [], "versions": []}
