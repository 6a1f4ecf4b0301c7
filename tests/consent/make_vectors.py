"""Make the golden vectors of docs/spec/ledger-v1.md; `test_vectors.py` makes them again and compares every byte.

    .venv/bin/python -m tests.consent.make_vectors docs/spec/vectors      (in the repository's root)

Everything is derived from labels, the private keys too: never use them for anything else. The people are invented.
"""

from __future__ import annotations

import copy
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import canonical
from consent.canonical import format_time
from consent.entries import InstitutionalAct, Payload, PersonalEntry
from consent.succession import Succession
from consent.tlog import merkle
from consent.tlog.checkpoint import TreeHead, open_checkpoint, sign_checkpoint
from consent.tlog.cosignature import WitnessKey, cosign, signature_lines, with_cosignatures
from consent.tlog.note import Note, NoteSignature, SigningKey
from consent.tlog.proof import Proof
from consent.tlog.witness import AddCheckpoint
from consent.trust import TrustRoot
from consent.trust_chain import Member, WitnessRule
from consent.trust_commands import policy_text
from tests.consent import receipt_builder as receipt

ORIGIN = "city.example/ledger"
ISSUED = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SLOTS = 65_536
CT_LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
"""The leaves of the Certificate Transparency project's public reference tree."""


def derived(label: str, length: int = 32) -> bytes:
    """Bytes for a label: stands in for randomness."""
    return sha256(f"luvalla test vector: {label}".encode()).digest()[:length]


def signing_key(name: str, label: str) -> SigningKey:
    """A key for a label."""
    return SigningKey(name, Ed25519PrivateKey.from_private_bytes(derived(label)))


@dataclass(frozen=True)
class Person:
    """An invented person: number, subject id and use key."""

    number: int

    @property
    def subject(self) -> bytes:
        return derived(f"subject {self.number}", 16)

    @property
    def use_key(self) -> bytes:
        return derived(f"use key {self.number}")


class MemoryLog:
    """A `HashStore` in a dictionary, with the entries and what opens them."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.openings: dict[int, tuple[bytes, bytes]] = {}
        self.details: dict[int, dict[str, tuple[bytes, bytes]]] = {}
        self.leaves: list[bytes] = []
        self.tiles: dict[tuple[int, int], merkle.FullTile] = {}
        self.edge = merkle.EMPTY_EDGE

    def tile(self, level: int, index: int) -> bytes:
        return self.tiles[level, index].hashes

    def span(self, level: int, start: int, end: int) -> bytes:
        if level == 0:
            return b"".join(self.leaves[start:end])
        return b"".join(self.tiles[level - 1, index].root for index in range(start, end))

    def append_leaves(self, leaves: list[bytes]) -> None:
        self.edge, tiles = self.edge.extended(leaves)
        self.leaves.extend(leaves)
        self.tiles.update({(tile.level, tile.index): tile for tile in tiles})

    def append(self, entry: bytes) -> int:
        self.entries.append(entry)
        self.append_leaves([merkle.leaf_hash(entry)])
        return len(self.entries) - 1

    def append_personal(self, payload: Payload, details: dict[str, tuple[bytes, bytes]] | None = None) -> int:
        salt = derived(f"salt {len(self.entries)}")
        text = payload.encode()
        index = self.append(PersonalEntry(canonical.commitment(ORIGIN, salt, text)).encode())
        self.openings[index] = text, salt
        self.details[index] = details or {}
        return index

    def proof(self, index: int, note: str) -> Proof:
        return Proof(index, tuple(merkle.inclusion_proof(self, index, len(self.leaves))), note)

    def opening(self, index: int, note: str) -> receipt.Opening:
        text, salt = self.openings[index]
        return receipt.Opening(text, salt, self.proof(index, note), self.details[index])


@dataclass(frozen=True)
class World:
    """A whole small ledger: trust root of two versions, 12 entries, one run over 65,536 slots with kept values."""

    log: MemoryLog
    trust: TrustRoot
    checkpoint: str
    run: bytes
    use_hashes: list[bytes]
    values_hashes: list[bytes]
    consent_receipt: dict[str, Any]
    use_receipt: dict[str, Any]
    left_out_receipt: dict[str, Any]


def consent_payload(person: Person, at: str, status: str, details: dict[str, str] | None = None) -> Payload:
    """A consent of an invented person."""
    return Payload(
        kind="consent",
        at=at,
        subject=person.subject,
        purpose="health-benefit.offer",
        purpose_version=1,
        details=details or {},
        body={
            "categories": ["dpv-pd:HealthRecord", "dpv-pd:Income"],
            "expires": "2027-11-24T09:00:00Z" if status in ("given", "renewed") else None,
            "given_by": "data-subject",
            "language": "sv",
            "method": "blankett på nätet",
            "notice": "health-benefit.offer",
            "notice_digest": canonical.digest(b"Vi ber om ditt samtycke."),
            "notice_version": 1,
            "processing": ["human-review", "scoring"],
            "status": status,
        },
    )


def trust_root() -> TrustRoot:
    """Two versions: the second, signed by both root keys, adds a board member."""
    roots = [signing_key("city.example/root-1", "root 1"), signing_key("city.example/root-2", "root 2")]
    first = TrustRoot.create(
        log_key=signing_key(ORIGIN, "log").verifier, root_keys=roots, threshold=2, members=(), quorum=2
    )
    member = Member(
        id="aino",
        name="Aino Esimerkki",
        role="chair",
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=datetime(2028, 1, 1, tzinfo=UTC),
        key=signing_key("city.example/board/aino", "aino").verifier,
    )
    return first.add_member(member, roots)


@cache
def world() -> World:
    """Build the ledger of the vectors."""
    trust = trust_root()
    log = MemoryLog()
    people = [Person(number) for number in range(3)]
    day = "2026-11-24T09:0"
    log.append(InstitutionalAct("trust-root", f"{day}0:00Z", {"digest": trust.pin, "version": 1}).encode())
    purpose = canonical.digest(canonical.encode({"id": "health-benefit.offer", "version": 1}))
    log.append(
        InstitutionalAct(
            "purpose", f"{day}0:00Z", {"digest": purpose, "id": "health-benefit.offer", "version": 1}
        ).encode()
    )
    enrolled = [
        log.append_personal(
            Payload(kind="enrolment", at=f"{day}1:00Z", subject=each.subject, body={"number": each.number})
        )
        for each in people
    ]
    detail = (derived("detail salt"), canonical.encode({"form": "L-12", "page": 3}))
    names = {"source": canonical.detail_digest(ORIGIN, "source", *detail)}
    given = log.append_personal(consent_payload(people[0], f"{day}2:00Z", "given", names), {"source": detail})
    log.append_personal(consent_payload(people[1], f"{day}3:00Z", "refused"))
    state = TreeHead(ORIGIN, len(log.leaves), log.edge.root())

    run, secret = derived("run", 16), derived("run secret")
    statuses = {0: 0x02, 1: 0x11, 2: 0x00}
    values = {0: b'{"age":61,"visits":2.5}'}
    use_hashes = canonical.vacant_slots(run, secret, range(SLOTS))
    values_hashes = canonical.vacant_values_slots(run, secret, range(SLOTS))
    for number, status in statuses.items():
        use_hashes[number] = canonical.use_slot(
            run, number, status, canonical.use_salt(people[number].use_key, run)
        )
    for number, text in values.items():
        salt = canonical.values_salt(people[number].use_key, run)
        values_hashes[number] = canonical.values_slot(run, number, salt, text)
    body = {
        "basis": "eu-gdpr:A6-1-e",
        "certificate": canonical.digest(b"certificate"),
        "explanation": canonical.digest(b"explanation"),
        "model": {"digest": canonical.digest(b"model"), "name": "health-benefit", "version": "4"},
        "output": canonical.digest(b"offers"),
        "processing": "scoring",
        "purpose": "health-benefit.offer",
        "purpose_version": 1,
        "root": canonical.b64u(merkle.root_of(use_hashes)),
        "run": canonical.b64u(run),
        "service": "health-benefit",
        "slots": SLOTS,
        "state": {"root": canonical.b64u(state.root), "size": state.size},
        "values_root": canonical.b64u(merkle.root_of(values_hashes)),
    }
    ran = log.append(InstitutionalAct("run", f"{day}5:00Z", body).encode())
    log.append(
        InstitutionalAct(
            "revocation",
            f"{day}6:00Z",
            {
                "certificate": canonical.digest(b"certificate"),
                "kind": "suspended",
                "reason": canonical.digest(b"reason"),
                "until": "2026-12-24T00:00:00Z",
            },
        ).encode()
    )
    acted = Payload(
        kind="act",
        at=f"{day}7:00Z",
        subject=derived("staff", 16),
        body={"act": "vote", "object": canonical.digest(b"report"), "service": "health-benefit"},
    )
    log.append_personal(acted)
    erased = Payload(
        kind="erasure",
        at=f"{day}8:00Z",
        subject=people[2].subject,
        body={
            "backups_unreadable_by": "2026-12-24",
            "classes": ["detail", "use"],
            "ground": "eu-gdpr:A17-1-b",
            "kept": ["evidence"],
            "kept_why": "eu-gdpr:A17-3-e",
        },
    )
    log.append_personal(erased)
    log.append(canonical.encode({"later": True, "t": "run", "v": 2}))

    note = sign_checkpoint(
        TreeHead(ORIGIN, len(log.leaves), log.edge.root()), signing_key(ORIGIN, "log")
    ).note
    frame: dict[str, Any] = {"origin": ORIGIN, "pin": trust.pin, "issued": ISSUED}

    def used(number: int) -> dict[str, Any]:
        kept = None
        if number in values:
            salt = canonical.values_salt(people[number].use_key, run)
            kept = receipt.KeptValues(values[number], salt, merkle.path_of(values_hashes, number))
        salt = canonical.use_salt(people[number].use_key, run)
        slot = receipt.Slot(number, SLOTS, statuses[number], salt, merkle.path_of(use_hashes, number))
        return receipt.use_receipt(
            **frame,
            enrolment=log.opening(enrolled[number], note),
            entry=log.entries[ran],
            proof=log.proof(ran, note),
            slot=slot,
            values=kept,
        )

    return World(
        log=log,
        trust=trust,
        checkpoint=note,
        run=run,
        use_hashes=use_hashes,
        values_hashes=values_hashes,
        consent_receipt=receipt.consent_receipt(
            **frame, enrolment=log.opening(enrolled[0], note), consent=log.opening(given, note)
        ),
        use_receipt=used(0),
        left_out_receipt=used(1),
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
    from tests.consent import standard_vector, use_vector  # noqa: PLC0415 - made of what stands above

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
    from tests.consent import standard_vector, use_vector  # noqa: PLC0415 - the same

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
