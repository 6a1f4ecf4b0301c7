"""The purposes and notices that ship: complete, true to the services, and in words that stigmatise nobody."""

from __future__ import annotations

import re

import pytest

from consent.purposes import parse
from governance.founding import shipped_purposes
from models import health_benefit, youth_exclusion

PURPOSES = parse(shipped_purposes())
SERVICES = (health_benefit.SERVICE, youth_exclusion.SERVICE)
# Words that a service must never say to the person it is for (shared design: wording never stigmatises).
STIGMA = re.compile(
    r"syrjäyt|riski|ongelma|utslag|utanför|\brisk|problem|exclu|drop ?out|failing|vulnerab|disadvantag",
    re.IGNORECASE,
)


def texts(purpose):
    for words in (purpose.title, purpose.description, purpose.effects_of_no, purpose.notice.texts):
        yield from words.values()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.id)
def test_each_service_has_its_two_purposes(service):
    mine = {purpose.id: purpose for purpose in PURPOSES if purpose.service == service.id}
    assert set(mine) == {service.purposes.development, service.purposes.offer}
    assert mine[service.purposes.development].processing == ("audit", "training")
    assert mine[service.purposes.offer].processing == ("human-review", "scoring")


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
def test_no_text_stigmatises(purpose):
    for text in texts(purpose):
        assert not STIGMA.search(text), STIGMA.search(text)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
def test_a_notice_says_what_gdpr_13_asks_in_each_language(purpose):
    says = {
        "fi": (
            "Vastuussa on kaupunki",
            "tietosuoja-asetus 6(1)(e)",
            "tietosuojavaltuutetulle",
            "milloin vain",
            "voimassa",
        ),
        "sv": (
            "Staden ansvarar",
            "dataskyddsförordningen 6.1 e",
            "dataombudsmannen",
            "när som helst",
            "gäller i",
        ),
        "en": (
            "The city is responsible",
            "GDPR 6(1)(e)",
            "Data Protection Ombudsman",
            "at any time",
            "lasts",
        ),
    }
    for language, parts in says.items():
        for part in parts:
            assert part in purpose.notice.texts[language], (language, part)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
def test_an_english_notice_is_written_in_short_sentences(purpose):
    sentences = re.split(r"[.:?!]\s", purpose.notice.texts["en"])
    assert max(len(sentence.split()) for sentence in sentences) <= 32


def test_only_an_audit_needs_origin():
    for purpose in PURPOSES:
        assert ("pd:Ethnicity" in purpose.categories) == ("audit" in purpose.processing)
