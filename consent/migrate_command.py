"""`luvalla ledger migrate`: an older ledger becomes one that this luvalla reads."""

from __future__ import annotations

import click

from consent.at_home import current_home
from consent.errors import ConfigurationError, ConsentUnavailableError
from consent.options import dry_run_option, json_option, respond


@click.command()
@dry_run_option
@json_option
def migrate(*, dry_run: bool, as_json: bool) -> None:
    """Bring a ledger that an older luvalla wrote to this one's schema.

    All steps are one transaction; no byte that was hashed is changed, and every receipt stays as it is. Make a backup first.
    Then what was replaced, such as pseudonyms that an older luvalla stored plain, is removed from the database's files.

    Example: `luvalla ledger migrate --dry-run`. Exit code 4: a newer luvalla wrote the ledger.
    """
    try:
        # The citizens' wheel has no Alembic.
        from consent.migrate import free  # noqa: PLC0415
        from consent.migrate import migrate as bring_up  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError("Alembic is not installed", "pip install luvalla") from error
    home = current_home()
    done = bring_up(home, dry_run=dry_run)
    freed = None
    if done.before == done.after:
        told = f"The ledger has schema version {done.after} already."
    else:
        told = f"Schema version {done.before} {'would become' if dry_run else 'became'} {done.after}."
    lines = [told]
    if not dry_run and done.before != done.after:
        try:
            freed = free(home)
        except ConsentUnavailableError:
            freed = False
        if not freed:
            lines.append(
                "What the migration replaced is still in the database's files: another reader was in the way. "
                "Run `luvalla ledger rotate-kek`, which removes it."
            )
    answer = {"before": done.before, "after": done.after, "dry_run": dry_run, "bytes_freed": freed}
    respond(answer, lines, as_json=as_json)
