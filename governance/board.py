"""The board's rules as code: who may vote on what, when a vote counts, and when the board has said yes.

Everything here is pure: members, ballot, votes, the gate's decision and the time come in as values, and a `BoardDecision`
comes out. A certificate has no authority of its own: each verifier calls `decide` again on the same votes
(`governance/certificate.py`), so these rules are the only place where a yes is made.

Choices that are ours and not a law of nature, all on the side of no:

* Quorum counts different members whose vote counts; it does not shrink when members are recused.
* Yes needs more than half of the counted votes; an abstention counts as a vote that is not for. A tie is a no.
* The later of two votes by one member on one ballot replaces the earlier. Two different votes dated the same second
  contradict each other, and neither counts. The same envelope twice counts once.
* A term must cover both the vote and the decision: a signature carries only the time its signer wrote into it, so a vote by
  a former member, dated back into the term, is not counted.
* What members for the motion ask is cumulative: the conditions are all of theirs, the expiry the earliest of theirs,
  because each said yes only under those terms.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from consent.canonical import format_time
from governance.ballot import Ballot, Condition, Question
from governance.gate import GateDecision, GateOutcome
from governance.policy import months_after
from governance.vote import Choice, IgnoredVote, Vote, why_reasons_fail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consent.trust_chain import Member
    from governance.profile import BoardRules

OFFICER = "data-protection-officer"
"""The role, as the trust root spells it (`consent.trust_chain.ROLES`)."""


class DecisionOutcome(enum.StrEnum):
    """How a ballot stands."""

    APPROVED = "approved"
    APPROVED_WITH_CONDITIONS = "approved-with-conditions"
    REFUSED = "refused"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class BoardDecision:
    """What the board said.

    Args:
        outcome: Approved, approved with conditions, refused, or still open.
        reasons: Why it is not a yes; empty for a yes.
        counted: The votes that count, by member id.
        ignored: The votes that do not, with the reason.
        dissent: The counted votes on the losing side; for an open ballot none.
        conditions: All conditions of the votes for, earliest first; empty unless approved.
        expires: When the approval ends; None unless approved.
        data_protection_officer: How the data protection officer stands: "for", "against", "abstain", "did not vote",
            or "no data protection officer serves on the board".
        needed: Counted votes needed for quorum.
    """

    outcome: DecisionOutcome
    reasons: tuple[str, ...]
    counted: tuple[Vote, ...]
    ignored: tuple[IgnoredVote, ...]
    dissent: tuple[Vote, ...]
    conditions: tuple[Condition, ...]
    expires: datetime | None
    data_protection_officer: str
    needed: int

    @property
    def approved(self) -> bool:
        """Whether the board said yes."""
        return self.outcome in {DecisionOutcome.APPROVED, DecisionOutcome.APPROVED_WITH_CONDITIONS}


def decide(
    members: Sequence[Member],
    quorum: int,
    votes: Sequence[Vote | IgnoredVote],
    gate: GateDecision,
    *,
    ballot: Ballot,
    rules: BoardRules,
    at: datetime,
) -> BoardDecision:
    """Apply the board's rules to a ballot on certifying a version.

    1. The ballot must be about what the gate decided on, say what the gate said, and not be closed: votes are not kept for a
       later day, when they would make a certificate anew that had expired or was stopped.
    2. A failed version is never accepted, whatever the votes.
    3. Votes that do not count are set aside with a reason.
    4. Quorum, then more than half of the counted votes.
    5. The expiry is the earliest of the policy's and the votes for.

    Args:
        members: Every term in the trust root in force, past and future ones too.
        quorum: Counted votes needed, from the trust root.
        votes: Verified votes, and those that did not verify (kept for the minutes).
        gate: The gate's decision, recomputed from report and policy.
        ballot: What was asked.
        rules: The policy's rules for the board.
        at: The moment of the decision.

    Returns:
        The decision. Never raises for a no.
    """
    against: list[str] = []
    if ballot.question is not Question.CERTIFY:
        against.append("This ballot does not ask to certify a version.")
    against += _mismatches(ballot, gate)
    if (closed := why_closed(ballot, rules, at)) is not None:
        against.append(closed)
    if gate.outcome in {GateOutcome.FAILED, GateOutcome.REFUSED} or not gate.acceptable:
        against.append(
            f"The gate's answer is {gate.outcome}, which no vote can turn into a yes: "
            + "; ".join(gate.why_not)
        )
    needs_terms = gate.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    tally = _tally(members, quorum, votes, ballot=ballot, at=at, rules=rules if needs_terms else None)
    if against:
        return tally.refused(against)
    if tally.open_because:
        return tally.still_open()
    if not tally.carried:
        return tally.refused([tally.why_not_carried()])
    in_favour = [vote for vote in tally.counted if vote.choice is Choice.FOR]
    conditions = tuple(
        sorted({condition for vote in in_favour for condition in vote.conditions}, key=_by_due)
    )
    months = rules.accept.months_at_most if needs_terms else rules.certificate_months
    expires = min(
        [months_after(at, months), *(vote.expires for vote in in_favour if vote.expires is not None)]
    )
    if expires <= at:
        return tally.refused([f"The earliest expiry that a member set, {format_time(expires)}, has passed."])
    outcome = DecisionOutcome.APPROVED_WITH_CONDITIONS if conditions else DecisionOutcome.APPROVED
    return tally.approved(outcome, conditions, expires)


def decide_revocation(
    members: Sequence[Member],
    quorum: int,
    votes: Sequence[Vote | IgnoredVote],
    *,
    ballot: Ballot,
    at: datetime,
) -> BoardDecision:
    """Apply the board's rules to a ballot on revoking a certificate: the same votes, quorum and majority, no gate.

    Args:
        members: Every term in the trust root in force.
        quorum: Counted votes needed, from the trust root.
        votes: Verified votes, and those that did not verify.
        ballot: What was asked; its question is to revoke.
        at: The moment of the decision.

    Returns:
        The decision; approved means revoked. `expires` is `at`: a revocation holds at once and for good.
    """
    tally = _tally(members, quorum, votes, ballot=ballot, at=at, rules=None)
    if ballot.question is not Question.REVOKE:
        return tally.refused(["This ballot does not ask to revoke a certificate."])
    if tally.open_because:
        return tally.still_open()
    if not tally.carried:
        return tally.refused([tally.why_not_carried()])
    return tally.approved(DecisionOutcome.APPROVED, (), at)


def why_closed(ballot: Ballot, rules: BoardRules, at: datetime) -> str | None:
    """Why a ballot can no longer be decided, in plain words, or None; a closed question has to be put again."""
    end = ballot.opened + timedelta(days=rules.ballot_days)
    if at < end:
        return None
    return f"The ballot closed on {format_time(end)}, {rules.ballot_days} days after it was opened."


def why_may_not_vote(member: Member, ballot: Ballot, at: datetime) -> str | None:
    """Why this member's vote on this ballot would not count now, in plain words, or None.

    For the command line and the pages, which say so before a member signs in vain.
    """
    if not member.signs_at(at):
        return f"the term runs from {format_time(member.since)} to {format_time(member.until)}"
    return ballot.interest_of(member.id)


@dataclass(frozen=True, slots=True)
class _Tally:
    """Votes sorted into counted and ignored, with the counts that the rules ask for."""

    counted: tuple[Vote, ...]
    ignored: tuple[IgnoredVote, ...]
    quorum: int
    open_because: str | None
    officer: str

    @property
    def votes_for(self) -> int:
        return sum(vote.choice is Choice.FOR for vote in self.counted)

    @property
    def carried(self) -> bool:
        return self.open_because is None and 2 * self.votes_for > len(self.counted)

    def why_not_carried(self) -> str:
        return f"{self.votes_for} of {len(self.counted)} counted votes are for; more than half are needed."

    def _decision(
        self,
        outcome: DecisionOutcome,
        reasons: Iterable[str],
        dissent: Iterable[Vote] = (),
        conditions: tuple[Condition, ...] = (),
        expires: datetime | None = None,
    ) -> BoardDecision:
        return BoardDecision(
            outcome=outcome,
            reasons=tuple(reasons),
            counted=self.counted,
            ignored=self.ignored,
            dissent=tuple(dissent),
            conditions=conditions,
            expires=expires,
            data_protection_officer=self.officer,
            needed=self.quorum,
        )

    def refused(self, reasons: Iterable[str]) -> BoardDecision:
        return self._decision(
            DecisionOutcome.REFUSED, reasons, (vote for vote in self.counted if vote.choice is Choice.FOR)
        )

    def still_open(self) -> BoardDecision:
        return self._decision(DecisionOutcome.OPEN, [self.open_because or ""])

    def approved(
        self, outcome: DecisionOutcome, conditions: tuple[Condition, ...], expires: datetime
    ) -> BoardDecision:
        minority = (vote for vote in self.counted if vote.choice is Choice.AGAINST)
        return self._decision(outcome, (), minority, conditions, expires)


def _tally(
    members: Sequence[Member],
    quorum: int,
    votes: Sequence[Vote | IgnoredVote],
    *,
    ballot: Ballot,
    at: datetime,
    rules: BoardRules | None,
) -> _Tally:
    ignored = [vote for vote in votes if isinstance(vote, IgnoredVote)]
    valid: dict[str, Vote] = {}
    for vote in votes:
        if isinstance(vote, IgnoredVote):
            continue
        reason = _why_ignored(vote, members, ballot=ballot, at=at, rules=rules)
        if reason is None and vote.digest in valid:
            reason = "the same vote was handed in twice; it counts once"
        if reason is None:
            valid[vote.digest] = vote
        else:
            ignored.append(IgnoredVote(vote.digest, vote.member, reason))
    counted, replaced = _last_of_each(valid.values())
    ignored += replaced
    return _Tally(
        counted=counted,
        ignored=tuple(ignored),
        quorum=quorum,
        open_because=_why_open(members, quorum, counted, at),
        officer=_officer(members, counted, at),
    )


def _why_ignored(
    vote: Vote, members: Sequence[Member], *, ballot: Ballot, at: datetime, rules: BoardRules | None
) -> str | None:
    terms = [member for member in members if member.id == vote.member and member.key.vkey == vote.vkey]
    if not terms:
        return "not a member's key under the trust root in force"
    if vote.ballot != ballot.id:
        return "signed for another ballot"
    if not any(term.signs_at(vote.at) and term.signs_at(at) for term in terms):
        return "the member's term does not cover both the vote and the decision"
    if (interest := ballot.interest_of(vote.member)) is not None:
        return f"recused: the member {interest}"
    if vote.at < ballot.opened:
        return "dated before the ballot was opened"
    if vote.at > at:
        return "dated after the decision"
    if (fault := why_reasons_fail(vote.reasons)) is not None:
        return fault
    if rules is not None and vote.choice is Choice.FOR:
        return _why_terms_fail(vote, rules)
    return None


def _why_terms_fail(vote: Vote, rules: BoardRules) -> str | None:
    """What a vote for evidence that is not enough must bring: a condition, an expiry, neither too late."""
    if not vote.conditions or vote.expires is None:
        return "accepts evidence that is not enough without naming a condition and an expiry"
    latest = months_after(vote.at, rules.accept.months_at_most)
    if vote.expires > latest:
        return f"its expiry is later than the policy allows ({rules.accept.months_at_most} months: {format_time(latest)})"
    if any(condition.due > vote.expires or condition.due <= vote.at for condition in vote.conditions):
        return "a condition is due before the vote or after the expiry"
    return None


def _last_of_each(votes: Iterable[Vote]) -> tuple[tuple[Vote, ...], list[IgnoredVote]]:
    by_member: dict[str, list[Vote]] = {}
    for vote in votes:
        by_member.setdefault(vote.member, []).append(vote)
    counted: list[Vote] = []
    ignored: list[IgnoredVote] = []
    for member, theirs in sorted(by_member.items()):
        last = max(vote.at for vote in theirs)
        latest = [vote for vote in theirs if vote.at == last]
        ignored += [
            IgnoredVote(vote.digest, member, "replaced by the member's later vote")
            for vote in theirs
            if vote.at != last
        ]
        if len(latest) == 1:
            counted += latest
        else:
            ignored += [
                IgnoredVote(
                    vote.digest, member, "contradicts another vote of the same second; neither counts"
                )
                for vote in latest
            ]
    return tuple(counted), ignored


def _why_open(members: Sequence[Member], quorum: int, counted: Sequence[Vote], at: datetime) -> str | None:
    """Why the ballot cannot be closed yet; emptiness and a broken board keep it open, which is never a yes."""
    if quorum < 1:
        return "The trust root sets no quorum, so the board cannot decide."
    if not any(member.signs_at(at) for member in members):
        return "No member of the board is in office."
    owners: dict[bytes, str] = {}
    for member in members:
        if owners.setdefault(member.key.public, member.id) != member.id:
            return "Two members share one key, so their votes cannot be told apart."
    if len(counted) < quorum:
        return f"{len(counted)} of the {quorum} votes needed for quorum count so far."
    return None


def _officer(members: Sequence[Member], counted: Sequence[Vote], at: datetime) -> str:
    officers = {m.id for m in members if m.role == OFFICER and m.signs_at(at)}
    if not officers:
        return "no data protection officer serves on the board"
    choices = sorted({str(vote.choice) for vote in counted if vote.member in officers})
    return ", ".join(choices) or "did not vote"


def _mismatches(ballot: Ballot, gate: GateDecision) -> list[str]:
    pairs = [
        ("service", ballot.service, gate.service),
        ("model", ballot.model_digest, gate.model_digest),
        ("report", ballot.report_digest, gate.report_digest),
        ("policy", ballot.policy_digest, gate.policy_digest),
        ("gate's outcome", str(ballot.gate_outcome), str(gate.outcome)),
        ("lines without enough evidence", sorted(set(ballot.undecided)), sorted(set(gate.undecided))),
    ]
    return [
        f"The ballot is about another {what} than the gate decided on (ballot: {on_ballot}; gate: {at_gate})."
        for what, on_ballot, at_gate in pairs
        if on_ballot != at_gate
    ]


def _by_due(condition: Condition) -> tuple[datetime, str]:
    return condition.due, condition.text
