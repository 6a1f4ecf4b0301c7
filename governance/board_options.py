"""Options that the board's commands share, and how a day is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click


class Moment(click.ParamType[datetime]):
    """A day (its beginning, UTC) or a time in UTC, to the second."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read one of the two spellings."""
        for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
            try:
                return datetime.strptime(value, form).replace(tzinfo=UTC)
            except ValueError:
                continue
        message = f"{value!r} is neither 2027-05-31 nor 2027-05-31T12:00:00Z"
        raise click.BadParameter(message, ctx, param)


as_option = click.option(
    "--as", "member", metavar="ID", help="Whose vote it is: a member id of the trust root."
)
key_option = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The member's private key. Default: board-keys/ID.pem in the home.",
)
reasons_option = click.option("--reasons", help="Why, in the member's own words; '-' reads standard input.")
choice_option = click.option("--choice", type=click.Choice(["for", "against", "abstain"]), help="The vote.")
