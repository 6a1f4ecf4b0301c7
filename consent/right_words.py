"""Words in Finnish, Swedish and English for rights exercised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.receipt_words import data
from consent.words import pick, processing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.words import Texts

_RIGHT: Final[Mapping[str, Texts]] = {
    "access": {"fi": "Tarkastuspyyntö", "sv": "Begäran om insyn", "en": "Request for access"},
    "portability": {"fi": "Siirtopyyntö", "sv": "Begäran om överföring", "en": "Request for portability"},
    "rectification": {"fi": "Oikaisu", "sv": "Rättelse", "en": "Correction"},
    "restriction": {"fi": "Käsittelyn rajoitus", "sv": "Begränsning av behandling", "en": "Restriction"},
    "restriction-lifted": {
        "fi": "Rajoituksen poistaminen",
        "sv": "Upphävd begränsning",
        "en": "Restriction lifted",
    },
    "objection": {"fi": "Vastustus", "sv": "Invändning", "en": "Objection"},
    "objection-withdrawn": {
        "fi": "Vastustuksen peruminen",
        "sv": "Återkallad invändning",
        "en": "Objection withdrawn",
    },
    "erasure-refused": {"fi": "Poistosta kieltäytyminen", "sv": "Nekad radering", "en": "Erasure refused"},
}
_RIGHT_ANSWER: Final[Mapping[str, Texts]] = {
    "granted": {"fi": "hyväksytty", "sv": "beviljad", "en": "granted"},
    "refused": {"fi": "hylätty", "sv": "nekad", "en": "refused"},
    "recorded": {"fi": "kirjattu", "sv": "registrerad", "en": "recorded"},
}


_NONE: Final[Texts] = {
    "fi": "Oikeuksien käyttöä ei ole kirjattu.",
    "sv": "Inga utövade rättigheter har registrerats.",
    "en": "No right exercised is on record.",
}


def right(code: str, language: str) -> str:
    """Name a right, or its end."""
    return pick(_RIGHT[code], language)


def answer(code: str, language: str) -> str:
    """Name what was decided."""
    return pick(_RIGHT_ANSWER[code], language)


def none(language: str) -> str:
    """Say that no right was exercised."""
    return pick(_NONE, language)


def recorded(code: str, decided: str, index: int | None, language: str) -> str:
    """Say that a right was recorded, with its answer and the entry's index; without an index, that it would be."""
    if index is None:
        would = pick({"fi": "kirjattaisiin", "sv": "skulle registreras", "en": "would be recorded"}, language)
        return f"{right(code, language)}: {would}"
    entry = pick({"fi": "merkintä", "sv": "post", "en": "entry"}, language)
    return f"{right(code, language)}: {answer(decided, language)} ({entry} {index})"


def scope(
    purposes: Sequence[str],
    kinds: Sequence[str],
    categories: Sequence[str],
    language: str,
    titles: Mapping[str, str] | None = None,
) -> list[str]:
    """Say what a right is about, part by part; an empty list is about everything.

    Args:
        purposes: Ids of purposes.
        kinds: Words of `Processing`.
        categories: Terms of personal data.
        language: ``fi``, ``sv`` or ``en``.
        titles: Titles of purposes by id; without one the id stands.

    Returns:
        Words.
    """
    named = titles or {}
    return [
        *(named.get(each, each) for each in purposes),
        *(processing(each, language) for each in kinds),
        *(data(each, language) for each in categories),
    ]
