"""The sentences: there is one for every code in every language, and none says what somebody is."""

from __future__ import annotations

import pytest

from consent import answers, words
from consent.errors import ConsentInputError
from consent.lines import LABELS
from consent.state import ConsentState, refused_transition
from consent.vocabulary import LEGAL_BASES, ConsentStatus, GivenBy, Processing, UseStatus
from consent.web import problems
from consent.web.language import negotiate
from consent.why import _ABSENT

# Words that would put a label on a person, or tell them a verdict.
NEVER = (
    "risk",
    "riski",
    "syrjäyty",
    "utslag",
    "exclusion",
    "vulnerable",
    "haavoittuva",
    "score",
    "pisteet",
    "profil",
)
TABLES = {
    "status": words.STATUS,
    "result": words.RESULT,
    "processing": words.PROCESSING,
    "given_by": words.GIVEN_BY,
    "not_proved": words.NOT_PROVED,
    "witnessed": {"": words.WITNESSED},
    "cannot follow": words._CANNOT_FOLLOW,
    "labels": LABELS,
    "absent": _ABSENT,
    "human": {"": words.HUMAN_DECIDES},
    "contest": {"": words.CONTEST},
    "problem titles": {k.code: k.title for k in vars(problems).values() if isinstance(k, problems.Kind)},
    "problem details": {k.code: k.detail for k in vars(problems).values() if isinstance(k, problems.Kind)},
}


@pytest.mark.parametrize("name", TABLES)
def test_every_sentence_is_there_in_three_languages_and_labels_nobody(name: str) -> None:
    for texts in TABLES[name].values():
        assert set(texts) == set(words.LANGUAGES)
        assert len(set(texts.values())) == 3 or name == "labels"
        for text in texts.values():
            assert text.strip() == text
            assert not [word for word in NEVER if word in text.lower()]


def test_every_code_has_its_sentence() -> None:
    assert set(words.STATUS) == {status.value for status in ConsentStatus}
    assert set(words.RESULT) == set(UseStatus)
    assert set(words.PROCESSING) == {word.value for word in Processing}
    assert set(words.GIVEN_BY) == {who.value for who in GivenBy}


def test_every_refused_transition_has_a_sentence() -> None:
    for current in ConsentStatus:
        for asked in (
            ConsentStatus.GIVEN,
            ConsentStatus.REFUSED,
            ConsentStatus.WITHDRAWN,
            ConsentStatus.RENEWED,
        ):
            refused = refused_transition(
                ConsentState(current, None), asked, purpose_version=1, notice_version=1
            )
            if refused is not None:
                assert words.cannot_follow(refused, "fi") != refused.reason


def test_training_offers_nothing_to_anybody() -> None:
    assert words.result(UseStatus.USED, "training", "en") == "Your data was used"
    assert (
        words.result(UseStatus.USED, "scoring", "en")
        == "Your data was used; the service was not proposed this time"
    )


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_legal_basis_is_said_with_its_article(language: str) -> None:
    for term in LEGAL_BASES:
        assert not words.legal_basis(term, language).startswith("eu-gdpr:")
    assert words.legal_basis("something else", language) == "something else"


def test_a_legal_basis_reads_as_one() -> None:
    assert words.legal_basis("eu-gdpr:A6-1-e-official-authority", "en") == (
        "a task in the public interest or official authority (GDPR Article 6(1)(e))"
    )


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "fi_FI.UTF-8"}, "fi"),
        ({"LANG": "fi_FI.UTF-8", "LC_ALL": "sv_FI"}, "sv"),
        ({"LC_ALL": "", "LC_MESSAGES": "sv_SE", "LANG": "fi_FI"}, "sv"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_terminals_language(environment: dict[str, str], language: str) -> None:
    assert words.language_of_environment(environment) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "fi"),
        ("", "fi"),
        ("sv", "sv"),
        ("sv-FI, fi;q=0.9, en;q=0.8", "sv"),
        ("en;q=0.5, fi;q=0.7", "fi"),
        ("de, en;q=0.1", "en"),
        ("en;q=0, sv;q=0.001", "sv"),
        ("en;q=0", "fi"),
        ("EN-gb", "en"),
        ("en; q = 1", "fi"),
        ("\x00;;q==,,en;q=2", "fi"),
        ("*", "fi"),
    ],
)
def test_the_requests_language(header: str | None, language: str) -> None:
    assert negotiate(header) == language


def test_a_run_has_one_spelling_and_may_be_typed_in_hexadecimal() -> None:
    run = bytes(range(16))
    text = answers.run_text(run)
    assert answers.parse_run(text) == answers.parse_run(run.hex()) == run
    for wrong in (
        "",
        text[:-1],
        text + "=",
        text[:-1] + "x",
        text + "\n",
        "ä" * 22,
        "+" + text[1:] + "/",
        run.hex() + "00",
    ):
        with pytest.raises(ConsentInputError, match="22 characters"):
            answers.parse_run(wrong)
