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
class Wanted:
    """What was asked on the command line.

    Args:
        counts: Table of counts.
        lines: File of lines; None: luvalla's starting point for an offer of help.
        rounded_to: Plain counts were rounded to a multiple of this; None: as the file says.
        out: Where the facts go; None: nowhere.
        page: Where the page goes; None: nowhere.
        force: Replace files that are there.
        dry_run: Write nothing.
        as_json: Say what was found as JSON.
    """

    counts: Path
    lines: Path | None
    rounded_to: int | None
    out: Path | None
    page: Path | None
    force: bool
    dry_run: bool
    as_json: bool


def run(wanted: Wanted) -> int:
    """Audits a table of counts and says what was found.

    Args:
        wanted: What was asked.

    Returns:
        Exit code: 0 if the verdict is passed, else 1.

    Raises:
        AuditsInputError: The table or the lines cannot be read; a file is already there.
        AuditsUnavailableError: A file cannot be written.
    """
    lines = None if wanted.lines is None else lines_file.read(wanted.lines)
    table = count_table.read(wanted.counts, wanted.rounded_to)
    for path in (wanted.out, wanted.page):
        if path is not None and path.exists() and not wanted.force:
            raise AuditsInputError(f"{path.name} is already there", "choose another name, or add --force")
    if wanted.out is not None and wanted.out == wanted.page:
        raise AuditsInputError(
            f"{wanted.out.name} is asked for as facts and as page", "give each a name of its own"
        )
    found = from_counts.audit_counts(table, lines=lines)
    if not wanted.dry_run:
        if wanted.out is not None:
            commands.write(wanted.out, found.to_json())
        if wanted.page is not None:
            commands.write(wanted.page, html.page(found).encode())
    _say(found, wanted, drawn=lines is not None)
    return 0 if found.verdict.outcome is Outcome.PASSED else 1


def _say(found: AuditReport, wanted: Wanted, *, drawn: bool) -> None:
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
