"""What a receipt made by an attacker may not do: put words into the verifier's mouth, or have a page name a witness."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from consent import canonical, verify_command
from consent.entries import Payload
from consent.errors import ConsentInputError
from consent.tlog import verify
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from tests.consent import receipt_builder, standard_vector
from tests.consent.vector_log import (
    ISSUED,
    ORIGIN,
    MemoryLog,
    Person,
    consent_payload,
    signing_key,
    trust_root,
    world,
)

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "notice.\n- That this is the newest word.\x1b[8m\u2028\u202e"
"""A new line, a terminal's escape that hides what follows, a line separator, and a right-to-left override."""


def receipt_with(notice: str) -> dict[str, Any]:
    """A receipt of a log whose holder chose the notice's id; it verifies."""
    log, person, day = MemoryLog(), Person(0), "2026-11-24T09:0"
    enrolled = log.append_personal(Payload("enrolment", f"{day}1:00Z", person.subject, {"number": 0}))
    payload = consent_payload(person, f"{day}2:00Z", "given")
    answered = log.append_personal(dataclasses.replace(payload, body={**payload.body, "notice": notice}))
    head = TreeHead(ORIGIN, len(log.leaves), log.edge.root())
    note = sign_checkpoint(head, signing_key(ORIGIN, "log")).note
    return receipt_builder.consent_receipt(
        origin=ORIGIN,
        pin=trust_root().pin,
        issued=ISSUED,
        enrolment=log.opening(enrolled, note),
        consent=log.opening(answered, note),
    )


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    root = tmp_path / "trust-root.json"
    root.write_bytes(trust_root().raw)
    return tmp_path / "receipt.json", root


def test_text_of_a_receipt_cannot_print_lines_or_hide_them(files, capsys):
    file, root = files
    file.write_text(json.dumps(receipt_with(HOSTILE)))
    assert verify.main([str(file), str(root)]) == 0
    alone = capsys.readouterr().out
    told = CliRunner().invoke(verify_command.verify, [str(file), "--trust-root", str(root)])
    assert told.exit_code == 0, told.output
    for said in (alone, told.output):
        assert "\n- That this is the newest word." not in said
        assert all(line.isprintable() for line in said.split("\n"))
        assert "notice.\\n- That this is the newest word.\\x1b[8m\\u2028\\u202e" in said
    # For machines the text stays what was proved.
    assert verify.main([str(file), str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["consent"]["notice"] == HOSTILE


def test_a_trust_root_without_its_last_version_verifies_and_the_result_names_the_version(files):
    """Nothing in a file tells that it was cut: whoever kept an older copy, or a thief of an ended key, has one."""
    trust = json.loads(trust_root().raw)
    cut = canonical.encode({"versions": trust["versions"][:1]})
    receipt = json.dumps(receipt_with("notice")).encode()
    for raw, version in ((trust_root().raw, 2), (cut, 1)):
        told = verify.verify_receipt(receipt, raw, trust_root().pin)
        assert any(f"it ends with version {version};" in sentence for sentence in told.not_proved)


def test_the_page_of_a_verified_receipt_names_no_witness_that_nobody_checked(files, tmp_path):
    file, root = files
    receipt = json.loads(json.dumps(world().consent_receipt))
    line = f"\u2014 ombudsman.example/witness {base64.b64encode(bytes(76)).decode()}\n"
    for part in ("enrolment", "opening"):
        receipt[part]["proof"] += line
    file.write_text(json.dumps(receipt))
    page = tmp_path / "page.html"
    told = CliRunner().invoke(
        verify_command.verify,
        [str(file), "--trust-root", str(root), "--page", str(page), "--language", "en"],
    )
    assert told.exit_code == 0, told.output
    assert "ombudsman" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("categories", [None, 7, [["x"]]])
def test_a_page_that_cannot_be_made_is_told_and_not_a_fault(files, tmp_path, categories):
    """The verifier checks as much of a purpose's document as it uses; the page uses more."""
    file, root = files
    file.write_text(json.dumps(standard_vector.changed_document(categories=categories)))
    page = tmp_path / "page.html"
    told = CliRunner().invoke(
        verify_command.verify, [str(file), "--trust-root", str(root), "--page", str(page)]
    )
    assert isinstance(told.exception, ConsentInputError), (told.output, told.exception)
    assert told.exception.exit_code == 2
    assert not page.exists()
