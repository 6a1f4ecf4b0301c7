"""Pure: whether one person's data may be processed for a purpose; unknown is no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.records import Permitted, Refused
from consent.vocabulary import ConsentStatus, Processing, UseStatus, processing_mask

if TYPE_CHECKING:
    from consent.records import Purpose
    from consent.state import ConsentState

_REFUSING = {
    ConsentStatus.UNKNOWN: UseStatus.NO_CONSENT,
    ConsentStatus.REFUSED: UseStatus.REFUSED,
    ConsentStatus.WITHDRAWN: UseStatus.WITHDRAWN,
    ConsentStatus.EXPIRED: UseStatus.EXPIRED,
    ConsentStatus.REQUESTED: UseStatus.ONLY_REQUESTED,
    ConsentStatus.REVOKED: UseStatus.REVOKED,
    ConsentStatus.INVALIDATED: UseStatus.REVOKED,
}
REFUSAL_BY_CODE = {status.code: use for status, use in _REFUSING.items()}
"""The same by database code, for many people at once."""


def permit(state: ConsentState, purpose: Purpose, processing: Processing) -> Permitted | Refused:
    """Decide for one person.

    Args:
        state: The person's state for this purpose at the instant asked about.
        purpose: The purpose, in the version that a run would process for.
        processing: What the run would do.

    Returns:
        Permitted only for a consent in force, for exactly this version of purpose and notice, that covers the processing.
    """
    if not state.status.permits or state.event is None:
        return _refused(_REFUSING.get(state.status, UseStatus.NO_CONSENT))
    event = state.event
    if event.purpose_version != purpose.version or event.notice_version != purpose.notice.version:
        return _refused(UseStatus.OTHER_VERSION)
    if not event.processing & processing_mask(purpose.processing) & processing.bit:
        return _refused(UseStatus.NOT_COVERED)
    return Permitted(event.index, event.expires)


def _refused(status: UseStatus) -> Refused:
    return Refused(status, status.reason)
