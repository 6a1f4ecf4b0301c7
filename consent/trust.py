"""The trust root: whose signatures count, and since when; a chain of versions by TUF's rule.

Version n+1 is signed by a threshold of version n's root keys and of its own. Version 1's digest is the pin, written in
luvalla.toml and printed on receipts. Normative text: docs/spec/ledger-v1.md, section 9. Values in, values out: a
`TrustRoot` never changes, a change makes a new one, signed by the private keys that the caller brings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.canonical import decode, encode, format_time
from consent.errors import EntryFormatError, KeyFileError, NotCanonicalError, NoteError, TrustRootError
from consent.shapes import check_object
from consent.tlog.durable import replace_file
from consent.tlog.note import SigningKey, VerifierKey, b64
from consent.trust_chain import (
    HINT,
    LABEL,
    LogKey,
    Member,
    Succeeded,
    Version,
    WitnessRule,
    is_list,
    verify_chain,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from consent.canonical import JSON

MAX_BYTES = 4 * 1024 * 1024
"""Hundreds of versions with dozens of members each."""


@dataclass(frozen=True)
class TrustRoot:
    """A verified chain of versions; made by `create`, `parse` or `load`, so it always holds.

    Attributes:
        raw: The file's bytes.
        versions: Every version, version 1 first; the last one is in force.
    """

    raw: bytes
    versions: tuple[Version, ...]

    @classmethod
    def create(
        cls,
        *,
        log_key: VerifierKey,
        root_keys: Sequence[SigningKey],
        threshold: int,
        members: Sequence[Member] = (),
        quorum: int = 1,
        succeeds: Succeeded | None = None,
    ) -> TrustRoot:
        """Make version 1.

        Args:
            log_key: The log's key; its name is the origin.
            root_keys: All sign version 1.
            threshold: How many of them a later version needs.
            members: The board, may be empty at first.
            quorum: Votes the board needs.
            succeeds: The log that this one takes the place of: then it is in format 3.

        Raises:
            TrustRootError: If the parts do not fit together.
        """
        signed: dict[str, JSON] = {
            "_type": "luvalla-trust-root",
            "board": {"members": [member.value() for member in members], "quorum": quorum},
            "log": [{"from": 0, "until": None, "vkey": log_key.vkey}],
            "origin": log_key.name,
            "root": {"keys": [key.verifier.vkey for key in root_keys], "threshold": threshold},
            "v": 1,
            "version": 1,
            "witnesses": {"keys": [], "threshold": 0},
        }
        if succeeds is not None:
            signed |= {
                "succeeds": succeeds.value(),
                "v": 3,
                "witnesses": {"from": 0, "keys": [], "threshold": 0},
            }
        return cls.parse(encode({"versions": [_sign(signed, root_keys)]}), None)

    @classmethod
    def load(cls, path: Path, pin: str | None) -> TrustRoot:
        """Read and verify the file.

        Args:
            path: trust-root.json.
            pin: The digest of version 1, from luvalla.toml or a receipt. None believes the file: only for showing it.

        Raises:
            TrustRootError: If it cannot be read or does not verify.
        """
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            message = f"the trust root {path} cannot be read: {error.strerror}"
            raise TrustRootError(message, HINT) from error
        return cls.parse(raw, pin)

    @classmethod
    def parse(cls, raw: bytes, pin: str | None) -> TrustRoot:
        """Verify a chain; see `load`.

        Raises:
            TrustRootError: If it does not verify.
        """
        try:
            value = decode(raw, limit=MAX_BYTES)
            check_object(value, {"versions": is_list}, "the trust root")
            return cls(raw, verify_chain(value["versions"], pin))
        except (NotCanonicalError, EntryFormatError, KeyFileError, NoteError) as error:
            message = f"the trust root is malformed: {error.message}"
            raise TrustRootError(message, HINT) from error

    def save(self, path: Path) -> None:
        """Write the file, durably.

        Raises:
            TrustRootError: If it cannot be written.
        """
        try:
            replace_file(path, self.raw)
        except OSError as error:
            message = f"the trust root {path} cannot be written: {error.strerror}"
            raise TrustRootError(message, "check the folder and its permissions") from error

    @property
    def pin(self) -> str:
        """Digest of version 1."""
        return self.versions[0].digest

    @property
    def digest(self) -> str:
        """Digest of the version in force."""
        return self.versions[-1].digest

    @property
    def version(self) -> int:
        """Number of the version in force."""
        return len(self.versions)

    @property
    def origin(self) -> str:
        """The log's name, the same in every version."""
        return self.versions[-1].origin

    @property
    def board(self) -> tuple[Member, ...]:
        """Every term of every board member, past and future."""
        return self.versions[-1].board

    @property
    def quorum(self) -> int:
        """Votes that the board needs, at least 1."""
        return self.versions[-1].quorum

    @property
    def log_keys(self) -> tuple[LogKey, ...]:
        """Every key of the log with the sizes it signs."""
        return self.versions[-1].log_keys

    @property
    def witnesses(self) -> WitnessRule:
        """The witnesses that count, and how many a checkpoint needs."""
        return self.versions[-1].witnesses

    def continues(self, older: TrustRoot) -> bool:
        """Tell whether this chain begins with all versions of another one, or is the same."""
        old, new = ([version.digest for version in each.versions] for each in (older, self))
        return new[: len(old)] == old

    @property
    def succeeds(self) -> Succeeded | None:
        """The log that this one takes the place of, if any; the same in every version."""
        return self.versions[-1].succeeds

    def members(self, at: datetime) -> tuple[Member, ...]:
        """Return the members whose term covers a moment (aware)."""
        return tuple(member for member in self.board if member.signs_at(at))

    def log_vkeys(self, size: int) -> tuple[VerifierKey, ...]:
        """Return the log's keys that may sign a checkpoint of a size."""
        return tuple(item.key for item in self.log_keys if item.signs(size))

    def add_member(self, member: Member, signers: Sequence[SigningKey]) -> TrustRoot:
        """Return the next version, with one more term of a member.

        Raises:
            TrustRootError: If the term overlaps another of the same person, the key is another member's, or the
                signers are too few.
        """
        board = [*self.board, member]
        return self._next({"board": _board(board, self.quorum)}, signers)

    def retire_member(self, member_id: str, at: datetime, signers: Sequence[SigningKey]) -> TrustRoot:
        """Return the next version, in which a member's current term ends at a moment.

        Raises:
            TrustRootError: If nobody of that id is serving then, or the signers are too few.
        """
        serving = [member for member in self.members(at) if member.id == member_id]
        if not serving:
            message = f"no board member {member_id!r} is serving at {format_time(at)}"
            raise TrustRootError(message, "see `luvalla board members`")
        # A term needs a second at least; ending it in its first second removes it.
        board = [member for member in self.board if member not in serving]
        board.extend(
            Member(item.id, item.name, item.role, item.since, at, item.key)
            for item in serving
            if format_time(item.since) < format_time(at)
        )
        return self._next({"board": _board(board, self.quorum)}, signers)

    def with_quorum(self, quorum: int, signers: Sequence[SigningKey]) -> TrustRoot:
        """Return the next version, with another quorum.

        Raises:
            TrustRootError: If the quorum is not positive or the signers are too few.
        """
        return self._next({"board": _board(self.board, quorum)}, signers)

    def rotate_log_key(self, key: VerifierKey, size: int, signers: Sequence[SigningKey]) -> TrustRoot:
        """Return the next version, in which a new key signs checkpoints from a size on, and no older key does.

        Raises:
            TrustRootError: If the key is not named as the origin or the signers are too few.
        """
        log = [LogKey(item.key, item.first, size) if item.signs(size) else item for item in self.log_keys]
        kept = [item for item in log if item.until is None or item.first < item.until]
        new = [*kept, LogKey(key, size, None)]
        return self._next(
            {"log": [{"from": item.first, "until": item.until, "vkey": item.key.vkey} for item in new]},
            signers,
        )

    def with_witnesses(self, rule: WitnessRule, signers: Sequence[SigningKey]) -> TrustRoot:
        """Return the next version, in format 2 or 3, with another rule for witnesses.

        Args:
            rule: Its `first` is the size from which checkpoints need the witnesses: at least the present size of the
                log, or receipts that were handed out without them are refused.
            signers: A threshold of the root keys.

        Raises:
            TrustRootError: If the keys are fewer than the threshold, or the signers are too few.
        """
        value: JSON = {
            "from": rule.first,
            "keys": [key.vkey for key in rule.keys],
            "threshold": rule.threshold,
        }
        return self._next({"v": max(2, self.versions[-1].format), "witnesses": value}, signers)

    def with_root_keys(
        self, keys: Sequence[VerifierKey], threshold: int, signers: Sequence[SigningKey]
    ) -> TrustRoot:
        """Return the next version, with other root keys.

        Args:
            keys: The new root keys.
            threshold: How many of them a later version needs.
            signers: A threshold of the present keys and a threshold of the new ones.

        Raises:
            TrustRootError: If the signers are too few or the keys do not fit.
        """
        return self._next({"root": {"keys": [key.vkey for key in keys], "threshold": threshold}}, signers)

    def _next(self, changes: Mapping[str, JSON], signers: Sequence[SigningKey]) -> TrustRoot:
        versions = decode(self.raw, limit=MAX_BYTES)["versions"]
        signed = {**versions[-1]["signed"], **changes, "version": self.version + 1}
        return self.parse(encode({"versions": [*versions, _sign(signed, signers)]}), self.pin)


def _board(members: Sequence[Member], quorum: int) -> JSON:
    return {"members": [member.value() for member in members], "quorum": quorum}


def _sign(signed: Mapping[str, JSON], signers: Sequence[SigningKey]) -> dict[str, JSON]:
    message = LABEL + encode(signed)
    return {
        "signatures": [{"keyid": key.verifier.keyid, "sig": b64(key.sign(message))} for key in signers],
        "signed": signed,
    }
