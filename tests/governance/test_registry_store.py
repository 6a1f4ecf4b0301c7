"""The governed registry through MLflow's own client: an uncertified version does not become the one that runs."""

from __future__ import annotations

import shutil

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from consent.ledger import Ledger
from governance import serving, stopping
from tests.governance.city import SERVICE, Kept

NAME = SERVICE.registered_model


@pytest.fixture
def city(played_city, tmp_path):
    kept = Kept(played_city.home, tmp_path / "kept")
    yield played_city
    kept.put_back()


@pytest.fixture
def client(city, monkeypatch):
    monkeypatch.setenv("LUVALLA_HOME", str(city.home))
    return at(city.home / "mlflow" / "mlflow.db")


def at(database):
    return MlflowClient(tracking_uri=f"sqlite:///{database}", registry_uri=f"luvalla+sqlite:///{database}")


@pytest.fixture
def second(client):
    """A version that nobody audited: the first one's files under another number, with every tag of the first."""
    first = client.get_model_version(NAME, "1")
    made = client.create_model_version(NAME, first.source, model_id=first.model_id, tags=first.tags)
    return str(made.version)


def champion(client):
    return str(client.get_model_version_by_alias(NAME, "champion").version)


@pytest.mark.parametrize("alias", ["champion", "Champion", "CHAMPION"])
def test_the_alias_is_refused_to_what_nobody_certified(client, second, alias):
    with pytest.raises(MlflowException, match="holds no certificate for version 2") as refused:
        client.set_registered_model_alias(NAME, alias, second)
    assert refused.value.error_code == "PERMISSION_DENIED"
    assert refused.value.get_http_status_code() == 403
    assert "luvalla promote" in refused.value.message
    assert champion(client) == "1"


def test_the_alias_is_given_to_what_is_certified_and_every_other_alias_is_free(client, second):
    client.set_registered_model_alias(NAME, "champion", "1")
    client.set_registered_model_alias(NAME, "challenger", second)
    assert str(client.get_model_version_by_alias(NAME, "challenger").version) == second
    client.delete_registered_model_alias(NAME, "challenger")
    client.transition_model_version_stage(NAME, second, "Staging")
    client.delete_model_version(NAME, second)
    assert champion(client) == "1"


@pytest.mark.parametrize("stage", ["Production", "production"])
def test_the_stage_that_serves_is_the_same_as_the_alias(client, second, stage):
    with pytest.raises(MlflowException, match="refused stage Production"):
        client.transition_model_version_stage(NAME, second, stage)
    assert client.get_model_version(NAME, second).current_stage == "None"
    client.transition_model_version_stage(NAME, "1", stage)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.delete_registered_model_alias(NAME, "champion"),
        lambda client: client.rename_registered_model(NAME, "another"),
        lambda client: client.delete_registered_model(NAME),
        lambda client: client.delete_model_version(NAME, "1"),
        lambda client: client.set_registered_model_tag(NAME, "mlflow.prompt.is_prompt", "true"),
    ],
    ids=["delete the alias", "rename", "delete the model", "delete the version", "make it a prompt"],
)
def test_what_the_alias_points_at_stays(client, call):
    with pytest.raises(MlflowException) as refused:
        call(client)
    assert refused.value.error_code == "PERMISSION_DENIED"
    assert champion(client) == "1"
    assert [m.name for m in client.search_registered_models()] == [NAME]


def test_a_name_swap_brings_nothing_under_the_alias(client, second):
    client.create_registered_model("impostor")
    first = client.get_model_version(NAME, "1")
    client.create_model_version("impostor", first.source, model_id=first.model_id, tags=first.tags)
    with pytest.raises(MlflowException, match="is not renamed"):
        client.rename_registered_model(NAME, "old")
    with pytest.raises(MlflowException, match="no installed service"):
        client.set_registered_model_alias("impostor", "champion", "1")


def test_files_that_were_changed_are_not_what_was_certified(client, city):
    version = client.get_model_version(NAME, "1")
    folder = next((city.home / "mlflow" / "artifacts").rglob("MLmodel")).parent
    (folder / "added.txt").write_text("x")
    with pytest.raises(MlflowException, match="another artifact"):
        client.set_registered_model_alias(NAME, "champion", "1")
    assert version.status == "READY"


def test_another_registry_s_version_of_the_same_number_has_no_certificate(client, city, tmp_path):
    other = at(tmp_path / "other.db")
    folder = next((city.home / "mlflow" / "artifacts").rglob("MLmodel")).parent
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "added.txt").write_text("x")
    other.create_registered_model(NAME)
    other.create_model_version(NAME, (tmp_path / "model").as_uri())
    with pytest.raises(MlflowException, match="another artifact"):
        other.set_registered_model_alias(NAME, "champion", "1")


def test_a_suspended_certificate_holds_no_longer(client, city):
    with city.house() as house:
        stopping.suspend(
            house, SERVICE.id, "1", reasons="It misses too many.", days=None, key=city.keys["aino"]
        )
    with pytest.raises(MlflowException, match="suspended"):
        client.set_registered_model_alias(NAME, "champion", "1")


def test_what_cannot_be_checked_is_refused(client, city, monkeypatch, tmp_path):
    monkeypatch.delenv("LUVALLA_HOME")
    with pytest.raises(MlflowException, match="LUVALLA_HOME is not set") as refused:
        client.set_registered_model_alias(NAME, "champion", "1")
    assert refused.value.error_code == "PERMISSION_DENIED"
    monkeypatch.setenv("LUVALLA_HOME", str(tmp_path))
    with pytest.raises(MlflowException, match="could not be checked"):
        client.set_registered_model_alias(NAME, "champion", "1")
    monkeypatch.setenv("LUVALLA_HOME", str(city.home))
    database = city.home / "ledger.db"
    database.rename(tmp_path / "ledger.db")
    with pytest.raises(MlflowException, match="no ledger") as refused:
        client.set_registered_model_alias(NAME, "champion", "1")
    assert refused.value.get_http_status_code() == 503
    (tmp_path / "ledger.db").rename(database)
    client.set_registered_model_alias(NAME, "champion", "1")


def test_a_name_in_luvalla_toml_is_as_free_as_in_mlflow_itself(client, city, second):
    config = city.home / "luvalla.toml"
    config.write_text(
        config.read_text().replace("[governance]\n", f'[governance]\nungoverned = ["sandbox", "{NAME}"]\n')
    )
    assert not serving.is_governed_model(city.home, NAME)
    client.set_registered_model_alias(NAME, "champion", second)
    assert champion(client) == second


def test_nothing_is_written_to_the_ledger_by_asking(client, city, second):
    with Ledger.open(city.house().home, read_only=True) as ledger:
        before = ledger.head()
    with pytest.raises(MlflowException):
        client.set_registered_model_alias(NAME, "champion", second)
    client.set_registered_model_alias(NAME, "champion", "1")
    with Ledger.open(city.house().home, read_only=True) as ledger:
        assert ledger.head() == before
