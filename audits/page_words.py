"""The page's words by language: what has no translation is English, and is marked as English for who hears the page."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from audits import page_sections, texts, texts_fi, texts_sv

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final = ("en", "fi", "sv")
FRAME: Final[Mapping[str, Mapping[str, str]]] = {"en": texts.EN, "fi": texts_fi.FI, "sv": texts_sv.SV}
"""Words of the frame and of the sections that are the page's own, by language. English is whole."""


@cache
def words(language: str = "en") -> Mapping[str, str]:
    """Gives the page's words: the frame's, and those that its sections bring.

    Args:
        language: ``en``, ``fi`` or ``sv``.

    Returns:
        Words by key. What the language lacks is the English, as markup that says so.
    """
    spoken, whole = _collected(language), _collected("en")
    return MappingProxyType({key: spoken.get(key) or english(text, language) for key, text in whole.items()})


def english(text: str, language: str) -> str:
    """Marks a text as English on a page of another language.

    Args:
        text: In English.
        language: Of the page.

    Returns:
        The text; markup where the page is not in English.
    """
    if language == "en" or not text:
        return text
    return Markup(f'<span lang="en">{escape(text)}</span>')  # noqa: S704  escaped here


def _collected(language: str) -> dict[str, str]:
    every = [FRAME[language], *(s.texts.get(language, {}) for s in page_sections.SECTIONS)]
    return {key: text for part in every for key, text in part.items()}
