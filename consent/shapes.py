"""The form of every value in entries and payloads of version 1: one table per kind, exact key sets.

Normative text: docs/spec/ledger-v1.md, sections 4 and 5. `consent/entries.py` builds and parses with these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeGuard

from consent import vocabulary
from consent.canonical import (
    HASH_BYTES,
    ID_BYTES,
    SLOT_MULTIPLE,
    b64u_decode,
    is_detail_name,
    is_digest,
    parse_time,
)
from consent.errors import EntryFormatError, NotCanonicalError

MAX_TEXT_CHARACTERS = 1_000
MAX_NOTE_CHARACTERS = 16_384
"""Of a checkpoint in an entry: the log's signature and dozens of witnesses' fit."""
MAX_LIST = 1_000
MAX_DETAILS = 64
MAX_NUMBER = 2**32 - 1
"""A slot's position is hashed as a uint32."""

MAX_INDEX = 2**53 - 1
"""An index is a JSON integer."""

HINT = "see docs/spec/ledger-v1.md for the keys of each kind"

Check = Callable[[object], bool]


def check_object(value: object, shape: Mapping[str, Check], what: str) -> None:
    """Check that an object has exactly the keys of a shape, each with a value of its form.

    Args:
        value: Anything.
        shape: Key to check.
        what: How a message calls the object.

    Raises:
        EntryFormatError: Naming the key, never the value, since payloads are personal.
    """
    if not isinstance(value, Mapping):
        message = f"expected an object for {what}, got {type(value).__name__}"
        raise EntryFormatError(message, HINT)
    if value.keys() != shape.keys():
        missing = sorted(shape.keys() - value.keys())
        unknown = sorted(value.keys() - shape.keys())
        message = f"{what}: missing keys {missing}, unknown keys {unknown}"
        raise EntryFormatError(message, HINT)
    for key, check in shape.items():
        if isinstance(check, Shape):
            check_object(value[key], check.keys, f"{what}.{key}")
        elif not check(value[key]):
            message = f"{what}: the value of {key!r} does not have its form"
            raise EntryFormatError(message, HINT)


# The form of single values


def is_text(value: object) -> bool:
    """Tell whether a value is a string of 1 to 1,000 characters."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT_CHARACTERS


def is_integer(value: object) -> TypeGuard[int]:
    """Tell whether a value is an integer (and not true or false)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_one(value: object) -> bool:
    """Tell whether a value is the integer 1 (and not true)."""
    return is_integer(value) and value == 1


def is_version(value: object) -> TypeGuard[int]:
    """Tell whether a value is an integer of at least 1."""
    return is_integer(value) and value >= 1


def _is_number(value: object) -> bool:
    return is_integer(value) and 0 <= value <= MAX_NUMBER


def _is_index(value: object) -> bool:
    return is_integer(value) and 0 <= value <= MAX_INDEX


def _is_slots(value: object) -> bool:
    return is_version(value) and value % SLOT_MULTIPLE == 0 and value <= MAX_NUMBER + 1


def is_time(value: object) -> bool:
    """Tell whether a value is a time as `canonical.parse_time` reads it."""
    try:
        return isinstance(value, str) and parse_time(value) is not None
    except NotCanonicalError:
        return False


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _bytes_of(length: int) -> Check:
    def check(value: object) -> bool:
        try:
            return isinstance(value, str) and len(b64u_decode(value)) == length
        except NotCanonicalError:
            return False

    return check


def or_null(check: Check) -> Check:
    """Return a check that also lets null through."""
    return lambda value: value is None or check(value)


def one_of(*words: str) -> Check:
    """Return a check for one of some words."""
    return lambda value: isinstance(value, str) and value in words


def _set_of(item: Check, *, least: int = 1) -> Check:
    """Return a check for a sorted array without repetitions."""

    def check(value: object) -> bool:
        if not isinstance(value, list | tuple) or not least <= len(value) <= MAX_LIST:
            return False
        return all(item(each) for each in value) and list(value) == sorted(set(value))

    return check


def _digests(value: object) -> bool:
    """Tell whether a value is an array of different digests, at least one, in an order that has a meaning."""
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_LIST:
        return False
    return all(is_digest(each) for each in value) and len(set(value)) == len(value)


def is_root_hash(value: object) -> bool:
    """Tell whether a value is 32 bytes in base64url."""
    return _bytes_of(HASH_BYTES)(value)


def _is_note(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NOTE_CHARACTERS


def _language_digests(value: object) -> bool:
    languages = {language.value for language in vocabulary.Language}
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and value.keys() <= languages
        and all(is_digest(each) for each in value.values())
    )


def _details(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) <= MAX_DETAILS
        and all(isinstance(name, str) and is_detail_name(name) for name in value)
        and all(_bytes_of(HASH_BYTES)(each) for each in value.values())
    )


@dataclass(frozen=True)
class Shape:
    """An object with exactly these keys, each with its check."""

    keys: Mapping[str, Check]

    def __call__(self, value: object) -> bool:
        """Tell whether a value has this form."""
        try:
            check_object(value, self.keys, "object")
        except EntryFormatError:
            return False
        return True


_PROCESSING = one_of(*(each.value for each in vocabulary.Processing))
_RECORDED = [each.value for each in vocabulary.ConsentStatus if each is not vocabulary.ConsentStatus.UNKNOWN]

PAYLOAD: Mapping[str, Check] = {
    # The body is added by kind.
    "at": is_time,
    "details": _details,
    "kind": is_text,
    "purpose": or_null(is_text),
    "purpose_version": or_null(is_version),
    "subject": _bytes_of(ID_BYTES),
    "v": is_one,
}
PAYLOADS: Mapping[str, Mapping[str, Check]] = {
    "enrolment": {"number": _is_number},
    "consent": {
        "categories": _set_of(is_text),
        "expires": or_null(is_time),
        "given_by": one_of(*(each.value for each in vocabulary.GivenBy)),
        "language": one_of(*(each.value for each in vocabulary.Language)),
        "method": is_text,
        "notice": is_text,
        "notice_digest": is_digest,
        "notice_version": is_version,
        "processing": _set_of(_PROCESSING),
        "status": one_of(*_RECORDED),
    },
    "act": {"act": is_text, "object": is_digest, "service": or_null(is_text)},
    "right": {
        "answer": one_of(*(each.value for each in vocabulary.RightAnswer)),
        "categories": _set_of(is_text, least=0),
        "corrects": or_null(_is_index),
        "ground": is_text,
        "processing": _set_of(_PROCESSING, least=0),
        "purposes": _set_of(is_text, least=0),
        "reason": or_null(is_text),
        "right": one_of(*(each.value for each in vocabulary.Right)),
    },
    "erasure": {
        "backups_unreadable_by": _is_date,
        "classes": _set_of(is_text),
        "ground": is_text,
        "kept": _set_of(is_text, least=0),
        "kept_why": or_null(is_text),
    },
}
PERSONAL: Mapping[str, Check] = {"c": _bytes_of(HASH_BYTES), "t": one_of("p"), "v": is_one}
INSTITUTIONAL: Mapping[str, Mapping[str, Check]] = {
    "trust-root": {"digest": is_digest, "version": is_version},
    "purpose": {"digest": is_digest, "id": is_text, "version": is_version},
    "notice": {
        "id": is_text,
        "languages": _language_digests,
        "purpose": is_text,
        "purpose_version": is_version,
        "version": is_version,
    },
    "policy": {"digest": is_digest, "name": is_text, "version": is_text},
    "succession": {
        "checkpoint": _is_note,
        "keyid": is_text,
        "origin": is_text,
        "reason": is_text,
        "root": _bytes_of(HASH_BYTES),
        "size": is_version,
        "trust_root": is_digest,
    },
    "run": {
        "basis": is_text,
        "certificate": or_null(is_digest),
        "explanation": or_null(is_digest),
        "model": or_null(Shape({"digest": is_digest, "name": is_text, "version": is_text})),
        "output": or_null(is_digest),
        "processing": _PROCESSING,
        "purpose": is_text,
        "purpose_version": is_version,
        "root": _bytes_of(HASH_BYTES),
        "run": _bytes_of(ID_BYTES),
        "service": is_text,
        "slots": _is_slots,
        "state": Shape({"root": _bytes_of(HASH_BYTES), "size": is_version}),
        "values_root": or_null(_bytes_of(HASH_BYTES)),
    },
    "certificate": {
        "envelope": is_digest,
        "expires": is_time,
        "model_digest": is_digest,
        "model_name": is_text,
        "model_version": is_text,
        "policy": is_digest,
        "report": is_digest,
        "service": is_text,
        "votes": _digests,
    },
    "revocation": {
        "certificate": is_digest,
        "kind": one_of("suspended", "revoked"),
        "reason": is_digest,
        "until": or_null(is_time),
    },
}


def institutional_shape(kind: str) -> Mapping[str, Check]:
    """Return the keys of a whole institutional entry."""
    return {"at": is_time, "b": Shape(INSTITUTIONAL[kind]), "t": one_of(kind), "v": is_one}
