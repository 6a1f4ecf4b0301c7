"""A consent receipt's members in standard form, from what it proves and nothing else: ISO/IEC TS 27560 with DPV terms, Kantara v1.1.

Normative text: docs/spec/ledger-v1.md, section 10.1. A verifier derives the same members and compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from consent.canonical import b64u, parse_time
from consent.receipt_terms import ANSWERS, CONTEXT, ENTITY, PROCESSING, RIGHTS, SPECIAL
from consent.vocabulary import DPV, ConsentStatus, GivenBy, Processing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.entries import Payload

NOT_STATED: Final = "not stated"
NONE: Final = "none"
KANTARA_VERSION: Final = "KI-CR-v1.1.0"


@dataclass(frozen=True)
class ProvedPlace:
    """Where a consent entry stands.

    Attributes:
        origin: The log's name.
        index: Index of the entry.
        size: Size of the log that the receipt's checkpoint signs.
    """

    origin: str
    index: int
    size: int


def standard_members(place: ProvedPlace, payload: Payload, document: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a receipt of version 2 that say it in standard words.

    Args:
        place: Where the consent stands.
        payload: Its payload, of kind `consent`.
        document: The purpose's document (`purposes.document`), of the payload's purpose and version.

    Returns:
        `@context`, `@type`, `schema_version`, `receipt_id` and `record`; for a consent in force also the members of a
        Kantara receipt, which has no word for a no.
    """
    members: dict[str, Any] = {
        "@context": dict(CONTEXT),
        "@type": "dpv:ConsentReceipt",
        "receipt_id": f"{place.origin}#{place.index}@{place.size}",
        "record": _record(place, payload, document),
        "schema_version": "dpv-27560:receipt",
    }
    if ConsentStatus(payload.body["status"]).permits:
        members |= _kantara(members["receipt_id"], payload, document)
    return members


def category_term(category: str) -> str:
    """A category of data as DPV 2.3 spells its prefix."""
    return f"pd:{category.removeprefix('dpv-pd:')}" if category.startswith("dpv-pd:") else category


def _record(place: ProvedPlace, payload: Payload, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "dpv:ConsentRecord",
        "consent_events": [_event(payload, document)],
        "pii_principal_id": _subject(payload),
        "pii_processing": _processing(place.origin, payload.body, document),
        "record_id": f"{place.origin}#{place.index}",
        "schema_version": "dpv-27560:record",
    }


def _processing(origin: str, body: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    prefix = f"{quote(origin, safe='/')}:"
    kinds = [Processing(word) for word in body["processing"]]
    contact = document.get("contact", NOT_STATED)
    found: dict[str, Any] = {
        "@type": "dpv:Process",
        "effects_of_no": dict(document["effects_of_no"]),
        "jurisdiction": {"@id": "loc:EU"},
        "language": body["language"],
        "lawful_basis": [document["legal_basis"]],
        "pii_controllers": [_controller(origin, document)],
        "pii_information": [
            {
                "@type": "dpv:SpecialCategoryPersonalData" if term in SPECIAL else "dpv:PersonalData",
                "pii_type": term,
            }
            for term in map(category_term, body["categories"])
        ],
        "privacy_notice": {
            "@id": f"urn:luvalla:notice:{prefix}{quote(body['notice'], safe='')}:{body['notice_version']}",
            "@type": "dpv:ConsentNotice",
            "language": body["language"],
            "notice_digest": body["notice_digest"],
        },
        "privacy_rights": _rights(document["legal_basis"]),
        "processing_method": [{"@type": PROCESSING[kind], "processing": kind.value} for kind in kinds],
        "purpose": {
            "@id": f"urn:luvalla:purpose:{prefix}{quote(document['id'], safe='')}:{document['version']}",
            "@type": "dpv:Purpose",
            "description": dict(document["description"]),
            "title": dict(document["title"]),
        },
        "recipient_third_parties": list(document["recipients"]) or [NONE],
        "retention_period": {"@type": "dpv:StorageDuration", "duration": f"P{document['retention_days']}D"},
        "service": document["service"],
        "storage_locations": list(document.get("storage_locations", [NOT_STATED])),
        "withdrawal_method": {"@type": "dpv:WithdrawConsent", "exercised_at": contact},
    }
    if Processing.SCORING in kinds:
        # Finland's Administrative Procedure Act 8 b: a learned model may propose, never decide.
        found["automation_level"] = "dpv:AssistiveAutomation"
        found["human_involvement"] = "dpv:HumanInvolvementForDecision"
    return found


def _controller(origin: str, document: Mapping[str, Any]) -> dict[str, Any]:
    optional = {"party_email": "email", "party_phone": "phone", "party_url": "website"}
    return {
        "@type": "dpv:DataController",
        "party_address": document.get("address", NOT_STATED),
        "party_contact": document.get("contact", NOT_STATED),
        "party_id": origin,
        "party_name": document["controller"],
        "party_role": "controller",
        **{key: document[name] for key, name in optional.items() if name in document},
    }


def _rights(basis: str) -> list[str]:
    letter = basis.removeprefix("eu-gdpr:")[:6]
    more = [
        *(["eu-gdpr:A20"] if letter in ("A6-1-a", "A6-1-b", "A9-2-a") else []),
        *(["eu-gdpr:A21"] if letter in ("A6-1-e", "A6-1-f") else []),
    ]
    return [*RIGHTS, *more]


def _event(payload: Payload, document: Mapping[str, Any]) -> dict[str, Any]:
    body = payload.body
    status = ConsentStatus(body["status"])
    state = f"dpv:{status.iri.removeprefix(DPV)}"
    duration: dict[str, Any] = {"@type": "dpv:IndeterminateDuration"}
    if body["expires"] is not None:
        duration = {"@type": "dpv:UntilTimeDuration", "until": body["expires"]}
    return {
        "@type": state,
        "entity_id": _entity(payload, document, status),
        "event_state": state,
        "event_time": payload.at,
        "event_type": "dpv:ExpressedConsent",
        "indication_method": body["method"],
        "validity_duration": duration,
    }


def _entity(payload: Payload, document: Mapping[str, Any], status: ConsentStatus) -> dict[str, Any]:
    if status not in ANSWERS:
        return {
            "@type": "dpv:DataController",
            "party_name": document["controller"],
            "party_role": "controller",
        }
    who = GivenBy(payload.body["given_by"])
    found = {"@type": ENTITY[who], "party_role": who.value}
    if who in (GivenBy.DATA_SUBJECT, GivenBy.STAFF_ASSISTED):
        found["party_id"] = _subject(payload)
    return found


def _subject(payload: Payload) -> str:
    return f"urn:luvalla:subject:{b64u(payload.subject)}"


def _kantara(receipt_id: str, payload: Payload, document: Mapping[str, Any]) -> dict[str, Any]:
    body = payload.body
    terms = [category_term(category) for category in body["categories"]]
    special = [term for term in terms if term in SPECIAL]
    address = {"streetAddress": document["address"]} if "address" in document else {}
    recipients = document["recipients"]
    until = "" if body["expires"] is None else f", at the latest at {body['expires']}"
    purpose: dict[str, Any] = {
        "consentType": "EXPLICIT",
        "piiCategory": terms,
        "primaryPurpose": True,
        "purpose": document["title"][body["language"]],
        "purposeCategory": list(body["processing"]),
        "termination": f"when consent is withdrawn{until}",
        "thirdPartyDisclosure": bool(recipients),
    }
    if recipients:
        purpose["thirdPartyName"] = "; ".join(recipients)
    controller = {
        "address": address,
        "contact": document.get("contact", ""),
        "email": document.get("email", ""),
        "onBehalf": False,
        "phone": document.get("phone", ""),
        "piiController": document["controller"],
    }
    if "website" in document:
        controller["piiControllerUrl"] = document["website"]
    notice = b64u(bytes.fromhex(body["notice_digest"].removeprefix("sha256:")))
    return {
        "collectionMethod": body["method"],
        "consentReceiptID": receipt_id,
        "consentTimestamp": int(parse_time(payload.at).timestamp()),
        "jurisdiction": "EU",
        "language": body["language"],
        "piiControllers": [controller],
        "piiPrincipalId": b64u(payload.subject),
        "policyUrl": f"ni:///sha-256;{notice}",
        "sensitive": bool(special),
        "services": [{"purposes": [purpose], "service": document["service"]}],
        "spiCat": special,
        "version": KANTARA_VERSION,
    }
