"""Real rows once a session; registries copied from one template database (a new one takes 2 s, a copy .04 s)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from models import datasets, training
from models.health_benefit import SERVICE as HEALTH
from models.service import Column, Need, Recipe, Service, ServicePurposes

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from models.registry import Registry
    from models.training import FittedModel


@pytest.fixture(scope="session")
def health() -> pd.DataFrame:
    return datasets.health_benefit()


@pytest.fixture(scope="session")
def youth() -> pd.DataFrame:
    return datasets.youth_exclusion()


@pytest.fixture(scope="session")
def fitted(health: pd.DataFrame) -> FittedModel:
    return training.fit(HEALTH, "need", health, seed=1)


@pytest.fixture(scope="session")
def reduced(health: pd.DataFrame) -> FittedModel:
    return training.fit(HEALTH, "need-equal-tpr", health, seed=1)


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from models.registry import Registry  # noqa: PLC0415 - most tests of this room never load MLflow

    folder = tmp_path_factory.mktemp("template")
    Registry(f"sqlite:///{folder}/mlflow.db", artifact_root=folder / "artifacts")
    return folder / "mlflow.db"


@pytest.fixture
def registry(template_database: Path, tmp_path: Path) -> Registry:
    from models.registry import Registry  # noqa: PLC0415 - most tests of this room never load MLflow

    shutil.copyfile(template_database, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path}/mlflow.db", artifact_root=tmp_path / "artifacts")


def _three(text: str) -> dict[str, str]:
    return {"fi": text, "sv": text, "en": text}


@pytest.fixture
def bus_service() -> Service:
    """A small invented service with every kind of column, categories and unknown values among its features."""
    return Service(
        id="bus-pass",
        title=_three("Bus pass"),
        description=_three("A pass."),
        kind="assistive",
        purposes=ServicePurposes("bus-pass.development", "bus-pass.offer"),
        contract=(
            Column("person_id", "identifier", "person", "Person."),
            Column("distance", "amount", "feature", "Way to school, km.", low=0, high=200, nullable=True),
            Column("age", "number", "feature", "Years.", low=0, high=30, nullable=True),
            Column("zone", "category", "feature", "Ticket zone.", categories=("A", "A_B", "C")),
            Column("sex", "category", "sensitive", "Sex.", categories=("female", "male")),
            Column("needs_pass", "flag", "outcome", "1 if the way is long.", nullable=True),
        ),
        features=("zone", "distance", "age"),
        sensitive_features=("sex",),
        capacity=0.2,
        need=Need("needs_pass", _three("A long way to school."), "distance > 5"),
        other_needs=(),
        recipes={
            "linear": Recipe("linear", "needs_pass", "Linear."),
            "boosted": Recipe("boosted", "needs_pass", "Boosted.", family="boosted"),
        },
        feature_texts={name: _three(name) for name in ("zone", "distance", "age")},
        value_texts={"zone": {zone: _three(f"zone {zone}") for zone in ("A", "A_B", "C")}},
        feature_families={"zone": "way", "distance": "way", "age": "age"},
        family_texts={"way": _three("Your way to school"), "age": _three("Your age")},
        offer=_three("A pass for you."),
        registered_model="luvalla-bus-pass",
    )
