"""The commands about versions: rows to start with, train, audit, card, promote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.run_options import answered, evidence_options
from consent.outside_home import OutsideHome
from governance.command_parts import (
    json_option,
    left_out_lines,
    open_house,
    population_option,
    progress,
    show,
    tell_rejected,
)

if TYPE_CHECKING:
    from governance.development import Foreseen
    from governance.house import House

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done; write and record nothing."
)


@click.command()
@click.argument("service")
@click.option(
    "--out",
    required=True,
    type=OutsideHome(),
    help="CSV file to write; must not exist.",
)
@json_option
def rows(service: str, out: Path, *, as_json: bool) -> None:
    """Write the real rows that ship for SERVICE, with invented identities, to try things on."""
    from governance import balloting  # noqa: PLC0415
    from models import datasets, plugins  # noqa: PLC0415

    frame = datasets.load(plugins.service(service))
    balloting.write_new(out, frame.to_csv(index=False).encode())
    show(
        {"file": str(out), "rows": len(frame)},
        lambda: [f"{len(frame):,} rows in {out}; the identities are invented"],
        as_json=as_json,
    )


@click.command()
@click.argument("service")
@click.option("--recipe", help="How to train (see `luvalla models list`); the first recipe by default.")
@population_option
@click.option(
    "--by", required=True, help="Who trains: their board-member id, or any name. They may not vote on it."
)
@click.option("--seed", default=2026, show_default=True, help="Decides everything random.")
@dry_run_option
@json_option
@click.pass_context
def train(
    ctx: click.Context,
    service: str,
    recipe: str | None,
    file: Path,
    by: str,
    seed: int,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train a version of SERVICE on the people of a file who consented, and register it."""
    from governance import development  # noqa: PLC0415
    from models import plugins, population  # noqa: PLC0415

    wanted = plugins.service(service)
    with open_house(ctx) as house:
        people = population.load(file, wanted, outcome=True)
        tell_rejected(people)
        if dry_run:
            chosen = recipe or next(iter(wanted.recipes))
            _foreseen(
                "training",
                chosen,
                development.foresee(house, wanted, chosen, people, "training"),
                as_json=as_json,
            )
            return
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
    show(
        document,
        lambda: [
            f"version {done.case.version} of {service} ({done.case.recipe}), trained on {done.used:,} consenting people",
            *left_out_lines(done.left_out),
            f"recorded as entry {done.index:,}; artifact {done.case.digest}",
            f"Next: luvalla audits run {service} {done.case.version} --population {file} --by ID",
        ],
        as_json=as_json,
    )


@click.command()
@click.argument("service", required=False)
@click.argument("version", required=False)
@click.option(
    "--population",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV or Parquet file, one person a row.",
)
@click.option("--by", help="Who audits: their board-member id, or any name. They may not vote on it.")
@evidence_options(OutsideHome())
@dry_run_option
@json_option
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    service: str | None,
    version: str | None,
    file: Path | None,
    by: str | None,
    *,
    dry_run: bool,
    as_json: bool,
    **evidence: Any,
) -> None:
    """Audit VERSION of SERVICE on consenting people's rows, under the policy in force.

    With --counts FILE: audit a table of counts per group (CSV or JSON; columns group, and tp, fp, fn, tn or n and selected;
    <5 where a count was withheld). With --predictions FILE: audit what a model of any framework predicted, one person a row
    (CSV or Parquet). No home, register or ledger is needed for either, and nothing is recorded.

    Exits with 1 where the gate's answer does not let the board say yes, or nobody consented; from counts or predictions, where
    the verdict is not passed: it failed, or there is not enough evidence. Exits with 2 on wrong input.

    Example: `luvalla audits run health-benefit 1 --population city.csv --by auditor`, `luvalla audits run --counts
    counts.csv --page report.html`, or `luvalla audits run --predictions scored.parquet --outcome need --score p --capacity 0.2
    --sensitive sex --lines lines.toml --json`.
    """
    code = answered(evidence, alone=not (service or version or file or by), dry_run=dry_run, as_json=as_json)
    if code is not None:
        ctx.exit(code)
    if not (service and version and file and by):
        raise click.UsageError(
            "expected SERVICE VERSION --population FILE --by ID, or --counts FILE, or --predictions FILE."
        )
    from governance import auditing, development, promotion  # noqa: PLC0415
    from models import plugins, population  # noqa: PLC0415

    wanted = plugins.service(service)
    with open_house(ctx) as house:
        people = population.load(file, wanted, outcome=True)
        tell_rejected(people)
        if dry_run:
            case = house.cases.get(service, version)
            _foreseen(
                "audit",
                case.recipe,
                development.foresee(house, wanted, case.recipe, people, "audit"),
                as_json=as_json,
            )
            return
        with progress(quiet=as_json) as busy:
            done = auditing.audit(house, wanted, version, people, by=by, progress=busy)
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
    show(
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
@json_option
@click.pass_context
def card(ctx: click.Context, service: str, version: str, *, as_json: bool) -> None:
    """The model card of VERSION of SERVICE: what it is for, how it was made, what was found."""
    from governance import standing  # noqa: PLC0415
    from models import card as cards  # noqa: PLC0415
    from models import plugins  # noqa: PLC0415

    with open_house(ctx) as house:
        facts = standing.card(house, plugins.service(service), version)
    show(cards.document(facts), lambda: [cards.to_markdown(facts)], as_json=as_json)


@click.command()
@click.argument("service")
@click.argument("version")
@dry_run_option
@json_option
@click.pass_context
def promote(ctx: click.Context, service: str, version: str, *, dry_run: bool, as_json: bool) -> None:
    """Take the next step for VERSION: put it to the board, or, once the board said yes, certify it and move the alias.

    Exits with 1 until it is promoted: while it waits for the board, and where the answer is no.
    """
    from governance import promotion  # noqa: PLC0415

    with open_house(ctx) as house:
        if dry_run:
            _foretell(ctx, house, service, version, as_json=as_json)
            return
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
        show(
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
    show(
        document,
        lambda: [head, *[f"  {reason}" for reason in done.reasons]],
        as_json=as_json,
    )
    ctx.exit(1)


def _foreseen(processing: str, recipe: str, foreseen: Foreseen, *, as_json: bool) -> None:
    """What a dry run of training or audit says."""
    document = {
        "recorded": False,
        "processing": processing,
        "recipe": recipe,
        "people": foreseen.used,
        "left_out": dict(foreseen.left_out),
    }
    show(
        document,
        lambda: [
            f"{processing} ({recipe}) would use the rows of {foreseen.used:,} consenting people",
            *left_out_lines(foreseen.left_out),
            "dry run: nothing was computed, recorded or written",
        ],
        as_json=as_json,
    )


def _foretell(ctx: click.Context, house: House, service: str, version: str, *, as_json: bool) -> None:
    """What a dry run of a promotion says: where the version stands and what would come next; 1 unless it would be promoted."""
    from governance import promotion, standing  # noqa: PLC0415

    case = house.cases.get(service, version)
    found = standing.standing(house, case, house.registry.alias(case.name, promotion.CHAMPION))
    would = found.step in {standing.Step.DECIDED_YES, standing.Step.CERTIFIED, standing.Step.CHAMPION}
    document = {
        "promoted": False,
        "would_promote": would,
        "step": str(found.step),
        "waits_for": found.waits_for,
        "reasons": list(found.reasons),
    }
    show(
        document,
        lambda: [
            f"version {version} of {service}: {found.step}",
            *([f"  waits for {found.waits_for}"] if found.waits_for else []),
            *[f"  {reason}" for reason in found.reasons],
            f"dry run: nothing was recorded; it would {'' if would else 'not '}be promoted now",
        ],
        as_json=as_json,
    )
    if not would:
        ctx.exit(1)
