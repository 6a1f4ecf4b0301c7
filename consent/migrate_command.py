"""`luvalla ledger migrate`: an older ledger becomes one that this luvalla reads."""

from __future__ import annotations

import click

from consent.at_home import current_home
from consent.errors import ConfigurationError
from consent.options import dry_run_option, json_option, respond


@click.command()
@dry_run_option
@json_option
def migrate(*, dry_run: bool, as_json: bool) -> None:
    """Bring a ledger that an older luvalla wrote to this one's schema.

    All steps are one transaction; no byte that was hashed is changed, and every receipt stays as it is. Make a backup first.

    Example: `luvalla ledger migrate --dry-run`. Exit code 4: a newer luvalla wrote the ledger.
    """
    try:
        from consent.migrate import migrate as bring_up  # noqa: PLC0415 - the citizens' wheel has no Alembic
    except ImportError as error:
        raise ConfigurationError("Alembic is not installed", "pip install luvalla") from error
    done = bring_up(current_home(), dry_run=dry_run)
    if done.before == done.after:
        told = f"The ledger has schema version {done.after} already."
    else:
        told = f"Schema version {done.before} {'would become' if dry_run else 'became'} {done.after}."
    respond({"before": done.before, "after": done.after, "dry_run": dry_run}, [told], as_json=as_json)
