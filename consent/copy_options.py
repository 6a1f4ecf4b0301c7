"""Options of the commands that write a copy of what is held, or a receipt: for the clerk's and the citizen's alike."""

from __future__ import annotations

from pathlib import Path

import click

from consent.receipt_page import FORMATS

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; must not exist. By default one in the home's receipts folder.",
)

page_option = click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A page for reading as well; must not exist.",
)

without_receipts_option = click.option(
    "--without-receipts", is_flag=True, help="Leave out the receipts: a much smaller file."
)

receipt_format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="json",
    show_default=True,
    help="json proves itself; html is a page for people that holds the same file; text is for reading alone.",
)
