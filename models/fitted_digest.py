"""A name for a fitted model that is never saved: a digest of all that it holds."""

from __future__ import annotations

from typing import Any

from joblib.hashing import NumpyHasher


def fitted_digest(estimator: Any) -> str:
    """``sha256:`` digest of a fitted estimator's content (joblib's canonical pickle: types, parameters, arrays).

    Two fits on the same rows with the same versions of the same libraries have the same; an artifact's digest is another
    thing (:func:`models.artifact.digest`: of its files).
    """
    return f"sha256:{NumpyHasher('sha256').hash(estimator)}"
