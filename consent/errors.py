"""What can go wrong in this room: one root, a short message, a hint, an exit code; never personal data."""

from __future__ import annotations


class ConsentError(Exception):
    """Root of everything this room raises on purpose.

    Args:
        message: What was got and what was expected. Never personal data.
        hint: What to do now.

    Attributes:
        exit_code: What the command line exits with: 1 the answer is no, 2 wrong usage or input,
            3 evidence does not verify, 4 cannot be reached, locked or read-only, 70 a fault of luvalla.
    """

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConsentInputError(ConsentError):
    """Wrong usage or input: the caller can mend it."""

    exit_code = 2


class ConsentEvidenceError(ConsentError):
    """Something that should prove itself does not."""

    exit_code = 3


class ConsentUnavailableError(ConsentError):
    """A file, database or service cannot be reached, is locked or read-only."""

    exit_code = 4


class ProofRangeError(ConsentInputError):
    """A proof was asked for that cannot exist: an index or size outside the tree."""


class TreeDamagedError(ConsentEvidenceError):
    """Stored hashes of the log's tree are missing or have the wrong length."""


class NotCanonicalError(ConsentInputError):
    """A value or text is outside the canonical subset of docs/spec/ledger-v1.md."""


class EntryFormatError(ConsentInputError):
    """An entry, payload or receipt field does not have the form that its kind asks for."""


class KeyFileError(ConsentInputError):
    """A key, or the file that should hold it, is missing, exists already, is readable by others or is no key."""


class NoteError(ConsentEvidenceError):
    """A signed note, checkpoint or proof is malformed, or carries no valid signature of a known key."""


class TrustRootError(ConsentEvidenceError):
    """A trust root does not verify: wrong pin, broken chain, missing signatures, wrong form."""


class CheckpointConflictError(ConsentEvidenceError):
    """The checkpoint kept outside the database is not the one expected: somebody else wrote, or history shrank."""


class CheckpointStoreError(ConsentUnavailableError):
    """The checkpoint kept outside the database cannot be read, locked or written."""


class PublicationConflictError(ConsentEvidenceError):
    """The folder to publish in holds another log, a later or contradicting checkpoint, or a changed file."""


class PublicationError(ConsentUnavailableError):
    """The folder to publish in cannot be read or written."""


class LogContradictionError(ConsentEvidenceError):
    """A log signed two heads that cannot both be true, or shows an older one than before."""


class PublishedLogError(ConsentEvidenceError):
    """The files of a published log do not give the root that it signed."""


class MonitorStateError(ConsentEvidenceError):
    """What a monitor kept of a log is damaged."""


class PublishedLogUnavailableError(ConsentUnavailableError):
    """A published log cannot be fetched, or a file of it is missing or larger than any can be."""


class HomeMissing(ConsentInputError):  # noqa: N818 - the contract's word
    """There is no luvalla home at the given path."""


class HomeExistsError(ConsentInputError):
    """There is a home (or something else) already where one should be made."""


class ConfigurationError(ConsentInputError):
    """luvalla.toml is not what it should be."""


class PurposesError(ConsentInputError):
    """The text of the purposes file does not say what it must."""


class ReturnRefusedError(ConsentInputError):
    """A person who asked, when they were erased, not to be recorded again would be."""


class UnknownPurpose(ConsentInputError):  # noqa: N818 - the contract's word
    """No purpose, or no such version of it, is on record."""


class UnknownPersonError(ConsentInputError):
    """The person is not on record, or has no such entry."""


class UnknownRunError(ConsentInputError):
    """No such run is on record."""


class BadRequestError(ConsentInputError):
    """A request to the ledger is not well formed."""


class ImpossibleTransitionError(ConsentInputError):
    """An event of a bulk import cannot follow the state before it; `position` says which one.

    Attributes:
        position: Position of the event in the import, from 0; the events of earlier batches are written.
    """

    def __init__(self, message: str, hint: str, position: int) -> None:
        super().__init__(message, hint)
        self.position = position


class RequestConflictError(ConsentInputError):
    """A request id was used before, for another request."""


class ConsentChanged(ConsentError):  # noqa: N818 - the contract's word
    """People used by a run have lost permission since the run's state; nothing was written.

    Attributes:
        numbers: Their numbers.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str, numbers: tuple[int, ...]) -> None:
        super().__init__(message, hint)
        self.numbers = numbers


class LedgerMissingError(ConsentUnavailableError):
    """The ledger's database is not where it should be."""


class LedgerNotDurableError(ConsentUnavailableError):
    """The database's server may lose what it said was written, and is not marked as one for development."""


class LedgerUnavailableError(ConsentUnavailableError):
    """The ledger's database is locked, read-only, or cannot be opened or written."""


class LedgerVersionError(ConsentUnavailableError):
    """The ledger was written by a newer luvalla, or is in need of a migration."""


class LedgerDamagedError(ConsentEvidenceError):
    """The ledger's database is truncated, not a database, or does not say what its own log says."""


class RefusedToSignError(ConsentEvidenceError):
    """The log is not a continuation of the last checkpoint kept outside the database."""


class RefillRefusedError(ConsentEvidenceError):
    """The published log does not continue what the ledger holds and has signed, or lacks nothing of it."""


class SignerUnavailableError(ConsentUnavailableError):
    """The signer process cannot be reached, is too slow, failed, or does not speak its protocol."""


class FoundingUnfinishedError(ConsentUnavailableError):
    """A home with a signer process is ready but for its first checkpoint or its name; the same call finishes it."""


class SignerStateError(ConsentEvidenceError):
    """What a signer remembers of its log is gone, or is not signed by its key."""


class WitnessesMissingError(ConsentUnavailableError):
    """Fewer witnesses than the trust root asks for have cosigned the checkpoint; nothing is released until they have."""


class ClockError(ConsentUnavailableError):
    """The clock contradicts the log: behind its last entry, or far ahead of it."""


class RunPeopleLostError(ConsentEvidenceError):
    """The run is on record, and its list of people is lost: it cannot be said whether it used somebody."""


class KeyMissingError(ConsentEvidenceError):
    """A key or an opening that should be there is not, or does not open what it should."""
