"""A page in a browser: it fetches nothing, no rule of axe is broken, and a narrow screen shows all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

GROUPS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""WCAG 2.2 up to AA, as axe names its rules, and what it calls best practice."""


def opened_and_checked(browser: Browser, file: Path) -> Page:
    """Open it and assert all that; the caller closes it."""
    requested: list[str] = []
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.on("request", lambda request: requested.append(request.url))
    page.goto(file.as_uri())
    assert requested == [file.as_uri()]
    checked(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    return page


def checked(page: Page) -> None:
    """Assert that no rule of axe is broken on the page as it stands."""
    result = Axe().run(page, options={"runOnly": GROUPS})
    assert result.violations_count == 0, result.generate_report()
