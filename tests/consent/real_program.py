"""The real program of a citizen, in a process of its own, and the file with its token."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consent.home import Home

PROGRAM = Path(sys.executable).parent / "luvalla"


def real(
    home: Home, *arguments: str, cwd: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", **environment}
    return subprocess.run(
        [PROGRAM, "--home", home.path, *arguments],
        cwd=cwd,
        input=stdin,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def save_token(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path
