"""The MLflow registry store that lets no uncertified version serve: ``luvalla+sqlite:`` and ``luvalla+postgresql:`` addresses.

Whoever speaks to a registry by such an address (`MlflowClient(registry_uri=...)`, or any client of an MLflow server started with
it) can do all that MLflow does, but for the calls that would make an uncertified version serve or change what the governed alias
points to. The store runs where the ledger is: the folder in LUVALLA_HOME. What cannot be checked is refused.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, TEMPORARILY_UNAVAILABLE
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from consent.errors import ConsentError
from governance import serving
from governance.errors import GovernanceError
from models.errors import ModelsError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEME = "luvalla+"
HOME = "LUVALLA_HOME"
RESERVED_TAGS = "luvalla."
PROMPT_TAG = "mlflow.prompt.is_prompt"
"""A model with this tag vanishes from every list of models."""


_Store: Any = SqlAlchemyStore
"""MLflow's own, whose methods carry no types."""


class GovernedStore(_Store):  # type: ignore[misc]  # the same
    """MLflow's own store with a door in it.

    Args:
        store_uri: ``luvalla+`` and an SQLAlchemy address.
        tracking_uri: Not needed: artifacts are reached as luvalla.toml says.
    """

    def __init__(self, store_uri: str, tracking_uri: str | None = None) -> None:  # noqa: ARG002 - MLflow gives it by name
        super().__init__(store_uri.removeprefix(SCHEME))

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Refused for the governed alias unless the version holds a certificate that verifies now."""
        if serving.is_governed_alias(alias):
            self._certified(name, str(version), f"alias '{alias}'")
        super().set_registered_model_alias(name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Refused for the governed alias: the board takes a version out of service, by suspending or revoking it."""
        if serving.is_governed_alias(alias) and self._pointed_at(name) is not None:
            self._kept(name, f"alias '{alias}' of '{name}' is not deleted")
        super().delete_registered_model_alias(name, alias)

    def transition_model_version_stage(
        self,
        name: str,
        version: str,
        stage: str,
        archive_existing_versions: bool,  # noqa: FBT001 - MLflow's signature
    ) -> Any:
        """Refused for Production unless the version holds a certificate that verifies now."""
        if stage.strip().lower() == serving.PRODUCTION.lower():
            self._certified(name, str(version), f"stage {serving.PRODUCTION}")
        return super().transition_model_version_stage(name, version, stage, archive_existing_versions)

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        """Refused while the governed alias points at one of its versions: the alias would follow the name."""
        if self._pointed_at(name) is not None:
            self._kept(name, f"'{name}' is not renamed")
        return super().rename_registered_model(name, new_name)

    def delete_registered_model(self, name: str) -> None:
        """Refused while the governed alias points at one of its versions."""
        if self._pointed_at(name) is not None:
            self._kept(name, f"'{name}' is not deleted")
        super().delete_registered_model(name)

    def delete_model_version(self, name: str, version: str) -> None:
        """Refused for the version that the governed alias points at."""
        if self._pointed_at(name) == str(version):
            self._kept(name, f"version {version} of '{name}' is not deleted")
        super().delete_model_version(name, version)

    def set_registered_model_tag(self, name: str, tag: Any) -> None:
        """Refused for the mark of a prompt on a governed model: it would vanish from every list of models."""
        if tag.key == PROMPT_TAG and self._governed(name):
            raise _refused(
                f"refused the tag '{PROMPT_TAG}' on '{name}': the model would vanish from every list",
                "prompts are made by MLflow's own calls for prompts",
            )
        super().set_registered_model_tag(name, tag)

    def _certified(self, name: str, version: str, what: str) -> None:
        """Let a certified version through, and a version of a model that luvalla.toml exempts."""
        version = str(
            self.get_model_version(name, version).version
        )  # one that is not there is MLflow's to say
        with _checking(f"{what} of '{name}'"):
            home = _home()
            if not serving.is_governed_model(home, name):
                return
            reason = serving.why_not(home, name, version, f"{SCHEME}{self.db_uri}")
        if reason is not None:
            raise _refused(
                f"refused {what} for version {version} of '{name}': {reason.reason.rstrip('.')}",
                reason.way_out,
            )

    def _kept(self, name: str, what: str) -> None:
        if self._governed(name):
            raise _refused(
                f"{what}: the governed alias points at it",
                "promote another version (`luvalla promote`), or stop this one (`luvalla board suspend`)",
            )

    def _governed(self, name: str) -> bool:
        with _checking(f"'{name}'"):
            return serving.is_governed_model(_home(), name)

    def _pointed_at(self, name: str) -> str | None:
        """The version that the governed alias points at, read in MLflow's own table."""
        for alias, version in self.get_registered_model(name).aliases.items():
            if serving.is_governed_alias(alias):
                return str(version)
        return None


def _home() -> Path:
    named = os.environ.get(HOME)
    if not named:
        raise _refused(
            f"no installation is named, so nothing can be certified here: {HOME} is not set",
            f"set {HOME} to the folder that `luvalla init` made",
        )
    return Path(named)


@contextmanager
def _checking(what: str) -> Iterator[None]:
    """What cannot be checked is refused, and said to be worth another try where it is."""
    try:
        yield
    except MlflowException:
        raise
    except (ConsentError, GovernanceError, ModelsError) as error:
        unreachable = error.exit_code == 4  # noqa: PLR2004 - the exit code of what cannot be reached
        raise MlflowException(
            f"refused: {what} could not be checked: {error.message}. {error.hint}",
            error_code=TEMPORARILY_UNAVAILABLE if unreachable else PERMISSION_DENIED,
        ) from error


def _refused(what: str, way_out: str) -> MlflowException:
    return MlflowException(f"{what}. {way_out}", error_code=PERMISSION_DENIED)
