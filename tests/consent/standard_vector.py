"""The golden vector of the consent receipt in standard form (docs/spec/ledger-v1.md, section 10.1): a log of its own."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from consent import canonical
from consent.entries import InstitutionalAct, Payload
from consent.receipt_record import ProvedPlace, standard_members
from tests.consent import receipt_builder
from tests.consent.vector_log import (
    ISSUED,
    ORIGIN,
    MemoryLog,
    Person,
    consent_payload,
    derived,
    trust_root,
)

NOTICE = "Vi ber om ditt samtycke."
TEXTS = {"en": "Health check-ups", "fi": "Terveystapaamiset", "sv": "Hälsosamtal"}
DOCUMENT: dict[str, Any] = {
    "address": "Exempelgatan 1, 00100 Exempelstaden",
    "categories": ["dpv-pd:HealthRecord", "dpv-pd:Income"],
    "consent_days": 365,
    "contact": "data.protection@city.example",
    "controller": "City of Example",
    "description": TEXTS,
    "effects_of_no": TEXTS,
    "email": "data.protection@city.example",
    "id": "health-benefit.offer",
    "legal_basis": "eu-gdpr:A6-1-e-public-interest",
    "notice": {
        "id": "health-benefit.offer",
        "languages": dict.fromkeys(("en", "fi", "sv"), canonical.digest(NOTICE.encode())),
        "version": 1,
    },
    "phone": "+358 9 000 0000",
    "processing": ["human-review", "scoring"],
    "recipients": ["Example Health Services"],
    "retention_days": 30,
    "service": "health-benefit",
    "storage_locations": ["Finland"],
    "title": TEXTS,
    "version": 1,
    "website": "https://city.example/data-protection",
}


@cache
def receipt(status: str = "given") -> dict[str, Any]:
    """A receipt of version 2 of an answer with one opened detail; it verifies under the vectors' trust root."""
    return _made(status, DOCUMENT)


def changed_document(**changes: Any) -> dict[str, Any]:
    """The same with another purpose document, in a log that commits to it."""
    return _made("given", {key: value for key, value in {**DOCUMENT, **changes}.items() if value is not None})


def _made(status: str, document: dict[str, Any]) -> dict[str, Any]:
    log, trust, person, day = MemoryLog(), trust_root(), Person(0), "2026-11-24T09:0"
    log.append(InstitutionalAct("trust-root", f"{day}0:00Z", {"digest": trust.pin, "version": 1}).encode())
    raw = canonical.encode(document)
    named = {"digest": canonical.digest(raw), "id": "health-benefit.offer", "version": 1}
    adopted = log.append(InstitutionalAct("purpose", f"{day}0:00Z", named).encode())
    enrolled = log.append_personal(Payload("enrolment", f"{day}1:00Z", person.subject, {"number": 0}))
    detail = (derived("detail salt"), canonical.encode({"form": "L-12", "page": 3}))
    names = {"source": canonical.detail_digest(ORIGIN, "source", *detail)}
    payload = consent_payload(person, f"{day}2:00Z", status, names)
    payload = dataclasses.replace(
        payload, body={**payload.body, "notice_digest": canonical.digest(NOTICE.encode())}
    )
    answered = log.append_personal(payload, {"source": detail})
    size = len(log.leaves)
    note = log.checkpoint()
    first = receipt_builder.consent_receipt(
        origin=ORIGIN,
        pin=trust.pin,
        issued=ISSUED,
        enrolment=log.opening(enrolled, note),
        consent=log.opening(answered, note),
    )
    return {
        **first,
        **standard_members(ProvedPlace(ORIGIN, answered, size), payload, document),
        "luvalla_receipt": 2,
        "notice_text": NOTICE,
        "purpose_entry": log.purpose_entry(adopted, raw, note),
    }


def refused() -> list[tuple[str, str, Any, str]]:
    """Changes to the receipt, and the code of the refusal."""
    made = receipt()
    part, name = made["purpose_entry"], "consent-2"
    words = part["document"]
    return [
        (name, "luvalla_receipt", 1, "malformed-receipt"),
        (name, "luvalla_receipt", 3, "unknown-version"),
        (name, "purpose_entry/document", words.replace("Finland", "Elsewhere"), "wrong-purpose"),
        (name, "purpose_entry/document", words.replace('"consent_days"', '"consent_weeks"'), "wrong-purpose"),
        (name, "purpose_entry/document", words.replace('"retention_days":30,', ""), "wrong-purpose"),
        (name, "purpose_entry/document", words.replace("{", "{ ", 1), "not-canonical"),
        (name, "purpose_entry/entry", part["entry"].replace('"version":1', '"version":2'), "wrong-inclusion"),
        (name, "purpose_entry/entry", part["entry"].replace('"v":1}', '"v":2}'), "unknown-kind"),
        (name, "purpose_entry/entry", part["entry"].replace('"purpose"', '"notice"'), "unknown-kind"),
        (name, "purpose_entry/proof", made["opening"]["proof"], "wrong-inclusion"),
        (name, "notice_text", NOTICE + " ", "wrong-notice"),
        (name, "@context/dpv", "https://dpv.example/#", "wrong-record"),
        (name, "@context/extra", "https://dpv.example/#", "wrong-record"),
        (name, "record/pii_processing/storage_locations", ["Elsewhere"], "wrong-record"),
        (name, "record/consent_events/0/event_state", "dpv:ConsentRefused", "wrong-record"),
        (name, "services/0/purposes/0/thirdPartyDisclosure", False, "wrong-record"),
        (name, "surplus", 1, "wrong-record"),
        (name, "summary/status", "renewed", "wrong-summary"),
    ]
