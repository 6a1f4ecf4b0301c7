"""Versions in MLflow: the only door of this room to the registry. Nothing is ever written to the current folder.

Everything goes through :class:`mlflow.MlflowClient` with explicit addresses: MLflow's process-wide "current tracking
server" and "active run" are never read or set, so a notebook's own MLflow work is left alone.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

# First: MLflow reads its settings when it is imported.
from models.mlflow_settings import artifact_root as artifact_root_set
from models.mlflow_settings import check_place, quiet, shown, translated  # isort: split

from mlflow.artifacts import download_artifacts
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from models import artifact, packing, synthetic
from models.errors import ModelsInputError, RegistryUnavailableError, UnknownVersionError
from models.version import DATA_TAG, DIGEST_TAG, RECIPE_TAG, SERVICE_TAG, Logged, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from models.service import Service
    from models.training import FittedModel

__all__ = ["Logged", "Registry", "Version"]

_EXAMPLE_SEED = 1


class Registry:
    """An MLflow tracking server and registry, by URI.

    Args:
        tracking_uri: Any MLflow tracking URI, such as ``sqlite:////path/mlflow.db`` or ``https://mlflow.example``.
        registry_uri: The same when left out, or one with a governed scheme (``luvalla+sqlite:///...``).
        artifact_root: Folder for the artifacts of experiments made here; a server with a root of its own ignores it.

    Raises:
        RegistryUnavailableError: The database cannot be opened.
    """

    def __init__(
        self, tracking_uri: str, registry_uri: str | None = None, artifact_root: Path | None = None
    ) -> None:
        check_place(tracking_uri, artifact_root)
        self.tracking_uri = tracking_uri
        self.registry_uri = registry_uri or tracking_uri
        self.artifact_root = None if artifact_root is None else artifact_root.resolve()
        with _speaking_to(self), artifact_root_set(self.artifact_root):
            self._client = MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.registry_uri)
            self._client.search_experiments(max_results=1)  # opens, and if it is new makes, the database

    def log(
        self,
        service: Service,
        fitted: FittedModel,
        *,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        input_example: pd.DataFrame | None = None,
    ) -> Logged:
        """Log run, parameters, metrics and model; no version exists yet, so that a use can be recorded before one does.

        If it fails midway there is a run marked FAILED.

        Args:
            service: Whose version.
            fitted: The trained model.
            metrics: Figures to log beside the training's own.
            tags: Tags of run and version.
            input_example: Invented rows (:mod:`models.synthetic`); made up here when left out. Never a real person's row:
                an artifact is kept and copied.

        Raises:
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        example = (
            synthetic.residents(service, 2, seed=_EXAMPLE_SEED, outcome=False)
            if input_example is None
            else input_example
        )
        example = example[list(service.features)].fillna(0.0)
        every_tag = {
            **tags,
            SERVICE_TAG: service.id,
            RECIPE_TAG: fitted.recipe.name,
            DATA_TAG: fitted.data_digest,
        }
        with _speaking_to(self), tempfile.TemporaryDirectory(prefix="luvalla-") as scratch:
            folder = Path(scratch) / "model"
            packing.save(service, fitted, example, folder)
            digest = artifact.digest(folder)
            every_tag[DIGEST_TAG] = digest
            run = self._client.create_run(self._experiment(service), run_name=fitted.recipe.name)
            run_id = run.info.run_id
            try:
                self._client.log_batch(
                    run_id,
                    metrics=[
                        Metric(name, float(value), run.info.start_time, 0)
                        for name, value in {**fitted.metrics, **metrics}.items()
                    ],
                    params=[Param(name, value) for name, value in fitted.parameters().items()],
                    tags=[RunTag(key, value) for key, value in every_tag.items()],
                )
                model = self._client.create_logged_model(
                    run.info.experiment_id, name=fitted.recipe.name, source_run_id=run_id, tags=every_tag
                )
                self._client.log_model_artifacts(model.model_id, str(folder))
                self._client.finalize_logged_model(model.model_id, "READY")
            except BaseException:
                with contextlib.suppress(MlflowException):
                    self._client.set_terminated(run_id, "FAILED")
                raise
            self._client.set_terminated(run_id)
            return Logged(
                service.registered_model, run_id, model.model_id, self._source(model), digest, every_tag
            )

    def register(self, logged: Logged) -> Version:
        """Make a logged model the next version of its registered model, for others to see.

        Raises:
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        with _speaking_to(self):
            self._ensure(logged.name)
            version = self._client.create_model_version(
                logged.name,
                source=logged.source,
                run_id=logged.run_id,
                tags=dict(logged.tags),
                model_id=logged.model_id,
            )
        return Version(logged.name, str(version.version), logged.run_id, logged.digest, logged.tags)

    def discard(self, logged: Logged) -> None:
        """Take back what :meth:`log` made and nobody registered: model, run, and the files where they lie on this machine.

        Raises:
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        with _speaking_to(self):
            self._client.delete_logged_model(logged.model_id)
            self._client.delete_run(logged.run_id)
        folder = urlparse(logged.source)
        if folder.scheme == "file":
            shutil.rmtree(Path(unquote(folder.path)).parent, ignore_errors=True)

    def next_version(self, name: str) -> str:
        """The number the next version will get, if nobody registers one in between and none was deleted.

        Raises:
            RegistryUnavailableError: The registry cannot be reached.
        """
        found = self.versions(name)
        return str(int(found[-1].version) + 1 if found else 1)

    def log_version(
        self,
        service: Service,
        fitted: FittedModel,
        *,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        input_example: pd.DataFrame | None = None,
    ) -> Version:
        """:meth:`log` and :meth:`register` in one, for work outside the governed way.

        Raises:
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        return self.register(
            self.log(service, fitted, metrics=metrics, tags=tags, input_example=input_example)
        )

    def metrics(self, version: Version) -> dict[str, float]:
        """Figures logged with a version's run; none for a version without a run.

        Raises:
            RegistryUnavailableError: The registry cannot be reached.
        """
        if not version.run_id:
            return {}
        with _speaking_to(self, version.name, version.version):
            return {str(k): float(v) for k, v in self._client.get_run(version.run_id).data.metrics.items()}

    def versions(self, name: str) -> list[Version]:
        """All versions of a registered model, oldest first; an unknown name has none.

        Raises:
            RegistryUnavailableError: The registry cannot be reached.
        """
        with _speaking_to(self):
            found = self._client.search_model_versions(f"name = '{_quoted(name)}'")
        return sorted((_version(each) for each in found), key=lambda each: int(each.version))

    def version(self, name: str, version: str) -> Version:
        """One version.

        Raises:
            UnknownVersionError: No such model or version.
            RegistryUnavailableError: The registry cannot be reached.
        """
        with _speaking_to(self, name, version):
            return _version(self._client.get_model_version(name, version))

    def download(self, name: str, version: str, into: Path) -> Path:
        """A fresh private copy (mode 700) of a version's artifact.

        Args:
            name: Registered model.
            version: Its version.
            into: A folder of ours; the copy gets a new folder in it.

        Returns:
            The copy's folder. Take its digest before you load it.

        Raises:
            UnknownVersionError: No such model or version.
            ArtifactRefusedError: Links or special files in the artifact.
            RegistryUnavailableError: The registry or the artifact cannot be reached.
        """
        with _speaking_to(self, name, version):
            uri = self._artifact_uri(name, version)
            home = Path(tempfile.mkdtemp(prefix=f"{name}-{version}-", dir=into))
            try:
                parsed = urlparse(uri)
                if parsed.scheme in ("", "file"):
                    # Copied by ourselves: MLflow would hand out its own folder, and write a note into it.
                    return artifact.private_copy(Path(unquote(parsed.path)), home / "model")
                with tempfile.TemporaryDirectory(prefix="luvalla-", dir=into) as scratch:
                    fetched = download_artifacts(
                        artifact_uri=uri, dst_path=scratch, tracking_uri=self.tracking_uri
                    )
                    return artifact.private_copy(Path(fetched), home / "model")
            except BaseException:
                shutil.rmtree(home, ignore_errors=True)
                raise

    def log_report(self, version: Version, files: Mapping[str, bytes], *, folder: str = "audit") -> None:
        """Put files beside the version, in its run's artifacts under `folder`.

        Raises:
            ModelsInputError: The version has no run, or a file name is no plain name.
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        if not version.run_id:
            raise ModelsInputError(
                f"Version {version.version} of '{version.name}' has no run to log to.",
                "Register it from a run.",
            )
        strange = [name for name in files if Path(name).name != name or name in ("", ".", "..")]
        if strange:
            raise ModelsInputError(f"'{strange[0]}' is no plain file name.", "Give names without folders.")
        with (
            _speaking_to(self, version.name, version.version),
            tempfile.TemporaryDirectory(prefix="luvalla-") as scratch,
        ):
            for name, content in files.items():
                (Path(scratch) / name).write_bytes(content)
            self._client.log_artifacts(version.run_id, scratch, artifact_path=folder)

    def read_report(self, version: Version, name: str, *, folder: str = "audit") -> bytes | None:
        """A file put there by :meth:`log_report`, or None. Anyone with access may have changed it: check its digest.

        Raises:
            RegistryUnavailableError: The registry cannot be reached.
        """
        if not version.run_id:
            return None
        with (
            _speaking_to(self, version.name, version.version),
            tempfile.TemporaryDirectory(prefix="luvalla-") as scratch,
        ):
            listed = {each.path for each in self._client.list_artifacts(version.run_id, folder)}
            if f"{folder}/{name}" not in listed:
                return None
            return Path(
                self._client.download_artifacts(version.run_id, f"{folder}/{name}", scratch)
            ).read_bytes()

    def set_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Tag a version.

        Raises:
            UnknownVersionError: No such model or version.
            AliasRefusedError: A governed registry guards this tag.
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        with _speaking_to(self, name, version):
            self._client.set_model_version_tag(name, version, key, value)

    def alias(self, name: str, alias: str) -> str | None:
        """The version the alias points at, or None. A pointer that others can move: check the certificate at every use.

        Raises:
            RegistryUnavailableError: The registry cannot be reached.
        """
        try:
            with _speaking_to(self, name, alias):
                return str(self._client.get_model_version_by_alias(name, alias).version)
        except UnknownVersionError:
            return None

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Move the alias.

        Raises:
            UnknownVersionError: No such model or version.
            AliasRefusedError: A governed registry says no.
            RegistryUnavailableError: The registry cannot be reached or written to.
        """
        with _speaking_to(self, name, version):
            self._client.set_registered_model_alias(name, alias, version)

    def _experiment(self, service: Service) -> str:
        found = self._client.get_experiment_by_name(service.registered_model)
        if found is not None:
            return str(found.experiment_id)
        location = (
            None if self.artifact_root is None else (self.artifact_root / service.registered_model).as_uri()
        )
        return str(self._client.create_experiment(service.registered_model, artifact_location=location))

    def _ensure(self, name: str) -> None:
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _source(self, model: Any) -> str:
        """Where the version's files are.

        A server resolves a model's id itself. MLflow's own SQLite store would look the id up in the process's current
        tracking server, which may be another, or a new database in the current folder.
        """
        served = urlparse(self.registry_uri).scheme in ("http", "https")
        return str(model.model_uri if served else model.artifact_location)

    def _artifact_uri(self, name: str, version: str) -> str:
        found = self._client.get_model_version(name, version)
        if found.model_id:
            return str(self._client.get_logged_model(found.model_id).artifact_location)
        return str(self._client.get_model_version_download_uri(name, version))


def _version(found: Any) -> Version:
    tags = {str(key): str(value) for key, value in found.tags.items()}
    return Version(
        str(found.name), str(found.version), str(found.run_id or ""), tags.get(DIGEST_TAG, ""), tags
    )


def _quoted(name: str) -> str:
    if "'" in name:
        raise UnknownVersionError(f"There is no model '{name}'.", "A model's name holds no quote.")
    return name


@contextlib.contextmanager
def _speaking_to(registry: Registry, name: str = "", version: str = "") -> Iterator[None]:
    """MLflow kept quiet, and its failures turned into this room's."""
    try:
        with quiet():
            yield
    except MlflowException as error:
        code, text = str(error.error_code), str(error.message)
        raise translated(code, text, name=name, version=version, uri=registry.tracking_uri) from error
    except SQLAlchemyError as error:  # MLflow lets these through where it opens a database
        raise RegistryUnavailableError(
            f"The registry's database at {shown(registry.tracking_uri)} failed ({type(error).__name__}).",
            "It may be locked, read-only or damaged: try again, or restore it from a backup.",
        ) from error
    except OSError as error:
        raise RegistryUnavailableError(
            f"MLflow's files cannot be reached: {error.strerror or type(error).__name__}.",
            "Check disk and permissions.",
        ) from error
