"""The board's seats: who holds which key for which term, as versions of the trust root that the root key signs."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from consent.errors import ConsentError
from consent.tlog.note import VerifierKey, load_key
from consent.trust_chain import Member
from governance.board import why_may_not_vote
from governance.errors import BoardKeyError, RecusedMemberError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from consent.tlog.note import SigningKey
    from consent.trust import TrustRoot
    from governance.ballot import Ballot
    from governance.house import House

_ID = re.compile(r"[^\W_][\w.-]{0,63}")


def key_name(origin: str, member_id: str) -> str:
    """The name that a member's key signs under."""
    return f"{origin}/board/{member_id}"


def check_id(member_id: str) -> None:
    """See that an id can name a key and its file.

    Raises:
        BoardKeyError: It cannot (exit 2).
    """
    if not _ID.fullmatch(member_id):
        raise BoardKeyError(
            f"{member_id[:70]!r} cannot be a member's id.",
            "Take up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )


def make_folder(folder: Path) -> None:
    """The folder of keys inside a home (mode 700).

    Raises:
        BoardKeyError: There is no home to put it in (exit 2).
    """
    if not folder.parent.is_dir():
        raise BoardKeyError(
            f"There is no folder {folder.parent} to keep the key in.", "Name a file of your own with --out."
        )
    folder.mkdir(mode=0o700, exist_ok=True)


def root_keys(house: House) -> list[SigningKey]:
    """The home's root key, which signs the next version of the trust root.

    Raises:
        KeyFileError: The file is missing or holds no key (exit 2).
    """
    return [load_key(house.home.root_key, key.name) for key in house.trust_root.versions[-1].root_keys[:1]]


def put_in_force(house: House, trust: TrustRoot) -> int:
    """Save a new version of the trust root and record it; a retry after a crash records it once.

    Args:
        house: The installation.
        trust: The new version.

    Returns:
        Index of its entry in the ledger.
    """
    trust.save(house.home.trust_root)
    index = house.ledger.append_institutional(
        "trust-root",
        {"digest": trust.digest, "version": trust.version},
        request_id=f"trust-root {trust.digest}",
    )
    house.ledger.checkpoint()
    return index


def new_member(
    member_id: str, name: str, role: str, vkey: str, *, since: datetime, until: datetime
) -> Member:
    """A member's term, from what was typed.

    Raises:
        BoardKeyError: The verifier key is none, or the id cannot name one.
    """
    check_id(member_id)
    try:
        key = VerifierKey.parse(vkey)
    except ConsentError as error:
        raise BoardKeyError(
            f"The verifier key of {member_id} cannot be read: {error.message}.",
            "Copy it whole from what `luvalla board keygen` printed.",
        ) from error
    return Member(member_id, name, role, since, until, key)


def terms_of(members: Sequence[Member], member_id: str) -> list[Member]:
    """Every term of one member.

    Raises:
        BoardKeyError: Nobody has this id; the hint names near ones.
    """
    terms = [member for member in members if member.id == member_id]
    if not terms:
        known = sorted({member.id for member in members})
        near = difflib.get_close_matches(member_id, known, n=1)
        raise BoardKeyError(
            f"There is no board member {member_id!r} in the trust root in force.",
            f"Did you mean {near[0]!r}?" if near else f"Members are: {', '.join(known) or 'none yet'}.",
        )
    return terms


def signing_key(
    members: Sequence[Member], member_id: str, path: Path, at: datetime
) -> tuple[Member, SigningKey]:
    """A member's present term and private key, checked against the trust root.

    Args:
        members: Every term in the trust root in force.
        member_id: Who signs.
        path: Their key file.
        at: Now.

    Raises:
        BoardKeyError: No such member, or the key is not theirs (exit 2).
        RecusedMemberError: They are not in office (2).
        KeyFileError: The file cannot be read or is open to others (2).
    """
    terms = terms_of(members, member_id)
    serving = [term for term in terms if term.signs_at(at)]
    if not serving:
        raise RecusedMemberError(
            f"{member_id} is not in office now, so what they sign does not count.",
            "See the terms: `luvalla board members`.",
        )
    term = serving[0]
    key = load_key(path, term.key.name)
    if key.verifier.public != term.key.public:
        owner = next((member.id for member in members if member.key.public == key.verifier.public), None)
        whose = "belongs to no member of the board" if owner is None else f"is the key of {owner}"
        raise BoardKeyError(
            f"The key in {path.name} is not the one that the trust root names for {member_id}: it {whose}.",
            "Sign with your own key. A new key is enrolled with `luvalla board members --retire` and `--add`.",
        )
    return term, key


def check_may_vote(member: Member, ballot: Ballot, at: datetime) -> None:
    """Say so before a member signs in vain.

    Raises:
        RecusedMemberError: Their vote on this ballot would not count (exit 2).
    """
    reason = why_may_not_vote(member, ballot, at)
    if reason is not None:
        raise RecusedMemberError(
            f"{member.id} may not vote on this ballot: {reason}.",
            "No one decides on their own work. Another member has to vote.",
        )
