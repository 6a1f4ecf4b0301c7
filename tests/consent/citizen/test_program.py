"""The real program of `luvalla consent ...`, in a process of its own, and the command line without a home."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.consent.real_program import real

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.home import Home

OFFER, AINO, CARITA = "health-benefit.offer", "invented-aino", "invented-carita"


@pytest.mark.parametrize(
    "command",
    [("consent", "show", "--person", AINO), ("ledger", "check"), ("ledger", "vkey"), ("consent", "purposes")],
)
def test_without_a_home_every_command_says_how_to_make_one(
    luvalla: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    told = luvalla(*command, at=tmp_path / "nothing")
    assert told.code == 2
    assert "luvalla init" in told.error.hint
    assert not (tmp_path / "nothing").exists()


def test_the_real_program_answers_in_the_terminals_language_and_exits_as_documented(
    home: Home, tmp_path: Path
) -> None:
    told = real(home, "consent", "uses", "--person", "-", cwd=tmp_path, stdin=CARITA, LC_ALL="fi_FI.UTF-8")
    assert told.returncode == 0
    assert "Jätettiin pois, koska kieltäydyit" in told.stdout
    refused = real(home, "consent", "give", OFFER, "--person", AINO, cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (1, "")
    unknown = real(home, "consent", "give", "none", "--person", AINO, cwd=tmp_path)
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("error: ")


def test_a_reason_comes_in_the_terminals_language(home: Home, tmp_path: Path) -> None:
    told = real(home, "consent", "give", OFFER, "--person", AINO, cwd=tmp_path, LC_ALL="sv_FI.UTF-8")
    assert told.stdout.startswith("Inte registrerat: samtycket gäller redan")


def test_a_folder_with_packages_of_the_same_names_changes_nothing(home: Home, tmp_path: Path) -> None:
    for name in ("consent", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger')")
    (tmp_path / "cli.py").write_text("raise SystemExit('a stranger')")
    assert real(home, "consent", "show", "--person", AINO, cwd=tmp_path).returncode == 0


def test_consent_show_loads_nothing_heavy(home: Home) -> None:
    code = (
        "import sys, cli\n"
        f"try: cli.main(['--home', {str(home.path)!r}, 'consent', 'show', '--person', 'x'])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([n for n in ('numpy', 'pandas', 'alembic', 'pydantic', 'fastapi', 'rich', 'joserfc') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
