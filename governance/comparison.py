"""What each way to make a version would cost whom: cross-fitted on the same people, recorded as a use like any audit.

A comparison decides nothing. It shows the board what else was tried, group thresholds included, which can never be promoted.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from consent.uses import UseRequest
from consent.vocabulary import UseStatus
from governance.development import consenting, use_of
from governance.evidence import digest_of
from models import mitigation, training

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from governance.house import House
    from models.population import Population
    from models.service import Service


@dataclass(frozen=True)
class Option:
    """One way to select people.

    Args:
        title: In plain words.
        recipe: Recipe it starts from.
        capacity: Share selected; None: the service's own.
        thresholds_by: Sensitive feature to set thresholds by (fairlearn's ThresholdOptimizer): shown, never promoted.
    """

    title: str
    recipe: str
    capacity: float | None = None
    thresholds_by: str | None = None


@dataclass(frozen=True)
class GroupOutcome:
    """What an option does for a group.

    Args:
        attribute: Sensitive feature.
        group: Group.
        in_need: People of it in need, by the declared measure, where that is known.
        found: Of them, selected.
        selected: People of it selected, of all.
        n: People of it.
    """

    attribute: str
    group: str
    in_need: int
    found: int
    selected: int
    n: int


@dataclass(frozen=True)
class Outcome:
    """One option with what it does.

    Args:
        option: Which.
        selected: Share of everyone selected.
        promotable: Whether a version of it could be registered at all.
        groups: Per group.
    """

    option: Option
    selected: float
    promotable: bool
    groups: tuple[GroupOutcome, ...]


def compare(
    house: House,
    service: Service,
    population: Population,
    options: Sequence[Option],
    *,
    attributes: Sequence[str],
    seed: int,
    known: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> tuple[Outcome, ...]:
    """Cross-fit each option on the consenting people and record the use.

    Args:
        house: The installation.
        service: Which service.
        population: Rows with outcomes.
        options: What to compare.
        attributes: Sensitive features to tell groups by.
        seed: Decides folds and everything random.
        known: bool[people used] by recipe: whom an audit with the same seed, people and the service's own capacity selected.

    Raises:
        NobodyConsented: exit 1.
        ConsentChanged: Somebody withdrew meanwhile; nothing was recorded or shown (1).
    """
    permits = consenting(house, service, population.frame, "audit")
    rows = population.frame[permits.permitted]
    outcomes = tuple(
        _outcome(service, rows, option, attributes, seed, {} if known is None else known)
        for option in options
    )
    document = json.dumps([asdict(outcome) for outcome in outcomes], sort_keys=True).encode()
    numbers, statuses = use_of(permits, UseStatus.USED)
    house.ledger.append_use(
        UseRequest(
            run=secrets.token_bytes(16),
            processing="audit",
            purpose_id=service.purposes.development,
            service=service.id,
            output=digest_of(document),
            numbers=numbers,
            statuses=statuses,
            state=permits.state,
        )
    )
    house.evidence.put(document)
    return outcomes


def _outcome(
    service: Service,
    rows: pd.DataFrame,
    option: Option,
    attributes: Sequence[str],
    seed: int,
    known: Mapping[str, npt.NDArray[np.bool_]],
) -> Outcome:
    recipe = training.find_recipe(service, option.recipe)
    audited = known.get(recipe.name) if option.capacity is None and option.thresholds_by is None else None
    if audited is not None and len(audited) == len(rows):
        selected = audited
    elif option.thresholds_by is None:
        selected = training.cross_fit(service, recipe, rows, seed=seed, capacity=option.capacity).selected
    else:
        fold = training.fold_of(service, rows, n=5, seed=seed)
        selected = mitigation.group_thresholds(
            service, recipe, rows, attribute=option.thresholds_by, fold=fold, seed=seed
        ).selected
    need = rows[service.need.column].to_numpy(dtype=np.float64)
    groups = [
        _group(attribute, str(group), rows[attribute].to_numpy() == group, need, selected)
        for attribute in attributes
        for group in sorted(rows[attribute].dropna().unique())
    ]
    return Outcome(option, float(selected.mean()), option.thresholds_by is None, tuple(groups))


def _group(
    attribute: str,
    group: str,
    inside: npt.NDArray[np.bool_],
    need: npt.NDArray[np.float64],
    selected: npt.NDArray[np.bool_],
) -> GroupOutcome:
    needy = inside & (need == 1)
    return GroupOutcome(
        attribute,
        group,
        int(needy.sum()),
        int((needy & selected).sum()),
        int((inside & selected).sum()),
        int(inside.sum()),
    )
