"""The golden vector of the use receipt of version 2 (docs/spec/ledger-v1.md, section 10.2): a log of its own."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from consent import canonical
from consent.entries import InstitutionalAct, Payload
from consent.tlog import merkle
from consent.tlog.checkpoint import TreeHead
from tests.consent import receipt_builder
from tests.consent.standard_vector import DOCUMENT
from tests.consent.vector_log import (
    ISSUED,
    ORIGIN,
    SLOTS,
    MemoryLog,
    Person,
    derived,
    trust_root,
)

VALUES = b'{"c":[0.5,-1.25,0],"s":0.32,"x":[61.0,"no",null]}'
EXPLANATION: dict[str, Any] = {
    "expected": "-0.01",
    "features": ["age", "smoker", "visits"],
    "not_selected": {
        "en": "You got no offer this time.",
        "fi": "Et saanut tarjousta.",
        "sv": "Inget erbjudande.",
    },
    "offer": {
        "en": "We offer you a check-up.",
        "fi": "Tarjoamme terveystapaamista.",
        "sv": "Vi erbjuder ett samtal.",
    },
    "texts": {
        "age": {"en": "age", "fi": "ikä", "sv": "ålder"},
        "smoker": {"en": "smoking", "fi": "tupakointi", "sv": "rökning"},
        "visits": {"en": "visits to a doctor", "fi": "lääkärikäynnit", "sv": "läkarbesök"},
    },
    "threshold": "0.3",
}
TEXT = json.dumps(EXPLANATION, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@cache
def receipt(
    explanation: str | None = TEXT, processing: str = "scoring", status: int = 0x02, *, values: bool = True
) -> dict[str, Any]:
    """A receipt of version 2 of a run; it verifies under the vectors' trust root.

    Args:
        explanation: The document that the run's entry names; None: it names none.
        processing: The run's processing.
        status: The person's status byte.
        values: Whether the run kept values of the person.
    """
    log, trust, person, day = MemoryLog(), trust_root(), Person(0), "2026-11-24T09:0"
    log.append(InstitutionalAct("trust-root", f"{day}0:00Z", {"digest": trust.pin, "version": 1}).encode())
    raw = canonical.encode(DOCUMENT)
    named = {"digest": canonical.digest(raw), "id": DOCUMENT["id"], "version": 1}
    adopted = log.append(InstitutionalAct("purpose", f"{day}0:00Z", named).encode())
    enrolled = log.append_personal(Payload("enrolment", f"{day}1:00Z", person.subject, {"number": 0}))
    state = TreeHead(ORIGIN, len(log.leaves), log.edge.root())
    run, secret = derived("run", 16), derived("run secret")
    salt, values_salt = (
        canonical.use_salt(person.use_key, run),
        canonical.values_salt(person.use_key, run),
    )
    slots = canonical.vacant_slots(run, secret, range(SLOTS))
    slots[0] = canonical.use_slot(run, 0, status, salt)
    of_values = canonical.vacant_values_slots(run, secret, range(SLOTS))
    of_values[0] = canonical.values_slot(run, 0, values_salt, VALUES)
    body = {
        "basis": DOCUMENT["legal_basis"],
        "certificate": canonical.digest(b"certificate"),
        "explanation": None if explanation is None else canonical.digest(explanation.encode()),
        "model": {"digest": canonical.digest(b"model"), "name": "health-benefit", "version": "4"},
        "output": canonical.digest(b"offers"),
        "processing": processing,
        "purpose": DOCUMENT["id"],
        "purpose_version": 1,
        "root": canonical.b64u(merkle.root_of(slots)),
        "run": canonical.b64u(run),
        "service": DOCUMENT["service"],
        "slots": SLOTS,
        "state": {"root": canonical.b64u(state.root), "size": state.size},
        "values_root": canonical.b64u(merkle.root_of(of_values)) if values else None,
    }
    ran = log.append(InstitutionalAct("run", f"{day}5:00Z", body).encode())
    note = log.checkpoint()
    first = receipt_builder.use_receipt(
        origin=ORIGIN,
        pin=trust.pin,
        issued=ISSUED,
        enrolment=log.opening(enrolled, note),
        entry=log.entries[ran],
        proof=log.proof(ran, note),
        slot=receipt_builder.Slot(0, SLOTS, status, salt, merkle.path_of(slots, 0)),
        values=receipt_builder.KeptValues(VALUES, values_salt, merkle.path_of(of_values, 0))
        if values
        else None,
    )
    return {
        **first,
        "explanation": explanation,
        "luvalla_receipt": 2,
        "purpose_entry": log.purpose_entry(adopted, raw, note),
    }


def refused() -> list[tuple[str, str, Any, str]]:
    """Changes to the receipt, and the code of the refusal."""
    made, name = receipt(), "use-2"
    part = made["purpose_entry"]
    document = part["document"]
    return [
        (name, "luvalla_receipt", 1, "malformed-receipt"),
        (name, "luvalla_receipt", 3, "unknown-version"),
        (name, "surplus", 1, "malformed-receipt"),
        (name, "explanation", TEXT.replace("61", "62").replace("smoking", "drinking"), "wrong-explanation"),
        (name, "explanation", TEXT + " ", "wrong-explanation"),
        (name, "explanation", "", "wrong-explanation"),
        (name, "explanation", {}, "malformed-receipt"),
        (name, "values/bytes", VALUES.decode().replace("61.0", "62.0"), "wrong-values"),
        (name, "purpose_entry", None, "malformed-receipt"),
        (name, "purpose_entry/document", document.replace("Health check-ups", "Benefits"), "wrong-purpose"),
        (name, "purpose_entry/entry", part["entry"].replace('"version":1', '"version":2'), "wrong-inclusion"),
        (name, "purpose_entry/proof", made["enrolment"]["proof"], "wrong-inclusion"),
        (name, "summary/purpose", "another", "wrong-summary"),
    ]
