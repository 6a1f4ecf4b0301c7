"""Words of consent receipts in standard form: the JSON-LD context, DPV 2.3 terms, and which data are special categories.

Every `dpv:`, `pd:`, `loc:` and `eu-gdpr:` term in here is one of DPV 2.3 (tests/consent/dpv-2.3-terms.txt). The context is
frozen with version 2 of the receipt: docs/spec/ledger-v1.md, section 10.1, holds its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consent.vocabulary import DPV, EU_GDPR, ConsentStatus, GivenBy, Processing

if TYPE_CHECKING:
    from collections.abc import Mapping

PD: Final = "https://w3id.org/dpv/pd#"
LOC: Final = "https://w3id.org/dpv/loc#"
SCHEMA_27560: Final = "https://w3id.org/dpv/schema/dpv-27560#"
OWN: Final = "urn:luvalla:receipt:2:"

_JSON: Final = "@json"
_IRI: Final = "@id"
_TIME: Final = "xsd:dateTime"


def _term(iri: str, kind: str | None = None, container: str | None = None) -> dict[str, str]:
    found = {"@id": iri}
    if kind is not None:
        found["@type"] = kind
    if container is not None:
        found["@container"] = container
    return found


def _own(name: str, kind: str | None = None) -> dict[str, str]:
    return _term(f"luvalla:{name}", kind)


CONTEXT: Final[Mapping[str, Any]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": DPV,
    "dpv-27560": SCHEMA_27560,
    "eu-gdpr": EU_GDPR,
    "loc": LOC,
    "luvalla": OWN,
    "pd": PD,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    # The receipt: evidence stands in it as exact text, so it is one JSON literal each.
    "luvalla_receipt": _own("luvalla_receipt"),
    "type": _own("type"),
    "origin": _own("origin"),
    "trust_root": _own("trust_root"),
    "issued": _term("dct:created", _TIME),
    "summary": _own("summary", _JSON),
    "enrolment": _own("enrolment", _JSON),
    "opening": _own("opening", _JSON),
    "purpose_entry": _own("purpose_entry", _JSON),
    "notice_text": _own("notice_text"),
    # ISO/IEC TS 27560 names, as DPV's guide to 27560 maps them.
    "schema_version": _term("dct:conformsTo", _IRI),
    "receipt_id": _term("dpv:hasIdentifier"),
    "record": _term("dpv:hasRecordOfActivity"),
    "record_id": _term("dct:identifier"),
    "pii_principal_id": _term("dpv:hasDataSubject", _IRI),
    "pii_processing": _term("dpv:hasProcess"),
    "privacy_notice": _term("dpv:hasNotice"),
    "notice_digest": _own("notice_digest"),
    "language": _term("dct:language"),
    "purpose": _term("dpv:hasPurpose"),
    "title": _term("dct:title", container="@language"),
    "description": _term("dct:description", container="@language"),
    "lawful_basis": _term("dpv:hasLegalBasis", _IRI, "@set"),
    "pii_information": _term("dpv:hasPersonalData", container="@set"),
    "pii_type": _term("dct:type", _IRI),
    "pii_controllers": _term("dpv:hasDataController", container="@set"),
    "party_id": _own("party_id"),
    "party_name": _term("dpv:hasName"),
    "party_address": _term("dpv:hasAddress"),
    "party_contact": _term("dpv:hasContact"),
    "party_role": _own("party_role"),
    "party_email": _own("party_email"),
    "party_phone": _own("party_phone"),
    "party_url": _own("party_url"),
    "processing_method": _term("dpv:hasProcessing", container="@set"),
    "processing": _own("processing"),
    "automation_level": _term("dpv:hasAutomationLevel", _IRI),
    "human_involvement": _term("dpv:hasHumanInvolvement", _IRI),
    "storage_locations": _term("dpv:hasLocation", container="@set"),
    "retention_period": _term("dpv:hasStorageCondition"),
    "duration": _term("dpv:hasDuration", "xsd:duration"),
    "recipient_third_parties": _term("dpv:hasRecipient", container="@set"),
    "withdrawal_method": _term("dpv:hasConsentControl"),
    "exercised_at": _term("dpv:isExercisedAt"),
    "privacy_rights": _term("dpv:hasRight", _IRI, "@set"),
    "service": _term("dpv:hasService"),
    "effects_of_no": _term("dpv:hasConsequence", container="@language"),
    "consent_events": _term("dpv:hasConsentStatus", container="@set"),
    "event_time": _term("dpv:isIndicatedAtTime", _TIME),
    "event_state": _term("dpv:hasStatus", _IRI),
    "event_type": _own("event_type", _IRI),
    "validity_duration": _term("dpv:hasDuration"),
    "until": _own("until", _TIME),
    "entity_id": _term("dpv:isIndicatedBy"),
    "indication_method": _term("dpv:hasIndicationMethod"),
    # Kantara Consent Receipt 1.1: members of the same document.
    "version": _own("version"),
    "jurisdiction": _term("dpv:hasJurisdiction"),
    "consentTimestamp": _own("consentTimestamp"),
    "collectionMethod": _own("collectionMethod"),
    "consentReceiptID": _own("consentReceiptID"),
    "piiPrincipalId": _own("piiPrincipalId"),
    "piiControllers": _term("luvalla:piiControllers", _JSON, "@set"),
    "policyUrl": _own("policyUrl"),
    "services": _term("luvalla:services", _JSON, "@set"),
    "sensitive": _own("sensitive"),
    "spiCat": _term("luvalla:spiCat", _JSON, "@set"),
}
"""The JSON-LD context of a consent receipt of version 2; it names nothing that has to be fetched."""

PROCESSING: Final[Mapping[Processing, str]] = {
    Processing.TRAINING: "dpv:Analyse",
    Processing.AUDIT: "dpv:Assess",
    Processing.SCORING: "dpv:AutomatedScoringOfIndividuals",
    Processing.HUMAN_REVIEW: "dpv:Consult",
}
ENTITY: Final[Mapping[GivenBy, str]] = {
    GivenBy.DATA_SUBJECT: "dpv:DataSubject",
    GivenBy.GUARDIAN: "dpv:GuardianOfDataSubject",
    GivenBy.AUTHORISED_REPRESENTATIVE: "dpv:NaturalPerson",
    GivenBy.STAFF_ASSISTED: "dpv:DataSubject",
}
ANSWERS: Final = frozenset(
    {ConsentStatus.GIVEN, ConsentStatus.RENEWED, ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN}
)
"""What people say; the other events are the controller's."""
RIGHTS: Final = (
    "eu-gdpr:A7-3",
    "eu-gdpr:A13",
    "eu-gdpr:A15",
    "eu-gdpr:A16",
    "eu-gdpr:A17",
    "eu-gdpr:A18",
    "eu-gdpr:A22",
    "eu-gdpr:A77",
)
"""Rights that hold on every legal basis."""

SPECIAL: Final = frozenset(
    {
        "pd:Biometric",
        "pd:BloodType",
        "pd:DNACode",
        "pd:Disability",
        "pd:DrugTestResult",
        "pd:EthnicOrigin",
        "pd:Ethnicity",
        "pd:FacialExpression",
        "pd:FacialPrint",
        "pd:FamilyHealthHistory",
        "pd:Fetish",
        "pd:Fingerprint",
        "pd:Genetic",
        "pd:Health",
        "pd:HealthHistory",
        "pd:HealthRecord",
        "pd:IndividualHealthHistory",
        "pd:MedicalHealth",
        "pd:MentalHealth",
        "pd:PhilosophicalBelief",
        "pd:PhysicalHealth",
        "pd:PoliticalAffiliation",
        "pd:PoliticalOpinion",
        "pd:Prescription",
        "pd:Proclivity",
        "pd:Race",
        "pd:Religion",
        "pd:ReligiousBelief",
        "pd:Retina",
        "pd:Sexual",
        "pd:SexualHistory",
        "pd:SexualPreference",
        "pd:TradeUnionMembership",
    }
)
"""Special categories (GDPR 9): those under DPV 2.3's `dpv:SpecialCategoryPersonalData`, and `pd:Ethnicity`."""
