from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pytest

import models
from models import artifact, training
from models.errors import (
    ModelsInputError,
    ModelsUnavailableError,
    RegistryUnavailableError,
    UnknownVersionError,
)
from models.health_benefit import SERVICE as HEALTH
from models.registry import Registry
from models.scoring import score

if TYPE_CHECKING:
    import pandas as pd

    from models.registry import Version
    from models.training import FittedModel

ROOT = Path(models.__file__).parent.parent
NAME = HEALTH.registered_model


def log(registry: Registry, fitted: FittedModel) -> Version:
    return registry.log_version(HEALTH, fitted, metrics={"auc": 0.8}, tags={"luvalla.run": "abc"})


def test_a_version_comes_back_as_it_was_logged(
    registry: Registry, fitted: FittedModel, health: pd.DataFrame, tmp_path: Path
) -> None:
    version = log(registry, fitted)
    assert (version.name, version.version) == (NAME, "1")
    assert registry.version(NAME, "1") == version
    assert version.tags["luvalla.data"] == fitted.data_digest
    assert version.tags["luvalla.run"] == "abc"

    copy = registry.download(NAME, "1", tmp_path)
    assert artifact.digest(copy) == version.digest
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert np.array_equal(score(artifact.load(copy), HEALTH, health), score(fitted.estimator, HEALTH, health))
    facts = artifact.facts(copy)
    assert (facts.service, facts.recipe, facts.threshold) == (HEALTH.id, "need", fitted.threshold)
    assert facts.contract_digest == HEALTH.contract_digest()


def test_other_recipes_come_back_too(
    registry: Registry, health: pd.DataFrame, reduced: FittedModel, tmp_path: Path
) -> None:
    for model in (reduced, training.fit(HEALTH, "need-boosted", health, seed=1)):
        copy = registry.download(NAME, log(registry, model).version, tmp_path)
        assert np.array_equal(
            score(artifact.load(copy), HEALTH, health), score(model.estimator, HEALTH, health)
        )
        assert artifact.facts(copy).notes == model.notes


def test_no_real_persons_row_is_in_an_artifact(
    registry: Registry, health: pd.DataFrame, reduced: FittedModel, tmp_path: Path
) -> None:
    copy = registry.download(NAME, log(registry, reduced).version, tmp_path)
    content = b"".join(path.read_bytes() for path in copy.rglob("*") if path.is_file())
    assert not any(code.encode() in content for code in health["person_id"])
    incomes = health["income"].round(2).unique()
    assert not any(str(value).encode() in content for value in incomes if value > 1_000)
    example = json.loads((copy / "input_example.json").read_text())
    assert example["columns"] == list(HEALTH.features)


def test_versions_are_numbered_and_listed_oldest_first(registry: Registry, fitted: FittedModel) -> None:
    assert registry.versions(NAME) == []
    made = [log(registry, fitted) for _ in range(3)]
    assert [each.version for each in made] == ["1", "2", "3"]
    assert registry.versions(NAME) == made


def test_an_alias_moves_and_says_where_it_points(registry: Registry, fitted: FittedModel) -> None:
    assert registry.alias(NAME, "champion") is None
    log(registry, fitted)
    log(registry, fitted)
    registry.set_alias(NAME, "champion", "1")
    registry.set_alias(NAME, "champion", "2")
    assert registry.alias(NAME, "champion") == "2"
    assert registry.alias(NAME, "other") is None


def test_a_report_lies_beside_its_version(registry: Registry, fitted: FittedModel) -> None:
    first, second = log(registry, fitted), log(registry, fitted)
    registry.log_report(second, {"report.json": b"{}", "report.html": b"<p>"})
    assert registry.read_report(second, "report.json") == b"{}"
    assert registry.read_report(first, "report.json") is None
    assert registry.read_report(second, "other.json") is None
    with pytest.raises(ModelsInputError, match="no plain file name"):
        registry.log_report(second, {"../report.json": b""})


def test_tags_are_set(registry: Registry, fitted: FittedModel) -> None:
    log(registry, fitted)
    registry.set_tag(NAME, "1", "luvalla.state", "audited")
    assert registry.version(NAME, "1").tags["luvalla.state"] == "audited"


@pytest.mark.parametrize(("name", "version"), [(NAME, "9"), ("no-such-model", "1"), (NAME, "one")])
def test_what_is_not_there_is_named(
    registry: Registry, fitted: FittedModel, tmp_path: Path, name: str, version: str
) -> None:
    log(registry, fitted)
    for call in (
        lambda: registry.version(name, version),
        lambda: registry.download(name, version, tmp_path),
        lambda: registry.set_alias(name, "champion", version),
        lambda: registry.set_tag(name, version, "a", "b"),
    ):
        with pytest.raises(UnknownVersionError, match=f"no version '{version}' of '{name}'") as caught:
            call()
        assert caught.value.exit_code == 2


def test_a_tag_or_alias_mlflow_does_not_take_is_wrong_input(registry: Registry, fitted: FittedModel) -> None:
    log(registry, fitted)
    for call in (
        lambda: registry.set_alias(NAME, "no spaces", "1"),
        lambda: registry.set_tag(NAME, "1", "key", "x" * 200_000),
    ):
        with pytest.raises(ModelsInputError, match="MLflow refuses this"):
            call()


def test_a_changed_artifact_shows_in_its_digest(
    registry: Registry, fitted: FittedModel, tmp_path: Path
) -> None:
    version = log(registry, fitted)
    [stored] = (tmp_path / "artifacts").rglob("model.skops")
    content = bytearray(stored.read_bytes())
    content[-30] ^= 1
    stored.write_bytes(content)
    assert artifact.digest(registry.download(NAME, version.version, tmp_path)) != version.digest


def test_downloading_leaves_the_stored_artifact_untouched(
    registry: Registry, fitted: FittedModel, tmp_path: Path
) -> None:
    version = log(registry, fitted)
    before = {path: path.read_bytes() for path in (tmp_path / "artifacts").rglob("*") if path.is_file()}
    registry.download(NAME, version.version, tmp_path)
    assert {
        path: path.read_bytes() for path in (tmp_path / "artifacts").rglob("*") if path.is_file()
    } == before


def test_an_artifact_that_is_gone_leaves_no_half_copy(
    registry: Registry, fitted: FittedModel, tmp_path: Path
) -> None:
    version = log(registry, fitted)
    shutil.rmtree(tmp_path / "artifacts")
    (tmp_path / "into").mkdir()
    with pytest.raises(ModelsUnavailableError) as caught:
        registry.download(NAME, version.version, tmp_path / "into")
    assert caught.value.exit_code == 4
    assert list((tmp_path / "into").iterdir()) == []


def test_a_model_that_cannot_be_stored_leaves_no_version(
    registry: Registry, fitted: FittedModel, tmp_path: Path
) -> None:
    (tmp_path / "artifacts").write_text("a file where the folder should be")
    with pytest.raises(RegistryUnavailableError):
        log(registry, fitted)
    assert registry.versions(NAME) == []


@pytest.mark.slow  # SQLite waits 5 s for a lock, and MLflow asks several times
def test_a_locked_database_is_said_to_be_so(registry: Registry, fitted: FittedModel, tmp_path: Path) -> None:
    log(registry, fitted)
    holder = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RegistryUnavailableError, match="locked") as caught:
            registry.set_alias(NAME, "champion", "1")
        assert caught.value.exit_code == 4
    finally:
        holder.close()


def test_a_folder_that_is_not_there_cannot_hold_a_database(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailableError, match="There is no folder for the database"):
        Registry(f"sqlite:///{tmp_path}/away/mlflow.db", artifact_root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_is_reported_and_its_password_is_not() -> None:
    with pytest.raises(RegistryUnavailableError) as caught:
        Registry("http://user:sala@127.0.0.1:9")
    assert "sala" not in caught.value.message
    assert "127.0.0.1:9" in caught.value.message


def test_a_database_in_the_current_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelsInputError, match="relative to the current folder"):
        Registry("sqlite:///mlflow.db", artifact_root=tmp_path)


def test_a_sqlite_store_without_an_artifact_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelsInputError, match="without an artifact root"):
        Registry(f"sqlite:///{tmp_path}/mlflow.db")


WHOLE = """
import os, sys
from pathlib import Path
home = Path(sys.argv[1])
from models import synthetic, training
from models.youth_exclusion import SERVICE
from models.registry import Registry
rows = synthetic.residents(SERVICE, 400, seed=1)
registry = Registry(f"sqlite:///{home}/mlflow.db", artifact_root=home / "artifacts")
version = registry.log_version(SERVICE, training.fit(SERVICE, "leaving", rows, seed=1), metrics={}, tags={})
registry.log_report(version, {"report.json": b"{}"})
registry.read_report(version, "report.json")
registry.set_alias(version.name, "champion", version.version)
registry.download(version.name, registry.alias(version.name, "champion"), home)
import mlflow
print(sorted(os.listdir(".")), os.environ["MLFLOW_DISABLE_TELEMETRY"], mlflow.active_run())
"""


def test_nothing_lands_in_the_current_folder_and_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WHOLE, str(tmp_path / "home")],
        cwd=tmp_path / "here",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] true None"
    assert done.stderr == ""
    assert os.listdir(tmp_path / "here") == []  # noqa: PTH208 - the listing itself is the point


def test_the_default_experiment_points_into_the_home_too(
    registry: Registry, tmp_path: Path, template_database: Path
) -> None:
    places = (
        sqlite3.connect(tmp_path / "mlflow.db")
        .execute("select artifact_location from experiments")
        .fetchall()
    )
    assert places == [((template_database.parent / "artifacts" / "0").as_uri(),)]


def test_mlflows_own_client_reads_what_was_logged(
    registry: Registry,
    fitted: FittedModel,
    health: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A data scientist's notebook, without luvalla."""
    log(registry, fitted)
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(registry.tracking_uri)
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/{NAME}/1")
        predicted = loaded.predict(health.head(5)[list(HEALTH.features)])
    finally:
        mlflow.set_tracking_uri(before)
    assert np.array_equal(predicted[:, 1], score(fitted.estimator, HEALTH, health.head(5)))
