"""Opening every payload: one way that is fast and takes only what is sound, and one that says what is wrong.

Payloads of many people say the same in all but the subject id, and enrolments but the number too: such a text is parsed
once. `tests/consent/ledger/test_check.py` holds that it is read as `entries.Payload.parse` reads it.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from consent import store_raw
from consent.canonical import ID_BYTES, SALT_BYTES, b64u, commitment, commitment_label, parse_time
from consent.entries import Payload
from consent.errors import ConsentError
from consent.shapes import MAX_NUMBER
from consent.store_consents import epoch
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.fsck_findings import Findings
    from consent.fsck_people import People
    from consent.fsck_ranges import Range
    from consent.log import Log

REMEMBERED = 10_000
"""Texts that are parsed once; of more, the oldest are forgotten together."""
_SHARED: dict[frozenset[str], frozenset[str]] = {}
"""The sets of classes that erasures destroyed: there are few, and each is kept once."""
_CLASSES = {str(each.code).encode(): each for each in RetentionClass}
_NOBODY = b64u(bytes(ID_BYTES)).encode()
_AFTER = b'","v":1}'
_SUBJECT_AT = -len(_NOBODY) - len(_AFTER)
# 22 characters carry 16 bytes and four bits that are 0 in the canonical spelling.
_SUBJECT = re.compile(rb"[A-Za-z0-9_-]{21}[AQgw]")
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
_ENROLMENT = re.compile(
    rb'(\{"at":"[0-9TZ:-]{20}","body":\{"number":)(0|[1-9][0-9]{0,9})(\},"details":\{\},"kind":"enrolment".*)',
    re.DOTALL,
)


class Read(NamedTuple):
    """A payload as read.

    Attributes:
        payload: What it says; of those read together the subject and, in an enrolment, the number are 0.
        subject: The subject id.
        number: The number that an enrolment gives; None in other kinds.
        at: Its time, epoch seconds.
    """

    payload: Payload
    subject: bytes
    number: int | None
    at: int


class PayloadReader:
    """Reads payloads, those that differ in the person alone by one parse."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Payload, int]] = {}

    def read(self, text: bytes) -> Read:
        """Parse a payload.

        Raises:
            EntryFormatError: It is no payload of version 1.
            NotCanonicalError: It is not canonical JSON.
        """
        before, subject, after = text[:_SUBJECT_AT], text[_SUBJECT_AT : -len(_AFTER)], text[-len(_AFTER) :]
        number = None
        if b'"kind":"enrolment"' in before:
            found = _ENROLMENT.fullmatch(before)
            if found is not None and int(found[2]) <= MAX_NUMBER:
                number = int(found[2])
                before = found[1] + b"0" + found[3]
        if after != _AFTER or _SUBJECT.fullmatch(subject) is None:
            return _read(Payload.parse(text))
        known = self._known.get(before)
        if known is None:
            # Only where the hole is the value of "subject" does it read as the subject nobody.
            payload = Payload.parse(before + _NOBODY + after)
            if payload.subject != bytes(ID_BYTES) or (payload.kind == "enrolment") != (number is not None):
                return _read(Payload.parse(text))
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[before] = (payload, epoch(parse_time(payload.at)))
        return Read(known[0], a2b_base64(subject.translate(_TO_BASE64) + b"=="), number, known[1])


def _read(payload: Payload) -> Read:
    number = payload.body["number"] if payload.kind == "enrolment" else None
    return Read(payload, payload.subject, number, epoch(parse_time(payload.at)))


class Opener:
    """Opens payloads, a range of the log at a time.

    Args:
        log: The log.
        people: Whose keys open them; what they say of people is noted there.
        findings: Where faults are noted.
    """

    def __init__(self, log: Log, people: People, findings: Findings) -> None:
        self._log, self._people, self._findings = log, people, findings
        self._reader = PayloadReader()
        self._label = commitment_label(log.origin)

    def open(self, rows: Sequence[store_raw.RawTuple], part: Range) -> None:
        """Open the rows of `payload` of a range, and note in it what they say."""
        indices = store_raw.integers([row[0] for row in rows])
        numbers = store_raw.integers([row[1] for row in rows])
        if indices is None or numbers is None:
            for row in rows:
                self._explain(part, _named(row))
            return
        for row, index, number in zip(rows, indices, numbers, strict=True):
            retention = _CLASSES.get(row[2] or b"")
            read = None if retention is None else self._opened(part, index, number, retention, row[3])
            if read is None:
                self._explain(part, _named(row))
            else:
                self._take(part, index, number, read)

    def _opened(
        self, part: Range, index: int, number: int, retention: RetentionClass, ciphertext: bytes | None
    ) -> Read | None:
        """What the payload says, where `_explain` would find nothing; None where it would find something."""
        key = self._people.keys[retention].get(number)
        committed = part.personal.get(index)
        if key is None or committed is None or ciphertext is None:
            return None
        plain = self._log.vault.plain_payload(key, index, ciphertext)
        if plain is None or len(plain) < SALT_BYTES or sha256(self._label + plain).digest() != committed:
            return None
        try:
            read = self._reader.read(plain[SALT_BYTES:])
        except ConsentError:
            return None
        sound = (
            (read.payload.kind == "erasure") == (retention is RetentionClass.ERASURE)
            and read.at == part.times.get(index)
            and read.number in (None, number)
        )
        return read if sound else None

    def _take(self, part: Range, index: int, number: int, read: Read) -> None:
        people = self._people
        part.payloads[index] = read.payload
        part.subject_of[index] = read.subject
        part.number_of[index] = number
        known = people.subjects.get(number)
        if known is None or read.number is not None:
            people.subjects.update({number: read.subject})
        if known is not None and known != read.subject:
            self._findings.add(
                "payload", str(index), "the payload's subject is not that of its number", index
            )
        if read.number is not None:
            people.enrolled[number] = index
        elif read.payload.kind == "erasure":
            people.erased[number] = index
            classes = frozenset(read.payload.body["classes"])
            people.erased_classes[number] = _SHARED.setdefault(classes, classes)

    def _explain(self, part: Range, row: Mapping[str, bytes | None]) -> None:
        """Open one payload and say what is wrong with it."""
        key = store_raw.key_of("payload", dict(row))
        index, number = store_raw.integer(row["idx"]), store_raw.integer(row["number"])
        retention = _CLASSES.get(row["class"] or b"")
        if index is None or number is None or retention is None:
            self._findings.add("payload", key, "the payload's index, number or class is not one", index)
            return
        if index not in part.personal:
            self._findings.add("payload", key, "the payload is of no personal entry", index)
            return
        person_key = self._people.keys[retention].get(number)
        if person_key is None:
            self._people.keys_missed.add((number, retention))
            self._findings.add(
                "payload", key, f"the key of class {retention.value} that opens it is not there", index
            )
            return
        try:
            salt, text = self._log.vault.open_payload(person_key, index, row["ciphertext"] or b"")
            if commitment(self._log.origin, salt, text) != part.personal[index]:
                self._findings.add("payload", key, "what opens is not what the entry commits to", index)
                return
            read = _read(Payload.parse(text))
        except ConsentError as error:
            self._findings.add("payload", key, error.message, index)
            return
        if (read.payload.kind == "erasure") != (retention is RetentionClass.ERASURE):
            self._findings.add("payload", key, "the payload is kept in the wrong class", index)
        if read.at != part.times.get(index):
            self._findings.add(
                "payload", key, "the payload's time is not that stored beside its entry", index
            )
        if read.number not in (None, number):
            self._findings.add("payload", key, "the enrolment gives another number than its row", index)
        self._take(part, index, number, read)


def _named(row: store_raw.RawTuple) -> store_raw.RawRow:
    return dict(zip(store_raw.names_of("payload"), row, strict=True))
