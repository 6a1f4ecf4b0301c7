"""The consent ledger: who agreed to what, and what was done with their data, over one append-only log."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from consent import acts, consenting, erasure, right_records, store_consents, use_recording
from consent.group_commit import GroupCommit
from consent.ledger_erasure import LedgerErasure
from consent.opening import open_log
from consent.purposes import parse
from consent.purposing import append_purposes
from consent.records import ConsentReceiptRef, ConsentRequest
from consent.right_records import RightRequest
from consent.uses import UseEntry
from consent.vocabulary import GivenBy, RightAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import date

    from consent.canonical import JSON
    from consent.home import Home
    from consent.log import Log
    from consent.records import Representation, TransitionRefused
    from consent.tlog.checkpoint import Checkpoint
    from consent.tlog.external import CheckpointStore
    from consent.uses import UseRequest
    from consent.vocabulary import ConsentStatus, OwnSay, Right

_Item = TypeVar("_Item")


def in_batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Cut any iterable into lists."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Ledger(LedgerErasure):
    """One open ledger; a context manager.

    Every method that writes is durable when it returns: committed, and covered by a checkpoint kept outside the
    database. Every write takes an optional request id: a retry with the same id writes nothing and returns the first
    result. No message of any error holds an id, a name or a value of a person.

    Any method may raise `LedgerUnavailableError` (locked, read-only, gone; exit 4) or `LedgerDamagedError` (3). Writing
    methods may raise `RefusedToSignError` (3) when the log does not continue the last external checkpoint, and
    `ClockError` (4) when the clock contradicts the log; then nothing is written.
    """

    def __init__(self, home: Home, log: Log) -> None:
        super().__init__(home, log)
        self.group = GroupCommit()
        """Who writes single events through this ledger at the same time, from several threads."""

    @classmethod
    def open(
        cls,
        home: Home,
        *,
        clock: Callable[[], datetime] = utc_now,
        read_only: bool = False,
        clock_confirmed: bool = False,
        external: CheckpointStore | None = None,
    ) -> Self:
        """Open the ledger of a home.

        Args:
            home: From `open_home`.
            clock: What time it is, aware; for tests and simulations.
            read_only: Nothing will be written, not even a checkpoint. Where nothing can be written (read-only media, a
                standby server) every ledger is opened so, and `warnings` says it.
            clock_confirmed: An operator says that the clock is right although it is far ahead of the last entry.
            external: Where the last checkpoint is kept; the home's file by default.

        Raises:
            LedgerMissingError: There is no database (exit 4).
            LedgerUnavailableError: It is locked or may not be read (4).
            LedgerNotDurableError: Its server may lose what it confirms, and is not marked for development (4).
            LedgerDamagedError: It is truncated or not a ledger (3).
            LedgerVersionError: It was written by a newer luvalla (4).
            TrustRootError: The trust root is not the pinned one (3).
        """
        log = open_log(
            home, clock=clock, read_only=read_only, clock_confirmed=clock_confirmed, external=external
        )
        ledger = cls(home, log)
        if not log.store.read_only and home.erasure_journal.exists():
            try:
                ledger.replay_erasures()
            except BaseException:
                ledger.close()
                raise
        return ledger

    def close(self) -> None:
        """Release the database."""
        self.log.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def adopt_purposes(self, text: str) -> list[int]:
        """Record the purposes and notices of a purposes file (TOML text) that are new; returns the entries' indices.

        Raises:
            PurposesError: The text is not a purposes file, or changes a version that is on record (exit 2).
        """
        purposes = parse(text)
        with self.log.writing() as writing:
            indices = append_purposes(writing, purposes, known=store_consents.purposes(writing.connection))
        self.log.checkpoint()
        return indices

    # People and consents

    def enrol(self, person: str, *, request_id: str | None = None) -> int:
        """Give a person a number, or return the one they have.

        Args:
            person: The external id (national identity code; staff: `staff:...`); never stored, only its keyed pseudonym.
            request_id: The caller's id of this request.

        Raises:
            BadRequestError: The id is empty, too long or holds control characters (exit 2).
        """
        [number] = consenting.enrol(self.log, [person], request=self.log.request(request_id))
        self.log.checkpoint()
        return number

    def enrol_many(self, people: Iterable[str]) -> list[int]:
        """The same for many people, a transaction per 1,000."""
        numbers: list[int] = []
        for batch in in_batches(people, consenting.BATCH):
            numbers += consenting.enrol(self.log, batch)
        self.log.checkpoint()
        return numbers

    def record_consent(
        self,
        person: str,
        purpose_id: str,
        status: ConsentStatus,
        *,
        language: str = "fi",
        given_by: GivenBy = GivenBy.DATA_SUBJECT,
        method: str = "recorded by staff",
        request_id: str | None = None,
        processing: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        representation: Representation | None = None,
        own_say: OwnSay | None = None,
        signed_on: date | None = None,
        majority: date | None = None,
        born: date | None = None,
    ) -> ConsentReceiptRef | TransitionRefused:
        """Record one consent event for the newest version of a purpose and its notice; enrols the person if need be.

        The arguments are those of `records.ConsentRequest`.

        Returns:
            Where it stands in the log; or, as a value, why it cannot follow the present state (nothing is written).

        Raises:
            UnknownPurpose: exit 2.
            BadRequestError: The notice has no text in this language, or an argument is malformed (2).
            RequestConflictError: The request id was used for something else (2).
        """
        request = ConsentRequest(
            person,
            purpose_id,
            status,
            language,
            given_by,
            method,
            request_id,
            None if processing is None else tuple(processing),
            None if categories is None else tuple(categories),
            representation,
            own_say,
            signed_on,
            majority,
            born,
        )
        return self.record(request)

    def record(self, request: ConsentRequest) -> ConsentReceiptRef | TransitionRefused:
        """The same, from a `records.ConsentRequest`."""
        return self.group.record(self.log, request)

    def record_consents(self, events: Iterable[ConsentRequest]) -> list[int]:
        """Record many events in order, a transaction per 1,000 and one checkpoint at the end; returns their indices.

        Raises:
            ImpossibleTransitionError: An event cannot follow the state before it; its batch is not written (exit 2).
            UnknownPurpose: exit 2.
            BadRequestError: exit 2.
        """
        indices: list[int] = []
        try:
            for batch in in_batches(events, consenting.BATCH):
                results = consenting.record(self.log, batch, first=len(indices))
                indices += [result.index for result in results if isinstance(result, ConsentReceiptRef)]
        finally:
            # What earlier batches recorded becomes durable also when a later one is refused.
            if indices:
                self.log.checkpoint()
        return indices

    # Rights

    def record_right(
        self,
        person: str,
        right: Right,
        *,
        ground: str,
        purposes: Collection[str] = (),
        processing: Collection[str] = (),
        categories: Collection[str] = (),
        answer: RightAnswer = RightAnswer.RECORDED,
        reason: str | None = None,
        corrects: int | None = None,
        request_id: str | None = None,
    ) -> int:
        """Record that a person exercised a right, and the answer; enrols the person if need be; returns the index.

        An objection or restriction that is not refused blocks permits for its scope from this transaction on, until it
        is withdrawn or lifted. A rectification that is not refused invalidates the consent that it corrects in the same
        transaction, where that is the person's newest word. For the arguments see `right_records.RightRequest`.

        Raises:
            UnknownPurpose: exit 2.
            BadRequestError: A refusal without a reason, a scope that names nothing known, an entry that is not theirs (2).
            RequestConflictError: The request id was used for something else (2).
        """
        asked = RightRequest(
            person, right, ground, tuple(purposes), tuple(processing), tuple(categories), answer, reason, corrects,
            request_id,
        )  # fmt: skip
        index = right_records.record(self.log, asked).index
        self.log.checkpoint()
        return index

    # The institution's acts, and acts of staff

    def append_institutional(
        self, kind: str, body: Mapping[str, Any], *, request_id: str | None = None
    ) -> int:
        """Append one act of the institution (policy, certificate, revocation, trust-root); returns its index.

        Raises:
            EntryFormatError: The kind or its body is not of version 1 (exit 2).
        """
        return acts.append_institutional(self.log, kind, body, request_id)

    def append_act(
        self,
        actor: str,
        act: str,
        *,
        object_digest: str,
        service: str | None,
        details: Mapping[str, JSON],
        request_id: str | None = None,
    ) -> int:
        """Append an act of a member of staff or board, e.g. a vote; public as a commitment only; returns its index.

        Args:
            actor: The actor's id; enrolled under the prefix `staff:`.
            act: What was done, a word such as `vote`.
            object_digest: `sha256:...` of what it was done to.
            service: Id of the service concerned.
            details: Named values, each committed to with its own salt, and erasable alone.
            request_id: The caller's id of this request.
        """
        return acts.append_act(
            self.log,
            actor,
            act,
            object_digest=object_digest,
            service=service,
            details=details,
            request_id=request_id,
        )

    # The log

    def checkpoint(self) -> Checkpoint:
        """Make everything committed durable, and return the checkpoint that covers it.

        Raises:
            RefusedToSignError: The log is not a continuation of the last external checkpoint (exit 3).
        """
        return self.log.checkpoint()

    # Uses

    def append_use(self, use: UseRequest) -> UseEntry:
        """Record a run, durably, before any of its output leaves.

        Permits of everyone used, selected or sampled are evaluated again: up to the run's state before the transaction that
        writes, and in it for what was appended since.

        Raises:
            ConsentChanged: Somebody used has no permission any more; nothing is written (exit 1).
            BadRequestError: Lengths differ, a number is unknown or named twice, a status is not one (2).
            RequestConflictError: The run id was used for another request (2).
        """
        index, replayed = use_recording.append(self.log, use)
        return UseEntry(index, self.log.checkpoint(), replayed)

    def purge_values(self, now: datetime | None = None) -> int:
        """Delete kept values whose purpose's retention time is over; returns how many."""
        count = erasure.purge(self.log, store_consents.epoch(now or self.log.now()))
        if count:
            self.reclaim()
        return count
