"""How the whole audit of a service grows with its people, check by check: runs `audits_service.py` and draws what it prints.

    OMP_NUM_THREADS=2 .venv/bin/python benchmarks/audits_growth.py [--sizes N ...] [--recipes NAME ...] [--outputs FOLDER] [--draw]

What was printed is kept in FOLDER as RECIPE-SIZE.txt (default: docs/audits/growth), and read from there when it exists: delete a
file to measure it again. `--draw` runs nothing. The plot is docs/audits/growth.svg, or growth.svg in another FOLDER: wall time,
so nothing else should be running.
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
DOCS = BENCHMARKS.parent / "docs" / "audits"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
RECIPES = ("need", "need-boosted")
STEP = re.compile(r"^ *([0-9.]+) s  (.+)$", re.MULTILINE)
BUDGETS = ((10_000, 60.0), (1_000_000, 300.0))
LEAST_S = 0.01
"""Steps that are nowhere above this are left out of the plot."""

Points = dict[str, list[tuple[int, float]]]


def run(recipe: str, size: int, outputs: Path) -> None:
    """Run one size and keep what it printed."""
    kept = outputs / f"{recipe}-{size}.txt"
    if kept.exists():
        return
    command = [
        sys.executable,
        "-P",
        str(BENCHMARKS / "audits_service.py"),
        "--sizes",
        str(size),
        "--recipe",
        recipe,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    # 1 is a broken budget, and also how Python ends at an exception.
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(f"{recipe} at {size} failed: {done.stderr[-300:]}")
    kept.write_text(done.stdout)
    print(f"{recipe} at {size:,}:\n{done.stdout}", flush=True)


def points(recipe: str, outputs: Path) -> Points:
    """People and seconds of each step, from the outputs that there are."""
    found: Points = {}
    for kept in outputs.glob(f"{recipe}-*.txt"):
        size = kept.stem.removeprefix(f"{recipe}-")
        if not size.isdecimal():
            continue
        for seconds, step in STEP.findall(kept.read_text()):
            label = "the whole audit" if step.startswith("the whole") else step
            found.setdefault(label, []).append((int(size), float(seconds)))
    return {label: sorted(each) for label, each in sorted(found.items()) if max(s for _, s in each) > LEAST_S}


def plot(recipes: list[str], outputs: Path, drawn: Path) -> None:
    # The same figures make the same file: no date, no random ids.
    mpl.rcParams.update({"svg.hashsalt": "luvalla", "svg.fonttype": "none", "font.size": 9})
    figure, axes = plt.subplots(
        1, len(recipes), figsize=(6.5 * len(recipes), 6), layout="constrained", squeeze=False
    )
    for axis, recipe in zip(axes.flat, recipes, strict=True):
        for label, each in points(recipe, outputs).items():
            shown = [(n, max(s, LEAST_S)) for n, s in each]
            whole = label == "the whole audit"
            axis.plot(
                *zip(*shown, strict=True),
                marker="o",
                label=label,
                linewidth=3 if whole else 1,
                color="black" if whole else None,
            )
        axis.plot(*zip(*BUDGETS, strict=True), "r_", markersize=22, label="budget of the whole")
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="people",
            ylabel="seconds",
            title=f"audits_service.py --recipe {recipe}",
        )
        axis.grid(visible=True, which="major", alpha=0.4)
        axis.legend(fontsize=7)
    figure.savefig(drawn, metadata={"Date": None})
    print(f"drawn: {drawn}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--outputs", type=Path, default=DOCS / "growth")
    parser.add_argument("--draw", action="store_true", help="run nothing, draw what is there")
    asked = parser.parse_args()
    asked.outputs.mkdir(parents=True, exist_ok=True)
    if not asked.draw:
        for people in asked.sizes:
            for name in asked.recipes:
                run(name, people, asked.outputs)
    plot(
        asked.recipes,
        asked.outputs,
        DOCS / "growth.svg" if asked.outputs == DOCS / "growth" else asked.outputs / "growth.svg",
    )
