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
