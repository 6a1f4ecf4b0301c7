"""`--dry-run` where something is written: it says what would be, and leaves the home as it was to the byte."""

from __future__ import annotations

import json

import pytest

import cli
from tests.cli.telling import tells, unchanged
from tests.governance.city import SERVICE

SID = SERVICE.id
BO = ["--as", "bo", "--key", "{keys}/bo.pem", "--reasons", "I want to look at it again."]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["models", "train", SID, "--recipe", "need", "--population", "{rows}", "--by", "x"], 0, {"people": 3900}),
        (["audits", "run", SID, "1", "--population", "{rows}", "--by", "x"], 0, {"people": 3900, "recipe": "need"}),
        (["promote", SID, "1"], 0, {"step": "champion", "would_promote": True}),
        (["board", "suspend", SID, "1", *BO], 0, {"recorded": False, "entry": None}),
        (["board", "revoke", SID, "1", *BO], 0, {"recorded": False, "revoked": []}),
        (["run", SID, "--population", "{people}"], 0, {"ran": False, "scored": 250}),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_dry_run_says_what_would_be_and_changes_nothing(city, luvalla, args, code, says):
    known = {"keys": city.folder, "rows": city.development, "people": city.people}
    with unchanged(city):
        said = luvalla(city.home, *[arg.format(**known) for arg in args], "--dry-run", "--json")
    tells(said, code, names=city.names)
    told = json.loads(said.out)
    assert {name: told[name] for name in says} == says
    with unchanged(city):
        aloud = luvalla(city.home, *[arg.format(**known) for arg in args], "--dry-run")
    assert "dry run" in aloud.out


def test_a_dry_run_of_what_cannot_be_is_no_yes(city, luvalla):
    with unchanged(city):
        tells(luvalla(city.home, "models", "train", SID, "--recipe", "needs", "--population", city.development,
                      "--by", "x", "--dry-run"), 2, "need")  # fmt: skip
        tells(luvalla(city.home, "promote", SID, "99", "--dry-run"), 2, "99")
        tells(luvalla(city.home, "board", "suspend", SID, "1", "--as", "aino", "--key", city.folder / "bo.pem",
                      "--reasons", "x", "--dry-run"), 2, "is the key of bo")  # fmt: skip


def test_every_command_that_writes_into_the_home_can_be_tried_dry():
    import importlib  # noqa: PLC0415 - only this test walks the table

    writes = {"consent give", "consent refuse", "consent withdraw", "consent erase", "consent readmit", "consent adopt", "consent object", "consent restrict",
              "consent lift", "consent correct", "models train", "audits run", "board keygen",
              "board members", "board decide", "board suspend", "board revoke", "promote", "run"}  # fmt: skip
    for path in writes:
        module, _, name = cli.TABLE[path].target.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert any("--dry-run" in param.opts for param in command.params), path
