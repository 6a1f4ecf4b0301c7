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

import gc
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audits import report as reports
from consent import bulk
from consent.errors import ConsentChanged
from consent.uses import ModelRef, UseRequest
from consent.vocabulary import UseStatus
from governance import offers, release
from governance.certificate import Invalid
from governance.certified import check_certificate, subject_of
from governance.development import left_out, someone_in
from governance.errors import GovernanceInputError
from governance.evidence import digest_of
from governance.offers import Results
from governance.promotion import CHAMPION
from models import artifact, reasons, scoring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from consent.bulk import Permits
    from consent.tlog.checkpoint import Checkpoint
    from governance.certificate import Valid
    from governance.house import House
    from models.artifact import Facts
    from models.population import Population
    from models.service import Service


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

    @property
    def exit_code(self) -> int:
        """1 where the answer is no, 3 where something that should prove itself does not."""
        return 1 if self.check in DECISIONS else 3


DECISIONS = frozenset(
    {"champion", "consent", "certificate", "not-yet", "expired", "condition", "suspended", "revoked", "board"}
)
"""Checks by which people, or the time they set, say no; every other one finds evidence that does not fit."""


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
        stable: Families of reasons that hold over refits, ``for`` and ``against``, by the report that the certificate names;
            None: that report says nothing of it.
    """

    version: str
    valid: Valid
    estimator: Any
    facts: Facts
    digest: str
    stable: Mapping[str, tuple[str, ...]] | None = None


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
        return Champion(
            version,
            found,
            artifact.load(copy),
            artifact.facts(copy),
            subject.model_digest,
            stable_reasons(house, found.certificate.report),
        )


def stable_reasons(house: House, report: str) -> dict[str, tuple[str, ...]] | None:
    """Which reasons may be told of a version, by its audit: families that hold over refits, ``for`` and ``against``.

    Args:
        house: The installation.
        report: DIGEST of the report, as its certificate names it.

    Returns:
        Families by direction; None where the report was made before stability was measured.

    Raises:
        GovernanceEvidenceError: The report is not kept as it was (exit 3).
    """
    explained = reports.from_json(house.evidence.get(report)).explanation
    if explained is None or explained.refits is None:
        return None
    return {way: explained.refits.stable(way) for way in ("for", "against")}


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
        GovernanceInputError: `out` exists, or no row of the file keeps the contract (exit 2).
        ConsentInputError: `out` lies in a home (2).
        GovernanceUnavailableError: `out` cannot be written: nothing was recorded, or, where only the release failed, the
            use is recorded, reached no one, and the offers are deleted (4).
        ConsentError: The ledger cannot be read or written (3 or 4).
    """
    if out is None and not dry_run:
        message = "a run that records needs a file for its offers"
        raise GovernanceInputError(message, "name one, or ask for a dry run")
    someone_in(population)
    if out is not None and not dry_run:
        release.check_place(out)
    serving = champion(house, service)
    if isinstance(serving, RunRefused):
        return serving
    with _uncollected():
        people: list[str] = population.frame[service.person_column].tolist()
        permits = bulk.permits(house.ledger, people, service.purposes.offer, "scoring", at=house.clock())
        if not permits.permitted.any():
            return RunRefused(
                "consent",
                f"none of the {len(people)} people in the file consented to {service.purposes.offer}",
                "nobody is scored without their yes; see `luvalla consent purposes`",
            )
        if out is None or dry_run:
            return _counted(population, permits, serving, permits.permitted)
        with release.alone(house):
            return _recorded(house, service, population, out, serving, permits, chance)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the cycle collector off meanwhile.

    Every person takes a few tuples and texts, all of them still needed, and none in a cycle: the collector would look
    through the whole process for each quarter more of them, and find nothing (benchmarks/run_cost.py: 6 us a person).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
    # What earlier runs kept of people is deleted once its purpose's time is over; nobody has to remember to.
    house.ledger.purge_values()
    while allowed.any():
        results = _results(service, serving, population.frame, allowed, house.settings.review_share, chance)
        run_id = secrets.token_bytes(16)
        waiting = offers.write(house, service, _head(service, serving), run_id, people, results)
        try:
            request = _use(house, service, serving, run_id, waiting, permits, results)
            entry = house.ledger.append_use(request)
            still = check_certificate(house, serving.valid.certificate.subject)
            if isinstance(still, Invalid):
                # Suspended or revoked while it ran: recorded, and released to no one.
                return RunRefused(still.check, still.reason, still.way_out)
            release.release(waiting, out)
            break
        except ConsentChanged as changed:
            # Nothing was written. They are left out as they now stand, and the offers are made anew without them.
            permits = bulk.permits(house.ledger, people, service.purposes.offer, "scoring", at=house.clock())
            allowed &= permits.permitted & ~np.isin(permits.numbers, list(changed.numbers))
        finally:
            # Released, refused, failed or interrupted: nothing stays that could leave later.
            waiting.unlink(missing_ok=True)
    else:
        return _nobody(service, people)
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


def _nobody(service: Service, people: list[str]) -> RunRefused:
    return RunRefused(
        "consent",
        f"none of the {len(people)} people in the file consented to {service.purposes.offer}",
        "nobody is scored without their yes; see `luvalla consent purposes`",
    )


def _head(service: Service, serving: Champion) -> dict[str, Any]:
    """What the offers file says of the model first."""
    return {
        "certificate": serving.valid.certificate.digest,
        "model": {
            "digest": serving.digest,
            "name": service.registered_model,
            "version": serving.version,
        },
    }


def _results(
    service: Service,
    serving: Champion,
    frame: pd.DataFrame,
    allowed: npt.NDArray[np.bool_],
    review_share: float,
    chance: np.random.Generator,
) -> Results:
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
    return Results(rows, scores, selected, sampled, why, permitted, serving.stable)


def _statuses(permits: Permits, results: Results) -> npt.NDArray[np.uint8]:
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
    results: Results,
) -> UseRequest:
    known = permits.numbers >= 0
    kept: npt.NDArray[Any] = np.full(len(known), b"", dtype=object)
    kept[results.rows] = offers.values_kept(service, results.frame, results.reasons, results.scores)
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
        explanation=offers.explanation(
            service, serving.facts.threshold, results.reasons, house.settings.review_share, results.stable
        ),
        state=permits.state,
    )


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
