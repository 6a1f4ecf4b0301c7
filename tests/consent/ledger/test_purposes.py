"""The purposes file: strict, with a message that says where and what."""

from __future__ import annotations

import pytest

from consent.canonical import digest
from consent.errors import PurposesError
from consent.purposes import document, encoded, from_document, notice_digests, parse
from tests.consent.ledger_world import OFFER, purposes_text


def test_a_good_file_gives_its_purposes() -> None:
    offer, development = parse(purposes_text())
    assert (offer.id, offer.version, offer.processing) == (OFFER, 1, ("human-review", "scoring"))
    assert development.notice.texts["fi"] == "Saammeko? 1 ä"
    assert offer.categories == ("dpv-pd:Age", "dpv-pd:Education")


def test_a_document_gives_the_purpose_again() -> None:
    for purpose in parse(purposes_text()):
        assert from_document(document(purpose), dict(purpose.notice.texts)) == purpose
        assert b'"retention_days":30' in encoded(purpose)


def test_the_notice_s_digest_is_of_its_exact_text() -> None:
    offer = parse(purposes_text())[0]
    assert notice_digests(offer.notice)["fi"] == digest("Saammeko? 1 ä".encode())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("retention_days = 30", "", "`retention_days` is missing"),
        ("retention_days", "retention_day", "unknown key `retention_day`"),
        ("retention_days = 30", "retention_days = -1", "whole number from 0"),
        ("consent_days = 365", "consent_days = true", "whole number from 1"),
        ("eu-gdpr:A6-1-e", "eu-gdpr:A6-1-z", "unknown legal_basis"),
        ('"scoring"', '"scorring"', "unknown processing `scorring`"),
        ('"dpv-pd:Age"', '"Age"', "DPV terms with a prefix"),
        ('"dpv-pd:Age"', '"dpv-pd:Education"', "names something twice"),
        ('fi = "title 1 fi ä"\n', "", "a text in each of fi, sv, en"),
        ('fi = "title 1 fi ä"', 'fi = " "', "a text of `title` is empty"),
        ('id = "reading-help.offer"', 'id = "Reading Help"', "an id is lower-case words"),
        ('controller = "City of Example"', "controller = 7", "must be text"),
        ("version = 1", "version = 0", "whole number from 1"),
        ("[purpose.notice]", "[purpose.notce]", "unknown key `notce`"),
        ("[[purpose]]", "[[purpose", "not TOML"),
    ],
)
def test_each_mistake_is_named(old: str, new: str, says: str) -> None:
    with pytest.raises(PurposesError) as caught:
        parse(purposes_text().replace(old, new))
    assert says in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_another_table_is_named() -> None:
    with pytest.raises(PurposesError, match="unknown table `other`"):
        parse(purposes_text(extra="[other]\nx = 1\n"))


def test_an_empty_file_refuses() -> None:
    with pytest.raises(PurposesError, match="no \\[\\[purpose\\]\\]"):
        parse("")


def test_a_version_twice_refuses() -> None:
    with pytest.raises(PurposesError, match="twice"):
        parse(purposes_text() + purposes_text())


def test_a_near_key_is_proposed() -> None:
    with pytest.raises(PurposesError) as caught:
        parse(purposes_text().replace("legal_basis", "legal_bases"))
    assert caught.value.hint == "did you mean `legal_basis`?"
