"""What the tests of the command line share: a command's answer, and what every answer to bad input has in common."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.governance.city import City, state

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def tells(said: Said, code: int, *words: str, names: list[str] | None = None) -> None:
    """Exit code, what the message names, and that no person is named."""
    told = said.out + said.err
    assert said.code == code, told
    assert "Traceback" not in told
    assert "a fault of luvalla" not in told
    for word in words:
        assert word.lower() in told.lower(), told
    for name in names or []:
        assert name not in told


@contextmanager
def unchanged(city: City) -> Iterator[None]:
    """Every file of the home is as before, to the byte, and so is the ledger's head."""
    before, head = _files(city), _head(city)
    yield
    after = _files(city)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
    assert _head(city) == head


def _files(city: City) -> dict[str, str]:
    """But for an empty write-ahead log, which SQLite makes for whoever reads."""
    return {name: digest for name, digest in state(city.home).items() if not name.endswith("-wal")}


def _head(city: City) -> tuple[int, bytes]:
    with city.house() as house:
        head = house.ledger.head()
        return head.size, head.root
