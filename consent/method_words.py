"""How an answer came, in the reader's language: the words that luvalla itself writes, and the usual ones of a service desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.words import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.words import Texts

_METHODS: Final[Mapping[str, Texts]] = {
    "citizen API": {
        "fi": "itse, kirjautuneena kaupungin sähköiseen palveluun",
        "sv": "själv, inloggad i stadens e-tjänst",
        "en": "by oneself, logged in to the city's online service",
    },
    "online form": {"fi": "verkkolomake", "sv": "blankett på nätet", "en": "online form"},
    "paper form": {"fi": "paperilomake", "sv": "pappersblankett", "en": "paper form"},
    "recorded by staff": {
        "fi": "työntekijän kirjaama",
        "sv": "registrerat av personalen",
        "en": "recorded by staff",
    },
    "service point": {"fi": "palvelupiste", "sv": "servicepunkt", "en": "service point"},
    "telephone": {"fi": "puhelimitse", "sv": "per telefon", "en": "by telephone"},
}
KNOWN: Final = tuple(sorted(_METHODS))
"""The methods that are shown in each language; another is shown as it was recorded, since it is the city's own text."""


def method(recorded: str, language: str) -> str:
    """Say how an answer came.

    Args:
        recorded: The method as it stands in the log.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        Words in that language for one of `KNOWN`, else what was recorded.
    """
    return pick(_METHODS[recorded], language) if recorded in _METHODS else recorded
