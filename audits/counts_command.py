"""`luvalla audits run --counts FILE`: from a table of counts to facts and page, without a register, a ledger or a home."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from audits import commands, count_table, from_counts, html, lines_file, wording
from audits.errors import AuditsInputError
from audits.finding import Outcome, Role

if TYPE_CHECKING:
    from pathlib import Path

    from audits.report import AuditReport


@dataclass(frozen=True)
class Output:
    """What a command writes of a report, and how it says it.

    Args:
        out: Where the facts go; None: nowhere.
        page: Where the page goes; None: nowhere.
        force: Replace files that are there.
        dry_run: Write nothing.
        as_json: Say what was found as JSON.
        language: Of the page: ``en``, ``fi`` or ``sv``.
    """

    out: Path | None = None
    page: Path | None = None
    force: bool = False
    dry_run: bool = False
    as_json: bool = False
    language: str = "en"


@dataclass(frozen=True)
class Wanted:
    """What was asked on the command line, beside what to write.

    Args:
        counts: Table of counts.
        lines: File of lines; None: luvalla's starting point for an offer of help.
        rounded_to: Plain counts were rounded to a multiple of this; None: as the file says.
    """

    counts: Path
    lines: Path | None
    rounded_to: int | None


def run(wanted: Wanted, output: Output) -> int:
    """Audits a table of counts and says what was found.

    Args:
        wanted: What was asked.
        output: What to write and how to say it.

    Returns:
        Exit code: 0 if the verdict is passed, else 1.

    Raises:
        AuditsInputError: The table or the lines cannot be read; a file is already there.
        AuditsUnavailableError: A file cannot be written.
    """
    lines = None if wanted.lines is None else lines_file.read(wanted.lines)
    table = count_table.read(wanted.counts, wanted.rounded_to)
    refuse(output)
    found = from_counts.audit_counts(table, lines=lines)
    deliver(found, output, drawn=lines is not None)
    return 0 if found.verdict.outcome is Outcome.PASSED else 1


def refuse(output: Output) -> None:
    """Refuses files that cannot be written as asked, before anything is computed.

    Args:
        output: What to write.

    Raises:
        AuditsInputError: A file is there already, or one is asked for as two.
    """
    for path in (output.out, output.page):
        if path is not None and path.exists() and not output.force:
            raise AuditsInputError(f"{path.name} is already there", "choose another name, or add --force")
    if output.out is not None and output.out == output.page:
        raise AuditsInputError(
            f"{output.out.name} is asked for as facts and as page", "give each a name of its own"
        )


def deliver(found: AuditReport, output: Output, *, drawn: bool) -> None:
    """Writes facts and page, and says what was found.

    Args:
        found: The report.
        output: What to write and how to say it.
        drawn: Whether lines were given.

    Raises:
        AuditsUnavailableError: A file cannot be written.
    """
    if not output.dry_run:
        if output.out is not None:
            commands.write(output.out, found.to_json())
        if output.page is not None:
            commands.write(output.page, html.page(found, output.language).encode())
    _say(found, output, drawn=drawn)


def _say(found: AuditReport, wanted: Output, *, drawn: bool) -> None:
    facts, page = (None if p is None or wanted.dry_run else str(p) for p in (wanted.out, wanted.page))
    count = [f for f in found.findings if f.role is not Role.DESCRIBED]
    if wanted.as_json:
        document = {
            "digest": found.digest,
            **commands.verdict(found),
            "facts": facts,
            "page": page,
            "findings": [
                {
                    "code": f.code,
                    "outcome": f.outcome.value,
                    "leaning": f.leaning and f.leaning.value,
                    "message": f.message,
                }
                for f in count
            ],
        }
        click.echo(json.dumps(document, sort_keys=True))
        return
    click.echo(f"{commands.words(found)}  {found.digest}")
    for f in count:
        if f.outcome is not Outcome.PASSED:
            click.echo(f"  {f.outcome.value.replace('_', ' ')}: {wording.plain(f)}")
    for unknown in found.unknowns:
        click.echo(f"not known: {unknown}", err=True)
    if not drawn:
        click.echo(
            "no --lines: judged by luvalla's starting point for an offer of help, not by a board's choice",
            err=True,
        )
    for name, path in (("facts", facts), ("page", page)):
        if path:
            click.echo(f"{name}: {path}", err=True)
    if wanted.dry_run:
        click.echo("nothing written (--dry-run)", err=True)
