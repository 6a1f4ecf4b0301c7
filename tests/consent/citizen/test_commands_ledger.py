"""luvalla ledger check | checkpoint | vkey, and luvalla verify on a machine without a ledger."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.home import Home

OFFER = "health-benefit.offer"
AINO = "invented-aino"
SCORING = "AAECAwQFBgcICQoLDA0ODw"


def test_a_sound_ledger_has_no_fault(luvalla: Callable[..., Any]) -> None:
    told = luvalla("ledger", "check", "--json")
    assert told.code == 0
    assert told.json["sound"] is True
    assert told.json["faults"] == []
    assert luvalla("ledger", "check").out.endswith("entries recomputed, 0 faults\n")


def test_one_changed_byte_is_named_with_its_entry(luvalla: Callable[..., Any], home: Home) -> None:
    with sqlite3.connect(home.database) as database:
        (body,) = database.execute("select body from entry where idx = 7").fetchone()
        changed = bytearray(body)
        changed[10] ^= 1
        database.execute("update entry set body = ? where idx = 7", (bytes(changed),))
    told = luvalla("ledger", "check", "--json")
    assert told.code == 3
    assert 7 in {fault["index"] for fault in told.json["faults"]}
    assert "(entry 7)" in luvalla("ledger", "check").out


def test_a_checkpoint_is_a_signed_note_of_the_whole_log(luvalla: Callable[..., Any]) -> None:
    told = luvalla("ledger", "checkpoint", "--json").json
    lines = told["note"].splitlines()
    assert lines[:3] == ["city.example/consent", str(told["size"]), told["root"]]
    assert luvalla("ledger", "checkpoint").out == told["note"]
    assert told["size"] == luvalla("ledger", "check", "--json").json["size"]


def test_vkey_prints_what_a_verifier_needs(luvalla: Callable[..., Any]) -> None:
    told = luvalla("ledger", "vkey", "--json").json
    assert told["log"][0]["vkey"].startswith("city.example/consent+")
    assert told["trust_root"].startswith("sha256:")
    assert luvalla("ledger", "vkey").out.splitlines()[0] == told["log"][0]["vkey"]


@pytest.fixture
def receipt(luvalla: Callable[..., Any], tmp_path: Path) -> Path:
    out = tmp_path / "receipt.json"
    assert luvalla("consent", "receipt", "--person", AINO, "--run", SCORING, "--out", out).code == 0
    return out


def test_a_receipt_verifies_without_a_home(
    luvalla: Callable[..., Any], home: Home, receipt: Path, tmp_path: Path
) -> None:
    root, pin = tmp_path / "root.json", luvalla("ledger", "vkey", "--json").json["trust_root"]
    shutil.copy(home.trust_root, root)
    nowhere = tmp_path / "nothing"
    told = luvalla("verify", receipt, "--trust-root", root, "--pin", pin, at=nowhere)
    assert told.code == 0, told
    assert told.out.startswith("It verifies.\n\nProved:\n- ")
    assert "\nNot proved:\n- " in told.out
    answer = luvalla("verify", receipt, "--trust-root", root, "--json", at=nowhere)
    assert answer.json["verified"] is True
    assert answer.json["use"]["status_word"] == "selected"
    assert answer.json["pinned"] is False
    assert luvalla("verify", receipt, "--json").json["pinned"] is True


def test_without_home_and_trust_root_it_says_what_to_give(
    luvalla: Callable[..., Any], receipt: Path, tmp_path: Path
) -> None:
    told = luvalla("verify", receipt, at=tmp_path / "nothing")
    assert told.code == 2
    assert "--trust-root" in told.error.hint


def test_a_changed_receipt_does_not_verify(luvalla: Callable[..., Any], receipt: Path) -> None:
    document: dict[str, Any] = json.loads(receipt.read_text())
    document["slot"]["status"] = 1
    receipt.write_text(json.dumps(document))
    told = luvalla("verify", receipt)
    assert told.code == 3
    assert "it does not verify" in told.error.message
    answer = luvalla("verify", receipt, "--json")
    assert answer.code == 3
    assert answer.json["verified"] is False


def test_another_pin_does_not_verify(luvalla: Callable[..., Any], receipt: Path) -> None:
    assert luvalla("verify", receipt, "--pin", "sha256:" + "00" * 32).code == 3


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b"\xff", b'{"luvalla_receipt":1}'])
def test_what_is_no_receipt_does_not_verify(
    luvalla: Callable[..., Any], tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    assert luvalla("verify", file).code == 3


def test_a_file_that_is_not_there_is_wrong_usage(luvalla: Callable[..., Any], tmp_path: Path) -> None:
    assert luvalla("verify", tmp_path / "none.json").code == 2
