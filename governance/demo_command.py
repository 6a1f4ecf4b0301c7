"""`luvalla demo`: the story in the terminal, or as JSON."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from governance.command_parts import progress
from governance.errors import GovernanceInputError, GovernanceUnavailableError

if TYPE_CHECKING:
    from governance.demo_stage import Scene

_MARK = "made-by-luvalla-demo"
SEED = 2026


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Play in this folder (new or empty) instead of demo/ under LUVALLA_HOME's folder.",
)
@click.option(
    "--seed", default=SEED, show_default=True, help="Decides everything drawn, except keys and salts."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: every scene's facts.")
@click.pass_context
def demo(ctx: click.Context, keep: Path | None, seed: int, *, as_json: bool) -> None:
    """Play the whole promise on real rows: consent, training, audit, gate, board, run, a citizen, two attacks.

    Works in .luvalla/demo, emptied at its start and left at its end. No step's outcome is scripted.
    """
    folder = (keep or ctx.obj["home"] / "demo").absolute()
    _clear(folder, emptied=keep is None)
    started = time.monotonic()
    scenes: list[Scene] = []
    with progress(quiet=as_json) as busy:
        # Read when numpy and scikit-learn load: on a few thousand rows their threads mostly wait for each other, and half a
        # minute becomes three quarters (benchmarks/demo_time.py, two cores). Whoever sets a number keeps it.
        if not os.environ.get("OMP_NUM_THREADS"):
            os.environ["OMP_NUM_THREADS"] = "1"
        # The rooms take seconds to import: say so first.
        busy("opening the rooms (MLflow, scikit-learn, fairlearn, shap)")
        from governance import demo_play, demo_story  # noqa: PLC0415 - see above

        def tell(scene: Scene) -> None:
            scenes.append(scene)
            if not as_json:
                _print(demo_story.lines(scene))

        demo_play.play(folder, seed=seed, tell=tell, busy=busy)
    if as_json:
        told = [{"scene": s.name, "facts": s.facts, "played": s.played} for s in scenes]
        click.echo(
            json.dumps({"folder": str(folder), "seed": seed, "scenes": told}, ensure_ascii=False, indent=1)
        )
    else:
        click.echo(f"\n{time.monotonic() - started:.0f} seconds.", err=True)


def _print(lines: list[str]) -> None:
    for line in lines:
        if line.startswith("# "):
            click.echo("\n" + click.style(line.removeprefix("# "), bold=True))
        elif line.startswith("~ "):
            click.echo(click.style(line.removeprefix("~ "), dim=True))
        else:
            click.echo(line)


def _clear(folder: Path, *, emptied: bool) -> None:
    """Make the folder, empty but for the mark; refuse to empty one that the demo did not make."""
    mark = folder / _MARK
    try:
        if folder.exists() and any(folder.iterdir()):
            if not mark.is_file() or not emptied:
                message = f"{folder} is not empty" + (
                    "" if mark.is_file() else ", and the demo did not make it"
                )
                raise GovernanceInputError(message, "name another folder with --keep, or move this one away")
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text("luvalla demo empties this folder at its start\n", encoding="utf-8")
    except OSError as error:
        message = f"cannot use {folder}: {error.strerror}"
        raise GovernanceUnavailableError(message, "name another folder with --keep") from error
