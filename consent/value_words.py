"""A value that a run used, as its reader is shown it: in the words that the run's explanation declares, else as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from consent.words import Texts, pick

_NONE: Final[Texts] = {"fi": "ei tietoa", "sv": "uppgift saknas", "en": "no value"}
_CODE: Final[Texts] = {
    "fi": "rekisterin koodi {code}",
    "sv": "registrets kod {code}",
    "en": "the register's code {code}",
}
_YES: Final[Texts] = {"fi": "kyllä", "sv": "ja", "en": "yes"}
_NO: Final[Texts] = {"fi": "ei", "sv": "nej", "en": "no"}
AS_KEPT: Final[Texts] = {
    "fi": "Arvo on kerrottu sanoin, jos palvelu on antanut sille sanat, ja muuten niin kuin se on rekisterissä, josta se "
    "luettiin. Luku voi silloin olla rekisterin koodi. Kysy kaupungilta, jos et tiedä, mitä se tarkoittaa.",
    "sv": "Ett värde står i ord om tjänsten har gett ord för det, annars så som det står i registret som det lästes ur. Ett tal "
    "kan då vara registrets kod. Fråga staden om du inte vet vad det betyder.",
    "en": "A value stands in words where the service has given words for it, and else as it is in the register from which it was "
    "read. A number may then be the register's code. Ask the city if you do not know what it means.",
}


def in_words(value: float | str | None, declared: object, language: str) -> str:
    """Say a value of one feature.

    Args:
        value: The value the run used; None when there was none.
        declared: What the explanation's ``value_texts`` has for the feature: for each code (a whole number without a point,
            ``true`` or ``false``, a text as it is) its words per language. Anything else than such an object declares nothing.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        The declared words; of a feature with declared codes, a value that is not among them as a code of the register;
        else the value, a whole number whole, with a decimal comma in Finnish and Swedish.
    """
    if value is None:
        return pick(_NONE, language)
    if not isinstance(declared, Mapping):
        return _written(value, language)
    code = _written(value, "en", exact=True)
    texts = declared.get(code)
    said = pick(texts, language) if _is_texts(texts) else ""
    return said or pick(_CODE, language).format(code=_written(value, language))


def _is_texts(found: Any) -> TypeGuard[Texts]:
    return isinstance(found, Mapping) and all(isinstance(text, str) for text in found.values())


def _written(value: float | str, language: str, *, exact: bool = False) -> str:
    if isinstance(value, bool):
        return str(value).lower() if exact else pick(_YES if value else _NO, language)
    if not isinstance(value, float | int):
        return value
    if isinstance(value, int):
        return str(value)
    if exact:
        return str(int(value)) if value.is_integer() else repr(value)
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text if language == "en" else text.replace(".", ",")
