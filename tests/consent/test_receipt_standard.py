"""Consent receipts in standard form: JSON-LD without loss, terms of DPV 2.3, Kantara 1.1, our schemas, for every kind of consent."""

from __future__ import annotations

import copy
import csv
import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from pyld import jsonld

from consent.errors import PurposesError
from consent.personal_data import TERMS
from consent.receipt_terms import CONTEXT, PD, SPECIAL
from consent.records import ConsentReceiptRef, ConsentRequest, Representation
from consent.tlog import verify
from consent.vocabulary import DPV, EU_GDPR, LEGAL_BASES, ConsentStatus, GivenBy, OwnSay
from tests.consent import standard_vector
from tests.consent.ledger_world import OFFER, make_world, purposes_text, use_request
from tests.consent.receipt_schemas import check_schema
from tests.consent.vector_log import world as vector_world

ROOT = Path(__file__).parents[2]
CONTRACTS = (
    ROOT.parents[1] / "shared/contracts" if ROOT.parent.name == "wt" else ROOT.parent / "shared/contracts"
)
TERM = re.compile(r"\b(dpv|dpv-27560|eu-gdpr|loc|pd|dpv-pd):([A-Za-z][A-Za-z0-9-]*)(?![A-Za-z0-9{-])")
S = ConsentStatus

# Points of the articles on rights (GDPR 12 to 22), such as 17(3)(e), as grounds in free text: DPV 2.3 has no terms for
# them, and no receipt's record holds one (the property test below). Of legal bases only DPV's own terms are taken.
POINT_OF_A_RIGHT = re.compile("eu-gdpr:A(1[2-9]|2[0-2])-[0-9](-[a-z])?")


def terms_in(text: str) -> set[str]:
    return {
        f"{prefix.removeprefix('dpv-') if prefix == 'dpv-pd' else prefix}:{name}"
        for prefix, name in TERM.findall(text)
    }


def used_terms() -> set[str]:
    """Every term of DPV in the code, in the shipped purposes, and in receipts of every state (some are put together)."""
    code = [
        path for room in ("consent", "governance", "models", "audits") for path in (ROOT / room).rglob("*.*")
    ]
    found = set().union(*(terms_in(path.read_text()) for path in code if path.suffix in (".py", ".toml")))
    found |= {f"dpv:{status.iri.removeprefix(DPV)}" for status in S} | set(LEGAL_BASES)
    for status in S:
        if status is not S.UNKNOWN:
            found |= terms_in(json.dumps(standard_vector.receipt(status.value)["record"]))
    for basis in LEGAL_BASES:
        found |= terms_in(json.dumps(standard_vector.changed_document(legal_basis=basis)["record"]))
    return {term for term in found if term != "eu-gdpr:A" and not POINT_OF_A_RIGHT.fullmatch(term)}


def listed_terms() -> set[str]:
    lines = (Path(__file__).parent / "dpv-2.3-terms.txt").read_text().splitlines()
    return {line for line in lines if not line.startswith("#")}


def test_only_terms_of_dpv_2_3_are_used_and_the_list_holds_no_others():
    assert used_terms() == listed_terms()
    for never in (
        "dpv:ConsentTerminated",
        "dpv:hasProcessingAutomation",
    ):  # in DPV's guide to 27560, not in DPV
        assert never not in listed_terms()
    folder = CONTRACTS / "dpv-2.3"
    if folder.is_dir():  # the vocabulary itself, where it is at hand
        real = {
            f"{name}:{row['term']}"
            for name in ("dpv", "pd", "loc", "eu-gdpr")
            for row in csv.DictReader((folder / f"{name}.csv").open(encoding="utf-8"))
        }
        assert {term for term in listed_terms() if not term.startswith("dpv-27560:")} <= real


def test_a_purpose_with_a_category_that_dpv_does_not_have_is_not_adopted(tmp_path):
    with make_world(tmp_path).open() as ledger:
        text = purposes_text(version=2)
        for wrong, near in (
            ("pd:Educaton", "pd:Education"),
            ("dpv:HealthData", "dpv:"),
            ("dpv-pd:Shoe", "own"),
        ):
            with pytest.raises(PurposesError) as caught:
                ledger.adopt_purposes(wrong.join(text.rsplit("dpv-pd:Education", 1)))
            assert wrong in caught.value.message
            assert near in caught.value.hint
        assert ledger.purpose(OFFER).version == 1
        ledger.adopt_purposes("city:LibraryCard".join(text.rsplit("dpv-pd:Education", 1)))
        assert ledger.purpose(OFFER).categories == ("city:LibraryCard", "dpv-pd:Age")
        ledger.record_consent("anna", OFFER, S.GIVEN)
        receipt = ledger.consent_receipt("anna", OFFER)
    assert by_another_processor(receipt) == receipt
    check_schema(receipt)
    assert receipt["record"]["pii_processing"]["pii_information"][0]["pii_type"] == "city:LibraryCard"


def test_the_kinds_of_personal_data_are_those_of_dpv():
    assert len(TERMS) == 243
    assert SPECIAL <= TERMS
    folder = CONTRACTS / "dpv-2.3"
    if folder.is_dir():
        rows = csv.DictReader((folder / "pd.csv").open(encoding="utf-8"))
        assert {f"pd:{row['term']}" for row in rows} == {term for term in TERMS if term.startswith("pd:")}


def test_terms_that_are_not_dpvs_are_seen():
    assert terms_in('x = "dpv:ConsentTerminated"') - listed_terms() == {"dpv:ConsentTerminated"}
    assert terms_in('"dpv-pd:Nonsense"') - listed_terms() == {"pd:Nonsense"}


def test_the_verifier_and_the_ledger_list_the_same_special_categories():
    assert verify._SPECIAL == SPECIAL


def no_network(url: str, options: object = None) -> None:
    pytest.fail(f"a remote context was asked for: {url}")


def by_another_processor(receipt: dict) -> dict:
    """Expand, flatten, and put together again by the receipt's own context; nothing is fetched."""
    jsonld.set_document_loader(no_network)
    expanded = jsonld.expand(receipt)
    assert jsonld.compact(expanded, receipt["@context"]) == receipt
    frame = {"@context": receipt["@context"], "@type": "dpv:ConsentReceipt", "@embed": "@always"}
    options = {"omitGraph": True, "pruneBlankNodeIdentifiers": True}
    return jsonld.frame(jsonld.flatten(expanded), frame, options)


@pytest.mark.parametrize("status", [status.value for status in S if status is not S.UNKNOWN])
def test_json_ld_loses_nothing(status):
    receipt = standard_vector.receipt(status)
    assert by_another_processor(receipt) == receipt


def test_a_member_that_the_context_does_not_know_would_be_noticed():
    receipt = copy.deepcopy(standard_vector.receipt())
    receipt["record"]["unknown"] = "lost"
    jsonld.set_document_loader(no_network)
    assert jsonld.compact(jsonld.expand(receipt), receipt["@context"]) != receipt


def test_the_expanded_record_says_the_consent_in_dpvs_iris():
    jsonld.set_document_loader(no_network)
    (node,) = jsonld.expand(standard_vector.receipt())
    assert node["@type"] == [f"{DPV}ConsentReceipt"]
    (record,) = node[f"{DPV}hasRecordOfActivity"]
    (event,) = record[f"{DPV}hasConsentStatus"]
    assert event["@type"] == [f"{DPV}ConsentGiven"]
    assert event[f"{DPV}isIndicatedAtTime"] == [
        {"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": "2026-11-24T09:02:00Z"}
    ]
    (process,) = record[f"{DPV}hasProcess"]
    assert process[f"{DPV}hasLegalBasis"] == [{"@id": f"{EU_GDPR}A6-1-e-public-interest"}]
    assert process[f"{DPV}hasAutomationLevel"] == [{"@id": f"{DPV}AssistiveAutomation"}]
    data = {part["http://purl.org/dc/terms/type"][0]["@id"] for part in process[f"{DPV}hasPersonalData"]}
    assert data == {f"{PD}HealthRecord", f"{PD}Income"}


def test_every_mandatory_field_of_27560_is_there():
    record = standard_vector.receipt()["record"]
    process, (event,) = record["pii_processing"], record["consent_events"]
    assert {"schema_version", "record_id", "pii_principal_id"} <= record.keys()
    assert {
        "privacy_notice", "language", "purpose", "pii_information", "pii_controllers", "storage_locations",
        "retention_period", "jurisdiction", "recipient_third_parties", "withdrawal_method",
    } <= process.keys()  # fmt: skip
    assert all("pii_type" in part for part in process["pii_information"])
    assert {"party_id", "party_name", "party_address", "party_contact"} <= process["pii_controllers"][
        0
    ].keys()
    assert {"event_time", "validity_duration", "entity_id", "event_type", "event_state"} <= event.keys()


def kantara() -> Draft4Validator:
    """Kantara's own schema where it is at hand (two comment lines make it no JSON); what it requires, everywhere."""
    file = CONTRACTS / "kantara-consent-receipt-v1.1.schema.json"
    if file.is_file():
        lines = file.read_text().splitlines()
        return Draft4Validator(
            json.loads("\n".join(line for line in lines if not line.strip().startswith("//")))
        )
    texts = ("version", "jurisdiction", "collectionMethod", "consentReceiptID", "piiPrincipalId", "policyUrl")
    return Draft4Validator(
        {
            "type": "object",
            "properties": {
                **{key: {"type": "string"} for key in texts},
                "consentTimestamp": {"type": "integer", "minimum": 0},
                **{key: {"type": "array"} for key in ("piiControllers", "services", "spiCat")},
                "sensitive": {"type": "boolean"},
            },
            "required": [*texts, "consentTimestamp", "piiControllers", "services", "spiCat", "sensitive"],
        }
    )


def test_a_consent_in_force_is_a_kantara_receipt_and_a_no_is_none():
    validator = kantara()
    for status in ("given", "renewed"):
        validator.validate(standard_vector.receipt(status))
    receipt = standard_vector.receipt()
    assert receipt["consentTimestamp"] == 1_795_510_920  # 2026-11-24T09:02:00Z
    assert (receipt["sensitive"], receipt["spiCat"]) == (True, ["pd:HealthRecord"])
    for status in ("requested", "refused", "withdrawn", "revoked", "expired", "invalidated"):
        assert not validator.is_valid(standard_vector.receipt(status))
        assert "services" not in standard_vector.receipt(status)
    for key in validator.schema["required"]:
        assert not validator.is_valid({name: value for name, value in receipt.items() if name != key})


def test_a_purpose_that_says_little_makes_a_receipt_that_says_so():
    optional = ("address", "contact", "email", "phone", "website", "storage_locations")
    receipt = standard_vector.changed_document(**dict.fromkeys(optional), recipients=[])
    check_schema(receipt)
    kantara().validate(receipt)
    assert by_another_processor(receipt) == receipt
    raw = json.dumps(receipt).encode()
    assert verify.verify_receipt(raw, vector_world().trust.raw, vector_world().trust.pin).index == 3
    process = receipt["record"]["pii_processing"]
    assert process["storage_locations"] == ["not stated"]
    assert process["pii_controllers"][0]["party_address"] == "not stated"
    assert process["recipient_third_parties"] == ["none"]
    assert receipt["piiControllers"][0]["email"] == ""
    assert receipt["services"][0]["purposes"][0]["thirdPartyDisclosure"] is False


def test_a_purpose_document_of_another_form_is_refused_not_crashed_on():
    for changes in (
        {"title": "x"},
        {"title": {"fi": "x"}},
        {"recipients": "x"},
        {"email": 1},
        {"notice": {"id": 1}},
    ):
        document = {**standard_vector.DOCUMENT, **changes}
        with pytest.raises(verify.VerificationError) as caught:
            verify._check_document(document)
        assert caught.value.code == "wrong-purpose"
    for key in ("title", "controller", "retention_days", "notice"):
        with pytest.raises(verify.VerificationError):
            verify._check_document({name: v for name, v in standard_vector.DOCUMENT.items() if name != key})


ANSWERS = {
    "given": [S.GIVEN],
    "refused": [S.REFUSED],
    "requested": [S.REQUESTED],
    "requested and given": [S.REQUESTED, S.GIVEN],
    "withdrawn": [S.GIVEN, S.WITHDRAWN],
    "revoked": [S.GIVEN, S.REVOKED],
    "invalidated": [S.GIVEN, S.INVALIDATED],
    "renewed": [S.GIVEN, S.RENEWED],
    "given again": [S.REFUSED, S.GIVEN, S.WITHDRAWN, S.GIVEN],
}
answers = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(ANSWERS)),
        "given_by": st.sampled_from(GivenBy),
        "own_say": st.sampled_from([None, OwnSay.AGREED, OwnSay.NOT_ASKED]),
        "signed_on": st.sampled_from([None, date(2026, 11, 1)]),
        "language": st.sampled_from(["fi", "sv", "en"]),
        "method": st.sampled_from(
            ["paper form", "lomake \u00e4\u00e5\u20ac", 'with "quotes" and \\', "verkko: @id"]
        ),
        "processing": st.sampled_from([None, ("scoring",), ("human-review",)]),
        "categories": st.sampled_from([None, ("dpv-pd:Age",)]),
    }
)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A city whose purpose says everything that a receipt can repeat, and its people, numbered on."""
    text = purposes_text().replace(
        'controller = "City of Example"',
        'controller = "City of \u00c4xample"\naddress = "Street 1"\nemail = "dpo@city.example"\nphone = "+358 9 0"\n'
        'website = "https://city.example"\nstorage_locations = ["Finland"]\ncontact = "dpo@city.example"',
        1,
    )
    world = make_world(tmp_path_factory.mktemp("city"), text)
    with world.open() as ledger:
        yield world, ledger, iter(range(10_000))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers)
def test_a_receipt_of_every_kind_of_consent_verifies_validates_and_loses_nothing(city, asked):
    world, ledger, numbers = city
    person = f"invented-{next(numbers)}"
    by_another = asked["given_by"] in (GivenBy.GUARDIAN, GivenBy.AUTHORISED_REPRESENTATIVE)
    for status in ANSWERS[asked["kind"]]:
        limits = {} if status is S.RENEWED else {key: asked[key] for key in ("processing", "categories")}
        outcome = ledger.record(
            ConsentRequest(
                person,
                OFFER,
                status,
                language=asked["language"],
                given_by=asked["given_by"],
                method=asked["method"],
                representation=Representation("guardian per population register", "ref 17")
                if by_another
                else None,
                own_say=asked["own_say"] if by_another else None,
                signed_on=asked["signed_on"],
                majority=date(2027, 6, 1) if asked["given_by"] is GivenBy.GUARDIAN else None,
                **limits,
            )
        )
        assert isinstance(outcome, ConsentReceiptRef), outcome
        receipt = ledger.consent_receipt(person, outcome.index)
        check_schema(receipt)
        proved = world.verify(receipt)
        assert (proved.index, proved.consent.status) == (outcome.index, status.value)
        assert by_another_processor(receipt) == receipt
        assert kantara().is_valid(receipt) == status.permits
        assert terms_in(json.dumps(receipt["record"])) <= listed_terms() | {"pd:Age", "pd:Education"}
        process, (event,) = receipt["record"]["pii_processing"], receipt["record"]["consent_events"]
        assert event["event_state"] == f"dpv:{status.iri.removeprefix(DPV)}"
        if asked["processing"] is not None:
            assert [each["processing"] for each in process["processing_method"]] == list(asked["processing"])
        assert ("automation_level" in process) == (asked["processing"] != ("human-review",))


def test_receipts_of_uses_and_of_an_expired_consent_validate_too(city):
    world, ledger, _ = city
    ledger.record_consent("invented-used", OFFER, S.GIVEN)
    request = use_request(ledger, {"invented-used": 1})
    ledger.append_use(request)
    receipt = ledger.use_receipt("invented-used", request.run)
    check_schema(receipt)
    world.verify(receipt)
    world.clock.forward(days=366)
    outcome = ledger.record_consent("invented-used", OFFER, S.EXPIRED)
    assert isinstance(outcome, ConsentReceiptRef), outcome
    receipt = ledger.consent_receipt("invented-used", OFFER)
    check_schema(receipt)
    assert world.verify(receipt).consent.status == "expired"
    world.clock.forward(seconds=int(timedelta(days=1).total_seconds()))


def test_the_context_fetches_nothing_and_every_term_is_defined_once():
    assert all(isinstance(value, str | dict) for value in CONTEXT.values())
    iris = [(value["@id"], value.get("@type", "")) for value in CONTEXT.values() if isinstance(value, dict)]
    assert len(iris) == len(set(iris))
