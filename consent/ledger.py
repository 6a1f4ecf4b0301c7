"""The consent ledger: who agreed to what, and what was done with their data, over one append-only log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from consent.canonical import JSON
    from consent.home import Home
    from consent.records import (
        Checkpoint,
        ConsentReceiptRef,
        ConsentRecord,
        ConsentRequest,
        ErasureReceipt,
        Fault,
        Head,
        InstitutionalEntry,
        Permitted,
        Purpose,
        Refused,
        TransitionRefused,
    )
    from consent.uses import UseEntry, UseRequest, UseView
    from consent.vocabulary import ConsentStatus, RetentionClass

from consent.vocabulary import GivenBy


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Ledger:
    """One open ledger; a context manager.

    Every method that writes is durable when it returns: committed, and covered by a checkpoint kept outside the
    database. Every write takes an optional request id: a retry with the same id writes nothing and returns the first
    result. No message of any error holds an id, a name or a value of a person.

    Any method may raise `LedgerUnavailableError` (locked, read-only, gone; exit 4) or `LedgerDamagedError` (3). Writing
    methods may raise `RefusedToSignError` (3) when the log does not continue the last external checkpoint, and
    `ClockError` (4) when the clock contradicts the log; then nothing is written.
    """

    origin: str

    @classmethod
    def open(cls, home: Home, *, clock: Callable[[], datetime] = utc_now, read_only: bool = False) -> Self:
        """Open the ledger of a home.

        Args:
            home: From `open_home`.
            clock: What time it is, aware; for tests and simulations.
            read_only: Nothing will be written, not even a checkpoint; works on read-only media.

        Raises:
            LedgerMissingError: There is no database (exit 4).
            LedgerUnavailableError: It is locked or may not be read (4).
            LedgerDamagedError: It is truncated or not a ledger (3).
            LedgerVersionError: It was written by a newer luvalla (4).
            TrustRootError: The trust root is not the pinned one (3).
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release the database."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Purposes

    def purposes(self) -> tuple[Purpose, ...]:
        """The newest version of every purpose, by id."""
        raise NotImplementedError

    def purpose(self, purpose_id: str, version: int | None = None) -> Purpose:
        """One purpose, its newest version unless another is asked for.

        Raises:
            UnknownPurpose: Not on record; the hint names near matches (exit 2).
        """
        raise NotImplementedError

    def adopt_purposes(self, text: str) -> list[int]:
        """Record the purposes and notices of a purposes file (TOML text) that are new; returns the entries' indices.

        Raises:
            PurposesError: The text is not a purposes file, or changes a version that is on record (exit 2).
        """
        raise NotImplementedError

    # People and consents

    def enrol(self, person: str, *, request_id: str | None = None) -> int:
        """Give a person a number, or return the one they have.

        Args:
            person: The external id (national identity code; staff: `staff:...`); never stored, only its keyed pseudonym.

        Raises:
            BadRequestError: The id is empty, too long or holds control characters (exit 2).
        """
        raise NotImplementedError

    def enrol_many(self, people: Iterable[str]) -> list[int]:
        """The same for many people, a transaction per 1,000."""
        raise NotImplementedError

    def number_of(self, person: str) -> int | None:
        """The person's number; None when they are not on record."""
        raise NotImplementedError

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
    ) -> ConsentReceiptRef | TransitionRefused:
        """Record one consent event for the newest version of a purpose and its notice; enrols the person if need be.

        Returns:
            Where it stands in the log; or, as a value, why it cannot follow the present state (nothing is written).

        Raises:
            UnknownPurpose: exit 2.
            BadRequestError: The notice has no text in this language, or an argument is malformed (2).
            RequestConflictError: The request id was used for something else (2).
        """
        raise NotImplementedError

    def record_consents(self, events: Iterable[ConsentRequest]) -> list[int]:
        """Record many events in order, a transaction per 1,000 and one checkpoint at the end; returns their indices.

        Raises:
            ImpossibleTransitionError: An event cannot follow the state before it; its batch is not written (exit 2).
            UnknownPurpose: exit 2.
            BadRequestError: exit 2.
        """
        raise NotImplementedError

    def consents(self, person: str) -> list[ConsentRecord]:
        """One record per purpose that is on record, by id: the person's state now and its history."""
        raise NotImplementedError

    def permit(
        self,
        person: str,
        purpose_id: str,
        processing: str,
        *,
        at: datetime | None = None,
        as_of: int | None = None,
    ) -> Permitted | Refused:
        """Whether the person's data may be processed for a purpose.

        Args:
            at: The instant at which it must hold; now by default.
            as_of: Only events with a smaller index count (what was known at that size of the log); all by default.
        """
        raise NotImplementedError

    # The institution's acts, and acts of staff

    def append_institutional(
        self, kind: str, body: Mapping[str, Any], *, request_id: str | None = None
    ) -> int:
        """Append one act of the institution (policy, certificate, revocation, trust-root); returns its index.

        Raises:
            EntryFormatError: The kind or its body is not of version 1 (exit 2).
        """
        raise NotImplementedError

    def institutional(self, kind: str) -> list[InstitutionalEntry]:
        """Every entry of a kind, oldest first."""
        raise NotImplementedError

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
        """
        raise NotImplementedError

    # The log

    def checkpoint(self) -> Checkpoint:
        """Make everything committed durable, and return the checkpoint that covers it.

        Raises:
            RefusedToSignError: The log is not a continuation of the last external checkpoint (exit 3).
        """
        raise NotImplementedError

    def head(self) -> Head:
        """Size and root of the log, and the last checkpoint outside."""
        raise NotImplementedError

    def check(self) -> list[Fault]:
        """Recompute everything from the stored bytes; every fault, none when all is well."""
        raise NotImplementedError

    # Uses

    def append_use(self, use: UseRequest) -> UseEntry:
        """Record a run, durably, before any of its output leaves.

        Permits of everyone used, selected or sampled are evaluated again in the transaction that writes.

        Raises:
            ConsentChanged: Somebody used has no permission any more; nothing is written (exit 1).
            BadRequestError: Lengths differ, a number is unknown or named twice, a status is not one (2).
            RequestConflictError: The run id was used for another request (2).
        """
        raise NotImplementedError

    def uses(self, person: str) -> list[UseView]:
        """Every run in which the person was used or left out, oldest first; empty for an unknown person."""
        raise NotImplementedError

    def values(self, person: str, run: bytes) -> bytes | None:
        """The values that a run saw of the person; None when none are kept (any more)."""
        raise NotImplementedError

    def explanation(self, run: bytes) -> dict[str, Any] | None:
        """The run's public explanation document.

        Raises:
            UnknownRunError: exit 2.
        """
        raise NotImplementedError

    def purge_values(self, now: datetime | None = None) -> int:
        """Delete kept values whose purpose's retention time is over; returns how many."""
        raise NotImplementedError

    # Receipts

    def consent_receipt(self, person: str, which: int | str) -> dict[str, Any]:
        """A receipt of a consent that proves itself offline (`luvalla verify`).

        Args:
            which: Index of the consent's entry, or a purpose id (the newest event of that purpose).

        Raises:
            UnknownPersonError: The person, or such an entry of theirs, is not on record (exit 2).
            KeyMissingError: Its opening is erased or broken (3).
        """
        raise NotImplementedError

    def use_receipt(self, person: str, run: bytes) -> dict[str, Any]:
        """A receipt of what a run did with the person (also: nothing), shows nobody else.

        Raises:
            UnknownPersonError: Not on record, or enrolled after the run (exit 2).
            UnknownRunError: exit 2.
        """
        raise NotImplementedError

    # Erasure

    def erase(
        self,
        person: str,
        *,
        ground: str,
        keep: Collection[RetentionClass] = (),
        kept_why: str | None = None,
        dry_run: bool = False,
        request_id: str | None = None,
    ) -> ErasureReceipt:
        """Destroy what is kept of a person; everyone else's proofs, earlier and later, still verify.

        Args:
            ground: Legal ground, e.g. `eu-gdpr:A17-1-b`.
            keep: Classes kept by a recorded decision (GDPR 17(3)); then `kept_why` must say why.
            dry_run: Only say what would be done.

        Raises:
            UnknownPersonError: Not on record (exit 2).
            BadRequestError: Something is kept without a reason, or the ground is empty (2).
        """
        raise NotImplementedError
