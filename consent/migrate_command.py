"""`luvalla ledger migrate`: an older ledger becomes one that this luvalla reads."""

from __future__ import annotations

import click

from consent.at_home import current_home
from consent.migrate import migrate as bring_up
from consent.options import dry_run_option, json_option, respond


@click.command()
@dry_run_option
@json_option
def migrate(*, dry_run: bool, as_json: bool) -> None:
    """Bring a ledger that an older luvalla wrote to this one's schema.

    All steps are one transaction; no byte that was hashed is changed, and every receipt stays as it is. Make a backup first.
    """
    done = bring_up(current_home(), dry_run=dry_run)
    if done.before == done.after:
        told = f"The ledger has schema version {done.after} already."
    else:
        told = f"Schema version {done.before} {'would become' if dry_run else 'became'} {done.after}."
    respond({"before": done.before, "after": done.after, "dry_run": dry_run}, [told], as_json=as_json)
