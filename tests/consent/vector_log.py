"""The log of the golden vectors, in memory: its keys, its people, and the receipts that it gives.

Everything is derived from labels, the private keys too: never use them for anything else. The people are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import canonical
from consent.entries import InstitutionalAct, Payload, PersonalEntry
from consent.tlog import merkle
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.note import SigningKey
from consent.tlog.proof import Proof
from consent.trust import TrustRoot
from consent.trust_chain import Member
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

    def checkpoint(self) -> str:
        """The note of a checkpoint of all entries."""
        return sign_checkpoint(
            TreeHead(ORIGIN, len(self.leaves), self.edge.root()), signing_key(ORIGIN, "log")
        ).note

    def purpose_entry(self, index: int, document: bytes, note: str) -> dict[str, Any]:
        """A receipt's member of that name: the entry that adopted a purpose, its document and its proof."""
        return {
            "document": document.decode(),
            "entry": self.entries[index].decode(),
            "proof": self.proof(index, note).text(),
        }

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
