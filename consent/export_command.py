"""`luvalla consent export`: a copy of what is held about one person, recorded as the exercise of a right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from consent import export_page, export_words, exporting, receipt_files
from consent.at_home import current_home, open_ledger
from consent.canonical import digest, encode
from consent.copy_options import out_option, page_option, without_receipts_option
from consent.exporting import ExportRequest
from consent.new_file import check_new
from consent.options import answer_language_option, dry_run_option, json_option, person_option, respond
from consent.vocabulary import Right

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@person_option
@click.option(
    "--portability",
    is_flag=True,
    help="What the person provided (GDPR 20), not everything that is held about them (GDPR 15).",
)
@without_receipts_option
@out_option
@page_option
@click.option(
    "--request-id",
    help="A name of this request, no personal data: a retry records nothing twice and gives the same content.",
)
@answer_language_option
@dry_run_option
@json_option
def export(
    *,
    person: str,
    portability: bool,
    without_receipts: bool,
    out: Path | None,
    page: Path | None,
    request_id: str | None,
    language: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write what is held about one person as JSON (docs/schemas/export.schema.json), and record that it was given.

    The log's entry holds the digest of what was given, readable with the person's key alone. Whoever is not on record gets
    nothing and leaves no trace (exit code 2).

    Example: `luvalla consent export --person - --out copy.json --page copy.html --language fi`.
    """
    check_new(out, page)
    right = Right.PORTABILITY if portability else Right.ACCESS
    asked = ExportRequest(person, right, language, not without_receipts, request_id)
    with open_ledger(read_only=dry_run) as ledger:
        if dry_run:
            content = exporting.foresee(ledger.log, asked)
            told = {**_counts(content), "digest": digest(encode(content)), "file": None, "index": None}
            respond(told, [f"{key}: {value}" for key, value in _counts(content).items()], as_json=as_json)
            return
        made = exporting.make(ledger, asked)
    home = current_home()
    path = out or home.receipts / f"export-{right.value}-{made.digest.removeprefix('sha256:')[:12]}.json"
    if out is None:
        home.receipts.mkdir(mode=0o700, exist_ok=True)
    receipt_files.save(made.document, path)
    if page is not None:
        receipt_files.save_text(export_page.page(made.document), page)
    told = {
        **_counts(made.document["content"]),
        "digest": made.digest,
        "file": str(path),
        "index": made.index,
        "page": None if page is None else str(page),
        "replayed": made.replayed,
        "unchanged": made.unchanged,
    }
    lines = [export_words.made(right.value, made.index, str(path), language)]
    respond(told, lines + ([] if made.unchanged else [export_words.changed(language)]), as_json=as_json)


def _counts(content: dict[str, Any]) -> dict[str, Any]:
    lists = {key: len(value) for key, value in content.items() if isinstance(value, list)}
    return {"right": content["right"], **lists}
