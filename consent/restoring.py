"""An opening that was lost comes back from the receipt of whoever holds it; a commitment opens in one way only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consent import consenting, sealed_people, store_consents, store_log, store_lost, store_people
from consent.canonical import b64u_decode, commitment
from consent.entries import Payload, PersonalEntry
from consent.erasure_journal import read_lines, subject_digest
from consent.errors import BadRequestError, ConsentEvidenceError, LedgerDamagedError
from consent.keys import new_keys
from consent.purposing import find
from consent.store_people import Person
from consent.tlog.proof import Proof
from consent.tlog.verify import VerificationError, verify_receipt
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from consent.home import Home
    from consent.log import Log

Keys = dict[RetentionClass, bytes]


def restore(log: Log, home: Home, person: str, receipt: bytes) -> list[int]:
    """Bring back the lost openings that a receipt holds: the enrolment's, and the consent's.

    Args:
        log: The log.
        home: Its home: the erasure journal is asked.
        person: Whose receipt it is, by the external id; who brings it is to be identified as ever.
        receipt: The receipt's bytes, of a consent or a use.

    Returns:
        The entries whose openings came back; none where none of the receipt's was lost.

    Raises:
        ConsentEvidenceError: The receipt does not verify, or is not of this log's entries (exit 3).
        BadRequestError: The receipt is of somebody else, of somebody erased, or the person was enrolled anew since (2).
    """
    try:
        proved = verify_receipt(receipt, log.trust.raw, log.trust.pin)
    except VerificationError as error:
        raise ConsentEvidenceError(
            f"the receipt does not verify: {error.message} ({error.code})",
            "bring the file as it was handed out",
        ) from error
    said = json.loads(receipt)
    openings = [said["enrolment"], *([said["opening"]] if proved.type == "consent" else [])]
    subject = b64u_decode(proved.subject)
    if any(line.subject == subject_digest(subject) for line in read_lines(home.erasure_journal)):
        raise BadRequestError("the receipt's person was erased", "what was erased is not brought back")
    back: list[int] = []
    with log.store.write() as connection:
        # Under the writers' lock: a rotation lists its new key under the same.
        log.vault.refresh()
        lost = [
            (Proof.parse(opening["proof"]).index, opening)
            for opening in openings
            if store_lost.is_lost(connection, Proof.parse(opening["proof"]).index)
        ]
        for index, opening in lost:
            _check_ours(log, connection, index, opening)
        if not lost:
            return []
        enrolment = Proof.parse(said["enrolment"]["proof"]).index
        holder, keys = _holder(
            log,
            connection,
            log.pseudonym(person),
            Person(proved.number, subject, enrolment),
            anew=lost[0][0] == enrolment,
        )
        for index, opening in lost:
            _put_back(log, connection, holder, keys, index, opening)
            back.append(index)
    return back


def _check_ours(log: Log, connection: Connection, index: int, opening: Mapping[str, Any]) -> None:
    """The opening is of the entry that stands in this database: whatever checkpoint the receipt has."""
    committed = commitment(log.origin, b64u_decode(opening["salt"]), opening["payload"].encode())
    if PersonalEntry(committed).encode() != store_log.body(connection, index):
        raise LedgerDamagedError(
            f"the receipt's entry {index} is not the one in this log",
            "run `luvalla ledger monitor` with the receipt",
        )


def _holder(
    log: Log, connection: Connection, pseudonym: bytes, claimed: Person, *, anew: bool
) -> tuple[Person, Keys]:
    """The person on record, with their keys; put on record again where their enrolment was lost."""
    found = sealed_people.by_pseudonym(log.vault, connection, [pseudonym]).get(pseudonym)
    if found is not None:
        if found != claimed:
            raise BadRequestError(
                "the receipt is of another person, or the person was enrolled anew after the loss",
                "check the id; after a new enrolment the earlier one stays lost, and the receipt still proves itself",
            )
        keys: Keys = {}
        for retention in (RetentionClass.EVIDENCE, RetentionClass.DETAIL):
            rows = store_people.wrapped_keys(connection, retention.code, [found.number])
            if rows:
                keys[retention] = log.vault.unwrap_all(retention, rows)[found.number]
        return found, keys
    if not anew or store_people.is_taken(connection, claimed.number):
        raise BadRequestError("the receipt is of another person", "check the id")
    keys = new_keys()
    row = {
        "number": claimed.number,
        "pseudonym": pseudonym,
        "subject": claimed.subject,
        "enrolled": claimed.enrolled,
        "erased": None,
    }
    wrapped = [
        {"class": each.code, "number": claimed.number, "wrapped": log.vault.wrap(claimed.number, each, key)}
        for each, key in keys.items()
    ]
    people = sealed_people.sealed_rows(log.vault, log.pseudonym_key, [row])
    store_people.insert_people(connection, people, wrapped)
    return claimed, keys


def _put_back(
    log: Log, connection: Connection, holder: Person, keys: Keys, index: int, opening: Mapping[str, Any]
) -> None:
    text = opening["payload"].encode()
    payload = Payload.parse(text)
    if RetentionClass.EVIDENCE not in keys:
        raise BadRequestError("the person's evidence was erased", "what was erased is not brought back")
    sealed = log.vault.seal_payload(keys[RetentionClass.EVIDENCE], index, b64u_decode(opening["salt"]), text)
    details = [
        {
            "idx": index,
            "name": name,
            "number": holder.number,
            "ciphertext": log.vault.seal_detail(
                keys[RetentionClass.DETAIL],
                index,
                name,
                b64u_decode(detail["salt"]),
                detail["value"].encode(),
            ),
        }
        for name, detail in opening["details"].items()
    ]
    if payload.details.keys() != opening["details"].keys():
        raise BadRequestError(
            f"the receipt withholds details of entry {index}",
            "bring the receipt as it was handed out, with all details",
        )
    row = {
        "idx": index,
        "number": holder.number,
        "class": RetentionClass.EVIDENCE.code,
        "ciphertext": sealed,
    }
    store_log.insert_openings(connection, [row], details)
    at = store_consents.epoch_of_text(payload.at)
    store_lost.found_again(connection, index, at, log.pseudonym_key)
    if payload.kind == "consent":
        purpose = find(store_consents.purposes(connection), str(payload.purpose), payload.purpose_version)
        event = consenting.event_row(payload, holder.number, index, purpose.categories)
        store_consents.insert_events(connection, [{**event, "at": at}])
