"""The commands that need more than one room: init, status, train, audit, promote, run, and rows to start with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from governance.house import House

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_population = click.option(
    "--population",
    "file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV or Parquet file, one person a row.",
)


def _house(ctx: click.Context) -> House:
    from governance.house import House  # noqa: PLC0415 - keeps --help quick

    return House.open(ctx.obj["home"])


def _say(text: str) -> None:
    click.echo(text, err=True)


def _show(document: dict[str, Any], lines: Callable[[], list[str]], *, as_json: bool) -> None:
    """The result: as JSON, or as lines."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for line in lines():
            click.echo(line)


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
@_json
@click.pass_context
def init(
    ctx: click.Context, origin: str, purposes: Path | None, policy: Path | None, *, as_json: bool
) -> None:
    """Make a home: keys, trust root, purposes, policy, ledger, MLflow store.

    All state lies in it (mode 700) and nowhere else. It is made whole or not at all.
    """
    from governance import founding  # noqa: PLC0415
    from governance.house import House  # noqa: PLC0415

    home = founding.found(
        ctx.obj["home"],
        origin=origin,
        purposes=None if purposes is None else _text_of(purposes),
        policy=None if policy is None else policy.read_bytes(),
    )
    with House.open(home.path) as house:
        document = {"home": str(home.path), "origin": house.ledger.origin, "trust_root": house.trust_root.pin}
    _show(
        document,
        lambda: [
            f"{home.path}",
            f"trust root {document['trust_root']}",
            "Print that digest and give it to whoever will check receipts: everything provable starts from it.",
            "Keep a copy of keys/ apart from the backups of ledger.db: whoever has both can read everything.",
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
@_json
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """The ledger's head, where each version stands, and what waits for whom."""
    from governance import overview  # noqa: PLC0415

    with _house(ctx) as house:
        document = overview.of(house)
    _show(document, lambda: overview.lines(document), as_json=as_json)


@click.command()
@click.argument("service")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to write; must not exist.",
)
@_json
def rows(service: str, out: Path, *, as_json: bool) -> None:
    """Write the real rows that ship for SERVICE, with invented identities, to try things on."""
    from governance import balloting  # noqa: PLC0415
    from models import datasets, plugins  # noqa: PLC0415

    frame = datasets.load(plugins.service(service))
    balloting.write_new(out, frame.to_csv(index=False).encode())
    _show(
        {"file": str(out), "rows": len(frame)},
        lambda: [f"{len(frame):,} rows in {out}; the identities are invented"],
        as_json=as_json,
    )


@click.command()
@click.argument("service")
@click.option("--recipe", help="How to train (see `luvalla models list`); the first recipe by default.")
@_population
@click.option(
    "--by", required=True, help="Who trains: their board-member id, or any name. They may not vote on it."
)
@click.option("--seed", default=2026, show_default=True, help="Decides everything random.")
@_json
@click.pass_context
def train(
    ctx: click.Context, service: str, recipe: str | None, file: Path, by: str, seed: int, *, as_json: bool
) -> None:
    """Train a version of SERVICE on the people of a file who consented, and register it."""
    from governance import development  # noqa: PLC0415
    from models import plugins, population  # noqa: PLC0415

    wanted = plugins.service(service)
    with _house(ctx) as house:
        people = population.load(file, wanted, outcome=True)
        _tell_rejected(people)
        done = development.train(
            house, wanted, recipe or next(iter(wanted.recipes)), people, seed=seed, by=by
        )
    document = {
        "service": service,
        "version": done.case.version,
        "digest": done.case.digest,
        "recipe": done.case.recipe,
        "trained_on": done.used,
        "left_out": dict(done.left_out),
        "rejected_rows": done.rejected,
        "entry": done.index,
        "metrics": dict(done.fitted.metrics),
        "notes": list(done.fitted.notes),
    }
    _show(
        document,
        lambda: [
            f"version {done.case.version} of {service} ({done.case.recipe}), trained on {done.used:,} consenting people",
            *_left_out(done.left_out),
            f"recorded as entry {done.index:,}; artifact {done.case.digest}",
            f"Next: luvalla audits run {service} {done.case.version} --population {file} --by ID",
        ],
        as_json=as_json,
    )


@click.command()
@click.argument("service")
@click.argument("version")
@_population
@click.option(
    "--by", required=True, help="Who audits: their board-member id, or any name. They may not vote on it."
)
@_json
@click.pass_context
def audit(ctx: click.Context, service: str, version: str, file: Path, by: str, *, as_json: bool) -> None:
    """Audit VERSION of SERVICE on consenting people's rows, under the policy in force."""
    from governance import auditing, promotion  # noqa: PLC0415
    from models import plugins, population  # noqa: PLC0415

    wanted = plugins.service(service)
    with _house(ctx) as house:
        people = population.load(file, wanted, outcome=True)
        _tell_rejected(people)
        done = auditing.audit(house, wanted, version, people, by=by)
        decision = promotion.judge(house, done.case)
        page = house.home.path / "reports" / f"{service}-{version}.html"
    document: dict[str, Any] = {
        "service": service,
        "version": version,
        "report": done.report.digest,
        "page": str(page),
        "gate": str(decision.outcome) if decision else "refused",
        "acceptable": bool(decision and decision.acceptable),
        "why_not": list(decision.why_not) if decision else [],
        "audited_on": done.used,
        "entry": done.index,
    }
    _show(
        document,
        lambda: [
            f"the gate: {document['gate'].replace('_', ' ')}",
            *[f"  {reason}" for reason in document["why_not"]],
            f"audited on {done.used:,} consenting people, recorded as entry {done.index:,}",
            f"report {done.report.digest}",
            f"page {page}",
        ],
        as_json=as_json,
    )
    if not document["acceptable"]:
        ctx.exit(1)


@click.command()
@click.argument("service")
@click.argument("version")
@_json
@click.pass_context
def card(ctx: click.Context, service: str, version: str, *, as_json: bool) -> None:
    """The model card of VERSION of SERVICE: what it is for, how it was made, what was found."""
    from governance import standing  # noqa: PLC0415
    from models import card as cards  # noqa: PLC0415
    from models import plugins  # noqa: PLC0415

    with _house(ctx) as house:
        facts = standing.card(house, plugins.service(service), version)
    _show(cards.document(facts), lambda: [cards.to_markdown(facts)], as_json=as_json)


@click.command()
@click.argument("service")
@click.argument("version")
@_json
@click.pass_context
def promote(ctx: click.Context, service: str, version: str, *, as_json: bool) -> None:
    """Take the next step for VERSION: put it to the board, or, once the board said yes, certify it and move the alias."""
    from governance import promotion  # noqa: PLC0415

    with _house(ctx) as house:
        done = promotion.promote(house, service, version)
    if isinstance(done, promotion.Promoted):
        document = {
            "promoted": True,
            "certificate": done.certificate,
            "entry": done.index,
            "expires": done.expires,
            "conditions": [{"text": text, "due": due} for text, due in done.conditions],
            "board": str(done.decision.outcome),
        }
        _show(
            document,
            lambda: [
                f"version {version} of {service} is the champion until {done.expires} ({done.decision.outcome})",
                *[f"  condition, due {due}: {text}" for text, due in done.conditions],
                f"certificate {done.certificate}, entry {done.index:,}",
            ],
            as_json=as_json,
        )
        return
    document = {
        "promoted": False,
        "waiting": done.waiting,
        "reasons": list(done.reasons),
        "ballot": done.ballot.id if done.ballot else None,
    }
    head = "it waits for the board: luvalla board inbox" if done.waiting else "no"
    _show(document, lambda: [head, *[f"  {reason}" for reason in done.reasons]], as_json=as_json)
    ctx.exit(1)


@click.command()
@click.argument("service")
@_population
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the offers go (JSON Lines); must not exist.",
)
@click.option(
    "--dry-run", is_flag=True, help="Verify and count only: nothing is scored, recorded or written."
)
@_json
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
    with _house(ctx) as house:
        people = population.load(file, wanted, outcome=False)
        _tell_rejected(people)
        done = consented.run(house, wanted, people, out, chance=np.random.default_rng(), dry_run=dry_run)
    if isinstance(done, consented.RunRefused):
        document = {"ran": False, "check": done.check, "reason": done.reason, "way_out": done.way_out}
        _show(
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
    _show(
        document,
        lambda: [
            f"{done.people:,} people in the file; {done.scored:,} {'may be' if dry_run else 'were'} scored by version {done.version}",
            *_left_out(done.left_out),
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


def _left_out(counts: Any) -> list[str]:
    return [f"  left out: {n:,} {reason.replace('-', ' ')}" for reason, n in counts.items() if n]


def _tell_rejected(people: Any) -> None:
    """Rows that broke the data contract, by row number and reason, never by value."""
    for row in people.rejected[:10]:
        _say(f"row {row.row}, column {row.column}: {row.reason}")
    if len(people.rejected) > 10:  # noqa: PLR2004 - a screenful
        _say(f"and {len(people.rejected) - 10} more rejected rows")
