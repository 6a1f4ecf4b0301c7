"""The part of `consent.ledger.Ledger` that erases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from consent import erasure
from consent.erasure_decision import decide
from consent.erasure_journal import without_tombstone
from consent.errors import LedgerUnavailableError, UnknownPersonError
from consent.ledger_reader import LedgerReader
from consent.return_rule import readmitted, tombstone

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consent.records import ErasureReceipt
    from consent.vocabulary import RetentionClass


class LedgerErasure(LedgerReader):
    """The erasing methods of a ledger; opened as a `Ledger`."""

    def erase(
        self,
        person: str,
        *,
        ground: str,
        keep: Collection[RetentionClass] = (),
        kept_why: str | None = None,
        no_return: bool = False,
        dry_run: bool = False,
        request_id: str | None = None,
    ) -> ErasureReceipt:
        """Destroy what is kept of a person; everyone else's proofs, earlier and later, still verify.

        Args:
            person: The external id.
            ground: Legal ground, e.g. `eu-gdpr:A17-1-b`.
            keep: Classes kept by a recorded decision (GDPR 17(3)).
            kept_why: Why they are kept; asked for when something is.
            no_return: The person asked not to be asked again: a new consent is refused until `allow_return`. Else they may
                come back, as a new subject that nothing links to the erased one.
            dry_run: Only say what would be done, and what speaks for keeping something.
            request_id: The caller's id of this request.

        Raises:
            UnknownPersonError: Not on record (exit 2).
            BadRequestError: Something is kept without a reason, or the ground is empty (2).
            RequestConflictError: The request id was used for something else, or for somebody else (2).
        """
        decision = decide(ground, keep, kept_why, no_return=no_return)
        request = self.log.request(request_id)
        if dry_run:
            [done] = erasure.foresee(self.log, [person], decision)
        else:
            [done] = erasure.erase(
                self.log, self.home, [person], decision, None if request is None else [request]
            )
        if done is None:
            raise UnknownPersonError(
                "the person is not on record", "check the id; nothing is kept of unknown people"
            )
        if dry_run:
            return done
        self.log.checkpoint()
        return replace(done, bytes_freed=self.reclaim())

    def erase_many(
        self,
        people: Sequence[str],
        *,
        ground: str,
        keep: Collection[RetentionClass] = (),
        kept_why: str | None = None,
        no_return: bool = False,
        dry_run: bool = False,
        request_id: str | None = None,
    ) -> list[ErasureReceipt | None]:
        """The same for many people by one decision: up to 5,000 in a transaction, and their lines of the journal at once.

        A transaction is written whole or not at all. Where a call fails, call it again with the same list and request id:
        who was erased is answered with the first receipt, the others are erased then.

        Args:
            people: External ids, nobody twice.
            ground: As for `erase`, like the arguments that follow.
            keep: Classes kept.
            kept_why: Why they are kept.
            no_return: They asked not to be asked again.
            dry_run: Only say what would be done.
            request_id: The caller's id of this list: its places are recognised by it, not its people.

        Returns:
            Aligned with `people`; None for those who are not on record: nothing is kept of them.

        Raises:
            BadRequestError: Somebody is named twice, an id is none, or as for `erase` (exit 2).
            RequestConflictError: The request id was used for another list (2).
        """
        decision = decide(ground, keep, kept_why, no_return=no_return)
        if dry_run:
            return erasure.foresee(self.log, people, decision)
        erasure.check_list(self.log, people)
        done: list[ErasureReceipt | None] = []
        try:
            for first in range(0, len(people), erasure.BATCH):
                batch = people[first : first + erasure.BATCH]
                requests = erasure.requests_of(self.log, request_id, first, len(batch))
                done += erasure.erase(self.log, self.home, batch, decision, requests)
        finally:
            # What earlier transactions erased becomes durable also when a later one fails.
            if any(done):
                self.log.checkpoint()
        freed = any(done) and self.reclaim()
        return [None if each is None else replace(each, bytes_freed=freed) for each in done]

    def allow_return(self, person: str) -> bool:
        """Take back that a person is not to be asked again, because they themselves said so; nothing of it stays.

        Returns:
            Whether there was anything to take back.
        """
        key = self.log.pseudonym_key
        stone = tombstone(key, self.log.pseudonym(person))
        # Under the writers' lock, so that no erasure writes to the journal meanwhile.
        with self.log.store.write():
            return without_tombstone(self.home.erasure_journal, key, stone, partial(readmitted, key))

    def asked_not_to_return(self, person: str) -> bool:
        """Whether a person asked, when they were erased, not to be asked again."""
        return self.log.returns.forbids(self.log.pseudonym(person))

    def reclaim(self) -> bool:
        """Remove freed bytes from the database's files (VACUUM, then an empty write-ahead log).

        Returns:
            False when another process was in the way: the erasure stands, and this is to be called again.
        """
        try:
            return self.log.store.reclaim()
        except LedgerUnavailableError:
            return False

    def replay_erasures(self) -> int:
        """Erase again whoever the journal outside the database names and the database still holds; returns how many.

        Called by `open` for writing: after a crash in the middle of an erasure, or a restored backup. In a database
        older than its last checkpoint people are erased again too, but nothing is appended or signed.
        """
        done = erasure.replay(self.log, self.home)
        if done:
            if self.log.shrunk_from() is None:
                self.log.checkpoint()
            self.reclaim()
        return done
