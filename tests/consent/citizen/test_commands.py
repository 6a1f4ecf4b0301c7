"""luvalla consent ...: give, refuse, withdraw, show, uses, why, receipt, erase; for people and for scripts."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.consent.real_program import real

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from consent.home import Home

OFFER, DEVELOPMENT = "health-benefit.offer", "health-benefit.development"
AINO, BERTIL, CARITA, DAVID, EEVA = (
    f"invented-{name}" for name in ("aino", "bertil", "carita", "david", "eeva")
)
SCORING = "AAECAwQFBgcICQoLDA0ODw"
TRAINING = "--8AAQIDBAUGBwgJCgsMDQ"


def status(luvalla: Callable[..., Any], person: str, purpose: str = OFFER) -> str:
    shown = luvalla("consent", "show", "--person", person, "--json").json["consents"]
    return next(each["status"] for each in shown if each["purpose"] == purpose)


def test_purposes_say_what_one_can_answer_to(luvalla: Callable[..., Any]) -> None:
    told = luvalla("consent", "purposes")
    assert told.code == 0
    assert "Offering a health check-up (health-benefit.offer, version 1)" in told.out
    assert "If you say no: We offer nothing in advance; you can book yourself." in told.out
    answer = luvalla("consent", "purposes", "--language", "sv", "--json").json["purposes"]
    assert [each["id"] for each in answer] == [DEVELOPMENT, OFFER]
    assert answer[1]["notice"]["text"] == "Får vi föreslå en kontroll för dig?"
    assert "artikel 6.1 e" in answer[1]["legal_basis_words"]


@pytest.mark.parametrize(("command", "state"), [("give", "given"), ("refuse", "refused")])
def test_a_first_answer_is_recorded(luvalla: Callable[..., Any], command: str, state: str) -> None:
    told = luvalla("consent", command, OFFER, "--person", EEVA, "--json")
    assert told.code == 0
    assert told.json["recorded"] is True
    assert told.json["status"] == state
    assert status(luvalla, EEVA) == state


def test_withdrawing_takes_no_more_than_giving(luvalla: Callable[..., Any]) -> None:
    given = luvalla("consent", "give", OFFER, "--person", EEVA)
    withdrawn = luvalla("consent", "withdraw", OFFER, "--person", EEVA)
    assert (given.code, withdrawn.code) == (0, 0)
    assert withdrawn.out.startswith("Recorded: Consent withdrawn")
    options = {
        command: luvalla("consent", command, "--help").out.partition("Options:")[2].count("[required]")
        for command in ("give", "refuse", "withdraw")
    }
    assert set(options.values()) == {1}


def test_an_answer_that_cannot_follow_exits_1_with_its_reason_and_writes_nothing(
    luvalla: Callable[..., Any], home: Home
) -> None:
    for command, person in (("give", AINO), ("withdraw", DAVID), ("withdraw", EEVA), ("refuse", AINO)):
        before = home.checkpoint.read_bytes()
        told = luvalla("consent", command, OFFER, "--person", person)
        assert told.code == 1
        assert told.out.startswith("Not recorded: ")
        answer = luvalla("consent", command, OFFER, "--person", person, "--json")
        assert answer.code == 1
        assert answer.json["recorded"] is False
        assert answer.json["reason"]
        assert home.checkpoint.read_bytes() == before


def test_a_consent_in_force_can_be_renewed(luvalla: Callable[..., Any]) -> None:
    assert (
        luvalla("consent", "give", OFFER, "--person", AINO, "--renew", "--json").json["status"] == "renewed"
    )


@pytest.mark.parametrize(("person", "code"), [(EEVA, 0), (AINO, 1)])
def test_a_dry_run_says_the_same_and_writes_nothing(
    luvalla: Callable[..., Any], home: Home, person: str, code: int
) -> None:
    before = home.checkpoint.read_bytes(), status(luvalla, person)
    dry = luvalla("consent", "give", OFFER, "--person", person, "--dry-run")
    assert dry.code == code
    assert dry.out.startswith(
        "Would be recorded: Consent given" if code == 0 else "Not recorded: consent is already"
    )
    assert (home.checkpoint.read_bytes(), status(luvalla, person)) == before
    assert luvalla("consent", "give", OFFER, "--person", person).code == code


def test_a_retry_of_a_request_records_nothing_twice(luvalla: Callable[..., Any]) -> None:
    ask = ("consent", "give", OFFER, "--person", EEVA, "--request-id", "form-17", "--json")
    first, second = luvalla(*ask).json, luvalla(*ask).json
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["index"] == second["index"]


def test_an_unknown_purpose_names_the_nearest(luvalla: Callable[..., Any]) -> None:
    for command in ("give", "refuse", "withdraw", "receipt"):
        purpose = ("--purpose", "health-benefit.ofer") if command == "receipt" else ("health-benefit.ofer",)
        told = luvalla("consent", command, *purpose, "--person", AINO)
        assert told.code == 2
        assert OFFER in told.error.hint


def test_the_id_may_come_from_standard_input(luvalla: Callable[..., Any]) -> None:
    assert (
        luvalla("consent", "show", "--person", "-", stdin=AINO + "\n").out
        == luvalla("consent", "show", "--person", AINO).out
    )
    empty = luvalla("consent", "show", "--person", "-", stdin="")
    assert empty.code == 2
    assert "standard input was empty" in empty.err


def test_no_message_repeats_an_id(luvalla: Callable[..., Any]) -> None:
    for arguments in (
        ("give", "unknown.purpose", "--person", EEVA),
        ("receipt", "--purpose", OFFER, "--person", EEVA),
        ("why", "--run", SCORING, "--person", EEVA),
        ("erase", "--ground", "eu-gdpr:A17-1-b", "--yes", "--person", EEVA),
        ("show", "--person", EEVA + "\x07"),
    ):
        told = luvalla("consent", *arguments)
        assert told.code == 2, arguments
        assert EEVA not in told.out + told.err + str(vars(told.error) if told.error else "")


def test_show_says_since_when_and_until_when(luvalla: Callable[..., Any], began: datetime) -> None:
    told = luvalla("consent", "show", "--person", AINO, "--language", "en").out
    assert "Offering a health check-up (health-benefit.offer)" in told
    until = began + timedelta(days=365)
    assert f"Consent given, since {began:%Y-%m-%d %H:%M} UTC, until {until:%Y-%m-%d %H:%M} UTC" in told
    finnish = luvalla("consent", "show", "--person", AINO, "--language", "fi").out
    assert f"annettu, {began:%Y-%m-%d %H:%M} UTC alkaen, {until:%Y-%m-%d %H:%M} UTC asti" in finnish
    history = luvalla("consent", "show", "--person", DAVID, "--json").json["consents"][1]["history"]
    assert [each["status"] for each in history] == ["given", "withdrawn"]
    assert history[0]["processing"] == ["scoring", "human-review"]


def test_show_of_somebody_unknown_has_no_answers(luvalla: Callable[..., Any]) -> None:
    told = luvalla("consent", "show", "--person", EEVA, "--json")
    assert told.code == 0
    assert {each["status"] for each in told.json["consents"]} == {"unknown"}
    assert not any(each["permits"] for each in told.json["consents"])


def test_uses_say_who_for_what_on_what_basis_which_model_when_and_with_what_result(
    luvalla: Callable[..., Any], began: datetime
) -> None:
    told = luvalla("consent", "uses", "--person", AINO, "--language", "en")
    assert told.code == 0
    for part in (
        f"{began + timedelta(hours=3):%Y-%m-%d %H:%M} UTC  Proposing whom to offer the service",
        "Result: Your data was used; the service was proposed for you",
        "Who: City of Example, privacy@city.example (health-benefit)",
        "For what: Offering a health check-up (health-benefit.offer, version 1)",
        "Basis: a task in the public interest or official authority (GDPR Article 6(1)(e))",
        "Model: health-benefit version 3 (sha256:abababababab",
        f"{began + timedelta(hours=2):%Y-%m-%d %H:%M} UTC  Training a model",
        "No ledger can show a use that was not recorded.",
    ):
        assert part in told.out
    newest, oldest = luvalla("consent", "uses", "--person", AINO, "--json").json["uses"]
    assert (newest["run"], oldest["run"]) == (SCORING, TRAINING)
    assert newest["model"] == {"name": "health-benefit", "version": "3", "digest": "sha256:" + "ab" * 32}
    assert (newest["status"], newest["used"], newest["values_kept"]) == ("selected", True, True)


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        (BERTIL, "Your data was used; the service was not proposed this time"),
        (CARITA, "Left out because you said no"),
        (DAVID, "Left out because you withdrew your consent"),
    ],
)
def test_those_left_out_are_told_why(luvalla: Callable[..., Any], person: str, sentence: str) -> None:
    assert sentence in luvalla("consent", "uses", "--person", person).out


def test_uses_of_somebody_unknown_are_none(luvalla: Callable[..., Any]) -> None:
    told = luvalla("consent", "uses", "--person", EEVA)
    assert told.code == 0
    assert told.out.startswith("No use of your data is on record.")


def test_why_tells_reasons_to_selected_and_not_selected_alike(luvalla: Callable[..., Any]) -> None:
    selected = luvalla("consent", "why", "--person", AINO, "--run", SCORING)
    assert selected.code == 0
    assert "- visits last year (3): spoke for a proposal" in selected.out
    assert "A check-up was proposed to you." in selected.out
    other = luvalla("consent", "why", "--person", BERTIL, "--run", SCORING, "--full")
    assert "- visits last year (0): spoke against a proposal this time" in other.out
    assert "distance (no value)" in other.out
    for told in (selected, other):
        assert "A person decides" in told.out
        assert "privacy@city.example" in told.out
    assert (
        luvalla("consent", "why", "--person", CARITA, "--run", SCORING, "--json").json["explained"] is False
    )
    assert (
        luvalla("consent", "why", "--person", AINO, "--run", TRAINING).out.count("no result for anyone") == 1
    )


@pytest.mark.parametrize("run", ["", "x", SCORING[:-1], "AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_run_that_is_not_theirs_is_told_without_saying_whether_it_exists(
    luvalla: Callable[..., Any], run: str
) -> None:
    assert luvalla("consent", "why", "--person", AINO, "--run", run).code == 2
    known = luvalla("consent", "why", "--person", EEVA, "--run", SCORING)
    unknown = luvalla("consent", "why", "--person", EEVA, "--run", "AAAAAAAAAAAAAAAAAAAAAA")
    assert known.error.message == unknown.error.message


@pytest.mark.parametrize("what", [("--purpose", OFFER), ("--run", SCORING), ("--run", TRAINING)])
def test_a_receipt_goes_into_the_home_and_verifies(
    luvalla: Callable[..., Any], home: Home, what: tuple[str, str]
) -> None:
    told = luvalla("consent", "receipt", "--person", AINO, *what)
    assert told.code == 0, told
    file = Path(told.out.strip())
    assert file.parent == home.receipts
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert AINO not in file.name + file.read_text()
    assert not list(Path.cwd().iterdir())
    assert luvalla("verify", file).code == 0


def test_a_receipt_goes_where_asked(luvalla: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "here" / "mine.json"
    told = luvalla("consent", "receipt", "--person", CARITA, "--run", SCORING, "--out", out, "--json")
    assert told.json["file"] == str(out)
    assert json.loads(out.read_text())["type"] == "use"
    for wrong in (tmp_path / "none" / "mine.json",):
        assert luvalla("consent", "receipt", "--person", CARITA, "--run", SCORING, "--out", wrong).code == 2


def test_a_receipt_as_a_page_and_as_text_and_erased_with_the_person(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path
) -> None:
    told = {}
    for form, suffix, words in (
        ("html", ".html", '<html lang="sv">'),
        ("text", ".txt", "Kvitto på ett svar"),
    ):
        made = luvalla(
            *("consent", "receipt", "--person", AINO, "--purpose", OFFER),
            *("--format", form, "--language", "sv"),
        )
        assert made.code == 0, made
        told[form] = Path(made.out.strip())
        assert (told[form].parent, told[form].suffix) == (home.receipts, suffix)
        assert stat.S_IMODE(told[form].stat().st_mode) == 0o600
        assert words in told[form].read_text()
        assert AINO not in told[form].read_text()
    other = luvalla("consent", "receipt", "--person", BERTIL, "--purpose", OFFER, "--format", "html")
    assert luvalla("consent", "erase", "--person", AINO, "--ground", "eu-gdpr:A17-1-b", "--yes").code == 0
    assert [path.exists() for path in told.values()] == [False, False]
    assert Path(other.out.strip()).exists()


def test_a_receipt_that_verifies_becomes_a_page(luvalla: Callable[..., Any], tmp_path: Path) -> None:
    file, page = tmp_path / "mine.json", tmp_path / "mine.html"
    assert luvalla("consent", "receipt", "--person", AINO, "--purpose", OFFER, "--out", file).code == 0
    assert luvalla("verify", file, "--page", page, "--language", "fi").code == 0
    assert "Suostumus annettu" in page.read_text()
    again = luvalla("verify", file, "--page", page)
    assert (again.code, "already a file" in again.error.message) == (2, True)
    page.unlink()
    file.write_text(file.read_text().replace("ConsentGiven", "ConsentRefused"))
    assert luvalla("verify", file, "--page", page).code == 3
    assert not page.exists()


def test_a_receipt_is_of_one_thing(luvalla: Callable[..., Any]) -> None:
    for what in ((), ("--purpose", OFFER, "--run", SCORING)):
        told = luvalla("consent", "receipt", "--person", AINO, *what)
        assert told.code == 2
        assert "one of --purpose and --run" in told.err


def test_erasing_asks_once_more_and_a_dry_run_changes_nothing(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path
) -> None:
    erase = ("consent", "erase", "--person", AINO, "--ground", "eu-gdpr:A17-1-b")
    dry = luvalla(*erase, "--dry-run", "--json")
    assert dry.code == 0
    assert dry.json["dry_run"] is True
    stopped = real(home, *erase, cwd=tmp_path, stdin="n\n")
    assert stopped.returncode == 2
    assert "Would be erased: detail, evidence, use" in stopped.stderr
    assert stopped.stdout == ""
    assert status(luvalla, AINO) == "given"


def test_after_an_erasure_nothing_is_left_and_everybody_elses_proofs_hold(
    luvalla: Callable[..., Any], tmp_path: Path
) -> None:
    other = tmp_path / "bertil.json"
    assert luvalla("consent", "receipt", "--person", BERTIL, "--run", SCORING, "--out", other).code == 0
    done = luvalla("consent", "erase", "--person", AINO, "--ground", "eu-gdpr:A17-1-b", "--yes")
    assert done.code == 0, done
    assert done.out.startswith("Erased: ")
    assert status(luvalla, AINO) == "unknown"
    assert luvalla("consent", "uses", "--person", AINO, "--json").json["uses"] == []
    assert luvalla("verify", other).code == 0
    assert luvalla("ledger", "check").code == 0


def test_keeping_something_needs_its_reason(luvalla: Callable[..., Any]) -> None:
    erase = (
        "consent",
        "erase",
        "--person",
        AINO,
        "--ground",
        "eu-gdpr:A17-1-b",
        "--keep",
        "evidence",
        "--yes",
    )
    assert luvalla(*erase).code == 2
    kept = luvalla(*erase, "--kept-why", "GDPR 17(3)(e): a claim is pending", "--json")
    assert kept.json["kept"] == ["evidence"]


@pytest.mark.slow  # a writer waits ten seconds for its turn
def test_a_locked_ledger_answers_questions_and_records_nothing(
    luvalla: Callable[..., Any], home: Home
) -> None:
    with contextlib.closing(sqlite3.connect(home.database, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert luvalla("consent", "show", "--person", AINO).code == 0
        locked = luvalla("consent", "withdraw", OFFER, "--person", AINO)
        assert locked.code == 4
        assert "locked" in locked.error.message + locked.error.hint
        other.execute("rollback")
    assert status(luvalla, AINO) == "given"


def test_a_ledger_that_is_truncated_newer_or_gone_is_told_apart(
    luvalla: Callable[..., Any], home: Home
) -> None:
    whole = home.database.read_bytes()
    show = ("consent", "show", "--person", AINO)
    with contextlib.closing(sqlite3.connect(home.database)) as database:
        database.execute("update alembic_version set version_num = '9999'")
        database.commit()
    assert luvalla(*show).code == 4
    home.database.write_bytes(whole[:5000])
    assert luvalla(*show).code == 3
    home.database.unlink()
    assert luvalla(*show).code == 4
