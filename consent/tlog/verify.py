"""Check what a luvalla log handed out, on any machine: this file, Python 3.11 or newer, and the `cryptography` package.

    python verify.py RECEIPT TRUST_ROOT                  a receipt
    python verify.py PROOF TRUST_ROOT --entry FILE       a C2SP tlog-proof of the entry with these exact bytes
    python verify.py FOLDER [TRUST_ROOT] [--older FILE]  a published log: every entry and tile is hashed again

Each takes [--pin sha256:...] and [--json]. Exit codes: 0 everything verifies, 2 wrong usage or a file that cannot be
read, 3 something does not verify.

It shares no code with the program that writes receipts, needs no network and no ledger, and follows
docs/spec/ledger-v1.md; the numbered steps are those of its section 11. Whoever wants to check the checker reads this
file from top to bottom. As a library: `verify_receipt`, `verify_proof`, `verify_published`, `verify_trust_root`,
`verify_note`, `verify_inclusion`, `verify_consistency`; each raises `VerificationError`, whose `code` is stable and whose `message` holds nothing personal.
"""

# ruff: noqa: T201 - a program of one file prints its own result
from __future__ import annotations

import argparse
import base64
import binascii
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Limits of section 12 of the specification. A larger input is refused before it is parsed.
MAX_RECEIPT_BYTES = 4 * 1024 * 1024
MAX_TRUST_ROOT_BYTES = 4 * 1024 * 1024
MAX_ENTRY_BYTES = 65_535
MAX_NOTE_BYTES = 256 * 1024
MAX_SIGNATURES = 64
MAX_PATH = 63
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
MAX_NUMBER = 2**32 - 1
MAX_TEXT = 1_000
MAX_NAME = 200
MAX_LIST = 1_000
MAX_DETAILS = 64
MAX_TILE_BYTES = 256 * 32
MAX_BUNDLE_BYTES = 256 * (2 + MAX_ENTRY_BYTES)
SLOT_MULTIPLE = 65_536

STATUS_WORDS = {
    0x00: "not-in-run",
    0x01: "used",
    0x02: "selected",
    0x03: "sampled",
    0x10: "no-consent",
    0x11: "refused",
    0x12: "withdrawn",
    0x13: "expired",
    0x14: "other-version",
    0x15: "only-requested",
    0x16: "revoked",
    0x17: "not-covered",
    0x18: "objected",
    0x19: "restricted",
    0x1A: "record-lost",
}
_STATUS_MEANINGS = {
    0x00: "this person was not in the run",
    0x01: "this person's data was used; the person was not selected, if the run selected anybody",
    0x02: "this person's data was used, and the person was selected",
    0x03: "this person's data was used; the person was not selected, and was sampled for review by a human",
    0x10: "left out: no consent on record",
    0x11: "left out: the person had said no",
    0x12: "left out: the consent had been withdrawn",
    0x13: "left out: the consent had expired",
    0x14: "left out: the consent was for another version of the purpose or its notice",
    0x15: "left out: consent had been asked for and not answered",
    0x16: "left out: the consent had been revoked or found invalid",
    0x17: "left out: the consent did not cover this processing",
    0x18: "left out: the person had objected to this processing",
    0x19: "left out: the processing of the person's data was restricted",
    0x1A: "left out: a part of the city's record had been lost, and the consent was not confirmed since",
}
_SELECTING = ("scoring", "human-review")


class VerificationError(Exception):
    """Something does not verify, or is not in a form that could.

    Attributes:
        code: A stable word, listed in section 11 of the specification.
        message: What is wrong. Nothing personal.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class LogKey:
    """A key of the log and the checkpoint sizes it may sign: `first` included, `until` not (None: no end)."""

    vkey: str
    first: int
    until: int | None


@dataclass(frozen=True)
class Witnesses:
    """The witnesses that count, and how many of them a checkpoint of at least `first` entries needs."""

    vkeys: tuple[str, ...] = ()
    threshold: int = 0
    first: int = 0


@dataclass(frozen=True)
class TrustRoot:
    """What a verified trust root says to somebody who checks receipts.

    Attributes:
        pin: Digest of version 1.
        digest: Digest of the newest version in the file.
        version: Its number.
        origin: The log's name.
        log_keys: The log's keys.
        witnesses: The rule for witnesses; a threshold of 0 asks for none.
        succeeds: The log that this one takes the place of: `origin`, `root`, `size`, `trust_root`; None if none.
    """

    pin: str
    digest: str
    version: int
    origin: str
    log_keys: tuple[LogKey, ...]
    witnesses: Witnesses = Witnesses()
    succeeds: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ProvedConsent:
    """What a proved consent payload says."""

    status: str
    permits: bool
    expires: str | None
    processing: tuple[str, ...]
    categories: tuple[str, ...]
    given_by: str
    language: str
    method: str
    notice: str
    notice_version: int
    notice_digest: str


@dataclass(frozen=True)
class ProvedUse:
    """What a proved run entry says, and what its use tree says of one person.

    Attributes:
        run: The run's id, base64url.
        processing: training, audit, scoring or human-review.
        service: Id of the service.
        basis: Legal basis.
        model: name, version and digest, or None.
        certificate: Digest of the certificate's envelope, or None.
        output: Digest of what the run made, or None.
        status: The status byte.
        status_word: Its word.
        values: The text of the feature values that the run saw, if the receipt opens them.
        explanation: The text of the document that says what the values mean, if the receipt has it (version 2).
        purpose_title: The purpose's title per language (version 2).
    """

    run: str
    processing: str
    service: str
    basis: str
    model: tuple[str, str, str] | None
    certificate: str | None
    output: str | None
    status: int
    status_word: str
    values: str | None
    explanation: str | None = None
    purpose_title: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Verified:
    """A receipt that verifies: what is proved, in plain fields, and what is not.

    Attributes:
        type: consent or use.
        origin: The log.
        trust_root: Digest of the trust root's version 1.
        pinned: Whether that digest was given by the caller.
        subject: The subject id, base64url.
        number: The person's number.
        enrolment_index: Index of the entry that binds the two.
        index: Index of the consent or run entry.
        size: Size of the log that the checkpoint signs.
        root: Its root hash, hex.
        signed_by: The log keys that signed it, `name+id`.
        witnessed_by: The witnesses of the trust root that cosigned it, `name+id`.
        at: When the entry was made, by the city's clock.
        purpose: Purpose id.
        purpose_version: Its version.
        consent: For a consent receipt.
        use: For a use receipt.
        details: Opened details, name to text.
        proved: The same in sentences.
        not_proved: What a reader might think is proved and is not, in sentences.
    """

    type: str
    origin: str
    trust_root: str
    pinned: bool
    subject: str
    number: int
    enrolment_index: int
    index: int
    size: int
    root: str
    signed_by: tuple[str, ...]
    witnessed_by: tuple[str, ...]
    at: str
    purpose: str
    purpose_version: int
    consent: ProvedConsent | None
    use: ProvedUse | None
    details: tuple[tuple[str, str], ...]
    proved: tuple[str, ...]
    not_proved: tuple[str, ...]


def verify_receipt(receipt: bytes, trust_root: bytes, pin: str | None = None) -> Verified:
    """Check a receipt against a trust root.

    Args:
        receipt: The receipt file.
        trust_root: The trust-root.json file.
        pin: "sha256:..." of the trust root's version 1, got from somewhere else than these two files: a printed
            receipt, a letter, the city's web site. Without it the trust root is believed, and the result says so.

    Returns:
        What is proved, and what is not.

    Raises:
        VerificationError: If anything does not verify.
    """
    # Step 1. The receipt's outer form.
    value = _parse_json(receipt, MAX_RECEIPT_BYTES, "malformed-receipt", "the receipt")
    keys = {"enrolment", "issued", "luvalla_receipt", "origin", "summary", "trust_root", "type"}
    if not isinstance(value, dict) or not keys <= value.keys():
        _fail("malformed-receipt", f"the receipt has not the keys {', '.join(sorted(keys))}")
    version = value["luvalla_receipt"]
    if not _is_integer(version) or version not in (1, 2):
        _fail("unknown-version", "the receipt is not of version 1 or 2")
    is_use = value["type"] == "use"
    if is_use or version == 1:
        keys |= {"run", "slot", "values"} if is_use else {"opening"}
        keys |= {"explanation", "purpose_entry"} if version > 1 else set()
        _keys(value, keys, "malformed-receipt", "the receipt")
    elif not value.keys() >= _OPENED:  # the rest of version 2 is derived and compared below
        _fail("malformed-receipt", "a consent receipt of version 2 has a purpose and a notice's text")
    if value["type"] not in ("consent", "use"):
        _fail("malformed-receipt", "the receipt's type is neither consent nor use")
    if not _is_time(value["issued"]):
        _fail("malformed-receipt", "the receipt's time of issue is not a time")

    # Step 2. The trust root's chain, and that it is the one this receipt (and the caller) means.
    trust = verify_trust_root(trust_root, pin)
    if value["trust_root"] != trust.pin:
        _fail("wrong-trust-root", "the receipt names another trust root than the one given")
    if value["origin"] != trust.origin:
        _fail("wrong-origin", "the receipt names another log than the trust root")

    # Step 3. The enrolment: an entry of the log that binds a subject id to a number.
    enrolment = _verify_opening(value["enrolment"], trust, "enrolment")
    number = enrolment.payload["body"]["number"]

    # Steps 4 to 7. The consent, or the run and the person's slot in it.
    if is_use:
        return _verify_use(value, trust, enrolment, number, pinned=pin is not None)
    return _verify_consent(value, trust, enrolment, number, pinned=pin is not None)


def _verify_consent(
    receipt: Mapping[str, Any], trust: TrustRoot, enrolment: _Opening, number: int, *, pinned: bool
) -> Verified:
    # Step 4. The consent is in the same log, of the same subject, after the enrolment.
    opening = _verify_opening(receipt["opening"], trust, "consent")
    payload, body = opening.payload, opening.payload["body"]
    if payload["subject"] != enrolment.payload["subject"]:
        _fail("wrong-subject", "the consent and the enrolment are of different subjects")
    _same_log(enrolment.proved, opening.proved)

    # Step 7. The summary says what the opening says, nothing else.
    summary = {
        "at": payload["at"],
        "number": number,
        "purpose": payload["purpose"],
        "purpose_version": payload["purpose_version"],
        **{key: body[key] for key in sorted(body) if key != "notice_digest"},
    }
    _same_summary(receipt["summary"], summary)
    permits = body["status"] in ("given", "renewed")
    is_standard = receipt["luvalla_receipt"] > 1
    if is_standard:
        _verify_standard(receipt, trust, opening)
    proved: tuple[str, ...] = (
        (
            f"Entry {opening.proved.index} of the log {trust.origin} records a consent of person number {number}: "
            f"{body['status']}, for purpose {payload['purpose']} version {payload['purpose_version']}, "
            f"covering {', '.join(body['processing'])}, shown notice {body['notice']} version {body['notice_version']}."
        ),
        f"The record says that it was made at {payload['at']}"
        + (f" and that it ends at {body['expires']}." if body["expires"] else "."),
    )
    if is_standard:
        proved += (
            "The purpose stood in the log before the consent, word for word as the receipt has it.",
            f"The notice's text in the receipt is the one that the consent names (in {body['language']}).",
        )
    return Verified(
        type="consent",
        origin=trust.origin,
        trust_root=trust.pin,
        pinned=pinned,
        subject=payload["subject"],
        number=number,
        enrolment_index=enrolment.proved.index,
        index=opening.proved.index,
        size=opening.proved.size,
        root=opening.proved.root.hex(),
        signed_by=opening.proved.signed_by,
        witnessed_by=opening.proved.witnessed_by,
        at=payload["at"],
        purpose=payload["purpose"],
        purpose_version=payload["purpose_version"],
        consent=ProvedConsent(
            status=body["status"],
            permits=permits,
            expires=body["expires"],
            processing=tuple(body["processing"]),
            categories=tuple(body["categories"]),
            given_by=body["given_by"],
            language=body["language"],
            method=body["method"],
            notice=body["notice"],
            notice_version=body["notice_version"],
            notice_digest=body["notice_digest"],
        ),
        use=None,
        details=opening.details,
        proved=proved + _proved_always(enrolment, opening.proved, number),
        not_proved=(
            "That this is the newest word: a later answer, or a withdrawal, may have been recorded since.",
            "That the person pressed the button: only that the city recorded it and cannot change the record unseen.",
            *(
                (
                    "That the person read or understood the notice, or that the purpose is carried out as it says.",
                )
                if is_standard
                else (
                    "What the notice's text says: the record holds its digest; compare the published text with it.",
                )
            ),
            *_withheld(opening),
            *_not_proved_always(trust, opening.proved.witnessed_by, pinned=pinned),
        ),
    )


# Version 2 of the consent receipt (section 10.1 of the specification): members in standard words, all derived here again.

_CONTEXT_DIGEST = "07dbd1f8ccd733fb50cf4c220a712ece3e3ce9086cae8d9d81577937f996329c"
_OPENED = {
    "enrolment",
    "issued",
    "luvalla_receipt",
    "notice_text",
    "opening",
    "origin",
    "purpose_entry",
    "summary",
    "trust_root",
    "type",
}
_STATES = {
    "requested": "dpv:ConsentRequested",
    "refused": "dpv:ConsentRefused",
    "given": "dpv:ConsentGiven",
    "renewed": "dpv:RenewedConsentGiven",
    "withdrawn": "dpv:ConsentWithdrawn",
    "revoked": "dpv:ConsentRevoked",
    "expired": "dpv:ConsentExpired",
    "invalidated": "dpv:ConsentInvalidated",
}
_OPERATIONS = {
    "training": "dpv:Analyse",
    "audit": "dpv:Assess",
    "scoring": "dpv:AutomatedScoringOfIndividuals",
    "human-review": "dpv:Consult",
}
_ENTITIES = {
    "data-subject": "dpv:DataSubject",
    "guardian": "dpv:GuardianOfDataSubject",
    "authorised-representative": "dpv:NaturalPerson",
    "staff-assisted": "dpv:DataSubject",
}
# Special categories of personal data (GDPR 9): what DPV 2.3 puts under dpv:SpecialCategoryPersonalData, and Ethnicity.
_SPECIAL = {
    f"pd:{term}"
    for term in [
        "Biometric",
        "BloodType",
        "DNACode",
        "Disability",
        "DrugTestResult",
        "EthnicOrigin",
        "Ethnicity",
        "FacialExpression",
        "FacialPrint",
        "FamilyHealthHistory",
        "Fetish",
        "Fingerprint",
        "Genetic",
        "Health",
        "HealthHistory",
        "HealthRecord",
        "IndividualHealthHistory",
        "MedicalHealth",
        "MentalHealth",
        "PhilosophicalBelief",
        "PhysicalHealth",
        "PoliticalAffiliation",
        "PoliticalOpinion",
        "Prescription",
        "Proclivity",
        "Race",
        "Religion",
        "ReligiousBelief",
        "Retina",
        "Sexual",
        "SexualHistory",
        "SexualPreference",
        "TradeUnionMembership",
    ]
}


def _verify_standard(receipt: Mapping[str, Any], trust: TrustRoot, opening: _Opening) -> None:
    """Check the purpose and the notice's text, derive the standard members from what is proved, and compare."""
    payload, body = opening.payload, opening.payload["body"]
    named = (payload["purpose"], payload["purpose_version"])
    document = _verify_purpose(receipt["purpose_entry"], trust, opening.proved, named)
    notice = document["notice"]
    if (notice["id"], notice["version"]) != (body["notice"], body["notice_version"]):
        _fail("wrong-purpose", "the consent is for another notice than its purpose's")
    shown = _utf8(receipt["notice_text"], "malformed-receipt", "the notice's text")
    if f"sha256:{hashlib.sha256(shown).hexdigest()}" != body["notice_digest"]:
        _fail("wrong-notice", "the notice's text is not the one that the consent names")

    context = _canonical(receipt.get("@context")).encode("utf-8", "surrogatepass")
    if hashlib.sha256(context).hexdigest() != _CONTEXT_DIGEST:
        _fail("wrong-record", "the receipt's @context is not that of version 2")
    derived = _standard_members(trust.origin, opening, document)
    given = {key: item for key, item in receipt.items() if key not in _OPENED and key != "@context"}
    if _canonical(given) != _canonical(derived):
        _fail("wrong-record", "the receipt's standard members do not say what its proved parts say")


def _verify_purpose(
    part: Any, trust: TrustRoot, after: _ProvedEntry, named: tuple[str, int]
) -> Mapping[str, Any]:
    """Check that a purpose stood in the log before an entry that names it, and return its document."""
    _keys(part, {"document", "entry", "proof"}, "malformed-receipt", "the receipt's purpose_entry")
    text = _utf8(part["entry"], "malformed-receipt", "the purpose's entry")
    entry = _parse_canonical(text, MAX_ENTRY_BYTES, "the purpose's entry")
    if not isinstance(entry, dict) or not _is_integer(entry.get("v")) or entry["v"] != 1:
        _fail("unknown-kind", "the purpose's entry is not an entry of version 1")
    _keys(entry, {"at", "b", "t", "v"}, "bad-entry", "the purpose's entry")
    if entry["t"] != "purpose":
        _fail("unknown-kind", "the purpose's entry is not of kind purpose")
    _form(entry, {"at": _is_time}, "the purpose's entry", code="bad-entry")
    keys = {"digest": _is_digest, "id": _is_text, "version": _is_positive}
    _form(entry["b"], keys, "the purpose's entry", exact=True, code="bad-entry")
    proved = _verify_proof(part["proof"], hashlib.sha256(b"\x00" + text).digest(), trust)
    if proved.checkpoint != after.checkpoint:
        _fail("different-checkpoints", "the receipt's proofs lead to different checkpoints")
    if proved.index >= after.index:
        _fail("wrong-order", "the purpose is not before the entry that names it")

    raw = _utf8(part["document"], "malformed-receipt", "the purpose's document")
    document = _parse_canonical(raw, MAX_RECEIPT_BYTES, "the purpose's document")
    _check_document(document)
    if (
        f"sha256:{hashlib.sha256(raw).hexdigest()}" != entry["b"]["digest"]
        or (document["id"], document["version"]) != (entry["b"]["id"], entry["b"]["version"])
        or (document["id"], document["version"]) != named
    ):
        _fail("wrong-purpose", "the purpose's document is not the one that the log and the entry name")
    found: Mapping[str, Any] = document
    return found


def _check_document(document: Any) -> None:
    """Check as much of a purpose's document as is used here; it may say more."""

    def is_words(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)

    def is_texts(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and {"en", "fi", "sv"} <= value.keys()
            and all(isinstance(item, str) for item in value.values())
        )

    checks: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(("controller", "id", "legal_basis", "service"), lambda item: isinstance(item, str)),
        **dict.fromkeys(("description", "effects_of_no", "title"), is_texts),
        "recipients": is_words,
        "retention_days": _is_index,
        "version": _is_positive,
        "notice": lambda item: (
            isinstance(item, dict) and isinstance(item.get("id"), str) and _is_positive(item.get("version"))
        ),
    }
    optional: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(("address", "contact", "email", "phone", "website"), checks["id"]),
        "storage_locations": is_words,
    }
    if (
        not isinstance(document, dict)
        or not checks.keys() <= document.keys()
        or not all(check(document[key]) for key, check in checks.items())
        or not all(check(document[key]) for key, check in optional.items() if key in document)
    ):
        _fail("wrong-purpose", "the purpose's document is not in its form")


def _standard_members(origin: str, opening: _Opening, document: Mapping[str, Any]) -> dict[str, Any]:
    payload, body, index = opening.payload, opening.payload["body"], opening.proved.index
    terms = [re.sub("^dpv-pd:", "pd:", category) for category in body["categories"]]
    receipt_id = f"{origin}#{index}@{opening.proved.size}"
    record = {
        "@type": "dpv:ConsentRecord",
        "consent_events": [_event(payload, document)],
        "pii_principal_id": f"urn:luvalla:subject:{payload['subject']}",
        "pii_processing": _process(origin, body, document, terms),
        "record_id": f"{origin}#{index}",
        "schema_version": "dpv-27560:record",
    }
    members: dict[str, Any] = {
        "@type": "dpv:ConsentReceipt",
        "receipt_id": receipt_id,
        "record": record,
        "schema_version": "dpv-27560:receipt",
    }
    if body["status"] in ("given", "renewed"):
        members.update(_kantara(receipt_id, payload, document, terms))
    return members


def _process(
    origin: str, body: Mapping[str, Any], document: Mapping[str, Any], terms: Sequence[str]
) -> dict[str, Any]:
    def urn(kind: str, name: str, version: int) -> str:
        return f"urn:luvalla:{kind}:{quote(origin, safe='/')}:{quote(name, safe='')}:{version}"

    contact = document.get("contact", "not stated")
    controller = {
        "@type": "dpv:DataController",
        "party_address": document.get("address", "not stated"),
        "party_contact": contact,
        "party_id": origin,
        "party_name": document["controller"],
        "party_role": "controller",
    }
    for key, name in (("party_email", "email"), ("party_phone", "phone"), ("party_url", "website")):
        if name in document:
            controller[key] = document[name]
    rights = [f"eu-gdpr:A{article}" for article in ("7-3", "13", "15", "16", "17", "18", "22", "77")]
    basis = document["legal_basis"].removeprefix("eu-gdpr:")[:6]
    rights += ["eu-gdpr:A20"] if basis in ("A6-1-a", "A6-1-b", "A9-2-a") else []
    rights += ["eu-gdpr:A21"] if basis in ("A6-1-e", "A6-1-f") else []
    found: dict[str, Any] = {
        "@type": "dpv:Process",
        "effects_of_no": document["effects_of_no"],
        "jurisdiction": {"@id": "loc:EU"},
        "language": body["language"],
        "lawful_basis": [document["legal_basis"]],
        "pii_controllers": [controller],
        "pii_information": [
            {"@type": f"dpv:{'SpecialCategory' if term in _SPECIAL else ''}PersonalData", "pii_type": term}
            for term in terms
        ],
        "privacy_notice": {
            "@id": urn("notice", body["notice"], body["notice_version"]),
            "@type": "dpv:ConsentNotice",
            "language": body["language"],
            "notice_digest": body["notice_digest"],
        },
        "privacy_rights": rights,
        "processing_method": [
            {"@type": _OPERATIONS[word], "processing": word} for word in body["processing"]
        ],
        "purpose": {
            "@id": urn("purpose", document["id"], document["version"]),
            "@type": "dpv:Purpose",
            "description": document["description"],
            "title": document["title"],
        },
        "recipient_third_parties": document["recipients"] or ["none"],
        "retention_period": {"@type": "dpv:StorageDuration", "duration": f"P{document['retention_days']}D"},
        "service": document["service"],
        "storage_locations": document.get("storage_locations", ["not stated"]),
        "withdrawal_method": {"@type": "dpv:WithdrawConsent", "exercised_at": contact},
    }
    if "scoring" in body["processing"]:
        found["automation_level"] = "dpv:AssistiveAutomation"
        found["human_involvement"] = "dpv:HumanInvolvementForDecision"
    return found


def _event(payload: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    body, who = payload["body"], payload["body"]["given_by"]
    if body["status"] in ("refused", "given", "renewed", "withdrawn"):
        entity = {"@type": _ENTITIES[who], "party_role": who}
        if who in ("data-subject", "staff-assisted"):
            entity["party_id"] = f"urn:luvalla:subject:{payload['subject']}"
    else:
        entity = {
            "@type": "dpv:DataController",
            "party_name": document["controller"],
            "party_role": "controller",
        }
    duration = {"@type": "dpv:IndeterminateDuration"}
    if body["expires"] is not None:
        duration = {"@type": "dpv:UntilTimeDuration", "until": body["expires"]}
    return {
        "@type": _STATES[body["status"]],
        "entity_id": entity,
        "event_state": _STATES[body["status"]],
        "event_time": payload["at"],
        "event_type": "dpv:ExpressedConsent",
        "indication_method": body["method"],
        "validity_duration": duration,
    }


def _kantara(
    receipt_id: str, payload: Mapping[str, Any], document: Mapping[str, Any], terms: Sequence[str]
) -> dict[str, Any]:
    """Derive the members of a Kantara Consent Receipt 1.1."""
    body = payload["body"]
    special = [term for term in terms if term in _SPECIAL]
    purpose = {
        "consentType": "EXPLICIT",
        "piiCategory": terms,
        "primaryPurpose": True,
        "purpose": document["title"][body["language"]],
        "purposeCategory": body["processing"],
        "termination": "when consent is withdrawn"
        + (f", at the latest at {body['expires']}" if body["expires"] else ""),
        "thirdPartyDisclosure": bool(document["recipients"]),
    }
    if document["recipients"]:
        purpose["thirdPartyName"] = "; ".join(document["recipients"])
    controller = {
        "address": {"streetAddress": document["address"]} if "address" in document else {},
        "contact": document.get("contact", ""),
        "email": document.get("email", ""),
        "onBehalf": False,
        "phone": document.get("phone", ""),
        "piiController": document["controller"],
    }
    if "website" in document:
        controller["piiControllerUrl"] = document["website"]
    notice = base64.urlsafe_b64encode(bytes.fromhex(body["notice_digest"][7:])).rstrip(b"=").decode()
    return {
        "collectionMethod": body["method"],
        "consentReceiptID": receipt_id,
        "consentTimestamp": int(dt.datetime.fromisoformat(payload["at"]).timestamp()),
        "jurisdiction": "EU",
        "language": body["language"],
        "piiControllers": [controller],
        "piiPrincipalId": payload["subject"],
        "policyUrl": f"ni:///sha-256;{notice}",
        "sensitive": bool(special),
        "services": [{"purposes": [purpose], "service": document["service"]}],
        "spiCat": special,
        "version": "KI-CR-v1.1.0",
    }


def _verify_use(
    receipt: Mapping[str, Any], trust: TrustRoot, enrolment: _Opening, number: int, *, pinned: bool
) -> Verified:
    # Step 4. The run's entry is in the same log, after the enrolment.
    part = receipt["run"]
    _keys(part, {"entry", "proof"}, "malformed-receipt", "the receipt's run")
    text = _utf8(part["entry"], "malformed-receipt", "the run's entry")
    entry = _parse_run_entry(text)
    run, run_id = entry["b"], _b64u(entry["b"]["run"], 16)
    proved_entry = _verify_proof(part["proof"], hashlib.sha256(b"\x00" + text).digest(), trust)
    _same_log(enrolment.proved, proved_entry)
    if run["state"]["size"] > proved_entry.index:
        _fail("bad-entry", "the run names a consent state later than itself")

    # Step 5. The person's slot: its position is the person's number, and its path leads to the run's root.
    slot = receipt["slot"]
    _keys(slot, {"number", "path", "salt", "size", "status"}, "malformed-receipt", "the receipt's slot")
    if not _is_integer(slot["number"]) or slot["number"] != number:
        _fail("wrong-slot", "the slot is not that of the enrolled number")
    if not _is_integer(slot["size"]) or slot["size"] != run["slots"]:
        _fail("wrong-slot", "the slot's tree is not as large as the run says")
    status = slot["status"]
    if not _is_integer(status) or status not in STATUS_WORDS:
        _fail("unknown-status", "the slot's status is not one of version 1")
    if status in (0x02, 0x03) and run["processing"] not in _SELECTING:
        _fail("bad-entry", f"a run of {run['processing']} selects nobody")
    position = number.to_bytes(4, "big")
    leaf = hashlib.sha256(
        b"\x00luvalla/use/v1\x00" + run_id + position + bytes([status]) + _b64u(slot["salt"], 32)
    ).digest()
    _slot_path(leaf, number, run["slots"], slot["path"], run["root"], "wrong-slot")

    # Step 6. The values that the run saw of this person, if the receipt opens them.
    values = None
    if receipt["values"] is not None:
        part = receipt["values"]
        _keys(part, {"bytes", "path", "salt"}, "malformed-receipt", "the receipt's values")
        if run["values_root"] is None:
            _fail("wrong-values", "the run kept no values")
        values = part["bytes"]
        raw = _utf8(values, "malformed-receipt", "the values")
        leaf = hashlib.sha256(
            b"\x00luvalla/values/v1\x00" + run_id + position + _b64u(part["salt"], 32) + raw
        ).digest()
        _slot_path(leaf, number, run["slots"], part["path"], run["values_root"], "wrong-values")

    # Step 7. The summary says what the run's entry and the slot say, nothing else.
    word = STATUS_WORDS[status]
    copied = ("basis", "certificate", "model", "processing", "purpose", "purpose_version", "run", "service")
    summary = {"at": entry["at"], "number": number, "status": word, **{key: run[key] for key in copied}}
    _same_summary(receipt["summary"], summary)

    # Step 8. Version 2: the purpose's document, and the explanation's exact text.
    explanation, title = None, None
    if receipt["luvalla_receipt"] > 1:
        named_purpose = (run["purpose"], run["purpose_version"])
        title = _verify_purpose(receipt["purpose_entry"], trust, proved_entry, named_purpose)["title"]
        explanation = receipt["explanation"]
        if explanation is not None:
            raw = _utf8(explanation, "malformed-receipt", "the explanation")
            if f"sha256:{hashlib.sha256(raw).hexdigest()}" != run["explanation"]:
                _fail("wrong-explanation", "the explanation is not the one that the run's entry names")

    model = run["model"]
    named = f" with model {model['name']} version {model['version']} ({model['digest']})" if model else ""
    proved: tuple[str, ...] = (
        (
            f"Entry {proved_entry.index} of the log {trust.origin} records a run of service {run['service']}: "
            f"{run['processing']} for purpose {run['purpose']} version {run['purpose_version']}, "
            f"legal basis {run['basis']}{named}."
        ),
        f"The entry says that it was made at {entry['at']}.",
        f"In this run, person number {number}: {_STATUS_MEANINGS[status]}.",
    )
    if values is not None:
        proved = (*proved, "The values in the receipt are those that the run committed to for this person.")
    if title is not None:
        proved = (
            *proved,
            "The purpose stood in the log before the run, word for word as the receipt has it.",
        )
    if explanation is not None:
        proved = (
            *proved,
            "The explanation in the receipt is the document that the run's entry names: what its values mean.",
        )
    unopened = "the model, certificate and output are"
    if explanation is None and run["explanation"] is not None:
        unopened = "the model, certificate, output and explanation are"
    return Verified(
        type="use",
        origin=trust.origin,
        trust_root=trust.pin,
        pinned=pinned,
        subject=enrolment.payload["subject"],
        number=number,
        enrolment_index=enrolment.proved.index,
        index=proved_entry.index,
        size=proved_entry.size,
        root=proved_entry.root.hex(),
        signed_by=proved_entry.signed_by,
        witnessed_by=proved_entry.witnessed_by,
        at=entry["at"],
        purpose=run["purpose"],
        purpose_version=run["purpose_version"],
        consent=None,
        use=ProvedUse(
            run=run["run"],
            processing=run["processing"],
            service=run["service"],
            basis=run["basis"],
            model=(model["name"], model["version"], model["digest"]) if model else None,
            certificate=run["certificate"],
            output=run["output"],
            status=status,
            status_word=word,
            values=values,
            explanation=explanation,
            purpose_title=title,
        ),
        details=(),
        proved=proved + _proved_always(enrolment, proved_entry, number),
        not_proved=(
            (
                "That the program did what the record says: the record binds the city to a statement made before any "
                "result left."
            ),
            (
                "That the consents were read rightly: the entry names the state of the log that was read; whether that "
                "state is an earlier one of this log is for those who follow the log."
            ),
            f"What {unopened}: the entry holds their digests; compare the files.",
            *(
                (
                    "That the explanation describes the model rightly: it is the city's own word, fixed with the run.",
                )
                if explanation is not None
                else ()
            ),
            *_not_proved_always(trust, proved_entry.witnessed_by, pinned=pinned),
        ),
    )


def _proved_always(enrolment: _Opening, entry: _ProvedEntry, number: int) -> tuple[str, ...]:
    witnessed = (
        (
            f"{', '.join(entry.witnessed_by)} cosigned that log: each says that it continues the last one it had seen.",
        )
        if entry.witnessed_by
        else ()
    )
    return (
        f"Entry {enrolment.proved.index} binds number {number} to the subject id of this receipt.",
        (
            f"The log of {entry.size} entries that holds these was signed by {', '.join(entry.signed_by)}, a key that the "
            "trust root gives for this size; no entry of that log can be changed without the root hash changing."
        ),
        *witnessed,
    )


def _not_proved_of_log(trust: TrustRoot, witnessed_by: Sequence[str], *, pinned: bool) -> tuple[str, ...]:
    always = (
        "That everybody is shown the same log, should the witnesses that cosigned it be the city's own or sign anything."
        if witnessed_by
        else (
            "That everybody is shown the same log: nobody but the city has signed it, and who holds its key could sign "
            "another history."
        ),
        (
            f"That this trust root is the newest: it ends with version {trust.version}; a later version may end a key of the log, "
            "or ask for witnesses."
        ),
    )
    if pinned:
        return always
    return (
        "That the trust root is the city's: no pin was given. Compare its digest with one got another way.",
        *always,
    )


def _not_proved_always(trust: TrustRoot, witnessed_by: Sequence[str], *, pinned: bool) -> tuple[str, ...]:
    return (
        *_not_proved_of_log(trust, witnessed_by, pinned=pinned),
        "That times are right: they are those of the city's clock; the order is that of the indices.",
        "Who the person is: the link from subject id and number to a name is kept by the city.",
        "That a person has only one number.",
        "That there was no use outside the log.",
        "When the receipt was issued.",
    )


def _withheld(opening: _Opening) -> tuple[str, ...]:
    names = sorted(opening.payload["details"].keys() - {name for name, _ in opening.details})
    return (f"What these withheld details say: {', '.join(names)}.",) if names else ()


# Entries and openings


@dataclass(frozen=True)
class _ProvedEntry:
    index: int
    size: int
    root: bytes
    signed_by: tuple[str, ...]
    witnessed_by: tuple[str, ...]
    checkpoint: str


@dataclass(frozen=True)
class _Opening:
    payload: dict[str, Any]
    details: tuple[tuple[str, str], ...]
    proved: _ProvedEntry


def _verify_opening(opening: Any, trust: TrustRoot, kind: str) -> _Opening:
    """Check that a payload of a kind is committed to by an entry of the log, and that its details are its own."""
    where = f"the {kind} opening"
    _keys(opening, {"details", "payload", "proof", "salt"}, "malformed-receipt", where)
    text = _utf8(opening["payload"], "malformed-receipt", f"the {kind} payload")
    payload = _parse_payload(text, kind)
    origin = trust.origin.encode()
    salt = _b64u(opening["salt"], 32)
    commitment = hashlib.sha256(b"luvalla/commitment/v1\x00" + origin + b"\x00" + salt + text).digest()
    entry = b'{"c":"' + base64.urlsafe_b64encode(commitment).rstrip(b"=") + b'","t":"p","v":1}'
    proved = _verify_proof(opening["proof"], hashlib.sha256(b"\x00" + entry).digest(), trust)
    if not isinstance(opening["details"], dict):
        _fail("malformed-receipt", "the opened details are not an object")
    details: list[tuple[str, str]] = []
    for name, part in sorted(opening["details"].items()):
        if name not in payload["details"]:
            _fail("wrong-detail", "a detail is opened that the payload does not have")
        _keys(part, {"salt", "value"}, "malformed-receipt", "an opened detail")
        value = _utf8(part["value"], "malformed-receipt", "a detail's value")
        _parse_canonical(value, MAX_RECEIPT_BYTES, "a detail's value")
        label = b"luvalla/detail/v1\x00" + origin + b"\x00" + name.encode() + b"\x00"
        digest = hashlib.sha256(label + _b64u(part["salt"], 32) + value).digest()
        if not _same(digest, _b64u(payload["details"][name], 32)):
            _fail("wrong-detail", "an opened detail is not the one that the payload names")
        details.append((name, part["value"]))
    return _Opening(payload, tuple(details), proved)


def _verify_proof(text: Any, leaf: bytes, trust: TrustRoot) -> _ProvedEntry:
    """Check a C2SP tlog-proof v1 of a leaf, down to the signature of a log key valid for the checkpoint's size."""
    raw = _utf8(text, "malformed-proof", "a proof")
    if len(raw) > MAX_NOTE_BYTES:
        _fail("too-large", f"a proof is larger than {MAX_NOTE_BYTES} bytes")
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    # `extra` lines are allowed by C2SP and authenticated by nothing; a luvalla receipt has none.
    if not separator or lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 2:  # noqa: PLR2004  header, index
        _fail("malformed-proof", "a proof is not a C2SP tlog-proof v1")
    if not lines[1].startswith("index "):
        _fail("malformed-proof", "a proof has no index line after its first line")
    index = _decimal(lines[1].removeprefix("index "), "malformed-proof")
    path = [_b64(line, "malformed-proof") for line in lines[2:]]

    size, root, signed_by, witnessed_by = _verify_checkpoint(checkpoint.encode(), trust)
    verify_inclusion(leaf, index, size, path, root)
    return _ProvedEntry(index, size, root, signed_by, witnessed_by, checkpoint)


def _verify_checkpoint(note: bytes, trust: TrustRoot) -> tuple[int, bytes, tuple[str, ...], tuple[str, ...]]:
    text, _ = _split_note(note)
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004  three lines, each ended by a newline
        _fail("malformed-checkpoint", "a checkpoint is not three lines")
    if lines[0] != trust.origin:
        _fail("wrong-origin", "a checkpoint is of another log than the trust root's")
    size = _decimal(lines[1], "malformed-checkpoint")
    root = _b64(lines[2], "malformed-checkpoint")
    keys = [
        key.vkey for key in trust.log_keys if key.first <= size and (key.until is None or size < key.until)
    ]
    if not keys:
        _fail("unknown-key", "the trust root gives no log key for a checkpoint of this size")
    signed_by = verify_note(note, keys)
    witnessed_by = verify_cosignatures(note, trust.witnesses.vkeys)
    if size >= trust.witnesses.first and len(witnessed_by) < trust.witnesses.threshold:
        _fail(
            "too-few-witnesses",
            f"a checkpoint is cosigned by {len(witnessed_by)} of the trust root's witnesses, "
            f"{trust.witnesses.threshold} are needed",
        )
    return size, root, signed_by, witnessed_by


def _same_log(enrolment: _ProvedEntry, entry: _ProvedEntry) -> None:
    # Two checkpoints would need a consistency proof between them; a receipt proves all of itself against one.
    if enrolment.checkpoint != entry.checkpoint:
        _fail("different-checkpoints", "the receipt's proofs lead to different checkpoints")
    if enrolment.index >= entry.index:
        _fail("wrong-order", "the enrolment is not before the entry it is needed for")


def _slot_path(leaf: bytes, number: int, size: int, path: Any, root: str, code: str) -> None:
    if not isinstance(path, list):
        _fail("malformed-receipt", "a path is not an array")
    try:
        verify_inclusion(leaf, number, size, [_b64u(item, 32) for item in path], _b64u(root, 32))
    except VerificationError as error:
        if error.code != "wrong-inclusion":
            raise
        raise VerificationError(
            code, "the slot's path does not lead to the root that the run names"
        ) from error


def _same_summary(given: Any, derived: Mapping[str, Any]) -> None:
    if not isinstance(given, dict) or _canonical(given) != _canonical(derived):
        _fail("wrong-summary", "the receipt's summary does not say what its proved parts say")


# Proofs of single entries, and published logs


@dataclass(frozen=True)
class VerifiedProof:
    """A tlog-proof that verifies.

    Attributes:
        origin: The log.
        trust_root: Digest of the trust root's version 1.
        index: Index of the entry.
        size: Size of the log that the checkpoint signs.
        root: Its root hash, hex.
        signed_by: The log keys that signed it, `name+id`.
        witnessed_by: The witnesses of the trust root that cosigned it, `name+id`.
        proved: The same in sentences.
        not_proved: What a reader might think is proved and is not, in sentences.
    """

    origin: str
    trust_root: str
    index: int
    size: int
    root: str
    signed_by: tuple[str, ...]
    witnessed_by: tuple[str, ...]
    proved: tuple[str, ...]
    not_proved: tuple[str, ...]


@dataclass(frozen=True)
class VerifiedLog:
    """A published log that verifies.

    Attributes:
        origin: The log.
        trust_root: Digest of the trust root's version 1.
        size: Number of entries.
        root: Root hash of all of them, hex.
        signed_by: The log keys that signed it, `name+id`.
        witnessed_by: The witnesses of the trust root that cosigned it, `name+id`.
        older: Size of the older checkpoint that the log was shown to continue, if one was given.
        proved: The same in sentences.
        not_proved: What a reader might think is proved and is not, in sentences.
        succeeds: The origin of the log that this one says it takes the place of; None if none.
    """

    origin: str
    trust_root: str
    size: int
    root: str
    signed_by: tuple[str, ...]
    witnessed_by: tuple[str, ...]
    older: int | None
    proved: tuple[str, ...]
    not_proved: tuple[str, ...]
    succeeds: str | None = None


def verify_proof(proof: bytes, entry: bytes, trust_root: bytes, pin: str | None = None) -> VerifiedProof:
    """Check a C2SP tlog-proof v1 of an entry.

    Args:
        proof: The proof's text. A line `extra` is allowed, and says nothing: nothing signs it.
        entry: The entry's exact bytes.
        trust_root: The trust-root.json file.
        pin: As for `verify_receipt`.

    Raises:
        VerificationError: If anything does not verify.
    """
    trust = verify_trust_root(trust_root, pin)
    if len(proof) > MAX_NOTE_BYTES or len(entry) > MAX_ENTRY_BYTES:
        _fail("too-large", "the proof or the entry is larger than any can be")
    try:
        header, _, rest = proof.decode("utf-8").partition("\n")
    except UnicodeDecodeError as error:
        raise VerificationError("malformed-proof", "a proof is not UTF-8") from error
    if rest.startswith("extra "):
        extra, _, rest = rest.removeprefix("extra ").partition("\n")
        _b64(extra, "malformed-proof")
    found = _verify_proof(f"{header}\n{rest}", hashlib.sha256(b"\x00" + entry).digest(), trust)
    return VerifiedProof(
        origin=trust.origin,
        trust_root=trust.pin,
        index=found.index,
        size=found.size,
        root=found.root.hex(),
        signed_by=found.signed_by,
        witnessed_by=found.witnessed_by,
        proved=(
            f"Entry {found.index} of the log {trust.origin} is the one given, {len(entry)} bytes.",
            *_proved_of_log(found.size, found.signed_by, found.witnessed_by),
        ),
        not_proved=_not_proved_of_log(trust, found.witnessed_by, pinned=pin is not None),
    )


def verify_published(
    read: Callable[[str, int], bytes | None],
    trust_root: bytes,
    pin: str | None = None,
    older: bytes | None = None,
) -> VerifiedLog:
    """Check a published log (C2SP tlog-tiles) from its first entry to its last, and all its tiles.

    Args:
        read: Returns a file of the log by its name, None when there is none; at most so many bytes, or one more.
        trust_root: The trust-root.json file.
        pin: As for `verify_receipt`.
        older: A checkpoint of the log, seen before; the log must begin with its entries.

    Raises:
        VerificationError: If anything does not verify; `not-published` where a file is missing.
    """
    trust = verify_trust_root(trust_root, pin)
    note = read("checkpoint", MAX_NOTE_BYTES)
    if note is None:
        _fail("not-published", "there is no file `checkpoint`")
    size, root, signed_by, witnessed_by = _verify_checkpoint(note, trust)
    before = None if older is None else _verify_checkpoint(older, trust)
    if before is not None and not 0 < before[0] <= size:
        _fail(
            "wrong-consistency", f"the older checkpoint covers {before[0]} entries, the published one {size}"
        )
    peaks: list[tuple[int, bytes]] = []  # perfect subtrees from left to right: height, root
    levels: list[list[bytes]] = []
    for start in range(0, size, 256):
        width = min(256, size - start)
        for number, entry in enumerate(_bundle(read, start // 256, width), start=start + 1):
            if number == 1:
                _check_first_entry(entry, trust)
            leaf = hashlib.sha256(b"\x00" + entry).digest()
            _push(peaks, leaf)
            _tiles_with(read, levels, leaf, number)
            if before is not None and number == before[0] and not _same(_root(peaks), before[1]):
                _fail("wrong-consistency", "the log does not begin with the entries of the older checkpoint")
    for level, hashes in enumerate(levels):
        if hashes:
            _tile(read, level, (size >> (8 * level)) // 256, b"".join(hashes))
    if not _same(_root(peaks), root):
        _fail("wrong-root", "the entries do not give the root that was signed")
    continued = (
        () if before is None else (f"It begins with the {before[0]} entries of the older checkpoint.",)
    )
    # An empty log has no first entry to say so.
    older_log = trust.succeeds["origin"] if trust.succeeds is not None and size else None
    successor = (
        ()
        if older_log is None
        else (f"Its first entry and its trust root say that it takes the place of the log {older_log}.",)
    )
    unasked = (
        ()
        if older_log is None
        else (
            (
                f"That the log {older_log} was its city's and could not go on: whoever has that log's trust root checks the "
                "first entry with it (`verify_succession`)."
            ),
        )
    )
    return VerifiedLog(
        origin=trust.origin,
        trust_root=trust.pin,
        size=size,
        root=root.hex(),
        signed_by=signed_by,
        witnessed_by=witnessed_by,
        older=None if before is None else before[0],
        proved=(
            f"The {size} entries published of the log {trust.origin} give the root that was signed.",
            *continued,
            *successor,
            *_proved_of_log(size, signed_by, witnessed_by),
        ),
        not_proved=(
            *_not_proved_of_log(trust, witnessed_by, pinned=pin is not None),
            "That the log has not grown since: an older copy of it verifies as well.",
            *unasked,
        ),
        succeeds=older_log,
    )


def verify_succession(entry: bytes, older_trust_root: bytes) -> dict[str, Any]:
    """Check a `succession` entry with the trust root of the log that it names (specification, section 5).

    Args:
        entry: The exact bytes of the first entry of the new log.
        older_trust_root: trust-root.json of the older log.

    Returns:
        The entry's body.

    Raises:
        VerificationError: It is not in its form, names another trust root, or its checkpoint does not verify.
    """
    body = _parse_succession(entry)
    trust = verify_trust_root(older_trust_root, body["trust_root"])
    size, root, signed_by, _ = _verify_checkpoint(body["checkpoint"].encode(), trust)
    if (trust.origin, size, _b64u(body["root"], 32)) != (body["origin"], body["size"], root):
        _fail("wrong-succession", "the succession says another origin, size or root than its checkpoint")
    if body["keyid"] not in signed_by:
        _fail("wrong-succession", "the succession names a key that has not signed its checkpoint")
    return body


def _parse_succession(text: bytes) -> dict[str, Any]:
    value = _parse_canonical(text, MAX_ENTRY_BYTES, "the first entry")
    if (
        not isinstance(value, dict)
        or not _is_integer(value.get("v"))
        or value["v"] != 1
        or value.get("t") != "succession"
    ):
        _fail("wrong-succession", "the first entry is no succession entry of version 1")
    _keys(value, {"at", "b", "t", "v"}, "bad-entry", "the succession")
    _form(value, {"at": _is_time}, "the succession", code="bad-entry")
    body: dict[str, Any] = value["b"]
    _form(body, _SUCCESSION_BODY, "the succession", exact=True, code="bad-entry")
    _b64u(body["root"], 32)
    return body


def _check_first_entry(entry: bytes, trust: TrustRoot) -> None:
    """The first entry and the trust root name the same log that this one takes the place of, or neither names one."""
    if trust.succeeds is None:
        if entry.startswith(b'{"at":') and entry.endswith(b'"t":"succession","v":1}'):
            _fail(
                "wrong-succession", "the first entry names a log that this one succeeds, the trust root none"
            )
        return
    body = _parse_succession(entry)
    if any(body[key] != trust.succeeds[key] for key in ("origin", "root", "size", "trust_root")):
        _fail("wrong-succession", "the first entry and the trust root name different logs to succeed")


def _proved_of_log(size: int, signed_by: Sequence[str], witnessed_by: Sequence[str]) -> tuple[str, ...]:
    signed = (
        f"The log of {size} entries was signed by {', '.join(signed_by)}, a key that the trust root gives for this size; "
        "no entry of it can be changed without the root hash changing."
    )
    if not witnessed_by:
        return (signed,)
    return (
        signed,
        f"{', '.join(witnessed_by)} cosigned that log: each says that it continues the last one it had seen.",
    )


def _bundle(read: Callable[[str, int], bytes | None], index: int, width: int) -> list[bytes]:
    content = _published_file(read, "entries", index, width, MAX_BUNDLE_BYTES)
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if at + 2 > len(content) or end > len(content):
            _fail("malformed-bundle", f"bundle {index} ends within an entry")
        entries.append(content[at + 2 : end])
        at = end
    # Where only the full file is left, it begins with what the partial one held.
    if len(entries) not in (width, 256):
        _fail("malformed-bundle", f"bundle {index} holds {len(entries)} entries, not {width}")
    return entries[:width]


def _tiles_with(
    read: Callable[[str, int], bytes | None], levels: list[list[bytes]], leaf: bytes, count: int
) -> None:
    """Add a leaf hash to the tiles; compare those that become full."""
    hashed, level = leaf, 0
    while True:
        if level == len(levels):
            levels.append([])
        levels[level].append(hashed)
        if len(levels[level]) < 256:  # noqa: PLR2004  a full tile
            return
        _tile(read, level, (count >> (8 * level)) // 256 - 1, b"".join(levels[level]))
        peaks: list[tuple[int, bytes]] = []
        for item in levels[level]:
            _push(peaks, item)
        hashed = peaks[0][1]
        levels[level].clear()
        level += 1


def _tile(read: Callable[[str, int], bytes | None], level: int, index: int, hashes: bytes) -> None:
    content = _published_file(read, str(level), index, len(hashes) // 32, MAX_TILE_BYTES)
    if len(content) not in (len(hashes), MAX_TILE_BYTES) or not _same(content[: len(hashes)], hashes):
        _fail("wrong-tile", f"tile {index} of level {level} is not what the entries give")


def _published_file(
    read: Callable[[str, int], bytes | None], level: str, index: int, width: int, limit: int
) -> bytes:
    digits = f"{index % 1000:03}"
    while index >= 1000:  # noqa: PLR2004  three digits a path element
        index //= 1000
        digits = f"x{index % 1000:03}/{digits}"
    name = f"tile/{level}/{digits}"
    partial = None if width == 256 else read(f"{name}.p/{width}", limit)  # noqa: PLR2004  a full tile
    content = read(name, limit) if partial is None else partial
    if content is None:
        _fail("not-published", f"there is no file {name}" + ("" if width == 256 else f".p/{width}"))  # noqa: PLR2004
    if len(content) > limit:
        _fail("too-large", f"{name} is larger than {limit} bytes")
    return content


def _push(peaks: list[tuple[int, bytes]], leaf: bytes) -> None:
    """Append a leaf to a tree given by its perfect subtrees, and merge equal ones."""
    height = 0
    while peaks and peaks[-1][0] == height:
        leaf = _node(peaks.pop()[1], leaf)
        height += 1
    peaks.append((height, leaf))


def _root(peaks: Sequence[tuple[int, bytes]]) -> bytes:
    if not peaks:
        return hashlib.sha256(b"").digest()
    reached = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        reached = _node(left, reached)
    return reached


# RFC 6962 / RFC 9162 proofs


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check an inclusion proof (RFC 9162 section 2.1.3.2).

    Args:
        leaf: 32-byte leaf hash.
        index: Position of the leaf, from 0.
        size: Number of leaves of the tree.
        path: 32-byte hashes, the leaf's sibling first.
        root: 32-byte root hash.

    Raises:
        VerificationError: If the proof does not lead from the leaf to the root.
    """
    _hashes([leaf, root, *path])
    if not _is_integer(index) or not _is_integer(size) or not 0 <= index < size:
        _fail("wrong-inclusion", "the index is not in the tree")
    if len(path) > MAX_PATH:
        _fail("wrong-inclusion", "the path is longer than any tree is high")
    position, last, reached = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            _fail("wrong-inclusion", "the path is too long for the tree")
        if position & 1 or position == last:
            reached = _node(sibling, reached)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            reached = _node(reached, sibling)
        position >>= 1
        last >>= 1
    if last != 0:
        _fail("wrong-inclusion", "the path is too short for the tree")
    if not _same(reached, root):
        _fail("wrong-inclusion", "the path leads to another root")


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree continues an older one (RFC 9162 section 2.1.4.2).

    Args:
        old_size: Leaves of the older tree, at least 1: nothing can be proved about the empty tree.
        old_root: Its 32-byte root.
        size: Leaves of the newer tree.
        root: Its 32-byte root.
        proof: 32-byte hashes; none when the sizes are equal.

    Raises:
        VerificationError: If the newer tree is not shown to begin with the older one.
    """
    _hashes([old_root, root, *proof])
    if not _is_integer(old_size) or not _is_integer(size) or not 0 < old_size <= size:
        _fail("wrong-consistency", "the old size is not between 1 and the new size")
    if len(proof) > MAX_PATH:
        _fail("wrong-consistency", "the proof is longer than any tree is high")
    if old_size == size:
        if proof or not _same(old_root, root):
            _fail(
                "wrong-consistency",
                "trees of one size have different roots, or a proof that they need not have",
            )
        return
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        _fail("wrong-consistency", "the proof is empty")
    position, last = old_size - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_reached = reached = hashes[0]
    for item in hashes[1:]:
        if last == 0:
            _fail("wrong-consistency", "the proof is too long")
        if position & 1 or position == last:
            old_reached = _node(item, old_reached)
            reached = _node(item, reached)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            reached = _node(reached, item)
        position >>= 1
        last >>= 1
    if last != 0:
        _fail("wrong-consistency", "the proof is too short")
    if not _same(old_reached, old_root) or not _same(reached, root):
        _fail("wrong-consistency", "the proof leads to other roots")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _hashes(items: Sequence[bytes]) -> None:
    if any(not isinstance(item, bytes) or len(item) != 32 for item in items):  # noqa: PLR2004  SHA-256
        _fail("malformed-proof", "a hash is not 32 bytes")


# Signed notes (C2SP signed-note, Ed25519 only)


def verify_note(note: bytes, vkeys: Sequence[str]) -> tuple[str, ...]:
    """Check a signed note.

    Args:
        note: The whole note.
        vkeys: The keys that count, as C2SP vkeys; signatures of others are ignored.

    Returns:
        The `name+id` of every given key that signed, at least one.

    Raises:
        VerificationError: If it is no note, a given key's signature does not verify, or none of them signed.
    """
    text, lines = _split_note(note)
    known = {(key.name, key.key_id): key for key in (_parse_vkey(vkey, "unknown-key") for vkey in vkeys)}
    signed: list[str] = []
    for line in lines:
        name, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        raw = _b64(encoded, "malformed-note")
        if not line.startswith("\u2014 ") or not _is_name(name) or len(raw) < 5:  # noqa: PLR2004  4-byte id and more
            _fail("malformed-note", "a signature line is not in its form")
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        key.check(raw[4:], text.encode())
        if key.keyid not in signed:
            signed.append(key.keyid)
    if not signed:
        _fail("unknown-key", "the note is not signed by a key that counts")
    return tuple(signed)


def verify_cosignatures(note: bytes, vkeys: Sequence[str]) -> tuple[str, ...]:
    """Check the cosignatures on a checkpoint (C2SP tlog-cosignature, Ed25519).

    Args:
        note: The whole note.
        vkeys: The witnesses that count, as vkeys of type 0x04; lines of others are ignored.

    Returns:
        The `name+id` of every given witness that cosigned; perhaps none.

    Raises:
        VerificationError: If it is no note, or a given witness's line does not verify.
    """
    text, lines = _split_note(note)
    known = {
        (key.name, key.key_id): key for key in (_parse_vkey(vkey, "unknown-key", kind=4) for vkey in vkeys)
    }
    cosigned: list[str] = []
    for line in lines:
        name, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        raw = _b64(encoded, "malformed-note")
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        time = int.from_bytes(raw[4:12], "big")
        if len(raw) != 4 + 8 + 64 or time >= 2**63:
            _fail("wrong-signature", f"a cosignature of {key.keyid} is not in its form")
        key.check(raw[12:], f"cosignature/v1\ntime {time}\n{text}".encode())
        if key.keyid not in cosigned:
            cosigned.append(key.keyid)
    return tuple(cosigned)


def _split_note(note: bytes) -> tuple[str, list[str]]:
    if len(note) > MAX_NOTE_BYTES:
        _fail("too-large", f"a note is larger than {MAX_NOTE_BYTES} bytes")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("malformed-note", "a note is not UTF-8") from error
    text, separator, signatures = whole.rpartition("\n\n")
    if not separator or not signatures.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", whole):
        _fail("malformed-note", "a note is not a text, an empty line and signature lines")
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        _fail("too-large", f"a note has more than {MAX_SIGNATURES} signatures")
    return text + "\n", lines


@dataclass(frozen=True)
class _Key:
    name: str
    key_id: bytes
    public: bytes

    @property
    def keyid(self) -> str:
        return f"{self.name}+{self.key_id.hex()}"

    def check(self, signature: bytes, message: bytes) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
            raise VerificationError(
                "wrong-signature", f"a signature of {self.keyid} does not verify"
            ) from error


def _parse_vkey(vkey: Any, code: str, *, kind: int = 1) -> _Key:
    """Parse a vkey; `kind` is its signature type: 1 for Ed25519, 4 for an Ed25519 cosignature."""
    name, _, rest = vkey.partition("+") if isinstance(vkey, str) else ("", "", "")
    key_id, _, encoded = rest.partition("+")
    raw = _b64(encoded, code)
    if not _is_name(name) or len(raw) != 33 or raw[0] != kind:  # noqa: PLR2004  type byte and Ed25519 key
        _fail(code, "a key is not an Ed25519 vkey of its type")
    expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if key_id != expected.hex():
        _fail(code, "a vkey's id does not belong to its key")
    return _Key(name, expected, raw[1:])


# Trust root


def verify_trust_root(raw: bytes, pin: str | None = None) -> TrustRoot:
    """Check a trust root: every version signed by a threshold of its own root keys and of the version before.

    Args:
        raw: The trust-root.json file.
        pin: "sha256:..." that version 1 must have; None believes the file.

    Raises:
        VerificationError: If the chain does not hold.
    """
    code = "wrong-trust-root"
    value = _parse_canonical(raw, MAX_TRUST_ROOT_BYTES, "the trust root")
    _keys(value, {"versions"}, code, "the trust root")
    versions = value["versions"]
    if not isinstance(versions, list) or not versions:
        _fail(code, "the trust root has no version")
    if pin is not None and not _is_digest(pin):
        _fail("wrong-pin", "the pin is not sha256: and 64 hex digits")
    digests: list[str] = []
    before: tuple[list[_Key], int] | None = None
    origin = None
    log_keys: tuple[LogKey, ...] = ()
    witnesses, form, succeeds = Witnesses(), 1, None
    for number, version in enumerate(versions, start=1):
        _keys(version, {"signatures", "signed"}, code, f"version {number}")
        signed = version["signed"]
        keys, threshold, log_keys, witnesses = _read_version(signed, number)
        if signed["v"] < form:
            _fail(code, "the trust root goes back to an older format")
        if number > 1 and signed.get("succeeds") != succeeds:
            _fail(code, "the trust root's succession changes")
        form, succeeds = signed["v"], signed.get("succeeds")
        text = _canonical(signed).encode()
        digests.append(f"sha256:{hashlib.sha256(text).hexdigest()}")
        if number == 1 and pin is not None and digests[0] != pin:
            _fail("wrong-pin", "the trust root's version 1 has not the pinned digest")
        if origin is not None and signed["origin"] != origin:
            _fail(code, "the trust root's origin changes")
        origin = signed["origin"]
        deciding = [(keys, threshold), *([before] if before else [])]
        signers = _trust_signers(version["signatures"], text, [key for group, _ in deciding for key in group])
        for group, needed in deciding:
            if len({key.public for key in group} & signers) < needed:
                _fail(
                    code,
                    f"version {number} of the trust root is signed by too few of the keys that must sign it",
                )
        before = keys, threshold
    return TrustRoot(digests[0], digests[-1], len(versions), str(origin), log_keys, witnesses, succeeds)


def _trust_signers(signatures: Any, text: bytes, keys: Sequence[_Key]) -> set[bytes]:
    """Return the public keys that signed; any signature that is not by one of `keys`, or does not verify, refuses."""
    if not isinstance(signatures, list) or len(signatures) > MAX_SIGNATURES:
        _fail("wrong-trust-root", "a version's signatures are not an array of at most 64")
    known = {key.keyid: key for key in keys}
    seen: set[str] = set()
    signers: set[bytes] = set()
    for item in signatures:
        _keys(item, {"keyid", "sig"}, "wrong-trust-root", "a signature of the trust root")
        keyid = item["keyid"]
        if not isinstance(keyid, str) or keyid not in known or keyid in seen:
            _fail("wrong-trust-root", "a signature of the trust root is by an unknown key or given twice")
        seen.add(keyid)
        known[keyid].check(_b64(item["sig"], "wrong-trust-root"), b"luvalla/trust-root/v1\x00" + text)
        signers.add(known[keyid].public)
    return signers


def _read_version(signed: Any, number: int) -> tuple[list[_Key], int, tuple[LogKey, ...], Witnesses]:
    code, where = "wrong-trust-root", f"version {number} of the trust root"
    keys_needed = {"_type", "board", "log", "origin", "root", "v", "version", "witnesses"}
    third = isinstance(signed, dict) and _is_integer(signed.get("v")) and signed["v"] == 3  # noqa: PLR2004
    _keys(signed, keys_needed | ({"succeeds"} if third else set()), code, where)
    if third:
        _form(signed["succeeds"], _SUCCEEDS, f"{where}: succeeds", exact=True, code=code)
        _b64u(signed["succeeds"]["root"], 32)
        if signed["succeeds"]["origin"] == signed["origin"]:
            _fail(code, f"{where} succeeds a log of its own name")
    _keys(signed["board"], {"members", "quorum"}, code, where)
    _keys(signed["root"], {"keys", "threshold"}, code, where)
    threshold, quorum = signed["root"]["threshold"], signed["board"]["quorum"]
    fits = (
        signed["_type"] == "luvalla-trust-root"
        and _is_positive(signed["v"])
        and signed["v"] in (1, 2, 3)
        and _is_positive(signed["version"])
        and signed["version"] == number
        and _is_positive(threshold)
        and _is_positive(quorum)
        and (signed["v"] >= 2 or _canonical(signed["witnesses"]) == '{"keys":[],"threshold":0}')  # noqa: PLR2004
        and all(
            isinstance(part, list) and len(part) <= MAX_LIST
            for part in (signed["board"]["members"], signed["log"], signed["root"]["keys"])
        )
    )
    if not fits:
        _fail(code, f"{where} is not in its form")
    _check_board(signed["board"]["members"])
    keys = [_parse_vkey(vkey, code) for vkey in signed["root"]["keys"]]
    if len({key.public for key in keys}) != len(keys) or threshold > len(keys):
        _fail(code, f"{where} names a root key twice, or fewer than its threshold")
    log: list[LogKey] = []
    for item in signed["log"]:
        _keys(item, {"from", "until", "vkey"}, code, "a log key")
        first, until = item["from"], item["until"]
        if (
            not _is_integer(first)
            or first < 0
            or (until is not None and (not _is_integer(until) or until <= first))
        ):
            _fail(code, "a log key's sizes are not in their form")
        if _parse_vkey(item["vkey"], code).name != signed["origin"]:
            _fail(code, "a log key is not named as the origin")
        log.append(LogKey(item["vkey"], first, until))
    if not log:
        _fail(code, f"{where} names no log key")
    return keys, threshold, tuple(log), _read_witnesses(signed, log, where)


def _read_witnesses(signed: Any, log: Sequence[LogKey], where: str) -> Witnesses:
    code, rule = "wrong-trust-root", signed["witnesses"]
    if signed["v"] == 1:
        return Witnesses()
    _keys(rule, {"from", "keys", "threshold"}, code, f"{where}: witnesses")
    first, vkeys, threshold = rule["from"], rule["keys"], rule["threshold"]
    if (
        not _is_integer(first)
        or first < 0
        or not _is_integer(threshold)
        or threshold < 0
        or not isinstance(vkeys, list)
        or len(vkeys) > MAX_LIST
    ):
        _fail(code, f"{where}: the rule for witnesses is not in its form")
    publics = {_parse_vkey(vkey, code, kind=4).public for vkey in vkeys}
    if len(publics) != len(vkeys) or threshold > len(vkeys):
        _fail(code, f"{where} names a witness's key twice, or fewer than the threshold")
    if publics & {_parse_vkey(key.vkey, code).public for key in log}:
        _fail(code, f"{where}: a witness has a key of the log")
    return Witnesses(tuple(vkeys), threshold, first)


def _check_board(members: Sequence[Any]) -> None:
    """Check the members' form, that a key is one person's, and that a person's terms do not overlap."""
    code = "wrong-trust-root"
    owners: dict[bytes, str] = {}
    terms: list[tuple[str, str, str]] = []
    for member in members:
        _form(member, _MEMBER, "a board member", exact=True, code=code)
        person, start, end = member["id"], member["from"], member["until"]
        # Times are of one form and length, so that their order is that of their text.
        if start >= end or any(start < until and since < end for who, since, until in terms if who == person):
            _fail(code, "a board member's term ends before it starts, or overlaps another")
        terms.append((person, start, end))
        if owners.setdefault(_parse_vkey(member["vkey"], code).public, person) != person:
            _fail(code, "two board members have one key")


# Payloads and entries: exact key sets, every value in its form. Unknown versions and kinds are no evidence.


def parse_right(text: bytes) -> dict[str, Any]:
    """Read a payload of kind `right` strictly (specification, section 4): a right exercised, and its answer.

    It is evidence only once its opening is proved; no receipt of version 1 carries one.

    Args:
        text: The payload's exact bytes.

    Returns:
        The payload.

    Raises:
        VerificationError: If it is no such payload of version 1.
    """
    return _parse_payload(text, "right")


def _parse_payload(text: bytes, kind: str) -> dict[str, Any]:
    value = _parse_canonical(text, MAX_ENTRY_BYTES, f"the {kind} payload")
    if (
        not isinstance(value, dict)
        or not _is_integer(value.get("v"))
        or value["v"] != 1
        or value.get("kind") != kind
    ):
        _fail("unknown-kind", f"the payload is not a payload of kind {kind}, version 1")
    keys = {"at", "body", "details", "kind", "purpose", "purpose_version", "subject", "v"}
    _keys(value, keys, "bad-payload", f"the {kind} payload")
    _b64u(value["subject"], 16)
    details = value["details"]
    if not isinstance(details, dict) or not all(
        re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", name) for name in details
    ):
        _fail("bad-payload", f"the {kind} payload's details are not in their form")
    if len(details) > MAX_DETAILS:
        _fail("bad-payload", f"the {kind} payload has more than {MAX_DETAILS} details")
    for digest in details.values():
        _b64u(digest, 32)
    _form(value, {"at": _is_time}, f"the {kind} payload")
    if kind == "consent":
        _form(value, {"purpose": _is_text, "purpose_version": _is_positive}, "the consent payload")
        _form(value["body"], _CONSENT_BODY, "the consent's body", exact=True)
    else:
        if value["purpose"] is not None or value["purpose_version"] is not None:
            _fail("bad-payload", f"the {kind} names a purpose in its core")
        form = _RIGHT_BODY if kind == "right" else {"number": _is_number}
        _form(value["body"], form, f"the {kind}'s body", exact=True)
    return value


def _parse_run_entry(text: bytes) -> dict[str, Any]:
    value = _parse_canonical(text, MAX_ENTRY_BYTES, "the run's entry")
    if (
        not isinstance(value, dict)
        or not _is_integer(value.get("v"))
        or value["v"] != 1
        or value.get("t") != "run"
    ):
        _fail("unknown-kind", "the entry is not a run entry of version 1")
    _keys(value, {"at", "b", "t", "v"}, "bad-entry", "the run's entry")
    _form(value, {"at": _is_time}, "the run's entry", code="bad-entry")
    body = value["b"]
    _form(body, _RUN_BODY, "the run's entry", exact=True, code="bad-entry")
    for key, length in (("root", 32), ("run", 16)):
        _b64u(body[key], length)
    if body["values_root"] is not None:
        _b64u(body["values_root"], 32)
    if body["model"] is not None:
        keys: dict[str, Callable[[Any], bool]] = {"digest": _is_digest, "name": _is_text, "version": _is_text}
        _form(body["model"], keys, "the run's model", exact=True, code="bad-entry")
    _form(
        body["state"],
        {"root": _is_text, "size": _is_positive},
        "the run's state",
        exact=True,
        code="bad-entry",
    )
    _b64u(body["state"]["root"], 32)
    return value


def _form(
    value: Any,
    checks: Mapping[str, Callable[[Any], bool]],
    what: str,
    *,
    exact: bool = False,
    code: str = "bad-payload",
) -> None:
    if exact:
        _keys(value, set(checks), code, what)
    for key, check in checks.items():
        if not check(value[key]):
            _fail(code, f"in {what}, the value of {key!r} is not in its form")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_positive(value: Any) -> bool:
    return _is_integer(value) and bool(value >= 1)


def _is_number(value: Any) -> bool:
    return _is_integer(value) and 0 <= value <= MAX_NUMBER


def _is_slots(value: Any) -> bool:
    return _is_positive(value) and value % SLOT_MULTIPLE == 0 and value <= MAX_NUMBER + 1


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", value) is not None


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(
        r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z", value
    ):
        return False
    try:
        dt.datetime.fromisoformat(value[:-1])
    except ValueError:
        return False
    return True


def _is_index(value: Any) -> bool:
    return _is_integer(value) and 0 <= value <= MAX_INTEGER


def _is_set_or_empty(value: Any) -> bool:
    return value == [] or _is_set(value)


def _is_set(value: Any) -> bool:
    if (
        not isinstance(value, list)
        or not 0 < len(value) <= MAX_LIST
        or not all(_is_text(item) for item in value)
    ):
        return False
    return value == sorted(set(value))


def _is_processing(value: Any) -> bool:
    return isinstance(value, str) and value in ("training", "audit", "scoring", "human-review")


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _or_null(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


_CONSENT_BODY: dict[str, Callable[[Any], bool]] = {
    "categories": _is_set,
    "expires": _or_null(_is_time),
    "given_by": _one_of("data-subject", "guardian", "authorised-representative", "staff-assisted"),
    "language": _one_of("fi", "sv", "en"),
    "method": _is_text,
    "notice": _is_text,
    "notice_digest": _is_digest,
    "notice_version": _is_positive,
    "processing": lambda value: _is_set(value) and all(_is_processing(item) for item in value),
    "status": _one_of(
        "requested", "refused", "given", "renewed", "withdrawn", "revoked", "expired", "invalidated"
    ),
}
_RIGHT_BODY: dict[str, Callable[[Any], bool]] = {
    "answer": _one_of("granted", "refused", "recorded"),
    "categories": _is_set_or_empty,
    "corrects": _or_null(_is_index),
    "ground": _is_text,
    "processing": lambda value: _is_set_or_empty(value) and all(_is_processing(item) for item in value),
    "purposes": _is_set_or_empty,
    "reason": _or_null(_is_text),
    "right": _one_of(
        "access",
        "portability",
        "rectification",
        "restriction",
        "restriction-lifted",
        "objection",
        "objection-withdrawn",
        "erasure-refused",
    ),
}
_SUCCESSION_BODY: dict[str, Callable[[Any], bool]] = {
    "checkpoint": lambda value: isinstance(value, str) and 0 < len(value) <= 16_384,  # noqa: PLR2004
    "keyid": _is_text,
    "origin": _is_text,
    "reason": _is_text,
    "root": _is_text,
    "size": _is_positive,
    "trust_root": _is_digest,
}
_SUCCEEDS: dict[str, Callable[[Any], bool]] = {
    key: _SUCCESSION_BODY[key] for key in ("origin", "root", "size", "trust_root")
}
_MEMBER: dict[str, Callable[[Any], bool]] = {
    "from": _is_time,
    "id": _is_text,
    "name": _is_text,
    "role": _one_of("chair", "member", "data-protection-officer", "citizens-representative"),
    "until": _is_time,
    "vkey": _is_text,
}
_RUN_BODY: dict[str, Callable[[Any], bool]] = {
    "basis": _is_text,
    "certificate": _or_null(_is_digest),
    "explanation": _or_null(_is_digest),
    "model": _or_null(lambda value: isinstance(value, dict)),
    "output": _or_null(_is_digest),
    "processing": _is_processing,
    "purpose": _is_text,
    "purpose_version": _is_positive,
    "root": _is_text,
    "run": _is_text,
    "service": _is_text,
    "slots": _is_slots,
    "state": lambda value: isinstance(value, dict),
    "values_root": _or_null(_is_text),
}


# JSON, base64, numbers: one spelling each


def _parse_json(raw: bytes, limit: int, code: str, what: str) -> Any:
    """Parse JSON of bounded size and depth, without duplicate keys, floats or large integers."""
    if len(raw) > limit:
        _fail("too-large", f"{what} is larger than {limit} bytes")
    # Brackets outside strings are counted first, so that json's own recursion is bounded. The pattern matches at every
    # quote, ended or not, so that it never tries twice: the time is linear in the size.
    depth = 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', raw, re.DOTALL):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            _fail("too-large", f"{what} is nested deeper than {MAX_DEPTH} levels")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items) or not all(key.isascii() for key in found):
            _fail(code, f"{what} has a key twice, or one that is not ASCII")
        return found

    def integer(digits: str) -> int:
        number = int(digits) if len(digits) <= 17 else MAX_INTEGER + 1  # noqa: PLR2004  a sign and 16 digits
        if abs(number) > MAX_INTEGER:
            _fail(code, f"{what} has an integer of 2^53 or more")
        return number

    def number(_: str) -> NoReturn:
        _fail(code, f"{what} has a number that is not an integer")

    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=pairs,
            parse_int=integer,
            parse_float=number,
            parse_constant=number,
        )
    except (ValueError, RecursionError) as error:
        raise VerificationError(code, f"{what} is not JSON in UTF-8") from error


def _parse_canonical(raw: bytes, limit: int, what: str) -> Any:
    """Parse JSON that must be spelled canonically (RFC 8785, restricted as in section 2 of the specification)."""
    value = _parse_json(raw, limit, "not-canonical", what)
    try:
        again = _canonical(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise VerificationError("not-canonical", f"{what} holds half a surrogate pair") from error
    if again != raw:
        _fail("not-canonical", f"{what} is not spelled canonically")
    return value


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _canonical(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = re.sub(
            r'[\x00-\x1f"\\]', lambda match: _ESCAPES.get(match[0], f"\\u{ord(match[0]):04x}"), value
        )
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ",".join(_canonical(item) for item in value) + "]"
    return "{" + ",".join(f"{_canonical(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"


def _keys(value: Any, keys: set[str], code: str, what: str) -> None:
    if not isinstance(value, dict) or value.keys() != keys:
        _fail(code, f"{what} has not exactly the keys {', '.join(sorted(keys))}")


def _utf8(text: Any, code: str, what: str) -> bytes:
    if not isinstance(text, str):
        _fail(code, f"{what} is not text")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise VerificationError(code, f"{what} holds half a surrogate pair") from error


def _b64u(text: Any, length: int) -> bytes:
    """Decode strict base64url without padding, of a known length."""
    if isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]+", text):
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            raw = b""
        if len(raw) == length and base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text:
            return raw
    raise VerificationError("bad-encoding", f"expected {length} bytes in base64url without padding")


def _b64(text: Any, code: str) -> bytes:
    """Decode strict standard base64 with padding."""
    if isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text):
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raw = b""
        if raw and base64.b64encode(raw).decode() == text:
            return raw
    raise VerificationError(code, "expected base64 in its canonical spelling")


def _decimal(text: str, code: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", text) or int(text) > MAX_INTEGER:
        _fail(code, "expected a decimal number below 2^53 without leading zeroes")
    return int(text)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME and name.isprintable() and not re.search(r"[\s+]", name)


def _same(left: bytes, right: bytes) -> bool:
    return hmac.compare_digest(left, right)


def _fail(code: str, message: str) -> NoReturn:
    raise VerificationError(code, message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files named on the command line and say what is proved and what is not."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Check a luvalla receipt, a tlog-proof or a published log, without network or ledger.",
    )
    parser.add_argument(
        "what", type=Path, help="a receipt, a C2SP tlog-proof, or the folder of a published log"
    )
    parser.add_argument(
        "trust_root", type=Path, nargs="?", help="trust-root.json; by default the one in the published folder"
    )
    parser.add_argument(
        "--pin", help="digest of the trust root's version 1, got another way than these files"
    )
    parser.add_argument("--entry", type=Path, help="with a tlog-proof: the entry's exact bytes")
    parser.add_argument("--older", type=Path, help="with a folder: a checkpoint that the log must continue")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    folder = options.what.is_dir()
    if options.trust_root is None and not folder:
        parser.error("a receipt and a tlog-proof need the file trust-root.json as well")
    try:
        trust_root = _read(options.trust_root or options.what / "trust-root.json", MAX_TRUST_ROOT_BYTES)
        older = None if options.older is None else _read(options.older, MAX_NOTE_BYTES)
        entry = None if options.entry is None else _read(options.entry, MAX_ENTRY_BYTES)
        raw = b"" if folder else _read(options.what, MAX_RECEIPT_BYTES)
        is_proof = raw.startswith(b"c2sp.org/tlog-proof@")
        if (entry is not None) != is_proof or (older is not None and not folder):
            parser.error("--entry belongs to a tlog-proof, which needs it; --older to a folder")
        result: Verified | VerifiedProof | VerifiedLog
        if folder:
            what = "published log"
            result = verify_published(_folder(options.what), trust_root, options.pin, older)
        elif entry is not None:
            what = "proof"
            result = verify_proof(raw, entry, trust_root, options.pin)
        else:
            what = "receipt"
            result = verify_receipt(raw, trust_root, options.pin)
    except OSError as error:
        print(f"error: {error.filename} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    except VerificationError as error:
        print(f"error: {error.message} ({error.code})", file=sys.stderr)
        return 3
    if options.json:
        print(json.dumps(dataclasses.asdict(result), ensure_ascii=False, indent=1))
        return 0
    print(f"The {what} verifies.\n\nProved:")
    for sentence in result.proved:
        print(f"- {printable(sentence)}")
    print("\nNot proved:")
    for sentence in result.not_proved:
        print(f"- {printable(sentence)}")
    return 0


def printable(sentence: str) -> str:
    """A sentence for a terminal: a receipt's own words in it make no line of their own, and hide none."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in sentence
    )


def _read(path: Path, limit: int) -> bytes:
    # One byte more than the limit, so that a larger file is refused without being read whole.
    with path.open("rb") as file:
        return file.read(limit + 1)


def _folder(path: Path) -> Callable[[str, int], bytes | None]:
    def read(name: str, limit: int) -> bytes | None:
        try:
            return _read(path / name, limit)
        except FileNotFoundError:
            return None

    return read


if __name__ == "__main__":
    sys.exit(main())
