"""What an open ledger answers: the half of `consent.ledger.Ledger` that writes nothing but a missing checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consent import (
    acts,
    fsck,
    lost_runs,
    publication,
    reading,
    receipt,
    right_records,
    store_consents,
    store_log,
    store_lost,
    use_reading,
)
from consent.purposing import find, newest
from consent.records import Head
from consent.tlog.merkle import root_at

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from consent.home import Home
    from consent.limits import Limitation
    from consent.log import Log
    from consent.lost_runs import LostRun
    from consent.records import ConsentRecord, Fault, InstitutionalEntry, Permitted, Purpose, Refused
    from consent.right_records import RightRecord
    from consent.tlog.publish import Published
    from consent.uses import UseView


class LedgerReader:
    """The reading methods of a ledger; opened as a `Ledger`.

    Args:
        home: Where it lives.
        log: Its open log.

    Attributes:
        origin: The log's name.
        warnings: What the operator must know of the database as it was found: read-only media, a standby server, one
            that may lose what it confirms. A sentence each; the command line prints them.
    """

    def __init__(self, home: Home, log: Log) -> None:
        self.home = home
        self.log = log
        self.origin = log.origin
        self.warnings = log.store.warnings

    def purposes(self, *, at: datetime | None = None, as_of: int | None = None) -> tuple[Purpose, ...]:
        """The newest version of every purpose, by id; of those on record at an instant or an index, where given."""
        reading.check_aware(at)
        known_at = None if at is None else store_consents.epoch(at)
        with self.log.store.read() as connection:
            return tuple(newest(store_consents.purposes(connection, size=as_of, at=known_at)).values())

    def every_purpose(self) -> dict[tuple[str, int], Purpose]:
        """Every version of every purpose, by id and version."""
        with self.log.store.read() as connection:
            return store_consents.purposes(connection)

    def purpose(self, purpose_id: str, version: int | None = None) -> Purpose:
        """One purpose, its newest version unless another is asked for.

        Raises:
            UnknownPurpose: Not on record; the hint names near matches (exit 2).
        """
        with self.log.store.read() as connection:
            return find(store_consents.purposes(connection), purpose_id, version)

    def number_of(self, person: str) -> int | None:
        """The person's number; None when they are not on record."""
        with self.log.store.read() as connection:
            found = reading.person_of(self.log, connection, person)
        return None if found is None else found.number

    def consents(
        self, person: str, *, at: datetime | None = None, as_of: int | None = None
    ) -> list[ConsentRecord]:
        """One record per purpose that is on record, by id: the person's state and its history.

        Args:
            person: The external id.
            at: The instant asked about; only what was recorded by then counts. Now by default.
            as_of: Only entries with a smaller index count: what the ledger knew at that size.

        Raises:
            BadRequestError: The instant has no time zone (exit 2).
        """
        return reading.consents(self.log, person, at=at, as_of=as_of)

    def limitations(
        self, person: str, *, at: datetime | None = None, as_of: int | None = None
    ) -> list[Limitation]:
        """The person's objections, restrictions and their ends, oldest first; arguments as of `consents`."""
        return reading.limitations(self.log, person, at=at, as_of=as_of)

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
            person: The external id.
            purpose_id: Its newest version, of those known then, is what a run would process for.
            processing: A word of `Processing`.
            at: The instant at which it must hold; now by default. Only what was recorded by then counts.
            as_of: Only entries with a smaller index count (what was known at that size of the log); all by default.
        """
        return reading.permitted(self.log, person, purpose_id, processing, at=at, as_of=as_of)

    def institutional(self, kind: str) -> list[InstitutionalEntry]:
        """Every entry of a kind, oldest first."""
        return reading.institutional(self.log, kind)

    def acts_of(self, actor: str) -> list[acts.Act]:
        """Every act of a member of staff or board, oldest first; none for someone unknown.

        Args:
            actor: The actor's id, as in `append_act`.

        Raises:
            KeyMissingError: An act's opening is erased or broken (exit 3).
        """
        return acts.acts_of(self.log, actor)

    def head(self) -> Head:
        """Size and root of the log, and the last checkpoint outside."""
        with self.log.store.read() as connection:
            size = store_log.log_end(connection).size
            root = root_at(store_log.SqlHashes(connection), size)
        return Head(size, root, self.log.last_checkpoint())

    def check(self) -> list[Fault]:
        """Recompute everything from the stored bytes; every fault, none when all is well."""
        return fsck.check(self.log, self.home)

    def publish(self, folder: Path, *, dry_run: bool = False, new_only: bool = False) -> Published:
        """Write the log as files up to the last external checkpoint (C2SP tlog-tiles); they hold no personal data.

        Args:
            folder: Made when missing; one publisher at a time.
            dry_run: Only say what would be written.
            new_only: Hash and compare only what the folder's checkpoint does not cover.

        Raises:
            PublicationConflictError: The folder holds another log or one that this ledger contradicts (exit 3).
            PublicationError: It cannot be read or written, or somebody else publishes in it; what was published before
                still stands (4).
            RefusedToSignError: The log does not continue its last checkpoint (3).
            TreeDamagedError: Its entries do not give the signed root (3).
        """
        return publication.publish_log(self.log, self.home, folder, dry_run=dry_run, new_only=new_only)

    def prove(self, index: int) -> str:
        """The proof that an entry is in the log (C2SP tlog-proof v1), under a checkpoint that covers it.

        Raises:
            BadRequestError: The log has no such entry (exit 2).
        """
        return publication.prove_entry(self.log, index)

    def lost_openings(self) -> int:
        """How many entries about people have lost their openings in a restore (`luvalla ledger refill`)."""
        with self.log.store.read() as connection:
            return store_lost.count(connection)

    def rights_of(self, person: str) -> list[RightRecord]:
        """Every right that the person exercised, oldest first; empty for an unknown person.

        Raises:
            KeyMissingError: An opening is erased or broken (exit 3).
        """
        return right_records.records_of(self.log, person)

    def uses(self, person: str, *, at: datetime | None = None, as_of: int | None = None) -> list[UseView]:
        """Every run in which the person was used or left out, oldest first; empty for an unknown person.

        Runs of which that cannot be said any more are in `lost_runs`.

        With `at` or `as_of` only those recorded by that instant, or in entries before that index.
        """
        reading.check_aware(at)
        return [
            view
            for view in use_reading.uses(self.log, person)
            if (at is None or view.at <= at) and (as_of is None or view.index < as_of)
        ]

    def lost_runs(self, *, at: datetime | None = None, as_of: int | None = None) -> list[LostRun]:
        """Every run whose list of people was lost in a restore, oldest first: nobody can say whether it used a person.

        With `at` or `as_of` only those recorded by that instant, or in entries before that index.
        """
        reading.check_aware(at)
        return [
            each
            for each in lost_runs.lost_runs(self.log)
            if (at is None or each.at <= at) and (as_of is None or each.index < as_of)
        ]

    def values(self, person: str, run: bytes) -> bytes | None:
        """The values that a run saw of the person; None when none are kept (any more)."""
        return use_reading.values(self.log, person, run)

    def explanation(self, run: bytes) -> dict[str, Any] | None:
        """The run's public explanation document.

        Raises:
            UnknownRunError: exit 2.
        """
        return use_reading.explanation(self.log, run)

    def consent_receipt(self, person: str, which: int | str) -> dict[str, Any]:
        """A receipt of a consent that proves itself offline (`luvalla verify`).

        Args:
            person: The external id.
            which: Index of the consent's entry, or a purpose id (the newest event of that purpose).

        Raises:
            UnknownPersonError: The person, or such an entry of theirs, is not on record (exit 2).
            KeyMissingError: Its opening is erased or broken (3).
        """
        return receipt.consent_receipt(self.log, person, which)

    def use_receipt(self, person: str, run: bytes) -> dict[str, Any]:
        """A receipt of what a run did with the person (also: nothing), shows nobody else.

        Raises:
            UnknownPersonError: Not on record, or enrolled after the run (exit 2).
            UnknownRunError: exit 2.
        """
        return receipt.use_receipt(self.log, person, run)
