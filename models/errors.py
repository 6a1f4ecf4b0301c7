"""What can go wrong in this room: one root, a short message, a hint, an exit code; never personal data."""

from __future__ import annotations


class ModelsError(Exception):
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


class ModelsInputError(ModelsError):
    """Wrong usage or input: the caller can mend it."""

    exit_code = 2


class ModelsEvidenceError(ModelsError):
    """Something that should prove itself does not."""

    exit_code = 3


class ModelsUnavailableError(ModelsError):
    """A file, database or service cannot be reached, is locked or read-only."""

    exit_code = 4


class UnknownServiceError(ModelsInputError):
    """No service of that id is installed."""


class UnknownRecipeError(ModelsInputError):
    """The service has no recipe of that name."""


class UnknownVersionError(ModelsInputError):
    """The registry has no such model or version."""


class PopulationRefusedError(ModelsInputError):
    """A population file that cannot be checked row by row: empty, a column missing, a type wrong throughout."""


class PopulationUnreadableError(ModelsUnavailableError):
    """A population file that is not there or may not be read."""


class TrainingRefusedError(ModelsInputError):
    """The rows are not enough to train on, or of one class only."""


class MitigationFailedError(ModelsError):
    """The reduction left no member that one deterministic model can be made of."""

    exit_code = 2


class ArtifactRefusedError(ModelsEvidenceError):
    """A model artifact that is not what it should be: links, foreign types, changed bytes."""


class ExplanationRefusedError(ModelsEvidenceError):
    """The explanation does not add up to what the model says."""


class RegistryUnavailableError(ModelsUnavailableError):
    """The MLflow server or its database cannot be reached, is locked or read-only."""


class AliasRefusedError(ModelsError):
    """A governed registry said no to moving an alias."""

    exit_code = 1
