"""Check of openings, people and keys: every commitment opened again, or its erasure shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import store_erasure, store_raw
from consent.canonical import b64u_decode, commitment, detail_digest, parse_time
from consent.entries import Payload
from consent.erasure_journal import read_lines
from consent.errors import ConsentError
from consent.keys import NEW_PERSON_CLASSES
from consent.store_consents import epoch
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from consent.fsck import LogContent
    from consent.fsck_findings import Findings
    from consent.log import Log

Place = tuple[int, RetentionClass]
PSEUDONYM_BYTES = 16


@dataclass
class People:
    """What the openings say.

    Attributes:
        payloads: Payload by index.
        number_of: Whose payload it is, by index.
        enrolled: Index of enrolment by number; from the openings, or for the erased from their row.
        erased: Index of erasure by number, from the erasures' own openings.
        erased_classes: Classes destroyed by number, from the same.
        keys: Opened keys by number and class.
        keys_missed: Keys that a payload needs and that are not there.
    """

    payloads: dict[int, Payload] = field(default_factory=dict)
    number_of: dict[int, int] = field(default_factory=dict)
    enrolled: dict[int, int] = field(default_factory=dict)
    erased: dict[int, int] = field(default_factory=dict)
    erased_classes: dict[int, set[str]] = field(default_factory=dict)
    keys: dict[Place, bytes] = field(default_factory=dict)
    keys_missed: set[Place] = field(default_factory=set)


def check(log: Log, connection: Connection, content: LogContent, findings: Findings) -> People:
    """Open everything, and compare `payload`, `detail`, `subject`, `subject_key`, `erasure` and `erased_opening`."""
    people = People()
    _open_keys(log, connection, people, findings)
    _open_payloads(log, connection, content, people, findings)
    for table in ("subject", "erased_opening", "erasure"):
        for row in store_raw.rows(connection, table):
            findings.check_mac(log.pseudonym_key, table, row)
    _check_missing(connection, content, people, findings)
    _check_details(log, connection, people, findings)
    _check_subjects(connection, people, findings)
    _check_keys(people, findings)
    return people


def check_journal(path: Path, connection: Connection, content: LogContent, findings: Findings) -> None:
    """Every erasure of the journal outside is in the log, and every one of the log in the journal."""
    try:
        lines = read_lines(path)
    except ConsentError as error:
        findings.add("erasures.journal", "file", error.message)
        return
    for position, line in enumerate(lines, 1):
        if line.request not in content.requests:
            findings.add(
                "erasures.journal", str(position), "the erasure is not in the log: it waits to be replayed"
            )
    known = {line.request for line in lines}
    for index, request in store_erasure.erasure_requests(connection):
        if request not in known:
            findings.add(
                "erasures.journal",
                str(index),
                "the journal lacks the erasure: a restored backup would bring the person back",
                index,
            )


def _open_keys(log: Log, connection: Connection, people: People, findings: Findings) -> None:
    for row in store_raw.rows(connection, "subject_key"):
        key = store_raw.key_of("subject_key", row)
        number, code = store_raw.integer(row["number"]), store_raw.integer(row["class"])
        try:
            retention = RetentionClass.from_code(-1 if code is None else code)
            if number is None or number >= 2**32:
                raise ValueError  # noqa: TRY301 - one message for every way of not being a place
        except ValueError:
            findings.add("subject_key", key, "the key's number or class is not one")
            continue
        try:
            people.keys[number, retention] = log.vault.unwrap(number, retention, row["wrapped"] or b"")
        except ConsentError as error:
            findings.add("subject_key", key, error.message)


def _open_payloads(
    log: Log, connection: Connection, content: LogContent, people: People, findings: Findings
) -> None:
    for row in store_raw.rows(connection, "payload"):
        key = store_raw.key_of("payload", row)
        index, number = store_raw.integer(row["idx"]), store_raw.integer(row["number"])
        code = store_raw.integer(row["class"])
        if index is None or number is None or code not in {item.code for item in RetentionClass}:
            findings.add("payload", key, "the payload's index, number or class is not one", index)
            continue
        retention = RetentionClass.from_code(code)
        if index not in content.personal:
            findings.add("payload", key, "the payload is of no personal entry", index)
            continue
        person_key = people.keys.get((number, retention))
        if person_key is None:
            people.keys_missed.add((number, retention))
            findings.add(
                "payload", key, f"the key of class {retention.value} that opens it is not there", index
            )
            continue
        try:
            salt, text = log.vault.open_payload(person_key, index, row["ciphertext"] or b"")
            if commitment(log.origin, salt, text) != content.personal[index]:
                findings.add("payload", key, "what opens is not what the entry commits to", index)
                continue
            payload = Payload.parse(text)
        except ConsentError as error:
            findings.add("payload", key, error.message, index)
            continue
        if (payload.kind == "erasure") != (retention is RetentionClass.ERASURE):
            findings.add("payload", key, "the payload is kept in the wrong class", index)
        if epoch(parse_time(payload.at)) != content.times.get(index):
            findings.add("payload", key, "the payload's time is not that stored beside its entry", index)
        people.payloads[index] = payload
        people.number_of[index] = number
        if payload.kind == "enrolment":
            if payload.body["number"] != number:
                findings.add("payload", key, "the enrolment gives another number than its row", index)
            people.enrolled[number] = index
        elif payload.kind == "erasure":
            people.erased[number] = index
            people.erased_classes[number] = set(payload.body["classes"])


def _check_missing(connection: Connection, content: LogContent, people: People, findings: Findings) -> None:
    """An entry without an opening has a note of the erasure that took it."""
    erasures = set(people.erased.values())
    taken: set[int] = set()
    for row in store_raw.rows(connection, "erased_opening"):
        index, erasure = store_raw.integer(row["idx"]), store_raw.integer(row["erasure"])
        key = store_raw.key_of("erased_opening", row)
        if index is None or index not in content.personal or erasure is None or erasure <= index:
            findings.add(
                "erased_opening", key, "it does not name a personal entry and a later erasure", index
            )
        elif erasure not in erasures:
            findings.add("erased_opening", key, "the erasure that it names is none", index)
        elif index in people.payloads:
            findings.add("erased_opening", key, "the opening is still there", index)
        else:
            taken.add(index)
    known_broken = {fault.index for fault in findings.faults if fault.table == "payload"}
    for index in sorted(content.personal.keys() - people.payloads.keys() - taken - known_broken):
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
        person_key = people.keys.get((-1 if number is None else number, RetentionClass.DETAIL))
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
        if "detail" not in people.erased_classes.get(people.number_of[index], set()):
            findings.add("detail", f"{index}/{name}", "the detail is missing, and no erasure took it", index)


def _check_subjects(connection: Connection, people: People, findings: Findings) -> None:
    living = dict(people.enrolled)
    for gone in people.erased:
        living.pop(gone, None)
    erased = dict(people.erased)
    for row in store_raw.rows(connection, "subject"):
        key = store_raw.key_of("subject", row)
        number, enrolled = store_raw.integer(row["number"]), store_raw.integer(row["enrolled"])
        if number is None or enrolled is None:
            findings.add("subject", key, "the number or the index of enrolment is not one")
        elif row["erased"] is not None:
            erasure = store_raw.integer(row["erased"])
            if erasure is None or erased.pop(number, None) != erasure or erasure <= enrolled:
                findings.add("subject", key, "the row says erased, and there is no such erasure", erasure)
            if row["pseudonym"] is not None or row["subject"] is not None:
                findings.add(
                    "subject", key, "an erased person's pseudonym or subject id is still there", erasure
                )
            if people.enrolled.setdefault(number, enrolled) != enrolled:
                findings.add("subject", key, "the index of enrolment is not that of the enrolment", enrolled)
        else:
            enrolment = living.pop(number, None)
            payload = people.payloads.get(-1 if enrolment is None else enrolment)
            if enrolment != enrolled or payload is None or payload.subject != row["subject"]:
                findings.add("subject", key, "the row is not that of the enrolment in the log", enrolled)
                people.enrolled.setdefault(number, enrolled)
            if len(row["pseudonym"] or b"") != PSEUDONYM_BYTES:
                findings.add("subject", key, f"the pseudonym is not {PSEUDONYM_BYTES} bytes", enrolled)
    for number, index in sorted({**living, **erased}.items()):
        findings.add("subject", str(number), "the person's row is missing", index)
    subjects = {
        number: people.payloads[index].subject
        for number, index in people.enrolled.items()
        if index in people.payloads
    }
    for index, payload in people.payloads.items():
        if subjects.get(people.number_of[index], payload.subject) != payload.subject:
            findings.add("payload", str(index), "the payload's subject is not that of its number", index)


def _check_keys(people: People, findings: Findings) -> None:
    expected: set[Place] = set()
    for number in people.enrolled:
        gone = people.erased_classes.get(number, set())
        expected |= {(number, item) for item in NEW_PERSON_CLASSES if item.value not in gone}
    expected |= {(number, RetentionClass.ERASURE) for number in people.erased}
    # Without its key an erasure cannot say whose it was; its payload still says which key it needs.
    expected |= people.keys_missed
    broken = {fault.key for fault in findings.faults if fault.table == "subject_key"}
    for number, retention in sorted(
        expected - people.keys.keys(), key=lambda place: (place[0], place[1].code)
    ):
        key = f"{retention.code}/{number}"
        if key not in broken:
            findings.add("subject_key", key, "the key is missing, and no erasure took it")
    for number, retention in sorted(
        people.keys.keys() - expected, key=lambda place: (place[0], place[1].code)
    ):
        findings.add("subject_key", f"{retention.code}/{number}", "the key should not be there")
