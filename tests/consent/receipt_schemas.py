"""Receipts against the published JSON Schemas."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"


def schema(name: str) -> Draft202012Validator:
    document = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


SCHEMA_OF = {
    ("consent", 1): schema("consent-receipt-1"),
    ("consent", 2): schema("consent-receipt-2"),
    ("use", 1): schema("use-receipt-1"),
    ("use", 2): schema("use-receipt-2"),
}


def check_schema(receipt: dict) -> None:
    SCHEMA_OF[receipt["type"], receipt["luvalla_receipt"]].validate(receipt)
