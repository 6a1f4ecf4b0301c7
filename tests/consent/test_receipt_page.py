"""Receipts for people: a page that stands alone and plain text, in three languages, from the receipt and nothing else."""

from __future__ import annotations

import base64
import copy
import json
import re
from datetime import date
from html import unescape

import pytest

from consent import receipt_page, receipt_words
from consent.receipt_reading import read
from consent.records import ConsentRequest, Representation
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, UseStatus
from tests.accessible_page import opened_and_checked
from tests.consent import standard_vector, use_vector
from tests.consent.ledger_world import OFFER, make_world, use_request
from tests.consent.vector_log import world as vectors

LANGUAGES = ("fi", "sv", "en")
S = ConsentStatus


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("page"))
    with world.open() as ledger:
        yield world, ledger


@pytest.fixture(scope="module")
def receipts(city):
    _, ledger = city
    ledger.record(
        ConsentRequest(
            "anna", OFFER, S.GIVEN, language="sv", method="paper form <script>alert(1)</script>",
            given_by=GivenBy.GUARDIAN, representation=Representation("guardian per register", "ref 17"),
            own_say=OwnSay.AGREED, signed_on=date(2026, 11, 1), majority=date(2027, 6, 1),
        )
    )  # fmt: skip
    ledger.record(ConsentRequest("bo", OFFER, S.GIVEN, categories=("dpv-pd:Age",)))
    ledger.record(ConsentRequest("carla", OFFER, S.REFUSED))
    request = use_request(ledger, {"anna": UseStatus.SELECTED, "carla": UseStatus.REFUSED})
    ledger.append_use(request)
    return {
        "guardian": ledger.consent_receipt("anna", OFFER),
        "too little": ledger.consent_receipt("bo", OFFER),
        "refused": ledger.consent_receipt("carla", OFFER),
        "use": ledger.use_receipt("anna", request.run),
        "left out": ledger.use_receipt("carla", request.run),
        "version 1": vectors().consent_receipt,
        "values": vectors().use_receipt,
        "special": standard_vector.receipt(),
        "explained": use_vector.receipt(),
    }


def words_of(html: str) -> str:
    """What a reader of the page sees."""
    body = re.sub(r"(?s)<head>.*?</head>", "", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


KINDS = (
    "guardian",
    "too little",
    "refused",
    "use",
    "left out",
    "version 1",
    "values",
    "special",
    "explained",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_and_the_text_say_the_same_and_all_of_it(receipts, kind, language):
    receipt = receipts[kind]
    reading = read(receipt, language)
    page = receipt_page.page(receipt, language)
    seen, plain = words_of(page), " ".join(receipt_page.text(receipt, language).replace("\n|", "\n").split())
    assert page.startswith(f'<!doctype html>\n<html lang="{language}">')
    for part in (*reading.parts, *reading.proof):
        for said in (
            part.heading,
            *part.sentences,
            *part.points,
            *(each for fact in part.facts for each in fact),
        ):
            assert " ".join(said.split()) in seen
            assert " ".join(said.split()) in plain
    assert reading.command in seen
    assert reading.command in plain
    assert receipt["trust_root"] in plain


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_holds_the_receipts_own_file(receipts, kind):
    (file,) = re.findall(
        r'href="data:application/json;base64,([^"]+)"', receipt_page.page(receipts[kind], "fi")
    )
    assert json.loads(base64.b64decode(file)) == receipts[kind]


def test_what_a_person_should_know_at_first_sight(receipts):
    def lead(kind, language="en"):
        reading = read(receipts[kind], language)
        return reading.lead, reading.means, reading.good

    assert lead("guardian") == (
        "Consent given",
        (
            "Your data may be used for this purpose until 1 June 2027. You can change your mind at any time. "
            "So it was recorded on 24 November 2026. A later answer does not show here."
        ),
        True,
    )
    assert lead("guardian", "fi")[1].startswith("Tietojasi saa käyttää tähän tarkoitukseen 1.6.2027 asti.")
    assert lead("guardian", "sv")[1].startswith(
        "Dina uppgifter får användas för detta ändamål till 1.6.2027."
    )
    assert lead("refused")[0] == "Consent refused"
    assert lead("refused")[1].startswith(
        "Your data may not be used for this purpose. So it was recorded on 24 "
    )
    assert lead("refused")[2] is False
    assert lead("too little")[1].startswith("The answer does not cover all the data")
    assert lead("too little")[2] is False
    assert lead("use")[0] == "Your data was used; the service was proposed for you"
    assert lead("left out")[::2] == ("Left out because you said no", False)


def test_the_answer_tells_who_how_and_the_young_persons_own_say(receipts):
    facts = dict(read(receipts["guardian"], "en").parts[1].facts)
    assert facts == {
        "Who answered": "a guardian",
        "How": "paper form <script>alert(1)</script>",
        "When": "24 November 2026, 08:00 UTC",
        "Holds at most until": "1 June 2027, 00:00 UTC",
        "Language of the notice": "Swedish",
        "The young person's own say": "agreed",
        "By what right for somebody else": "guardian per register, ref 17",
        "Date on the paper form": "1 November 2026",
    }
    about = dict(read(receipts["special"], "en").parts[0].facts)
    assert about["Which data"] == "health records (sensitive), income"
    assert about["Where the data is kept"] == "Finland"
    assert about["Who else gets the data"] == "Example Health Services"
    assert "+358 9 000 0000" in about["Contact"]


def test_a_use_receipt_says_each_value_in_plain_words_the_strongest_first(receipts):
    reading = read(receipts["explained"], "fi")
    assert reading.title == "Kuitti tietojen käytöstä: Terveystapaamiset"
    run, reasons, table, can = reading.parts
    assert ("Tarkoitus", "Terveystapaamiset") in run.facts
    assert "health-benefit.offer" not in str(run)
    assert reasons.sentences[0] == "Tarjoamme terveystapaamista."
    assert reasons.points == (
        "ikä (61): puhui ehdotuksen puolesta",
        "tupakointi (no): puhui tarjoamista vastaan tällä kertaa",
    )
    assert table.facts == (
        ("tupakointi", "no; puhui tarjoamista vastaan tällä kertaa (-1,250)"),
        ("ikä", "61; puhui ehdotuksen puolesta (+0,500)"),
        ("lääkärikäynnit", "ei tietoa; ei vaikuttanut (+0,000)"),
    )
    assert "City of Example" in can.sentences[0]
    assert any("selitykset ovat siitä asiakirjasta" in point for point in reading.proof[0].points)


def test_a_use_receipt_without_reasons_says_why_there_are_none():
    def told(receipt):
        parts = read(receipt, "en").parts
        return " ".join(sentence for part in parts[1:-1] for sentence in part.sentences)

    training = use_vector.receipt(None, "training", 0x01, values=False)
    assert "There was no result for anyone here" in told(training)
    assert "no longer" in told({**use_vector.receipt(), "values": None})
    assert "no document that says" in told({**use_vector.receipt(), "explanation": None})
    for other in (
        "[]",
        "{",
        '{"features":["a"]}',
        '{"features":1}',
        '{"features":["a","b","c"],"texts":[1]}',
    ):
        assert "does not fit" in told({**use_vector.receipt(), "explanation": other})


def test_nothing_in_a_receipt_becomes_markup(receipts):
    page = receipt_page.page(receipts["guardian"], "sv")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'lang="sv">Får vi? 1<' in page  # the notice, in its own language


def test_the_numbers_are_those_that_the_verifier_proves(receipts, city):
    for kind in ("guardian", "refused", "use"):
        proved = city[0].verify(receipts[kind])
        facts = dict(read(receipts[kind], "en").proof[2].facts)
        assert facts["Place in the log"] == str(proved.index)
        assert facts["Length of the log"] == str(proved.size)
        assert facts["Your number in the log"] == str(proved.number)
        assert facts["Your code in the log"] == proved.subject
        assert facts["Trust root (sha256)"] == proved.trust_root


def test_details_of_other_writers_are_told_as_they_are(receipts):
    receipt = copy.deepcopy(receipts["guardian"])
    details = {"own-say": "[1]", "representation": '"x"', "signed-on": '"2026-11"', "source": '{"page":3}'}
    receipt["opening"]["details"] = {name: {"salt": "", "value": value} for name, value in details.items()}
    facts = read(receipt, "en").parts[1].facts
    assert {(f"Another detail ({name})", value) for name, value in details.items()} <= set(facts)


def test_every_word_is_there_in_three_languages():
    for key, texts in {**receipt_words._WORDS, **receipt_words._DATA}.items():
        assert all(text.strip() for text in texts), key
        fields = [sorted(re.findall(r"\{(\w+)\}", text)) for text in texts]
        assert fields[0] == fields[1] == fields[2], key
    assert receipt_words.data("pd:MentalHealth", "fi") == "mental health"


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["guardian", "refused", "values", "explained"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_accessible_self_contained_and_fits(browser, receipts, tmp_path, kind, language):
    file = tmp_path / "receipt.html"
    file.write_text(receipt_page.page(receipts[kind], language), encoding="utf-8")
    page = opened_and_checked(browser, file)
    assert page.pdf(format="A4")[:5] == b"%PDF-"
    with page.expect_download() as saved:
        page.click("a.save")
    assert saved.value.suggested_filename == "receipt.json"
    assert json.loads(saved.value.path().read_text()) == receipts[kind]
    page.close()
