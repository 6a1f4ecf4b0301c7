"""From a person's external id to the keyed pseudonym that finds them; the pseudonym is hashed into nothing."""

from __future__ import annotations

import unicodedata
from hashlib import blake2s

from consent.errors import BadRequestError

MAX_CHARACTERS = 128
KEY_BYTES = 32
STAFF_PREFIX = "staff:"
"""Actors of the house are people of their own kind, never mixed up with residents."""


def normalised(person: str) -> str:
    """The one spelling of an external id: NFKC, without white space around it, upper case.

    Raises:
        BadRequestError: It is empty, longer than `MAX_CHARACTERS` or holds control characters.
    """
    text = unicodedata.normalize("NFKC", person).strip().upper()
    if not text:
        raise BadRequestError("a person's id is empty", "give the id that your register knows the person by")
    if len(text) > MAX_CHARACTERS:
        raise BadRequestError(
            f"a person's id is longer than {MAX_CHARACTERS} characters", "give the id alone"
        )
    if not text.isprintable():
        raise BadRequestError(
            "a person's id holds control characters", "give the id as text, without line breaks"
        )
    return text


def pseudonym(key: bytes, person: str) -> bytes:
    """Keyed BLAKE2s-128 of the normalised id.

    Args:
        key: 32 bytes, from the home's keys folder.
        person: The external id.

    Returns:
        16 bytes.

    Raises:
        BadRequestError: The id is no id.
    """
    return blake2s(normalised(person).encode(), key=key, digest_size=16).digest()


def keyed_digest(key: bytes, label: bytes, *parts: bytes) -> bytes:
    """16 bytes that recognise a request again, and say nothing without the key.

    Args:
        key: The pseudonym key.
        label: Which kind of digest, at most 8 bytes.
        parts: What is recognised; each is preceded by its length, so that no two lists collide.
    """
    state = blake2s(key=key, digest_size=16, person=label)
    for part in parts:
        state.update(len(part).to_bytes(4, "big") + part)
    return state.digest()
