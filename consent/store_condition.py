"""In what condition a database was found when it was opened: what cannot be done with it, and what to warn of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """What the operator must know before anything is asked.

    Attributes:
        read_only: Nothing can be written to it, whoever asks.
        warnings: A sentence each, without personal data.
    """

    read_only: bool = False
    warnings: tuple[str, ...] = ()


SOUND = Condition()
