"""`luvalla ledger refill LOG`: a database restored from an older copy gets its missing entries from the published log."""

from __future__ import annotations

from pathlib import Path

import click

from consent.at_home import current_home
from consent.ledger import utc_now
from consent.opening import open_log
from consent.options import dry_run_option, json_option, respond
from consent.published_log import FolderFiles, web_files
from consent.refill import refill as fill


@click.command()
@click.argument("log", metavar="LOG")
@dry_run_option
@json_option
def refill(log: str, *, dry_run: bool, as_json: bool) -> None:
    """Fill an older restored database again from LOG, the folder or address where this log is published.

    The entries come back byte for byte, verified against what this log signed. What entries about people said is not
    published and stays lost: people whose consent is older are left out of runs until they confirm it. All of it is
    written, or nothing.

    Exit code 3: the published log is shorter than what was signed, or is another history.

    Example: `luvalla ledger refill https://log.city.example --dry-run` says how many entries are missing.
    """
    files = FolderFiles(Path(log)) if Path(log).is_dir() else web_files(log)
    home = current_home()
    # Not as a ledger: that would replay erasures first, as entries after the restored end.
    opened = open_log(home, clock=utc_now, read_only=dry_run, clock_confirmed=False, external=None)
    try:
        done = fill(opened, home, files, dry_run=dry_run)
        if not dry_run:
            opened.checkpoint()
    finally:
        opened.store.close()
    answer = {
        "before": done.before,
        "size": done.size,
        "openings_lost": done.openings,
        "runs_lost": done.runs,
        "erased_again": done.erased,
        "dry_run": dry_run,
    }
    told = [
        f"{done.size - done.before} entries {'would come' if dry_run else 'came'} back: {done.before} to {done.size}",
        f"lost: what {done.openings} entries about people said, and the lists of people of {done.runs} runs",
    ]
    if done.openings:
        told.append(
            "runs leave out everybody whose consent is older than these entries, until it is confirmed "
            "(`luvalla consent give PURPOSE --renew`), or receipts bring all of them back "
            "(`luvalla ledger restore-opening RECEIPT`)"
        )
    respond(answer, told, as_json=as_json)
