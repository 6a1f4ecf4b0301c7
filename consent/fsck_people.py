"""Check of openings, people and keys: every commitment opened again, or its erasure shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import fsck_lost, fsck_payloads, row_mac, store_raw
from consent.canonical import b64u_decode, detail_digest
from consent.errors import ConsentError
from consent.fsck_keys import WRAPPED_BY_OLD
from consent.keys import NEW_PERSON_CLASSES
from consent.shapes import MAX_NUMBER
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.entries import Payload
    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_lost import Lost
    from consent.log import Log

Place = tuple[int, RetentionClass]
PSEUDONYM_BYTES = 16
"""In the stored receipt (`erasure_decision.receipt_bytes`, canonical JSON) of somebody who asked not to be asked again."""
_CLASSES = {str(each.code).encode(): each for each in RetentionClass}


@dataclass
class People:
    """What the openings say.

    Attributes:
        payloads: Payload by index; the subject in it does not count, nor the number in an enrolment.
        subject_of: The subject id in it, by index.
        number_of: Whose payload it is, by index.
        enrolled: Index of enrolment by number; from the openings, or for the erased from their row.
        erased: Index of erasure by number, from the erasures' own openings.
        erased_classes: Classes destroyed by number, from the same.
        erased_in_loss: By number, an index in the stretch of the log that holds an erasure whose opening is lost.
        keys: Opened keys by class and number.
        keys_missed: Keys that a payload needs and that are not there.
    """

    payloads: dict[int, Payload] = field(default_factory=dict)
    subject_of: dict[int, bytes] = field(default_factory=dict)
    number_of: dict[int, int] = field(default_factory=dict)
    enrolled: dict[int, int] = field(default_factory=dict)
    erased: dict[int, int] = field(default_factory=dict)
    erased_classes: dict[int, set[str]] = field(default_factory=dict)
    erased_in_loss: dict[int, int] = field(default_factory=dict)
    keys: dict[RetentionClass, dict[int, bytes]] = field(
        default_factory=lambda: {each: {} for each in RetentionClass}
    )
    keys_missed: set[Place] = field(default_factory=set)


def check(log: Log, connection: Connection, content: LogContent, findings: Findings) -> People:
    """Open everything, and compare `payload`, `detail`, `subject`, `subject_key`, `erasure` and `erased_opening`."""
    people = People()
    content.lost = fsck_lost.read(log, connection, content, findings)
    _open_keys(log, connection, people, findings)
    fsck_payloads.check(log, connection, content, people, findings)
    for table in ("erased_opening", "erasure"):
        for row in store_raw.rows(connection, table):
            findings.check_mac(log.pseudonym_key, table, row)
    _check_missing(connection, content, people, findings)
    _check_subjects(log, connection, people, content.lost, findings)
    _check_details(log, connection, people, findings)
    _check_keys(people, findings)
    fsck_lost.check(people, content.lost, findings)
    return people


def _open_keys(log: Log, connection: Connection, people: People, findings: Findings) -> None:
    for rows in store_raw.batches(connection, "subject_key"):
        classes, column, _ = zip(*rows, strict=True)
        numbers, retention = store_raw.integers(column), _CLASSES.get(classes[0] or b"")
        if numbers is None or retention is None or set(classes) != {classes[0]} or max(numbers) > MAX_NUMBER:
            _open_singly(log, rows, people, findings)
            continue
        try:
            people.keys[retention].update(
                log.vault.unwrap_all(
                    retention,
                    ((number, row[2] or b"") for number, row in zip(numbers, rows, strict=True)),
                    only_current=True,
                )
            )
        except ConsentError:
            _open_singly(log, rows, people, findings)


def _open_singly(log: Log, rows: Sequence[store_raw.RawTuple], people: People, findings: Findings) -> None:
    unfinished = bool(log.keks.ring.unfinished)
    for code, raw, wrapped in rows:
        key = store_raw.key_of("subject_key", {"class": code, "number": raw})
        number, retention = store_raw.integer(raw), _CLASSES.get(code or b"")
        if number is None or number > MAX_NUMBER or retention is None:
            findings.add("subject_key", key, "the key's number or class is not one")
            continue
        try:
            opened, current = log.vault.unwrap_telling(number, retention, wrapped or b"")
            people.keys[retention][number] = opened
            if not (current or unfinished):
                findings.add("subject_key", key, WRAPPED_BY_OLD)
        except ConsentError as error:
            findings.add("subject_key", key, error.message)


def _check_missing(connection: Connection, content: LogContent, people: People, findings: Findings) -> None:
    """An entry without an opening has a note of the erasure that took it, or that it was lost."""
    erasures = set(people.erased.values())
    taken: set[int] = set()
    for row in store_raw.rows(connection, "erased_opening"):
        index, erasure = store_raw.integer(row["idx"]), store_raw.integer(row["erasure"])
        key = store_raw.key_of("erased_opening", row)
        if index is None or index not in content.personal or erasure is None or erasure <= index:
            findings.add(
                "erased_opening", key, "it does not name a personal entry and a later erasure", index
            )
        elif erasure not in erasures and not content.lost.holds(erasure):
            findings.add("erased_opening", key, "the erasure that it names is none", index)
        elif index in people.payloads:
            findings.add("erased_opening", key, "the opening is still there", index)
        else:
            taken.add(index)
    known_broken = {fault.index for fault in findings.faults if fault.table == "payload"}
    gone = taken | content.lost.openings
    for index in sorted(content.personal.keys() - people.payloads.keys() - gone - known_broken):
        findings.add("payload", str(index), "the opening is missing, and no erasure took it", index)
    receipts = set()
    for row in store_raw.rows(connection, "erasure"):
        index, number = store_raw.integer(row["idx"]), store_raw.integer(row["number"])
        receipts.add(index)
        if index is None or number is None or people.erased.get(number) != index:
            findings.add(
                "erasure", store_raw.key_of("erasure", row), "it is of no erasure entry of this number", index
            )
    for index in sorted(erasures - receipts):
        findings.add("erasure", str(index), "the row of the erasure is missing", index)


def _check_details(log: Log, connection: Connection, people: People, findings: Findings) -> None:
    expected = {
        (index, name): b64u_decode(value)
        for index, payload in people.payloads.items()
        for name, value in payload.details.items()
    }
    for row in store_raw.rows(connection, "detail"):
        key = store_raw.key_of("detail", row)
        index, name, number = (
            store_raw.integer(row["idx"]),
            store_raw.text(row["name"]),
            store_raw.integer(row["number"]),
        )
        committed = expected.pop((-1 if index is None else index, name or ""), None)
        if index is None or name is None or committed is None:
            findings.add("detail", key, "no payload has this detail", index)
            continue
        person_key = people.keys[RetentionClass.DETAIL].get(-1 if number is None else number)
        if number is None or number != people.number_of.get(index) or person_key is None:
            findings.add("detail", key, "the detail is of another person, or its key is not there", index)
            continue
        try:
            salt, value = log.vault.open_detail(person_key, index, name, row["ciphertext"] or b"")
            if b64u_decode(detail_digest(log.origin, name, salt, value)) != committed:
                findings.add("detail", key, "what opens is not what the payload names", index)
        except ConsentError as error:
            findings.add("detail", key, error.message, index)
    for index, name in sorted(expected):
        number = people.number_of[index]
        if number not in people.erased_in_loss and "detail" not in people.erased_classes.get(number, set()):
            findings.add("detail", f"{index}/{name}", "the detail is missing, and no erasure took it", index)


def _check_subjects(log: Log, connection: Connection, people: People, lost: Lost, findings: Findings) -> None:
    living = dict(people.enrolled)
    for number_gone in people.erased:
        living.pop(number_gone, None)
    erased = dict(people.erased)
    mac_of = row_mac.of_raw(log.pseudonym_key, "subject")
    names = store_raw.names_of("subject")
    for rows in store_raw.batches(connection, "subject"):
        for row in rows:
            raw, pseudonym, subject, enrolled, gone, mac = row
            number = store_raw.integer(raw)
            index = living.get(-1 if number is None else number)
            # What `_check_subject` finds nothing in: a living person's sound row.
            sound = (
                number is not None
                and gone is None
                and index is not None
                and b"%d" % index == enrolled
                and people.subject_of.get(index) == subject
                and len(pseudonym or b"") == PSEUDONYM_BYTES
                and mac_of((raw, pseudonym, subject, enrolled, gone)) == mac
            )
            if sound and number is not None:
                del living[number]
            else:
                named = dict(zip(names, row, strict=True))
                findings.check_mac(log.pseudonym_key, "subject", named)
                _check_subject(named, people, living, erased, lost, findings)
    for number, missing in sorted({**living, **erased}.items()):
        findings.add("subject", str(number), "the person's row is missing", missing)
    subjects = {
        number: people.subject_of[first]
        for number, first in people.enrolled.items()
        if first in people.subject_of
    }
    for place, named_in_it in people.subject_of.items():
        if subjects.get(people.number_of[place], named_in_it) != named_in_it:
            findings.add("payload", str(place), "the payload's subject is not that of its number", place)


def _check_subject(
    row: store_raw.RawRow,
    people: People,
    living: dict[int, int],
    erased: dict[int, int],
    lost: Lost,
    findings: Findings,
) -> None:
    key = store_raw.key_of("subject", row)
    number, enrolled = store_raw.integer(row["number"]), store_raw.integer(row["enrolled"])
    if number is None or enrolled is None:
        findings.add("subject", key, "the number or the index of enrolment is not one")
    elif row["erased"] is not None:
        erasure = store_raw.integer(row["erased"])
        if erasure is not None and lost.holds(erasure) and number not in erased:
            # The opening of the erasure's own entry is lost, and so is what it kept.
            people.erased_in_loss[number] = erasure
            living.pop(number, None)
        elif erasure is None or erased.pop(number, None) != erasure or erasure <= enrolled:
            findings.add("subject", key, "the row says erased, and there is no such erasure", erasure)
        if row["pseudonym"] is not None or row["subject"] is not None:
            findings.add("subject", key, "an erased person's pseudonym or subject id is still there", erasure)
        if people.enrolled.setdefault(number, enrolled) != enrolled:
            findings.add("subject", key, "the index of enrolment is not that of the enrolment", enrolled)
    else:
        enrolment = living.pop(number, None)
        subject = people.subject_of.get(-1 if enrolment is None else enrolment)
        if enrolment != enrolled or subject is None or subject != row["subject"]:
            findings.add("subject", key, "the row is not that of the enrolment in the log", enrolled)
            people.enrolled.setdefault(number, enrolled)
        if len(row["pseudonym"] or b"") != PSEUDONYM_BYTES:
            findings.add("subject", key, f"the pseudonym is not {PSEUDONYM_BYTES} bytes", enrolled)


def _check_keys(people: People, findings: Findings) -> None:
    expected: dict[RetentionClass, set[int]] = {each: set() for each in RetentionClass}
    for retention in NEW_PERSON_CLASSES:
        taken = {number for number, gone in people.erased_classes.items() if retention.value in gone}
        expected[retention] = people.enrolled.keys() - taken
    expected[RetentionClass.ERASURE] = set(people.erased)
    # Without its key an erasure cannot say whose it was; its payload still says which key it needs.
    for number, retention in people.keys_missed:
        expected[retention].add(number)
    broken = findings.knows("subject_key")
    for retention, numbers in expected.items():
        for number in sorted(numbers - people.keys[retention].keys()):
            key = f"{retention.code}/{number}"
            if key not in broken and number not in people.erased_in_loss:
                findings.add("subject_key", key, "the key is missing, and no erasure took it")
        for number in sorted(people.keys[retention].keys() - numbers):
            findings.add("subject_key", f"{retention.code}/{number}", "the key should not be there")
