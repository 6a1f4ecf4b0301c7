from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import models

if TYPE_CHECKING:
    import pytest

TUTORIAL = Path(models.__file__).parent.parent / "docs" / "tutorials" / "data-scientist.md"


def test_the_tutorial_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 8
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{TUTORIAL.name}, block {number}", "exec"), names)  # noqa: S102 - the tutorial's own code
    assert {path.name for path in tmp_path.iterdir()} == {"adults.csv", "my-home"}
    assert "in need and found" in capsys.readouterr().out
