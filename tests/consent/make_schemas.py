"""Make the JSON Schemas of receipts in docs/schemas; `test_receipt_schemas.py` makes them again and compares every byte.

.venv/bin/python -m tests.consent.make_schemas docs/schemas      (in the repository's root)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from consent.receipt_terms import CONTEXT, SPECIAL
from consent.vocabulary import ConsentStatus, GivenBy, Language, Processing, UseStatus

BASE = "urn:luvalla:schema:"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEXT = {"type": "string", "minLength": 1, "maxLength": 1000}
ANY_TEXT = {"type": "string"}
TIME = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
DIGEST = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
HASH = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}
PROOF = {"type": "string", "pattern": "^c2sp\\.org/tlog-proof@v1\nindex [0-9]+\n"}
COUNT = {"type": "integer", "minimum": 1}
NUMBER = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
PROCESSING = {"enum": [kind.value for kind in Processing]}
LANGUAGE = {"enum": [language.value for language in Language]}
IRI = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"}


def exactly(**properties: Any) -> dict[str, Any]:
    """An object with these keys and no other; a key that ends in `__` may be missing."""
    return {
        "type": "object",
        "properties": {name.removesuffix("__"): value for name, value in properties.items()},
        "required": sorted(name for name in properties if not name.endswith("__")),
        "additionalProperties": False,
    }


def of(item: Any, least: int = 1) -> dict[str, Any]:
    """A set: an array without repetitions."""
    return {"type": "array", "items": item, "minItems": least, "uniqueItems": True}


def typed(kind: str, **properties: Any) -> dict[str, Any]:
    """A node of one DPV class."""
    return with_keys({"@type": {"const": f"dpv:{kind}"}}, exactly(**properties))


def with_keys(more: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """More required keys, of names that are not Python's."""
    return {
        **schema,
        "properties": {**more, **schema["properties"]},
        "required": sorted([*more, *schema["required"]]),
    }


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, schema]}


TEXTS = {
    "type": "object",
    "properties": {language.value: ANY_TEXT for language in Language},
    "required": sorted(language.value for language in Language),
}
OPENING = exactly(
    payload=ANY_TEXT,
    salt=HASH,
    proof=PROOF,
    details={
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,63}$"},
        "additionalProperties": exactly(salt=HASH, value=ANY_TEXT),
        "maxProperties": 64,
    },
)
SUMMARY = exactly(
    at=TIME,
    categories=of(TEXT),
    expires=or_null(TIME),
    given_by={"enum": [who.value for who in GivenBy]},
    language=LANGUAGE,
    method=TEXT,
    notice=TEXT,
    notice_version=COUNT,
    number=NUMBER,
    processing=of(PROCESSING),
    purpose=TEXT,
    purpose_version=COUNT,
    status={"enum": [status.value for status in ConsentStatus if status is not ConsentStatus.UNKNOWN]},
)


def frame(kind: str, version: int) -> dict[str, Any]:
    """What every receipt has."""
    return {
        "luvalla_receipt": {"const": version},
        "type": {"const": kind},
        "origin": {"type": "string", "minLength": 1, "maxLength": 200},
        "trust_root": DIGEST,
        "issued": TIME,
        "enrolment": OPENING,
    }


def consent_1() -> dict[str, Any]:
    """The consent receipt of version 1."""
    return exactly(**frame("consent", 1), opening=OPENING, summary=SUMMARY)


def use_1() -> dict[str, Any]:
    """The use receipt of version 1."""
    model = exactly(digest=DIGEST, name=TEXT, version=TEXT)
    return exactly(
        **frame("use", 1),
        run=exactly(entry=ANY_TEXT, proof=PROOF),
        slot=exactly(
            number=NUMBER,
            path={"type": "array", "items": HASH, "maxItems": 63},
            salt=HASH,
            size={"type": "integer", "multipleOf": 65_536, "minimum": 65_536, "maximum": 2**32},
            status={"enum": [int(status) for status in UseStatus]},
        ),
        summary=exactly(
            at=TIME,
            basis=TEXT,
            certificate=or_null(DIGEST),
            model=or_null(model),
            number=NUMBER,
            processing=PROCESSING,
            purpose=TEXT,
            purpose_version=COUNT,
            run=ID,
            service=TEXT,
            status={"enum": [status.word for status in UseStatus]},
        ),
        values=or_null(
            exactly(bytes=ANY_TEXT, path={"type": "array", "items": HASH, "maxItems": 63}, salt=HASH)
        ),
    )


def use_2() -> dict[str, Any]:
    """The use receipt with its purpose and the document that says what the values mean."""
    schema = use_1()
    schema["properties"] |= {
        "luvalla_receipt": {"const": 2},
        "explanation": or_null(ANY_TEXT),
        "purpose_entry": exactly(document=ANY_TEXT, entry=ANY_TEXT, proof=PROOF),
    }
    schema["required"] = sorted(schema["properties"])
    return schema


def _process() -> dict[str, Any]:
    operations = ("Analyse", "Assess", "AutomatedScoringOfIndividuals", "Consult")
    special = {"enum": sorted(SPECIAL)}
    ordinary = {"allOf": [IRI, {"not": special}]}
    return typed(
        "Process",
        privacy_notice=with_keys(
            {"@id": {"type": "string", "pattern": "^urn:luvalla:notice:"}},
            typed("ConsentNotice", language=LANGUAGE, notice_digest=DIGEST),
        ),
        language=LANGUAGE,
        purpose=with_keys(
            {"@id": {"type": "string", "pattern": "^urn:luvalla:purpose:"}},
            typed("Purpose", title=TEXTS, description=TEXTS),
        ),
        lawful_basis=of({"type": "string", "pattern": "^eu-gdpr:A[0-9]"}),
        pii_information=of(
            {
                "oneOf": [
                    typed("PersonalData", pii_type=ordinary),
                    typed("SpecialCategoryPersonalData", pii_type=special),
                ]
            }
        ),
        pii_controllers=of(
            typed(
                "DataController",
                party_id=TEXT,
                party_name=ANY_TEXT,
                party_address=ANY_TEXT,
                party_contact=ANY_TEXT,
                party_role={"const": "controller"},
                party_email__=ANY_TEXT,
                party_phone__=ANY_TEXT,
                party_url__=ANY_TEXT,
            )
        ),
        processing_method=of({"oneOf": [typed(name, processing=PROCESSING) for name in operations]}),
        automation_level__={"const": "dpv:AssistiveAutomation"},
        human_involvement__={"const": "dpv:HumanInvolvementForDecision"},
        storage_locations=of(ANY_TEXT),
        retention_period=typed("StorageDuration", duration={"type": "string", "pattern": "^P[0-9]+D$"}),
        recipient_third_parties=of(ANY_TEXT),
        withdrawal_method=typed("WithdrawConsent", exercised_at=ANY_TEXT),
        privacy_rights=of({"type": "string", "pattern": "^eu-gdpr:A[0-9]"}),
        jurisdiction=with_keys({"@id": {"const": "loc:EU"}}, exactly()),
        service=ANY_TEXT,
        effects_of_no=TEXTS,
    )


def _event() -> dict[str, Any]:
    states = [
        f"dpv:{status.iri.rpartition('#')[2]}"
        for status in ConsentStatus
        if status is not ConsentStatus.UNKNOWN
    ]
    subject = {"type": "string", "pattern": "^urn:luvalla:subject:[A-Za-z0-9_-]{22}$"}
    entities = [
        typed("DataSubject", party_role={"enum": ["data-subject", "staff-assisted"]}, party_id=subject),
        typed("GuardianOfDataSubject", party_role={"const": "guardian"}),
        typed("NaturalPerson", party_role={"const": "authorised-representative"}),
        typed("DataController", party_role={"const": "controller"}, party_name=ANY_TEXT),
    ]
    durations = [typed("UntilTimeDuration", until=TIME), typed("IndeterminateDuration")]
    event = exactly(
        event_time=TIME,
        event_type={"const": "dpv:ExpressedConsent"},
        event_state={"enum": states},
        indication_method=TEXT,
        validity_duration={"oneOf": durations},
        entity_id={"oneOf": entities},
    )
    return with_keys({"@type": {"enum": states}}, event)


def _kantara() -> dict[str, Any]:
    purpose = exactly(
        purpose=ANY_TEXT,
        consentType={"const": "EXPLICIT"},
        purposeCategory=of(PROCESSING),
        piiCategory=of(ANY_TEXT),
        primaryPurpose={"const": True},
        termination=TEXT,
        thirdPartyDisclosure={"type": "boolean"},
        thirdPartyName__=ANY_TEXT,
    )
    purpose["if"] = {"properties": {"thirdPartyDisclosure": {"const": True}}}
    purpose["then"] = {"required": ["thirdPartyName"]}
    purpose["else"] = {"properties": {"thirdPartyName": False}}
    controller = exactly(
        piiController=ANY_TEXT,
        onBehalf={"const": False},
        contact=ANY_TEXT,
        address=exactly(streetAddress__=ANY_TEXT),
        email=ANY_TEXT,
        phone=ANY_TEXT,
        piiControllerUrl__=ANY_TEXT,
    )
    return {
        "version": {"const": "KI-CR-v1.1.0"},
        "jurisdiction": {"const": "EU"},
        "consentTimestamp": {"type": "integer", "minimum": 0},
        "collectionMethod": TEXT,
        "consentReceiptID": TEXT,
        "language": LANGUAGE,
        "piiPrincipalId": ID,
        "piiControllers": of(controller),
        "policyUrl": {"type": "string", "pattern": "^ni:///sha-256;[A-Za-z0-9_-]{43}$"},
        "services": of(exactly(service=ANY_TEXT, purposes=of(purpose))),
        "sensitive": {"type": "boolean"},
        "spiCat": of({"enum": sorted(SPECIAL)}, least=0),
    }


def consent_2() -> dict[str, Any]:
    """The consent receipt in standard form: the Kantara members exactly where the consent is in force."""
    record = typed(
        "ConsentRecord",
        schema_version={"const": "dpv-27560:record"},
        record_id=TEXT,
        pii_principal_id={"type": "string", "pattern": "^urn:luvalla:subject:[A-Za-z0-9_-]{22}$"},
        pii_processing=_process(),
        consent_events=of(_event()),
    )
    own = exactly(
        **frame("consent", 2),
        opening=OPENING,
        summary=SUMMARY,
        notice_text=ANY_TEXT,
        purpose_entry=exactly(document=ANY_TEXT, entry=ANY_TEXT, proof=PROOF),
        schema_version={"const": "dpv-27560:receipt"},
        receipt_id=TEXT,
        record=record,
    )
    head = {"@context": {"const": dict(CONTEXT)}, "@type": {"const": "dpv:ConsentReceipt"}}
    schema, kantara = with_keys(head, own), _kantara()
    schema["properties"] |= kantara
    in_force = {"properties": {"status": {"enum": ["given", "renewed"]}}, "required": ["status"]}
    schema["if"] = {"properties": {"summary": in_force}, "required": ["summary"]}
    schema["then"] = {"required": sorted(kantara)}
    schema["else"] = {"properties": dict.fromkeys(sorted(kantara), False)}
    return schema


def files() -> dict[str, bytes]:
    """Every published file by name."""
    schemas = {
        "consent-receipt-1": ("Consent receipt of luvalla, version 1", consent_1()),
        "consent-receipt-2": (
            "Consent receipt of luvalla, version 2: ISO/IEC TS 27560, DPV 2.3, Kantara 1.1",
            consent_2(),
        ),
        "use-receipt-1": ("Use receipt of luvalla, version 1", use_1()),
        "use-receipt-2": ("Use receipt of luvalla, version 2", use_2()),
    }
    documents: dict[str, Any] = {
        f"{name}.schema.json": {"$schema": DRAFT, "$id": BASE + name, "title": title, **schema}
        for name, (title, schema) in schemas.items()
    }
    documents["consent-receipt-2.context.json"] = {"@context": dict(CONTEXT)}
    return {
        name: (json.dumps(value, ensure_ascii=True, indent=1, sort_keys=True) + "\n").encode()
        for name, value in documents.items()
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for file_name, content in files().items():
        (folder / file_name).write_bytes(content)
