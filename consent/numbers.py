"""Dense random numbers for people: a vacant one of the current 65,536, so that a number says nothing about when."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING

from consent import store_people
from consent.canonical import SLOT_MULTIPLE

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FEW_TRIES = 64
_CROWDED = 0.75
"""From this share of taken numbers on, the vacant ones are listed instead of guessed."""

_random = SystemRandom()


class NumberPool:
    """Vacant numbers as one writing transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._start = -1
        self._vacant: list[int] | None = None
        self._drawn: set[int] = set()

    def draw(self, *, many: bool) -> int:
        """A random vacant number.

        Args:
            many: Others follow in this transaction: list the vacant numbers once.
        """
        if self._start < 0:
            self._start, count = store_people.current_block(self._connection)
            if many or count > _CROWDED * SLOT_MULTIPLE:
                self._list()
        if self._vacant is None:
            for _ in range(_FEW_TRIES):
                number = self._start + _random.randrange(SLOT_MULTIPLE)
                if number not in self._drawn and not store_people.is_taken(self._connection, number):
                    self._drawn.add(number)
                    return number
            self._list()
        if not self._vacant:
            self._start += SLOT_MULTIPLE
            self._list()
        vacant = self._vacant or []
        position = _random.randrange(len(vacant))
        vacant[position], vacant[-1] = vacant[-1], vacant[position]
        return vacant.pop()

    def _list(self) -> None:
        taken = store_people.taken(self._connection, self._start) | self._drawn
        self._vacant = [n for n in range(self._start, self._start + SLOT_MULTIPLE) if n not in taken]
