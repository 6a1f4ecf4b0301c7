"""Invented consents for the demo's real rows: seeded, and labelled as invented wherever they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

INVENTED = "The rows are real (published research data); the identities and consents attached to them are invented for this demo."

INVENTED_CONSENTS = "The consents of these people are invented for a demo."

_GIVEN, _REFUSED, _WITHDRAWN = ConsentStatus.GIVEN, ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN
# Shares are the demo's invention; nothing is known of how Helsinki's residents would answer.
DEVELOPMENT_SHARES = {(_GIVEN,): 0.94, (_REFUSED,): 0.04, (): 0.02}
OFFER_SHARES = {(_GIVEN,): 0.85, (_REFUSED,): 0.09, (_GIVEN, _WITHDRAWN): 0.04, (): 0.02}

_LANGUAGES = ("fi", "sv", "en")
_LANGUAGE_SHARES = (0.78, 0.06, 0.16)
"""Roughly Helsinki's mother tongues, all others counted with English."""


@dataclass(frozen=True)
class Answers:
    """What invented people answered to one purpose.

    Args:
        given: How many said yes and stayed with it.
        refused: How many said no.
        withdrawn: How many said yes and then changed their mind.
        silent: How many have not answered.
        events: The events to record, in order.
    """

    given: int
    refused: int
    withdrawn: int
    silent: int
    events: tuple[ConsentRequest, ...]


def answers(
    people: Sequence[str],
    purpose: str,
    shares: dict[tuple[ConsentStatus, ...], float],
    chance: np.random.Generator,
) -> Answers:
    """Draw what each person answers, independently of everything in their row.

    Args:
        people: Ids.
        purpose: Purpose id.
        shares: Share of people per sequence of events; sums to 1.
        chance: Draws.
    """
    kinds = list(shares)
    drawn = chance.choice(len(kinds), size=len(people), p=list(shares.values()))
    languages = chance.choice(_LANGUAGES, size=len(people), p=_LANGUAGE_SHARES)
    counts = {kind: int((drawn == place).sum()) for place, kind in enumerate(kinds)}
    return Answers(
        given=counts.get((_GIVEN,), 0),
        refused=counts.get((_REFUSED,), 0),
        withdrawn=counts.get((_GIVEN, _WITHDRAWN), 0),
        silent=counts.get((), 0),
        events=tuple(_events(people, purpose, [kinds[place] for place in drawn], languages.tolist())),
    )


def _events(
    people: Sequence[str], purpose: str, kinds: Sequence[tuple[ConsentStatus, ...]], languages: Sequence[str]
) -> Iterator[ConsentRequest]:
    for person, kind, language in zip(people, kinds, languages, strict=True):
        for status in kind:
            yield ConsentRequest(person, purpose, status, language=language, method="invented for the demo")
