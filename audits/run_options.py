"""The options of `luvalla audits run` where no service is named: from a table of counts, or from a file of predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

LANGUAGES = ("en", "fi", "sv")
"""Languages of the page."""
_BOTH = ("lines", "out", "page", "force", "language")
_PREDICTIONS = (
    "outcome", "prediction", "score", "threshold", "capacity", "sensitive", "cluster", "baseline", "other_need", "title", "unknown",
)  # fmt: skip
_COUNTS = ("rounded_to",)


def evidence_options(written: click.ParamType[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes the decorator that adds the options.

    Args:
        written: Type of a path that is written to.

    Returns:
        The decorator; all options arrive in the command's ``**evidence``.
    """
    path = click.Path(path_type=Path, dir_okay=False)

    def predictions(
        name: str, says: str, **more: Any
    ) -> Callable[[Callable[..., None]], Callable[..., None]]:
        return click.option(name, help=f"From predictions: {says}", **more)

    options = (
        click.option("--counts", type=path, help="Audit this table of counts per group, in place of a version."),
        click.option("--predictions", type=path, help="Audit this file of predictions (CSV or Parquet), in place of a version."),
        predictions("--outcome", "column of the outcome, 0 or 1.", metavar="COLUMN"),
        predictions("--prediction", "column of who was selected, 0 or 1.", metavar="COLUMN"),
        predictions("--score", "column of the score.", metavar="COLUMN"),
        predictions("--threshold", "scores of at least this are selected.", type=float),
        predictions("--capacity", "share of people that can be selected, by score.", type=float),
        predictions("--sensitive", "column of a sensitive feature; may be repeated.", metavar="COLUMN", multiple=True),
        predictions("--cluster", "column of families, or of whatever makes rows depend on each other.", metavar="COLUMN"),
        predictions("--baseline", "column of whom the first version selected, 0 or 1.", metavar="COLUMN"),
        predictions("--other-need", "column of another measure of need, 0 or 1; may be repeated.", metavar="COLUMN", multiple=True),
        predictions("--title", "what is audited, in plain words.", default=""),
        predictions("--unknown", "what the file cannot tell; shown in the report; may be repeated.", metavar="TEXT", multiple=True),
        click.option("--lines", type=path, help="From counts or predictions: TOML file of lines; without it, a starting point for an offer of help."),
        click.option("--rounded-to", type=click.IntRange(min=1), help="From counts: plain numbers were rounded to a multiple of this."),
        click.option("--out", type=written, help="From counts or predictions: write the report's facts (JSON) to this file."),
        click.option("--page", "--html", "page", type=written, help="From counts or predictions: write the page that a board reads to this file."),
        click.option("--language", type=click.Choice(LANGUAGES), default="en", help="From counts or predictions: language of the page."),
        click.option("--force", is_flag=True, help="From counts or predictions: replace files that are there."),
    )  # fmt: skip

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def answered(evidence: dict[str, Any], *, alone: bool, dry_run: bool, as_json: bool) -> int | None:
    """Audits counts or predictions, where one of them was given.

    Args:
        evidence: Values of the options.
        alone: No service, version, population or auditor was named.
        dry_run: Write nothing.
        as_json: Say what was found as JSON.

    Returns:
        Exit code; None if neither was given, so that a version of a service is to be audited.

    Raises:
        click.UsageError: Options that do not go together.
    """
    counts, predictions = evidence["counts"], evidence["predictions"]
    if counts is None and predictions is None:
        given = [
            n for n in (*_BOTH, *_PREDICTIONS, *_COUNTS) if evidence[n] not in (None, False, (), "", "en")
        ]
        if given:
            one = {
                **dict.fromkeys(_PREDICTIONS, "--predictions FILE"),
                **dict.fromkeys(_COUNTS, "--counts FILE"),
            }
            goes_with = one.get(given[0], "--counts FILE or --predictions FILE")
            raise click.UsageError(f"{_flag(given[0])} goes with {goes_with}.")
        return None
    if not alone or (counts is not None and predictions is not None):
        raise click.UsageError(
            "--counts and --predictions stand alone: no SERVICE, VERSION, --population or --by with them, and one of the two."
        )
    foreign = _PREDICTIONS if counts is not None else _COUNTS
    if wrong := [n for n in foreign if evidence[n] not in (None, (), "")]:
        raise click.UsageError(
            f"{_flag(wrong[0])} does not go with --{'counts' if counts else 'predictions'} FILE, but with --{'predictions' if counts else 'counts'} FILE."
        )
    from audits import counts_command  # noqa: PLC0415  numpy, pandas and scipy, which help and version need not wait for

    output = counts_command.Output(
        evidence["out"], evidence["page"], evidence["force"], dry_run, as_json, evidence["language"]
    )
    if counts is not None:
        return counts_command.run(
            counts_command.Wanted(counts, evidence["lines"], evidence["rounded_to"]), output
        )
    if not evidence["outcome"] or not evidence["sensitive"]:
        raise click.UsageError("--predictions needs --outcome COLUMN and at least one --sensitive COLUMN.")
    from audits import prediction_file, predictions_command  # noqa: PLC0415  the same

    columns = prediction_file.Columns(
        outcome=evidence["outcome"],
        sensitive=evidence["sensitive"],
        prediction=evidence["prediction"],
        score=evidence["score"],
        cluster=evidence["cluster"],
        baseline=evidence["baseline"],
        other_needs=evidence["other_need"],
    )
    wanted = predictions_command.Wanted(
        predictions, columns, evidence["threshold"], evidence["capacity"], evidence["title"], evidence["unknown"], evidence["lines"]
    )  # fmt: skip
    return predictions_command.run(wanted, output)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
