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
from audits import published as published_page
from audits.errors import AuditsInputError, AuditsUnavailableError
from audits.report import AuditReport, read

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
    default=suppression.K,
    show_default=True,
    help="With --published: the smallest count that is shown.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--dry-run", is_flag=True, help="Read and check, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as JSON (needs --out or --dry-run).")
def report(
    *,
    facts: Path,
    out: Path | None,
    published: bool,
    at_least: int,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Turn a report's FACTS (JSON) into the page a board reads.

    With --published the page for the public: counts under --at-least are withheld, and others from which they would follow.

    Example: `luvalla audits report facts.json --out report.html`.
    """
    given = read(facts)
    page = published_page.page(given, at_least) if published else html.page(given)
    if as_json and out is None and not dry_run:
        raise AuditsInputError(
            "--json without --out: the page itself goes to the screen", "add --out FILE, or --dry-run"
        )
    if out is None and not dry_run:
        click.echo(page, nl=False)
        return
    if out is not None:
        _check_outside_home(out)
    if out is not None and out.exists() and not force:
        raise AuditsInputError(f"{out.name} is already there", "choose another name, or add --force")
    if out is not None and not dry_run:
        write(out, page.encode())
    written = str(out) if out is not None and not dry_run else None
    said = {"digest": given.digest, "page": written, **verdict(given)}
    if as_json:
        click.echo(json.dumps(said, sort_keys=True))
    else:
        click.echo(f"{words(given)}  {given.digest}")
        click.echo(f"page: {written}" if written else "nothing written (--dry-run)", err=True)


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
