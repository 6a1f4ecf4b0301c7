"""Which of the three languages a request asks for (RFC 9110 s12.5.4)."""

from __future__ import annotations

import re
from typing import Final

from consent.words import LANGUAGES

DEFAULT: Final = "fi"
_RANGE: Final = re.compile(
    r"([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?"
)


def negotiate(header: str | None) -> str:
    """Choose Finnish, Swedish or English.

    Args:
        header: The value of Accept-Language, perhaps malformed: what cannot be read asks for nothing.

    Returns:
        The language of the greatest weight; among equals the first named; Finnish when none is asked for.
    """
    best, weight = DEFAULT, 0.0
    for part in (header or "").split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None or match[1].lower() not in LANGUAGES:
            continue
        asked = float(match[2]) if match[2] else 1.0
        if asked > weight:
            best, weight = match[1].lower(), asked
    return best
