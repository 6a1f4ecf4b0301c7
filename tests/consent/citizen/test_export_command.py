"""`luvalla consent export`: a file of one's own, recorded, and nothing of it where it may not be."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from consent import receipt_words
from consent.ledger import Ledger
from consent.method_words import KNOWN
from consent.receipt_words import moment
from consent.records import ConsentRequest, Representation
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, Processing, Right
from tests.accessible_page import opened_and_checked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.home import Home


OFFER = "health-benefit.offer"


def size(home: Home) -> int:
    with Ledger.open(home, read_only=True) as ledger:
        return ledger.head().size


def test_a_copy_is_written_and_recorded_and_a_dry_run_is_neither(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path
) -> None:
    before = size(home)
    dry = luvalla("consent", "export", "--person", "invented-aino", "--dry-run", "--json").json
    assert (dry["consents"], dry["uses"], dry["file"], size(home)) == (2, 2, None, before)
    out = tmp_path / "copy.json"
    said = luvalla("consent", "export", "--person", "-", "--out", out, "--json", stdin="invented-aino\n")
    assert (said.code, said.json["index"], size(home)) == (0, before, before + 1)
    document = json.loads(out.read_text())
    assert document["record"]["digest"] == said.json["digest"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert "invented-aino" not in out.read_text() + said.out + said.err


def test_it_goes_into_the_home_by_default_and_a_retry_gives_the_same(
    luvalla: Callable[..., Any], home: Home
) -> None:
    ask = ("consent", "export", "--person", "invented-aino", "--portability", "--request-id", "r")
    first, again = luvalla(*ask, "--json").json, luvalla(*ask, "--json").json
    assert first["file"].startswith(str(home.receipts))
    assert (again["file"], again["index"], again["replayed"], again["unchanged"]) == (
        first["file"], first["index"], True, True,
    )  # fmt: skip
    assert "The data that you provided, to be moved: " in luvalla(*ask).out


def test_what_cannot_be_written_is_told_before_anything_is_recorded(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path
) -> None:
    before = size(home)
    (tmp_path / "there").write_text("x")
    for out in (tmp_path / "there", tmp_path / "no" / "folder"):
        assert luvalla("consent", "export", "--person", "invented-aino", "--out", out).code == 2
    one = tmp_path / "one"
    twice = luvalla("consent", "export", "--person", "invented-aino", "--out", one, "--page", one)
    assert (twice.code, "same file" in str(twice.error), one.exists()) == (2, True, False)
    unknown = luvalla("consent", "export", "--person", "invented-nobody")
    assert (unknown.code, "nobody" in unknown.err) == (2, False)
    assert size(home) == before


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fi", ("Kopio tiedoistasi", "Tietojen käyttö", "Saammeko ehdottaa sinulle tarkastusta?", "käynnit viime vuonna")),
        ("sv", ("En kopia av dina uppgifter", "Användning av uppgifterna", "Utövade rättigheter", "besök i fjol")),
        ("en", ("A copy of your data", "Uses of the data", "May we propose a check-up to you?", "visits last year (3)")),
    ],
)  # fmt: skip
def test_a_page_for_reading_says_the_same_in_three_languages(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path, language: str, said: tuple[str, ...]
) -> None:
    with Ledger.open(home) as ledger:
        ledger.record_consent(
            "invented-aino",
            OFFER,
            ConsentStatus.RENEWED,
            language=language,
            method="<script>alert(1)</script>",
        )
        ledger.record_right("invented-aino", Right.OBJECTION, ground="word", processing=["training"])
    out, page = tmp_path / "copy.json", tmp_path / "copy.html"
    ask = (
        "consent",
        "export",
        "--person",
        "invented-aino",
        "--out",
        out,
        "--page",
        page,
        "--language",
        language,
    )
    assert luvalla(*ask).code == 0
    html = page.read_text(encoding="utf-8")
    seen = " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
    for words in said:
        assert words in seen
    document = json.loads(out.read_text())
    assert document["record"]["digest"] in seen
    [until] = {use["values_until"] for use in document["content"]["uses"] if use["values_until"]}
    assert moment(until, language) in seen
    assert "<script" not in html
    assert "<script>alert(1)</script>" in seen
    assert not re.search(r"(?:src|href)=|url\(", html)
    assert page.stat().st_mode & 0o777 == 0o600
    assert html.count("<h3>") >= len(document["content"]["uses"])
    moved = tmp_path / "moved.html"
    move = ("consent", "export", "--person", "invented-aino", "--portability", "--out", tmp_path / "m.json")
    assert luvalla(*move, "--page", moved, "--language", language).code == 0
    assert said[1] not in moved.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_the_page_holds_no_code_and_no_english_word_of_ours(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path, language: str
) -> None:
    with Ledger.open(home) as ledger:
        for method in KNOWN:
            answered = ConsentRequest(
                "invented-nuori", OFFER, ConsentStatus.GIVEN, language=language, method=method,
                given_by=GivenBy.GUARDIAN, representation=Representation("REKISTERI", "VIITE"),
                own_say=OwnSay.AGREED, signed_on=date(2026, 11, 1), majority=date(2040, 6, 1),
            )  # fmt: skip
            ledger.record(answered)
            ledger.record_consent("invented-nuori", OFFER, ConsentStatus.WITHDRAWN, language=language)
        ledger.record_right(
            "invented-nuori", Right.OBJECTION, ground="word", purposes=[OFFER], processing=["scoring"], categories=["pd:Health"],
        )  # fmt: skip
        ledger.record_right(
            "invented-aino", Right.RESTRICTION, ground="word", processing=[word.value for word in Processing]
        )
    codes = {word.value for kind in (ConsentStatus, GivenBy, OwnSay, Processing, Right) for word in kind}
    for person in ("invented-nuori", "invented-aino"):
        out, page = tmp_path / f"{person}.json", tmp_path / f"{person}.html"
        ask = ("consent", "export", "--person", person, "--out", out, "--page", page, "--language", language)
        assert luvalla(*ask).code == 0
        body = re.sub(r"(?s)<head>.*?</head>", "", page.read_text(encoding="utf-8"))
        found = [
            unescape(text).strip() for text in re.sub(r"<[^>]+>", "\n", body).split("\n") if text.strip()
        ]
        words = {word for text in found for word in re.split(r"[\s;,:()]+", text)}
        assert not words & (codes | {OFFER, "pd:Health"})
        assert not set(KNOWN) & set(found)
        assert (
            sum(text.startswith("sha256:") for text in found) == 1
        )  # what the file is checked by, and nothing else
        if person == "invented-nuori":
            assert {"REKISTERI, VIITE", receipt_words.say("agreed", language)} <= set(found)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_page_is_accessible_self_contained_and_fits(
    browser: Any, luvalla: Callable[..., Any], tmp_path: Path, language: str
) -> None:
    file = tmp_path / "copy.html"
    ask = ("consent", "export", "--person", "invented-aino", "--out", tmp_path / "copy.json", "--page", file)
    assert luvalla(*ask, "--language", language).code == 0
    opened_and_checked(browser, file).close()
