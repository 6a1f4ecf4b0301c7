"""Who stands in which fold: by a keyed hash of the family, so that it depends on nobody else in the table."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_SPAN = 2**64


def positions(families: Sequence[str], *, seed: int, use: str) -> npt.NDArray[np.float64]:
    """float64[n] in [0, 1): where each family stands on a line drawn for this seed and use.

    BLAKE2b with the seed as its key: a family's place does not move when others join or leave, and knowing the family
    without the seed tells nothing.

    Args:
        families: One text per row; equal texts get equal places.
        seed: Any integer.
        use: What the line is for ("fold", "held-out"), so that two uses of one seed are independent.
    """
    key = str(seed).encode()[:64]
    person = use.encode()[:16]
    places = {
        family: int.from_bytes(
            hashlib.blake2b(family.encode(), key=key, person=person, digest_size=8).digest(), "big"
        )
        / _SPAN
        for family in set(families)
    }
    return np.minimum(
        np.array([places[family] for family in families], dtype=np.float64), np.nextafter(1.0, 0.0)
    )


def folds(families: Sequence[str], *, n: int, seed: int) -> npt.NDArray[np.int64]:
    """int64[n rows], 0..n-1: the fold of each row."""
    return np.floor(positions(families, seed=seed, use="fold") * n).astype(np.int64)
