"""`luvalla ledger confirm-clock`: the first entry after a long silence, when an operator has looked at the clock."""

from __future__ import annotations

import click

from consent.at_home import current_home
from consent.canonical import format_time
from consent.ledger import Ledger
from consent.options import dry_run_option, json_option, respond


@click.command(name="confirm-clock")
@click.option(
    "--yes", is_flag=True, help="Confirm without being asked: the clock was compared with another one."
)
@dry_run_option
@json_option
def confirm_clock(*, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Say that the clock is right although the ledger's last entry is long past, and go on.

    It records the trust root's version in force once more, with the present time. A clock that is behind the last entry
    cannot be confirmed: nothing is ever recorded before what is there.

    Example: `luvalla ledger confirm-clock --yes`. Exit code 4: the clock is behind the last entry.
    """
    with Ledger.open(current_home(), read_only=dry_run, clock_confirmed=True) as ledger:
        trust, now = ledger.log.trust, format_time(ledger.log.now())
        index = None
        if not dry_run:
            if not yes:
                click.confirm(f"Is it {now} (UTC)?", abort=True, err=True)
            index = ledger.append_institutional(
                "trust-root", {"digest": trust.digest, "version": trust.version}
            )
    told = f"{now}: version {trust.version} of the trust root " + (
        "would be recorded again" if dry_run else f"is recorded again, in entry {index}"
    )
    respond(
        {"at": now, "index": index, "version": trust.version, "dry_run": dry_run}, [told], as_json=as_json
    )
