"""What the tests of published logs share."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from consent.records import ConsentRequest
from tests.consent.ledger_world import OFFER, G

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger


def give(ledger: Ledger, count: int, start: int = 0) -> None:
    ledger.record_consents([ConsentRequest(f"invented-{start + each}", OFFER, G) for each in range(count)])


def vkey(ledger: Ledger) -> str:
    return next(iter(ledger.log.trust.log_vkeys(1))).vkey


def needed(folder: Path) -> list[str]:
    """The files that the checkpoint of the folder itself asks for."""
    size = int((folder / "checkpoint").read_text().split("\n")[1])
    names = ["checkpoint"]
    for level, shift in (("entries", 0), ("0", 0), ("1", 8)):
        full, rest = divmod(size >> shift, 256)
        names += [f"tile/{level}/{index:03}" for index in range(full)]
        names += [f"tile/{level}/{full:03}.p/{rest}"] if rest else []
    return names


def flips(content: bytes, count: int, seed: int) -> list[bytes]:
    """Copies with one bit flipped each."""
    chance = random.Random(seed)  # noqa: S311 - which bit is no secret
    copies = []
    for _ in range(count):
        flipped = bytearray(content)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        copies.append(bytes(flipped))
    return copies
