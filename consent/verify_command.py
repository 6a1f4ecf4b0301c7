"""`luvalla verify FILE`: check a receipt with the trust root alone; no ledger, no network, no home needed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consent import receipt_files, receipt_page
from consent.errors import ConsentEvidenceError, ConsentInputError, HomeMissing
from consent.home import open_home, read_settings
from consent.options import json_option, language_option, respond, trust_root_option
from consent.tlog.verify import (
    MAX_RECEIPT_BYTES,
    MAX_TRUST_ROOT_BYTES,
    VerificationError,
    printable,
    verify_receipt,
)

if TYPE_CHECKING:
    from consent.tlog.verify import Verified

EVIDENCE = 3  # exit code: evidence does not verify


def _read(path: Path, limit: int) -> bytes:
    """Read at most one byte more than the limit, so that a larger file is refused without being read whole."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise ConsentInputError(
            f"{path} cannot be read: {error.strerror}", "Name a readable file."
        ) from error


def _trust_root(given: Path | None, pin: str | None) -> tuple[bytes, str | None]:
    """The trust root and its pin: as named, or those of the home."""
    if given is not None:
        return _read(given, MAX_TRUST_ROOT_BYTES), pin
    try:
        home = open_home(click.get_current_context().obj["home"])
    except HomeMissing as error:
        raise ConsentInputError(
            "no trust root to check against: there is no luvalla home here",
            "Give --trust-root FILE: the city publishes it (GET /v1/trust-root); and --pin, its printed digest.",
        ) from error
    return _read(home.trust_root, MAX_TRUST_ROOT_BYTES), pin or read_settings(home).trust_root


def _page(raw: bytes, language: str, result: Verified) -> str:
    """The page of a receipt that verifies; it names the witnesses that were checked, and no other."""
    witnesses = [keyid.rpartition("+")[0] for keyid in result.witnessed_by]
    try:
        return receipt_page.page(json.loads(raw), language, witnesses)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ConsentInputError(
            "the receipt verifies, but it says things in a form of which no page can be made",
            "Leave out --page to see what it proves.",
        ) from error


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@trust_root_option
@click.option(
    "--pin",
    help="The digest of the trust root's first version, sha256:..., got another way than these two files: a printed "
    "receipt, a letter, the city's web site.",
)
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="If it verifies, also write the receipt as a page (HTML) for people; must not exist.",
)
@language_option("The language of the page.")
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    file: Path,
    trust_root: Path | None,
    pin: str | None,
    page: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """Check the receipt FILE offline, and say what it proves and what it does not.

    Exit code 3: it does not verify.
    """
    if page is not None and page.exists():
        raise ConsentInputError(f"there is already a file {page}", "Name a new file for the page.")
    root, pin = _trust_root(trust_root, pin)
    raw = _read(file, MAX_RECEIPT_BYTES)
    try:
        result = verify_receipt(raw, root, pin)
    except VerificationError as error:
        if not as_json:
            raise ConsentEvidenceError(
                f"it does not verify: {error.message} ({error.code})",
                "Believe nothing it says; ask the city for a new receipt, and keep this file.",
            ) from error
        respond({"verified": False, "code": error.code, "message": error.message}, (), as_json=True)
        ctx.exit(EVIDENCE)
    if page is not None:
        receipt_files.save_text(_page(raw, language, result), page)
    told = [
        "It verifies.",
        "",
        "Proved:",
        *(f"- {printable(sentence)}" for sentence in result.proved),
        "",
        "Not proved:",
        *(f"- {printable(sentence)}" for sentence in result.not_proved),
    ]
    respond({"verified": True, **dataclasses.asdict(result)}, told, as_json=as_json)
