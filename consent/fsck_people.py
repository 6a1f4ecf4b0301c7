"""Check of openings, people and keys: every commitment opened again, or its erasure shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import fsck_lost, row_mac, store_people, store_raw
from consent.canonical import ID_BYTES, SLOT_MULTIPLE
from consent.errors import ConsentError
from consent.fsck_keys import SEALED_BY_OLD, WRAPPED_BY_OLD
from consent.fsck_numbers import BytesByNumber, IndexByNumber, NumberSet
from consent.fsck_openings import Openings
from consent.keys import KEY_BYTES, NEW_PERSON_CLASSES
from consent.shapes import MAX_NUMBER
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.fsck_lost import Lost
    from consent.log import Log

Place = tuple[int, RetentionClass]
PSEUDONYM_BYTES = 16
"""In the stored receipt (`erasure_decision.receipt_bytes`, canonical JSON) of somebody who asked not to be asked again."""
_UNKNOWN_KEK = (
    "the pseudonym is encrypted under a key-encryption key that is not there: nobody finds this person"
)
_TWICE = "the pseudonym is that of another person too"
_CLASSES = {str(each.code).encode(): each for each in RetentionClass}


class People:
    """What the openings say of everybody.

    Args:
        limit: Numbers below it lie side by side (`fsck_numbers.NumberSet`).

    Attributes:
        enrolled: Index of enrolment by number; from the openings, or for the erased from their row.
        subjects: Subject id by number, from the openings.
        erased: Index of erasure by number, from the erasures' own openings.
        erased_classes: Classes destroyed by number, from the same.
        erased_in_loss: By number, an index in the stretch of the log that holds an erasure whose opening is lost.
        keys: Opened keys by class and number.
        keys_missed: Keys that a payload needs and that are not there.
    """

    def __init__(self, limit: int) -> None:
        self.enrolled = IndexByNumber(limit)
        self.subjects = BytesByNumber(ID_BYTES, limit)
        self.erased: dict[int, int] = {}
        self.erased_classes: dict[int, frozenset[str]] = {}
        self.erased_in_loss: dict[int, int] = {}
        self.keys = {each: BytesByNumber(KEY_BYTES, limit) for each in RetentionClass}
        self.keys_missed: set[Place] = set()


def check(log: Log, connection: Connection, content: LogContent, findings: Findings) -> People:
    """Open everything, and compare what belongs to entries (`fsck_openings`), `subject`, `subject_key` and `erasure`."""
    people = People(_limit(connection))
    content.lost = fsck_lost.read(log, connection, content, findings)
    _open_keys(log, connection, people, findings)
    openings = Openings(log, connection, content, people, findings)
    openings.walk()
    openings.check_taken()
    _check_erasures(log, connection, people, findings)
    _check_subjects(log, connection, people, content.lost, findings)
    openings.check_details_gone()
    _check_keys(people, findings)
    fsck_lost.check(people, content.lost, findings)
    return people


def _limit(connection: Connection) -> int:
    """Twice as many numbers as there are people: they are given without large gaps."""
    return 2 * (store_raw.count(connection, "subject") + SLOT_MULTIPLE)


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
            people.keys[retention].update({number: opened})
            if not (current or unfinished):
                findings.add("subject_key", key, WRAPPED_BY_OLD)
        except ConsentError as error:
            findings.add("subject_key", key, error.message)


def _check_erasures(log: Log, connection: Connection, people: People, findings: Findings) -> None:
    """Every erasure has its row."""
    receipts = set()
    for row in store_raw.rows(connection, "erasure"):
        findings.check_mac(log.pseudonym_key, "erasure", row)
        index, number = store_raw.integer(row["idx"]), store_raw.integer(row["number"])
        receipts.add(index)
        if index is None or number is None or people.erased.get(number) != index:
            findings.add(
                "erasure", store_raw.key_of("erasure", row), "it is of no erasure entry of this number", index
            )
    for index in sorted(set(people.erased.values()) - receipts):
        findings.add("erasure", str(index), "the row of the erasure is missing", index)


def _check_subjects(log: Log, connection: Connection, people: People, lost: Lost, findings: Findings) -> None:
    # Whose row is still to come.
    living = people.enrolled.numbers.copy()
    for number_gone in people.erased:
        living.discard(number_gone)
    erased = dict(people.erased)
    mac_of = row_mac.of_raw(log.pseudonym_key, "subject")
    names = store_raw.names_of("subject")
    current = log.vault.column_key().name
    several = len(store_people.keks_of_pseudonyms(connection)) > 1
    seen: set[bytes] = set()
    for rows in store_raw.batches(connection, "subject"):
        for row in rows:
            raw, pseudonym, subject, enrolled, gone, kek, mac = row
            number = store_raw.integer(raw)
            index = None if number is None or number not in living else people.enrolled.get(number)
            # What `_check_subject` finds nothing in: a living person's sound row.
            sound = (
                number is not None
                and gone is None
                and index is not None
                and b"%d" % index == enrolled
                and people.subjects.get(number) == subject
                and len(pseudonym or b"") == PSEUDONYM_BYTES
                and kek == current
                and mac_of((raw, pseudonym, subject, enrolled, gone, kek)) == mac
            )
            if sound and number is not None:
                living.discard(number)
            else:
                named = dict(zip(names, row, strict=True))
                findings.check_mac(log.pseudonym_key, "subject", named)
                _check_subject(named, people, living, erased, lost, findings)
                if gone is None:
                    _check_kek(log, named, findings)
            if several and pseudonym is not None:
                # Under one key the column's own index keeps them apart.
                key = log.vault.column_key_of(kek or b"")
                whole = key is not None and len(pseudonym) == PSEUDONYM_BYTES
                opened = key.open(pseudonym) if key is not None and whole else pseudonym
                if opened in seen:
                    row_key = store_raw.key_of("subject", dict(zip(names, row, strict=True)))
                    findings.add("subject", row_key, _TWICE)
                seen.add(opened)
    missing = {**{number: people.enrolled.get(number) for number in living}, **erased}
    for number, index in sorted(missing.items()):
        findings.add("subject", str(number), "the person's row is missing", index)


def _check_subject(
    row: store_raw.RawRow,
    people: People,
    living: NumberSet,
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
            living.discard(number)
        elif erasure is None or erased.pop(number, None) != erasure or erasure <= enrolled:
            findings.add("subject", key, "the row says erased, and there is no such erasure", erasure)
        if row["pseudonym"] is not None or row["subject"] is not None or row["kek"] is not None:
            findings.add("subject", key, "an erased person's pseudonym or subject id is still there", erasure)
        if people.enrolled.setdefault(number, enrolled) != enrolled:
            findings.add("subject", key, "the index of enrolment is not that of the enrolment", enrolled)
    else:
        enrolment = people.enrolled.get(number) if number in living else None
        subject = None if enrolment is None else people.subjects.get(number)
        living.discard(number)
        if enrolment != enrolled or subject is None or subject != row["subject"]:
            findings.add("subject", key, "the row is not that of the enrolment in the log", enrolled)
            people.enrolled.setdefault(number, enrolled)
        if len(row["pseudonym"] or b"") != PSEUDONYM_BYTES:
            findings.add("subject", key, f"the pseudonym is not {PSEUDONYM_BYTES} bytes", enrolled)


def _check_kek(log: Log, row: store_raw.RawRow, findings: Findings) -> None:
    """A living person's pseudonym is encrypted under the key of today; while a rotation is under way, under one that is there."""
    name = row["kek"] or b""
    if log.vault.column_key_of(name) is None:
        findings.add("subject", store_raw.key_of("subject", row), _UNKNOWN_KEK)
    elif name != log.vault.column_key().name and not log.keks.ring.unfinished:
        findings.add("subject", store_raw.key_of("subject", row), SEALED_BY_OLD)


def _check_keys(people: People, findings: Findings) -> None:
    expected = {each: people.enrolled.numbers.copy() for each in NEW_PERSON_CLASSES}
    for number, gone in people.erased_classes.items():
        for retention in NEW_PERSON_CLASSES:
            if retention.value in gone:
                expected[retention].discard(number)
    expected[RetentionClass.ERASURE] = NumberSet(people.enrolled.numbers.limit)
    for number in people.erased:
        expected[RetentionClass.ERASURE].add(number)
    # Without its key an erasure cannot say whose it was; its payload still says which key it needs.
    for number, retention in people.keys_missed:
        expected[retention].add(number)
    broken = findings.knows("subject_key")
    for retention, numbers in expected.items():
        there = people.keys[retention].numbers
        for number in numbers.without(there):
            key = f"{retention.code}/{number}"
            if key not in broken and number not in people.erased_in_loss:
                findings.add("subject_key", key, "the key is missing, and no erasure took it")
        for number in there.without(numbers):
            findings.add("subject_key", f"{retention.code}/{number}", "the key should not be there")
