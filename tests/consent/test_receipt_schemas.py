"""The published JSON Schemas of receipts: made again, and as strict as the receipts' form."""

from __future__ import annotations

import copy

import pytest

from tests.consent import standard_vector, use_vector
from tests.consent.make_schemas import files
from tests.consent.receipt_schemas import SCHEMA_OF, SCHEMAS, check_schema
from tests.consent.vector_log import world as vector_world


def test_the_schemas_and_the_context_are_made_again_byte_for_byte():
    assert {path.name: path.read_bytes() for path in SCHEMAS.iterdir() if "receipt" in path.name} == files()


VECTORS = {
    "consent-1": vector_world().consent_receipt,
    "consent-2": standard_vector.receipt(),
    "consent-2-no": standard_vector.receipt("refused"),
    "use-1": vector_world().use_receipt,
    "left-out-1": vector_world().left_out_receipt,
    "use-2": use_vector.receipt(),
}


def places(value: object, way: tuple = ()):
    """Every object and array of a receipt but the context and what is open, with the way to it."""
    if isinstance(value, dict | list):
        yield way, value
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*way, key))


OPEN = {"title", "description", "effects_of_no"}  # other languages may come


@pytest.mark.parametrize("name", VECTORS)
def test_the_schemas_accept_receipts_and_refuse_a_missing_an_added_and_a_wrong_member(name):
    receipt = VECTORS[name]
    check_schema(receipt)
    validator = SCHEMA_OF[receipt["type"], receipt["luvalla_receipt"]]
    may_be_missing = {"automation_level", "human_involvement", "party_email", "party_phone", "party_url"}
    may_be_missing |= {"piiControllerUrl", "streetAddress", "source"}
    for way, place in list(places(receipt)):
        if not isinstance(place, dict):
            continue
        for key in place:
            if key not in may_be_missing:
                changed, there = at(receipt, way)
                del there[key]
                assert not validator.is_valid(changed), (*way, key)
            changed, there = at(receipt, way)
            there[key] = 3.5
            assert not validator.is_valid(changed), (*way, key)
        if not OPEN & set(way):
            changed, there = at(receipt, way)
            there["Surplus"] = "x"
            assert not validator.is_valid(changed), way


def at(receipt: dict, way: tuple):
    changed = copy.deepcopy(receipt)
    there = changed
    for step in way:
        there = there[step]
    return changed, there
