"""No command writes what it found among a ledger's own files, nor over one of them."""

from __future__ import annotations

import pytest

from consent.errors import ConsentInputError
from governance import release
from tests.cli.telling import tells, unchanged
from tests.governance.city import SERVICE

SID = SERVICE.id


def commands(city, out):
    """One per option; those of `consent` have a folder in the home (tests/consent/ledger/test_house_files.py)."""
    counts = city.folder / "counts.csv"
    counts.write_text("attribute,value,n,selected\n")
    facts = next((city.home / "reports").glob("*.json"))
    return [
        ("run", SID, "--population", city.people, "--out", out),
        ("models", "rows", SID, "--out", out),
        ("board", "decide", SID, "1", "--as", "bo", "--export", out),
        ("board", "decide", "--sign", counts, "--key", counts, "--choice", "for", "--reasons", "x", "--out", out),
        ("audits", "run", "--counts", counts, "--force", "--out", out),
        ("audits", "run", "--counts", counts, "--force", "--page", out),
        ("audits", "report", facts, "--force", "--out", out),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["ledger.db", "new.jsonl", "reports/new.html", "nowhere/new.jsonl"])
def test_a_file_in_the_home_is_refused_before_anything_is_done(city, luvalla, name):
    with unchanged(city):
        for command in commands(city, city.home / name):
            tells(luvalla(city.home, *command), 2, "lies in the home", names=city.names)
        assert not (city.home / "nowhere").exists()


def test_so_is_one_that_leads_there(city, luvalla, tmp_path):
    link = tmp_path / "elsewhere"
    link.symlink_to(city.home)
    with unchanged(city):
        for command in commands(city, link / "new"):
            tells(luvalla(city.home, *command), 2, "lies in the home", names=city.names)
        with pytest.raises(ConsentInputError, match="lies in the home"):
            release.check_place(link / "new")
    # A name that only passes through the home lies elsewhere.
    tells(luvalla(city.home, "models", "rows", SID, "--out", f"{city.home}/../beside.csv"), 0)
    assert (city.home.parent / "beside.csv").exists()
