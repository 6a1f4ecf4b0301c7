"""`luvalla consent export`: a file of one's own, recorded, and nothing of it where it may not be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consent.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.home import Home


def size(home: Home) -> int:
    with Ledger.open(home, read_only=True) as ledger:
        return ledger.head().size


def test_a_copy_is_written_and_recorded_and_a_dry_run_is_neither(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path
) -> None:
    before = size(home)
    dry = luvalla("consent", "export", "--person", "invented-aino", "--dry-run", "--json").json
    assert (dry["consents"], dry["uses"], dry["file"], size(home)) == (2, 2, None, before)
    out = tmp_path / "copy.json"
    said = luvalla("consent", "export", "--person", "-", "--out", out, "--json", stdin="invented-aino\n")
    assert (said.code, said.json["index"], size(home)) == (0, before, before + 1)
    document = json.loads(out.read_text())
    assert document["record"]["digest"] == said.json["digest"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert "invented-aino" not in out.read_text() + said.out + said.err


def test_it_goes_into_the_home_by_default_and_a_retry_gives_the_same(
    luvalla: Callable[..., Any], home: Home
) -> None:
    ask = ("consent", "export", "--person", "invented-aino", "--portability", "--request-id", "r")
    first, again = luvalla(*ask, "--json").json, luvalla(*ask, "--json").json
    assert first["file"].startswith(str(home.receipts))
    assert (again["file"], again["index"], again["replayed"], again["unchanged"]) == (
        first["file"], first["index"], True, True,
    )  # fmt: skip
    assert "The data that you provided, to be moved: " in luvalla(*ask).out


def test_what_cannot_be_written_is_told_before_anything_is_recorded(
    luvalla: Callable[..., Any], home: Home, tmp_path: Path
) -> None:
    before = size(home)
    (tmp_path / "there").write_text("x")
    for out in (tmp_path / "there", tmp_path / "no" / "folder"):
        assert luvalla("consent", "export", "--person", "invented-aino", "--out", out).code == 2
    unknown = luvalla("consent", "export", "--person", "invented-nobody")
    assert (unknown.code, "nobody" in unknown.err) == (2, False)
    assert size(home) == before
