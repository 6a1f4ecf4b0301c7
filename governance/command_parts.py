"""What the commands of this room share: the house they open, options, and how a result is shown."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from governance.house import House

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
population_option = click.option(
    "--population",
    "file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV or Parquet file, one person a row.",
)


def open_house(ctx: click.Context) -> House:
    """The home that the command line was given, opened whole."""
    from governance.house import House  # noqa: PLC0415 - keeps --help quick

    return House.open(ctx.obj["home"])


def say(text: str) -> None:
    """Talk, on stderr."""
    click.echo(text, err=True)


def show(document: dict[str, Any], lines: Callable[[], list[str]], *, as_json: bool) -> None:
    """The result: as JSON, or as lines."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for line in lines():
            click.echo(line)


@contextlib.contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what takes time; nothing where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(text + " ...")


def left_out_lines(counts: Any) -> list[str]:
    """Who was left out and why, a line a reason."""
    return [f"  left out: {n:,} {reason.replace('-', ' ')}" for reason, n in counts.items() if n]


def tell_rejected(people: Any) -> None:
    """Rows that broke the data contract, by row number and reason, never by value."""
    for row in people.rejected[:10]:
        say(f"row {row.row}, column {row.column}: {row.reason}")
    if len(people.rejected) > 10:  # noqa: PLR2004 - a screenful
        say(f"and {len(people.rejected) - 10} more rejected rows")
