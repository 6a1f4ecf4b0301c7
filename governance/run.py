"""The only door to a model: the consented run (design, flow A).

 1. The champion's version, in a private copy; its certificate verified against exactly that copy, now.
 2. The ledger's head, and who may be scored at it.
 3. Scores, offers with reasons, and a random sample of the not selected for a human to look at.
 4. The offers written inside the home, not released; their digest.
 5. The use, durable in the ledger; whoever lost permission since step 2 is dropped, and the steps from 3 repeat.
 6. The certificate asked again, then the offers released.

If the process dies between 5 and 6, a use is recorded that reached no one: the error falls on the citizen's side.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import orjson

from consent import bulk
from consent.canonical import b64u
from consent.errors import ConsentChanged
from consent.uses import ModelRef, UseRequest
from consent.vocabulary import UseStatus
from governance.certificate import Invalid
from governance.certified import check_certificate, subject_of
from governance.development import left_out
from governance.errors import GovernanceInputError, GovernanceUnavailableError
from governance.evidence import digest_of
from governance.promotion import CHAMPION
from models import artifact, reasons, scoring
from models.service import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from consent.bulk import Permits
    from consent.tlog.checkpoint import Checkpoint
    from governance.certificate import Valid
    from governance.house import House
    from models.artifact import Facts
    from models.population import Population
    from models.reasons import Reasons
    from models.service import Service

FORMAT = "luvalla/offers/v1"

NOT_SELECTED = {
    "fi": "Et saanut tarjousta tällä kertaa. Voit silti pyytää palvelua itse, ja voit pyytää, että ihminen katsoo asiaasi.",
    "sv": "Du fick inget erbjudande den här gången. Du kan ändå själv be om tjänsten, och du kan be att en människa ser på ditt ärende.",
    "en": "You got no offer this time. You can still ask for the service yourself, and you can ask for a person to look at your case.",
}
"""Said to those who were scored and not selected: they were decided upon too."""


_FOR: Final[Literal["for"]] = "for"
_AGAINST: Final[Literal["against"]] = "against"


@dataclass(frozen=True)
class RunRefused:
    """The run did not take place; a value, since a no is expected.

    Args:
        check: Short stable name of what refused: `champion`, or the failed check of the certificate.
        reason: What was found and expected.
        way_out: What to do now.
    """

    check: str
    reason: str
    way_out: str


@dataclass(frozen=True)
class RunDone:
    """A run that took place and was recorded.

    Args:
        run: Run id, 16 bytes.
        index: Index of its entry in the ledger.
        version: Version of the model.
        certificate: DIGEST of the certificate's envelope.
        output: DIGEST of the offers file.
        people: People in the file.
        scored: People who were scored: everyone with permission.
        selected: People with an offer.
        sampled: People not selected, drawn for human review.
        left_out: People left out, by reason.
        rejected: Rows of the file that broke the data contract.
        checkpoint: Checkpoint that covers the entry.
    """

    run: bytes
    index: int
    version: str
    certificate: str
    output: str
    people: int
    scored: int
    selected: int
    sampled: int
    left_out: Mapping[str, int]
    rejected: int
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Champion:
    """The version that may run now.

    Args:
        version: Its number.
        valid: Its certificate, verified.
        estimator: As loaded from the copy that was verified.
        facts: What the same copy says of itself: the threshold.
        digest: DIGEST of that copy.
    """

    version: str
    valid: Valid
    estimator: Any
    facts: Facts
    digest: str


def champion(house: House, service: Service) -> Champion | RunRefused:
    """The champion's model, loaded from a private copy whose certificate holds now; or why nothing may run."""
    version = house.registry.alias(service.registered_model, CHAMPION)
    if version is None:
        return RunRefused(
            "champion",
            f"no version of {service.registered_model} is the champion",
            f"promote one: `luvalla promote {service.id} VERSION`",
        )
    with house.private_folder() as folder:
        copy = house.registry.download(service.registered_model, version, folder)
        subject = subject_of(house, service, service.registered_model, version, copy)
        found = check_certificate(house, subject)
        if isinstance(found, Invalid):
            return RunRefused(found.check, found.reason, found.way_out)
        return Champion(version, found, artifact.load(copy), artifact.facts(copy), subject.model_digest)


def run(
    house: House,
    service: Service,
    population: Population,
    out: Path | None,
    *,
    chance: np.random.Generator,
    dry_run: bool = False,
) -> RunDone | RunRefused:
    """Run a service on the consenting people of a population.

    Args:
        house: The installation.
        service: Which service.
        population: Rows to score, checked against the contract.
        out: Where the offers go, once recorded; must not exist. None only for a dry run.
        chance: Draws the sample of the not selected.
        dry_run: Verify and count only: no score is computed, nothing is recorded or written.

    Returns:
        What was done, or why nothing was.

    Raises:
        GovernanceInputError: `out` exists (exit 2).
        GovernanceUnavailableError: `out` cannot be written; the use is recorded then and the offers stay in the outbox (4).
        ConsentError: The ledger cannot be read or written (3 or 4).
    """
    if out is None and not dry_run:
        message = "a run that records needs a file for its offers"
        raise GovernanceInputError(message, "name one, or ask for a dry run")
    if out is not None and out.exists():
        message = f"{out} exists: a run never overwrites"
        raise GovernanceInputError(message, "name a new file")
    serving = champion(house, service)
    if isinstance(serving, RunRefused):
        return serving
    people: list[str] = population.frame[service.person_column].tolist()
    permits = bulk.permits(house.ledger, people, service.purposes.offer, "scoring", at=house.clock())
    allowed = permits.permitted.copy()
    if not allowed.any():
        return RunRefused(
            "consent",
            f"none of the {len(people)} people in the file consented to {service.purposes.offer}",
            "nobody is scored without their yes; see `luvalla consent purposes`",
        )
    if out is None or dry_run:
        return _counted(population, permits, serving, allowed)
    with _alone(house):
        return _recorded(house, service, population, out, serving, permits, chance)


def _recorded(
    house: House,
    service: Service,
    population: Population,
    out: Path,
    serving: Champion,
    permits: Permits,
    chance: np.random.Generator,
) -> RunDone | RunRefused:
    """Steps 3 to 6, until nobody changed their mind in between."""
    people: list[str] = population.frame[service.person_column].tolist()
    allowed = permits.permitted.copy()
    while True:
        results = _results(service, serving, population.frame, allowed, house.settings.review_share, chance)
        run_id = secrets.token_bytes(16)
        waiting = _write_offers(house, service, serving, run_id, people, results)
        request = _use(house, service, serving, run_id, waiting, permits, results)
        try:
            entry = house.ledger.append_use(request)
        except ConsentChanged as changed:
            # Nothing was written. They are left out as they now stand, and the offers are made anew without them.
            waiting.unlink()
            permits = bulk.permits(house.ledger, people, service.purposes.offer, "scoring", at=house.clock())
            allowed &= permits.permitted & ~np.isin(permits.numbers, list(changed.numbers))
            continue
        break
    still = check_certificate(house, serving.valid.certificate.subject)
    if isinstance(still, Invalid):
        # Suspended or revoked while it ran: recorded, and released to no one.
        waiting.unlink()
        return RunRefused(still.check, still.reason, still.way_out)
    _release(waiting, out)
    done = _counted(population, permits, serving, allowed)
    return replace(
        done,
        run=run_id,
        index=entry.index,
        output=str(request.output),
        selected=int(results.selected.sum()),
        sampled=int(results.sampled.sum()),
        checkpoint=entry.checkpoint,
    )


@contextmanager
def _alone(house: House) -> Iterator[None]:
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


@dataclass(frozen=True)
class _Results:
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


def _results(
    service: Service,
    serving: Champion,
    frame: pd.DataFrame,
    allowed: npt.NDArray[np.bool_],
    review_share: float,
    chance: np.random.Generator,
) -> _Results:
    rows = np.flatnonzero(allowed)
    permitted = frame.iloc[rows]
    scores = scoring.score(serving.estimator, service, permitted)
    selected = scoring.select(scores, threshold=serving.facts.threshold)
    others = np.flatnonzero(~selected)
    # At least one where there is anyone: a share of a small run must not round to nobody.
    draw = min(len(others), max(1, round(review_share * len(others)))) if len(others) else 0
    sampled = np.zeros(len(rows), dtype=bool)
    sampled[chance.choice(others, size=draw, replace=False)] = True
    why = reasons.explain(serving.estimator, service, permitted)
    return _Results(rows, scores, selected, sampled, why, permitted)


def _statuses(permits: Permits, results: _Results) -> npt.NDArray[np.uint8]:
    """uint8[n] status bytes of everyone in the population."""
    statuses = permits.status.copy()
    statuses[results.rows] = np.where(
        results.selected,
        int(UseStatus.SELECTED),
        np.where(results.sampled, int(UseStatus.SAMPLED), int(UseStatus.USED)),
    )
    return statuses


def _use(
    house: House,
    service: Service,
    serving: Champion,
    run_id: bytes,
    waiting: Path,
    permits: Permits,
    results: _Results,
) -> UseRequest:
    known = permits.numbers >= 0
    kept: npt.NDArray[Any] = np.full(len(known), b"", dtype=object)
    kept[results.rows] = values_kept(service, results.frame, results.reasons, results.scores)
    return UseRequest(
        run=run_id,
        processing="scoring",
        purpose_id=service.purposes.offer,
        service=service.id,
        model=ModelRef(service.registered_model, serving.version, serving.digest),
        certificate=serving.valid.certificate.digest,
        output=digest_of(waiting.read_bytes()),
        numbers=permits.numbers[known].tolist(),
        statuses=_statuses(permits, results)[known].tolist(),
        values=kept[known].tolist(),
        explanation=explanation(
            service, serving.facts.threshold, results.reasons, house.settings.review_share
        ),
        state=permits.state,
    )


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


def _write_offers(
    house: House, service: Service, serving: Champion, run_id: bytes, people: Sequence[str], results: _Results
) -> Path:
    """Write offers and review cases as JSON Lines into the outbox, on disk when it returns; not released yet."""
    house.home.outbox.mkdir(mode=0o700, exist_ok=True)
    path = house.home.outbox / f"{run_id.hex()}.jsonl"
    # The nonce keeps the file's digest, which is public, from being guessed back to who is in it.
    head = {
        "certificate": serving.valid.certificate.digest,
        "format": FORMAT,
        "model": {"digest": serving.digest, "name": service.registered_model, "version": serving.version},
        "nonce": b64u(secrets.token_bytes(32)),
        "run": b64u(run_id),
        "service": service.id,
    }
    with path.open("xb") as file:
        path.chmod(0o600)
        file.write(orjson.dumps(head) + b"\n")
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
    way = _FOR if offered else _AGAINST
    return {
        language: {
            "text": told[language],
            "reasons": reasons.text(service, contributions, language, direction=way),
        }
        for language in LANGUAGES
    }


def _release(waiting: Path, out: Path) -> None:
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


def _counted(
    population: Population, permits: Permits, serving: Champion, allowed: npt.NDArray[np.bool_]
) -> RunDone:
    return RunDone(
        run=b"",
        index=-1,
        version=serving.version,
        certificate=serving.valid.certificate.digest,
        output="",
        people=len(population.frame),
        scored=int(allowed.sum()),
        selected=0,
        sampled=0,
        left_out=left_out(permits),
        rejected=len(population.rejected),
        checkpoint=permits.state,
    )
