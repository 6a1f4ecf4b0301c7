"""What a run makes for people, and how it leaves: written inside the home, digested, recorded, and only then released."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from consent.canonical import b64u
from governance.errors import GovernanceUnavailableError
from models import reasons
from models.service import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from governance.house import House
    from models.reasons import Reasons
    from models.service import Service

FORMAT = "luvalla/offers/v1"

NOT_SELECTED = {
    "fi": "Et saanut tarjousta tällä kertaa. Voit silti pyytää palvelua itse, ja voit pyytää, että ihminen katsoo asiaasi.",
    "sv": "Du fick inget erbjudande den här gången. Du kan ändå själv be om tjänsten, och du kan be att en människa ser på ditt ärende.",
    "en": "You got no offer this time. You can still ask for the service yourself, and you can ask for a person to look at your case.",
}
"""Said to those who were scored and not selected: they were decided upon too."""


@dataclass(frozen=True)
class Results:
    """Scores and what follows from them, for the permitted rows only.

    Args:
        rows: int[m], positions in the population.
        scores: float[m], 0..1.
        selected: bool[m].
        sampled: bool[m], among the not selected.
        reasons: Contributions of each feature, float[m, f].
        frame: The rows.
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    selected: npt.NDArray[np.bool_]
    sampled: npt.NDArray[np.bool_]
    reasons: Reasons
    frame: pd.DataFrame


def values_kept(
    service: Service, frame: pd.DataFrame, why: Reasons, scores: npt.NDArray[np.float64]
) -> list[bytes]:
    """What is kept of each person, so that "why" can be answered later: feature values, contributions, score; as JSON.

    Args:
        service: Names the features, in order.
        frame: n rows.
        why: float[n, f] contributions.
        scores: float[n].

    Returns:
        n texts `{"c":[...],"s":...,"x":[...]}`, numbers exactly as they were (shortest form that reads back the same).
    """
    columns = frame[list(service.features)]
    table = columns.astype(object).where(columns.notna(), None).to_numpy().tolist()
    dumps = orjson.dumps
    return [
        dumps({"c": c, "s": s, "x": x})
        for c, s, x in zip(why.contributions.tolist(), scores.tolist(), table, strict=True)
    ]


def explanation(service: Service, threshold: float, why: Reasons, review_share: float) -> dict[str, Any]:
    """The run's public explanation document: what its numbers mean, without any person. Numbers are texts, since it is hashed."""
    return {
        "capacity": repr(float(service.capacity)),
        "expected": repr(float(why.expected)),
        "families": {name: service.feature_families[name] for name in service.features},
        "family_texts": {name: dict(texts) for name, texts in service.family_texts.items()},
        "features": list(service.features),
        "not_selected": dict(NOT_SELECTED),
        "offer": dict(service.offer),
        "review_share": repr(float(review_share)),
        "texts": {name: dict(service.feature_texts[name]) for name in service.features},
        "threshold": repr(float(threshold)),
    }


def write(
    house: House,
    service: Service,
    head: Mapping[str, Any],
    run_id: bytes,
    people: Sequence[str],
    results: Results,
) -> Path:
    """Write offers and review cases as JSON Lines into the outbox, on disk when it returns; not released yet."""
    house.home.outbox.mkdir(mode=0o700, exist_ok=True)
    path = house.home.outbox / f"{run_id.hex()}.jsonl"
    # The nonce keeps the file's digest, which is public, from being guessed back to who is in it.
    first = {
        **head,
        "format": FORMAT,
        "nonce": b64u(secrets.token_bytes(32)),
        "run": b64u(run_id),
        "service": service.id,
    }
    with path.open("xb") as file:
        path.chmod(0o600)
        file.write(orjson.dumps(first) + b"\n")
        for place in np.flatnonzero(results.selected | results.sampled).tolist():
            offered = bool(results.selected[place])
            line = {
                "kind": "offer" if offered else "review",
                "person": people[results.rows[place]],
                "score": float(results.scores[place]),
                "texts": _texts(service, results.reasons.contributions[place], offered=offered),
            }
            file.write(orjson.dumps(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def _texts(
    service: Service, contributions: npt.NDArray[np.float64], *, offered: bool
) -> dict[str, dict[str, Any]]:
    told = service.offer if offered else NOT_SELECTED
    return {
        language: {
            "text": told[language],
            "reasons": reasons.text(service, contributions, language, direction="for")
            if offered
            else reasons.text(service, contributions, language, direction="against"),
        }
        for language in LANGUAGES
    }


def release(waiting: Path, out: Path) -> None:
    """Move a recorded run's offers to where they were asked for; nothing is overwritten.

    Raises:
        GovernanceUnavailableError: They cannot be written there; they stay in the outbox (exit 4).
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Another file system has no rename from here: copy beside the target, then rename there.
        beside = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        shutil.copyfile(waiting, beside)
        beside.chmod(0o600)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.link(beside, out)
        beside.unlink()
    except OSError as error:
        message = f"the run is recorded, but its offers could not be written to {out}: {error.strerror}"
        raise GovernanceUnavailableError(message, f"they lie in {waiting}; move them by hand") from error
    waiting.unlink()


@contextmanager
def alone(house: House) -> Iterator[None]:
    """One recorded run at a time; what an earlier one left unreleased, because it died, is removed first.

    A file still in the outbox was either never recorded, or recorded and released to no one: in both cases it may not leave now.
    """
    house.home.outbox.mkdir(mode=0o700, exist_ok=True)
    with (house.home.outbox / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = "another run of this home is under way"
            raise GovernanceUnavailableError(message, "wait until it ends") from error
        for left in house.home.outbox.glob("*.jsonl"):
            left.unlink()
        yield
