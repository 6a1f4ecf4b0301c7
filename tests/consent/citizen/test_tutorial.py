"""docs/tutorials/citizen.md says what the program does: every `$ luvalla` line is run, and its output compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consent.home import Home

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorials" / "citizen.md"


def steps() -> list[tuple[str, str, int]]:
    """Each command with its expected output and exit code."""
    found = []
    for block in re.findall(
        r"^```console\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            code = re.search(r"^\[exit code (\d)\]\n", expected, re.MULTILINE)
            found.append(
                (command, expected.replace(code[0], "") if code else expected, int(code[1]) if code else 0)
            )
    return found


def pattern(expected: str) -> str:
    """A line that is `…` alone stands for any lines; within a line, for anything."""
    parts = [
        ".*" if part == "…\n" else re.escape(part).replace("…", "[^\n]*")
        for part in expected.splitlines(keepends=True)
    ]
    return "".join(parts)


def test_every_command_of_the_tutorial_does_what_it_says(home: Home, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LUVALLA_HOME": str(home.path),
        "LC_ALL": "en_GB.UTF-8",
        "PYTHONUTF8": "1",
    }
    folder = tmp_path / "here"
    folder.mkdir()
    server, address = None, ""
    assert len(steps()) >= 9
    try:
        for command, expected, code in steps():
            if command.endswith(" &"):
                words = command.removesuffix(" &").replace("--port 8700", "--port 0").split()
                server = subprocess.Popen(
                    words, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True
                )
                said = ""
                while not (told := re.search(r"is at (\S+); stop", said)):
                    line = server.stderr.readline()
                    assert line, said
                    said += line
                address = told[1]
                continue
            typed = command.replace("http://127.0.0.1:8700", address)
            shell = ["bash", "-c", typed]
            done = subprocess.run(
                shell, env=environment, cwd=folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == code, (command, done.stderr)
            assert re.fullmatch(pattern(expected), done.stdout, re.DOTALL), (command, done.stdout)
    finally:
        if server is not None:
            server.terminate()
            server.communicate(timeout=20)
