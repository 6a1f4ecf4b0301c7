"""`luvalla board ...`: keys, members, what waits, votes, and stopping what was certified."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consent.home import open_home, read_settings
from consent.ledger import utc_now
from consent.options import dry_run_option, json_option, respond
from consent.outside_home import OutsideHome
from consent.tlog.note import generate_key, save_key
from consent.trust_chain import ROLES
from governance import balloting, membership, stopping
from governance.ballot import Condition
from governance.board_options import Moment, as_option, choice_option, key_option, reasons_option
from governance.house import House

if TYPE_CHECKING:
    from collections.abc import Sequence

TERM_YEARS = 2
"""Length of a term where none is given: half of a Finnish council's four years, so that a board renews itself by halves."""


@click.command()
@click.argument("member_id", metavar="ID")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Key file; must not exist. Default: board-keys/ID.pem in the home.",
)
@click.option("--origin", help="The ledger's name, where no home is at hand.")
@dry_run_option
@json_option
@click.pass_context
def keygen(
    ctx: click.Context, member_id: str, out: Path | None, origin: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Make a signing key for member ID: the private half into a file (mode 600), the public half printed.

    A member makes their own key on their own machine, and hands over only the printed line.
    """
    membership.check_id(member_id)
    if origin is None:
        origin = read_settings(open_home(ctx.obj["home"])).origin
    key = generate_key(membership.key_name(origin, member_id))
    path = out or _default_key(ctx, member_id)
    if not dry_run:
        if out is None:
            membership.make_folder(path.parent)
        save_key(key, path)
    # A dry run shows no key: the one made here is thrown away, and whoever enrolled it could never vote.
    vkey = None if dry_run else key.verifier.vkey
    answer = {"id": member_id, "vkey": vkey, "file": str(path), "written": not dry_run}
    if dry_run:
        lines = [f"dry run: a key would be made and written to {path}; nothing was made"]
    else:
        lines = [
            key.verifier.vkey,
            f"The private key is written to {path}. Who holds that file votes as {member_id}: keep it to yourself.",
            f"Enrol it: luvalla board members --add {member_id} --name NAME --role ROLE --vkey '{key.verifier.vkey}'",
        ]
    respond(answer, lines, as_json=as_json)


@click.command()
@click.option("--add", metavar="ID", help="Begin a term of this member.")
@click.option("--name", help="With --add: the name as it stands in the minutes.")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="With --add.")
@click.option("--vkey", help="With --add: what `luvalla board keygen` printed.")
@click.option("--from", "since", type=Moment(), help="With --add: first day of the term. Default: now.")
@click.option("--until", type=Moment(), help=f"With --add: day after the term. Default: {TERM_YEARS} years.")
@click.option("--retire", metavar="ID", help="End this member's term now.")
@click.option("--quorum", type=click.IntRange(min=1), help="Votes needed for a decision.")
@dry_run_option
@json_option
@click.pass_context
def members(
    ctx: click.Context,
    add: str | None,
    name: str | None,
    role: str,
    vkey: str | None,
    since: datetime | None,
    until: datetime | None,
    retire: str | None,
    quorum: int | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """List who sits on the board; or change it, as a new version of the trust root signed with the root key."""
    if add is not None and (name is None or vkey is None):
        message = "--add needs --name and --vkey."
        raise click.UsageError(message, ctx)
    changing = bool(add or retire or quorum)
    with _house(ctx, read_only=dry_run or not changing) as house:
        now = house.clock().replace(microsecond=0)
        trust = house.trust_root
        signers = membership.root_keys(house) if changing else []
        if retire is not None:
            membership.terms_of(trust.board, retire)
            trust = trust.retire_member(retire, now, signers)
        if add is not None and name is not None and vkey is not None:
            start = since or now
            end = until or start + timedelta(days=365 * TERM_YEARS)
            term = membership.new_member(add, name, role, vkey, since=start, until=end)
            trust = trust.add_member(term, signers)
        if quorum is not None:
            trust = trust.with_quorum(quorum, signers)
        changed = trust.digest != house.trust_root.digest
        if changed and not dry_run:
            membership.put_in_force(house, trust)
    seats = [{**member.value(), "in_office": member.signs_at(now)} for member in trust.board]
    answer = {
        "version": trust.version,
        "digest": trust.digest,
        "quorum": trust.quorum,
        "members": seats,
        "changed": changed and not dry_run,
    }
    lines = [
        *[
            f"{seat['id']}  {seat['name']}, {seat['role']}, {seat['from']} to {seat['until']}"
            + ("" if seat["in_office"] else "  (not in office)")
            for seat in seats
        ],
        *([] if seats else ["nobody sits on the board yet"]),
        f"quorum {trust.quorum}; trust root version {trust.version}, {trust.digest}",
        *(["dry run: nothing was changed"] if dry_run and changed else []),
        *_shortage(sum(1 for seat in seats if seat["in_office"]), trust.quorum),
    ]
    respond(answer, lines, as_json=as_json)


@click.command()
@json_option
@click.pass_context
def inbox(ctx: click.Context, *, as_json: bool) -> None:
    """What waits for the board: each open ballot, what the gate said, who voted, who may not, and where the report is."""
    with _house(ctx, read_only=True) as house:
        waiting = balloting.waiting(house)
    respond({"ballots": waiting}, balloting.waiting_lines(waiting), as_json=as_json)


@click.command()
@click.argument("service", required=False)
@click.argument("version", required=False)
@as_option
@key_option
@choice_option
@reasons_option
@click.option(
    "--condition",
    "conditions",
    nargs=2,
    multiple=True,
    type=(str, Moment()),
    metavar="TEXT DUE",
    help="With a vote for: what must be done, and the day from which it is overdue. May be given again.",
)
@click.option("--expires", type=Moment(), help="With a vote for: the day from which the yes no longer holds.")
@click.option(
    "--export",
    type=OutsideHome(),
    help="Write the ballot to a file, to be signed elsewhere; must not exist.",
)
@click.option(
    "--sign",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Sign a ballot written by --export; needs --key and --out, and no home.",
)
@click.option("--out", type=OutsideHome(), help="With --sign: where the vote goes.")
@click.option(
    "--import",
    "imported",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Hand in a vote that was signed elsewhere.",
)
@dry_run_option
@json_option
@click.pass_context
def decide(
    ctx: click.Context,
    service: str | None,
    version: str | None,
    member: str | None,
    key: Path | None,
    choice: str | None,
    reasons: str | None,
    conditions: Sequence[tuple[str, datetime]],
    expires: datetime | None,
    export: Path | None,
    sign: Path | None,
    out: Path | None,
    imported: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Vote on VERSION of SERVICE, with reasons, and sign.

    Not enough evidence is accepted only with --condition and --expires. On a machine of one's own: --export here, --sign
    there, --import here.
    """
    terms = tuple(Condition(text, due) for text, due in conditions)
    if sign is not None:
        given = _needs(ctx, "--sign", {"--key": key, "--out": out, "--choice": choice, "--reasons": reasons})
        ballot, envelope = balloting.sign_exported(
            sign,
            key=given["--key"],
            choice=given["--choice"],
            reasons=_words(given["--reasons"]),
            at=utc_now().replace(microsecond=0),
            conditions=terms,
            expires=expires,
        )
        if not dry_run:
            balloting.write_new(given["--out"], envelope)
        answer = {"ballot": ballot.id, "file": str(out), "written": not dry_run}
        respond(
            answer,
            [f"signed for ballot {ballot.id}:", balloting.pretty(envelope), f"hand in: {out}"],
            as_json=as_json,
        )
        return
    asked = _needs(ctx, "decide", {"SERVICE": service, "VERSION": version})
    service, version = asked["SERVICE"], asked["VERSION"]
    with _house(ctx, read_only=dry_run or export is not None) as house:
        ballot = balloting.ballot_of(house, service, version)
        if export is not None:
            if not dry_run:
                balloting.export(house, ballot, _needs(ctx, "--export", {"--as": member})["--as"], export)
            answer = {"ballot": ballot.id, "file": str(export), "written": not dry_run}
            respond(answer, [f"ballot {ballot.id}: {export}"], as_json=as_json)
            return
        if imported is None:
            given = _needs(ctx, "A vote", {"--as": member, "--choice": choice, "--reasons": reasons})
            envelope = balloting.signed(
                house,
                ballot,
                member=given["--as"],
                key=key or _default_key(ctx, given["--as"]),
                choice=given["--choice"],
                reasons=_words(given["--reasons"]),
                conditions=terms,
                expires=expires,
            )
        else:
            envelope = imported.read_bytes()
        decision = balloting.hand_in(house, service, version, envelope, dry_run=dry_run)
    answer = {"ballot": ballot.id, "recorded": not dry_run, **balloting.decision_document(decision)}
    lines = ["dry run: the vote would count; nothing was recorded" if dry_run else "the vote is recorded"]
    lines += balloting.decision_lines(decision)
    if decision.approved:
        lines.append(f"Next: luvalla promote {service} {version}")
    respond(answer, lines, as_json=as_json)


@click.command()
@click.argument("service")
@click.argument("version")
@as_option
@key_option
@reasons_option
@click.option(
    "--days", type=click.IntRange(min=1), help="For how long. Default: as long as the policy allows."
)
@dry_run_option
@json_option
@click.pass_context
def suspend(
    ctx: click.Context,
    service: str,
    version: str,
    member: str | None,
    key: Path | None,
    reasons: str | None,
    days: int | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Stop VERSION of SERVICE at once, on one member's word, for a limited time. The next run refuses."""
    given = _needs(ctx, "A suspension", {"--as": member, "--reasons": reasons})
    with _house(ctx, read_only=dry_run) as house:
        path = key or _default_key(ctx, given["--as"])
        _, signing = membership.signing_key(house.members(), given["--as"], path, house.clock())
        stopped = stopping.suspend(
            house, service, version, reasons=_words(reasons), days=days, key=signing, dry_run=dry_run
        )
    entry = None if dry_run else stopped.index
    told = "would be suspended" if dry_run else "is suspended"
    end = "; dry run: nothing was recorded" if dry_run else f" (entry {entry})"
    respond(
        {
            "suspended": list(stopped.certificates),
            "until": stopped.until,
            "entry": entry,
            "recorded": not dry_run,
        },
        [f"version {version} of {service} {told} until {stopped.until}{end}"],
        as_json=as_json,
    )


@click.command()
@click.argument("service")
@click.argument("version")
@as_option
@key_option
@reasons_option
@click.option(
    "--choice",
    type=click.Choice(["for", "against", "abstain"]),
    default="for",
    show_default=True,
    help="The vote.",
)
@dry_run_option
@json_option
@click.pass_context
def revoke(
    ctx: click.Context,
    service: str,
    version: str,
    member: str | None,
    key: Path | None,
    reasons: str | None,
    choice: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Vote to withdraw VERSION's certificate for good; it is revoked once the board's rules say so."""
    given = _needs(ctx, "A vote", {"--as": member, "--reasons": reasons})
    with _house(ctx, read_only=dry_run) as house:
        ballot = stopping.revocation_ballot(house, service, version, dry_run=dry_run)
        envelope = balloting.signed(
            house,
            ballot,
            member=given["--as"],
            key=key or _default_key(ctx, given["--as"]),
            choice=choice,
            reasons=_words(reasons),
        )
        if dry_run:
            decision, stopped = stopping.foresee_revocation(house, ballot, envelope), None
        else:
            decision, stopped = stopping.vote_to_revoke(house, service, version, envelope)
    revoked = [] if stopped is None else list(stopped.certificates)
    done = "dry run: the vote would count; nothing was recorded" if dry_run else "the vote is recorded"
    lines = [f"version {version} of {service} is revoked for good"] if revoked else [done]
    respond(
        {
            "ballot": ballot.id,
            "revoked": revoked,
            "recorded": not dry_run,
            **balloting.decision_document(decision),
        },
        [*lines, *([] if revoked else balloting.decision_lines(decision))],
        as_json=as_json,
    )


def _house(ctx: click.Context, *, read_only: bool = False) -> House:
    return House.open(ctx.obj["home"], read_only=read_only)


def _default_key(ctx: click.Context, member: str) -> Path:
    home: Path = ctx.obj["home"]
    return home / "board-keys" / f"{member}.pem"


def _needs(ctx: click.Context, what: str, given: dict[str, Any]) -> dict[str, Any]:
    """The options, all of them there; options that only one way of using a command needs cannot be required by click."""
    missing = [name for name, value in given.items() if value is None]
    if missing:
        message = f"{what} needs {', '.join(missing)}."
        raise click.UsageError(message, ctx)
    return given


def _words(reasons: str | None) -> str:
    return sys.stdin.read().strip() if reasons == "-" else str(reasons)


def _shortage(in_office: int, quorum: int) -> list[str]:
    if in_office >= quorum:
        return []
    return [f"{in_office} in office: fewer than the quorum, so the board cannot decide"]
