"""Why a run came out as it did: both sides, in three languages, from what was kept; and what is said when nothing was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import lines, why, words
from consent.errors import ConsentEvidenceError
from consent.vocabulary import UseStatus

FEATURES = ["visits", "distance", "age", "income", "season"]
EXPLANATION: dict[str, Any] = {
    "features": FEATURES,
    "texts": {
        "visits": {"fi": "käynnit viime vuonna", "sv": "besök i fjol", "en": "visits last year"},
        "distance": {"fi": "matka", "sv": "avstånd", "en": "distance"},
    },
    "threshold": "0.42",
    "expected": "-1.5",
    "capacity": "0.20",
    "offer": {
        "fi": "Sinulle ehdotettiin käyntiä",
        "sv": "Du föreslogs ett besök",
        "en": "A visit was proposed",
    },
    "not_selected": {
        "fi": "Palvelu on auki",
        "sv": "Tjänsten är öppen",
        "en": "The service stays open to you",
    },
}
VALUES = json.dumps({"c": [0.8, -0.3, 0.0, -1.25, 0.1], "s": 0.61, "x": [3, 2.5, None, "low", 1.0]}).encode()


def answer(**changes: Any) -> why.Why:
    asked: dict[str, Any] = {
        "code": UseStatus.SELECTED,
        "processing": "scoring",
        "controller": "City of Example, privacy@city.example",
        "language": "en",
    }
    values, explanation = changes.pop("values", VALUES), changes.pop("explanation", EXPLANATION)
    return why.explain(values, explanation, **(asked | changes))


def test_the_selected_hear_first_what_spoke_for_it_and_then_what_did_not() -> None:
    told = answer()
    assert [reason.feature for reason in told.strongest] == ["visits", "season", "income", "distance"]
    assert told.strongest[0].sentence == "visits last year (3): spoke for a proposal"
    assert told.offer == "A visit was proposed"


@pytest.mark.parametrize("code", [UseStatus.USED, UseStatus.SAMPLED])
def test_those_not_selected_hear_as_much(code: UseStatus) -> None:
    told = answer(code=code)
    assert [reason.feature for reason in told.strongest] == ["income", "distance", "visits", "season"]
    assert told.offer == "The service stays open to you"
    assert told.explained


def test_the_table_holds_every_feature_strongest_first() -> None:
    told = answer()
    assert [reason.feature for reason in told.table] == ["income", "visits", "distance", "season", "age"]
    assert told.table[-1].sentence == "age (no value): made no difference"
    assert (told.score, told.threshold, told.expected) == (0.61, 0.42, -1.5)


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    sentences = {reason.feature: reason.sentence for reason in answer(language="fi").table}
    assert sentences["distance"] == "matka (2,5): puhui tarjoamista vastaan tällä kertaa"
    assert sentences["season"].startswith("season (1)")


CODED = {
    "visits": {"3": {"fi": "usein", "sv": "ofta", "en": "often"}},
    "distance": {"2": {"fi": "kaukana", "sv": "långt", "en": "far"}},
    "age": {},
    "income": {"low": {"fi": "pienet", "sv": "små", "en": "small"}},
    "season": {"1": {"fi": "talvi", "sv": "vinter", "en": "winter"}, "true": {"en": "yes"}},
}


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("fi", ["usein", "rekisterin koodi 2,5", "ei tietoa", "pienet", "talvi"]),
        ("sv", ["ofta", "registrets kod 2,5", "uppgift saknas", "små", "vinter"]),
        ("en", ["often", "the register's code 2.5", "no value", "small", "winter"]),
    ],
)
def test_a_coded_value_is_said_in_the_services_words_or_as_a_code(language: str, shown: list[str]) -> None:
    told = answer(language=language, explanation=EXPLANATION | {"value_texts": CODED})
    said = {reason.feature: reason.sentence for reason in told.table}
    assert [said[name].partition("(")[2].partition(")")[0] for name in FEATURES] == shown
    assert {reason.feature: reason.value for reason in told.table}["season"] == 1.0


@pytest.mark.parametrize(
    "broken", [[], "x", {"visits": "x"}, {"visits": {"3": "often"}}, {"visits": {"3": {"en": 7}}}]
)
def test_words_of_another_form_declare_nothing_and_hide_no_value(broken: Any) -> None:
    said = {
        reason.feature: reason.sentence
        for reason in answer(explanation=EXPLANATION | {"value_texts": broken}).table
    }
    assert "3)" in said["visits"]
    assert "(2.5)" in said["distance"]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_yes_or_no_of_the_register_is_said_in_words(language: str) -> None:
    values = json.dumps({"c": [1, 0, 0, 0, 0], "s": 0.5, "x": [True, False, 0, 1, 2]}).encode()
    told = answer(language=language, values=values)
    assert not any("True" in reason.sentence or "false" in reason.sentence for reason in told.table)


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("code", list(UseStatus))
def test_every_answer_says_that_a_person_decides_and_how_to_contest(code: UseStatus, language: str) -> None:
    for values in (VALUES, None):
        told = answer(code=code, language=language, values=values)
        assert told.human == words.HUMAN_DECIDES[language]
        assert "privacy@city.example" in told.contest
        assert told.explained != bool(told.absence)


@pytest.mark.parametrize(
    ("code", "processing", "part"),
    [
        (UseStatus.REFUSED, "scoring", "left out before the model"),
        (UseStatus.NOT_IN_RUN, "scoring", "not among the people"),
        (UseStatus.USED, "training", "no result for anyone"),
        (UseStatus.USED, "scoring", "not (or no longer) kept"),
    ],
)
def test_where_nothing_is_kept_the_reason_is_told(code: UseStatus, processing: str, part: str) -> None:
    told = answer(values=None, code=code, processing=processing)
    assert part in told.absence
    assert told.strongest == ()
    assert told.score is None


@pytest.mark.parametrize(
    ("values", "explanation"),
    [
        (b"", EXPLANATION),
        (b"[]", EXPLANATION),
        (b'{"c": 1, "s": 0.5, "x": []}', EXPLANATION),
        (b'{"c": [], "s": 0.5, "x": []}', EXPLANATION),
        (b'{"c": [1, 2, 3, 4, "x"], "s": 0.5, "x": [1, 2, 3, 4, 5]}', EXPLANATION),
        (b'{"c": [1, 2, 3, 4, NaN], "s": 0.5, "x": [1, 2, 3, 4, 5]}', EXPLANATION),
        (b'{"c": [1, 2, 3, 4, 5], "s": true, "x": [1, 2, 3, 4, 5]}', EXPLANATION),
        (VALUES, {}),
        (VALUES, EXPLANATION | {"features": FEATURES[:4]}),
        (VALUES, EXPLANATION | {"threshold": "high"}),
    ],
)
def test_what_does_not_fit_is_no_evidence(values: bytes, explanation: dict[str, Any]) -> None:
    with pytest.raises(ConsentEvidenceError):
        answer(values=values, explanation=explanation)


@given(
    st.lists(st.floats(-20, 20), min_size=5, max_size=5),
    st.sampled_from([UseStatus.USED, UseStatus.SELECTED]),
)
def test_the_strongest_are_never_weaker_than_those_left_out(
    contributions: list[float], code: UseStatus
) -> None:
    told = answer(values=json.dumps({"c": contributions, "s": 0.5, "x": [0] * 5}).encode(), code=code)
    for sign in (1, -1):
        shown = [reason.contribution for reason in told.strongest if reason.contribution * sign > 0]
        every = sorted(
            (reason.contribution for reason in told.table if reason.contribution * sign > 0), key=abs
        )
        assert shown == every[::-1][: why.STRONGEST]


def test_related_features_are_told_together_where_the_run_declares_families() -> None:
    """Visits and what they cost pull apart one by one; together they speak for a proposal."""
    document = {
        "features": ["visits", "cost", "age"],
        "texts": {"visits": {"en": "visits"}, "cost": {"en": "cost of visits"}, "age": {"en": "age"}},
        "threshold": "0.5",
        "expected": "0.0",
        "families": {"visits": "doctor", "cost": "doctor", "age": "age"},
        "family_texts": {"doctor": {"en": "Your visits last year"}, "age": {"en": "Your age"}},
    }
    kept = b'{"c":[0.9,-0.4,0.1],"s":0.7,"x":[5,35.97,40]}'
    told = why.explain(
        kept, document, code=UseStatus.SELECTED, processing="scoring", controller="City", language="en"
    )
    assert [reason.sentence for reason in told.strongest] == [
        "Your visits last year: spoke for a proposal",
        "Your age: spoke for a proposal",
    ]
    assert [reason.feature for reason in told.table] == ["visits", "cost", "age"]


FAMILIES: dict[str, Any] = {
    "families": {"visits": "doctor", "distance": "way", "age": "age", "income": "home", "season": "way"},
    "family_texts": {name: {"en": f"Your {name}"} for name in ("doctor", "way", "age", "home")},
}


def test_a_reason_that_does_not_hold_is_not_told_and_stays_in_the_full_account() -> None:
    stable = {"for": [], "against": ["home", "way"]}
    told = answer(explanation=EXPLANATION | FAMILIES | {"stable": stable})
    assert [reason.feature for reason in told.strongest] == ["home", "way"]
    assert told.absence == "No single reason stands out."
    assert told.explained
    assert told.table == answer(explanation=EXPLANATION | FAMILIES).table
    against = answer(explanation=EXPLANATION | FAMILIES | {"stable": stable}, code=UseStatus.USED)
    assert [reason.feature for reason in against.strongest] == ["home", "way"]
    assert against.absence == ""


@pytest.mark.parametrize(
    ("stable", "heading"), [([], "What spoke the other way:"), (["doctor"], "What counted most:")]
)
def test_what_spoke_the_other_way_is_not_told_as_what_counted_most(
    stable: list[str], heading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "use", lambda *_: iter(()))
    document = EXPLANATION | FAMILIES | {"stable": {"for": stable, "against": ["home", "way"]}}
    told = answer(explanation=document)
    said = {
        **dict.fromkeys(("score", "threshold", "expected", "table"), None),
        "use": None, "absence": told.absence, "offer": "", "human_decides": "", "contest": "",
        "strongest": [{"sentence": reason.sentence, "value": None} for reason in told.strongest],
    }  # fmt: skip
    shown = list(lines.why(said, "en"))
    assert heading in shown
    assert sum(line.endswith(":") and line.startswith("What ") for line in shown) == 1


def test_a_reason_holds_in_its_own_direction_only() -> None:
    turned = {"for": ["home", "way"], "against": ["doctor"]}
    told = answer(explanation=EXPLANATION | FAMILIES | {"stable": turned}, code=UseStatus.USED)
    assert told.strongest == ()
    assert told.absence == "No single reason stands out."


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_that_none_stands_out_is_said_in_every_language(language: str) -> None:
    none = {"for": [], "against": []}
    told = answer(explanation=EXPLANATION | FAMILIES | {"stable": none}, language=language)
    assert told.absence == why.NONE_STANDS_OUT[language]


@pytest.mark.parametrize("stable", [[], "home", {"for": ["home"]}, {"for": "home", "against": []}])
def test_a_document_that_lists_no_stable_reasons_is_no_evidence(stable: object) -> None:
    with pytest.raises(ConsentEvidenceError, match="which reasons hold"):
        answer(explanation=EXPLANATION | FAMILIES | {"stable": stable})
