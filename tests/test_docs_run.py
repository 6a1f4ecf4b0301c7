"""README and the data scientist's tutorial are run: every command, what it prints and its exit code."""

from __future__ import annotations

import datetime as dt
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs" / "tutorials" / "data-scientist.md"


class Step(NamedTuple):
    """One command, what it should print (None: whatever), and its exit code."""

    command: str
    expected: str | None
    code: int


class Told(NamedTuple):
    """What a command did."""

    out: str
    err: str
    code: int


def console_steps(page: Path) -> list[Step]:
    """The `$ ` commands of the console blocks, with their here-documents, output and exit code."""
    found = []
    for block in re.findall(
        r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, rest = part.partition("\n")
            if "<<'EOF'" in command:
                document, _, rest = rest.partition("EOF\n")
                command = f"{command}\n{document}EOF"
            code = re.search(r"^\[exit code (\d+)\]\n", rest, re.MULTILINE)
            found.append(
                Step(command, rest.replace(code[0], "") if code else rest, int(code[1]) if code else 0)
            )
    return found


def readme_steps() -> list[Step]:
    """The lines of README's `sh` blocks from `cd .luvalla/demo` on; a comment may name the exit code."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    lines = "".join(blocks).splitlines()
    found = []
    for line in lines[lines.index("cd .luvalla/demo") :]:
        code = re.search(r"# exit code (\d+)", line)
        found.append(Step(line, None, int(code[1]) if code else 0))
    return found


def play(steps: list[Step], folder: Path) -> list[Told]:
    """Run all commands in one shell, as a reader would; servers started with `&` end with it.

    `RUN` stands for a run id that an earlier command printed, and port 8700 for a free one.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = folder / "told"
    told.mkdir()
    script = ["trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for n, step in enumerate(steps):
        command = re.sub(r"\bRUN\b(?!=)", '"$RUN"', step.command.replace("8700", port))
        script += [f"{{ {command}\n}} >{told}/{n}.out 2>{told}/{n}.err", f"echo $? >{told}/{n}.code"]
        if step.command.split("#")[0].rstrip().endswith("&"):
            script.append(f"for _ in $(seq 600); do grep -q 'is at' {told}/{n}.err && break; sleep 0.1; done")
        script.append(
            f"found=$(grep -oE 'Run: [A-Za-z0-9_-]{{22}}' {told}/{n}.out | head -1 | cut -c6-); RUN=${{found:-$RUN}}"
        )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LUVALLA")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
    }
    place = folder / "here"
    place.mkdir(exist_ok=True)
    subprocess.run(["bash", "-c", "\n".join(script)], cwd=place, env=environment, check=False, timeout=1500)
    answers = []
    for n, step in enumerate(steps):
        assert (told / f"{n}.code").exists(), f"the shell did not come to: {step.command}"
        out, err, code = (
            (told / f"{n}.{kind}").read_text(encoding="utf-8") for kind in ("out", "err", "code")
        )
        answers.append(Told(out, err, int(code)))
    return answers


def shape(expected: str) -> str:
    """A line that is `…` alone stands for any lines; within a line, for anything but a line's end."""
    parts = [
        "(?:.*\n)?" if part == "…\n" else re.escape(part).replace("…", "[^\n]*")
        for part in expected.splitlines(keepends=True)
    ]
    return "".join(parts)


def in_our_time(step: Step) -> Step:
    """The tutorial's dates, moved to the same distance from today: a yes holds for twelve months at most."""
    today = dt.datetime.now(dt.UTC).date()
    moved = {"2027-06-01": today + dt.timedelta(days=180), "2027-11-01": today + dt.timedelta(days=330)}
    command, expected = step.command, step.expected or ""
    for written, day in moved.items():
        command, expected = command.replace(written, str(day)), expected.replace(written, str(day))
    return Step(command, expected, step.code)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_data_scientist_s_tutorial_does_what_it_says(tmp_path: Path) -> None:
    steps = [in_our_time(step) for step in console_steps(TUTORIAL)]
    assert len(steps) >= 20
    for step, told in zip(steps, play(steps, tmp_path), strict=True):
        assert told.code == step.code, (step.command, told.out[-2000:], told.err[-2000:])
        said = told.out if told.out or not step.code else told.err
        assert re.fullmatch(shape(step.expected or ""), said, re.DOTALL), (step.command, told.out, told.err)
    assert "mlruns" not in {path.name for path in (tmp_path / "here").iterdir()}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_readme_s_example_is_a_real_run_and_its_commands_work_in_what_it_leaves(tmp_path: Path) -> None:
    steps = [Step("luvalla demo", None, 0), *readme_steps()]
    assert len(steps) >= 17
    demo, *others = play(steps, tmp_path)
    assert demo.code == 0, demo.err
    for step, told in zip(steps[1:], others, strict=True):
        assert told.code == step.code, (step.command, told.out[-2000:], told.err[-2000:])
    example = console_steps(ROOT / "README.md")[0].expected or ""
    # Positions in the ledger move with every entry that a version of luvalla adds or saves.
    loose = re.sub(r"(entry|number) [\d,]+", r"\1 …", example)
    assert re.fullmatch(shape(loose), demo.out, re.DOTALL), (
        "README's example is not what `luvalla demo` prints: take the lines from\n" + demo.out
    )
