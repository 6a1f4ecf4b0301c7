"""Receipts: what one person can take home and check without the ledger (consent/tlog/verify.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consent import store_consents, store_log, store_people, store_uses
from consent.canonical import (
    b64u,
    b64u_decode,
    commitment,
    decode,
    digest,
    format_time,
    use_salt,
    values_salt,
)
from consent.entries import Payload, PersonalEntry
from consent.errors import KeyMissingError, LedgerDamagedError, UnknownPersonError
from consent.purposing import find
from consent.reading import institutional_act, person_of
from consent.receipt_record import ProvedPlace, standard_members
from consent.tlog.merkle import inclusion_proof, path_in_chunks, root_of
from consent.tlog.proof import Proof
from consent.use_reading import chunk_slots, find_run, open_statuses, open_value, status_of, use_key
from consent.use_values import CHUNK
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.log import Log
    from consent.store_people import Person
    from consent.store_uses import Run
    from consent.tlog.checkpoint import Checkpoint

MAX_EXPLANATION_BYTES = 1024 * 1024
"""A longer explanation stands in no receipt, which has at most 4 MiB; its digest does."""
_DAMAGED = "run `luvalla ledger check`"
_RUN_SUMMARY = ("basis", "certificate", "model", "processing", "purpose", "purpose_version", "run", "service")


def consent_receipt(log: Log, person: str, which: int | str) -> dict[str, Any]:
    """See `Ledger.consent_receipt`."""
    with log.store.read() as connection:
        found = _known(log, connection, person)
        index = _consent_index(connection, found, which)
    covering = log.covering(index)
    with log.store.read() as connection:
        payload, opening = open_entry(log, connection, index, covering)
        enrolment = open_entry(log, connection, found.enrolled, covering)[1]
        document, purpose, notice = _purpose(connection, payload, covering)
    summary = {
        "at": payload.at,
        "number": found.number,
        "purpose": payload.purpose,
        "purpose_version": payload.purpose_version,
        **{key: value for key, value in payload.body.items() if key != "notice_digest"},
    }
    place = ProvedPlace(log.origin, index, covering.size)
    return {
        **_head(log, "consent", summary, enrolment),
        "notice_text": notice,
        "opening": opening,
        "purpose_entry": purpose,
        **standard_members(place, payload, document),
    }


def use_receipt(log: Log, person: str, run: bytes) -> dict[str, Any]:
    """See `Ledger.use_receipt`."""
    with log.store.read() as connection:
        found = _known(log, connection, person)
        index = find_run(connection, run).idx
    covering = log.covering(index)
    with log.store.read() as connection:
        recorded = find_run(connection, run)
        body = store_log.body(connection, index) or b""
        act = institutional_act(index, body)
        enrolment = open_entry(log, connection, found.enrolled, covering)[1]
        slot, values, word = _slot(log, connection, recorded, found, act.body)
        proof = proof_of(connection, index, covering)
        named = (act.body["purpose"], act.body["purpose_version"])
        purpose = _purpose_part(connection, *named, covering)[1]
        explanation = _explanation(connection, recorded, act.body["explanation"])
    summary = {
        "at": act.at,
        "number": found.number,
        "status": word,
        **{key: act.body[key] for key in _RUN_SUMMARY},
    }
    part = {"entry": body.decode(), "proof": proof}
    return {
        **_head(log, "use", summary, enrolment),
        "explanation": explanation,
        "purpose_entry": purpose,
        "run": part,
        "slot": slot,
        "values": values,
    }


def open_entry(
    log: Log, connection: Connection, index: int, covering: Checkpoint
) -> tuple[Payload, dict[str, Any]]:
    """A personal entry's payload and its whole opening.

    Raises:
        KeyMissingError: Its payload or key is erased, or does not open.
        LedgerDamagedError: What opens is not what the entry commits to.
    """
    number, salt, text = open_payload(log, connection, index)
    details = {}
    for name, ciphertext in store_log.sealed_details(connection, index):
        detail_key = class_key(log, connection, number, RetentionClass.DETAIL)
        detail_salt, value = log.vault.open_detail(detail_key, index, name, ciphertext)
        details[name] = {"salt": b64u(detail_salt), "value": value.decode()}
    opening = {
        "details": details,
        "payload": text.decode(),
        "proof": proof_of(connection, index, covering),
        "salt": b64u(salt),
    }
    return Payload.parse(text), opening


def open_payload(log: Log, connection: Connection, index: int) -> tuple[int, bytes, bytes]:
    """Whose a personal entry is (the number), its salt, and its payload's exact text, checked against the entry.

    Raises:
        KeyMissingError: Its payload or key is erased, or does not open.
        LedgerDamagedError: What opens is not what the entry commits to.
    """
    sealed = store_log.sealed_payload(connection, index)
    if sealed is None:
        raise KeyMissingError(f"the opening of entry {index} is not there", "it was erased, or " + _DAMAGED)
    key = class_key(log, connection, sealed.number, RetentionClass.from_code(sealed.retention))
    salt, text = log.vault.open_payload(key, index, sealed.ciphertext)
    if PersonalEntry(commitment(log.origin, salt, text)).encode() != store_log.body(connection, index):
        raise LedgerDamagedError(f"the opening of entry {index} is not what the entry commits to", _DAMAGED)
    return sealed.number, salt, text


def class_key(log: Log, connection: Connection, number: int, retention: RetentionClass) -> bytes:
    """A person's key of one class.

    Raises:
        KeyMissingError: It is not there, or does not open.
    """
    rows = store_people.wrapped_keys(connection, retention.code, [number])
    if not rows:
        raise KeyMissingError(
            f"a key of class {retention.value} is not there", "it was erased, or " + _DAMAGED
        )
    return log.vault.unwrap(number, retention, rows[0][1])


def proof_of(connection: Connection, index: int, covering: Checkpoint) -> str:
    """The tlog-proof text of an entry."""
    path = inclusion_proof(store_log.SqlHashes(connection), index, covering.size)
    return Proof(index, tuple(path), covering.note).text()


def _purpose(
    connection: Connection, payload: Payload, covering: Checkpoint
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A consent's purpose: its document, the part of a receipt that proves it, and the notice's text as it was shown."""
    raw, part, texts = _purpose_part(
        connection, payload.purpose or "", payload.purpose_version or 0, covering
    )
    text = decode(texts, limit=store_consents.MAX_DOCUMENT_BYTES)[payload.body["language"]]
    if digest(text.encode()) != payload.body["notice_digest"]:
        raise LedgerDamagedError("the notice of a consent is not what the log commits to", _DAMAGED)
    return decode(raw, limit=store_consents.MAX_DOCUMENT_BYTES), part, text


def _purpose_part(
    connection: Connection, purpose: str, version: int, covering: Checkpoint
) -> tuple[bytes, dict[str, Any], bytes]:
    """A purpose's document, the part of a receipt that proves it, and the texts of its notice."""
    name = f"version {version} of a purpose that a receipt shows"
    found = store_consents.purpose_document(connection, purpose, version)
    if found is None:
        raise LedgerDamagedError(f"{name} is not on record", _DAMAGED)
    index, raw, texts = found
    body = store_log.body(connection, index) or b""
    if institutional_act(index, body).body.get("digest") != digest(raw):
        raise LedgerDamagedError(f"{name} is not what the log commits to", _DAMAGED)
    part = {"document": raw.decode(), "entry": body.decode(), "proof": proof_of(connection, index, covering)}
    return raw, part, texts


def _explanation(connection: Connection, run: Run, named: str | None) -> str | None:
    """The exact text of a run's explanation; None where there is none, or where it is too long for a receipt."""
    text = store_uses.explanation_of(connection, run.run)
    if (None if text is None else digest(text)) != named:
        raise LedgerDamagedError(
            f"the explanation of the run in entry {run.idx} is not the one that the entry names", _DAMAGED
        )
    return None if text is None or len(text) > MAX_EXPLANATION_BYTES else text.decode()


def _head(log: Log, kind: str, summary: dict[str, Any], enrolment: dict[str, Any]) -> dict[str, Any]:
    return {
        "enrolment": enrolment,
        "issued": format_time(log.now()),
        "luvalla_receipt": 2,
        "origin": log.origin,
        "summary": summary,
        "trust_root": log.trust.pin,
        "type": kind,
    }


def _known(log: Log, connection: Connection, person: str) -> Person:
    found = person_of(log, connection, person)
    if found is None:
        raise UnknownPersonError(
            "the person is not on record", "check the id; nothing is kept of unknown people"
        )
    return found


def _consent_index(connection: Connection, person: Person, which: int | str) -> int:
    events = store_consents.events_of(connection, person.number)
    if isinstance(which, str):
        find(store_consents.purposes(connection), which)
        if which in events:
            return events[which][-1].index
    elif any(event.index == which for of_purpose in events.values() for event in of_purpose):
        return which
    raise UnknownPersonError("the person has no such consent entry", "`luvalla consent show` lists them")


def _slot(
    log: Log, connection: Connection, run: Run, person: Person, body: Any
) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    status = status_of(connection, run, person)
    chunks = store_uses.chunks_of(connection, run.run)
    chunk = chunks[person.number // CHUNK]
    slots = chunk_slots(log, connection, run, chunk.chunk, open_statuses(chunk.statuses))
    roots = [item.root for item in chunks]
    if root_of(slots.use) != chunk.root or root_of(roots) != b64u_decode(body["root"]):
        raise LedgerDamagedError(
            f"the slots of the run in entry {run.idx} do not have the root it names", _DAMAGED
        )
    key = use_key(log, connection, person.number)
    slot = {
        "number": person.number,
        "path": [b64u(item) for item in path_in_chunks(slots.use, roots, person.number)],
        "salt": b64u(use_salt(key, run.run)),
        "size": run.slots,
        "status": int(status),
    }
    value = open_value(log, connection, run.run, person.number)
    if value is None or slots.values is None:
        return slot, None, status.word
    values_roots = [item.values_root or b"" for item in chunks]
    if root_of(slots.values) != chunk.values_root or root_of(values_roots) != b64u_decode(
        body["values_root"]
    ):
        raise LedgerDamagedError(
            f"the values of the run in entry {run.idx} do not have the root it names", _DAMAGED
        )
    values = {
        "bytes": value.decode(),
        "path": [b64u(item) for item in path_in_chunks(slots.values, values_roots, person.number)],
        "salt": b64u(values_salt(key, run.run)),
    }
    return slot, values, status.word
