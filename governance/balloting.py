"""What the board's commands and pages do: show what waits, carry a ballot to another machine, sign, hand in, tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consent.canonical import decode, encode, format_time
from consent.errors import ConsentError
from consent.tlog.note import VerifierKey, load_key
from governance import membership, promotion
from governance.ballot import read_ballot
from governance.board import DecisionOutcome, decide, why_closed, why_may_not_vote
from governance.errors import (
    BoardKeyError,
    EnvelopeError,
    GovernanceInputError,
    GovernanceUnavailableError,
    VoteFormError,
)
from governance.gate import GateOutcome
from governance.vote import Choice, IgnoredVote, open_vote, sign_vote, verify_vote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from governance.ballot import Ballot, Condition
    from governance.board import BoardDecision
    from governance.cases import Case
    from governance.house import House

EXPORTED = "luvalla-ballot"
"""Marks a ballot's file, so that another JSON file is not signed by mistake."""


def ballot_of(house: House, service: str, version: str) -> Ballot:
    """The ballot on certifying a version.

    Raises:
        GovernanceInputError: The version is not before the board (exit 2).
    """
    ballot = house.cases.get(service, version).question()
    if ballot is None:
        raise GovernanceInputError(
            f"Version {version} of {service} is not before the board.",
            f"Put it there: `luvalla promote {service} {version}`.",
        )
    return ballot


def waiting(house: House) -> list[dict[str, Any]]:
    """Every open ballot on certifying, as JSON values; decided and closed ones wait for nobody."""
    return [item for case in house.cases.all() if (item := _waiting(house, case)) is not None]


def _waiting(house: House, case: Case) -> dict[str, Any] | None:
    ballot, gate, decision = case.question(), promotion.judge(house, case), promotion.tally(house, case)
    if ballot is None or gate is None or decision is None or decision.outcome is not DecisionOutcome.OPEN:
        return None
    now = house.clock()
    sitting = [member for member in house.members() if member.signs_at(now)]
    may_not = {m.id: reason for m in sitting if (reason := why_may_not_vote(m, ballot, now)) is not None}
    voted = {vote.member for vote in decision.counted}
    return {
        "service": case.service,
        "version": case.version,
        "ballot": ballot.id,
        "opened": format_time(ballot.opened),
        "gate": str(gate.outcome),
        "undecided": [line.why for line in gate.lines if line.line in gate.undecided],
        "report": ballot.report_digest,
        "page": str(house.home.path / "reports" / f"{case.service}-{case.version}.html"),
        "counted": len(decision.counted),
        "quorum": decision.needed,
        "voted": sorted(voted),
        "waits_for": sorted({m.id for m in sitting} - voted - set(may_not)),
        "may_not": may_not,
        "reasons": list(decision.reasons),
    }


def waiting_lines(items: Sequence[dict[str, Any]]) -> list[str]:
    """The same for people."""
    lines: list[str] = []
    for item in items:
        service, version = item["service"], item["version"]
        lines += [
            f"{service} {version}: may it be certified?",
            f"  the gate says: {item['gate'].replace('_', ' ')}",
            *[f"    {reason}" for reason in item["undecided"]],
            f"  {item['counted']} votes count, {item['quorum']} are needed; voted: {', '.join(item['voted']) or 'nobody'}",
            f"  waits for: {', '.join(item['waits_for']) or 'nobody who may vote'}",
            *[f"  {member} may not vote: {reason}" for member, reason in item["may_not"].items()],
            f"  the report: {item['page']} ({item['report']})",
            f"  vote: luvalla board decide {service} {version} --as ID --choice for|against|abstain --reasons '...'"
            + (
                " --condition '...' DAY --expires DAY"
                if item["gate"] == GateOutcome.NOT_ENOUGH_EVIDENCE
                else ""
            ),
        ]
    return lines or ["nothing waits for the board"]


def signed(
    house: House,
    ballot: Ballot,
    *,
    member: str,
    key: Path,
    choice: str,
    reasons: str,
    conditions: Sequence[Condition] = (),
    expires: datetime | None = None,
) -> bytes:
    """A member's vote, signed here; refused before signing where it could not count.

    Raises:
        BoardKeyError: No such member, or another's key (exit 2).
        RecusedMemberError: Not in office, or their own work (2).
        VoteFormError: Reasons or terms are missing (2).
    """
    now = house.clock().replace(microsecond=0)
    term, signing = membership.signing_key(house.members(), member, key, now)
    membership.check_may_vote(term, ballot, now)
    return sign_vote(
        ballot,
        choice=Choice(choice),
        reasons=reasons,
        at=now,
        key=signing,
        conditions=tuple(conditions),
        expires=expires,
    )


def export(house: House, ballot: Ballot, member: str, path: Path) -> None:
    """Write a ballot and the name of the key that shall sign it, to be carried to the member's own machine.

    Raises:
        BoardKeyError: No such member (exit 2).
        RecusedMemberError: The member's vote could not count (2).
        GovernanceInputError: The file exists or cannot be written (2).
    """
    now = house.clock()
    terms = membership.terms_of(house.members(), member)
    term = next((one for one in terms if one.signs_at(now)), terms[-1])
    membership.check_may_vote(term, ballot, now)
    write_new(path, encode({"ballot": ballot.document(), EXPORTED: 1, "vkey": term.key.vkey}))


def sign_exported(
    exported: Path,
    *,
    key: Path,
    choice: str,
    reasons: str,
    at: datetime,
    conditions: Sequence[Condition] = (),
    expires: datetime | None = None,
) -> tuple[Ballot, bytes]:
    """Sign an exported ballot; needs no home, and tells what was signed.

    Raises:
        GovernanceInputError: The file is no exported ballot (exit 2).
        BoardKeyError: The key is not the one that the ballot was exported for (2).
        VoteFormError: Reasons or terms are missing (2).
    """
    try:
        document = decode(exported.read_bytes())
        ballot, public = read_ballot(document["ballot"]), VerifierKey.parse(str(document["vkey"]))
    except (OSError, TypeError, KeyError, ConsentError, EnvelopeError) as error:
        raise GovernanceInputError(
            f"{exported.name} is not a ballot written by `luvalla board decide --export`.", "Export it again."
        ) from error
    signing = load_key(key, public.name)
    if signing.verifier != public:
        raise BoardKeyError(
            f"The key in {key.name} is not the one that this ballot was exported for ({public.keyid}).",
            "Sign with the key that the trust root names for you.",
        )
    return ballot, sign_vote(
        ballot,
        choice=Choice(choice),
        reasons=reasons,
        at=at,
        key=signing,
        conditions=tuple(conditions),
        expires=expires,
    )


def hand_in(house: House, service: str, version: str, envelope: bytes, *, dry_run: bool) -> BoardDecision:
    """Hand in a signed vote on certifying a version; refused, and nothing kept, where it could not count.

    Returns:
        How the ballot stands with this vote.

    Raises:
        EnvelopeError: It is no vote (exit 3).
        BoardKeyError: It is not signed with a member's key (2).
        VoteFormError: It could not count, such as a yes to doubt without its terms (2).
        GovernanceInputError: It answers another ballot, or the ballot is closed (2).
    """
    case = house.cases.get(service, version)
    ballot = ballot_of(house, service, version)
    answered, _ = open_vote(envelope)
    if answered.id != ballot.id:
        raise GovernanceInputError(
            f"This vote answers another ballot than the one on version {version} of {service}.",
            "Vote on the ballot that `luvalla board inbox` shows.",
        )
    members, rules = house.members(), house.policy().board
    now = house.clock().replace(microsecond=0)
    if (closed := why_closed(ballot, rules, now)) is not None:
        raise GovernanceInputError(closed, f"Put the question again: `luvalla promote {service} {version}`.")
    vote = verify_vote(envelope, members)
    if isinstance(vote, IgnoredVote):
        raise BoardKeyError(f"This vote cannot count: {vote.reason}.", "Sign it with the member's own key.")
    gate = promotion.judge(house, case)
    if gate is None:
        raise GovernanceInputError(f"Version {version} of {service} has no audit report.", "Audit it first.")
    alone = decide(members, 1, [vote], gate, ballot=ballot, rules=rules, at=now)
    if alone.ignored:
        raise VoteFormError(
            f"This vote would not count: it is {_as_is(alone.ignored[0].reason)}.", _hint(gate.outcome)
        )
    if dry_run:
        kept = [verify_vote(house.evidence.get(digest), members) for digest in case.votes]
        return decide(
            members, house.trust_root.quorum, [*kept, vote], gate, ballot=ballot, rules=rules, at=now
        )
    promotion.cast(house, service, version, envelope)
    decision = promotion.tally(house, house.cases.get(service, version))
    if decision is None:  # pragma: no cover - there is a ballot and a report
        raise GovernanceInputError("The ballot is gone.", "See `luvalla board inbox`.")
    return decision


def decision_document(decision: BoardDecision) -> dict[str, Any]:
    """A decision as JSON values."""
    return {
        "outcome": str(decision.outcome),
        "reasons": list(decision.reasons),
        "quorum": decision.needed,
        "votes": [
            {
                "member": v.member,
                "choice": str(v.choice),
                "reasons": v.reasons,
                "at": format_time(v.at),
                "digest": v.digest,
            }
            for v in decision.counted
        ],
        "ignored": [{"member": v.member, "reason": v.reason, "digest": v.digest} for v in decision.ignored],
        "dissent": [vote.member for vote in decision.dissent],
        "conditions": [{"text": c.text, "due": format_time(c.due)} for c in decision.conditions],
        "expires": None if decision.expires is None else format_time(decision.expires),
        "data_protection_officer": decision.data_protection_officer,
    }


def decision_lines(decision: BoardDecision) -> list[str]:
    """The same for people."""
    return [
        f"the board: {str(decision.outcome).replace('-', ' ')}",
        *[f"  {reason}" for reason in decision.reasons],
        *[f"  {vote.member}: {vote.choice} ({vote.reasons})" for vote in decision.counted],
        *[f"  not counted, {vote.member or 'unknown'}: {vote.reason}" for vote in decision.ignored],
        *[f"  condition, due {format_time(item.due)}: {item.text}" for item in decision.conditions],
        *([f"  until {format_time(decision.expires)}"] if decision.expires is not None else []),
        f"  data protection officer: {decision.data_protection_officer}",
    ]


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist.

    Raises:
        GovernanceInputError: It exists, or its folder does not (exit 2).
        GovernanceUnavailableError: It cannot be written; nothing is left behind (4).
    """
    made = False
    try:
        with path.open("xb") as file:
            made = True
            file.write(content)
    except FileExistsError as error:
        raise GovernanceInputError(f"There is already a file {path}.", "Name another.") from error
    except FileNotFoundError as error:
        raise GovernanceInputError(
            f"The folder {path.parent} does not exist.", "Make it first, or name another file."
        ) from error
    except OSError as error:
        if made:
            path.unlink(missing_ok=True)
        raise GovernanceUnavailableError(
            f"{path} cannot be written: {error.strerror}.", "Check folder and disk, or name another file."
        ) from error


def pretty(envelope: bytes) -> str:
    """A signed statement's content, for people to read before they hand it in."""
    ballot, vote = open_vote(envelope)
    shown = {
        "ballot": ballot.document(),
        "choice": str(vote.choice),
        "reasons": vote.reasons,
        "conditions": [{"text": c.text, "due": format_time(c.due)} for c in vote.conditions],
        "expires": None if vote.expires is None else format_time(vote.expires),
    }
    return json.dumps(shown, ensure_ascii=False, indent=1)


def _as_is(reason: str) -> str:
    return reason if reason.startswith(("recused", "dated", "signed", "not")) else f"one that {reason}"


def _hint(outcome: GateOutcome) -> str:
    if outcome is GateOutcome.NOT_ENOUGH_EVIDENCE:
        return "Doubt is accepted with --condition 'what must be done' DAY and --expires DAY."
    return "See `luvalla board inbox`."
