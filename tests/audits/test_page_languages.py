"""The page in Finnish and Swedish: the decision is said in the language, and what is English says that it is."""

from __future__ import annotations

import re
import string

import pytest

from audits import (
    figures,
    html,
    line_words,
    page_sections,
    page_words,
    runner,
    templating,
    texts,
    texts_fi,
    texts_sv,
)
from audits.finding import Direction, Role, Scale
from audits.lines import METRICS, Line

SPOKEN = {"fi": texts_fi.FI, "sv": texts_sv.SV}


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_translation_stands_for_an_english_text_and_fills_in_the_same():
    assert set(SPOKEN["fi"]) == set(SPOKEN["sv"]) <= set(texts.EN)
    for words in SPOKEN.values():
        for key, text in words.items():
            assert text.strip()
            assert fields(text) == fields(texts.EN[key]), key
    for language in SPOKEN:
        assert set(line_words.TITLE[language]) == set(METRICS)
        assert set(line_words.SENTENCE[language]) == set(line_words.SENTENCE["fi"])
        for section in page_sections.SECTIONS:
            for key, text in section.texts.get(language, {}).items():
                assert fields(text) == fields(section.texts["en"][key]), key


@pytest.mark.parametrize("language", SPOKEN)
def test_what_speaks_the_language_lacks_no_word_of_it(language):
    loader = templating.ENVIRONMENT.loader
    spoken = [f"sections/{s.template}" for s in page_sections.SECTIONS if language in s.speaks]
    for name in ["report.html.jinja", *spoken]:
        used = set(re.findall(r"\bt\.(\w+)", loader.get_source(templating.ENVIRONMENT, name)[0]))
        assert used <= set(SPOKEN[language]), name


@pytest.mark.parametrize(
    ("language", "verdict", "sentence", "limit"),
    [
        ("fi", "Ei läpäissyt", "Ryhmässä a (group) jokaisesta 100 tarpeessa olevasta löydettiin 30; kaikilla muilla 60. Muiden osuudella täältä olisi löydetty 300 tarpeessa olevaa enemmän.", "vähintään -10,0 prosenttiyksikköä"),
        ("sv", "Underkänd", "I gruppen a (group) hittades 30 av varje 100 personer i behov; bland alla andra 60. Med alla andras andel hade 300 till i behov hittats här.", "minst -10,0 procentenheter"),
    ],
)  # fmt: skip
def test_the_verdict_and_the_lines_are_said_in_the_language(
    language, verdict, sentence, limit, make_rows, cells
):
    y, p, g = make_rows({"a": cells(300, 700, 100, 4000), "b": cells(600, 400, 100, 4000)})
    line = Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", "the board's reason")
    page = html.page(runner.audit(y, p, sensitive_features=g, lines=[line]), language)
    assert f'<html lang="{language}">' in page
    assert f"<title>{verdict}: " in page
    assert sentence in page
    assert f"{limit}.</desc>" in page
    assert '<span lang="en">the board&#39;s reason</span>' in page
    assert '<section lang="en" id="trade"' in page
    assert page_words.words(language)["in_english"] in page
    assert len(re.findall('<section lang="en"', page)) < len(re.findall("<section ", page))


def test_the_english_page_is_marked_nowhere(full_report):
    page = html.page(full_report)
    assert 'lang="en"' not in page.replace('<html lang="en">', "")


def test_a_group_of_few_is_counted_and_numbers_are_written_as_the_language_writes_them(make_rows, cells):
    y, p, g = make_rows({"a": cells(4, 5, 20, 400), "b": cells(250, 157, 20, 400)})
    line = Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")
    finding = runner.audit(y, p, sensitive_features=g, lines=[line]).findings[0]
    assert line_words.plain(finding, "sv").startswith(
        "I gruppen a (group) hittades 4 av 9 personer i behov (44\u00a0%)"
    )
    assert (
        figures.Figures("fi").interval(-0.15, -0.031, Scale.DIFFERENCE) == "-15,0 ... -3,1 prosenttiyksikköä"
    )
    assert figures.Figures("sv").interval(0.5, None, Scale.RATIO) == "0,50 gånger till ingen gräns"
    assert figures.Figures("en").interval(-0.15, -0.031, Scale.DIFFERENCE) == "-15.0 to -3.1 points"
