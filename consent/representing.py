"""Who answers for whom: a guardian, a representative, staff assisting, and the young person's own say (GDPR 8).

Pure rules over one request and what is on record. Facts about age are arguments and are stored nowhere: what remains
of them is only when a consent ends. Representation, own say and the date on a paper form are named details of the
payload, encrypted in the class detail, so they can be withheld from a receipt and erased alone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from consent.errors import BadRequestError
from consent.records import TransitionRefused
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consent.canonical import JSON
    from consent.records import ConsentRequest

AGE_OF_OWN_CONSENT = 13
"""Years: a child's own consent to a service offered directly to it (GDPR 8(1); Finland: Data Protection Act 1050/2018, 5)."""
AGE_OF_MAJORITY = 18
"""Years: Guardianship Services Act 442/1999, section 2."""
MAX_WORDS = 200
_REPRESENTING = frozenset({GivenBy.GUARDIAN, GivenBy.AUTHORISED_REPRESENTATIVE})
_OWN = frozenset({GivenBy.DATA_SUBJECT, GivenBy.STAFF_ASSISTED})
_NOES = frozenset({ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN})
_ANSWERS = _NOES | {ConsentStatus.GIVEN, ConsentStatus.RENEWED}

DETAIL_REPRESENTATION = "representation"
DETAIL_OWN_SAY = "own-say"
DETAIL_SIGNED_ON = "signed-on"


def birthday(born: date, years: int) -> date:
    """The day on which somebody reaches an age; born on 29 February, 1 March of a common year."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def majority_of(item: ConsentRequest) -> date | None:
    """The 18th birthday, as told or from the date of birth; None when neither was told."""
    if item.majority is not None or item.born is None:
        return item.majority
    return birthday(item.born, AGE_OF_MAJORITY)


def expiry(item: ConsentRequest, at: datetime, consent_days: int) -> datetime | None:
    """When a consent ends by itself: after its days, and a guardian's no later than the start of the day of majority."""
    if not item.status.permits:
        return None
    end = at + timedelta(days=consent_days)
    majority = majority_of(item)
    if item.given_by is not GivenBy.GUARDIAN or majority is None:
        return end
    return min(end, datetime.combine(majority, time(), UTC))


def details_of(item: ConsentRequest) -> dict[str, JSON]:
    """The named details of a request; empty for most."""
    details: dict[str, JSON] = {}
    if item.representation is not None:
        details[DETAIL_REPRESENTATION] = {
            "authority": item.representation.authority,
            "reference": item.representation.reference,
        }
    if item.own_say is not None:
        details[DETAIL_OWN_SAY] = item.own_say.value
    if item.signed_on is not None:
        details[DETAIL_SIGNED_ON] = item.signed_on.isoformat()
    return details


def check(item: ConsentRequest, today: date) -> None:
    """Refuse a request that no answer could make right.

    Raises:
        BadRequestError: A text is too long or not printable, a paper form is signed in the future, an own say stands
            beside the person's own answer, or the dates of birth and majority do not fit.
    """
    if item.representation is not None:
        for text in (item.representation.authority, item.representation.reference or "-"):
            if not text.strip() or len(text) > MAX_WORDS or not text.isprintable():
                raise BadRequestError(
                    f"what a representation rests on must be 1 to {MAX_WORDS} printable characters",
                    "e.g. `guardian per population register`, and the reference of the mandate; no names",
                )
    if item.signed_on is not None and item.signed_on > today:
        raise BadRequestError("the paper form is signed in the future", "give the date that stands on it")
    if item.own_say is not None and item.given_by not in _REPRESENTING:
        raise BadRequestError(
            "an own say stands beside the answer of a guardian or representative only",
            "the person's own answer is the answer: leave the own say out",
        )
    if item.born is not None and (
        item.born > today or item.majority not in (None, birthday(item.born, AGE_OF_MAJORITY))
    ):
        raise BadRequestError("the date of birth and the day of majority do not fit", "give one of them")


def refused_answer(
    item: ConsentRequest, current: ConsentStatus, at: datetime, own_no: ConsentStatus | None
) -> TransitionRefused | None:
    """Why a yes cannot be recorded for want of standing; None when it can. A no is always taken, from either.

    Args:
        item: The request.
        current: The state now.
        at: When it would be recorded.
        own_no: The young person's own refusal or withdrawal where it stands, else None.
    """
    if not item.status.permits:
        return None
    today = at.date()

    def no(code: str, reason: str) -> TransitionRefused:
        return TransitionRefused(current, item.status, reason, code)

    if item.given_by in _REPRESENTING and item.representation is None:
        return no(
            "no-authority",
            f"a yes by {item.given_by.value} needs what it rests on: record the authority and the mandate's reference",
        )
    if item.given_by in _OWN and item.born is not None and today < birthday(item.born, AGE_OF_OWN_CONSENT):
        return no(
            "under-age",
            f"the person is under {AGE_OF_OWN_CONSENT}: a guardian's consent is needed (GDPR 8; 1050/2018, 5)",
        )
    majority = majority_of(item)
    if item.given_by is GivenBy.GUARDIAN and majority is None:
        return no(
            "no-majority",
            "a guardian's yes ends when the young person comes of age: tell the day of majority or the date of birth "
            "(it is not stored); for an adult record an authorised representative",
        )
    if item.given_by is GivenBy.GUARDIAN and majority is not None and today >= majority:
        return no("of-age", "the person is of age: only their own answer counts")
    if item.own_say is OwnSay.OPPOSED:
        return no(
            "own-say-opposed", "the young person is opposed: a guardian's yes is not recorded against that"
        )
    if own_no is not None and item.own_say is not OwnSay.AGREED:
        return no(
            "own-no-stands",
            f"the young person's own answer ({own_no.value}) stands: a guardian's yes needs their agreement",
        )
    return None


def standing_own_no(words: Iterable[tuple[ConsentStatus, GivenBy, OwnSay | None]]) -> ConsentStatus | None:
    """The young person's own no, where it is their last word.

    Args:
        words: Status, who gave it and the own say beside it, of each event of one person and purpose, newest first.
    """
    for status, who, own_say in words:
        if own_say is OwnSay.AGREED:
            return None
        if who in _OWN and status in _ANSWERS:
            return status if status in _NOES else None
    return None
