"""Invented personal identity codes: well formed, recognisable, and holding nothing of the row they are attached to.

The Finnish personal identity code is DDMMYY, a century sign, an individual number and a check character. Numbers
002-899 are given to people; 900-999 are set apart for artificial codes that belong to nobody (Digital and Population
Data Services Agency, "The personal identity code"), and only those are made here. Date and number are drawn from the
seed alone: neither the age nor the sex that a code seems to say is the row's.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

_CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
"""Remainder of DDMMYYNNN by 31 -> check character (the same source)."""

_FIRST_DAY = dt.date(1930, 1, 1)
_DAYS = (dt.date(2009, 12, 31) - _FIRST_DAY).days + 1
_ARTIFICIAL = range(900, 1000)


def person_ids(n: int, *, seed: int) -> list[str]:
    """`n` different invented personal identity codes, the same for the same seed.

    Args:
        n: How many, 0..2,922,000 (every day of 1930-2009 times the 100 artificial numbers).
        seed: Decides which.

    Raises:
        ValueError: More codes are asked for than there are.

    Example:
        >>> person_ids(2, seed=1)[0][-4] == "9"
        True
    """
    places = _DAYS * len(_ARTIFICIAL)
    if not 0 <= n <= places:
        msg = f"{n} codes asked for, there are {places}"
        raise ValueError(msg)
    chosen = np.random.default_rng(seed).choice(places, size=n, replace=False)
    return [
        _code(_FIRST_DAY + dt.timedelta(days=int(day)), 900 + int(k))
        for day, k in zip(*divmod(chosen, 100), strict=True)
    ]


def is_invented(code: str) -> bool:
    """Whether the code is a well-formed artificial one: check character right, individual number 900-999."""
    if len(code) != 11 or not (code[:6] + code[7:10]).isdecimal() or not code.isascii():  # noqa: PLR2004 - the code's length
        return False
    return code[7] == "9" and _CHECK_CHARACTERS[int(code[:6] + code[7:10]) % 31] == code[10]


def _code(day: dt.date, number: int) -> str:
    digits = f"{day:%d%m%y}{number:03d}"
    century = "-" if day.year < 2000 else "A"  # noqa: PLR2004 - the sign changed with the century
    return f"{digits[:6]}{century}{digits[6:]}{_CHECK_CHARACTERS[int(digits) % 31]}"
