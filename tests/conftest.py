"""One city with a champion, played once a session; whoever changes it puts it back (see `tests.governance.city.Kept`)."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def played_city(tmp_path_factory):
    from tests.governance.city import make_city, promote_first_version  # noqa: PLC0415 - MLflow takes seconds to import

    made = make_city(tmp_path_factory.mktemp("city"))
    assert promote_first_version(made) == "1"
    return made
