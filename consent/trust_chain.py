"""One version of a trust root, and whether a chain of versions holds (TUF's rule); see `consent/trust.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent.canonical import b64u, b64u_decode, digest, encode, format_time, is_digest, parse_time
from consent.errors import TrustRootError
from consent.shapes import (
    MAX_LIST,
    Check,
    Shape,
    check_object,
    is_integer,
    is_one,
    is_root_hash,
    is_text,
    is_time,
    is_version,
    one_of,
    or_null,
)
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import MAX_SIGNATURES, VerifierKey, b64_decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from consent.canonical import JSON

LABEL = b"luvalla/trust-root/v1\x00"
ROLES = ("chair", "member", "data-protection-officer", "citizens-representative")


HINT = "get the trust root again from the city's publication and compare its digest with the printed one"


@dataclass(frozen=True)
class Member:
    """A member of the ethics board for one term.

    Attributes:
        id: Short stable id, e.g. `aino`.
        name: As shown to people.
        role: One of `ROLES`.
        since: Start of the term, aware; included.
        until: End of the term, aware; not included.
        key: The key the member signs votes with.
    """

    id: str
    name: str
    role: str
    since: datetime
    until: datetime
    key: VerifierKey

    def signs_at(self, moment: datetime) -> bool:
        """Tell whether the term covers a moment."""
        return self.since <= moment < self.until

    def value(self) -> dict[str, JSON]:
        """Return the member as the trust root spells it."""
        return {
            "from": format_time(self.since),
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "until": format_time(self.until),
            "vkey": self.key.vkey,
        }


@dataclass(frozen=True)
class LogKey:
    """A key of the log and the checkpoint sizes it may sign.

    Attributes:
        key: Named as the origin.
        first: Smallest tree size, included.
        until: Tree size from which it no longer counts, or None.
    """

    key: VerifierKey
    first: int
    until: int | None

    def signs(self, size: int) -> bool:
        """Tell whether the key may sign a checkpoint of this size."""
        return self.first <= size and (self.until is None or size < self.until)


@dataclass(frozen=True)
class WitnessRule:
    """How many witnesses a checkpoint needs.

    Attributes:
        keys: The witnesses that count, each public key once.
        threshold: How many different ones must have cosigned; 0 asks for none.
        first: Smallest tree size that needs them; a smaller checkpoint needs none.
    """

    keys: tuple[WitnessKey, ...] = ()
    threshold: int = 0
    first: int = 0

    def needed(self, size: int) -> int:
        """How many cosignatures a checkpoint of this size needs."""
        return self.threshold if size >= self.first else 0


@dataclass(frozen=True)
class Succeeded:
    """The log that a new one takes the place of, as far as it is known.

    Attributes:
        origin: Its name.
        trust_root: DIGEST of version 1 of its trust root.
        size: Number of entries of its last known checkpoint.
        root: Root hash of these, 32 bytes.
    """

    origin: str
    trust_root: str
    size: int
    root: bytes

    def value(self) -> dict[str, JSON]:
        """Return it as the trust root spells it."""
        return {
            "origin": self.origin,
            "root": b64u(self.root),
            "size": self.size,
            "trust_root": self.trust_root,
        }


@dataclass(frozen=True)
class Version:
    """What one version of a trust root says.

    Attributes:
        digest: DIGEST of its canonical text.
        origin: The log's name.
        board: Every term of every member.
        quorum: Votes needed, at least 1.
        log_keys: The log's keys.
        root_keys: Keys that sign the next version.
        threshold: How many of them are needed.
        format: The format it is written in, `v`: 1, 2 or 3.
        witnesses: The rule for witnesses; format 1 has none.
        succeeds: What log this one takes the place of; None, but in format 3.
    """

    digest: str
    origin: str
    board: tuple[Member, ...]
    quorum: int
    log_keys: tuple[LogKey, ...]
    root_keys: tuple[VerifierKey, ...]
    threshold: int
    format: int = 1
    witnesses: WitnessRule = WitnessRule()
    succeeds: Succeeded | None = None


def is_list(value: object) -> bool:
    """Tell whether a value is an array."""
    return isinstance(value, list)


def _is_short_list(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_LIST


def _is_size(value: object) -> bool:
    return is_integer(value) and value >= 0


def _no_witnesses(value: object) -> bool:
    # Version 1 of the format has the field and no rule for it; a list that nothing checks would promise too much.
    return (
        value == {"keys": [], "threshold": 0} and encode(value) == b'{"keys":[],"threshold":0}'
    )  # not false


_SIGNATURE = Shape({"keyid": is_text, "sig": is_text})
_MEMBER = Shape(
    {
        "from": is_time,
        "id": is_text,
        "name": is_text,
        "role": one_of(*ROLES),
        "until": is_time,
        "vkey": is_text,
    }
)
_LOG_KEY = Shape({"from": _is_size, "until": or_null(_is_size), "vkey": is_text})
_FORMAT_1: Mapping[str, Check] = {
    "_type": one_of("luvalla-trust-root"),
    "board": Shape({"members": _is_short_list, "quorum": is_version}),
    "log": _is_short_list,
    "origin": is_text,
    "root": Shape({"keys": _is_short_list, "threshold": is_version}),
    "v": is_one,
    "version": is_version,
    "witnesses": _no_witnesses,
}
_FORMAT_2: Mapping[str, Check] = {
    **_FORMAT_1,
    "v": lambda value: is_integer(value) and value == 2,  # noqa: PLR2004  the format's number
    "witnesses": Shape({"from": _is_size, "keys": _is_short_list, "threshold": _is_size}),
}
_FORMAT_3: Mapping[str, Check] = {
    **_FORMAT_2,
    "v": lambda value: is_integer(value) and value == 3,  # noqa: PLR2004  the format's number
    "succeeds": Shape({"origin": is_text, "root": is_root_hash, "size": is_version, "trust_root": is_digest}),
}
_FORMATS = {2: _FORMAT_2, 3: _FORMAT_3}
_VERSION: Mapping[str, Check] = {
    "signatures": _is_short_list,
    "signed": lambda value: isinstance(value, dict),
}


def verify_chain(versions: Sequence[Any], pin: str | None) -> tuple[Version, ...]:
    """Walk the chain: each version's form, its number, and the two thresholds that sign it.

    Args:
        versions: The file's `versions`, parsed canonical JSON.
        pin: DIGEST that version 1 must have; None believes the file.

    Raises:
        TrustRootError: If the chain is empty or does not hold.
        EntryFormatError: If a part has not the keys of the format.
        NotCanonicalError: If a part has no canonical form.
        KeyFileError: If a key is no vkey.
        NoteError: If a signature is not base64.
    """
    if pin is not None and not is_digest(pin):
        raise TrustRootError(
            "the pin is not sha256: and 64 hex digits", "copy it whole from luvalla.toml or a receipt"
        )
    if not versions:
        raise TrustRootError("the trust root has no version", HINT)
    chain: list[Version] = []
    for number, item in enumerate(versions, start=1):
        check_object(item, _VERSION, f"version {number}")
        signed = item["signed"]
        # Exactly the keys of the format that the version says it has; another `v` is refused as not being 1.
        form = signed.get("v")
        keys_of = _FORMATS.get(form, _FORMAT_1) if is_integer(form) else _FORMAT_1
        check_object(signed, keys_of, f"version {number}.signed")
        text = encode(signed)
        if signed["version"] != number:
            message = f"version {number} of the trust root calls itself {signed['version']}"
            raise TrustRootError(message, HINT)
        version = _read_version(digest(text), signed)
        if number == 1 and pin is not None and version.digest != pin:
            message = f"the trust root's version 1 is {version.digest}, the pin says {pin}"
            raise TrustRootError(message, HINT)
        if chain and version.origin != chain[-1].origin:
            raise TrustRootError(
                "the trust root's origin changed between versions", "a new log has a new trust root"
            )
        if chain and version.format < chain[-1].format:
            raise TrustRootError(
                f"version {number} of the trust root goes back from format {chain[-1].format} to an older one",
                HINT,
            )
        if chain and version.succeeds != chain[-1].succeeds:
            raise TrustRootError(
                f"version {number} of the trust root succeeds another log than the one before", HINT
            )
        # TUF 5.3: the keys of the version before hand over, and the new keys show that they exist.
        deciding = [version, *chain[-1:]]
        signers = _signers(item["signatures"], LABEL + text, deciding)
        for keys in deciding:
            count = len(signers & set(keys.root_keys))
            if count < keys.threshold:
                whose = "its own" if keys is version else "the version before"
                message = (
                    f"version {number} of the trust root has {count} signatures by root keys of {whose}, "
                    f"{keys.threshold} are needed"
                )
                raise TrustRootError(message, "bring more root keys to sign it")
        chain.append(version)
    return tuple(chain)


def _signers(signatures: Sequence[Any], message: bytes, deciding: Sequence[Version]) -> set[VerifierKey]:
    known = {key.keyid: key for version in deciding for key in version.root_keys}
    signers: set[VerifierKey] = set()
    if len(signatures) > MAX_SIGNATURES:
        text = (
            f"a version of the trust root has {len(signatures)} signatures, at most {MAX_SIGNATURES} are read"
        )
        raise TrustRootError(text, HINT)
    for item in signatures:
        check_object(item, _SIGNATURE.keys, "a signature of the trust root")
        key = known.get(item["keyid"])
        if key is None or key in signers:
            raise TrustRootError("a signature of the trust root is by an unknown key or given twice", HINT)
        if not key.verifies(b64_decode(item["sig"]), message):
            text = f"the signature of {key.keyid} does not belong to the trust root's text"
            raise TrustRootError(text, HINT)
        signers.add(key)
    return signers


def _read_version(version_digest: str, signed: Mapping[str, Any]) -> Version:
    for item in signed["board"]["members"]:
        check_object(item, _MEMBER.keys, "a board member")
    for item in signed["log"]:
        check_object(item, _LOG_KEY.keys, "a log key")
    if not all(isinstance(vkey, str) for vkey in signed["root"]["keys"]):
        raise TrustRootError("the trust root's keys are not all text", HINT)
    witnesses = signed["witnesses"]
    if not all(isinstance(vkey, str) for vkey in witnesses["keys"]):
        raise TrustRootError("the trust root's witnesses are not all text", HINT)
    version = Version(
        digest=version_digest,
        origin=signed["origin"],
        board=tuple(
            Member(
                id=item["id"],
                name=item["name"],
                role=item["role"],
                since=parse_time(item["from"]),
                until=parse_time(item["until"]),
                key=VerifierKey.parse(item["vkey"]),
            )
            for item in signed["board"]["members"]
        ),
        quorum=signed["board"]["quorum"],
        log_keys=tuple(
            LogKey(VerifierKey.parse(item["vkey"]), item["from"], item["until"]) for item in signed["log"]
        ),
        root_keys=tuple(VerifierKey.parse(vkey) for vkey in signed["root"]["keys"]),
        threshold=signed["root"]["threshold"],
        format=signed["v"],
        witnesses=WitnessRule(
            tuple(WitnessKey.parse(vkey) for vkey in witnesses["keys"]),
            witnesses["threshold"],
            witnesses.get("from", 0),
        ),
        succeeds=_succeeded(signed.get("succeeds")),
    )
    _check_version(version)
    return version


def _succeeded(value: Any) -> Succeeded | None:
    if value is None:
        return None
    return Succeeded(value["origin"], value["trust_root"], value["size"], b64u_decode(value["root"]))


def _check_version(version: Version) -> None:
    """Refuse a version whose parts contradict each other."""
    publics = {key.public for key in version.root_keys}
    if len(publics) != len(version.root_keys) or version.threshold > len(publics):
        raise TrustRootError(
            "the root keys are not distinct, or fewer than their threshold", "list each key once"
        )
    if not version.log_keys or any(item.key.name != version.origin for item in version.log_keys):
        raise TrustRootError("the log's keys must be named as the origin, and there must be one", HINT)
    watching = [key.public for key in version.witnesses.keys]
    if len(set(watching)) != len(watching) or version.witnesses.threshold > len(watching):
        raise TrustRootError(
            "the witnesses' keys are not distinct, or fewer than their threshold", "list each key once"
        )
    if version.succeeds is not None and version.succeeds.origin == version.origin:
        raise TrustRootError("the log succeeds one of its own name", "a new log has a new origin")
    if {item.key.public for item in version.log_keys} & set(watching):
        raise TrustRootError("a witness has a key of the log", "a log is no witness of itself")
    if any(item.until is not None and item.until <= item.first for item in version.log_keys):
        raise TrustRootError("a log key ends before it starts", "give sizes in order")
    owners: dict[bytes, str] = {}
    for number, member in enumerate(version.board):
        if member.until <= member.since:
            message = f"the term of board member {member.id!r} ends before it starts"
            raise TrustRootError(message, "give a later end")
        if owners.setdefault(member.key.public, member.id) != member.id:
            message = f"board member {member.id!r} has the key of another member"
            raise TrustRootError(message, "each member makes a key of their own: `luvalla board keygen`")
        for other in version.board[:number]:
            if other.id == member.id and other.since < member.until and member.since < other.until:
                message = f"board member {member.id!r} has two terms at the same time"
                raise TrustRootError(message, "retire the member first, or start the new term later")
