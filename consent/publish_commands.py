"""`luvalla ledger publish` and `luvalla ledger prove`: the log as files for everyone, and one entry's proof as text."""

from __future__ import annotations

from pathlib import Path

import click

from consent.at_home import open_ledger
from consent.options import dry_run_option, json_option, respond


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--new-only",
    is_flag=True,
    help="Hash and compare only what the checkpoint in DIR does not cover: for a short timer and a large log.",
)
@dry_run_option
@json_option
def publish(folder: Path, *, new_only: bool, dry_run: bool, as_json: bool) -> None:
    """Write the log into DIR as any static web server can serve it (C2SP tlog-tiles).

    The files hold no personal data. Every entry is hashed again, and what is in DIR already is compared; the checkpoint
    comes last. Exit code 3 when DIR holds another log, a changed file, or what the ledger contradicts; 4 when DIR cannot
    be written or another process publishes there.

    Example: `luvalla ledger publish /srv/log --new-only`.
    """
    with open_ledger(read_only=True) as ledger:
        done = ledger.publish(folder, dry_run=dry_run, new_only=new_only)
    answer = {
        "folder": str(folder),
        "before": done.before,
        "size": done.size,
        "written": list(done.written),
        "kept": done.kept,
        "removed": list(done.removed),
        "dry_run": dry_run,
    }
    count = len(done.written)
    told = f"{count} {'file' if count == 1 else 'files'} {'would be written' if dry_run else 'written'}, {done.kept} as they were"
    respond(answer, [f"{folder}: {done.size} entries; {told}"], as_json=as_json)


@click.command()
@click.argument("index", type=click.IntRange(min=0))
@json_option
def prove(index: int, *, as_json: bool) -> None:
    """Print the proof that entry INDEX is in the log (C2SP tlog-proof), under the last checkpoint.

    Example: `luvalla ledger prove 17` prints that of the eighteenth entry.
    """
    with open_ledger() as ledger:
        proof = ledger.prove(index)
    respond({"index": index, "proof": proof}, [proof.removesuffix("\n")], as_json=as_json)
