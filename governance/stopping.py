"""Stopping a certified version: one member suspends it for a while, the board revokes it for good.

Both are signed statements kept as evidence, and entries of the ledger; `certificate.verify` refuses from the entry on. A stop
is the safe side, so whoever reads the entry obeys it without asking who signed; who may write one is asked here.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from consent.canonical import format_time, parse_time
from governance.ballot import Ballot, Question, read_ballot
from governance.board import BoardDecision, decide_revocation
from governance.certificate import Revocation, RevocationKind
from governance.certificate_form import parse
from governance.envelope import Envelope, seal
from governance.errors import (
    BoardKeyError,
    EnvelopeError,
    GovernanceEvidenceError,
    GovernanceInputError,
    VoteFormError,
)
from governance.vote import IgnoredVote, verify_vote, why_reasons_fail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.records import InstitutionalEntry
    from consent.tlog.note import SigningKey
    from governance.house import House

SUSPENSION_TYPE = "urn:luvalla:suspension:v1"
"""Predicate type of a member's suspension."""


@dataclass(frozen=True)
class Stopped:
    """What was recorded.

    Args:
        certificates: DIGESTs of the certificates that no longer hold.
        until: End of a suspension, as the ledger writes times; None for a revocation.
        index: Index of the last entry.
    """

    certificates: tuple[str, ...]
    until: str | None
    index: int


def certificates_of(house: House, service: str, version: str) -> list[InstitutionalEntry]:
    """Every certificate that the ledger records for a version, oldest first; expired ones too.

    Raises:
        GovernanceInputError: There is none, so there is nothing to stop (exit 2).
    """
    found = [
        entry
        for entry in house.ledger.institutional("certificate")
        if (entry.body["service"], entry.body["model_version"]) == (service, version)
    ]
    if not found:
        raise GovernanceInputError(
            f"The ledger holds no certificate for version {version} of {service}.",
            "There is nothing to stop: without a certificate it does not run.",
        )
    return found


def revocations(house: House) -> tuple[Revocation, ...]:
    """Every suspension and revocation that the ledger records, with the votes of the certificates they stop."""
    votes = {
        str(entry.body["envelope"]): tuple(map(str, entry.body["votes"]))
        for entry in house.ledger.institutional("certificate")
    }
    return tuple(
        Revocation(
            certificate=str(entry.body["certificate"]),
            kind=RevocationKind(entry.body["kind"]),
            at=entry.at,
            until=None if entry.body["until"] is None else parse_time(entry.body["until"]),
            votes=votes.get(str(entry.body["certificate"]), ()),
        )
        for entry in house.ledger.institutional("revocation")
    )


def suspend(
    house: House,
    service: str,
    version: str,
    *,
    reasons: str,
    days: int | None,
    key: SigningKey,
    dry_run: bool = False,
) -> Stopped:
    """Stop a version at once, on one member's word, for a limited time.

    Each member may do this once per certificate: longer needs another member, or the board.

    Args:
        house: The installation.
        service: Service id.
        version: Version.
        reasons: In the member's own words.
        days: For how long; None: as long as the policy allows.
        key: The member's key, from `membership.signing_key`.
        dry_run: Only say what would be stopped, and until when: the index is then -1.

    Raises:
        GovernanceInputError: No certificate, too long, or suspended by the same member before (exit 2).
        VoteFormError: No reasons (2).
    """
    if (fault := why_reasons_fail(reasons)) is not None:
        raise VoteFormError(f"This suspension cannot be signed: it {fault}.", "Say why, in a sentence.")
    longest = house.policy().board.suspension_days
    days = longest if days is None else days
    if not 1 <= days <= longest:
        raise GovernanceInputError(
            f"A suspension of {days} days was asked for; the policy allows 1 to {longest}.",
            "For longer, the board revokes: `luvalla board revoke`.",
        )
    entries = certificates_of(house, service, version)
    newest = str(entries[-1].body["envelope"])
    if key.verifier.keyid in _suspended_by(house, newest):
        raise GovernanceInputError(
            "This member has suspended this certificate before.",
            "Another member may suspend it, or the board revokes it: `luvalla board revoke`.",
        )
    now = house.clock().replace(microsecond=0)
    until = format_time(now + timedelta(days=days))
    if dry_run:
        return Stopped(tuple(str(entry.body["envelope"]) for entry in entries), until, -1)
    statement = seal(
        {"certificate": newest},
        SUSPENSION_TYPE,
        {
            "at": format_time(now),
            "reasons": reasons,
            "service": service,
            "until": until,
            "v": 1,
            "version": version,
        },
        key,
    )
    return _record(house, entries, RevocationKind.SUSPENDED, house.evidence.put(statement), until)


def revocation_ballot(house: House, service: str, version: str, *, dry_run: bool = False) -> Ballot:
    """The question whether to revoke a version's newest certificate: the one on the table, or a new one.

    Args:
        house: The installation.
        service: Service id.
        version: Version.
        dry_run: Put nothing on the table.

    Raises:
        GovernanceInputError: No certificate (exit 2).
        GovernanceEvidenceError: The certificate kept is not what the ledger names (3).
    """
    entry = certificates_of(house, service, version)[-1]
    envelope = str(entry.body["envelope"])
    table = _Table(house.home.path / "revocations", service, version)
    with nullcontext() if dry_run else table.locked():
        standing = table.read()
        if standing is not None and standing[0].certificate == envelope:
            return standing[0]
        asked = parse(house.evidence.get(envelope)).ballot
        ballot = replace(asked, question=Question.REVOKE, certificate=envelope, opened=house.clock())
        if not dry_run:
            table.write(ballot, ())
        return ballot


def foresee_revocation(house: House, ballot: Ballot, envelope: bytes) -> BoardDecision:
    """How a ballot on revoking would stand with one more vote; nothing is kept.

    Raises:
        BoardKeyError: The vote is not a member's (exit 2).
    """
    members = house.members()
    vote = verify_vote(envelope, members)
    if isinstance(vote, IgnoredVote):
        raise BoardKeyError(f"This vote cannot count: {vote.reason}.", "Sign it with a member's own key.")
    standing = _Table(house.home.path / "revocations", ballot.service, ballot.model_version).read()
    kept = standing[1] if standing is not None and standing[0].id == ballot.id else ()
    checked = [verify_vote(house.evidence.get(one), members) for one in kept]
    now = house.clock().replace(microsecond=0)
    return decide_revocation(members, house.trust_root.quorum, [*checked, vote], ballot=ballot, at=now)


def vote_to_revoke(
    house: House, service: str, version: str, envelope: bytes
) -> tuple[BoardDecision, Stopped | None]:
    """Take a vote on revoking; once the board has decided so, every certificate of the version is revoked.

    Args:
        house: The installation.
        service: Service id.
        version: Version.
        envelope: The signed vote.

    Returns:
        How the ballot stands, and what was recorded if the board revoked.

    Raises:
        BoardKeyError: The vote is not a member's, or was changed (exit 2).
        GovernanceInputError: No revocation is before the board, or the vote answers another ballot (2).
    """
    entries = certificates_of(house, service, version)
    members = house.members()
    table = _Table(house.home.path / "revocations", service, version)
    with table.locked():
        standing = table.read()
        if standing is None:
            raise GovernanceInputError(
                "No revocation is before the board.", "Start with `luvalla board revoke`."
            )
        ballot, kept = standing
        vote = verify_vote(envelope, members)
        if isinstance(vote, IgnoredVote):
            raise BoardKeyError(f"This vote cannot count: {vote.reason}.", "Sign it with a member's own key.")
        if vote.ballot != ballot.id:
            raise GovernanceInputError(
                "This vote answers another ballot than the one on revoking this version.",
                "Vote on that ballot.",
            )
        house.evidence.put(envelope)
        votes = tuple(dict.fromkeys((*kept, vote.digest)))
        checked = [verify_vote(house.evidence.get(one), members) for one in votes]
        now = house.clock().replace(microsecond=0)
        decision = decide_revocation(members, house.trust_root.quorum, checked, ballot=ballot, at=now)
        table.write(ballot, votes)
    house.ledger.append_act(
        vote.member,
        "vote-to-revoke",
        object_digest=vote.digest,
        service=service,
        details={},
        request_id=f"vote {vote.digest}",
    )
    house.ledger.checkpoint()
    if not decision.approved:
        return decision, None
    reason = house.evidence.put(
        json.dumps(
            {"ballot": ballot.document(), "votes": sorted(v.digest for v in decision.counted)}
        ).encode()
    )
    return decision, _record(house, entries, RevocationKind.REVOKED, reason, None)


def _record(
    house: House, entries: list[InstitutionalEntry], kind: RevocationKind, reason: str, until: str | None
) -> Stopped:
    """One entry per certificate of the version: an older one must not step in for the one that was stopped."""
    stopped = []
    index = 0
    for entry in entries:
        certificate = str(entry.body["envelope"])
        index = house.ledger.append_institutional(
            "revocation",
            {"certificate": certificate, "kind": str(kind), "reason": reason, "until": until},
            request_id=f"{kind} {certificate} {reason}",
        )
        stopped.append(certificate)
    house.ledger.checkpoint()
    return Stopped(tuple(stopped), until, index)


def _suspended_by(house: House, certificate: str) -> set[str]:
    """Key ids that signed suspensions of a certificate."""
    keys = set()
    for entry in house.ledger.institutional("revocation"):
        if (entry.body["certificate"], entry.body["kind"]) != (certificate, "suspended"):
            continue
        try:
            keys.add(Envelope.parse(house.evidence.get(str(entry.body["reason"]))).keyid)
        except (EnvelopeError, GovernanceEvidenceError):
            continue  # not signed by a member, or no longer kept: it limits no one
    return keys


class _Table:
    """The revocation ballot of one version and its votes: an index, as a case is (see `governance/cases.py`)."""

    def __init__(self, folder: Path, service: str, version: str) -> None:
        self._folder = folder
        self._path = folder / f"{service}-{version}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read(self) -> tuple[Ballot, tuple[str, ...]] | None:
        if not self._path.exists():
            return None
        try:
            document: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            return read_ballot(document["ballot"]), tuple(map(str, document["votes"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GovernanceEvidenceError(
                f"{self._path.name} is not a revocation ballot of luvalla.",
                "Restore it from a backup, or remove it.",
            ) from error

    def write(self, ballot: Ballot, votes: tuple[str, ...]) -> None:
        beside = self._folder / f".{secrets.token_hex(8)}"
        with beside.open("x", encoding="utf-8") as file:
            beside.chmod(0o600)
            json.dump({"ballot": ballot.document(), "votes": list(votes)}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
