"""One transaction of appends: rows gathered in memory, written together, in the order of the log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from consent import sealed_people, store_consents, store_limits, store_log, store_people
from consent.canonical import ID_BYTES, SALT_BYTES, commitment, detail_digest, encode, format_time
from consent.entries import InstitutionalAct, Payload
from consent.keys import Vault, new_keys
from consent.numbers import NumberPool
from consent.payload_template import EnrolmentTemplate, PayloadTemplate, personal_entry
from consent.repeated import sealed_fingerprint
from consent.row_mac import with_mac
from consent.store_people import Person
from consent.tlog.merkle import RightEdge, leaf_hash
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from consent.canonical import JSON
    from consent.records import Purpose

REQUEST_BYTES = 16


class Writing:
    """Appends of one transaction.

    Attributes:
        connection: The writing connection; what is gathered here is not visible in it before `flush`.
        at: The time of every entry of this transaction, UTC, whole seconds.
        size: Number of entries, those gathered included: the index of the next one.
    """

    def __init__(
        self,
        connection: Connection,
        origin: str,
        vault: Vault,
        edge: RightEdge,
        at: datetime,
        mac_key: bytes,
    ) -> None:
        self.connection = connection
        self.at = at
        self.size = edge.size
        self._origin = origin
        self._vault = vault
        self._edge = edge
        self._mac_key = mac_key
        self._at_text = format_time(at)
        self._at_epoch = store_consents.epoch(at)
        self._numbers = NumberPool(connection)
        self._consents: dict[tuple[Any, ...], PayloadTemplate] = {}
        nobody = Payload("enrolment", self._at_text, bytes(ID_BYTES), {"number": 0})
        self._enrolment = EnrolmentTemplate.of(nobody)
        self._entries: list[store_log.Row] = []
        self._payloads: list[store_log.Row] = []
        self._details: list[store_log.Row] = []
        self._institutional: list[store_log.Row] = []
        self._people: list[store_log.Row] = []
        self._keys: list[store_log.Row] = []
        self._events: list[store_log.Row] = []
        self._limits: list[store_log.Row] = []

    def institutional(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        request: bytes | None = None,
        fingerprint: bytes | None = None,
    ) -> int:
        """Append an act of the institution; returns its index.

        Raises:
            EntryFormatError: The kind or body is not of version 1.
        """
        index = self._append(InstitutionalAct(kind, self._at_text, body).encode(), request, fingerprint)
        self._institutional.append({"idx": index, "kind": kind})
        return index

    def personal(
        self,
        kind: str,
        person: Person,
        key: bytes,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        purpose_version: int | None = None,
        details: Mapping[str, JSON] | None = None,
        detail_key: bytes | None = None,
        retention: RetentionClass = RetentionClass.EVIDENCE,
        request: bytes | None = None,
        fingerprint: bytes | None = None,
    ) -> int:
        """Append an entry about a person, and its encrypted opening; returns its index.

        Args:
            kind: `enrolment`, `consent`, `act`, `right` or `erasure`.
            person: Whom it is about.
            key: The person's key of the class `retention`.
            body: The keys of the kind.
            purpose: Purpose id, for a consent.
            purpose_version: Its version.
            details: Named values, each sealed with `detail_key`.
            detail_key: The person's key of the class `detail`.
            retention: The class that the payload is kept in.
            request: The request id as stored; a random one by default.
            fingerprint: What the request asked for.

        Raises:
            EntryFormatError: The kind or body is not of version 1.
            NotCanonicalError: A value has no canonical form.
        """
        digests: dict[str, str] = {}
        for name, value in (details or {}).items():
            salt, text = os.urandom(SALT_BYTES), encode(value)
            digests[name] = detail_digest(self._origin, name, salt, text)
            sealed = self._vault.seal_detail(detail_key or b"", self.size, name, salt, text)
            self._details.append(
                {"idx": self.size, "name": name, "number": person.number, "ciphertext": sealed}
            )
        payload = Payload(kind, self._at_text, person.subject, body, purpose, purpose_version, digests)
        return self._append_opened(person.number, key, payload.encode(), retention, request, fingerprint)

    def consent(
        self,
        person: Person,
        key: bytes,
        body: Mapping[str, Any],
        purpose: Purpose,
        *,
        request: bytes | None,
        fingerprint: bytes | None,
        details: Mapping[str, JSON] | None = None,
        detail_key: bytes | None = None,
    ) -> int:
        """Append a consent entry: `personal` for what many people say in the same words; returns its index.

        Args:
            person: Whom it is about.
            key: The person's key of the class evidence.
            body: The keys of the kind; all that the purpose and its notice do not fix is in the template's words.
            purpose: The version that was asked about.
            request: The request id as stored; a random one by default.
            fingerprint: What the request asked for.
            details: Named values, each sealed with `detail_key`.
            detail_key: The person's key of the class detail, where there are details.

        Raises:
            EntryFormatError: The body is not of version 1.
        """
        if details:
            return self.personal(
                "consent", person, key, body, purpose=purpose.id, purpose_version=purpose.version,
                details=details, detail_key=detail_key, request=request, fingerprint=fingerprint,
            )  # fmt: skip
        words = (
            purpose.id,
            purpose.version,
            *(body[name] for name in ("expires", "given_by", "language", "method", "status")),
            *(tuple(body[name]) for name in ("categories", "processing")),
        )
        template = self._consents.get(words)
        if template is None:
            payload = Payload("consent", self._at_text, person.subject, body, purpose.id, purpose.version)
            template = self._consents[words] = PayloadTemplate.of(payload)
        text = template.fill(person.subject)
        return self._append_opened(person.number, key, text, RetentionClass.EVIDENCE, request, fingerprint)

    def enrol(
        self,
        pseudonym: bytes,
        *,
        request: bytes | None = None,
        fingerprint: bytes | None = None,
        many: bool = False,
    ) -> tuple[Person, dict[RetentionClass, bytes]]:
        """Give a new person a subject id, a number and keys, and append their enrolment.

        Args:
            pseudonym: Finds the person again.
            request: The request id as stored; a random one by default.
            fingerprint: What the request asked for.
            many: Others follow in this transaction.
        """
        number = self._numbers.draw(many=many)
        person = Person(number, os.urandom(16), self.size)
        keys = new_keys()
        for retention, key in keys.items():
            self.add_key(number, retention, key)
        row = {
            "number": number,
            "pseudonym": pseudonym,
            "subject": person.subject,
            "enrolled": self.size,
            "erased": None,
        }
        self._people.append(row)
        text = self._enrolment.fill(number, person.subject)
        evidence = keys[RetentionClass.EVIDENCE]
        self._append_opened(number, evidence, text, RetentionClass.EVIDENCE, request, fingerprint)
        return person, keys

    def add_key(self, number: int, retention: RetentionClass, key: bytes) -> None:
        """Store a person's key, wrapped."""
        wrapped = self._vault.wrap(number, retention, key)
        self._keys.append({"class": retention.code, "number": number, "wrapped": wrapped})

    def project_event(self, row: store_log.Row) -> None:
        """Project a consent entry; `at` is added."""
        self._events.append({**row, "at": self._at_epoch})

    def project_limitation(self, row: store_log.Row) -> None:
        """Project a `right` entry that limits something; `at` is added."""
        self._limits.append({**row, "at": self._at_epoch})

    def write_pending(self) -> None:
        """Write what is gathered so far, so that statements of this transaction see it."""
        # People before what refers to them; the order is otherwise free, it is one transaction.
        people = sealed_people.sealed_rows(self._vault, self._mac_key, self._people)
        store_people.insert_people(self.connection, people, self._keys)
        leaves = [row["leaf"] for row in self._entries]
        self._edge, tiles = self._edge.extended(leaves)
        store_log.insert_entries(self.connection, self._entries, tiles)
        store_log.insert_openings(self.connection, self._payloads, self._details)
        store_log.insert_institutional(self.connection, self._institutional)
        store_consents.insert_events(self.connection, self._events)
        store_limits.insert(self.connection, self._limits)
        for rows in (
            self._people, self._keys, self._entries, self._payloads, self._details, self._institutional, self._events,
            self._limits,
        ):  # fmt: skip
            rows.clear()

    def flush(self) -> None:
        """Write everything."""
        self.write_pending()

    def _append_opened(
        self,
        number: int,
        key: bytes,
        text: bytes,
        retention: RetentionClass,
        request: bytes | None,
        fingerprint: bytes | None,
    ) -> int:
        salt = os.urandom(SALT_BYTES)
        sealed = self._vault.seal_payload(key, self.size, salt, text)
        self._payloads.append(
            {"idx": self.size, "number": number, "class": retention.code, "ciphertext": sealed}
        )
        asked = None if fingerprint is None else sealed_fingerprint(key, fingerprint)
        return self._append(personal_entry(commitment(self._origin, salt, text)), request, asked)

    def _append(self, body: bytes, request: bytes | None, fingerprint: bytes | None) -> int:
        index = self.size
        row = {
            "idx": index,
            "leaf": leaf_hash(body),
            "body": body,
            "at": self._at_epoch,
            "request": request or os.urandom(REQUEST_BYTES),
            "fingerprint": fingerprint,
        }
        self._entries.append(with_mac(self._mac_key, "entry", row))
        self.size += 1
        return index
