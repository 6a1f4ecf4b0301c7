"""`luvalla my receipt`: a receipt of my answer or of a use, fetched through the citizens' API."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from consent import answers, receipt_files, receipt_page
from consent.copy_options import receipt_format_option
from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.my_commands import api_options, ask, read_token
from consent.options import answer_language_option, json_option, respond


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--purpose", help="My newest answer to this purpose.")
@click.option("--run", help="What this run did with my data, also if nothing.")
@receipt_format_option
@api_options
@answer_language_option
@json_option
def receipt(
    *,
    file: Path,
    purpose: str | None,
    run: str | None,
    form: str,
    api: str,
    token_file: Path,
    language: str,
    as_json: bool,
) -> None:
    """Write a receipt into FILE, which must not exist; readable by me alone.

    `luvalla verify` checks it with no network. It is mine, and holds in the clear what it proves.

    Example: `luvalla my receipt mine.html --purpose health-benefit.offer --format html`.
    """
    if (purpose is None) == (run is None):
        raise click.UsageError("Name one of --purpose and --run.")
    if file.exists():
        raise ConsentInputError(
            f"there is already a file {file}", "Name a new file: a receipt replaces nothing."
        )
    if purpose is not None:
        path = f"/v1/me/receipts/consents/{quote(purpose, safe='')}"
    else:
        path = f"/v1/me/receipts/uses/{answers.run_text(answers.parse_run(run or ''))}"
    found = ask(api, path, read_token(token_file), language)
    try:
        written = receipt_page.written(found, form, language)
        answer = {"file": str(file), "type": found["type"], "summary": found["summary"]}
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ConsentUnavailableError(
            "the answer is not a receipt of this version", "Use the luvalla of the city's version."
        ) from error
    receipt_files.save_text(written, file)
    respond(answer, [str(file)], as_json=as_json)
