"""`luvalla consent adopt`: a changed purposes file becomes entries of the log."""

from __future__ import annotations

from pathlib import Path

import click

from consent import article_30
from consent.at_home import open_ledger
from consent.foresight import people_to_ask
from consent.options import dry_run_option, json_option, respond
from consent.purposes import parse
from consent.purposing import new_versions


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@dry_run_option
@json_option
def adopt(*, file: Path, dry_run: bool, as_json: bool) -> None:
    """Record the new versions of purposes and notices in FILE (a purposes.toml), and say whom to ask anew.

    A version on record never changes: a changed purpose, or a reworded notice, is the next version, and consents for the
    version before it permit nothing any more. People whose yes ends so are counted: those are to be asked anew.

    Example: `luvalla consent adopt purposes.toml --dry-run`.
    """
    text = file.read_bytes().decode("utf-8", "replace")
    proposed = parse(text)
    with open_ledger(read_only=dry_run) as ledger:
        found = article_30.changes(ledger.purposes(), proposed)
        new_versions(proposed, ledger.every_purpose())
        newest = {each["id"]: each["version"] for each in found}
        for each in found:
            # Nobody is asked about a version that the same file replaces.
            asked = each["ask_anew"] and each["version"] == newest[each["id"]]
            each["people_to_ask"] = people_to_ask(ledger, each["id"]) if asked else 0
        indices = [] if dry_run else ledger.adopt_purposes(text)
    lines = [
        f"{each['id']} version {each['version']}"
        + (f": wider in {', '.join(each['wider'])}" if each["wider"] else "")
        + (f"; people to be asked anew: {each['people_to_ask']}" if each["ask_anew"] else "")
        for each in found
    ]
    respond(
        {"adopted": not dry_run, "indices": indices, "versions": found},
        lines or ["nothing is new"],
        as_json=as_json,
    )
