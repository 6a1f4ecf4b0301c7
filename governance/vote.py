"""A member's signed answer to a ballot.

A vote is an in-toto Statement in a DSSE envelope of its own, signed with the member's key: over the ballot (and by it over
report, model and policy), the choice, the reasons in the member's own words, conditions, expiry and time. Nothing but the
vote's bytes and the member's public key is needed to check it.
"""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consent.canonical import digest, format_time, parse_time
from consent.errors import ConsentError
from governance.ballot import (
    Ballot,
    Condition,
    condition_documents,
    read_ballot,
    read_conditions,
    text_in,
)
from governance.envelope import Envelope, seal, subject_of
from governance.errors import EnvelopeError, VoteFormError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consent.tlog.note import SigningKey
    from consent.trust_chain import Member

VOTE_TYPE = "urn:luvalla:board-vote:v1"
"""Predicate type of a vote. A URN: it names the format and promises no web page."""
MAX_REASONS = 10_000
"""Characters of reasons in one vote: some three pages. More belongs in an attachment to the minutes."""

_VOTE_KEYS = {"at", "ballot", "ballot_id", "choice", "conditions", "expires", "reasons", "v"}
_HINT = "The file was changed, or was not written by this version of luvalla."


class Choice(enum.StrEnum):
    """What a member says to the ballot's question."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Vote:
    """One member's vote whose signature was verified with that member's key (`vote.verify_vote`).

    Args:
        member: Member id that the key belongs to.
        vkey: The key that verified it.
        ballot: Id of the ballot that was signed.
        choice: For, against or abstain.
        reasons: In the member's own words.
        conditions: What must be done; only meaningful in a vote for.
        expires: Until when the yes holds; None leaves it to the policy.
        at: When, as the member wrote it.
        digest: DIGEST of the vote's envelope.
    """

    member: str
    vkey: str
    ballot: str
    choice: Choice
    reasons: str
    conditions: tuple[Condition, ...]
    expires: datetime | None
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class IgnoredVote:
    """A vote that does not count, and why: shown in the minutes, never dropped in silence.

    Args:
        digest: DIGEST of the vote's envelope.
        member: Member id where one is known.
        reason: Plain words.
    """

    digest: str
    member: str | None
    reason: str


def sign_vote(
    ballot: Ballot,
    *,
    choice: Choice,
    reasons: str,
    at: datetime,
    key: SigningKey,
    conditions: Sequence[Condition] = (),
    expires: datetime | None = None,
) -> bytes:
    """Sign a vote.

    Whether the member may vote is not asked here, so that a vote can be signed on a machine that knows nothing but the
    ballot: ask `board.why_may_not_vote` first where the trust root is at hand.

    Args:
        ballot: What is answered.
        choice: For, against or abstain.
        reasons: In the member's own words.
        at: Now; fractions of a second are cut off.
        key: The member's private key, under the name in the member's vkey.
        conditions: What must be done, in a vote for.
        expires: Until when a yes holds.

    Returns:
        The envelope's canonical bytes.

    Raises:
        VoteFormError: Reasons are missing or too long, a condition says nothing, or terms are put on something else than
            a vote for.
    """
    faults = [why_reasons_fail(reasons), _why_misplaced(choice, conditions, expires)]
    if fault := next((fault for fault in faults if fault is not None), None):
        raise VoteFormError(f"This vote cannot be signed: it {fault}.", "Vote again, with what is missing.")
    predicate = {
        "at": format_time(at),
        "ballot": ballot.document(),
        "ballot_id": ballot.id,
        "choice": str(choice),
        "conditions": condition_documents(conditions),
        "expires": None if expires is None else format_time(expires),
        "reasons": reasons,
        "v": 1,
    }
    try:
        return seal(_subject(ballot), VOTE_TYPE, predicate, key)
    except ConsentError as error:
        raise VoteFormError(
            f"This vote cannot be written down: {error.message}.",
            "Write reasons and conditions as plain text.",
        ) from error


def open_vote(envelope: bytes) -> tuple[Ballot, Vote]:
    """Read a vote strictly, believing nothing: neither the signature nor the member is checked (member and vkey are "").

    Raises:
        EnvelopeError: It is no vote, or not in its one spelling.
    """
    opened = Envelope.parse(envelope)
    statement = opened.statement(VOTE_TYPE)
    predicate = statement["predicate"]
    if set(predicate) != _VOTE_KEYS or predicate["v"] != 1 or isinstance(predicate["v"], bool):
        raise EnvelopeError("The statement is not a vote of version 1.", _HINT)
    ballot = read_ballot(predicate["ballot"])
    try:
        vote = Vote(
            member="",
            vkey="",
            ballot=ballot.id,
            choice=Choice(predicate["choice"]),
            reasons=text_in(predicate, "reasons"),
            conditions=read_conditions(predicate["conditions"]),
            expires=None if predicate["expires"] is None else parse_time(text_in(predicate, "expires")),
            at=parse_time(text_in(predicate, "at")),
            digest=opened.digest,
        )
    except (ValueError, ConsentError) as error:
        raise EnvelopeError(f"A field of the vote cannot be read: {error}.", _HINT) from error
    if predicate["ballot_id"] != ballot.id or statement["subject"] != subject_of(_subject(ballot)):
        raise EnvelopeError("The vote's parts are about different things.", _HINT)
    fault = why_reasons_fail(vote.reasons) or _why_misplaced(vote.choice, vote.conditions, vote.expires)
    if fault is not None:
        raise EnvelopeError(f"The vote {fault}.", _HINT)
    return ballot, vote


def verify_vote(envelope: bytes, members: Sequence[Member]) -> Vote | IgnoredVote:
    """Check a vote's signature with the key of the member it names.

    Args:
        envelope: Exact bytes.
        members: Board members of the trust root in force, all terms.

    Returns:
        The vote, or why it cannot count: not a member's key, a broken signature, another spelling.
    """
    try:
        opened = Envelope.parse(envelope)
        _, vote = open_vote(envelope)
    except EnvelopeError as error:
        return IgnoredVote(digest(envelope), None, f"cannot be read: {error.message}")
    known = [member for member in members if member.key.keyid == opened.keyid]
    for member in known:
        if opened.signed_by(member.key):
            return replace(vote, member=member.id, vkey=member.key.vkey)
    if known:
        return IgnoredVote(
            opened.digest, known[0].id, "its signature does not belong to it: changed after signing"
        )
    return IgnoredVote(opened.digest, None, "not a member's key under the trust root in force")


def why_reasons_fail(reasons: str) -> str | None:
    """Why these are not reasons in a member's own words, or None."""
    if not any(unicodedata.category(char)[0] in "LN" for char in reasons):
        return "gives no reasons in the member's own words"
    if len(reasons) > MAX_REASONS:
        return f"its reasons have {len(reasons)} characters, at most {MAX_REASONS} are read"
    return None


def _subject(ballot: Ballot) -> dict[str, str]:
    if ballot.certificate is not None:
        return {"certificate": ballot.certificate}
    return {"model": ballot.model_digest}


def _why_misplaced(choice: Choice, conditions: Sequence[Condition], expires: datetime | None) -> str | None:
    if choice is not Choice.FOR and (conditions or expires is not None):
        return "sets conditions or an expiry, which only a vote for can have"
    if any(not condition.text.strip() for condition in conditions):
        return "has a condition that says nothing"
    return None
