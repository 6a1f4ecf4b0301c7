"""`luvalla consent expire`: the job that notes which consents have run out."""

from __future__ import annotations

import click

from consent import ending
from consent.at_home import open_ledger
from consent.options import dry_run_option, json_option, respond


@click.command()
@dry_run_option
@json_option
def expire(*, dry_run: bool, as_json: bool) -> None:
    """Note in the log which consents have run out, so that whom to ask anew can be read there.

    It changes no answer: from its last second on a consent permits nothing, noted or not. Run it daily; it may be stopped and
    repeated at any time.

    Example: `luvalla consent expire --dry-run` counts them.
    """
    with open_ledger(read_only=dry_run) as ledger:
        if dry_run:
            counts = ending.run_out(ledger.log)
        else:
            counts = ending.note_run_out(ledger.log)
            if counts:
                ledger.checkpoint()
    respond(
        {"noted": not dry_run, "run_out": counts},
        [f"{purpose}: {count}" for purpose, count in counts.items()] or ["nothing has run out"],
        as_json=as_json,
    )
