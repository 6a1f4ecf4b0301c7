"""Pure: whose consent still counts where the openings of later entries were lost in a restore.

A personal entry is a commitment that names nobody. Where its opening is lost, it may be anybody's withdrawal, so a
consent counts only if it stands after the last entry whose opening is lost (docs/decisions/ledger-loss.md).
"""

from __future__ import annotations

from consent.records import Permitted, Refused
from consent.vocabulary import UseStatus


def with_loss(decision: Permitted | Refused, last_lost: int) -> Permitted | Refused:
    """A permit, unless it rests on an event that is not later than what was lost; a refusal keeps its own reason.

    Args:
        decision: What consents and limitations say.
        last_lost: Index of the last entry whose opening is lost; -1 where none is.
    """
    if isinstance(decision, Refused) or decision.index > last_lost:
        return decision
    return Refused(UseStatus.RECORD_LOST, UseStatus.RECORD_LOST.reason)
