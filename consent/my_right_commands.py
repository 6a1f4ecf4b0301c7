"""`luvalla my rights | right | export`: rights exercised through the citizens' API, by the person."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from consent import export_page, export_words, receipt_files, right_answers, right_words
from consent.copy_options import page_option, without_receipts_option
from consent.errors import ConsentUnavailableError
from consent.my_commands import api_options, as_of_path, ask, read_token, show
from consent.new_file import check_new
from consent.options import answer_language_option, as_of_options, json_option, respond
from consent.vocabulary import Processing, Right

if TYPE_CHECKING:
    from datetime import datetime

LARGEST_EXPORT: Final = 256 * 1024 * 1024  # a receipt of a use is about 6 kB: 1,000 runs make some 10 MB
EXPORT_SECONDS: Final = 300.0
MINE: Final = (
    Right.OBJECTION,
    Right.OBJECTION_WITHDRAWN,
    Right.RESTRICTION,
    Right.RECTIFICATION,
    Right.ACCESS,
    Right.PORTABILITY,
)
"""What a person exercises alone; a restriction is lifted by the controller, who tells them first (GDPR 18(3))."""

_key_option = click.option(
    "--request-id",
    "key",
    default=lambda: secrets.token_urlsafe(16),
    show_default="a new one",
    help="A name of this request: a retry with the same one records nothing twice.",
)


@click.command()
@as_of_options
@api_options
@answer_language_option
@json_option
def rights(
    *, as_of_index: int | None, at: datetime | None, api: str, token_file: Path, language: str, as_json: bool
) -> None:
    """List the rights that I exercised, the answers, and which processing leaves me out because of them.

    Example: `luvalla my rights --language fi`.
    """
    answer = ask(api, as_of_path("/v1/me/rights", at, as_of_index), read_token(token_file), language)
    show(answer, lambda: right_answers.lines(answer, language), as_json=as_json)


@click.command()
@click.argument("right", type=click.Choice([each.value for each in MINE]))
@click.option("--purpose", multiple=True, help="A purpose concerned; repeat for several. All by default.")
@click.option(
    "--processing",
    multiple=True,
    type=click.Choice([kind.value for kind in Processing]),
    help="A kind of processing concerned. All by default.",
)
@click.option("--category", multiple=True, help="A category of data concerned. All by default.")
@click.option(
    "--entry",
    type=click.IntRange(min=0),
    help="For a rectification: my entry that is wrong, as `luvalla my consents --json` gives its index.",
)
@_key_option
@api_options
@answer_language_option
@json_option
def right(
    *,
    right: str,
    purpose: tuple[str, ...],
    processing: tuple[str, ...],
    category: tuple[str, ...],
    entry: int | None,
    key: str,
    api: str,
    token_file: Path,
    language: str,
    as_json: bool,
) -> None:
    """Exercise a right: object, withdraw an objection, ask for a restriction, a correction, access or portability.

    It counts from the next run on. Access and portability are asked for here; `luvalla my export` answers both at once.

    Example: `luvalla my right objection --processing scoring`.
    """
    if (right == Right.RECTIFICATION.value) != (entry is not None):
        raise click.UsageError(
            "A rectification names the entry that is wrong with --entry, and only it does."
        )
    said = {
        "right": right, "purposes": list(purpose), "processing": list(processing), "categories": list(category),
        "corrects": entry,
    }  # fmt: skip
    answer = ask(api, "/v1/me/rights", read_token(token_file), language, said=said, key=key)
    show(
        answer,
        lambda: [right_words.recorded(answer["right"], "recorded", answer["index"], language)],
        as_json=as_json,
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--portability", is_flag=True, help="What I provided (GDPR 20), not everything about me (15).")
@without_receipts_option
@page_option
@_key_option
@api_options
@answer_language_option
@json_option
def export(
    *,
    file: Path,
    portability: bool,
    without_receipts: bool,
    page: Path | None,
    key: str,
    api: str,
    token_file: Path,
    language: str,
    as_json: bool,
) -> None:
    """Write a copy of what is held about me into FILE, which must not exist; readable by me alone.

    That it was given is on record first, with its digest. If the connection breaks, ask again with the same --request-id.

    Example: `luvalla my export everything.json --page everything.html`.
    """
    check_new(file, page)
    wanted = Right.PORTABILITY if portability else Right.ACCESS
    said = {"right": wanted.value, "receipts": not without_receipts}
    document: dict[str, Any] = ask(
        api, "/v1/me/exports", read_token(token_file), language, said=said, key=key,
        most=LARGEST_EXPORT, seconds=EXPORT_SECONDS,
    )  # fmt: skip
    try:
        record = document["record"]
        index, digest = int(record["index"]), str(record["digest"])
        readable = "" if page is None else export_page.page(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConsentUnavailableError(
            "the answer is not of this version of the API", "Use the luvalla of the city's version."
        ) from error
    receipt_files.save(document, file)
    if page is not None:
        receipt_files.save_text(readable, page)
    respond(
        {"digest": digest, "file": str(file), "index": index, "right": wanted.value},
        [export_words.made(wanted.value, index, str(file), language)],
        as_json=as_json,
    )
