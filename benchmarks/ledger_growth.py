"""How the ledger's costs grow with its size, as a plot: runs the other benchmarks at several sizes and draws what they print.

    .venv/bin/python benchmarks/ledger_growth.py [--sizes N ...] [--only NAME ...] [--outputs FOLDER] [--draw]

What each benchmark printed is kept in FOLDER as NAME-SIZE.txt (default: docs/ledger/growth), and read from there when it
exists: delete a file to measure it again. `--draw` runs nothing and draws what is there. The plot is docs/ledger/growth.svg, or
growth.svg in another FOLDER;
processor time, since other work may use the cores. Sizes are entries for `check`, `cold` and `publish`, people for the others;
`postgresql` is `ledger_permit.py --postgresql`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

BENCHMARKS = Path(__file__).parent
DOCS = BENCHMARKS.parent / "docs" / "ledger"
SIZES = (10_000, 100_000, 1_000_000)
SECONDS = r"([0-9.]+) s processor  "
MILLISECONDS = r"([0-9.]+) ms processor  "
LINES: dict[str, tuple[tuple[str, str, float], ...]] = {
    "check": (
        ("check: entries", SECONDS + "entries and their check values", 1),
        ("check: openings, projections, people, keys", SECONDS + "openings, projections, people and keys", 1),
        ("check: runs, two use trees", SECONDS + r"runs(?=[\s\S]*a use tree)", 1),
    ),
    "cold": (("a proof by a new process", MILLISECONDS + "open, prove one entry", 0.001),),
    "permit": (
        ("permits of everybody, cold", SECONDS + "cold, from pseudonyms", 1),
        ("permits of everybody, warm", SECONDS + "warm, from pseudonyms", 1),
    ),
    "postgresql": (
        ("cold, the asking process", SECONDS + "cold, from pseudonyms", 1),
        ("cold, the server", r"cold, from pseudonyms, and ([0-9.]+) s of the server's", 1),
        ("warm, the asking process", SECONDS + "warm, from pseudonyms", 1),
    ),
    "publish": (
        ("first publication", SECONDS + "first", 1),
        ("nothing new, in full", SECONDS + "nothing new, in full", 1),
        ("1,000 more, --new-only", SECONDS + "1,000 more, --new-only", 1),
    ),
    "uses": (
        ("a run over everybody recorded", SECONDS + "a run over everybody recorded", 1),
        ("which of 1,000 runs used me", MILLISECONDS + "which of 1,000 runs used me: budget", 0.001),
        ("a proof of one person in a run", MILLISECONDS + "one person's proof in one run: budget", 0.001),
    ),
}
"""By benchmark: what a line of the plot is called, which printed line it is, and seconds of its unit."""
OF = {
    "check": "entries", "cold": "entries", "permit": "people, three events each", "postgresql": "people, three events each",
    "publish": "entries", "uses": "people",
}  # fmt: skip
COMMANDS = {"postgresql": ["ledger_permit.py", "--postgresql"]}
"""Where it is not ledger_NAME.py."""

Points = dict[str, list[tuple[int, float]]]


def main(sizes: list[int], only: list[str], outputs: Path, *, draw: bool) -> None:
    outputs.mkdir(parents=True, exist_ok=True)
    if not draw:
        for size in sizes:
            for name in only:
                run(name, size, outputs)
    # Beside the page that shows it; elsewhere beside the figures, so that a trial leaves the docs alone.
    drawn = DOCS / "growth.svg" if outputs == DOCS / "growth" else outputs / "growth.svg"
    plot({name: points(name, outputs) for name in LINES}, drawn)


def run(name: str, size: int, outputs: Path) -> None:
    """Run one benchmark and keep what it printed."""
    kept = outputs / f"{name}-{size}.txt"
    if kept.exists():
        return
    script, *options = command_of(name)
    command = [sys.executable, str(BENCHMARKS / script), *options, "--size", str(size)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    # 1 is a broken budget, and also how Python ends at an exception.
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(f"{script} at {size} failed: {done.stderr[-300:]}")
    kept.write_text(done.stdout)
    print(f"{name} at {size:,}:\n{done.stdout}", flush=True)


def command_of(name: str) -> list[str]:
    """The benchmark's file and what it is started with."""
    return COMMANDS.get(name, [f"ledger_{name}.py"])


def points(name: str, outputs: Path) -> Points:
    """Size and seconds of each line, from the outputs that there are."""
    found: Points = {}
    for kept in outputs.glob(f"{name}-*.txt"):
        size, text = int(kept.stem.split("-")[1]), kept.read_text()
        for label, pattern, unit in LINES[name]:
            for value in re.findall(pattern, text):
                found.setdefault(label, []).append((size, float(value) * unit))
    return {label: sorted(each) for label, each in found.items()}


def plot(lines: dict[str, Points], drawn: Path) -> None:
    # The same figures make the same file: no date, no random ids.
    mpl.rcParams.update({"svg.hashsalt": "luvalla", "svg.fonttype": "none", "font.size": 9})
    figure, axes = plt.subplots(3, 2, figsize=(11, 12), layout="constrained")
    for axis, (name, found) in zip(axes.flat, lines.items(), strict=True):
        for label, each in found.items():
            axis.plot(*zip(*each, strict=True), marker="o", label=label)
        axis.set(xscale="log", yscale="log", xlabel=OF[name], ylabel="seconds of processor time")
        if name == "cold":
            axis.set_ylim(0.001, 1)
        axis.set_title(f"benchmarks/{' '.join(command_of(name))}")
        axis.grid(visible=True, which="major", alpha=0.4)
        if found:
            axis.legend()
    figure.savefig(drawn, metadata={"Date": None})
    print(f"drawn: {drawn}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=list(LINES), default=list(LINES))
    parser.add_argument("--outputs", type=Path, default=DOCS / "growth")
    parser.add_argument("--draw", action="store_true", help="run nothing, draw what is there")
    asked = parser.parse_args()
    main(asked.sizes, asked.only, asked.outputs, draw=asked.draw)
