"""What can go wrong in this room: one root, a short message, a hint, an exit code; never personal data."""

from __future__ import annotations


class GovernanceError(Exception):
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


class GovernanceInputError(GovernanceError):
    """Wrong usage or input: the caller can mend it."""

    exit_code = 2


class GovernanceEvidenceError(GovernanceError):
    """Something that should prove itself does not."""

    exit_code = 3


class GovernanceUnavailableError(GovernanceError):
    """A file, database or service cannot be reached, is locked or read-only."""

    exit_code = 4


class PolicyError(GovernanceInputError):
    """A policy file cannot be read, or is not a policy."""


class UnknownProfile(GovernanceInputError):  # noqa: N818 (named for what is met, as UnknownService and UnknownPurpose)
    """The policy says nothing of this service."""


class BoardKeyError(GovernanceInputError):
    """A board key is missing, exists already, is no Ed25519 key, or belongs to no member."""


class RecusedMemberError(GovernanceInputError):
    """A member may not vote on this ballot: outside the term, or on their own work."""


class VoteFormError(GovernanceInputError):
    """A vote lacks what a vote must say: reasons, and where asked for, conditions and an expiry."""


class EnvelopeError(GovernanceEvidenceError):
    """A signed statement is not what it should be, or not in its one spelling."""


class NobodyConsented(GovernanceError):  # noqa: N818 (a no, named for what is met)
    """Not one person of a file said yes to what was asked: the answer is no."""

    exit_code = 1
