"""What is kept and what is said of each person is the same as if it were written one person at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from governance import offers
from models import plugins, reasons, synthetic

SERVICE = plugins.service("health-benefit")


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(1)
    frame = synthetic.residents(SERVICE, 500, seed=1, outcome=False)
    # From tiny to huge, so that every spelling of a number occurs; and nothing known of one person's schooling.
    scale = 10.0 ** rng.integers(-20, 20, (500, 1))
    why = reasons.Reasons(rng.normal(size=(500, len(SERVICE.features))) * scale, 0.0, SERVICE.features)
    scores = rng.random(500)
    frame.loc[3, "educdec"] = np.nan
    return offers.Results(np.arange(500), scores, scores > 0.8, scores < 0.05, why, frame)


def test_kept_values_read_back_exactly(results):
    kept = offers.values_kept(SERVICE, results.frame, results.reasons, results.scores)
    for place, text in enumerate(kept):
        document = json.loads(text)
        assert list(document) == ["c", "s", "x"]
        assert document["c"] == results.reasons.contributions[place].tolist()
        assert document["s"] == results.scores[place]
        seen = results.frame[list(SERVICE.features)].iloc[place]
        assert document["x"] == [None if np.isnan(value) else value for value in seen]
    assert json.loads(kept[3])["x"][SERVICE.features.index("educdec")] is None


def test_text_features_are_kept_as_text(results):
    spoken = ['a"b', "ä,]", None]
    frame = results.frame.assign(xage=[spoken[place % 3] for place in range(500)])
    kept = offers.values_kept(SERVICE, frame, results.reasons, results.scores)
    place = SERVICE.features.index("xage")
    assert [json.loads(text)["x"][place] for text in kept[:3]] == spoken


def test_nobody_scored_keeps_nothing(results):
    none = reasons.Reasons(results.reasons.contributions[:0], 0.0, SERVICE.features)
    assert offers.values_kept(SERVICE, results.frame[:0], none, results.scores[:0]) == []


def test_each_line_says_what_that_person_s_own_facts_say(results, tmp_path):
    house = SimpleNamespace(home=SimpleNamespace(outbox=tmp_path / "outbox"))
    people = results.frame["person_id"].tolist()
    written = offers.write(house, SERVICE, {}, bytes(16), people, results)
    _, *lines = [json.loads(line) for line in written.read_bytes().splitlines()]
    told = np.flatnonzero(results.selected | results.sampled).tolist()
    assert [line["person"] for line in lines] == [people[place] for place in told]
    for place, line in zip(told, lines, strict=True):
        offered = bool(results.selected[place])
        assert line["kind"] == ("offer" if offered else "review")
        assert line["score"] == results.scores[place]
        for language, texts in line["texts"].items():
            assert texts["text"] == (SERVICE.offer if offered else offers.NOT_SELECTED)[language]
            assert texts["reasons"] == reasons.text(
                SERVICE,
                results.reasons.contributions[place],
                language,
                direction="for" if offered else "against",
            )


def test_only_reasons_that_hold_are_told_and_where_none_does_that_is_said(results, tmp_path):
    stable = {"for": ("age",), "against": ()}
    house = SimpleNamespace(home=SimpleNamespace(outbox=tmp_path / "outbox"))
    people = results.frame["person_id"].tolist()
    written = offers.write(house, SERVICE, {}, bytes(16), people, replace(results, stable=stable))
    _, *lines = [json.loads(line) for line in written.read_bytes().splitlines()]
    offered = [line["texts"]["fi"]["reasons"] for line in lines if line["kind"] == "offer"]
    assert {tuple(told) for told in offered} == {
        (SERVICE.family_texts["age"]["fi"],),
        ("Mikään yksittäinen syy ei nouse esiin.",),
    }
    reviewed = [line["texts"]["en"]["reasons"] for line in lines if line["kind"] == "review"]
    assert reviewed
    assert all(told == ["No single reason stands out."] for told in reviewed)


def test_the_run_s_document_lists_what_holds_and_says_nothing_where_the_audit_did_not(results):
    told = offers.explanation(SERVICE, 0.5, results.reasons, 0.1, {"for": ("sex", "age"), "against": ()})
    assert told["stable"] == {"for": ["age", "sex"], "against": []}
    assert "stable" not in offers.explanation(SERVICE, 0.5, results.reasons, 0.1)
