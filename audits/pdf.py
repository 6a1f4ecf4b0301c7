"""From the page to PDF, by the Chromium that is on the machine: the same page, printed. Why so: docs/decisions/pdf.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audits.errors import AuditsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = (
    "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge-stable", "microsoft-edge",
    "brave-browser", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip
"""What browsers of Chromium's family are called, in the order in which they are looked for."""
VARIABLE: Final = "LUVALLA_CHROMIUM"
SECONDS: Final = 120
_HINT = f"install Chromium, name a browser of its family in {VARIABLE}, or print the page from any browser: on paper all of it is open"


def browser(environment: Mapping[str, str] | None = None) -> str:
    """Finds the browser.

    Args:
        environment: Variables; None: the process's own.

    Returns:
        Its path.

    Raises:
        AuditsUnavailableError: There is none, or the one that `VARIABLE` names is no program.
    """
    variables = os.environ if environment is None else environment
    if named := variables.get(VARIABLE):
        if found := shutil.which(named, path=variables.get("PATH")):
            return found
        raise AuditsUnavailableError(f"{VARIABLE} names {named!r}, which is no program here", _HINT)
    for name in NAMES:
        if found := shutil.which(name, path=variables.get("PATH")):
            return found
    raise AuditsUnavailableError(
        "no browser of Chromium's family is on this machine, and a PDF is printed by one", _HINT
    )


def from_page(page: str, program: str) -> bytes:
    """Prints a page. It asks for nothing, so nothing is fetched; the browser gets no network and a profile that is thrown away.

    Args:
        page: HTML, self-contained.
        program: The browser.

    Returns:
        The PDF: tagged, with an outline. Its bytes hold the time at which it was made: what binds is the digest on it.

    Raises:
        AuditsUnavailableError: The browser did not print it.
    """
    with tempfile.TemporaryDirectory(prefix="luvalla-pdf-") as folder:
        source, target = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        command = [
            program, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile", "--no-pdf-header-footer",
            "--generate-pdf-document-outline", "--export-tagged-pdf", f"--print-to-pdf={target}",
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses to run as root with it; the page runs no script
        try:
            done = subprocess.run(  # noqa: S603  the user's own browser, on our own page
                [*command, source.as_uri()], capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AuditsUnavailableError(
                f"{Path(program).name} did not print the page: {type(error).__name__}", _HINT
            ) from error
        if done.returncode or not target.is_file():
            raise AuditsUnavailableError(
                f"{Path(program).name} printed nothing (it ended with {done.returncode})", _HINT
            )
        return target.read_bytes()
