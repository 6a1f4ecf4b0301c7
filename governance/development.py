"""Training under the ledger's eye: only consenting people's rows, and the use recorded before the version exists for others."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consent import bulk
from consent.uses import ModelRef, UseRequest
from consent.vocabulary import UseStatus
from governance.cases import Case
from governance.errors import GovernanceEvidenceError, GovernanceInputError, NobodyConsented
from models import training
from models.errors import ModelsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from consent.bulk import Permits
    from governance.house import House
    from models.population import Population
    from models.registry import Version
    from models.service import Service
    from models.training import FittedModel


@dataclass(frozen=True)
class Trained:
    """A version that was trained, recorded and registered.

    Args:
        case: What is on the table now.
        version: As the registry has it.
        fitted: The model.
        run: Run id of the use, 16 bytes.
        index: Index of the use's entry in the ledger.
        used: People whose rows it was trained on.
        left_out: People of the file left out, by reason.
        rejected: Rows of the file that broke the data contract.
    """

    case: Case
    version: Version
    fitted: FittedModel
    run: bytes
    index: int
    used: int
    left_out: Mapping[str, int]
    rejected: int


def consenting(house: House, service: Service, frame: pd.DataFrame, processing: str) -> Permits:
    """Who of a population may be used for developing the service, from the ledger's own state.

    Raises:
        NobodyConsented: Nobody may (exit 1).
    """
    people = frame[service.person_column].tolist()
    permits = bulk.permits(house.ledger, people, service.purposes.development, processing, at=house.clock())
    if not permits.permitted.any():
        message = f"none of the {len(people)} people in the file consented to {service.purposes.development} ({processing})"
        raise NobodyConsented(
            message, "nobody's data is used without their yes; see `luvalla consent purposes`"
        )
    return permits


def someone_in(population: Population) -> None:
    """Refuse a file of which no row is left.

    Raises:
        GovernanceInputError: Every row breaks the data contract (exit 2).
    """
    if population.frame.empty:
        message = f"not one of the file's {population.rows:,} rows keeps the data contract"
        raise GovernanceInputError(
            message, "mend the export: each row's fault was told by row number and column"
        )


def left_out(permits: Permits) -> dict[str, int]:
    """People of the file who may not be used, counted by reason."""
    return {reason: count for reason, count in permits.counts().items() if reason != "permitted"}


def use_of(permits: Permits, used: UseStatus) -> tuple[list[int], list[int]]:
    """Numbers and status bytes of a use of everyone permitted; people unknown to the ledger have no number and no slot."""
    known = permits.numbers >= 0
    statuses = np.where(permits.permitted, int(used), permits.status)
    return permits.numbers[known].tolist(), statuses[known].tolist()


@dataclass(frozen=True)
class Foreseen:
    """What training or an audit would use, counted without touching anybody's features.

    Args:
        used: People whose rows would be used.
        left_out: People of the file who would be left out, by reason.
    """

    used: int
    left_out: Mapping[str, int]


def foresee(house: House, service: Service, recipe: str, population: Population, processing: str) -> Foreseen:
    """Who would be used, if it were done now; nothing is recorded.

    Raises:
        NobodyConsented: exit 1.
        UnknownRecipeError: exit 2.
    """
    training.find_recipe(service, recipe)
    permits = consenting(house, service, population.frame, processing)
    return Foreseen(int(permits.permitted.sum()), left_out(permits))


def train(
    house: House, service: Service, recipe: str, population: Population, *, seed: int, by: str
) -> Trained:
    """Train, record, register.

    1. Who consented, at a checkpoint. 2. Fit on their rows. 3. The artifact, written and digested, not registered. 4. The use,
    durable in the ledger; whoever changed their mind since step 1 stops it. 5. The version, registered for others to see.

    Args:
        house: The installation.
        service: What is trained.
        recipe: Name of one of its recipes.
        population: Rows with outcomes, checked against the contract.
        seed: Decides everything random.
        by: Board-member id (or any name) of who trains: they may not vote on it.

    Returns:
        The version and what was done.

    Raises:
        GovernanceInputError: Every row breaks the contract, or the next version is on the table already (exit 2).
        NobodyConsented: exit 1.
        ConsentChanged: Somebody withdrew while it trained; nothing was recorded or registered (exit 1).
        ModelsError: The recipe is unknown or the rows do not suffice (2).
    """
    someone_in(population)
    permits = consenting(house, service, population.frame, "training")
    rows = population.frame[permits.permitted]
    fitted = training.fit(service, training.find_recipe(service, recipe), rows, seed=seed)
    logged = house.registry.log(service, fitted, metrics={}, tags={"luvalla.rows": population.digest})
    numbers, statuses = use_of(permits, UseStatus.USED)
    run = secrets.token_bytes(16)
    try:
        expected = house.registry.next_version(service.registered_model)
        house.cases.check_free(service.id, expected)
        entry = house.ledger.append_use(
            UseRequest(
                run=run,
                processing="training",
                purpose_id=service.purposes.development,
                service=service.id,
                model=ModelRef(service.registered_model, expected, logged.digest),
                output=logged.digest,
                numbers=numbers,
                statuses=statuses,
                state=permits.state,
            )
        )
        version = house.registry.register(logged)
    except BaseException:
        # A model that learned from people, and that no entry or version accounts for, does not stay.
        with contextlib.suppress(ModelsError):
            house.registry.discard(logged)
        raise
    if version.version != expected:
        message = f"the ledger records the training of version {expected}, the registry gave it number {version.version}"
        raise GovernanceEvidenceError(
            message,
            "another version was registered at the same moment: train again; this one stays unpromotable",
        )
    house.ledger.append_act(
        by, "trained", object_digest=logged.digest, service=service.id, details={"version": version.version}
    )
    case = Case(
        service=service.id,
        name=version.name,
        version=version.version,
        digest=logged.digest,
        recipe=fitted.recipe.name,
        seed=seed,
        training_run=run.hex(),
        trained_by=(by,),
    )
    house.cases.add(case)
    return Trained(
        case,
        version,
        fitted,
        run,
        entry.index,
        int(permits.permitted.sum()),
        left_out(permits),
        len(population.rejected),
    )
