"""The home and the ledger that the command line was called for.

Start-up is budgeted (benchmarks/startup.py): nothing heavier than click, SQLAlchemy and cryptography may load here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from consent.errors import ConsentError
from consent.home import open_home
from consent.ledger import Ledger

if TYPE_CHECKING:
    from consent.home import Home


def current_home() -> Home:
    """The home that the command line was called for.

    Raises:
        HomeMissing: There is none; the hint says how to make one.
    """
    return open_home(click.get_current_context().obj["home"])


def open_ledger(*, read_only: bool = False) -> Ledger:
    """Open the ledger of the current home, and print its warnings; a context manager.

    Args:
        read_only: For commands that only look.

    Raises:
        ConsentError: As ``Ledger.open`` and ``open_home`` say.
    """
    ledger = Ledger.open(current_home(), read_only=read_only)
    for warning in (*ledger.warnings, *_of_losses(ledger)):
        click.echo(f"warning: {warning}", err=True)
    return ledger


def _of_losses(ledger: Ledger) -> list[str]:
    lost = 0
    with suppress(ConsentError):  # A damaged database is the command's own to tell.
        lost = ledger.lost_openings()
    if not lost:
        return []
    told = (
        f"what {lost} entries about people say was lost in a restore: runs leave out everybody whose consent is older, "
        "until it is confirmed (docs/ledger/drills.md)"
    )
    return [told]
