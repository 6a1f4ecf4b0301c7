"""The page: verdict first, nothing fetched, every finding on it, nothing in it that was not in the facts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from audits import finding_view, html, page_sections, page_words, runner, templating, texts, wording
from audits.finding import Direction, Role
from audits.lines import METRICS, Line
from audits.sections import ReportSubject


class Document(HTMLParser):
    """Ids, links, heading levels, and what a browser would fetch."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr", "path", "rect", "line", "circle"})

    def __init__(self, page):
        super().__init__()
        self.ids, self.anchors, self.headings, self.fetched, self.open, self.tags = [], [], [], [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.anchors.append(given["href"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.fetched += [given[k] for k in ("src", "srcset", "data", "action", "poster") if k in given]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def report(full_report):
    return full_report


@pytest.fixture
def page(report):
    return html.page(report)


def test_the_page_asks_for_nothing_and_runs_nothing(page):
    document = Document(page)
    assert document.fetched == []
    assert not document.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert all(href.startswith("#") for href in document.anchors)


def test_the_page_is_well_formed_and_its_links_arrive(page):
    document = Document(page)
    assert document.open == []
    assert len(document.ids) == len(set(document.ids))
    assert {a[1:] for a in document.anchors} <= set(document.ids)
    assert document.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(document.headings, document.headings[1:], strict=False))


def test_the_verdict_comes_before_every_number(page):
    body = page[page.index("<body>") :]
    assert body.index('id="verdict"') < body.index('class="tiles"') < body.index('id="lines"')
    assert body.index("How to say no") < body.index('id="screening"')


def test_every_finding_and_digest_is_on_the_page(report, page):
    for f in report.findings:
        assert f.code.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page
    assert report.digest in page
    assert report.subject.model_digest in page
    assert "All people in this audit are invented." in page


def test_a_pass_shows_first_what_screening_has_against_it(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    age = np.where(np.arange(len(y)) % 40 == 0, "young", "old")
    p[np.flatnonzero((age == "young") & (y == 1))[::5]] = 0
    lines = [
        Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", ""),
        Line("tpr_gap", "age", "young", Direction.AT_LEAST, -0.10, Role.SCREENS, "", ""),
    ]
    report = runner.audit(y, p, sensitive_features={"group": g, "age": age}, lines=lines)
    assert (report.verdict.outcome.value, report.findings[1].leaning.value) == ("passed", "against")
    page = html.page(report)
    assert page.index("can be your reason to say no") < page.index("What the board can do")


@pytest.mark.parametrize(
    ("group", "rest", "says"),
    [
        (
            (30, 70),
            (60, 40),
            "In the group a (group), 30 of every 100 people in need were found; among everyone else, 60. At everyone else's rate, 30 people more in need would have been found here.",
        ),
        (
            (4, 5),
            (250, 157),
            "In the group a (group), 4 of 9 people in need were found (44%); among everyone else, 61%. At everyone else's rate, 2 people more in need would have been found here.",
        ),
        (
            (90, 110),
            (80, 120),
            "In the group a (group), 45 of every 100 people in need were found; among everyone else, 40.",
        ),
    ],
)
def test_a_line_in_plain_words(group, rest, says, make_rows, cells):
    y, p, g = make_rows({"a": cells(*group, 20, 400), "b": cells(*rest, 20, 400)})
    line = Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")
    assert wording.plain(runner.audit(y, p, sensitive_features=g, lines=[line]).findings[0]) == says


def test_names_of_groups_are_escaped(page):
    assert "A <b>&" not in page
    assert "A &lt;b&gt;&amp;" in page


def test_the_same_report_gives_the_same_page(report, page):
    assert html.page(report) == page


def test_a_report_of_three_arrays_has_a_page(make_rows, cells):
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    page = html.page(runner.audit(y, p, sensitive_features=g))
    assert "Passed" in page
    assert "clustering was not accounted for" in page
    Document(page)


@pytest.mark.parametrize(
    "lines", [(), [Line("observed_expected", "group", "a", Direction.AT_MOST, 1.25, Role.DECIDES, "", "")]]
)
def test_a_report_that_could_say_nothing_says_so(lines, make_rows, cells):
    y, p, g = make_rows({"a": cells(0, 0, 0, 50), "b": cells(0, 0, 0, 50)})
    page = html.page(runner.audit(y, p, sensitive_features=g, lines=lines))
    Document(page)
    assert "Failed" in page
    assert "Nobody was selected" in page


def test_every_text_is_used_and_every_metric_has_its_words():
    loader = templating.ENVIRONMENT.loader
    names = ["report.html.jinja", *(f"sections/{s.template}" for s in page_sections.SECTIONS)]
    template = "".join(loader.get_source(templating.ENVIRONMENT, name)[0] for name in names)
    source = Path(html.__file__).read_text(encoding="utf-8")
    used = {"chance_low", "chance_repeat", "chance_ok", *(role.value for role in Role)}
    used |= set(re.findall(r"\bt\.(\w+)", template)) | set(re.findall(r'"(no_\d)"', template))
    source += Path(finding_view.__file__).read_text(encoding="utf-8")
    used |= {"price_same", "price_more", "price_fewer"}
    used |= set(re.findall(r"""t\[["'](\w+)["']\]""", source)) | set(re.findall(r'"(id_\w+)"', source))
    # Looked up by a finding's code, or by the direction of a reason.
    used |= {"title_benefit.gain", "title_benefit.assignment", "title_baselines.complexity"}
    used |= {"title_procedure.refit_agreement", "title_procedure.three_sets"}
    used |= {f"title_explainability.{x}" for x in ("deletion", "importance_stability", "top_reason")}
    used |= {"reasons_for", "reasons_against", "outcomes_yes", "outcomes_no"}
    used |= {s.heading for s in page_sections.SECTIONS}
    assert set(page_words.words()) ^ used == set()
    parts = [texts.EN, *(s.texts.get("en", {}) for s in page_sections.SECTIONS)]
    assert sum(map(len, parts)) == len(page_words.words()), "two sections share a key"
    assert set(METRICS) == set(wording.METRIC_TITLE) == set(wording.METRIC_QUESTION)


def test_on_an_audit_that_could_not_decide_the_page_offers_no_acceptance(make_rows, cells):
    y, p, g = make_rows({"a": cells(30, 30, 20, 400), "b": cells(300, 300, 20, 400)})
    line = Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")
    made = runner.audit(
        y,
        p,
        sensitive_features=g,
        lines=[line],
        subject=ReportSubject(policy_name="practice", policy_version="1"),
    )
    assert (made.verdict.leaning.value, made.rule.chance < 0.5) == ("for", True)
    page = html.page(made)
    assert "nothing may be accepted on it: no policy can allow that" in page
    assert "Where the policy allows it you may accept" not in page


class Folded(HTMLParser):
    """Words that are seen before anything is unfolded, and ids that are."""

    def __init__(self, page):
        super().__init__()
        self.inside, self.summary, self.silent, self.words, self.ids, self.kept = 0, 0, 0, 0, set(), set()
        self.feed(page[page.index("<body>") :])

    def handle_starttag(self, tag, attrs):
        self.silent += tag in {"title", "desc"}
        self.inside += tag == "details"
        self.summary += tag == "summary"
        (self.kept if self.inside else self.ids).update(v for k, v in attrs if k == "id")

    def handle_endtag(self, tag):
        self.silent -= tag in {"title", "desc"}
        self.inside -= tag == "details"
        self.summary -= tag == "summary"

    def handle_data(self, data):
        if not self.silent and (self.inside == 0 or (self.inside == 1 and self.summary)):
            self.words += len(data.split())


def test_a_board_reads_it_in_ten_minutes_and_the_evidence_is_folded_not_gone(report, page):
    seen = Folded(page)
    assert seen.words <= 2000  # 200 words a minute; the whole page has over 6,000
    assert {"verdict-h", "who-h", "lines-h", "price-h", "unknown-h", "no-h"} <= seen.ids
    traced = {f"trace-finding-{n}" for n in range(len(report.findings))}
    assert traced <= seen.kept


def test_every_line_leads_to_its_finding_tool_and_version(report, page):
    for number, f in enumerate(report.findings):
        if f.role is Role.DECIDES:
            card = page[page.index(f'<article id="finding-{number}"') :]
            card = card[: card.index("</article>")]
            assert f'href="#trace-finding-{number}"' in card
            assert f"</code></a>, {f.tool} {f.version}</p>" in card
