"""Payload bytes in bulk: the same text with a person's subject id and number put in, checked once per text.

Within one transaction the payloads of many people differ in nothing else. `tests/consent/test_writing.py` holds that
these bytes are those of `entries.Payload` and `entries.PersonalEntry`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consent.canonical import ID_BYTES, b64u

if TYPE_CHECKING:
    from consent.entries import Payload

_NOBODY = bytes(ID_BYTES)
_PLACE = b64u(_NOBODY).encode()


@dataclass(frozen=True)
class PayloadTemplate:
    """A payload with a hole where the subject id stands.

    Attributes:
        before: Bytes before the subject id.
        after: Bytes after it.
    """

    before: bytes
    after: bytes

    @classmethod
    def of(cls, payload: Payload) -> PayloadTemplate:
        """The template of a payload, whose own subject id does not matter.

        Raises:
            EntryFormatError: The payload is not of its form.
        """
        # "subject" is the last key but "v", whose value holds no such text: the last occurrence is the hole.
        before, _, after = replace(payload, subject=_NOBODY).encode().rpartition(_PLACE)
        return cls(before, after)

    def fill(self, subject: bytes) -> bytes:
        """The bytes of this payload for one person."""
        return self.before + b64u(subject).encode() + self.after


@dataclass(frozen=True)
class EnrolmentTemplate:
    """An enrolment with holes where number and subject id stand."""

    before: bytes
    between: bytes
    after: bytes

    @classmethod
    def of(cls, payload: Payload) -> EnrolmentTemplate:
        """The template of an enrolment, whose own number and subject id do not matter.

        Raises:
            EntryFormatError: The payload is not of its form.
        """
        whole = PayloadTemplate.of(replace(payload, body={"number": 0}))
        before, mark, between = whole.before.partition(b'"number":0')
        return cls(before + mark[:-1], between, whole.after)

    def fill(self, number: int, subject: bytes) -> bytes:
        """The bytes of this enrolment for one person."""
        return b"%b%d%b%b%b" % (self.before, number, self.between, b64u(subject).encode(), self.after)


def personal_entry(commitment: bytes) -> bytes:
    """The bytes of a personal entry, as `PersonalEntry.encode` makes them."""
    return b'{"c":"%b","t":"p","v":1}' % b64u(commitment).encode()
