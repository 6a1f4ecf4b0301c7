"""What a check knows of everybody, by their number: some bytes a person, where a dict would take hundreds.

Numbers are given without large gaps (`consent/numbers.py`), so what is known of them lies side by side. A number far above
all others, which only damage or a lost stretch of the log makes, is kept apart: it never decides how much memory is taken.
Memory is mapped, not filled: where no number is, none is used.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PAGE = 4_096
"""Flags that are compared at once."""
_INDEX_BYTES = 8


def _zeros(size: int) -> mmap.mmap:
    whole = max(size + -size % _INDEX_BYTES, _INDEX_BYTES)
    return mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class NumberSet:
    """A set of numbers: one byte a number below a limit.

    Args:
        limit: Numbers from here on are kept apart, in a set of some 60 bytes each.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.flags = bytearray(limit)
        self.far: set[int] = set()

    def add(self, number: int) -> None:
        """Put a number in."""
        if 0 <= number < self.limit:
            self.flags[number] = 1
        else:
            self.far.add(number)

    def discard(self, number: int) -> None:
        """Take a number out, if it is there."""
        if 0 <= number < self.limit:
            self.flags[number] = 0
        else:
            self.far.discard(number)

    def __contains__(self, number: int) -> bool:
        return bool(self.flags[number]) if 0 <= number < self.limit else number in self.far

    def __iter__(self) -> Iterator[int]:
        """The numbers in ascending order."""
        place = self.flags.find(1)
        while place >= 0:
            yield place
            place = self.flags.find(1, place + 1)
        yield from sorted(self.far)

    def copy(self) -> Self:
        """The same numbers, to be changed apart."""
        other = type(self)(0)
        other.limit, other.flags, other.far = self.limit, self.flags[:], set(self.far)
        return other

    def without(self, other: NumberSet) -> Iterator[int]:
        """The numbers that are here and not there, in ascending order; both have the same limit."""
        for first in range(0, self.limit, _PAGE):
            page, others = self.flags[first : first + _PAGE], other.flags[first : first + _PAGE]
            if page != others:
                pairs = enumerate(zip(page, others, strict=True), first)
                yield from (number for number, (here, there) in pairs if here and not there)
        yield from sorted(self.far - other.far)


class IndexByNumber:
    """An index of the log by number: eight bytes each, and a flag.

    Args:
        limit: As of `NumberSet`.
    """

    def __init__(self, limit: int) -> None:
        self.numbers = NumberSet(limit)
        self._limit = limit
        # One more than the index: 0 is none.
        self._indices = memoryview(_zeros(_INDEX_BYTES * limit)).cast("q")
        self._far: dict[int, int] = {}

    def __setitem__(self, number: int, index: int) -> None:
        self.numbers.add(number)
        if 0 <= number < self._limit:
            self._indices[number] = index + 1
        else:
            self._far[number] = index

    def get(self, number: int) -> int | None:
        """The index; None where there is none."""
        if 0 <= number < self._limit:
            after = self._indices[number]
            return after - 1 if after else None
        return self._far.get(number)

    def setdefault(self, number: int, index: int) -> int:
        """The index that is there; the given one is put there where none is."""
        found = self.get(number)
        if found is None:
            self[number] = found = index
        return found

    def part(self, first: int, end: int) -> list[int]:
        """The indices of numbers `first` to `end` - 1; -1 where there is none."""
        stop = min(end, self._limit)
        found = [after - 1 for after in self._indices[first:stop]] if first < stop else []
        found += [-1] * (end - first - len(found))
        for number, index in self._far.items():
            if first <= number < end:
                found[number - first] = index
        return found


class BytesByNumber:
    """Bytes of one width by number, and a flag.

    Args:
        width: How many each has.
        limit: As of `NumberSet`.
    """

    def __init__(self, width: int, limit: int) -> None:
        self.numbers = NumberSet(limit)
        self._width, self._limit = width, limit
        self._all = _zeros(width * limit)
        self._far: dict[int, bytes] = {}

    def update(self, found: Mapping[int, bytes]) -> None:
        """Take what is known of many numbers; what has another width is kept apart as well."""
        width, limit, flags = self._width, self._limit, self.numbers.flags
        for number, value in found.items():
            if number < limit and len(value) == width and number >= 0:
                flags[number] = 1
                self._all[number * width : number * width + width] = value
            else:
                self.numbers.add(number)
                self._far[number] = value

    def get(self, number: int) -> bytes | None:
        """The bytes; None where there are none."""
        if number in self._far:
            return self._far[number]
        if 0 <= number < self._limit and self.numbers.flags[number]:
            return self._all[number * self._width : (number + 1) * self._width]
        return None

    def part(self, first: int, end: int) -> list[bytes | None]:
        """The bytes of numbers `first` to `end` - 1; None where there are none."""
        width, stop = self._width, max(min(end, self._limit), first)
        blob, flags = self._all[first * width : stop * width], self.numbers.flags[first:stop]
        found: list[bytes | None] = [
            blob[place : place + width] if there else None
            for place, there in zip(range(0, len(blob), width), flags, strict=True)
        ]
        found += [None] * (end - first - len(found))
        for number, value in self._far.items():
            if first <= number < end:
                found[number - first] = value
        return found
