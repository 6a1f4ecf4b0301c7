"""What a run makes for people, and how it leaves: written inside the home, digested, recorded, and only then released."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson

from consent.canonical import b64u
from consent.why import NONE_STANDS_OUT
from models import reasons
from models.service import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
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
        stable: Families of reasons that hold over refits, ``for`` and ``against``, as the version's audit found; None: its report
            says nothing of it, and all are told.
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    selected: npt.NDArray[np.bool_]
    sampled: npt.NDArray[np.bool_]
    reasons: Reasons
    frame: pd.DataFrame
    stable: Mapping[str, Collection[str]] | None = None


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
    seen = [_cells(frame[name]) for name in service.features]
    return [
        b'{"c":[%b],"s":%b,"x":[%b]}' % row
        for row in zip(
            _rows(why.contributions), _numbers(scores), map(b",".join, zip(*seen, strict=True)), strict=True
        )
    ]


def _cells(values: pd.Series) -> list[bytes]:
    """Each value of a column as JSON; what is unknown is null."""
    if values.dtype.kind in "fiu":
        return _numbers(values.to_numpy())
    known = {value: orjson.dumps(value) for value in values.dropna().unique().tolist()}
    return [known.get(value, b"null") for value in values.tolist()]


def _numbers(values: npt.NDArray[Any]) -> list[bytes]:
    """Numbers as JSON, all written in one call: one by one they would take ten times as long. NaN is null."""
    if not len(values):
        return []
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


def _rows(table: npt.NDArray[np.float64]) -> list[bytes]:
    """The same, a text with the numbers of each row."""
    if not table.size:
        return [b""] * len(table)
    return orjson.dumps(np.ascontiguousarray(table), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2].split(b"],[")


def explanation(
    service: Service,
    threshold: float,
    why: Reasons,
    review_share: float,
    stable: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Any]:
    """The run's public explanation document: what its numbers mean, without any person. Numbers are texts, since it is hashed.

    Args:
        service: Texts, features and families.
        threshold: From which on an offer is made.
        why: The starting point.
        review_share: Share of the not selected whom a human looks at.
        stable: As in `Results`; without it the document says nothing of stability.
    """
    coded = {
        name: {code: dict(texts) for code, texts in service.value_texts[name].items()}
        for name in service.features
        if name in service.value_texts
    }
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
        **({"value_texts": coded} if coded else {}),
        **({} if stable is None else {"stable": {way: sorted(stable[way]) for way in ("against", "for")}}),
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
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(orjson.dumps(first) + b"\n")
            file.writelines(_lines(service, people, results))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _lines(service: Service, people: Sequence[str], results: Results) -> Iterator[bytes]:
    """A line for each offer and review case, in the order of the population."""
    for_them = np.flatnonzero(results.selected)
    against_them = np.flatnonzero(results.sampled)
    said: dict[int, tuple[str, orjson.Fragment]] = {}
    said |= _said("offer", service, service.offer, for_them, results, "for")
    said |= _said("review", service, NOT_SELECTED, against_them, results, "against")
    rows, scores = results.rows.tolist(), results.scores.tolist()
    for place in sorted(said):
        kind, texts = said[place]
        line = {"kind": kind, "person": people[rows[place]], "score": scores[place], "texts": texts}
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _said(
    kind: str,
    service: Service,
    told: Mapping[str, str],
    places: npt.NDArray[np.intp],
    results: Results,
    direction: Literal["for", "against"],
) -> dict[int, tuple[str, orjson.Fragment]]:
    """Kind and texts by place. Many people share the same leading facts in the same order: their texts are made once."""
    made: dict[tuple[str, ...], tuple[str, orjson.Fragment]] = {}
    said = {}
    stable = None if results.stable is None else results.stable[direction]
    families_of = reasons.leading(
        service, results.reasons.contributions[places], direction=direction, stable=stable
    )
    for place, families in zip(places.tolist(), families_of, strict=True):
        if families not in made:
            made[families] = (
                kind,
                orjson.Fragment(orjson.dumps(_texts(service, told, families, none=stable is not None))),
            )
        said[place] = made[families]
    return said


def _texts(
    service: Service, told: Mapping[str, str], families: tuple[str, ...], *, none: bool
) -> dict[str, dict[str, Any]]:
    """Texts by language; with `none` it is said where no reason is left to tell."""
    return {
        language: {
            "text": told[language],
            "reasons": [service.family_texts[family][language] for family in families]
            or ([NONE_STANDS_OUT[language]] if none else []),
        }
        for language in LANGUAGES
    }
