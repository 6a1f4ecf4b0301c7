"""Results on stdout and talk on stderr; `--json` of every command is one JSON document and nothing else."""

from __future__ import annotations

import importlib
import json
import shlex

import pytest

import cli
from tests.cli.telling import tells
from tests.consent.ledger_world import purpose_text
from tests.governance.city import SERVICE

OFFER = SERVICE.purposes.offer
ELSEWHERE = {
    "demo",
    "ledger refill",
    "ledger signer",
    "ledger witness",
    "my consents",
    "my export",
    "my receipt",
    "my right",
    "my rights",
    "my uses",
    "my why",
}
"""Tested where a whole story, or a server, is at hand: tests/governance and tests/consent/citizen."""

# In this order, since later ones rest on earlier ones; {names} are filled in by the test.
SPOKEN = [
    ("init", "--home {new}", 0),
    ("status", "", 0),
    ("consent purposes", "", 0),
    ("consent adopt", "{purposes} --dry-run", 0),
    ("consent ask", "{offer} --person invented-1", 0),
    ("consent give", "{offer} --person invented-1", 0),
    ("consent refuse", "{offer} --person invented-2", 0),
    ("consent withdraw", "{offer} --person invented-1", 0),
    ("consent withdraw", "{offer} --person invented-2", 1),
    ("consent give", "{offer} --person invented-4", 0),
    ("consent revoke", "{offer} --person invented-4", 0),
    ("consent expire", "", 0),
    ("consent show", "--person invented-1", 0),
    ("consent object", "--person invented-1 --purpose {offer}", 0),
    ("consent restrict", "--person invented-1 --processing scoring", 0),
    ("consent lift", "--person invented-1 --ground checked", 0),
    ("consent rights", "--person invented-1", 0),
    ("consent permit", "{offer} scoring --person invented-1", 1),
    ("consent give", "{offer} --person invented-3", 0),
    ("consent correct", "{index} --person invented-3", 0),
    ("models list", "", 0),
    ("models rows", "health-benefit --out {tmp}/rows.csv", 0),
    ("models train", "health-benefit --recipe need --population {development} --by dara", 0),
    ("models card", "health-benefit 2", 0),
    ("audits run", "health-benefit 2 --population {complete} --by eetu", 0),
    ("audits report", "{home}/reports/health-benefit-1.json --out {tmp}/page.html", 0),
    ("audits compare", "{home}/reports/health-benefit-1.json {home}/reports/health-benefit-2.json", 0),
    ("board keygen", "dora", 0),
    ("board members", "", 0),
    ("promote", "health-benefit 2", 1),
    ("board inbox", "", 0),
    (
        "board decide",
        "health-benefit 2 --as bo --key {keys}/bo.pem --choice against --reasons 'It misses too many.'",
        0,
    ),
    ("promote", "health-benefit 1", 0),
    ("run", "health-benefit --population {people} --dry-run", 0),
    ("run", "health-benefit --population {people} --out {tmp}/offers.jsonl", 0),
    ("consent uses", "--person {person}", 0),
    ("consent why", "--person {person} --run {run}", 0),
    ("consent receipt", "--person {person} --run {run} --out {tmp}/receipt.json", 0),
    ("consent export", "--person {person} --out {tmp}/export.json", 0),
    ("verify", "{tmp}/receipt.json", 0),
    ("ledger restore-opening", "{tmp}/receipt.json --person {person}", 0),
    ("ledger check", "", 0),
    ("ledger checkpoint", "", 0),
    ("ledger vkey", "", 0),
    ("ledger witnesses", "", 0),
    ("ledger rotate-key", "--dry-run", 0),
    ("ledger rotate-root-key", "--dry-run", 0),
    ("ledger rotate-kek", "--if-due --destroy-expired", 0),
    ("ledger confirm-clock", "--yes", 0),
    ("ledger migrate", "", 0),
    ("ledger publish", "{tmp}/public", 0),
    ("ledger monitor", "{tmp}/public --state {tmp}/watched", 0),
    ("ledger prove", "0", 0),
    ("board suspend", "health-benefit 1 --as aino --key {keys}/aino.pem --reasons 'I look again.'", 0),
    ("run", "health-benefit --population {people} --out {tmp}/other.jsonl", 1),
    ("board revoke", "health-benefit 1 --as bo --key {keys}/bo.pem --reasons 'It harms.'", 0),
    ("consent erase", "--person invented-2 --ground eu-gdpr:A17-1-b --yes", 0),
    ("consent readmit", "--person invented-2", 0),
]


def test_every_command_with_json_says_one_document_on_stdout(city, luvalla, tmp_path):
    purposes = tmp_path / "purposes.toml"
    purposes.write_text(purpose_text("other.offer", 1, 1, '["scoring"]'))
    known = {
        "offer": OFFER, "tmp": tmp_path, "new": tmp_path / "new", "home": city.home, "keys": city.folder,
        "development": city.development, "people": city.people, "person": city.names[0], "run": "", "index": "", "purposes": purposes,
        "complete": city.with_race_known(tmp_path / "complete.csv"),
    }  # fmt: skip
    for command, args, code in SPOKEN:
        words = shlex.split(args.format(**known))
        home = city.home
        if "--home" in words:
            home, words = words[1], words[2:]
        said = luvalla(home, *command.split(), *words, "--json")
        tells(said, code)
        document = json.loads(said.out)
        assert isinstance(document, dict), command
        known["index"] = document.get("index")
        known["run"] = document.get("run") or known["run"]
        assert city.names[0] not in said.err
    assert document


def test_the_story_above_leaves_out_no_command():
    told = {command for command, *_ in SPOKEN} | ELSEWHERE
    speaking = set()
    for path, entry in cli.TABLE.items():
        module, _, name = entry.target.partition(":")
        command = getattr(importlib.import_module(module), name)
        if any("--json" in param.opts for param in command.params):
            speaking.add(path)
    assert speaking == told
    assert set(cli.TABLE) - speaking == {"serve citizen"}


def test_rejected_rows_are_talk_and_the_result_stands_alone(city, luvalla, tmp_path):
    lines = city.people.read_text().splitlines()
    head, first, *rest = lines
    cells = first.split(",")
    cells[head.split(",").index("disea")] = "secret-cell"
    file = tmp_path / "people.csv"
    file.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")
    said = luvalla(
        city.home, "run", SERVICE.id, "--population", file, "--out", tmp_path / "o.jsonl", "--json"
    )
    tells(said, 0, names=city.names)
    assert json.loads(said.out)["rejected_rows"] == 1
    assert said.err == "row 1, column disea: not a number\n"
    assert "secret-cell" not in said.out + said.err


@pytest.mark.parametrize("train", [False, True])
def test_a_file_of_which_no_row_is_left_is_bad_input_and_no_no(city, luvalla, tmp_path, train):
    source = city.development if train else city.people
    head, *rest = source.read_text().splitlines()
    file = tmp_path / "people.csv"
    file.write_text("\n".join([head, *rest[:30], *rest[:30]]) + "\n")
    command = (
        ("models", "train", SERVICE.id, "--by", "x")
        if train
        else ("run", SERVICE.id, "--out", tmp_path / "o")
    )
    said = luvalla(city.home, *command, "--population", file)
    tells(said, 2, "not one of the file's 60 rows", "mend the export", "and 50 more", names=city.names)


def test_a_group_without_a_command_tells_what_there_is(luvalla, tmp_path):
    for group in cli.GROUPS:
        said = luvalla(tmp_path, group)
        assert said.code == 2
        assert "Commands:" in said.out + said.err
        assert luvalla(tmp_path, group, "--help").code == 0
