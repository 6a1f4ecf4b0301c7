"""What travels between rooms about consents: frozen dataclasses without behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, RetentionClass, UseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from consent.tlog.checkpoint import Checkpoint


@dataclass(frozen=True)
class ConsentNotice:
    """The text that a person is shown before deciding; immutable per version.

    Attributes:
        id: Name of the notice, e.g. `health-benefit.offer`.
        version: 1, 2, 3 ...
        texts: Exact text per language (`fi`, `sv`, `en`); its UTF-8 bytes are what is hashed.
    """

    id: str
    version: int
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Purpose:
    """One purpose of processing: an entry of the Art. 30 record, immutable per version.

    Attributes:
        id: e.g. `health-benefit.offer`.
        version: 1, 2, 3 ...; a wider purpose is a new version and needs a new consent.
        title: Per language.
        description: Per language.
        service: Id of the service that uses it.
        legal_basis: A DPV term such as `eu-gdpr:A6-1-e`.
        processing: Words of `Processing`, sorted.
        categories: DPV terms of the personal data, sorted.
        retention_days: How long the values used are kept after a run, days.
        consent_days: How long a consent lasts, days.
        controller: Who is responsible.
        recipients: Who else receives the data.
        effects_of_no: What stops, and what stays, when a person says no; per language.
        notice: The notice in force for this version.
        contact: How to reach the controller; None where it is not stated. This and what follows: GDPR 30(1).
        data_protection_officer: How to reach the data protection officer.
        data_subjects: Categories of people whose data is processed.
        transfers: Third countries or international organisations, each with its safeguard; empty also where there are none.
        security_measures: A general description of technical and organisational measures.
        address: The controller's postal address. This and what follows: receipts, ISO/IEC TS 27560.
        email: The controller's e-mail address.
        phone: The controller's telephone number.
        website: The controller's web address.
        storage_locations: Where the data is kept, such as countries or data centres.
    """

    id: str
    version: int
    title: Mapping[str, str]
    description: Mapping[str, str]
    service: str
    legal_basis: str
    processing: tuple[str, ...]
    categories: tuple[str, ...]
    retention_days: int
    consent_days: int
    controller: str
    recipients: tuple[str, ...]
    effects_of_no: Mapping[str, str]
    notice: ConsentNotice
    contact: str | None = None
    data_protection_officer: str | None = None
    data_subjects: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()
    security_measures: tuple[str, ...] = ()
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    storage_locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Representation:
    """What a guardian's or representative's authority rests on; kept as a named detail, encrypted.

    Attributes:
        authority: In words or a code, e.g. `guardian per population register`; no names.
        reference: The mandate's reference; None where there is none.
    """

    authority: str = field(repr=False)
    reference: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ConsentRequest:
    """One event to record in bulk (`Ledger.record_consents`).

    Attributes:
        person: The external id (for a city: the national identity code).
        purpose_id: Id of a purpose; its newest version is what the person is asked about.
        status: The event.
        language: Language of the notice shown.
        given_by: Who expressed it.
        method: How, in a few words, e.g. `online form`, `paper form`.
        request_id: The caller's id of this request; a retry with the same id changes nothing.
        processing: Words of `Processing` that the answer is about, a subset of the purpose's; None: all of them, and
            for a renewal those of the consent renewed.
        categories: The same for categories of data.
        representation: What a guardian's or representative's authority rests on; their yes needs it.
        own_say: The young person's own say beside their guardian.
        signed_on: The date on a paper form; kept as a detail, and never makes the consent hold earlier.
        majority: The day of the 18th birthday; a guardian's consent ends then at the latest, and their yes
            needs it, or `born`. Not stored.
        born: The date of birth, where age matters. Not stored.
    """

    person: str = field(repr=False)
    purpose_id: str
    status: ConsentStatus
    language: str = "fi"
    given_by: GivenBy = GivenBy.DATA_SUBJECT
    method: str = "recorded by staff"
    request_id: str | None = None
    processing: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    representation: Representation | None = None
    own_say: OwnSay | None = None
    signed_on: date | None = None
    majority: date | None = field(default=None, repr=False)
    born: date | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ConsentReceiptRef:
    """A recorded consent event: where it stands in the log.

    Attributes:
        index: Index of the entry.
        at: When it was recorded, UTC.
        purpose_id: Id of the purpose.
        purpose_version: The version the person was asked about.
        notice_version: The version of the notice shown.
        status: What was recorded.
        expires: When the consent ends by itself; None where the status does not permit anything.
        replayed: True when this request id had been recorded before, and nothing was written now.
    """

    index: int
    at: datetime
    purpose_id: str
    purpose_version: int
    notice_version: int
    status: ConsentStatus
    expires: datetime | None
    replayed: bool = False


@dataclass(frozen=True)
class TransitionRefused:
    """An event that cannot follow the present state; nothing was written.

    Attributes:
        current: The state now.
        asked: The event that was asked for.
        reason: Why not, and what to do instead, in plain English.
        code: `transition`, or why whoever answers has no standing: `no-authority`, `no-majority`, `under-age`, `of-age`,
            `own-say-opposed`, `own-no-stands`; `no-return`: they asked, when erased, not to be asked again.
    """

    current: ConsentStatus
    asked: ConsentStatus
    reason: str
    code: str = "transition"


@dataclass(frozen=True)
class ConsentEvent:
    """One event of one person and purpose, as the log has it.

    Attributes:
        index: Index of the entry: the order of events, also within one second.
        at: When it was recorded, UTC.
        status: The event.
        purpose_version: The version it was given for.
        notice_version: The version of the notice shown.
        processing: Bits of `Processing` that it covers; 0 where it lacks a category of data that the purpose needs.
        expires: When a permitting event ends by itself.
    """

    index: int
    at: datetime
    status: ConsentStatus
    purpose_version: int
    notice_version: int
    processing: int
    expires: datetime | None


@dataclass(frozen=True)
class ConsentRecord:
    """What one person's answers to one purpose amount to.

    Attributes:
        purpose: The newest version of the purpose.
        status: The state now, expiry counted in.
        since: Index of the event that made it so; None while nothing is on record.
        expires: When the consent ends by itself.
        purpose_version: The version the last event was for; None while nothing is on record.
        current_version: Whether the last event was for the newest version of the purpose and notice.
        history: Every event, oldest first.
    """

    purpose: Purpose
    status: ConsentStatus
    since: int | None
    expires: datetime | None
    purpose_version: int | None
    current_version: bool
    history: tuple[ConsentEvent, ...]


@dataclass(frozen=True)
class Permitted:
    """A person's data may be processed for a purpose.

    Attributes:
        index: The consent event it rests on.
        expires: When that consent ends.
    """

    index: int
    expires: datetime | None


@dataclass(frozen=True)
class Refused:
    """A person's data may not be processed.

    Attributes:
        status: The status byte that a run records for the person.
        reason: Why, in plain English.
    """

    status: UseStatus
    reason: str


@dataclass(frozen=True)
class InstitutionalEntry:
    """One act of the institution, public in the log.

    Attributes:
        index: Index of the entry.
        at: When, UTC.
        kind: e.g. `run`, `certificate`.
        body: The entry's `b`.
    """

    index: int
    at: datetime
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class ToWeigh:
    """Something that speaks for keeping a class of a person's data; the law's exceptions are decided by people.

    Attributes:
        ground: The provision, e.g. `eu-gdpr:A17-3-b`.
        keep: The class that would have to be kept.
        what: What was found, in plain English, without personal data.
        count: How many there are of it.
    """

    ground: str
    keep: RetentionClass
    what: str
    count: int


@dataclass(frozen=True)
class ErasureReceipt:
    """What an erasure destroyed and kept, or would (dry run).

    Attributes:
        index: Index of the erasure entry; None for a dry run.
        at: When, UTC.
        ground: The legal ground, e.g. `eu-gdpr:A17-1-b`.
        erased: Classes destroyed.
        kept: Classes kept.
        kept_why: Why they are kept (GDPR 17(3)); None when nothing is.
        payloads: How many payloads are destroyed.
        details: How many named details.
        runs: In how many runs the person's status is erased.
        values: In how many runs kept values are destroyed.
        backups_unreadable_by: The day from which no backup or key copy can open what was erased.
        bytes_freed: Whether the freed bytes are gone from the database's files too.
        dry_run: Nothing was changed.
        no_return: The person asked not to be asked again: a new consent is refused.
        weigh: Dry run only: what speaks for keeping something, for whoever decides.
    """

    index: int | None
    at: datetime
    ground: str
    erased: tuple[RetentionClass, ...]
    kept: tuple[RetentionClass, ...]
    kept_why: str | None
    payloads: int
    details: int
    runs: int
    values: int
    backups_unreadable_by: date
    bytes_freed: bool
    dry_run: bool
    no_return: bool = False
    weigh: tuple[ToWeigh, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One thing that `Ledger.check` found wrong.

    Attributes:
        table: Table (or file) it is in.
        key: Key of the row, as text.
        what: What is wrong: what was found, what was expected.
        index: Index of the log entry concerned, where there is one.
    """

    table: str
    key: str
    what: str
    index: int | None = None


@dataclass(frozen=True)
class Head:
    """Where the log stands.

    Attributes:
        size: Number of entries in the database.
        root: Root of the tree over them, 32 bytes.
        checkpoint: The last signed checkpoint kept outside the database; None before the first.
    """

    size: int
    root: bytes
    checkpoint: Checkpoint | None
