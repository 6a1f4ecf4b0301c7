"""The bytes that are hashed: canonical JSON, base64url, digests, times, commitments and use-tree slots.

Normative text: docs/spec/ledger-v1.md. What an entry may say is in `consent/entries.py`; nothing else in this room
spells a hash's input. Canonical JSON is RFC 8785 restricted to objects with ASCII keys, arrays, strings, booleans, null
and integers of magnitude below 2^53: no floats, so that a second implementation is a page long.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2s, sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from consent.errors import NotCanonicalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | bool | None"
"""A value of the canonical subset; arrays are lists or tuples."""

MAX_ENTRY_BYTES = 65_535
"""C2SP tlog-tiles: entry bundles prefix each entry with its length as a uint16."""
MAX_DEPTH = 32
"""Deepest nesting of arrays and objects; no kind of version 1 needs more than 5, details may hold documents."""
MAX_INTEGER = 2**53 - 1
"""RFC 8785 section 3.2.2.3 and RFC 7493: integers that every JSON reader keeps exactly."""

HASH_BYTES = 32
SALT_BYTES = 32
ID_BYTES = 16
"""Subject ids and run ids are 128 random bits."""

SLOT_MULTIPLE = 65_536
"""Use trees are padded to a multiple of this, so that a run's size says little about the number of residents."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_DETAIL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_CANONICAL_HINT = "see docs/spec/ledger-v1.md, section 2"
_MAX_DIGITS = 16


# Canonical JSON


def encode(value: JSON) -> bytes:
    """Return the canonical bytes of a value.

    Example:
        >>> encode({"v": 1, "t": "p"})
        b'{"t":"p","v":1}'

    Raises:
        NotCanonicalError: If the value holds a float, a large integer, a key that is not ASCII text, a lone
            surrogate, another type, or is nested too deeply.
    """
    _check_subset(value, 0)
    try:
        # For this subset the standard library spells as RFC 8785 does, five times faster (a property test compares).
        return _ENCODER.encode(value).encode("utf-8")
    except (TypeError, UnicodeEncodeError) as error:
        message = f"the value has no canonical form ({type(error).__name__})"
        raise NotCanonicalError(message, _CANONICAL_HINT) from error


def decode(text: bytes, *, limit: int = MAX_ENTRY_BYTES) -> Any:
    """Parse canonical bytes strictly; `encode(decode(text)) == text` for everything accepted.

    Raises:
        NotCanonicalError: If the bytes are too many, not UTF-8, not JSON, use a duplicate key, a float or another
            spelling than the canonical one.
    """
    if len(text) > limit:
        message = f"canonical JSON of {len(text)} bytes, at most {limit} are allowed"
        raise NotCanonicalError(message, _CANONICAL_HINT)
    try:
        value = _DECODER.decode(text.decode("utf-8"))
        _check_subset(value, 0)
        # For this subset the standard library spells as RFC 8785 does, five times faster (a property test compares).
        again = _ENCODER.encode(value).encode("utf-8")
    except NotCanonicalError:
        raise
    except (ValueError, RecursionError) as error:
        message = f"expected canonical JSON, got bytes that do not parse ({type(error).__name__})"
        raise NotCanonicalError(message, _CANONICAL_HINT) from error
    if again != text:
        raise NotCanonicalError("the JSON is not spelled canonically (RFC 8785)", _CANONICAL_HINT)
    return value


def _check_subset(value: object, depth: int) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonicalError("an integer is 2^53 or more in magnitude", _CANONICAL_HINT)
        return
    if depth >= MAX_DEPTH:
        message = f"the value is nested deeper than {MAX_DEPTH} levels"
        raise NotCanonicalError(message, _CANONICAL_HINT)
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonicalError("an object's key is not ASCII text", _CANONICAL_HINT)
            _check_subset(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_subset(item, depth + 1)
    else:
        message = f"expected an object, array, string, integer, boolean or null, got {type(value).__name__}"
        raise NotCanonicalError(message, _CANONICAL_HINT)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise NotCanonicalError("an object has the same key twice", _CANONICAL_HINT)
    return result


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > _MAX_DIGITS:
        raise NotCanonicalError("an integer is 2^53 or more in magnitude", _CANONICAL_HINT)
    return int(digits)


def _refuse_number(text: str) -> Any:
    message = f"numbers with a fraction or exponent are not allowed, got {text[:20]!r}"
    raise NotCanonicalError(message, _CANONICAL_HINT)


# Made once: `json.loads` and `json.dumps` would make theirs anew for every value.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates,
    parse_int=_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# base64url, digests, times


def b64u(raw: bytes) -> str:
    """Return base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def b64u_decode(text: str, *, length: int | None = None) -> bytes:
    """Return the bytes of strict base64url: no padding, no other alphabet, no stray bits.

    Args:
        text: The encoded bytes.
        length: How many bytes are expected, if that is known.

    Raises:
        NotCanonicalError: If the text is spelled otherwise or has another length.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotCanonicalError("expected base64url without padding", _CANONICAL_HINT) from error
    if b64u(raw) != text:
        raise NotCanonicalError("base64url is not in its canonical spelling", _CANONICAL_HINT)
    if length is not None and len(raw) != length:
        message = f"expected {length} bytes in base64url, got {len(raw)}"
        raise NotCanonicalError(message, _CANONICAL_HINT)
    return raw


def digest(raw: bytes) -> str:
    """Return "sha256:" and the SHA-256 in lower-case hex."""
    return f"sha256:{sha256(raw).hexdigest()}"


def is_digest(text: object) -> bool:
    """Tell whether a value is spelled as `digest` spells it."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def format_time(moment: datetime) -> str:
    """Return `YYYY-MM-DDThh:mm:ssZ`; fractions of a second are cut off.

    Raises:
        NotCanonicalError: If the moment carries no time zone.
    """
    if moment.tzinfo is None:
        raise NotCanonicalError("a time without a time zone was given", "pass an aware datetime, in UTC")
    # Not strftime("%Y"): the C library of Linux does not pad years to four digits.
    return f"{moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def parse_time(text: str) -> datetime:
    """Return the moment, in UTC, of `YYYY-MM-DDThh:mm:ssZ`, the only spelling accepted.

    Raises:
        NotCanonicalError: If the text is spelled otherwise or names no moment.
    """
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise NotCanonicalError("expected a time as YYYY-MM-DDThh:mm:ssZ", "write times in UTC, to the second")


# Commitments


def commitment(origin: str, salt: bytes, payload: bytes) -> bytes:
    """Return the 32 bytes that a personal entry publishes instead of its payload."""
    _check_salt(salt)
    return sha256(commitment_label(origin) + salt + payload).digest()


def commitment_label(origin: str) -> bytes:
    """Return the bytes before salt and payload in what a commitment hashes."""
    return b"luvalla/commitment/v1\x00" + origin.encode() + b"\x00"


def detail_digest(origin: str, name: str, salt: bytes, value: bytes) -> str:
    """Return the base64url digest that a payload carries for one of its details.

    Raises:
        NotCanonicalError: If the name does not match `[a-z][a-z0-9_-]{0,63}` or the salt is not 32 bytes.
    """
    _check_salt(salt)
    if not is_detail_name(name):
        raise NotCanonicalError("a detail's name does not match [a-z][a-z0-9_-]{0,63}", _CANONICAL_HINT)
    label = b"luvalla/detail/v1\x00" + origin.encode() + b"\x00" + name.encode() + b"\x00"
    return b64u(sha256(label + salt + value).digest())


def is_detail_name(name: str) -> bool:
    """Tell whether a detail may have this name."""
    return _DETAIL_NAME.fullmatch(name) is not None


def _check_salt(salt: bytes) -> None:
    if len(salt) != SALT_BYTES:
        message = f"a salt is {SALT_BYTES} random bytes, got {len(salt)}"
        raise NotCanonicalError(message, _CANONICAL_HINT)


# Slots of the use tree and of the values tree. Each returned hash is a leaf hash for merkle.root_of.


def use_tree_size(highest_number: int) -> int:
    """Return N: one more than the highest number in use, rounded up to a multiple of 65,536."""
    return (highest_number // SLOT_MULTIPLE + 1) * SLOT_MULTIPLE


def use_salt(use_key: bytes, run: bytes) -> bytes:
    """Return the salt of a person's slot in a run: only the holder of the use key can make it."""
    return blake2s(run, key=use_key, digest_size=32).digest()


def values_salt(use_key: bytes, run: bytes) -> bytes:
    """Return the salt of a person's slot in a run's values tree."""
    return blake2s(b"values" + run, key=use_key, digest_size=32).digest()


def use_slot(run: bytes, number: int, status: int, salt: bytes) -> bytes:
    """Return the leaf hash that says what happened to one person in a run."""
    return sha256(
        b"\x00luvalla/use/v1\x00" + run + number.to_bytes(4, "big") + status.to_bytes(1, "big") + salt
    ).digest()


def use_slots(
    run: bytes, keys: Mapping[int, bytes], statuses: bytes | bytearray, first: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Yield number and slot of many people: `use_slot` with `use_salt`, at twice the speed.

    Args:
        run: The run's id, 16 bytes.
        keys: Use key by number.
        statuses: One byte a slot.
        first: The number of the first of them.
    """
    prefix = b"\x00luvalla/use/v1\x00" + run
    for number, key in keys.items():
        place = number - first
        salt = blake2s(run, key=key, digest_size=32).digest()
        text = prefix + number.to_bytes(4, "big") + statuses[place : place + 1] + salt
        yield number, sha256(text).digest()


def values_slot(run: bytes, number: int, salt: bytes, values: bytes) -> bytes:
    """Return the leaf hash over the feature values that a run saw of one person."""
    return sha256(b"\x00luvalla/values/v1\x00" + run + number.to_bytes(4, "big") + salt + values).digest()


def vacant_slots(run: bytes, secret: bytes, numbers: Iterable[int]) -> list[bytes]:
    """Return the leaf hashes of numbers that nobody has (or whose holder was erased before the run).

    Args:
        run: The run's id, 16 bytes.
        secret: The run's secret, 32 random bytes: without it, vacant slots look like any other.
        numbers: The vacant numbers.
    """
    prefix = b"\x00luvalla/vacant/v1\x00" + run
    return [sha256(prefix + number.to_bytes(4, "big") + secret).digest() for number in numbers]


def vacant_values_slots(run: bytes, secret: bytes, numbers: Iterable[int]) -> list[bytes]:
    """Return the same for the values tree."""
    prefix = b"\x00luvalla/vacant-values/v1\x00" + run
    return [sha256(prefix + number.to_bytes(4, "big") + secret).digest() for number in numbers]
