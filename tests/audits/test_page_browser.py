"""The page in a real browser: axe finds nothing, nothing is fetched, it fits a telephone and prints."""

from __future__ import annotations

import pytest

from audits import html, published, runner
from audits.check import Baseline
from audits.from_counts import audit_counts
from tests.accessible_page import checked, opened_and_checked
from tests.audits.test_benefit_finding import trial

pytestmark = pytest.mark.browser


@pytest.fixture(
    params=["everything", "first version", "passed", "gain not shown", "from counts", "in Finnish"]
)
def path(request, full_report, everything, make_rows, cells, tmp_path):
    report = full_report
    if request.param == "first version":
        less = {
            "baseline": Baseline(None),
            "simulated": (),
            "y_score": None,
            "clusters": None,
            "data_quality": None,
        }
        report = runner.audit(**everything | less)
    if request.param == "passed":
        y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
        report = runner.audit(y, p, sensitive_features=g)
    if request.param == "gain not shown":
        y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
        report = runner.audit(y, p, sensitive_features=g, benefit=trial(n=900))
    if request.param == "from counts":
        report = audit_counts(
            {"a": {"tp": "<5", "fn": 200, "fp": 60, "tn": 1500}, "b": {"n": 1500, "in_need": 400}}
        )
    file = tmp_path / "report.html"
    file.write_text(html.page(report, "fi" if request.param == "in Finnish" else "en"), encoding="utf-8")
    return file


def test_the_page_is_accessible_self_contained_and_fits(browser, path, request):
    full = request.node.callspec.id == "everything"
    page = opened_and_checked(browser, path)
    if request.node.callspec.id != "published":  # that page folds nothing and leads to no finding
        trace = page.locator("#trace table")
        assert not trace.is_visible()
        page.emulate_media(media="print")
        assert trace.bounding_box()["height"] > 200  # what is folded on the screen is open on paper
        page.emulate_media(media="screen")
        page.locator("a[href^='#trace-']").first.evaluate("link => { location.hash = link.hash }")
        assert page.evaluate(
            "document.querySelector(location.hash).checkVisibility({contentVisibilityAuto: true})"
        )
    if full:
        page.locator("details").evaluate_all("all => all.forEach(d => d.open = true)")
        checked(page)
    assert page.pdf(format="A4")[:5] == b"%PDF-"
    page.close()


def test_the_public_s_page_is_accessible_self_contained_and_fits(browser, full_report, tmp_path):
    file = tmp_path / "public.html"
    file.write_text(published.page(full_report), encoding="utf-8")
    page = opened_and_checked(browser, file)
    assert page.pdf(format="A4")[:5] == b"%PDF-"
    page.close()
