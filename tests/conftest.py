"""A browser, and one city with a champion, played once a session; who changes it puts it back (`tests.governance.city.Kept`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
pytest.register_assert_rewrite("tests.accessible_page")  # it says what it saw, as a test does


@pytest.fixture(scope="session")
def played_city(tmp_path_factory):
    from tests.governance.city import make_city, promote_first_version  # noqa: PLC0415 - MLflow takes seconds to import

    made = make_city(tmp_path_factory.mktemp("city"))
    assert promote_first_version(made) == "1"
    return made


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where a browser is asked for

    if not CHROMIUM.exists():
        why = f"no Chromium at {CHROMIUM} (apt-get install chromium)"
        if os.environ.get("LUVALLA_REQUIRE_BROWSER"):
            pytest.fail(why)  # CI installs it: there, no browser test may be skipped
        pytest.skip(why)
    with sync_playwright() as p:
        started = p.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()
