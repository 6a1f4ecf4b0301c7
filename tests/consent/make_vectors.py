"""Make the golden vectors of docs/spec/ledger-v1.md; `test_vectors.py` makes them again and compares every byte.

    .venv/bin/python -m tests.consent.make_vectors docs/spec/vectors      (in the repository's root)

Everything is derived from labels, the private keys too: never use them for anything else. The people are invented.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

from consent import canonical
from consent.canonical import format_time
from consent.entries import InstitutionalAct, Payload, PersonalEntry
from consent.succession import Succession
from consent.tlog import merkle
from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.cosignature import WitnessKey, cosign, signature_lines, with_cosignatures
from consent.tlog.note import Note, NoteSignature
from consent.tlog.witness import AddCheckpoint
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from consent.trust_commands import policy_text
from tests.consent import standard_vector, use_vector
from tests.consent.vector_log import (
    CT_LEAVES,
    ISSUED,
    ORIGIN,
    MemoryLog,
    derived,
    signing_key,
    world,
)


def changed(value: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    """A copy of a receipt with one place changed; `new` may be a function of the old value."""
    copied = copy.deepcopy(value)
    *folders, last = path.split("/")
    place: Any = copied
    for name in folders:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = new(place[last]) if callable(new) else new
    return copied


def canonical_vectors() -> dict[str, Any]:
    """Texts that are canonical, and texts that look like it."""
    accepted = ["{}", "[]", '""', "0", "-1", "9007199254740991", "true", "null", '{"A":1,"a":2}', '"å€😀"']
    accepted += ['"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f"', '"\x7f\u2028"', '{"a":[{"b":null}],"v":1}']
    refused = {
        "white space": '{"a": 1}',
        "keys out of order": '{"b":1,"a":2}',
        "key twice": '{"a":1,"a":1}',
        "fraction": "1.0",
        "exponent": "1e3",
        "integer too large": "9007199254740992",
        "minus zero": "-0",
        "leading zero": "01",
        "not a number": "NaN",
        "key not ASCII": '{"å":1}',
        "escaped letter": '"\\u0061"',
        "upper-case hex": '"\\u001F"',
        "escaped solidus": '"\\/"',
        "half a surrogate pair": '"\\ud800"',
        "byte order mark": "\ufeff{}",
        "trailing newline": "{}\n",
        "nested 33 deep": "[" * 33 + "]" * 33,
    }
    return {"accepted": accepted, "refused": refused}


def hash_vectors() -> dict[str, Any]:
    """Single hashes with their inputs, hex."""
    run, salt, use_key, secret = (
        derived("run", 16),
        derived("salt"),
        derived("use key 0"),
        derived("run secret"),
    )
    return {
        "leaf_of_empty_entry": merkle.leaf_hash(b"").hex(),
        "empty_root": merkle.EMPTY_ROOT.hex(),
        "commitment": {
            "origin": ORIGIN,
            "salt": salt.hex(),
            "payload": "{}",
            "is": canonical.commitment(ORIGIN, salt, b"{}").hex(),
        },
        "detail": {
            "origin": ORIGIN,
            "name": "source",
            "salt": salt.hex(),
            "value": "3",
            "is": canonical.detail_digest(ORIGIN, "source", salt, b"3"),
        },
        "run": run.hex(),
        "use_key": use_key.hex(),
        "run_secret": secret.hex(),
        "use_salt": canonical.use_salt(use_key, run).hex(),
        "values_salt": canonical.values_salt(use_key, run).hex(),
        "use_slot": {"number": 70_000, "status": 2, "is": canonical.use_slot(run, 70_000, 2, salt).hex()},
        "values_slot": {
            "number": 70_000,
            "values": "x",
            "is": canonical.values_slot(run, 70_000, salt, b"x").hex(),
        },
        "slot_salt": salt.hex(),
        "vacant_slot": {"number": 70_000, "is": canonical.vacant_slots(run, secret, [70_000])[0].hex()},
        "vacant_values_slot": {
            "number": 70_000,
            "is": canonical.vacant_values_slots(run, secret, [70_000])[0].hex(),
        },
    }


def tree_vectors() -> dict[str, Any]:
    """Roots of the Certificate Transparency reference tree, with all its proofs."""
    log = MemoryLog()
    for leaf in CT_LEAVES:
        log.append(leaf)
    sizes = range(1, len(CT_LEAVES) + 1)
    return {
        "leaves": [leaf.hex() for leaf in CT_LEAVES],
        "roots": {str(size): merkle.root_at(log, size).hex() for size in sizes},
        "inclusion": [
            {
                "index": index,
                "size": size,
                "path": [item.hex() for item in merkle.inclusion_proof(log, index, size)],
            }
            for size in sizes
            for index in range(size)
        ],
        "consistency": [
            {
                "old": old,
                "size": size,
                "proof": [item.hex() for item in merkle.consistency_proof(log, old, size)],
            }
            for size in sizes
            for old in range(1, size + 1)
        ],
    }


def log_vectors() -> dict[str, Any]:
    """The small ledger: entries, openings, roots at every size, the checkpoint."""
    made = world()
    return {
        "origin": ORIGIN,
        "log_private_key_seed": derived("log").hex(),
        "log_vkey": made.trust.log_vkeys(0)[0].vkey,
        "entries": [entry.decode() for entry in made.log.entries],
        "leaf_hashes": [leaf.hex() for leaf in made.log.leaves],
        "openings": {
            str(index): {
                "payload": text.decode(),
                "salt": canonical.b64u(salt),
                "details": {
                    name: {"salt": canonical.b64u(detail_salt), "value": value.decode()}
                    for name, (detail_salt, value) in made.log.details[index].items()
                },
            }
            for index, (text, salt) in sorted(made.log.openings.items())
        },
        "roots": {
            str(size): merkle.root_at(made.log, size).hex() for size in range(len(made.log.leaves) + 1)
        },
        "checkpoint": made.checkpoint,
        "trust_root_pin": made.trust.pin,
        "use_tree": {
            "root": merkle.root_of(made.use_hashes).hex(),
            "values_root": merkle.root_of(made.values_hashes).hex(),
            "first_slots": [item.hex() for item in made.use_hashes[:4]],
            "first_values_slots": [item.hex() for item in made.values_hashes[:4]],
        },
    }


def rights_vectors() -> dict[str, Any]:
    """Payloads of kind `right`: accepted with what commits to them, refused, and slots of the bytes they cause."""
    run, salt = derived("run", 16), derived("salt")
    body: dict[str, Any] = {
        "answer": "granted",
        "categories": ["dpv-pd:HealthRecord"],
        "corrects": None,
        "ground": "eu-gdpr:A21",
        "processing": ["scoring"],
        "purposes": ["health-benefit.offer"],
        "reason": None,
        "right": "objection",
    }
    everything = {"categories": [], "processing": [], "purposes": []}
    bodies = [
        body,
        {**body, "right": "objection-withdrawn"},
        {**body, **everything, "ground": "eu-gdpr:A18-1-a", "right": "restriction", "answer": "recorded"},
        {**body, **everything, "ground": "eu-gdpr:A16", "right": "rectification", "corrects": 5},
        {**body, **everything, "right": "access", "reason": "sent by post"},
    ]
    texts = [
        Payload("right", "2026-11-24T09:09:00Z", derived("subject 0", 16), each).encode() for each in bodies
    ]
    first = texts[0].decode()
    refused = {
        "another right": first.replace('"objection"', '"oblivion"'),
        "another answer": first.replace('"granted"', '"given"'),
        "an index below zero": first.replace('"corrects":null', '"corrects":-1'),
        "true for an index": first.replace('"corrects":null', '"corrects":true'),
        "a purpose in the core": first.replace('"purpose":null', '"purpose":"health-benefit.offer"'),
        "no ground": first.replace('"ground":"eu-gdpr:A21",', ""),
        "another processing": first.replace('["scoring"]', '["selling"]'),
        "a set out of order": first.replace('["scoring"]', '["scoring","audit"]'),
    }
    return {
        "origin": ORIGIN,
        "salt": salt.hex(),
        "accepted": [
            {
                "payload": text.decode(),
                "entry": PersonalEntry(canonical.commitment(ORIGIN, salt, text)).encode().decode(),
            }
            for text in texts
        ],
        "refused": refused,
        "run": run.hex(),
        "slots": [
            {"number": 70_000, "status": status, "is": canonical.use_slot(run, 70_000, status, salt).hex()}
            for status in (0x18, 0x19, 0x1A)
        ],
    }


def refused_vectors() -> list[dict[str, Any]]:
    """Receipts that must be refused: which one, what is changed in it, and the code of the refusal."""
    made = world()
    word = canonical.b64u(derived("another"))
    payload = made.consent_receipt["opening"]["payload"]
    cases: list[tuple[str, str, Any, str]] = [
        ("consent", "luvalla_receipt", 3, "unknown-version"),
        ("consent", "luvalla_receipt", True, "unknown-version"),
        ("consent", "origin", "other.example/ledger", "wrong-origin"),
        ("consent", "trust_root", canonical.digest(b""), "wrong-trust-root"),
        ("consent", "type", "use", "malformed-receipt"),
        ("consent", "issued", "2026-11-24 12:00:00", "malformed-receipt"),
        ("consent", "opening/salt", word, "wrong-inclusion"),
        ("consent", "opening/payload", payload.replace('"given"', '"renewed"'), "wrong-inclusion"),
        ("consent", "opening/payload", payload.replace('"v":1}', '"v":2}'), "unknown-kind"),
        ("consent", "opening/payload", payload.replace("{", "{ ", 1), "not-canonical"),
        ("consent", "opening/details/source/value", "4", "wrong-detail"),
        ("consent", "opening/details", {"other": {"salt": word, "value": "4"}}, "wrong-detail"),
        ("consent", "summary/status", "refused", "wrong-summary"),
        ("consent", "summary/number", False, "wrong-summary"),
        ("consent", "opening", made.consent_receipt["enrolment"], "unknown-kind"),
        ("consent", "enrolment", made.left_out_receipt["enrolment"], "wrong-subject"),
        ("use", "enrolment", made.left_out_receipt["enrolment"], "wrong-slot"),
        ("use", "slot", made.left_out_receipt["slot"], "wrong-slot"),
        ("use", "slot/status", 3, "wrong-slot"),
        ("use", "slot/status", 4, "unknown-status"),
        ("use", "slot/salt", word, "wrong-slot"),
        ("use", "slot/size", 131_072, "wrong-slot"),
        ("use", "slot/number", 1, "wrong-slot"),
        ("use", "values/bytes", '{"age":60,"visits":2.5}', "wrong-values"),
        ("use", "values/salt", word, "wrong-values"),
        ("use", "run/proof", made.use_receipt["enrolment"]["proof"], "wrong-inclusion"),
        ("use", "summary/status", "sampled", "wrong-summary"),
        *standard_vector.refused(),
        *use_vector.refused(),
    ]
    return [{"receipt": name, "change": path, "to": new, "code": code} for name, path, new, code in cases]


def witness_vectors() -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    """A trust root in format 2 that asks for a witness, a cosigned checkpoint, and a receipt with it."""
    made = world()
    roots = [signing_key("city.example/root-1", "root 1"), signing_key("city.example/root-2", "root 2")]
    keys = [signing_key(f"{name}.example/witness", f"witness {name}") for name in ("ombudsman", "newspaper")]
    rule = WitnessRule(tuple(WitnessKey.of(key) for key in keys), 1, 12)
    trust = made.trust.with_witnesses(rule, roots)
    note = Note.parse(made.checkpoint.encode())
    line = cosign(note.text, keys[0], int(ISSUED.timestamp()))
    # A line of a key that nobody knows, as long as ML-DSA-44's: it is ignored.
    unknown = NoteSignature(
        "later.example", derived("unknown key id", 4), derived("unknown") * 75 + derived("rest", 28)
    )
    checkpoint = with_cosignatures(note, [line, unknown]).encode().decode()
    text = json.dumps(made.consent_receipt).replace(
        json.dumps(made.checkpoint)[1:-1], json.dumps(checkpoint)[1:-1]
    )
    document = {
        "witnesses": [key.vkey for key in rule.keys],
        "time": int(ISSUED.timestamp()),
        "message": f"cosignature/v1\ntime {int(ISSUED.timestamp())}\n{note.text}",
        "checkpoint": checkpoint,
        "add_checkpoint": AddCheckpoint(0, (), note).encode().decode(),
        "answer": signature_lines([line]),
        "policy": policy_text(trust),
    }
    return trust.raw, document, json.loads(text)


def succession_vectors() -> dict[str, Any]:
    """A log that takes the place of the vectors' own: its trust root, its first entry, and entries to refuse."""
    made = world()
    succession = Succession(
        made.trust,
        open_checkpoint(made.checkpoint.encode(), made.trust.origin, made.trust.log_vkeys),
        "entries were lost in a restore",
    )
    origin = "city.example/ledger-2"
    trust = TrustRoot.create(
        log_key=signing_key(origin, "log of the successor").verifier,
        root_keys=[signing_key(f"{origin}/root", "root of the successor")],
        threshold=1,
        succeeds=succession.reference(),
    )
    body = succession.body()
    at = format_time(ISSUED)

    def entry(**changes: Any) -> str:
        return canonical.encode({"at": at, "b": {**body, **changes}, "t": "succession", "v": 1}).decode()

    return {
        "older": {"trust_root": made.trust.raw.decode(), "checkpoint": made.checkpoint},
        "trust_root": trust.raw.decode(),
        "entry": InstitutionalAct("succession", at, body).encode().decode(),
        "refused": {
            "another size": entry(size=11),
            "another root": entry(root=canonical.b64u(derived("root"))),
            "another origin": entry(origin="city.example/other"),
            "another trust root": entry(trust_root=canonical.digest(b"")),
            "a key that did not sign": entry(keyid="city.example/other+00000000"),
            "a checkpoint with another root": entry(
                checkpoint=made.checkpoint.replace(made.checkpoint.split("\n")[2], "A" * 43 + "=")
            ),
        },
    }


def vectors() -> dict[str, bytes]:
    """Return every vector file by name."""
    made = world()
    trust_raw, witnesses, witnessed = witness_vectors()
    documents: dict[str, Any] = {
        "witnesses.json": witnesses,
        "receipt-witnessed.json": witnessed,
        "canonical.json": canonical_vectors(),
        "hashes.json": hash_vectors(),
        "tree.json": tree_vectors(),
        "log.json": log_vectors(),
        "receipt-consent.json": made.consent_receipt,
        "receipt-consent-2.json": standard_vector.receipt(),
        "receipt-use.json": made.use_receipt,
        "receipt-use-2.json": use_vector.receipt(),
        "receipt-left-out.json": made.left_out_receipt,
        "refused.json": refused_vectors(),
        "rights.json": rights_vectors(),
        "succession.json": succession_vectors(),
    }
    files = {
        name: (json.dumps(value, ensure_ascii=True, indent=1, sort_keys=True) + "\n").encode()
        for name, value in documents.items()
    }
    files["trust-root.json"] = made.trust.raw
    files["trust-root-witnesses.json"] = trust_raw
    return files


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for file_name, content in vectors().items():
        (folder / file_name).write_bytes(content)
