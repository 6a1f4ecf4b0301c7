"""Options that several commands share, and how every command answers: click and the standard library only."""

from __future__ import annotations

import json
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consent import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import TypeVar

    Command = TypeVar("Command", bound=Callable[..., Any])


class PersonId(click.ParamType[str]):
    """A person's id; ``-`` reads it from standard input, so that it stands neither in shell history nor in ``ps``."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the id; never repeat it in a message."""
        person = sys.stdin.readline().rstrip("\r\n") if value == "-" else value
        if not person.strip():
            self.fail("no id: standard input was empty" if value == "-" else "the id is empty", param, ctx)
        return person


person_option = click.option(
    "--person",
    type=PersonId(),
    required=True,
    help="The person's id (for a city: the national identity code). '-' reads it from standard input, "
    "so that it stands neither in the shell's history nor in the list of processes.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


full_option = click.option(
    "--full", is_flag=True, help="With everything that counted, not only what counted most."
)

request_id_option = click.option(
    "--request-id", help="A name of this request, no personal data: a retry records nothing twice."
)

trust_root_option = click.option(
    "--trust-root",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The city's trust-root.json; by default the home's.",
)

host_option = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")


def port_option(default: int) -> Callable[[Command], Command]:
    """``--port``, of a server that has a usual one."""
    return click.option(
        "--port", default=default, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
    )


def language_option(help_text: str, default: str | None = None) -> Callable[[Command], Command]:
    """``--language fi|sv|en``.

    Args:
        help_text: What the language is of: a notice shown, or the answer.
        default: A fixed default; else LUVALLA_LANGUAGE, else the environment's language.

    Returns:
        The decorator.
    """
    return click.option(
        "--language",
        type=click.Choice(words.LANGUAGES),
        envvar="LUVALLA_LANGUAGE" if default is None else None,
        default=default or words.language_of_environment,
        show_default=True if default else "from the environment",
        help=help_text,
    )


answer_language_option = language_option("The language of the answer.")


def as_of_options(command: Command) -> Command:
    """``--as-of-index`` and ``--at``: what the ledger knew, and when it must hold; read ``at`` with `instant`."""
    for option in (
        click.option(
            "--at",
            type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
            help="The instant asked about, UTC: only what was recorded by then counts. Now by default.",
        ),
        click.option(
            "--as-of-index",
            type=click.IntRange(min=0),
            help="Only what the ledger knew at this size: entries with a smaller index.",
        ),
    ):
        command = option(command)
    return command


def instant(at: datetime | None) -> datetime | None:
    """The instant that ``--at`` named, aware."""
    return None if at is None else at.replace(tzinfo=UTC)


def respond(answer: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the result on standard output, for a machine or for a person.

    Args:
        answer: JSON values.
        lines: The same for people; not asked for when JSON is wanted.
        as_json: Which of the two.
    """
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for line in lines:
        click.echo(line)
