"""`luvalla audits report` and `luvalla audits compare`. (`audits run` is governance's: it knows the models.)."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from audits import compare as comparing
from audits import html, suppression, wording
from audits import pdf as pdf_printing
from audits import published as published_page
from audits.errors import AuditsInputError, AuditsUnavailableError
from audits.report import AuditReport, read
from audits.run_options import LANGUAGES

_FACTS = click.Path(path_type=Path)


@click.command()
@click.argument("facts", type=_FACTS)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the page to this file, not to the screen."
)
@click.option("--published", is_flag=True, help="The page for the public: small counts withheld.")
@click.option(
    "--at-least",
    type=click.IntRange(min=2),
    help=f"With --published: the smallest count that is shown; {suppression.K} by default.",
)
@click.option(
    "--pdf",
    type=click.Path(path_type=Path),
    help="Print the page to this PDF, by the Chromium on this machine.",
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the page."
)
@click.option("--force", is_flag=True, help="Replace the files if they are there.")
@click.option("--dry-run", is_flag=True, help="Read and check, write nothing.")
@click.option(
    "--json", "as_json", is_flag=True, help="Say what was done as JSON (needs --out, --pdf or --dry-run)."
)
def report(
    *,
    facts: Path,
    out: Path | None,
    published: bool,
    at_least: int | None,
    pdf: Path | None,
    language: str,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Turn a report's FACTS (JSON) into the page a board reads.

    With --published the page for the public: counts under --at-least are withheld, and others from which they would follow.

    Exits with 4 where --pdf finds no browser of Chromium's family (LUVALLA_CHROMIUM names another).

    Example: `luvalla audits report facts.json --out report.html --pdf report.pdf`.
    """
    given = read(facts)
    if published and language != "en":
        raise click.UsageError(
            "the page for the public is in English so far: no --language with --published."
        )
    if at_least is not None and not published:
        raise click.UsageError("--at-least goes with --published: the board's page shows every count.")
    page = published_page.page(given, at_least or suppression.K) if published else html.page(given, language)
    if as_json and out is None and pdf is None and not dry_run:
        raise AuditsInputError(
            "--json without --out: the page itself goes to the screen",
            "add --out FILE, --pdf FILE or --dry-run",
        )
    if out is None and pdf is None and not dry_run:
        click.echo(page, nl=False)
        return
    for path in (out, pdf):
        if path is not None:
            _check_outside_home(path)
        if path is not None and path.exists() and not force:
            raise AuditsInputError(f"{path.name} is already there", "choose another name, or add --force")
    if out is not None and out == pdf:
        raise AuditsInputError(f"{out.name} is asked for as page and as PDF", "give each a name of its own")
    printed = (
        None if pdf is None else pdf_printing.from_page(page, pdf_printing.browser()) if not dry_run else b""
    )
    if out is not None and not dry_run:
        write(out, page.encode())
    if pdf is not None and printed and not dry_run:
        write(pdf, printed)
    written = str(out) if out is not None and not dry_run else None
    as_pdf = str(pdf) if pdf is not None and not dry_run else None
    said = {"digest": given.digest, "page": written, "pdf": as_pdf, **verdict(given)}
    if as_json:
        click.echo(json.dumps(said, sort_keys=True))
    else:
        click.echo(f"{words(given)}  {given.digest}")
        for name, path_written in (("page", written), ("pdf", as_pdf)):
            if path_written:
                click.echo(f"{name}: {path_written}", err=True)
        if dry_run:
            click.echo("nothing written (--dry-run)", err=True)


@click.command()
@click.argument("before", type=_FACTS)
@click.argument("now", type=_FACTS)
@click.option("--all", "everything", is_flag=True, help="Also the lines whose outcome is the same.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compare(*, before: Path, now: Path, everything: bool, as_json: bool) -> None:
    """Say what changed from the report BEFORE to the report NOW.

    Example: `luvalla audits compare before.json now.json`.
    """
    result = comparing.compare(read(before), read(now))
    if as_json:
        click.echo(json.dumps(asdict(result), sort_keys=True))
        return
    click.echo(f"verdict: {result.verdict_before} -> {result.verdict_now}")
    shown = [c for c in result.changes if everything or c.differs]
    width = max((len(c.code) for c in shown), default=0)
    for c in shown:
        was, is_now = (
            "not there"
            if outcome is None
            else outcome.value + (f" (leaning {leaning.value})" if leaning else "")
            for outcome, leaning in ((c.outcome_before, c.leaning_before), (c.outcome_now, c.leaning_now))
        )
        click.echo(f"{c.code:<{width}}  {c.estimate_before:>9} -> {c.estimate_now:>9}  {was} -> {is_now}")
    if not shown:
        click.echo("no line changed its outcome")
    for caution in result.cautions:
        click.echo(f"with care: {caution}", err=True)


def verdict(given: AuditReport) -> dict[str, str | None]:
    """Gives the verdict for a JSON document.

    Args:
        given: The facts.

    Returns:
        ``outcome`` and ``leaning``.
    """
    leaning = given.verdict.leaning
    return {"outcome": given.verdict.outcome.value, "leaning": None if leaning is None else leaning.value}


def words(given: AuditReport) -> str:
    """Says the verdict.

    Args:
        given: The facts.

    Returns:
        ``not enough evidence, leaning for``.
    """
    parts = [v.replace("_", " ") for v in verdict(given).values() if v]
    return ", leaning ".join(parts) if len(parts) > 1 else parts[0] if parts else wording.NOTHING


def _check_outside_home(path: Path) -> None:
    # This room does not know the ledger's: whoever holds a luvalla.toml is a home.
    for folder in (*Path(os.path.abspath(path)).parents, *path.resolve().parents):  # noqa: PTH100 - pathlib's keeps dots
        if (folder / "luvalla.toml").is_file():
            raise AuditsInputError(
                f"{path} lies in the home {folder}: a page does not lie among the ledger's own files",
                "name a file outside the home; nothing was done",
            )


def write(path: Path, data: bytes) -> None:
    """Writes the whole file or nothing: beside the target, then renamed over it.

    Args:
        path: The target; replaced if it is there.
        data: Its bytes.

    Raises:
        AuditsUnavailableError: It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".luvalla-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise AuditsUnavailableError(
            f"cannot write {path}: {error.strerror}", "check that the folder is there and writable"
        ) from error
