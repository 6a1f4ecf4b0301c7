"""Typed entries over the log: one transaction per append, and the protocol that makes it durable.

Durable means covered by a checkpoint kept outside the database (shared/design.md, "Durable"):
  1. commit entries, openings, full tiles and projections in one transaction;
  2. rebuild the root at the size of the last external checkpoint and compare: a restored or rewritten database differs;
  3. sign the head;
  4. compare-and-swap the external store (write, fsync, rename, fsync of the folder);
  5. ask the witnesses, and keep their cosignatures with the checkpoint (consent/witnessing.py);
  6. only then return, so only then may a receipt or an output leave.
A failure after 1 leaves entries that are committed and not yet signed: the next checkpoint covers them, and a retry
with the same request id finds them. Repair goes forward only.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from consent import store_log
from consent.errors import (
    CheckpointConflictError,
    ClockError,
    RefusedToSignError,
    WitnessesMissingError,
)
from consent.pseudonym import keyed_digest, pseudonym
from consent.repeated import check_same
from consent.tlog.checkpoint import Checkpoint, TreeHead, open_checkpoint
from consent.tlog.cosignature import cosigned, with_cosignatures
from consent.tlog.merkle import consistency_proof, load_edge, root_at
from consent.tlog.note import Note
from consent.witnessing import NO_WITNESSES, Witnesses, collect
from consent.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from consent.key_ring import RingKeys
    from consent.keys import Vault
    from consent.return_rule import ReturnRule
    from consent.signing import CheckpointSigner
    from consent.store import Store
    from consent.tlog.external import RelyingStore
    from consent.trust import TrustRoot

CLOCK_BEHIND = timedelta(seconds=5)
"""A clock further behind the last entry stops appending (design, "Durable"); within it, the last entry's time is used."""
CLOCK_AHEAD = timedelta(days=400)
"""A clock further ahead of the last entry stops appending: a house in use writes at least once a year and a bit."""
ATTEMPTS = 20
"""How often a checkpoint is tried again when other writers sign in between; each attempt means somebody else succeeded."""

_RESTORED = (
    "the database was restored from an older copy or rewritten: put the newer database back; "
    "never delete the checkpoint to get past this"
)


@dataclass
class Log:
    """One open log.

    Attributes:
        origin: The log's name.
        store: The database.
        vault: Wraps and opens people's keys.
        pseudonym_key: 32 bytes.
        clock: What time it is.
        external: Where the last checkpoint is kept.
        trust: Whose signatures count.
        signer: Who signs its checkpoints.
        clock_confirmed: An operator says that a clock far ahead is right.
        witnesses: Whom to ask for cosignatures.
        returns: Who asked, when they were erased, not to be asked again.
        keks: The key-encryption keys and their dates.
    """

    origin: str
    store: Store
    vault: Vault
    pseudonym_key: bytes
    clock: Callable[[], datetime]
    external: RelyingStore
    trust: TrustRoot
    returns: ReturnRule
    keks: RingKeys
    signer: CheckpointSigner
    clock_confirmed: bool = False
    witnesses: Witnesses = NO_WITNESSES
    _verified: tuple[bytes, Checkpoint] | None = None

    def pseudonym(self, person: str) -> bytes:
        """The keyed pseudonym of an external id."""
        return pseudonym(self.pseudonym_key, person)

    def request(self, request_id: str | None) -> bytes | None:
        """The caller's request id as it is stored; it might hold personal data, so only a keyed digest is."""
        return (
            None
            if request_id is None
            else keyed_digest(self.pseudonym_key, b"request", request_id.encode("utf-8", "surrogatepass"))
        )

    def fingerprint(self, *parts: bytes) -> bytes:
        """What a request asked for, to be recognised and not to be read."""
        return keyed_digest(self.pseudonym_key, b"asked", *parts)

    def now(self) -> datetime:
        """The present second, UTC."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def answered(self, connection: Connection, request: bytes | None, fingerprint: bytes) -> int | None:
        """The entry that the same request made before; None when it is new.

        Raises:
            RequestConflictError: The request id was used for something else.
        """
        if request is None:
            return None
        earlier = store_log.answered(connection, [request]).get(request)
        if earlier is None:
            return None
        check_same(self.vault, connection, earlier, fingerprint)
        return earlier.idx

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction of appends; nothing is written when the block ends with an exception.

        Raises:
            RefusedToSignError: The log is shorter than the last external checkpoint, or does not continue what its
                signer process signed.
            SignerUnavailableError: The signer process does not answer.
            ClockError: The clock contradicts the log.
            LedgerUnavailableError: Locked, read-only or full.
        """
        with self.store.write() as connection:
            # Under the writers' lock: a rotation lists its new key under the same.
            self.vault.refresh()
            end = store_log.log_end(connection)
            self._check_not_shrunk(end.size)
            hashes = store_log.SqlHashes(connection)
            self.signer.ready(
                end.size, self.trust.log_vkeys(end.size + 1), lambda size: root_at(hashes, size)
            )
            at = self._time_of_append(end.last_at)
            # Read anew each time: an edge kept from the last append would be another tree's in a database that was
            # put in the place of this one.
            edge = load_edge(hashes, end.size)
            writing = Writing(connection, self.origin, self.vault, edge, at, self.pseudonym_key)
            yield writing
            writing.flush()

    def checkpoint(self, *, first: bool = False) -> Checkpoint:
        """Make everything committed durable; see the module.

        Args:
            first: Only at set-up: there is no external checkpoint yet.

        Raises:
            RefusedToSignError: The log does not continue the last external checkpoint, or that is missing.
            SignerUnavailableError: The signer process gave no answer; it may have signed, a retry gets the same.
            CheckpointStoreError: The external store failed; it may have been written, a retry finds out.
            WitnessesMissingError: Too few witnesses have cosigned it; a retry asks them again.
        """
        for _ in range(ATTEMPTS):
            signed, before = self._signed(first=first)
            try:
                return self._witnessed(signed, before)
            except CheckpointConflictError:
                continue
        raise RefusedToSignError(
            f"the external checkpoint changed {ATTEMPTS} times while witnesses were being asked",
            "try again when fewer write",
        )

    def _signed(self, *, first: bool) -> tuple[Checkpoint, int]:
        """Steps 2 to 4; the checkpoint, and the size of the one before it (its own where it is not new)."""
        wanted: int | None = None
        for _ in range(ATTEMPTS):
            raw = self.external.read()
            last = self._last(raw, first=first)
            head = self._continuing_head(last)
            # What was committed when this began. Somebody quicker may have signed it meanwhile: with many writers the
            # head moves on for ever, and each of them would run after it.
            wanted = head.size if wanted is None else wanted
            if last is not None and raw is not None and last.size >= wanted:
                # Whoever wrote it may have failed, or been killed, before it was on disk.
                self.external.rely_on(raw)
                return last, last.size
            try:
                signed = self.signer.sign(
                    head,
                    0 if last is None else last.size,
                    self.trust.log_vkeys(head.size),
                    prove=self._prove,
                    present=self._present,
                )
                self.external.replace(raw, signed.note.encode())
            except CheckpointConflictError:
                continue
            self._verified = (signed.note.encode(), signed)
            return signed, last.size if last is not None else 0
        raise RefusedToSignError(
            f"the external checkpoint changed {ATTEMPTS} times while one was being signed",
            "try again when fewer write",
        )

    def _witnessed(self, signed: Checkpoint, before: int) -> Checkpoint:
        """Step 5: ask the witnesses for a new checkpoint, and for one that has too few cosignatures."""
        rule = self.trust.witnesses
        missing = self.missing_witnesses(signed)
        if not missing and (before == signed.size or not rule.keys):
            return signed
        note = Note.parse(signed.note.encode())
        collected = collect(
            self.witnesses, note, signed.head, before, rule.keys, prove=self._prove, newest=self._newest
        )
        more = with_cosignatures(note, collected.signatures)
        if more != note:
            self.external.replace(note.encode(), more.encode())
            signed = Checkpoint(signed.head, more.encode().decode())
            self._verified = (more.encode(), signed)
            missing = self.missing_witnesses(signed)
        if missing:
            raise too_few(missing, rule.needed(signed.size), collected.failures)
        return signed

    def missing_witnesses(self, checkpoint: Checkpoint) -> int:
        """How many cosignatures the checkpoint lacks of those that the trust root asks for.

        Raises:
            NoteError: A line of a witness does not verify.
        """
        rule = self.trust.witnesses
        found = cosigned(Note.parse(checkpoint.note.encode()), rule.keys)
        return max(0, rule.needed(checkpoint.size) - len(found))

    def adopt(self, trust: TrustRoot) -> None:
        """Go on under a newer version of the trust root; the key is read again."""
        self.trust, self._verified = trust, None

    def _prove(self, old: int, size: int) -> list[bytes]:
        with self.store.read() as connection:
            return consistency_proof(store_log.SqlHashes(connection), old, size)

    def _present(self) -> int:
        with self.store.read() as connection:
            return store_log.log_end(connection).size

    def _newest(self) -> int:
        raw = self.external.read()
        return 0 if raw is None else self._opened(raw).size

    def last_checkpoint(self) -> Checkpoint | None:
        """The external checkpoint, verified; None when there is none.

        Raises:
            NoteError: It is not one of this log's.
        """
        raw = self.external.read()
        return None if raw is None else self._opened(raw)

    def shrunk_from(self) -> int | None:
        """The size of the external checkpoint where that is larger than the log; None when all is well.

        Raises:
            NoteError: The external checkpoint is not one of this log's.
        """
        last = self.last_checkpoint()
        with self.store.read() as connection:
            size = store_log.log_end(connection).size
        return last.size if last is not None and last.size > size else None

    def covering(self, index: int) -> Checkpoint:
        """A checkpoint that covers an entry: the last one, or a new one where the log may be written.

        Raises:
            RefusedToSignError: None covers it, and none may be made.
            WitnessesMissingError: It has too few cosignatures, and they cannot be had now.
        """
        raw = self.external.read()
        last = None if raw is None else self._opened(raw)
        if raw is not None and last is not None and last.size > index:
            with self.store.read() as connection:
                self._check_size(store_log.log_end(connection).size, last.size)
                self._compare(connection, last.size, last.root)
            missing = self.missing_witnesses(last)
            if not missing:
                self.external.rely_on(raw)
                return last
            if self.store.read_only:
                raise too_few(missing, self.trust.witnesses.needed(last.size), ())
        if self.store.read_only:
            raise RefusedToSignError("no checkpoint covers the entry yet", "run `luvalla ledger checkpoint`")
        return self.checkpoint()

    def _last(self, raw: bytes | None, *, first: bool) -> Checkpoint | None:
        if raw is not None:
            return self._opened(raw)
        if not first:
            raise RefusedToSignError(
                "the checkpoint kept outside the database is missing",
                "restore the file `checkpoint` from its copy",
            )
        return None

    def _opened(self, raw: bytes) -> Checkpoint:
        known = self._verified
        if known is None or known[0] != raw:
            known = (raw, open_checkpoint(raw, self.origin, self.trust.log_vkeys))
            self._verified = known
        return known[1]

    def _continuing_head(self, last: Checkpoint | None) -> TreeHead:
        with self.store.read() as connection:
            size = store_log.log_end(connection).size
            if last is not None:
                self._check_size(size, last.head.size)
                self._compare(connection, last.head.size, last.head.root)
                if last.head.size == size:
                    return last.head
            return TreeHead(self.origin, size, root_at(store_log.SqlHashes(connection), size))

    def _check_not_shrunk(self, size: int) -> None:
        raw = self.external.read()
        if raw is not None:
            self._check_size(size, self._opened(raw).head.size)
        elif size:
            self._last(None, first=False)

    def _check_size(self, size: int, signed: int) -> None:
        if signed > size:
            raise RefusedToSignError(
                f"the log has {size} entries, the checkpoint kept outside the database covers {signed}",
                _RESTORED,
            )

    def _compare(self, connection: Connection, size: int, root: bytes) -> None:
        if root_at(store_log.SqlHashes(connection), size) != root:
            raise RefusedToSignError(
                f"the first {size} entries do not have the root that was signed for them", _RESTORED
            )

    def _time_of_append(self, last_at: int) -> datetime:
        now = self.now()
        if not last_at:
            return now
        last = datetime.fromtimestamp(last_at, UTC)
        if last - now > CLOCK_BEHIND:
            raise ClockError(
                f"the clock is {int((last - now).total_seconds())} s behind the last entry, at most "
                f"{int(CLOCK_BEHIND.total_seconds())} s are allowed",
                "set the clock; if the last entry's time is wrong, wait until the clock has passed it",
            )
        if now - last > CLOCK_AHEAD and not self.clock_confirmed:
            raise ClockError(
                f"the clock is {(now - last).days} days ahead of the last entry, at most {CLOCK_AHEAD.days} are believed",
                "set the clock; if it is right, run `luvalla ledger confirm-clock`",
            )
        return max(now, last)


def too_few(missing: int, needed: int, failures: Sequence[str]) -> WitnessesMissingError:
    """The error for a checkpoint that too few witnesses have cosigned."""
    reasons = f" ({'; '.join(failures)})" if failures else ""
    return WitnessesMissingError(
        f"{needed - missing} of the {needed} witnesses that the trust root asks for have cosigned the checkpoint{reasons}",
        "what was recorded stays recorded, and nothing is released: call the same again, or run `luvalla ledger "
        "checkpoint`; the addresses of the witnesses are `witnesses` in [consent] of luvalla.toml",
    )
