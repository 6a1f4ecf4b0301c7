"""The commands about the whole: init, status, run."""

from __future__ import annotations

from pathlib import Path

import click

from consent.outside_home import OutsideHome
from governance.command_parts import (
    json_option,
    left_out_lines,
    open_house,
    population_option,
    show,
    tell_rejected,
)


@click.command()
@click.option(
    "--origin",
    default="luvalla.example/consent",
    show_default=True,
    help="The ledger's public name, for ever.",
)
@click.option(
    "--purposes",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Purposes file instead of the shipped one.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Policy file instead of the shipped one.",
)
@click.option(
    "--database",
    metavar="URL",
    help="postgresql://USER@HOST/DATABASE of an empty database for the ledger, its password by reference: "
    "?password=env:NAME or file:PATH. An SQLite file in the home when left out.",
)
@click.option(
    "--succeeds",
    type=click.Path(path_type=Path, dir_okay=False),
    help="trust-root.json of an older log that cannot go on; the new one's first entry names it. With --checkpoint.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The last known checkpoint of the log that is succeeded.",
)
@click.option("--reason", help="Why it cannot go on, in public; with --succeeds.")
@click.option(
    "--signer",
    metavar="unix:PATH",
    help="The socket of a signer process (`luvalla ledger signer`) that has signed nothing yet: its key is the log's, "
    "and none is made in the home. Called again after a crash, it goes on.",
)
@json_option
@click.pass_context
def init(
    ctx: click.Context,
    origin: str,
    purposes: Path | None,
    policy: Path | None,
    database: str | None,
    succeeds: Path | None,
    checkpoint: Path | None,
    reason: str | None,
    signer: str | None,
    *,
    as_json: bool,
) -> None:
    """Make a home: keys, trust root, purposes, policy, ledger, MLflow store.

    All state lies in it (mode 700) and nowhere else. It is made whole or not at all.

    Example: `luvalla init --origin city.example/consent`. With the log's key in a process apart: `luvalla init --origin
    city.example/consent --signer unix:/run/signer/socket`.
    """
    from consent.signer_founding import founding_place  # noqa: PLC0415
    from consent.succession import read_succession  # noqa: PLC0415
    from governance import founding  # noqa: PLC0415
    from governance.house import House  # noqa: PLC0415

    succession = None
    if succeeds is not None and checkpoint is not None and reason is not None:
        succession = read_succession(succeeds, checkpoint, reason)
    elif (succeeds, checkpoint, reason) != (None, None, None):
        raise click.UsageError("--succeeds, --checkpoint and --reason belong together.", ctx)
    going_on = founding_place(ctx.obj["home"]).exists()
    home = founding.found(
        ctx.obj["home"],
        origin=origin,
        purposes=None if purposes is None else _text_of(purposes),
        policy=None if policy is None else policy.read_bytes(),
        database=database,
        succeeds=succession,
        signer=signer,
    )
    with House.open(home.path) as house:
        document = {
            "home": str(home.path),
            "origin": house.ledger.origin,
            "trust_root": house.trust_root.pin,
            "signer": signer,
            "completed": going_on,
        }
    show(
        document,
        lambda: [
            *(["a founding that had stopped halfway is complete"] if going_on else []),
            f"{home.path}",
            f"trust root {document['trust_root']}",
            "Print that digest and give it to whoever will check receipts: everything provable starts from it.",
            "Keep a copy of keys/ apart from the backups of ledger.db: whoever has both can read everything.",
            *(
                [f"The log's key is in the signer at {signer}: `luvalla promote` needs it with --statements."]
                if signer
                else []
            ),
            "Next: luvalla board keygen ID, luvalla board members --add ..., luvalla models list",
        ],
        as_json=as_json,
    )


def _text_of(path: Path) -> str:
    from governance.errors import GovernanceInputError  # noqa: PLC0415

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8"
        raise GovernanceInputError(message, "save the file as UTF-8") from error


@click.command()
@json_option
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """The ledger's head, where each version stands, and what waits for whom."""
    from governance import overview  # noqa: PLC0415

    with open_house(ctx) as house:
        document = overview.of(house)
    show(document, lambda: overview.lines(document), as_json=as_json)


@click.command()
@click.argument("service")
@population_option
@click.option(
    "--out",
    type=OutsideHome(),
    help="Where the offers go (JSON Lines); must not exist.",
)
@click.option(
    "--dry-run", is_flag=True, help="Verify and count only: nothing is scored, recorded or written."
)
@json_option
@click.pass_context
def run(
    ctx: click.Context, service: str, file: Path, out: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    """Run SERVICE's champion on the people of a file who consented.

    The certificate is verified against the artifact as loaded; every use is recorded before any offer leaves.
    Exit code 1: it may not run, or nobody consented; 3: the artifact or the evidence for it was changed.
    """
    import numpy as np  # noqa: PLC0415

    from governance import run as consented  # noqa: PLC0415
    from models import plugins, population  # noqa: PLC0415

    if out is None and not dry_run:
        message = "Missing option '--out'."
        raise click.UsageError(message, ctx)
    wanted = plugins.service(service)
    with open_house(ctx) as house:
        people = population.load(file, wanted, outcome=False)
        tell_rejected(people)
        done = consented.run(house, wanted, people, out, chance=np.random.default_rng(), dry_run=dry_run)
    if isinstance(done, consented.RunRefused):
        document = {"ran": False, "check": done.check, "reason": done.reason, "way_out": done.way_out}
        show(
            document,
            lambda: [f"refused ({done.check}): {done.reason}", f"way out: {done.way_out}"],
            as_json=as_json,
        )
        ctx.exit(done.exit_code)
    document = {
        "ran": not dry_run,
        "run": None if dry_run else done.run.hex(),
        "entry": None if dry_run else done.index,
        "version": done.version,
        "certificate": done.certificate,
        "output": None if dry_run else done.output,
        "file": None if dry_run else str(out),
        "people": done.people,
        "scored": done.scored,
        "selected": done.selected,
        "sampled": done.sampled,
        "left_out": dict(done.left_out),
        "rejected_rows": done.rejected,
    }
    show(
        document,
        lambda: [
            f"{done.people:,} people in the file; {done.scored:,} {'may be' if dry_run else 'were'} scored by version {done.version}",
            *left_out_lines(done.left_out),
            *(
                ["dry run: nothing was scored, recorded or written"]
                if dry_run
                else [
                    f"{done.selected:,} offers, {done.sampled:,} drawn for human review: {out}",
                    f"recorded as entry {done.index:,} before anything left",
                ]
            ),
        ],
        as_json=as_json,
    )
